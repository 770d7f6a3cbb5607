//! What can be asked for on the control socket: one file for each group of operations, one line each in [`OPS`].

mod drain;
mod reload;
mod sessions;
mod status;
mod tap;
mod targets;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::Control;
use super::caller::{Caller, Level};
pub(crate) use super::client::Wire;
use super::protocol::{Code, Refused};

/// Every operation.
static OPS: &[Op] = &[
    status::STATUS,
    reload::RELOAD,
    drain::DRAIN,
    drain::STATUS,
    sessions::LIST,
    sessions::FIRST,
    sessions::SHOW,
    sessions::EXPLAIN,
    sessions::CLOSE,
    sessions::ABORT,
    tap::TAP,
    targets::LIST,
    targets::SET,
];

/// An operation.
pub(crate) struct Op {
    /// Its name in requests.
    pub(crate) name: &'static str,
    /// Who may ask for it.
    pub(crate) level: Level,
    /// Carries it out.
    pub(crate) run: fn(Call) -> Running,
}

/// An operation that is being carried out.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<Reply, Refused>> + Send>>;

/// What an operation is given.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) control: Arc<Control>,
    pub(crate) caller: Caller,
    /// The members of the request beside `op` and `protocol`.
    pub(crate) arguments: Map<String, Value>,
}

/// What an operation answers.
pub(crate) enum Reply {
    /// One line: an object.
    One(Value),
    /// Lines of objects until the sender is gone, then one that says that no more follow.
    Lines(mpsc::Receiver<Result<Value, Refused>>),
    /// One line, and then the connection belongs to this.
    TakeOver(Value, TakeOver),
}

/// What goes on with a connection.
pub(crate) type TakeOver = Box<dyn FnOnce(Wire) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// True where what was done has written its own record, because it may be asked for in other ways too.
pub(super) fn audits_itself(op: &Op, reply: &Result<Reply, Refused>) -> bool {
    // A wrong request never came so far, nor did one that could not be carried out.
    let came_so_far =
        reply.as_ref().err().is_none_or(|refused| ![Code::BadRequest, Code::System].contains(&refused.code));
    op.name == reload::RELOAD.name && came_so_far
}

/// The operation of a name.
pub(super) fn find(name: &str) -> Result<&'static Op, Refused> {
    OPS.iter().find(|op| op.name == name).ok_or_else(|| {
        let names: Vec<&str> = OPS.iter().map(|op| op.name).collect();
        Refused::new(Code::UnknownOp, format!("no operation {name:?}; there are {}", names.join(", ")))
    })
}
