//! All kinds of raw servers through the same tests, with blocking clients.

mod canned;
mod client;
mod echo;
mod ends;

use std::io;
use std::thread::JoinHandle;

use socket2::SockRef;

use super::{RawHandle, RawKind, RawServer, RawStats};

const KINDS: [RawKind; 3] = [RawKind::Mio, RawKind::IoUring, RawKind::Tokio];

/// A server on its own thread, ended and joined when it drops.
struct Running {
    handle: RawHandle,
    address: std::net::SocketAddr,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    fn start(kind: RawKind, plain: bool) -> Running {
        Running::run(RawServer::bind(kind, "127.0.0.1:0".parse().unwrap(), plain).unwrap())
    }

    /// With small send buffers, which accepted sockets inherit: sends block early.
    fn with_small_buffers(kind: RawKind) -> Running {
        let server = RawServer::bind(kind, "127.0.0.1:0".parse().unwrap(), false).unwrap();
        SockRef::from(&server.listener).set_send_buffer_size(32 << 10).unwrap();
        Running::run(server)
    }

    fn run(server: RawServer) -> Running {
        let (handle, address) = (server.handle(), server.address());
        let thread = Some(std::thread::spawn(move || server.run()));
        Running { handle, address, thread }
    }

    fn end(mut self) -> RawStats {
        self.handle.stop();
        self.thread.take().unwrap().join().unwrap().unwrap();
        self.handle.stats()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.handle.stop();
            let ended = thread.join();
            assert!(std::thread::panicking() || matches!(ended, Ok(Ok(()))), "{ended:?}");
        }
    }
}
