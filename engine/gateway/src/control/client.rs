//! One client of the control socket: its requests one after the other.

use std::io;
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use super::caller::{Caller, Level};
use super::ops::{self, Call, Reply};
use super::protocol::{Code, Refused, Request, answer_line};
use super::{Control, Place};

/// Both directions of a client's connection, for an operation that takes it over.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) reader: BufReader<OwnedReadHalf>,
    pub(crate) writer: OwnedWriteHalf,
}

/// Serves a client until it leaves, breaks the protocol or is idle for too long.
pub(super) async fn serve(place: Place, stream: UnixStream) {
    let Ok(credentials) = stream.peer_cred() else { return };
    let Ok(caller) = tokio::task::spawn_blocking(move || Caller::look_up(credentials)).await else { return };
    let control = Arc::clone(&place.control);
    let (reader, writer) = stream.into_split();
    let mut client = Client { control, caller, wire: Wire { reader: BufReader::new(reader), writer } };
    if !place.is_granted(client.level() == Level::Admin) {
        let _ = client.refuse(&Refused::new(Code::Busy, "too many control clients")).await;
        return;
    }
    // What a client's connection ends with is nobody's fault here: it left, or it did not read.
    let _ = client.serve().await;
}

struct Client {
    control: Arc<Control>,
    caller: Caller,
    wire: Wire,
}

/// What the reader of lines has found.
enum Line {
    Request(Vec<u8>),
    TooLong,
    End,
}

impl Client {
    /// By the configuration as it is now: a reload may have changed it.
    fn level(&self) -> Level {
        self.caller.level(&self.control.vitals.plan().config.admin)
    }

    async fn serve(mut self) -> io::Result<()> {
        loop {
            let line = match self.next_line().await? {
                Line::Request(line) => line,
                Line::TooLong => {
                    let max = self.control.limits.line_octets_max;
                    let text = format!("a request has at most {max} octets");
                    return self.refuse(&Refused::new(Code::LineTooLong, text)).await;
                }
                Line::End => return Ok(()),
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let reply = match Request::parse(&line) {
                Ok(request) => self.run(request).await,
                Err(refused) => Err(refused),
            };
            match reply {
                Err(refused) => self.refuse(&refused).await?,
                Ok(Reply::One(members)) => self.answer(members, false).await?,
                Ok(Reply::Lines(mut lines)) => {
                    while let Some(line) = lines.recv().await {
                        match line {
                            Ok(members) => self.answer(members, true).await?,
                            Err(refused) => return self.refuse(&refused).await,
                        }
                    }
                    self.answer(Value::Object(Map::new()), false).await?;
                }
                Ok(Reply::TakeOver(members, run)) => {
                    self.answer(members, false).await?;
                    run(self.wire).await;
                    return Ok(());
                }
            }
        }
    }

    async fn run(&mut self, request: Request) -> Result<Reply, Refused> {
        let op = ops::find(&request.op)?;
        let level = self.level();
        if level < op.level {
            let (name, caller) = (op.name, self.caller.name());
            let (needed, has) = (op.level.name(), level.name());
            let (uid, pid) = (self.caller.uid, self.caller.pid);
            tracing::warn!(
                event_id = "CLQ-A02",
                op = name,
                caller,
                uid,
                pid,
                level = has,
                needed,
                "a control request was refused: the caller's level is too low"
            );
            self.audit(name, &request.arguments, Code::Denied.name());
            let text = format!("{name} is for level {needed}; {caller} has level {has}");
            return Err(Refused::new(Code::Denied, text));
        }
        let call = Call {
            control: Arc::clone(&self.control),
            caller: self.caller.clone(),
            arguments: request.arguments,
        };
        let arguments = call.arguments.clone();
        let reply = (op.run)(call).await;
        // What only reads is not worth a record.
        if op.level > Level::Observer && !ops::audits_itself(op, &reply) {
            let outcome = reply.as_ref().map_or_else(|refused| refused.code.name(), |_| "done");
            self.audit(op.name, &arguments, outcome);
        }
        reply
    }

    fn audit(&self, op: &str, arguments: &Map<String, Value>, outcome: &str) {
        let who = self.caller.who(&self.control.vitals.plan().config.admin);
        self.control.vitals.audit.note(who, op, Value::Object(arguments.clone()), outcome);
    }

    async fn next_line(&mut self) -> io::Result<Line> {
        let max = self.control.limits.line_octets_max;
        let mut line = Vec::new();
        let mut limited = (&mut self.wire.reader).take(max as u64 + 1);
        let reading = limited.read_until(b'\n', &mut line);
        let Ok(read) = timeout(self.control.limits.idle_max, reading).await else { return Ok(Line::End) };
        read?;
        Ok(match line.last() {
            None => Line::End,
            _ if line.len() > max => Line::TooLong,
            _ => Line::Request(line),
        })
    }

    async fn answer(&mut self, members: Value, more: bool) -> io::Result<()> {
        self.write(&answer_line(members, more)).await
    }

    async fn refuse(&mut self, refused: &Refused) -> io::Result<()> {
        self.write(&refused.line()).await
    }

    async fn write(&mut self, line: &Value) -> io::Result<()> {
        let mut octets = serde_json::to_vec(line)?;
        octets.push(b'\n');
        let writing = self.wire.writer.write_all(&octets);
        timeout(self.control.limits.write_max, writing).await.map_err(|_| io::ErrorKind::TimedOut)?
    }
}
