//! Sockets that the service manager has opened for this process (`LISTEN_FDS`, `LISTEN_FDNAMES`).

use std::sync::Arc;

use anyhow::Context;
use colloquy_gateway::PassedSocket;
use listenfd::ListenFd;

/// The passed sockets with their names; none where none were passed to this process.
///
/// # Errors
/// When one of them is no listening TCP socket.
pub(super) fn passed_sockets() -> anyhow::Result<Vec<PassedSocket>> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').map(str::to_owned);
    let mut descriptors = ListenFd::from_env();
    (0..descriptors.len())
        .map(|index| {
            let name = names.next().filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned());
            let socket = descriptors
                .take_tcp_listener(index)
                .with_context(|| {
                    format!("the passed socket {name:?} is no listening TCP socket: ListenStream= must be an IP address and a port")
                })?
                .with_context(|| format!("the passed socket {name:?} is taken"))?;
            Ok(PassedSocket { name, socket: Arc::new(socket) })
        })
        .collect()
}
