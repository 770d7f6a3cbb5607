//! The control socket: what operators ask of a running gateway and tell it to do.
//!
//! A Unix socket, served on the admin thread. A client sends one JSON object a line and gets one or more lines back:
//!
//! ```text
//! {"protocol":1,"op":"targets"}
//! {"ok":true,"more":false,"targets":[...]}
//! {"protocol":1,"op":"sessions.close","sessions":["0-7.2"]}
//! {"ok":false,"code":"denied","text":"sessions.close is for operators; user nobody is observer"}
//! ```
//!
//! `more` is true while another line of the same answer follows. An operation that streams (the tap) takes the
//! connection over behind its first line. Who may do what follows from the credentials that the kernel gives for the
//! other end of the socket ([`caller`]); what there is to do is the table of [`ops`].
//!
//! Lines, clients, and the time of idle ones and of those that do not read are bounded ([`Limits`]).

pub(crate) mod caller;
mod client;
mod conditions;
mod describe;
mod explain;
pub(crate) mod listing;
pub(crate) mod ops;
pub(crate) mod protocol;
mod shards;
mod socket;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::UnixListener;

use crate::vitals::Vitals;

pub(crate) use socket::ControlSocket;

/// Bounds of the control socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Clients at once.
    pub(crate) clients_max: usize,
    /// Of these, places that only admins get.
    pub(crate) clients_of_admins: usize,
    /// Octets of a request line.
    pub(crate) line_octets_max: usize,
    /// Time for a client to send a whole request.
    pub(crate) idle_max: Duration,
    /// Time for a client to take a line of an answer.
    pub(crate) write_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            clients_max: 256,
            clients_of_admins: 16,
            line_octets_max: 64 << 10,
            idle_max: Duration::from_secs(60),
            write_max: Duration::from_secs(10),
        }
    }
}

/// What all clients share.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) vitals: Arc<Vitals>,
    limits: Limits,
    clients: AtomicUsize,
}

impl Control {
    /// For a gateway, with bounds.
    pub(crate) fn new(vitals: Arc<Vitals>, limits: Limits) -> Arc<Control> {
        Arc::new(Control { vitals, limits, clients: AtomicUsize::new(0) })
    }

    /// Serves clients; returns only when the socket fails.
    pub(crate) async fn serve(self: Arc<Self>, socket: ControlSocket) -> io::Result<()> {
        let listener = UnixListener::from_std(socket.listener()?)?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let place = Place::take(Arc::clone(&self));
                    tokio::spawn(client::serve(place, stream));
                }
                // Descriptors ran out, or the client is gone again: the socket itself is as good as before.
                Err(error) => {
                    tracing::warn!(event_id = "CLQ-A03", %error, "a control client could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

/// A client's place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) control: Arc<Control>,
    /// Clients that were there before.
    before: usize,
}

impl Place {
    fn take(control: Arc<Control>) -> Place {
        let before = control.clients.fetch_add(1, Ordering::Relaxed);
        Place { control, before }
    }

    /// True where a client of this rank is let in.
    fn is_granted(&self, is_admin: bool) -> bool {
        let Limits { clients_max, clients_of_admins, .. } = self.control.limits;
        self.before < if is_admin { clients_max } else { clients_max - clients_of_admins }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.control.clients.fetch_sub(1, Ordering::Relaxed);
    }
}
