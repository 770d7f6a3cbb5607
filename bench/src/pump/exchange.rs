//! The octets of one dialogue.

use super::handshake::{Handshake, Selectors};
use crate::hex::{HexFault, octets_of_hex};
use crate::random::Random;

/// Octets of one SSDU, at most.
pub const SSDU_OCTETS_MAX: usize = 16 << 20;
/// Largest TPDU that is proposed, as our own initiator does, and as RFC 1006 allows.
const TPDU_OCTETS: u32 = 8192;
/// Largest TPDU of class 0 in X.224 itself.
const TPDU_OCTETS_X224: u32 = 2048;
/// The content of SSDUs: any, as long as no part of it looks like another.
const CONTENT_SEED: u64 = 0x0225;

/// What a connection sends first, and then again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Sent one by one, each as soon as one whole TSDU or control TPDU has answered the one before: CR, then CN.
    /// Empty for a server that expects none.
    pub opening: Vec<Vec<u8>>,
    /// One request: whole TPKTs.
    pub request: Vec<u8>,
    /// Octets of its answer; 0 takes as many as the first answer has, which is one TSDU then.
    pub answer_octets: usize,
    /// FN, answered by one TSDU; empty where there is no orderly release.
    pub release: Vec<u8>,
    /// SSDUs that a request carries.
    pub ssdus: usize,
}

impl Exchange {
    /// CR and CN as our own initiator sends them; a request is one SSDU of `ssdu_octets` octets in GT + DT, in as many DT
    /// TPDUs of at most 8192 octets as it needs. The answer is the same octets.
    ///
    /// # Panics
    /// Beyond [`SSDU_OCTETS_MAX`].
    pub fn echo(ssdu_octets: usize) -> Exchange {
        Exchange::echo_burst(ssdu_octets, 1)
    }

    /// As [`Exchange::echo`], with `count` SSDUs in one request: one write, and `count` TSDUs.
    ///
    /// # Panics
    /// When `count` is 0, or its SSDUs have more than [`SSDU_OCTETS_MAX`] octets together.
    pub fn echo_burst(ssdu_octets: usize, count: usize) -> Exchange {
        Exchange::echo_with(ssdu_octets, count, TPDU_OCTETS)
    }

    /// As [`Exchange::echo`], with TPDUs of at most 2048 octets, which is all that X.224 has for class 0. Responders
    /// that hold to it, rusty-cosp for one, end the connection over more.
    ///
    /// # Panics
    /// Beyond [`SSDU_OCTETS_MAX`].
    pub fn echo_x224(ssdu_octets: usize) -> Exchange {
        Exchange::echo_with(ssdu_octets, 1, TPDU_OCTETS_X224)
    }

    fn echo_with(ssdu_octets: usize, count: usize, tpdu_octets_max: u32) -> Exchange {
        assert!(count > 0, "a request without SSDUs");
        let total = ssdu_octets.checked_mul(count);
        assert!(total.is_some_and(|octets| octets <= SSDU_OCTETS_MAX), "more octets than a request may have");
        let mut handshake = Handshake::new(&Selectors::default(), &[], tpdu_octets_max);
        let mut random = Random::new(CONTENT_SEED);
        let request: Vec<u8> = (0..count).flat_map(|_| handshake.data(&random.octets(ssdu_octets))).collect();
        let answer_octets = request.len();
        Exchange::of(handshake, request, answer_octets, count, &[])
    }

    /// No opening; request and answer are `octets` octets that look like nothing in particular.
    pub fn plain(octets: usize) -> Exchange {
        let request = Random::new(CONTENT_SEED).octets(octets);
        Exchange { opening: Vec::new(), answer_octets: octets, request, release: Vec::new(), ssdus: 1 }
    }

    /// The opening is one TPKT of 7 octets, which a server that echoes all sends back; there are no requests.
    ///
    /// For [`cycle`](super::cycle) against a server without OSI layers. A connect alone would end when the system has put the
    /// connection into the queue of the listener, and run ahead of the server until that queue overflows.
    pub fn touch() -> Exchange {
        let tpkt = vec![3, 0, 0, 7, 2, 0xf0, 0x80];
        Exchange { opening: vec![tpkt], request: Vec::new(), answer_octets: 0, release: Vec::new(), ssdus: 0 }
    }

    /// CR and CN with the octets of `connect` as user data, requests that are one SSDU with those of `ssdu`, FN with those of
    /// `release`; hex text as [`octets_of_hex`] takes it. The first answer tells how long answers are.
    ///
    /// # Errors
    /// The place of what is no hex.
    ///
    /// # Panics
    /// When `connect` has more octets than one CN takes (10 240).
    pub fn from_hex(
        selectors: &Selectors,
        connect: &str,
        ssdu: &str,
        release: &str,
    ) -> Result<Exchange, HexFault> {
        let (connect, ssdu, release) =
            (octets_of_hex(connect)?, octets_of_hex(ssdu)?, octets_of_hex(release)?);
        let mut handshake = Handshake::new(selectors, &connect, TPDU_OCTETS);
        let request = handshake.data(&ssdu);
        Ok(Exchange::of(handshake, request, 0, 1, &release))
    }

    /// An MMS association, and Identify again and again: what `configs/load-mms.toml` asks for.
    pub fn mms() -> Exchange {
        let one = vec![0, 1];
        let selectors = Selectors {
            calling_tsap: one.clone(),
            called_tsap: one.clone(),
            calling_ssap: one.clone(),
            called_ssap: one,
        };
        Exchange::from_hex(
            &selectors,
            include_str!("../../../configs/mms-initiate.hex"),
            include_str!("../../../configs/mms-identify.hex"),
            include_str!("../../../configs/mms-release.hex"),
        )
        .expect("the files of this repository are hex")
    }

    fn of(
        handshake: Handshake,
        request: Vec<u8>,
        answer_octets: usize,
        ssdus: usize,
        release: &[u8],
    ) -> Exchange {
        let opening = handshake.opening();
        Exchange { opening, request, answer_octets, release: handshake.release(release), ssdus }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pump::answer::{Whole, first_tsdu};

    #[test]
    fn an_echo_is_what_our_initiator_sends() {
        let exchange = Exchange::echo(64);
        let [cr, cn] = &exchange.opening[..] else { panic!("CR and CN") };
        // TPKT, LI, CR, references, class 0, and the proposal of 8192 octets.
        assert_eq!(cr[..4], [3, 0, 0, cr.len() as u8]);
        assert_eq!(cr[5] & 0xf0, 0xe0);
        assert!(cr.windows(3).any(|octets| octets == [0xc0, 1, 13]), "{cr:02x?}");
        assert_eq!(cn[4..8], [2, 0xf0, 0x80, 13], "{cn:02x?}");
        // Version 2 alone, and duplex alone, are proposed.
        assert!(cn.windows(3).any(|octets| octets == [22, 1, 2]), "{cn:02x?}");
        assert!(cn.windows(4).any(|octets| octets == [20, 2, 0, 2]), "{cn:02x?}");
        let head = [3, 0, 0, 75, 2, 0xf0, 0x80, 1, 0, 1, 0];
        assert_eq!(exchange.request[..11], head);
        assert_eq!((exchange.request.len(), exchange.answer_octets), (75, 75));
        assert_eq!(Exchange::echo(0).request, [3, 0, 0, 11, 2, 0xf0, 0x80, 1, 0, 1, 0]);
        assert_eq!(exchange.release[4..8], [2, 0xf0, 0x80, 9]);
    }

    #[test]
    fn long_ssdus_are_cut_into_tpdus_and_bursts_are_many_tsdus() {
        let long = Exchange::echo(40_000).request;
        // Five TPDUs of 8192 octets at most, each behind a TPKT header.
        assert_eq!(long.len(), 40_000 + 4 + 5 * 7);
        assert_eq!(first_tsdu(&long), Ok(Whole::Yes(long.len())));
        let x224 = Exchange::echo_x224(2045);
        assert!(x224.opening[0].windows(3).any(|octets| octets == [0xc0, 1, 11]));
        // The four octets of GT and DT make it a second TPDU.
        assert_eq!(x224.request.len(), 2045 + 4 + 2 * 7);
        let burst = Exchange::echo_burst(64, 16);
        assert_eq!((burst.request.len(), burst.ssdus), (75 * 16, 16));
        assert_eq!(first_tsdu(&burst.request), Ok(Whole::Yes(75)));
    }

    #[test]
    fn an_mms_exchange_carries_the_octets_of_the_configuration() {
        let exchange = Exchange::mms();
        let identify = octets_of_hex(include_str!("../../../configs/mms-identify.hex")).unwrap();
        assert!(exchange.request.ends_with(&identify));
        let initiate = octets_of_hex(include_str!("../../../configs/mms-initiate.hex")).unwrap();
        assert!(exchange.opening[1].ends_with(&initiate));
        assert!(exchange.opening[0].windows(4).any(|octets| octets == [0xc2, 2, 0, 1]));
        assert_eq!(exchange.answer_octets, 0);
        let fault = Exchange::from_hex(&Selectors::default(), "01", "0g", "").unwrap_err();
        assert_eq!((fault.line, fault.column), (1, 2));
    }
}
