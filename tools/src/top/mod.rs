//! `colloquy top`: a running gateway in a terminal, renewed every second.

mod draw;
mod feed;
mod grid;
mod listed;
mod screen;
mod tables;
#[cfg(test)]
mod tests;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use crate::control::SocketArgs;
use feed::Feed;
use screen::{Screen, Tab, Wish};

/// How long a key may wait at most.
const KEY_WAIT: Duration = Duration::from_millis(100);

/// Shows a running gateway in the terminal.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy top\n          colloquy top --once --view sessions --width 80",
    after_help = "Keys: q quit, Tab and Shift-Tab the next and the last view, s sort by the next column,\n\
                  r the other way, / filter, arrows and Page keys scroll, ? help. NO_COLOR is obeyed.\n\
                  Exit status: 0 done, 1 refused, 2 bad usage, 3 no gateway there."
)]
pub(crate) struct TopArgs {
    #[command(flatten)]
    socket: SocketArgs,
    /// Time between two looks, seconds
    #[arg(long, value_name = "S", default_value = "1", value_parser = interval)]
    interval: Duration,
    /// View to begin with
    #[arg(long, value_name = "VIEW", default_value = "overview")]
    view: Tab,
    /// Prints one frame as plain text and ends
    #[arg(long)]
    once: bool,
    /// Columns of that frame
    #[arg(long, value_name = "N", default_value_t = 100, requires = "once", value_parser = clap::value_parser!(u16).range(20..=500))]
    width: u16,
    /// Its lines
    #[arg(long, value_name = "N", default_value_t = 45, requires = "once", value_parser = clap::value_parser!(u16).range(10..=500))]
    height: u16,
}

fn interval(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if (0.1..=3600.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("0.1 to 3600 seconds".to_owned())
    }
}

/// Runs the verb.
pub(crate) fn run(args: &TopArgs) -> ExitCode {
    let first = match feed::ask(&args.socket, args.view.order()) {
        Ok(seen) => seen,
        Err(fault) => return fault.tell(false),
    };
    if args.once {
        crate::say(&frame(&Screen::new(first, args.view, false), args.width, args.height));
        return ExitCode::SUCCESS;
    }
    if !std::io::stdout().is_terminal() {
        eprintln!("colloquy: standard output is no terminal; --once prints one frame");
        return ExitCode::from(2);
    }
    let coloured = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    match watch(args, Screen::new(first, args.view, coloured)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("colloquy: terminal: {error}");
            ExitCode::from(1)
        }
    }
}

/// Shows and renews until somebody quits. The terminal is as it was afterwards, also after a panic.
fn watch(args: &TopArgs, mut screen: Screen) -> std::io::Result<()> {
    let mut feed = Feed::start(args.socket.clone(), args.interval, screen.wanted());
    let mut terminal = ratatui::try_init()?;
    let result = (|| {
        loop {
            feed.want(screen.wanted());
            while let Some(answer) = feed.take() {
                screen.renew(answer);
            }
            terminal.draw(|frame| draw::draw(frame, &mut screen))?;
            if event::poll(KEY_WAIT)?
                && let Event::Key(key) = event::read()?
                && key.kind != KeyEventKind::Release
                && screen.key(key) == Wish::Quit
            {
                return Ok(());
            }
        }
    })();
    ratatui::restore();
    result
}

/// One frame as lines of text without trailing spaces.
fn frame(screen: &Screen, width: u16, height: u16) -> String {
    let mut screen = screen.clone();
    let mut terminal = match Terminal::new(TestBackend::new(width, height)) {
        Ok(terminal) => terminal,
        Err(error) => match error {},
    };
    let Ok(_) = terminal.draw(|frame| draw::draw(frame, &mut screen));
    let buffer = terminal.backend().buffer();
    let line = |y: u16| {
        let text: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        text.trim_end().to_owned()
    };
    let lines: Vec<String> = (0..height).map(line).collect();
    lines.join("\n").trim_end().to_owned() + "\n"
}
