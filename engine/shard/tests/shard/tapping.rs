//! Octets of tapped sessions, as they came and as they went, and of no others.

use std::cell::RefCell;
use std::rc::Rc;

use colloquy_session::Enclosure;
use colloquy_shard::{SessionId, Tap, TapFacts, TransportRole};
use colloquy_transport::buf::{Slice, TxBatch};

use crate::pair::{Pair, World};
use crate::raw::{Raw, tpkt};
use crate::recorder::Manners;

crate::pair::on_every_driver! {
    both_directions_of_a_tapped_session_are_seen_whole,
}

crate::pair::on_real_drivers! {
    a_receipt_says_how_far_the_next_tpkt_is,
}

#[derive(Default)]
struct Seen {
    received: Vec<u8>,
    sent: Vec<u8>,
    facts: Vec<TapFacts>,
}

struct Looking(Rc<RefCell<Seen>>);

impl Tap for Looking {
    fn received(&mut self, of: &TapFacts, octets: &Slice) {
        let mut seen = self.0.borrow_mut();
        seen.received.extend_from_slice(octets);
        seen.facts.push(*of);
    }

    fn sent(&mut self, of: &TapFacts, batch: &TxBatch) {
        let mut seen = self.0.borrow_mut();
        seen.sent.extend(batch.to_vec());
        assert_eq!(of.boundary_in, Some(0));
    }
}

fn tapped<W: World>(pair: &mut Pair<W>, id: SessionId) -> Rc<RefCell<Seen>> {
    let seen = Rc::new(RefCell::new(Seen::default()));
    let tap = Box::new(Looking(Rc::clone(&seen)));
    pair.server.with(|_, ctx| {
        ctx.set_tap(Some(tap));
        ctx.set_tapped(id, true);
        assert!(ctx.view(id).unwrap().tapped);
    });
    seen
}

fn data(octet: u8) -> Vec<u8> {
    tpkt(&[&[1, 0, 1, 0][..], &[octet; 20]].concat())
}

fn both_directions_of_a_tapped_session_are_seen_whole<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners { echo: true, ..Manners::default() }, Manners::default())
    else {
        return;
    };
    let (client, server) = pair.established();
    let (other, _) = pair.established();
    let seen = tapped(&mut pair, server);
    let mut expected = Vec::new();
    for octet in 0..5u8 {
        let body = |octet: u8| [Slice::copy_of(&[octet; 20])];
        pair.client.with(|_, ctx| ctx.data_request(client, &body(octet), Enclosure::WHOLE)).unwrap();
        pair.client.with(|_, ctx| ctx.data_request(other, &body(99), Enclosure::WHOLE)).unwrap();
        expected.extend(data(octet));
        let count = 2 * (u64::from(octet) + 1);
        pair.until(|pair| pair.client.app().data_count == count);
    }
    {
        let seen = seen.borrow();
        assert_eq!((&seen.received, &seen.sent), (&expected, &expected));
        let facts = seen.facts[0];
        assert_eq!((facts.session, facts.role, facts.listener), (server, TransportRole::Responder, Some(7)));
        assert_eq!((facts.boundary_in, facts.in_tsdu), (Some(0), false));
    }
    pair.server.with(|_, ctx| ctx.set_tapped(server, false));
    pair.client.with(|_, ctx| ctx.release_request(client, &[])).unwrap();
    pair.until(|pair| pair.server.app().ends().len() == 1);
    assert_eq!(seen.borrow().received, expected, "nothing is seen any more");
}

fn a_receipt_says_how_far_the_next_tpkt_is<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners::default(), Manners::default()) else { return };
    let mut raw = Raw::connect(pair.address);
    raw.open_session(&mut pair);
    let id = pair.server.app().seen[0].0;
    let seen = tapped(&mut pair, id);
    // The second of three TPDUs of a TSDU is cut.
    let part = |last: u8| [&[3, 0, 0, 17, 2, 0xf0, last][..], &[1, 0, 1, 0, 9, 9, 9, 9, 9, 9]].concat();
    let octets = [part(0), part(0), part(0x80)].concat();
    let cut = 30;
    for (part, total) in [(&octets[..cut], cut), (&octets[cut..], octets.len())] {
        raw.send(part);
        raw.until(&mut pair, |_, _| seen.borrow().received.len() == total);
    }
    let mut at = 0;
    for facts in &seen.borrow().facts {
        // The system may cut anywhere, but not before it has the first part.
        let expected = if at == 0 { 0 } else { 34 - at };
        assert_eq!((facts.boundary_in, facts.in_tsdu), (Some(expected), at > 0));
        at = cut;
    }
}
