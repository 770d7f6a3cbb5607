//! Lines of the control socket: requests in, answers out.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// The version of the protocol that is spoken.
pub(crate) const PROTOCOL: u64 = 1;

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    /// Which operation.
    pub(crate) op: String,
    /// The other members.
    pub(crate) arguments: Map<String, Value>,
}

impl Request {
    /// Reads a line. Without a version the present one is meant, so that a person can type requests.
    pub(crate) fn parse(line: &[u8]) -> Result<Request, Refused> {
        let value: Value = serde_json::from_slice(line)
            .map_err(|error| Refused::new(Code::BadRequest, format!("this is no JSON: {error}")))?;
        let Value::Object(mut members) = value else {
            return Err(Refused::new(Code::BadRequest, "a request is a JSON object"));
        };
        let version = members.remove("protocol");
        if let Some(version) = version.filter(|version| *version != PROTOCOL) {
            let text = format!("protocol {version} is not spoken here, only {PROTOCOL}");
            return Err(Refused::new(Code::Protocol, text));
        }
        match members.remove("op") {
            Some(Value::String(op)) => Ok(Request { op, arguments: members }),
            _ => Err(Refused::new(Code::BadRequest, "a request has a text \"op\"")),
        }
    }
}

/// Reads the arguments of an operation; members that it does not have are faults.
pub(crate) fn arguments<T: DeserializeOwned>(members: &Map<String, Value>) -> Result<T, Refused> {
    serde_json::from_value(Value::Object(members.clone()))
        .map_err(|error| Refused::new(Code::BadRequest, error.to_string()))
}

/// Why something was not done, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// The line, or an argument, is wrong.
    BadRequest,
    /// The line is too long.
    LineTooLong,
    /// Another version of the protocol.
    Protocol,
    /// No such operation.
    UnknownOp,
    /// The caller's level does not allow it.
    Denied,
    /// No such session, target, file.
    NotFound,
    /// It cannot be done now.
    Refused,
    /// Too many clients, or a shard that does not answer.
    Busy,
    /// The configuration has faults.
    Config,
    /// The system refuses.
    System,
}

impl Code {
    /// The word of answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Code::BadRequest => "bad_request",
            Code::LineTooLong => "line_too_long",
            Code::Protocol => "protocol",
            Code::UnknownOp => "unknown_op",
            Code::Denied => "denied",
            Code::NotFound => "not_found",
            Code::Refused => "refused",
            Code::Busy => "busy",
            Code::Config => "config",
            Code::System => "system",
        }
    }
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refused {
    pub(crate) code: Code,
    /// For people.
    pub(crate) text: String,
    /// Further members of the answer.
    pub(crate) detail: Map<String, Value>,
}

impl Refused {
    /// With nothing but a text.
    pub(crate) fn new(code: Code, text: impl Into<String>) -> Refused {
        Refused { code, text: text.into(), detail: Map::new() }
    }

    /// The answer.
    pub(crate) fn line(&self) -> Value {
        let mut members = self.detail.clone();
        members.insert("ok".into(), json!(false));
        members.insert("code".into(), json!(self.code.name()));
        members.insert("text".into(), json!(self.text));
        Value::Object(members)
    }
}

/// A line of an answer: `members`, which must be an object, with `ok` and `more`.
pub(crate) fn answer_line(members: Value, more: bool) -> Value {
    let mut line = match members {
        Value::Object(members) => members,
        other => Map::from_iter([("value".to_owned(), other)]),
    };
    line.insert("ok".into(), json!(true));
    line.insert("more".into(), json!(more));
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_with_and_without_a_version() {
        let request = Request::parse(br#"{"op":"status","protocol":1,"shard":2}"#).unwrap();
        assert_eq!((request.op.as_str(), &request.arguments["shard"]), ("status", &json!(2)));
        assert_eq!(Request::parse(br#"{"op":"status"}"#).unwrap().arguments.len(), 0);
    }

    #[test]
    fn what_is_no_request_is_told_as_such() {
        let code = |line: &[u8]| Request::parse(line).unwrap_err().code;
        assert_eq!(code(b"status"), Code::BadRequest);
        assert_eq!(code(b"[]"), Code::BadRequest);
        assert_eq!(code(br#"{"op":7}"#), Code::BadRequest);
        assert_eq!(code(br#"{"op":"status","protocol":2}"#), Code::Protocol);
        assert_eq!(code(b"\xff\xfe"), Code::BadRequest);
    }

    #[test]
    fn unknown_arguments_are_faults() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Name {
            #[allow(dead_code)]
            name: String,
        }
        let members = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        assert!(arguments::<Name>(&members(r#"{"name":"a"}"#)).is_ok());
        let refused = arguments::<Name>(&members(r#"{"name":"a","nmae":"b"}"#)).unwrap_err();
        assert_eq!(refused.line()["code"], "bad_request");
        assert!(refused.text.contains("nmae"), "{}", refused.text);
    }
}
