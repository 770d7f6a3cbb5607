//! What is received, on its way to class 0.

use colloquy_transport::buf::{Pool, PoolConfig, Slice};
use colloquy_transport::driver::Driver;
use colloquy_transport::proxy::{ProxyFault, ProxyFaultKind, ProxyHeader};
use colloquy_transport::tls::{TlsFault, TlsFaultKind};

use super::{OCTETS_PER_TURN_MAX, PLAIN_BLOCK_OCTETS, PLAIN_BLOCKS, Tls, Wire, WireFault};
use crate::application::{Application, SessionEnd};
use crate::core::Core;
use crate::shard::Shard;

/// Octets of a record's header: content type, version, length.
const RECORD_HEADER_OCTETS: usize = 5;
/// A record at most (RFC 5246 §6.2.3); whoever announces more is told at once.
const RECORD_OCTETS_MAX: usize = RECORD_HEADER_OCTETS + (16 << 10) + 2048;
/// Content types of records that a connection may begin with: alert and handshake.
const FIRST_OCTETS: std::ops::RangeInclusive<u8> = 21..=22;

/// The fault of a sender whose PROXY headers are not believed.
pub(super) fn sender_fault() -> WireFault {
    WireFault::Proxy(ProxyFault { offset: 0, kind: ProxyFaultKind::Sender })
}

/// Octets of whole records at the front of `octets`; a record that is too long counts as whole.
fn whole_records(octets: &[u8]) -> usize {
    let mut end = 0;
    while let [_, _, _, high, low, ..] = octets[end..] {
        let length = RECORD_HEADER_OCTETS + usize::from(u16::from_be_bytes([high, low]));
        if length > RECORD_OCTETS_MAX {
            return octets.len();
        }
        if end + length > octets.len() {
            break;
        }
        end += length;
    }
    end
}

/// Takes the whole records out of `octets` and leaves the rest.
pub(super) fn take_whole_records(octets: &mut Vec<u8>) -> Vec<u8> {
    let end = whole_records(octets);
    let rest = octets.split_off(end);
    std::mem::replace(octets, rest)
}

impl<D: Driver, A: Application> Shard<D, A> {
    /// The peer has closed, or the connection was given up.
    pub(crate) fn wire_gone(&mut self, index: u32) {
        self.core.note_gone(index);
        if matches!(self.core.slab.at(index).cold.gone.as_deref(), Some(SessionEnd::Wire(_))) {
            // Where not even the PROXY header came, the application hears of it all the same.
            self.admit(index);
        }
    }

    /// Takes octets in for a session that has something in front of class 0.
    #[inline(never)]
    pub(crate) fn wire_received(&mut self, index: u32, octets: Slice) {
        self.core.rare = true;
        let slot = self.core.slab.at_mut(index);
        let wire = slot.cold.wire.as_mut().expect("a wired session has one");
        wire.heard = true;
        wire.opened_octets += octets.len();
        if wire.header.is_some() {
            self.header_received(index, octets);
            return;
        }
        match wire.tls {
            Tls::Established(_) => self.core.open(index, &octets),
            Tls::Handshaking(_) => self.handshake_received(index, &octets),
            Tls::Off => self.core.take_in_clear(index, octets),
            Tls::Away => unreachable!("octets wait while the handshake is away"),
            Tls::Failed => {}
        }
    }

    fn header_received(&mut self, index: u32, octets: Slice) {
        let slot = self.core.slab.at_mut(index);
        let wire = slot.cold.wire.as_mut().expect("a wired session has one");
        let header = wire.header.as_mut().expect("it is awaited");
        let before = header.len();
        header.extend_from_slice(&octets);
        match ProxyHeader::decode(header) {
            Ok(None) => {}
            Err(fault) => self.core.wire_failed(index, WireFault::Proxy(fault)),
            Ok(Some((header, length))) => {
                wire.header = None;
                wire.network_peer = Some(slot.cold.peer);
                if let ProxyHeader::Proxied { source, .. } = header {
                    slot.cold.peer = source;
                }
                if matches!(wire.tls, Tls::Off) {
                    // From here on it is a plain connection.
                    slot.marks.wired = false;
                }
                self.admit(index);
                if self.core.slab.at(index).marks.close_due {
                    return;
                }
                let rest = octets.sub(length - before..octets.len());
                if !rest.is_empty() {
                    self.take_in(index, rest);
                }
            }
        }
    }

    fn handshake_received(&mut self, index: u32, octets: &[u8]) {
        let wire = self.core.slab.at_mut(index).cold.wire.as_mut().expect("a wired session has one");
        wire.records.extend_from_slice(octets);
        let first = wire.records[0];
        // Records of a handshake in progress may be of other types, which TLS itself sees to.
        if wire.summary.is_none() && !FIRST_OCTETS.contains(&first) && !(20..=23).contains(&first) {
            return self.core.wire_failed(index, WireFault::Tls(TlsFaultKind::NotTls.into()));
        }
        if whole_records(&wire.records) > 0 {
            self.hand_over(index);
        }
    }
}

impl<D: Driver, A: Application> Core<D, A> {
    /// True when what is received for a session must wait, for its handshake or for its next turn.
    #[inline(never)]
    pub(crate) fn wire_waits(&mut self, index: u32, turn: u32) -> bool {
        let wire = self.slab.at_mut(index).cold.wire.as_mut().expect("a wired session has one");
        if wire.is_away() {
            return true;
        }
        if wire.opened_turn != turn {
            wire.opened_turn = turn;
            wire.opened_octets = 0;
        }
        if wire.opened_octets < OCTETS_PER_TURN_MAX {
            return false;
        }
        self.tally.session_budget_spent += 1;
        self.mark_ready(index);
        true
    }

    /// Opens records: their plaintext goes to class 0.
    pub(super) fn open(&mut self, index: u32, octets: &[u8]) {
        let slot = self.slab.at_mut(index);
        let wire = slot.cold.wire.as_mut().expect("a wired session has one");
        let Wire { tls: Tls::Established(tls), out, .. } = &mut **wire else {
            unreachable!("records are opened after the handshake")
        };
        let config = PoolConfig { block_count: PLAIN_BLOCKS, block_octets: PLAIN_BLOCK_OCTETS };
        let pool = self.wires.plain.get_or_insert_with(|| Pool::new(config));
        let opened = &mut self.wires.opened;
        let result =
            tls.receive_in(&mut self.wires.spare, octets, out, &mut |plain| put_plain(pool, opened, plain));
        let owes = !out.is_empty();
        let mut opened = std::mem::take(&mut self.wires.opened);
        for plain in opened.drain(..) {
            self.take_in_clear(index, plain);
        }
        self.wires.opened = opened;
        if owes {
            self.mark_dirty(index);
        }
        match result {
            Ok(()) => self.note_closed_by_peer(index),
            Err(fault) => self.wire_failed(index, WireFault::Tls(fault)),
        }
    }

    /// `close_notify` of the peer is the end of what it sends, whether or not it closes the network connection.
    pub(super) fn note_closed_by_peer(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        let wire = slot.cold.wire.as_ref().expect("a wired session has one");
        if matches!(&wire.tls, Tls::Established(tls) if tls.is_closed_by_peer()) {
            slot.marks.gone = true;
            slot.cold.gone.get_or_insert_with(|| Box::new(SessionEnd::Eof));
        }
    }

    /// Gives the connection up: as if the peer had closed it, once all that came before is taken in.
    pub(super) fn wire_failed(&mut self, index: u32, fault: WireFault) {
        self.drop_intake(index);
        let slot = self.slab.at_mut(index);
        if let Some(wire) = slot.cold.wire.as_mut() {
            wire.tls = Tls::Failed;
            wire.header = None;
        }
        slot.marks.gone = true;
        slot.marks.undrained = true;
        slot.cold.gone = Some(Box::new(SessionEnd::Wire(fault)));
        self.mark_dirty(index);
        self.mark_ready(index);
    }

    /// The peer has closed: where TLS was not closed before, what came may not be all.
    pub(super) fn note_gone(&mut self, index: u32) {
        let slot = self.slab.at_mut(index);
        let Some(wire) = slot.cold.wire.as_ref() else { return };
        if !matches!(slot.cold.gone.as_deref(), Some(SessionEnd::Eof)) || !wire.heard {
            return;
        }
        let truncated = match &wire.tls {
            Tls::Established(tls) => !tls.is_closed_by_peer(),
            Tls::Handshaking(_) | Tls::Away => true,
            Tls::Off | Tls::Failed => false,
        };
        if let Some(header) = &wire.header {
            let fault = ProxyFault { offset: header.len(), kind: ProxyFaultKind::Truncated };
            slot.cold.gone = Some(Box::new(SessionEnd::Wire(WireFault::Proxy(fault))));
        } else if truncated {
            let fault = TlsFault::from(TlsFaultKind::Truncated);
            slot.cold.gone = Some(Box::new(SessionEnd::Wire(WireFault::Tls(fault))));
        }
    }
}

/// Puts plaintext where class 0 can refer to it.
fn put_plain(pool: &mut Pool, opened: &mut Vec<Slice>, mut plain: &[u8]) {
    while !plain.is_empty() {
        let slice = match pool.writable() {
            Some(room) => {
                let octets = plain.len().min(room.len());
                room[..octets].copy_from_slice(&plain[..octets]);
                plain = &plain[octets..];
                pool.commit(octets)
            }
            None => Slice::copy_of(std::mem::take(&mut plain)),
        };
        if !opened.last_mut().is_some_and(|last| last.join(&slice)) {
            opened.push(slice);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_records_are_taken_and_the_rest_stays() {
        let record = [22, 3, 1, 0, 2, 7, 7];
        let mut octets = [&record[..], &record[..], &record[..6]].concat();
        assert_eq!(take_whole_records(&mut octets).len(), 14);
        assert_eq!(octets, record[..6]);
        assert_eq!(take_whole_records(&mut octets), []);
        octets.push(7);
        assert_eq!(take_whole_records(&mut octets), record);
        assert!(octets.is_empty());
        let mut too_long = vec![22, 3, 1, 0xff, 0xff, 1];
        assert_eq!(take_whole_records(&mut too_long).len(), 6);
    }
}
