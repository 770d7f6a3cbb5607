//! All kinds of raw servers through the same tests, with blocking clients.

mod canned;
mod client;
mod echo;
mod ends;

use std::io;
use std::thread::JoinHandle;

use super::{RawHandle, RawKind, RawServer, RawStats};

const KINDS: [RawKind; 2] = [RawKind::Mio, RawKind::Tokio];

/// A server on its own thread, ended and joined when it drops.
struct Running {
    handle: RawHandle,
    address: std::net::SocketAddr,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    fn start(kind: RawKind, plain: bool) -> Running {
        let server = RawServer::bind(kind, "127.0.0.1:0".parse().unwrap(), plain).unwrap();
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
