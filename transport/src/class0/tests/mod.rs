//! Tests of the transport: vectors, segmentation by any split, splitting, bounds, copies.

mod assembly;
mod expedited;
mod segmentation;
mod vectors;

use crate::buf::{Body, Slice, TxBatch};

use super::{Class0, Class0Config, ConnectTpdu, Event};

/// An end with its batch and what it told.
pub(super) struct End {
    pub(super) class0: Class0,
    pub(super) out: TxBatch,
    pub(super) events: Vec<String>,
    pub(super) bodies: Vec<Body>,
    /// Asks for whole TSDUs first, as a shard does.
    pub(super) short_way: bool,
}

impl End {
    pub(super) fn new(class0: Class0) -> End {
        End { class0, out: TxBatch::new(), events: Vec::new(), bodies: Vec::new(), short_way: false }
    }

    /// A responder in the data phase, in which the initiator proposed `tpdu_octets`.
    pub(super) fn open(config: &Class0Config, tpdu_octets: Option<u32>) -> End {
        let cr = ConnectTpdu { tpdu_octets, expedited: config.expedited, ..ConnectTpdu::default() };
        let octets = super::tpdu::connect_tpkt(super::tpdu::CR, 0, 7, &cr);
        let mut end = End::new(Class0::responder(config));
        end.receive(Slice::from_vec(octets.to_vec()));
        assert!(end.class0.is_open());
        end.out.clear();
        end.events.clear();
        end
    }

    /// Takes octets in and drains; a CR is accepted.
    pub(super) fn receive(&mut self, octets: Slice) {
        self.class0.receive(octets);
        while let Some(event) = self.next() {
            self.events.push(text(&event));
            match event {
                Event::Connect(_) => self.class0.connect_response(&mut self.out),
                Event::Data(body) => self.bodies.push(body),
                _ => {}
            }
        }
    }
}

impl End {
    fn next(&mut self) -> Option<Event> {
        let whole = if self.short_way { self.class0.next_whole_tsdu() } else { None };
        if let Some(tsdu) = whole {
            return Some(Event::Data(Body::new(tsdu)));
        }
        let drained = self.class0.is_drained();
        let event = self.class0.next_event(&mut self.out);
        assert!(!(drained && event.is_some()), "nothing was left to read");
        event
    }
}

/// An event as the vectors write it.
fn text(event: &Event) -> String {
    let connect = |connect: &ConnectTpdu| {
        let selector = |selector: Option<super::TransportSelector>| {
            selector.map_or("-".to_owned(), |selector| format!("{selector:?}"))
        };
        let size = connect.tpdu_octets.map_or("-".to_owned(), |octets| octets.to_string());
        let (calling, called) = (selector(connect.calling), selector(connect.called));
        let expedited = if connect.expedited { "yes" } else { "no" };
        format!("calling={calling} called={called} size={size} expedited={expedited}")
    };
    match event {
        Event::Connect(parameters) => format!("connect {}", connect(parameters)),
        Event::ConnectConfirm(parameters) => format!("confirm {}", connect(parameters)),
        Event::Data(body) => {
            let octets = body.slices().flat_map(|slice| slice.iter()).map(|octet| format!("{octet:02x}"));
            format!("data {}", octets.collect::<String>()).trim_end().to_owned()
        }
        Event::Expedited(octets) => {
            let octets = octets.iter().map(|octet| format!("{octet:02x}"));
            format!("expedited {}", octets.collect::<String>())
        }
        Event::Disconnect { reason } => format!("disconnect {reason}"),
        Event::Fault(fault) => format!("fault {} {} {:?}", fault.layer, fault.offset, fault.kind),
    }
}
