//! A session's name: the same in logs, taps, answers and commands.

use std::fmt;
use std::str::FromStr;

use colloquy_shard::SessionId;

/// A session of a gateway: `SHARD-INDEX.GENERATION`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionName {
    /// The shard.
    pub shard: u16,
    /// The session on it.
    pub session: SessionId,
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}.{}", self.shard, self.session.index, self.session.generation)
    }
}

/// What is no session's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no session: SHARD-INDEX.GENERATION, as 0-7.2")]
pub struct NoSessionName(String);

impl FromStr for SessionName {
    type Err = NoSessionName;

    fn from_str(text: &str) -> Result<SessionName, NoSessionName> {
        let parts = || {
            let (shard, rest) = text.split_once('-')?;
            let (index, generation) = rest.split_once('.')?;
            let session = SessionId { index: number(index)?, generation: number(generation)? };
            Some(SessionName { shard: number(shard)?, session })
        };
        parts().ok_or_else(|| NoSessionName(text.to_owned()))
    }
}

/// Digits only: what the standard library takes beside them is no name.
fn number<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        let name = SessionName { shard: 3, session: SessionId { index: 70_000, generation: 12 } };
        assert_eq!(name.to_string(), "3-70000.12");
        assert_eq!("3-70000.12".parse(), Ok(name));
    }

    #[test]
    fn other_texts_are_no_names() {
        for text in ["", "7.2", "1-7", "1-7.", "-7.2", "1-+7.2", "1-7.2.3", "70000-1.1", "1-7.2 ", "a-b.c"] {
            assert!(text.parse::<SessionName>().is_err(), "{text}");
        }
    }
}
