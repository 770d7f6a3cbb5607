//! The simulated driver: a network in memory, in virtual time, with faults drawn from a seed.
//!
//! Nothing here sleeps, does I/O or asks a clock, and nothing depends on the address space or on the order of
//! a hash: a run depends on its seed and on the calls made, so a seed reproduces it octet for octet.
//!
//! One [`SimNet`] joins any number of hosts, each a [`SimDriver`] that keeps the contract of [`Driver`]. All
//! live on one thread. `wait` never blocks: it reports what is due at the network's time, and the harness
//! moves that time. A harness for several endpoints goes round like this:
//!
//! 1. Give each endpoint a turn (for a driver: `wait`, then act on the completions; for a shard: its turn), in
//!    a fixed order, until a whole round has brought nothing.
//! 2. Advance the time to the earlier of [`SimNet::next_event`] and the endpoints' own timers. If there is
//!    neither, nothing can happen any more: the run is over, and whoever still waits for something is stuck.
//!
//! ```
//! use std::time::Duration;
//! use colloquy_transport::buf::TxBatch;
//! use colloquy_transport::driver::sim::{SimConfig, SimDriver, SimFaults, SimHostConfig, SimNet};
//! use colloquy_transport::driver::{Close, Completion, ConnectOptions, Driver};
//!
//! let net = SimNet::new(SimConfig { seed: 42, faults: SimFaults::ROUGH, ..SimConfig::default() });
//! let mut hosts = ["10.0.0.1", "10.0.0.2"]
//!     .map(|address| SimDriver::new(&net, address.parse().unwrap(), SimHostConfig::default()));
//! let listener = net.bind("10.0.0.1:102".parse().unwrap())?;
//! let to = listener.address();
//! hosts[0].listen(listener)?;
//! hosts[1].connect(to, &ConnectOptions::default())?;
//!
//! let (mut greeting, mut completions) = (Vec::new(), Vec::new());
//! loop {
//!     let mut quiet = true;
//!     for host in &mut hosts {
//!         host.wait(Some(Duration::ZERO), &mut completions)?;
//!         for completion in completions.drain(..) {
//!             quiet = false;
//!             match completion {
//!                 Completion::Accepted { connection, .. } => {
//!                     let mut batch = TxBatch::new();
//!                     batch.put_header(b"good day");
//!                     host.send(connection, batch);
//!                 }
//!                 Completion::Received(_, octets) => greeting.extend_from_slice(&octets),
//!                 Completion::Sent(connection, _) | Completion::Eof(connection) => {
//!                     host.close(connection, Close::Graceful);
//!                 }
//!                 _ => {}
//!             }
//!         }
//!     }
//!     if quiet {
//!         // Beside the endpoints' own timers, of which there are none here.
//!         let Some(next) = net.next_event() else { break };
//!         net.advance_to(next);
//!     }
//! }
//! assert_eq!(greeting, b"good day");
//! assert_eq!(net.open_sockets(), 0);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! For code that knows nothing of harnesses, such as the driver suite, a network
//! [advances by itself](SimNet::set_auto_advance).
//!
//! [`Driver`]: super::Driver

mod capture;
mod connection;
mod driver;
mod faults;
mod handshake;
mod network;
mod random;
mod slab;
mod socket;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use self::network::Network;

pub use capture::SimFlow;
pub use driver::{SimDriver, SimHostConfig};
pub use faults::{SimFaultCounts, SimFaults};
pub use random::Random;

/// What a network is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimConfig {
    /// Where everything random comes from.
    pub seed: u64,
    /// What goes wrong, and how long things take.
    pub faults: SimFaults,
    /// Octets one end of a connection may have written that the other has not read.
    pub window_octets: usize,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self { seed: 0, faults: SimFaults::NONE, window_octets: 64 << 10 }
    }
}

/// A simulated network; clones are the same network.
#[derive(Clone, Debug)]
pub struct SimNet {
    network: Rc<RefCell<Network>>,
}

impl SimNet {
    /// An empty network at time 0.
    ///
    /// # Panics
    /// When the window is of no octets.
    pub fn new(config: SimConfig) -> SimNet {
        let network = Network::new(config.seed, config.faults, config.window_octets);
        SimNet { network: Rc::new(RefCell::new(network)) }
    }

    /// Opens a listener; connections wait in its backlog until a driver listens on it. Port 0 takes any.
    ///
    /// Several listeners of one address share its connections, as with `SO_REUSEPORT`.
    ///
    /// # Errors
    /// When no port is left.
    pub fn bind(&self, address: SocketAddr) -> io::Result<SimListener> {
        let (index, address) = self.network.borrow_mut().bind(address)?;
        Ok(SimListener { network: Rc::clone(&self.network), index, address })
    }

    /// Virtual time, since the network was made.
    pub fn now(&self) -> Duration {
        self.network.borrow().now
    }

    /// When something happens next on the network: now, if a host has something to look at; `None` if
    /// nothing is under way.
    pub fn next_event(&self) -> Option<Duration> {
        self.network.borrow().next_event()
    }

    /// Moves time forward; a time in the past changes nothing. Hosts see what happened at their next `wait`.
    pub fn advance_to(&self, time: Duration) {
        let net = &mut *self.network.borrow_mut();
        net.now = net.now.max(time);
        net.run_due();
    }

    /// Lets `wait` pass time by itself when it has nothing to report: to the next event or its timeout.
    pub fn set_auto_advance(&self, on: bool) {
        self.network.borrow_mut().auto_advance = on;
    }

    /// Changes the faults from here on.
    pub fn set_faults(&self, faults: SimFaults) {
        self.network.borrow_mut().faults = faults;
    }

    /// Faults that happened so far.
    pub fn fault_counts(&self) -> SimFaultCounts {
        self.network.borrow().counts
    }

    /// A digest of every write, read and end so far with its time: equal for equal runs.
    pub fn digest(&self) -> u64 {
        self.network.borrow().digest
    }

    /// Sockets that are not closed, backlogs included: 0 once all is over.
    pub fn open_sockets(&self) -> usize {
        self.network.borrow().sockets.len()
    }

    /// Keeps what is written from here on, without bound, for [`SimNet::captured`].
    pub fn start_capture(&self) {
        self.network.borrow_mut().flows.get_or_insert_default();
    }

    /// What was written, a flow for each end of each connection, in the order of their first octets.
    pub fn captured(&self) -> Vec<SimFlow> {
        self.network.borrow().flows.clone().unwrap_or_default()
    }
}

/// A listener of a simulated network. Dropping it closes it.
#[derive(Debug)]
pub struct SimListener {
    network: Rc<RefCell<Network>>,
    index: usize,
    address: SocketAddr,
}

impl SimListener {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        if let Ok(mut net) = self.network.try_borrow_mut() {
            net.unbind(self.index);
        }
    }
}
