//! Connections of HTTP clients: a bounded number of them, none of which may stay idle.
//!
//! Everybody on the machine reaches the loopback port. Without bounds a user without any rights could take the last
//! descriptor of the process by connecting and saying nothing.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// Connections at once; more wait in the kernel.
pub(super) const CLIENTS_MAX: usize = 64;
/// Time without an octet in either direction after which a connection is closed.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// The same while more than half of the places are taken.
const IDLE_MAX_CROWDED: Duration = Duration::from_secs(2);
/// Pause after an accept that failed, for want of a descriptor for instance.
const RETRY: Duration = Duration::from_secs(1);

/// The listener.
#[derive(Debug)]
pub(super) struct Clients {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Clients {
    pub(super) fn new(listener: TcpListener) -> Clients {
        Clients { listener, places: Arc::new(Semaphore::new(CLIENTS_MAX)) }
    }
}

impl axum::serve::Listener for Clients {
    type Io = Client;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Client, SocketAddr) {
        let place = Arc::clone(&self.places).acquire_owned().await.expect("it is never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => return (Client::new(stream, Arc::clone(&self.places), place), peer),
                Err(_) => sleep(RETRY).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection, closed when nothing moves on it.
#[derive(Debug)]
pub(super) struct Client {
    stream: TcpStream,
    moved: Instant,
    look: Pin<Box<Sleep>>,
    places: Arc<Semaphore>,
    _place: OwnedSemaphorePermit,
}

impl Client {
    fn new(stream: TcpStream, places: Arc<Semaphore>, place: OwnedSemaphorePermit) -> Client {
        let look = Box::pin(sleep(IDLE_MAX_CROWDED));
        Client { stream, moved: Instant::now(), look, places, _place: place }
    }

    /// What `polled` says, or an error where it has said nothing for too long.
    fn unless_idle<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.moved = Instant::now();
            return polled;
        }
        loop {
            ready!(self.look.as_mut().poll(cx));
            let is_crowded = self.places.available_permits() < CLIENTS_MAX / 2;
            let idle_max = if is_crowded { IDLE_MAX_CROWDED } else { IDLE_MAX };
            if self.moved.elapsed() >= idle_max {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            // Looked at again when it may be too long in a crowd, and not before a while.
            let next = (self.moved + IDLE_MAX_CROWDED).max(Instant::now() + IDLE_MAX_CROWDED / 2);
            self.look = Box::pin(sleep_until(next));
        }
    }
}

impl AsyncRead for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.unless_idle(cx, polled)
    }
}

impl AsyncWrite for Client {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, octets);
        self.unless_idle(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
