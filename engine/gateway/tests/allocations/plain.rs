//! Peers that speak octets and nothing of ours: TPKT, class 0 and the session layer by hand.

/// CN-min of the reference: version 2, duplex, selectors 0001, three octets of user data.
const CN: &[u8] = &[
    0x0d, 0x19, 0x05, 0x06, 0x13, 0x01, 0x00, 0x16, 0x01, 0x02, 0x14, 0x02, 0x00, 0x02, 0x33, 0x02, 0x00,
    0x01, 0x34, 0x02, 0x00, 0x01, 0xc1, 0x03, 0xa1, 0xa2, 0xa3,
];
/// The same with a TSDU maximum size of [`SEGMENT_OCTETS`] in both directions.
const CN_SEGMENTING: &[u8] = &[
    0x0d, 0x1f, 0x05, 0x0c, 0x13, 0x01, 0x00, 0x15, 0x04, 0x0f, 0xa0, 0x0f, 0xa0, 0x16, 0x01, 0x02, 0x14,
    0x02, 0x00, 0x02, 0x33, 0x02, 0x00, 0x01, 0x34, 0x02, 0x00, 0x01, 0xc1, 0x03, 0xa1, 0xa2, 0xa3,
];
const SEGMENT_OCTETS: usize = 4000;
/// The first with typed data beside duplex.
const CN_TYPED: &[u8] = &[
    0x0d, 0x19, 0x05, 0x06, 0x13, 0x01, 0x00, 0x16, 0x01, 0x02, 0x14, 0x02, 0x04, 0x02, 0x33, 0x02, 0x00,
    0x01, 0x34, 0x02, 0x00, 0x01, 0xc1, 0x03, 0xa1, 0xa2, 0xa3,
];
/// AC-min of the reference, which answers them: typed data counts where it was proposed.
const AC: &[u8] = &[
    0x0e, 0x15, 0x05, 0x06, 0x13, 0x01, 0x00, 0x16, 0x01, 0x02, 0x14, 0x02, 0x04, 0x02, 0x34, 0x02, 0x00,
    0x01, 0xc1, 0x03, 0xa1, 0xa2, 0xa3,
];
/// GT and DT without parameters: what precedes the user data of an SSDU.
const GT_DT: [u8; 4] = [1, 0, 1, 0];
/// TD without parameters: the same of a typed one.
const TD: [u8; 2] = [0x21, 0];
/// GT and DT with an Enclosure Item: what precedes the user data of a segment.
const fn gt_dt(begin: bool, end: bool) -> [u8; 7] {
    [1, 0, 1, 3, 0x19, 1, begin as u8 | (end as u8) << 1]
}

/// TPDU size 8192, in the code of a CR or CC.
const TPDU_SIZE: u8 = 13;
const TPDU_OCTETS: usize = 8192;

/// What a peer is and how far it is.
#[derive(Debug)]
pub(crate) enum Plain {
    /// Sends SSDUs and wants the same back.
    Initiator(Initiator),
    /// Sends every octet back, once there is a session.
    Responder {
        /// AC was sent.
        open: bool,
        received: Vec<u8>,
    },
}

/// How SSDUs go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    #[default]
    Whole,
    Segments,
    Typed,
}

#[derive(Debug, Default)]
pub(crate) struct Initiator {
    manner: Manner,
    received: Vec<u8>,
    tsdu: Vec<u8>,
    /// AC has come.
    pub(crate) open: bool,
    /// One SSDU, as it goes out.
    request: Vec<u8>,
    /// Its user data.
    expected: Vec<u8>,
    /// The user data of what comes back, as far as it is here.
    ssdu: Vec<u8>,
    to_send: usize,
    /// SSDUs that have not come back.
    pub(crate) missing: usize,
}

impl Plain {
    pub(crate) fn responder() -> Plain {
        Plain::Responder { open: false, received: Vec::new() }
    }

    /// Takes octets in and puts what they are answered with into `out`.
    pub(crate) fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        match self {
            Plain::Initiator(initiator) => initiator.receive(octets, out),
            Plain::Responder { open: true, .. } => out.extend_from_slice(octets),
            Plain::Responder { open, received } => {
                received.extend_from_slice(octets);
                while let Some(tpdu) = next_tpdu(received) {
                    if tpdu[1] == 0xe0 {
                        out.extend_from_slice(&[3, 0, 0, 14, 9, 0xd0, tpdu[4], tpdu[5], 0, 1, 0]);
                        out.extend_from_slice(&[0xc0, 1, TPDU_SIZE]);
                    } else {
                        assert_eq!((tpdu[1], tpdu[3]), (0xf0, 0x0d), "CN");
                        put_tsdu(AC, out);
                        *open = true;
                    }
                }
            }
        }
    }
}

impl Initiator {
    /// Puts CR into `out`.
    pub(crate) fn connect(manner: Manner, out: &mut Vec<u8>) -> Initiator {
        out.extend_from_slice(&[3, 0, 0, 14, 9, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, TPDU_SIZE]);
        Initiator { manner, ..Initiator::default() }
    }

    /// Begins to send `count` SSDUs of `octets` octets, `depth` of them at once.
    pub(crate) fn start(&mut self, octets: usize, depth: usize, count: usize, out: &mut Vec<u8>) {
        assert!(self.open && self.missing == 0 && count >= depth);
        self.expected = (0..octets).map(|at| (at % 251) as u8).collect();
        self.request.clear();
        if self.manner == Manner::Segments {
            let segments: Vec<&[u8]> = self.expected.chunks(SEGMENT_OCTETS - 7).collect();
            for (at, segment) in segments.iter().enumerate() {
                let header = gt_dt(at == 0, at + 1 == segments.len());
                put_tsdu(&[&header, *segment].concat(), &mut self.request);
            }
        } else {
            let header = if self.manner == Manner::Typed { &TD[..] } else { &GT_DT };
            put_tsdu(&[header, &self.expected[..]].concat(), &mut self.request);
        }
        (self.to_send, self.missing) = (count - depth, count);
        for _ in 0..depth {
            out.extend_from_slice(&self.request);
        }
    }

    fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        self.received.extend_from_slice(octets);
        while let Some(tpdu) = next_tpdu(&mut self.received) {
            if tpdu[1] == 0xd0 {
                let connect = match self.manner {
                    Manner::Whole => CN,
                    Manner::Segments => CN_SEGMENTING,
                    Manner::Typed => CN_TYPED,
                };
                put_tsdu(connect, out);
                continue;
            }
            assert_eq!(tpdu[1], 0xf0, "DT");
            self.tsdu.extend_from_slice(&tpdu[3..]);
            if tpdu[2] == 0x80 {
                self.tsdu(out);
                self.tsdu.clear();
            }
        }
    }

    fn tsdu(&mut self, out: &mut Vec<u8>) {
        if !self.open {
            assert_eq!(self.tsdu[0], 0x0e, "AC");
            self.open = true;
            return;
        }
        let (header, li) = match self.tsdu[..] {
            [1, 0, 1, li, ..] if self.manner != Manner::Typed => (4, li),
            [0x21, li, ..] if self.manner == Manner::Typed => (2, li),
            _ => panic!("{:?}: {:?}", self.manner, &self.tsdu[..8]),
        };
        self.ssdu.extend_from_slice(&self.tsdu[header + usize::from(li)..]);
        if li > 0 && self.tsdu[6] & 2 == 0 {
            return;
        }
        assert!(self.ssdu == self.expected, "what comes back is what was sent");
        self.ssdu.clear();
        self.missing -= 1;
        if self.to_send > 0 {
            self.to_send -= 1;
            out.extend_from_slice(&self.request);
        }
    }
}

/// The oldest TPDU that has come whole.
fn next_tpdu(received: &mut Vec<u8>) -> Option<Vec<u8>> {
    let octets = usize::from(u16::from_be_bytes([*received.get(2)?, *received.get(3)?]));
    (received.len() >= octets).then(|| received.drain(..octets).skip(4).collect())
}

/// Puts a TSDU into `out`, in TPDUs of the size agreed on.
fn put_tsdu(tsdu: &[u8], out: &mut Vec<u8>) {
    let parts: Vec<&[u8]> = tsdu.chunks(TPDU_OCTETS - 3).collect();
    for (at, part) in parts.iter().enumerate() {
        let [high, low] = u16::try_from(part.len() + 7).unwrap().to_be_bytes();
        let end = u8::from(at + 1 == parts.len()) << 7;
        out.extend_from_slice(&[3, 0, high, low, 2, 0xf0, end]);
        out.extend_from_slice(part);
    }
}
