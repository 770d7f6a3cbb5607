//! The answers to the opening of an X.225 session, with as little understanding as it takes to give them.
//!
//! ```text
//! first TPKT   CR  ──►  CC: its source reference, its selectors, its TPDU size up to 8192
//! second TPKT  CN  ──►  AC: version 2, duplex, the called session selector, no user data
//! what follows          is echoed
//! ```
//!
//! Of CN only the called session selector is looked for; all else is answered as if it were the plain shape of MMS.

/// Octets of a TPKT header.
const TPKT_HEADER_OCTETS: usize = 4;

/// Octets of a TPKT of the opening, at most: a CN with 10 240 octets of user data fits.
const OPENING_TPKT_OCTETS_MAX: usize = 16 << 10;

/// TPDU size 8192 as C0 codes it.
const TPDU_SIZE_CODE_MAX: u8 = 0x0d;

/// Octets of a session selector, at most.
const SELECTOR_OCTETS_MAX: usize = 16;

/// Why an opening is not one; the connection closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoOpening;

/// Which TPKT comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Cr,
    Cn,
}

/// A connection that has not come through its opening.
#[derive(Debug)]
pub(super) struct Opening {
    awaited: Awaited,
    received: Vec<u8>,
}

impl Opening {
    pub(super) fn new() -> Box<Opening> {
        Box::new(Opening { awaited: Awaited::Cr, received: Vec::new() })
    }

    /// Takes in octets, in whatever pieces they come, and appends what they are answered to `answer`; true when the
    /// opening is over. Octets behind it are echoed, so they are part of the answer.
    ///
    /// # Errors
    /// When this is no opening, or one too long.
    pub(super) fn receive(&mut self, octets: &[u8], answer: &mut Vec<u8>) -> Result<bool, NoOpening> {
        self.received.extend_from_slice(octets);
        loop {
            let Some(tpkt_octets) = whole_tpkt(&self.received)? else { return Ok(false) };
            let tpdu = &self.received[TPKT_HEADER_OCTETS..tpkt_octets];
            match self.awaited {
                Awaited::Cr => answer_cr(tpdu, answer)?,
                Awaited::Cn => {
                    answer_cn(tpdu, answer)?;
                    answer.extend_from_slice(&self.received[tpkt_octets..]);
                    return Ok(true);
                }
            }
            self.received.drain(..tpkt_octets);
            self.awaited = Awaited::Cn;
        }
    }
}

/// Octets of the TPKT that `octets` begin with, once all are there.
fn whole_tpkt(octets: &[u8]) -> Result<Option<usize>, NoOpening> {
    let Some(&[version, _, high, low]) = octets.first_chunk() else { return Ok(None) };
    let tpkt_octets = usize::from(u16::from_be_bytes([high, low]));
    if version != 3 || !(TPKT_HEADER_OCTETS + 3..=OPENING_TPKT_OCTETS_MAX).contains(&tpkt_octets) {
        return Err(NoOpening);
    }
    Ok((octets.len() >= tpkt_octets).then_some(tpkt_octets))
}

/// CR: `LI E0 dst dst src src class` and parameters.
fn answer_cr(tpdu: &[u8], answer: &mut Vec<u8>) -> Result<(), NoOpening> {
    const FIXED_OCTETS: usize = 7;
    if tpdu.len() < FIXED_OCTETS || tpdu[1] & 0xf0 != 0xe0 {
        return Err(NoOpening);
    }
    let start = answer.len();
    answer.extend_from_slice(&[3, 0, 0, 0, 0, 0xd0, tpdu[4], tpdu[5], 0, 1, 0]);
    for (code, value) in units(&tpdu[FIXED_OCTETS..]) {
        match (code, value) {
            (0xc0, &[size]) => answer.extend_from_slice(&[code, 1, size.min(TPDU_SIZE_CODE_MAX)]),
            (0xc1 | 0xc2, value) => {
                answer.extend_from_slice(&[code, value.len() as u8]);
                answer.extend_from_slice(value);
            }
            _ => {}
        }
    }
    let octets = answer.len() - start;
    // The LI of a TPDU counts neither itself nor the TPKT header, and 255 is reserved.
    answer[start + TPKT_HEADER_OCTETS] =
        u8::try_from(octets - TPKT_HEADER_OCTETS - 1).ok().filter(|li| *li < 255).ok_or(NoOpening)?;
    set_tpkt_octets(&mut answer[start..]);
    Ok(())
}

/// DT `02 F0 80` and CN: `0D LI` and parameters.
fn answer_cn(tpdu: &[u8], answer: &mut Vec<u8>) -> Result<(), NoOpening> {
    const DT_OCTETS: usize = 3;
    if tpdu.len() < DT_OCTETS + 2 || tpdu[1] & 0xf0 != 0xf0 {
        return Err(NoOpening);
    }
    let (si, parameters) = units(&tpdu[DT_OCTETS..]).next().ok_or(NoOpening)?;
    if si != 0x0d {
        return Err(NoOpening);
    }
    let called = units(parameters).find(|(code, _)| *code == 0x34).map(|(_, value)| value);
    if called.is_some_and(|called| called.len() > SELECTOR_OCTETS_MAX) {
        return Err(NoOpening);
    }
    let start = answer.len();
    // Connect/Accept Item: no extended concatenation, version 2. Session user requirements: duplex.
    answer.extend_from_slice(&[3, 0, 0, 0, 2, 0xf0, 0x80, 0x0e, 0]);
    answer.extend_from_slice(&[0x05, 6, 0x13, 1, 0, 0x16, 1, 2, 0x14, 2, 0, 2]);
    if let Some(called) = called {
        answer.extend_from_slice(&[0x34, called.len() as u8]);
        answer.extend_from_slice(called);
    }
    let li_offset = TPKT_HEADER_OCTETS + DT_OCTETS + 1;
    answer[start + li_offset] = (answer.len() - start - li_offset - 1) as u8;
    set_tpkt_octets(&mut answer[start..]);
    Ok(())
}

fn set_tpkt_octets(tpkt: &mut [u8]) {
    let octets = (tpkt.len() as u16).to_be_bytes();
    tpkt[2..4].copy_from_slice(&octets);
}

/// The code and value of each unit in `octets`, as far as they make sense.
fn units(octets: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        let (&[code, short], after) = rest.split_first_chunk()?;
        let (value_octets, after) = match short {
            0xff => {
                let (long, after) = after.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*long)), after)
            }
            short => (usize::from(short), after),
        };
        let (value, after) = after.split_at_checked(value_octets)?;
        rest = after;
        Some((code, value))
    })
}
