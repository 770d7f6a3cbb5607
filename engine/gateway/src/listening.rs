//! The sockets of a gateway's listeners: bound by itself, or passed to it by the service manager.
//!
//! With several shards each binds a socket of its own to a listener's address, and the kernel spreads connections
//! over them. A passed socket cannot be multiplied like that, and two rings must never accept on one: each passed
//! socket is served by one shard, the sockets of one listener by different ones in turn. Whoever wants all shards to
//! accept passes as many sockets of one name, of units with `ReusePort=yes`.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use colloquy_transport::net::{ListenOptions, adopt, listen};

use crate::config::{Config, ListenerConfig};
use crate::gateway::{BoundListener, StartError};

/// A listening socket that was passed to this process.
#[derive(Clone, Debug)]
pub struct PassedSocket {
    /// Its name as who passed it says (`FileDescriptorName=`).
    pub name: String,
    /// The socket.
    pub socket: Arc<TcpListener>,
}

/// The sockets of all listeners.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    /// For each shard, its sockets with the number of their listener.
    pub(crate) of_shards: Vec<Vec<(usize, TcpListener)>>,
    /// Where the listeners listen, in the order of the configuration.
    pub(crate) bound: Vec<BoundListener>,
    /// Second descriptors of the sockets that are this gateway's alone: to be told that it drains, and then dropped.
    pub(crate) own: Vec<TcpListener>,
    /// Numbers of the listeners whose sockets were passed, and that others have too.
    pub(crate) passed: Vec<u32>,
}

impl Sockets {
    /// Takes the passed sockets and binds those of all other listeners.
    pub(crate) fn open(
        config: &Config,
        shard_count: usize,
        passed: &[PassedSocket],
    ) -> Result<Sockets, StartError> {
        let mut sockets =
            Sockets { of_shards: (0..shard_count).map(|_| Vec::new()).collect(), ..Sockets::default() };
        let passed = match_passed(config, passed)?;
        for (index, (listener, passed)) in config.listeners.iter().zip(passed).enumerate() {
            let opened = if passed.is_empty() {
                sockets.bind(index, listener)
            } else {
                sockets.passed.push(u32::try_from(index).expect("the configuration has fewer listeners"));
                sockets.take(index, listener, &passed)
            };
            let address = opened.map_err(|error| StartError::Listen {
                name: listener.name.clone(),
                address: listener.address,
                error,
            })?;
            sockets.bound.push(BoundListener { name: listener.name.clone(), address });
        }
        Ok(sockets)
    }

    fn bind(&mut self, index: usize, listener: &ListenerConfig) -> io::Result<SocketAddr> {
        // With SO_REUSEPORT a second process would silently share the port: this bind alone would notice.
        let alone = listen(listener.address, &options(listener))?;
        let mut address = alone.local_addr()?;
        if self.of_shards.len() == 1 {
            self.own.push(alone.try_clone()?);
            self.of_shards[0].push((index, alone));
            return Ok(address);
        }
        drop(alone);
        address.set_port(listener.address.port());
        for shard in &mut self.of_shards {
            let options = ListenOptions { reuse_port: true, ..options(listener) };
            let socket = listen(address, &options)?;
            // Port 0: the first shard's socket chooses, the others follow.
            address = socket.local_addr()?;
            self.own.push(socket.try_clone()?);
            shard.push((index, socket));
        }
        Ok(address)
    }

    fn take(
        &mut self,
        index: usize,
        listener: &ListenerConfig,
        passed: &[&PassedSocket],
    ) -> io::Result<SocketAddr> {
        let shard_count = self.of_shards.len();
        for (number, passed) in passed.iter().enumerate() {
            let socket = adopt(passed.socket.try_clone()?, &options(listener))?;
            self.of_shards[(index + number) % shard_count].push((index, socket));
        }
        passed[0].socket.local_addr()
    }
}

/// What a listener wants of the sockets that it accepts.
fn options(listener: &ListenerConfig) -> ListenOptions {
    let unless_zero = |time: std::time::Duration| (!time.is_zero()).then_some(time);
    ListenOptions {
        keepalive: unless_zero(listener.keepalive),
        user_timeout: unless_zero(listener.user_timeout),
        ..ListenOptions::default()
    }
}

/// For each listener the sockets passed for it: by name, else by address.
fn match_passed<'a>(
    config: &Config,
    passed: &'a [PassedSocket],
) -> Result<Vec<Vec<&'a PassedSocket>>, StartError> {
    let mut matched: Vec<Vec<&PassedSocket>> = config.listeners.iter().map(|_| Vec::new()).collect();
    for socket in passed {
        let address = socket.socket.local_addr().ok();
        let of = |fits: &dyn Fn(&ListenerConfig) -> bool| config.listeners.iter().position(fits);
        let index = of(&|listener| listener.name == socket.name)
            .or_else(|| of(&|listener| Some(listener.address) == address));
        match index {
            Some(index) => matched[index].push(socket),
            None => {
                return Err(StartError::Passed {
                    name: socket.name.clone(),
                    address: address
                        .map_or_else(|| "no TCP address".to_owned(), |address| address.to_string()),
                    listeners: config
                        .listeners
                        .iter()
                        .map(|listener| format!("{} ({})", listener.name, listener.address))
                        .collect::<Vec<_>>()
                        .join(", "),
                });
            }
        }
    }
    Ok(matched)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ListenerApplication;

    fn socket() -> (Arc<TcpListener>, SocketAddr) {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        (Arc::new(socket), address)
    }

    fn config(listeners: &[(&str, SocketAddr)]) -> Config {
        let listener = |(name, address): &(&str, SocketAddr)| {
            ListenerConfig::new(name, *address, ListenerApplication::Echo)
        };
        Config { listeners: listeners.iter().map(listener).collect(), ..Config::default() }
    }

    #[test]
    fn passed_sockets_go_to_listeners_by_name_then_by_address_and_to_shards_in_turn() {
        let ((one, at_one), (two, at_two), (three, _)) = (socket(), socket(), socket());
        let free = "127.0.0.1:0".parse().unwrap();
        let config = config(&[("a", free), ("b", at_two), ("c", free)]);
        let passed = |name: &str, socket: &Arc<TcpListener>| PassedSocket {
            name: name.to_owned(),
            socket: Arc::clone(socket),
        };
        let passed = [passed("a", &one), passed("colloquy.socket", &two), passed("a", &three)];
        let sockets = Sockets::open(&config, 2, &passed).unwrap();
        let places: Vec<Vec<usize>> = sockets
            .of_shards
            .iter()
            .map(|of_shard| of_shard.iter().map(|(listener, _)| *listener).collect())
            .collect();
        assert_eq!(places, [vec![0, 2], vec![0, 1, 2]]);
        assert_eq!((sockets.bound[0].address, sockets.bound[1].address), (at_one, at_two));
        assert_eq!(sockets.own.len(), 2, "those that were bound here");
    }

    #[test]
    fn a_socket_that_no_listener_wants_is_named_with_those_that_there_are() {
        let (stray, at) = socket();
        let config = config(&[("main", "127.0.0.1:102".parse().unwrap())]);
        let error = Sockets::open(&config, 1, &[PassedSocket { name: "web".into(), socket: stray }]);
        let text = error.unwrap_err().to_string();
        for part in ["web", &at.to_string(), "main (127.0.0.1:102)"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
