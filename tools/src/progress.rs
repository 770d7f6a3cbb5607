//! The progress of a run on the terminal: a bar, or nothing where there is no terminal.

use std::time::Duration;

use colloquy_bench::{Progress, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error; hidden when that is no terminal, without colour with `NO_COLOR`.
pub(crate) struct Bar {
    bar: ProgressBar,
    last: Option<(Duration, u64)>,
    rate: f64,
}

impl Bar {
    /// A bar; `quiet` hides it.
    pub(crate) fn new(quiet: bool) -> Bar {
        let bar = ProgressBar::new(0);
        // Standard error redirected to a file is no terminal either, and indicatif then draws nothing.
        bar.set_draw_target(if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() });
        let style = if std::env::var_os("NO_COLOR").is_some() {
            ProgressStyle::with_template("{prefix:>9} [{bar:24}] {wide_msg}")
        } else {
            ProgressStyle::with_template("{prefix:>9.bold} [{bar:24.cyan}] {wide_msg}")
        };
        bar.set_style(style.expect("the template is a valid constant").progress_chars("=> "));
        Bar { bar, last: None, rate: 0.0 }
    }

    /// Shows a look at the run.
    pub(crate) fn show(&mut self, progress: &Progress) {
        let seen = progress.seen;
        let failed = if seen.failed > 0 { format!(", {} failed", seen.failed) } else { String::new() };
        if progress.stage == Stage::Opening {
            self.bar.set_length(progress.sessions);
            self.bar.set_position(seen.established);
            self.bar.set_prefix("opening");
            self.bar.set_message(format!("{} of {} sessions{failed}", seen.established, progress.sessions));
            return;
        }
        if let Some((at, answered)) = self.last {
            let seconds = progress.elapsed.saturating_sub(at).as_secs_f64();
            if seconds > 0.0 {
                self.rate = seen.answered.saturating_sub(answered) as f64 / seconds;
            }
        }
        self.last = Some((progress.elapsed, seen.answered));
        self.bar.set_length(progress.planned.as_millis() as u64);
        self.bar.set_position(progress.elapsed.min(progress.planned).as_millis() as u64);
        self.bar.set_prefix(match progress.stage {
            Stage::Opening => "opening",
            Stage::WarmUp => "warm-up",
            Stage::Measuring => "measuring",
            Stage::Ending => "ending",
        });
        self.bar.set_message(format!(
            "{:.0} of {:.0} s, {} sessions, {:.0} SSDU/s{failed}",
            progress.elapsed.min(progress.planned).as_secs_f64(),
            progress.planned.as_secs_f64(),
            seen.established,
            self.rate
        ));
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
