//! Segments and SSDUs that wait: for the end of their SSDU, or for the data token.

use std::ops::Range;

use colloquy_session::Enclosure;
use colloquy_shard::{Context, SessionId};
use colloquy_transport::buf::{Body, Slice};
use colloquy_transport::driver::Driver;

use super::GatewayApp;

/// The two kinds of SSDUs that may be of any length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// S-DATA, which the data token governs.
    Data,
    /// S-TYPED-DATA, which no token governs.
    Typed,
}

impl Flow {
    /// The request that sends it.
    pub(crate) fn request_name(self) -> &'static str {
        match self {
            Flow::Data => "S-DATA request",
            Flow::Typed => "S-TYPED-DATA request",
        }
    }
}

/// What is kept of one session, apart for each flow: neither waits for the other.
#[derive(Debug, Default)]
pub(crate) struct HeldFlows([Option<Box<Held>>; 2]);

impl HeldFlows {
    /// True when blocks of the receive pool are kept.
    pub(crate) fn is_pinning(&self) -> bool {
        self.0.iter().flatten().any(|held| held.is_pinning())
    }

    /// Octets kept.
    pub(crate) fn octets(&self) -> usize {
        self.0.iter().flatten().map(|held| held.octets).sum()
    }

    /// Copies out what keeps blocks of the receive pool.
    pub(crate) fn unpin(&mut self) {
        self.0.iter_mut().flatten().for_each(|held| held.unpin());
    }
}

impl std::ops::Index<Flow> for HeldFlows {
    type Output = Option<Box<Held>>;

    fn index(&self, flow: Flow) -> &Self::Output {
        &self.0[flow as usize]
    }
}

impl std::ops::IndexMut<Flow> for HeldFlows {
    fn index_mut(&mut self, flow: Flow) -> &mut Self::Output {
        &mut self.0[flow as usize]
    }
}

/// Tells the shard what is kept of a session: for the pool that it may lie in, and for the memory budget.
pub(super) fn note_held<D: Driver>(ctx: &mut Context<'_, D, GatewayApp>, id: SessionId) {
    let Some(held) = ctx.state(id).map(|state| &state.held) else { return };
    let (pinning, octets) = (held.is_pinning(), held.octets());
    ctx.keeps_octets(id, pinning);
    ctx.set_octets_kept(id, octets);
}

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeldMax {
    /// Octets in all.
    pub(crate) octets: usize,
    /// Octets of the receive pool that may be kept; what is beyond is copied out.
    pub(crate) pinned_octets: usize,
}

/// Share of the pool's blocks held by slices from which on what waits is copied out of it.
const SCARCE_PER_CENT: usize = 90;

/// Bodies in the order they came.
#[derive(Debug, Default)]
pub(crate) struct Held {
    slices: Vec<Slice>,
    parts: Vec<Part>,
    octets: usize,
    pinned_octets: usize,
}

#[derive(Debug)]
struct Part {
    slices: Range<usize>,
    enclosure: Enclosure,
}

impl Held {
    /// Keeps a body by reference; false (and nothing kept) when that would be too much.
    pub(crate) fn push(&mut self, body: &Body, enclosure: Enclosure, max: &HeldMax) -> bool {
        let octets = self.octets + body.len();
        // An empty body costs a part too: without a bound on parts a peer could send them for ever.
        if octets > max.octets || self.parts.len() > max.octets / Self::PART_OCTETS {
            return false;
        }
        let from = self.slices.len();
        for slice in body.slices().filter(|slice| !slice.is_empty()) {
            // Slices of one block pin it together, once.
            let shared = self.slices.last().is_some_and(|last| last.same_block(slice));
            let pinned = if shared { 0 } else { slice.pinned_octets() };
            if self.pinned_octets + pinned > max.pinned_octets || slice.is_scarce(SCARCE_PER_CENT) {
                self.slices.push(Slice::copy_of(slice));
            } else {
                self.pinned_octets += pinned;
                self.slices.push(slice.clone());
            }
        }
        self.octets = octets;
        self.parts.push(Part { slices: from..self.slices.len(), enclosure });
        true
    }

    /// Octets that a part is counted as at least.
    const PART_OCTETS: usize = 64;

    /// What is to be sent, in order: each segment as it came where the receiver's side segments, else
    /// each SSDU joined.
    pub(crate) fn sendable(&self, segmented: bool) -> impl Iterator<Item = (&[Slice], Enclosure)> {
        let mut from = 0;
        self.parts.iter().filter_map(move |part| {
            if segmented {
                return Some((&self.slices[part.slices.clone()], part.enclosure));
            }
            part.enclosure.end.then(|| {
                let joined = &self.slices[from..part.slices.end];
                from = part.slices.end;
                (joined, Enclosure::WHOLE)
            })
        })
    }

    /// Forgets everything and keeps the memory, up to a bound.
    pub(crate) fn clear(&mut self) {
        self.slices.clear();
        self.parts.clear();
        self.slices.shrink_to(Self::KEPT_MAX);
        self.parts.shrink_to(Self::KEPT_MAX);
        (self.octets, self.pinned_octets) = (0, 0);
    }

    /// Slices and parts for which a cleared one keeps memory.
    const KEPT_MAX: usize = 256;

    /// Copies out what keeps blocks of the receive pool.
    pub(crate) fn unpin(&mut self) {
        for slice in &mut self.slices {
            *slice = std::mem::take(slice).detached();
        }
        self.pinned_octets = 0;
    }

    /// True when blocks of the receive pool are kept.
    pub(crate) fn is_pinning(&self) -> bool {
        self.pinned_octets > 0
    }

    /// True when the last SSDU is whole.
    pub(crate) fn is_complete(&self) -> bool {
        self.parts.last().is_some_and(|part| part.enclosure.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: HeldMax = HeldMax { octets: 1000, pinned_octets: 1000 };

    fn body(octets: &[u8]) -> Body {
        Body::new(Slice::from_vec(octets.to_vec()))
    }

    #[test]
    fn segments_join_in_order() {
        let mut held = Held::default();
        assert!(held.push(&body(b"ab"), Enclosure { begin: true, end: false }, &MAX));
        assert!(held.push(&body(b""), Enclosure { begin: false, end: false }, &MAX));
        assert!(held.push(&body(b"cde"), Enclosure { begin: false, end: true }, &MAX));
        assert!(held.is_complete());
        assert!(held.push(&body(b"f"), Enclosure::WHOLE, &MAX));
        let octets = |(slices, enclosure): (&[Slice], Enclosure)| {
            (slices.iter().flat_map(|slice| slice.to_vec()).collect::<Vec<u8>>(), enclosure)
        };
        let joined: Vec<_> = held.sendable(false).map(octets).collect();
        assert_eq!(joined, [(b"abcde".to_vec(), Enclosure::WHOLE), (b"f".to_vec(), Enclosure::WHOLE)]);
        let segments: Vec<_> = held.sendable(true).map(|(slices, _)| slices.len()).collect();
        assert_eq!(segments, [1, 0, 1, 1]);
    }

    #[test]
    fn what_is_too_much_is_refused_and_leaves_the_rest() {
        let mut held = Held::default();
        assert!(held.push(&body(&[0; 600]), Enclosure::WHOLE, &MAX));
        assert!(!held.push(&body(&[0; 401]), Enclosure::WHOLE, &MAX));
        assert!(held.push(&body(&[0; 400]), Enclosure::WHOLE, &MAX));
        assert_eq!(held.octets, 1000);
    }

    #[test]
    fn empty_segments_do_not_wait_for_ever() {
        let mut held = Held::default();
        let taken = (0..10_000).take_while(|_| held.push(&body(b""), Enclosure::WHOLE, &MAX)).count();
        assert!(taken < 100, "{taken} empty segments were kept");
    }
}
