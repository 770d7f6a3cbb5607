//! How far a run is, on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error; hidden where that is no terminal.
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// A bar; `quiet` hides it.
    pub(crate) fn new(quiet: bool) -> Bar {
        let bar = ProgressBar::new(0);
        bar.set_draw_target(if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() });
        let template = if std::env::var_os("NO_COLOR").is_some() {
            "{prefix:>9} [{bar:24}] {pos} of {len}"
        } else {
            "{prefix:>9.bold} [{bar:24.cyan}] {pos} of {len}"
        };
        let style = ProgressStyle::with_template(template).expect("the template is a valid constant");
        bar.set_style(style.progress_chars("=> "));
        Bar { bar }
    }

    /// A part of the run with so many steps begins.
    pub(crate) fn begin(&self, part: &'static str, steps: usize) {
        self.bar.set_prefix(part);
        self.bar.set_length(steps as u64);
        self.bar.set_position(0);
    }

    /// One step more.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
