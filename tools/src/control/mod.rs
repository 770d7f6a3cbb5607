//! Talking to a running gateway over its control socket: what `status`, `sessions`, `targets`, `tap`, `reload`, `drain`
//! and `top` share.
//!
//! Exit status of all of them: 0 done, 1 refused or not found, 2 bad usage or configuration, 3 no gateway there, 4 done in
//! part.

pub(crate) mod table;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

/// Where the socket is unless somebody says otherwise.
const SOCKET: &str = "/run/colloquy/control.sock";
/// Names another place.
const SOCKET_VARIABLE: &str = "COLLOQUY_SOCKET";
/// The protocol that is spoken.
const PROTOCOL: u64 = 1;
/// Longest time that an answer may keep us waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tells that something was done in part.
pub(crate) const PARTIAL: u8 = 4;

/// Which gateway.
#[derive(Clone, Debug, Args)]
pub(crate) struct SocketArgs {
    /// Control socket [default: COLLOQUY_SOCKET, then /run/colloquy/control.sock]
    #[arg(long, value_name = "PATH", global = true)]
    socket: Option<PathBuf>,
}

impl SocketArgs {
    /// The path to use.
    pub(crate) fn path(&self) -> PathBuf {
        let variable =
            || std::env::var_os(SOCKET_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        self.socket.clone().or_else(variable).unwrap_or_else(|| SOCKET.into())
    }
}

/// Why there is no answer, or a negative one.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Nobody listens, or not for us.
    Unreachable(String),
    /// The gateway says no.
    Refused {
        /// For programs.
        code: String,
        /// For people.
        text: String,
        /// The whole answer.
        answer: Value,
    },
}

impl Fault {
    /// The exit status.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Fault::Unreachable(_) => 3,
            Fault::Refused { code, .. } if matches!(code.as_str(), "bad_request" | "config" | "protocol") => {
                2
            }
            Fault::Refused { .. } => 1,
        })
    }

    /// Says it on standard error, or as JSON on standard output, and gives the exit status.
    pub(crate) fn tell(&self, json: bool) -> ExitCode {
        match (self, json) {
            (Fault::Refused { answer, .. }, true) => crate::say(&format!("{answer}\n")),
            (Fault::Unreachable(text), true) => {
                crate::say(&format!("{}\n", json!({ "ok": false, "code": "unreachable", "text": text })));
            }
            (Fault::Refused { text, .. } | Fault::Unreachable(text), false) => eprintln!("colloquy: {text}"),
        }
        self.exit_code()
    }
}

/// A connection to a gateway's control socket.
#[derive(Debug)]
pub(crate) struct Control {
    reader: BufReader<UnixStream>,
    path: String,
}

impl Control {
    /// Connects.
    pub(crate) fn open(socket: &SocketArgs) -> Result<Control, Fault> {
        let path = socket.path();
        let name = path.display().to_string();
        let opened = UnixStream::connect(&path).and_then(|stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(stream)
        });
        let stream = opened.map_err(|error| Fault::Unreachable(format!("no gateway at {name}: {error}")))?;
        Ok(Control { reader: BufReader::new(stream), path: name })
    }

    /// Asks, and gives each line of the answer to `take`.
    pub(crate) fn ask_each(
        &mut self,
        op: &str,
        arguments: Value,
        mut take: impl FnMut(Map<String, Value>),
    ) -> Result<(), Fault> {
        self.send(op, arguments)?;
        loop {
            let line = self.line()?;
            let more = line.get("more") == Some(&json!(true));
            take(line);
            if !more {
                return Ok(());
            }
        }
    }

    /// Asks, where the answer is one line.
    pub(crate) fn ask(&mut self, op: &str, arguments: Value) -> Result<Map<String, Value>, Fault> {
        self.send(op, arguments)?;
        let mut answer = self.line()?;
        answer.remove("more");
        Ok(answer)
    }

    /// The connection behind an answer that takes it over, without its time limits.
    pub(crate) fn into_stream(self) -> std::io::Result<BufReader<UnixStream>> {
        self.reader.get_ref().set_read_timeout(None)?;
        Ok(self.reader)
    }

    fn send(&mut self, op: &str, arguments: Value) -> Result<(), Fault> {
        let mut request = match arguments {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        request.insert("protocol".into(), json!(PROTOCOL));
        request.insert("op".into(), json!(op));
        let line = format!("{}\n", Value::Object(request));
        let written = self.reader.get_mut().write_all(line.as_bytes());
        written.map_err(|error| self.lost(&error.to_string()))
    }

    fn line(&mut self) -> Result<Map<String, Value>, Fault> {
        let mut text = String::new();
        match self.reader.read_line(&mut text) {
            Ok(0) => return Err(self.lost("it has closed the connection")),
            Ok(_) => {}
            Err(error) => return Err(self.lost(&error.to_string())),
        }
        let Ok(Value::Object(line)) = serde_json::from_str(&text) else {
            return Err(self.lost("its answer is no JSON object"));
        };
        if line.get("ok") == Some(&json!(true)) {
            return Ok(line);
        }
        let text = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or("unknown").to_owned();
        Err(Fault::Refused { code: text("code"), text: text("text"), answer: Value::Object(line) })
    }

    fn lost(&self, what: &str) -> Fault {
        Fault::Unreachable(format!("the gateway at {} did not answer: {what}", self.path))
    }
}

/// Asks once and prints: the answer as JSON, or what `text` makes of it.
pub(crate) fn run(
    socket: &SocketArgs,
    json: bool,
    (op, arguments): (&str, Value),
    text: impl FnOnce(&Map<String, Value>) -> String,
) -> ExitCode {
    let answer = Control::open(socket).and_then(|mut control| control.ask(op, arguments));
    match answer {
        Ok(answer) if json => crate::say(&format!("{}\n", Value::Object(answer))),
        Ok(answer) => crate::say(&text(&answer)),
        Err(fault) => return fault.tell(json),
    }
    ExitCode::SUCCESS
}

/// A member of an answer as text; empty where it is absent or null.
pub(crate) fn member(answer: &Map<String, Value>, name: &str) -> String {
    match answer.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(values)) => {
            let texts: Vec<String> = values
                .iter()
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                .collect();
            texts.join("+")
        }
        Some(value) => value.to_string(),
    }
}
