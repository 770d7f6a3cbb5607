//! Reports from the gateway, on a thread of its own: a gateway that hangs must not take the keyboard with it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use colloquy_gateway::sight::StatusReport;
use serde_json::{Value, json};

use super::Answer;
use crate::control::{Control, Fault, SocketArgs};

/// Asks once.
pub(super) fn ask(socket: &SocketArgs) -> Result<StatusReport, Fault> {
    Control::open(socket).and_then(|mut control| report(&mut control))
}

fn report(control: &mut Control) -> Result<StatusReport, Fault> {
    let answer = control.ask("status", json!({}))?;
    serde_json::from_value(Value::Object(answer))
        .map_err(|error| Fault::Unreachable(format!("the gateway's report cannot be read: {error}")))
}

/// Asks at an interval, and connects again where the gateway was started again.
#[derive(Debug)]
pub(super) struct Feed {
    answers: Receiver<Answer>,
    /// The thread ends when this is gone.
    _stop: Sender<()>,
}

impl Feed {
    /// Starts to ask.
    pub(super) fn start(socket: SocketArgs, interval: Duration) -> Feed {
        let (give, answers) = channel();
        let (stop, stopped) = channel::<()>();
        std::thread::spawn(move || {
            let mut control = None;
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                let answer = next(&socket, &mut control);
                if give.send(answer).is_err() {
                    return;
                }
            }
        });
        Feed { answers, _stop: stop }
    }

    /// What has come.
    pub(super) fn take(&self) -> Option<Answer> {
        self.answers.try_recv().ok()
    }
}

fn next(socket: &SocketArgs, control: &mut Option<Control>) -> Answer {
    let mut open = match control.take() {
        Some(open) => open,
        None => Control::open(socket).map_err(|fault| words(&fault))?,
    };
    let report = report(&mut open).map_err(|fault| words(&fault))?;
    // Only a connection that has answered is kept.
    *control = Some(open);
    Ok(Box::new(report))
}

fn words(fault: &Fault) -> String {
    match fault {
        Fault::Unreachable(text) | Fault::Refused { text, .. } => text.clone(),
    }
}
