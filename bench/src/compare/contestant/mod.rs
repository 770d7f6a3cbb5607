//! Who is compared: how each is configured, started and asked what it has counted.
//!
//! * `colloquy`: this program as a gateway. `raw`: the bare echo servers of this program. `proxies`: HAProxy and nginx.
//! * `server`: a contestant that runs. `ask`: HTTP for the gateway's counters.

mod ask;
mod colloquy;
mod proxies;
mod raw;
mod server;

use std::net::SocketAddr;

pub use server::{Counter, Server};

use super::{Lab, LabError};

/// How Colloquy, or a raw echo, reaches the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Driver {
    /// io_uring.
    IoUring,
    /// epoll, by mio.
    Mio,
}

impl Driver {
    /// Its name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Driver::IoUring => "io_uring",
            Driver::Mio => "mio",
        }
    }
}

/// What a gateway does with what it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Application {
    /// Sends each SSDU back.
    Echo,
    /// Opens a session to this responder for each session.
    Relay(SocketAddr),
}

/// A bare echo server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawKind {
    /// On io_uring, with the buffer scheme that Colloquy uses.
    IoUring,
    /// On epoll.
    Mio,
    /// A task for each connection, as a newcomer to tokio would write it.
    Tokio,
}

impl RawKind {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            RawKind::IoUring => "io_uring",
            RawKind::Mio => "mio",
            RawKind::Tokio => "tokio",
        }
    }
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// This program: `colloquy gateway`.
    Colloquy {
        /// How it reaches the network.
        driver: Driver,
        /// What it does.
        application: Application,
        /// Event loops.
        shards: usize,
        /// Further keys of the section `[engine]`, as TOML values.
        engine_keys: Vec<(String, String)>,
    },
    /// This program: `colloquy raw`.
    Raw {
        /// Which.
        kind: RawKind,
        /// Echoes from the first octet on, instead of answering an X.225 opening.
        plain: bool,
    },
    /// HAProxy in TCP mode in front of this server.
    HaProxy(SocketAddr),
    /// nginx's stream module in front of this server.
    Nginx(SocketAddr),
}

impl Contestant {
    /// A Colloquy echo of one shard with every other key at its default.
    pub fn echo(driver: Driver) -> Contestant {
        Contestant::Colloquy { driver, application: Application::Echo, shards: 1, engine_keys: Vec::new() }
    }

    /// A Colloquy relay of one shard with every other key at its default.
    pub fn relay(driver: Driver, to: SocketAddr) -> Contestant {
        Contestant::Colloquy {
            driver,
            application: Application::Relay(to),
            shards: 1,
            engine_keys: Vec::new(),
        }
    }

    /// A raw echo that answers an X.225 opening.
    pub fn raw(kind: RawKind) -> Contestant {
        Contestant::Raw { kind, plain: false }
    }

    /// The same with one more key of `[engine]`; only Colloquy has keys.
    #[must_use]
    pub fn with_engine_key(mut self, key: &str, value: impl ToString) -> Contestant {
        if let Contestant::Colloquy { engine_keys, .. } = &mut self {
            engine_keys.push((key.to_owned(), value.to_string()));
        }
        self
    }

    /// The same with this many shards; only Colloquy has shards.
    #[must_use]
    pub fn with_shards(mut self, count: usize) -> Contestant {
        if let Contestant::Colloquy { shards, .. } = &mut self {
            *shards = count;
        }
        self
    }

    /// Its name in records: `colloquy io_uring`, `raw io_uring`, `haproxy`.
    pub fn name(&self) -> String {
        match self {
            Contestant::Colloquy { driver, application, shards, engine_keys } => {
                let mut name = format!("colloquy {}", driver.name());
                if matches!(application, Application::Relay(_)) {
                    name.push_str(" relay");
                }
                if *shards != 1 {
                    name.push_str(&format!(" {shards} shards"));
                }
                for (key, value) in engine_keys {
                    name.push_str(&format!(" {key}={value}"));
                }
                name
            }
            Contestant::Raw { kind, plain } => {
                format!("raw {}{}", kind.name(), if *plain { " plain" } else { "" })
            }
            Contestant::HaProxy(_) => "haproxy".to_owned(),
            Contestant::Nginx(_) => "nginx".to_owned(),
        }
    }

    /// Starts it on these cores (`0`, `0,1`); returns when it accepts connections.
    ///
    /// # Errors
    /// [`LabError::Missing`] when its program is not installed, [`LabError::Failed`] when it does not start.
    pub(super) fn start(&self, lab: &Lab, cores: &str) -> Result<Server, LabError> {
        match self {
            Contestant::Colloquy { driver, application, shards, engine_keys } => {
                colloquy::start(lab, cores, self.name(), *driver, *application, *shards, engine_keys)
            }
            Contestant::Raw { kind, plain } => raw::start(lab, cores, self.name(), *kind, *plain),
            Contestant::HaProxy(to) => proxies::haproxy(lab, cores, *to),
            Contestant::Nginx(to) => proxies::nginx(lab, cores, *to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contestants_that_differ_have_names_that_differ() {
        let to = "127.0.0.1:1".parse().unwrap();
        let names = [
            Contestant::echo(Driver::IoUring),
            Contestant::echo(Driver::Mio),
            Contestant::echo(Driver::IoUring).with_shards(2),
            Contestant::echo(Driver::IoUring).with_engine_key("send_batch_octets_max", 1),
            Contestant::relay(Driver::IoUring, to),
            Contestant::raw(RawKind::IoUring),
            Contestant::raw(RawKind::Mio),
            Contestant::raw(RawKind::Tokio),
            Contestant::Raw { kind: RawKind::Mio, plain: true },
            Contestant::HaProxy(to),
            Contestant::Nginx(to),
        ]
        .map(|contestant| contestant.name());
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
    }
}
