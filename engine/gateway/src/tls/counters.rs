//! TLS handshakes and connections that failed, by kind.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use colloquy_transport::tls::TlsFaultKind;

/// The counts of one shard; one thread writes.
#[derive(Debug, Default)]
pub struct TlsCounters {
    faults: [AtomicU64; TlsFaultKind::ALL.len()],
    misbound: AtomicU64,
    proxy_faults: AtomicU64,
}

/// The counts at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsTally {
    /// Faults that are not zero, by the name of their kind.
    pub faults: Vec<(&'static str, u64)>,
    /// Peers refused because no binding of their certificate fits their selectors.
    pub misbound: u64,
    /// Connections without the PROXY header that they must have.
    pub proxy_faults: u64,
}

impl TlsCounters {
    pub(crate) fn fault(&self, kind: TlsFaultKind) {
        let place = TlsFaultKind::ALL.iter().position(|known| known.name() == kind.name());
        bump(&self.faults[place.expect("every kind is in the table")]);
    }

    pub(crate) fn misbound(&self) {
        bump(&self.misbound);
    }

    pub(crate) fn proxy_fault(&self) {
        bump(&self.proxy_faults);
    }

    /// The counts so far.
    pub fn snapshot(&self) -> TlsTally {
        let faults = TlsFaultKind::ALL.iter().zip(&self.faults);
        TlsTally {
            faults: faults
                .map(|(kind, count)| (kind.name(), count.load(Relaxed)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            misbound: self.misbound.load(Relaxed),
            proxy_faults: self.proxy_faults.load(Relaxed),
        }
    }
}

/// Adds one; sound because one thread only writes.
fn bump(counter: &AtomicU64) {
    counter.store(counter.load(Relaxed) + 1, Relaxed);
}
