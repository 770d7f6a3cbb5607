//! Reports from the gateway, on a thread of its own: a gateway that hangs must not take the keyboard with it.
//!
//! Sessions are asked for only while they are looked at: for each of them a shard has something to do.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use colloquy_gateway::sight::{Listed, Order, StatusReport};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::control::{Control, Fault, SocketArgs};

/// Sessions that are asked for at most: as many as anybody scrolls through.
const SESSIONS_MAX: usize = 200;

/// What the gateway says at one moment.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) report: StatusReport,
    /// Where sessions are looked at.
    pub(super) listed: Option<Listed>,
}

/// That, or why there is nothing.
pub(super) type Answer = Result<Box<Seen>, String>;

/// Asks once.
pub(super) fn ask(socket: &SocketArgs, order: Option<Order>) -> Result<Seen, Fault> {
    Control::open(socket).and_then(|mut control| look(&mut control, order))
}

fn look(control: &mut Control, order: Option<Order>) -> Result<Seen, Fault> {
    let report = read(control.ask("status", json!({}))?)?;
    let listed = match order {
        Some(order) => {
            let wanted = json!({ "sort": order.name(), "limit": SESSIONS_MAX });
            Some(read(control.ask("sessions.first", wanted)?)?)
        }
        None => None,
    };
    Ok(Seen { report, listed })
}

fn read<T: DeserializeOwned>(answer: Map<String, Value>) -> Result<T, Fault> {
    serde_json::from_value(Value::Object(answer))
        .map_err(|error| Fault::Unreachable(format!("the gateway's report cannot be read: {error}")))
}

/// Asks at an interval, and connects again where the gateway was started again.
#[derive(Debug)]
pub(super) struct Feed {
    answers: Receiver<Answer>,
    /// In which order sessions are wanted, if they are. The thread ends when this is gone.
    wishes: Sender<Option<Order>>,
    wished: Option<Order>,
}

impl Feed {
    /// Starts to ask.
    pub(super) fn start(socket: SocketArgs, interval: Duration, mut order: Option<Order>) -> Feed {
        let (give, answers) = channel();
        let (wishes, wished) = channel();
        let feed = Feed { answers, wishes, wished: order };
        std::thread::spawn(move || {
            let mut control = None;
            loop {
                match wished.recv_timeout(interval) {
                    // Who turns to the sessions does not wait for the next moment.
                    Ok(wish) => order = wished.try_iter().last().unwrap_or(wish),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                if give.send(next(&socket, &mut control, order)).is_err() {
                    return;
                }
            }
        });
        feed
    }

    /// Says whether sessions are looked at, and in which order.
    pub(super) fn want(&mut self, order: Option<Order>) {
        if self.wished != order {
            self.wished = order;
            // The thread lives as long as this.
            let _ = self.wishes.send(order);
        }
    }

    /// What has come.
    pub(super) fn take(&self) -> Option<Answer> {
        self.answers.try_recv().ok()
    }
}

fn next(socket: &SocketArgs, control: &mut Option<Control>, order: Option<Order>) -> Answer {
    let mut open = match control.take() {
        Some(open) => open,
        None => Control::open(socket).map_err(|fault| words(&fault))?,
    };
    let seen = look(&mut open, order).map_err(|fault| words(&fault))?;
    // Only a connection that has answered is kept.
    *control = Some(open);
    Ok(Box::new(seen))
}

fn words(fault: &Fault) -> String {
    match fault {
        Fault::Unreachable(text) | Fault::Refused { text, .. } => text.clone(),
    }
}
