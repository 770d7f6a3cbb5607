//! What is sent, on its way to the driver.

use colloquy_transport::buf::TxBatch;
use colloquy_transport::driver::Driver;
use colloquy_transport::tls::{TlsConnection, TlsFault};

use super::{Tls, WireFault};
use crate::application::Application;
use crate::core::Core;

/// Capacity that the memory for plaintext keeps between batches.
const GATHERED_KEPT_OCTETS_MAX: usize = 256 << 10;

impl<D: Driver, A: Application> Core<D, A> {
    /// The next batch of a session that has something below class 0.
    #[inline(never)]
    pub(crate) fn next_wired_batch(&mut self, index: u32) -> Option<TxBatch> {
        let slot = self.slab.at_mut(index);
        let wire = slot.cold.wire.as_mut().expect("a wired session has one");
        if let Tls::Off = wire.tls {
            if wire.out.is_empty() {
                slot.marks.wired = wire.header.is_some();
                return self.next_clear_batch(index);
            }
            // The header goes alone; what follows goes as it is.
            let mut batch = self.batches.spare();
            batch.put_header(&wire.out);
            slot.queued_octets += batch.octets();
            wire.out.clear();
            return Some(batch);
        }
        if let Tls::Failed = wire.tls {
            self.drop_output(index);
        }
        let slot = self.slab.at_mut(index);
        let wire = slot.cold.wire.as_mut().expect("a wired session has one");
        let plain = match wire.tls {
            Tls::Established(_) => self.next_clear_batch(index),
            _ => None,
        };
        let slot = self.slab.at_mut(index);
        let wire = slot.cold.wire.as_mut().expect("a wired session has one");
        let closing = slot.marks.close_due && slot.output.is_empty();
        if plain.is_none() && !wire.owes(closing) {
            return None;
        }
        let mut batch = self.batches.spare();
        batch.put_header(&wire.out);
        wire.out.clear();
        let mut sealed = Ok(());
        if let Tls::Established(tls) = &mut wire.tls {
            if let Some(plain) = &plain {
                sealed = seal(tls, plain, &mut batch, &mut self.wires.gathered);
            }
            if closing {
                batch.put_with(|out| tls.close(out));
            }
        }
        slot.queued_octets += batch.octets();
        if let Some(plain) = plain {
            slot.queued_octets -= plain.octets();
            self.batches.recycle(plain);
        }
        if let Err(fault) = sealed {
            self.wire_failed(index, WireFault::Tls(fault));
        }
        if batch.is_empty() {
            self.batches.recycle(batch);
            return None;
        }
        Some(batch)
    }
}

/// Appends the records of a batch to `sealed`. Its parts go into records together: one for each would be more.
fn seal(
    tls: &mut TlsConnection,
    plain: &TxBatch,
    sealed: &mut TxBatch,
    gathered: &mut Vec<u8>,
) -> Result<(), TlsFault> {
    if let Some(only) = plain.only_iovec() {
        return sealed.put_with(|out| tls.seal(only, out));
    }
    gathered.clear();
    for part in plain.iovecs() {
        gathered.extend_from_slice(part);
    }
    let result = sealed.put_with(|out| tls.seal(gathered, out));
    if gathered.capacity() > GATHERED_KEPT_OCTETS_MAX {
        *gathered = Vec::new();
    }
    result
}
