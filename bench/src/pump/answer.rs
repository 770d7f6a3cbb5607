//! Where an answer ends, and what it is: no more of TPKT, X.224 and X.225 than a client needs that only counts.

const TPKT_HEADER_OCTETS: usize = 4;
const DT: u8 = 0xf0;
const CC: u8 = 0xd0;
const CR: u8 = 0xe0;
/// SPDU identifiers.
const CN: u8 = 13;
const AC: u8 = 14;
const FN: u8 = 9;
const DN: u8 = 10;
/// Offset of the SPDU identifier in the first TPKT of a TSDU.
const SPDU_OFFSET: usize = 7;

/// Whether all of it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// It has so many octets.
    Yes(usize),
    /// More octets are to come.
    NotYet,
}

/// These octets are no TPKT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoTpkt;

/// The TPKTs of the first TSDU, or of the first TPDU that is no DT.
pub(super) fn first_tsdu(octets: &[u8]) -> Result<Whole, NoTpkt> {
    let mut at = 0;
    loop {
        let tpkt = &octets[at..];
        if tpkt.first().is_some_and(|version| *version != 3) {
            return Err(NoTpkt);
        }
        let Some(header) = tpkt.first_chunk::<TPKT_HEADER_OCTETS>() else { return Ok(Whole::NotYet) };
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        // The shortest TPDU is a DT without user data.
        if length < TPKT_HEADER_OCTETS + 3 {
            return Err(NoTpkt);
        }
        if tpkt.len() < length {
            return Ok(Whole::NotYet);
        }
        at += length;
        if tpkt[5] & 0xf0 != DT || tpkt[6] & 0x80 != 0 {
            return Ok(Whole::Yes(at));
        }
    }
}

/// What is sent, and what is to answer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// CR, answered by CC.
    Cr,
    /// CN, answered by AC.
    Cn,
    /// FN, answered by DN.
    Fn,
    /// Anything else, answered by anything.
    Request,
}

impl Kind {
    /// What these octets are.
    pub(super) fn of(octets: &[u8]) -> Kind {
        match (octets.get(5).map(|code| code & 0xf0), octets.get(SPDU_OFFSET)) {
            (Some(CR), _) => Kind::Cr,
            (Some(DT), Some(&CN)) => Kind::Cn,
            (Some(DT), Some(&FN)) => Kind::Fn,
            _ => Kind::Request,
        }
    }

    /// The name of what is sent.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Cr => "CR",
            Kind::Cn => "CN",
            Kind::Fn => "FN",
            Kind::Request => "request",
        }
    }

    /// The name of what is to answer it.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Kind::Cr => "CC",
            Kind::Cn => "AC",
            Kind::Fn => "DN",
            Kind::Request => "an answer",
        }
    }

    /// Whether the whole TSDU or TPDU in `tpkts` is that.
    pub(super) fn is_answered_by(self, tpkts: &[u8]) -> bool {
        let spdu = |identifier| tpkts[5] & 0xf0 == DT && tpkts.get(SPDU_OFFSET) == Some(&identifier);
        match self {
            Kind::Cr => tpkts[5] & 0xf0 == CC,
            Kind::Cn => spdu(AC),
            Kind::Fn => spdu(DN),
            Kind::Request => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tsdu_ends_at_the_tpdu_that_says_so() {
        let first = [3, 0, 0, 9, 2, 0xf0, 0, 1, 2];
        let last = [3, 0, 0, 8, 2, 0xf0, 0x80, 3];
        let both = [&first[..], &last[..], &first[..]].concat();
        for octets in 0..both.len() {
            let whole = if octets < 17 { Whole::NotYet } else { Whole::Yes(17) };
            assert_eq!(first_tsdu(&both[..octets]), Ok(whole), "{octets} octets");
        }
        let dr = [3, 0, 0, 11, 6, 0x80, 0, 1, 0, 2, 128];
        assert_eq!(first_tsdu(&dr), Ok(Whole::Yes(11)));
        assert!(!Kind::Cr.is_answered_by(&dr));
        assert_eq!(first_tsdu(b"HTTP/1.1"), Err(NoTpkt));
        assert_eq!(first_tsdu(&[3, 0, 0, 6]), Err(NoTpkt));
    }
}
