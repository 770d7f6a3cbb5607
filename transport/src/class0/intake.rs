//! The assembly of a TSDU, or of a TPDU other than DT, that did not arrive in one slice.
//!
//! Pieces from 2 KiB on are kept by reference; smaller ones are copied together, so that a peer that drips
//! octets builds neither a long list of pieces nor keeps receive blocks from the other connections.

use std::cell::RefCell;

use arrayvec::ArrayVec;

use crate::buf::{Body, COPY_THRESHOLD_OCTETS, Gather, Slice};

use super::EXPEDITED_OCTETS_MAX;

/// The head of a TSDU holds at least so many octets, or the whole TSDU: the headers of the SPDUs in it can be
/// read without looking into the rest.
pub const HEAD_OCTETS_MIN: usize = 64;

/// Share of the pool's blocks held by slices from which on a TSDU that waits for more octets holds none: what
/// it waits for needs a free block to arrive in. Below that a burst, whose blocks come back within a turn, would
/// be taken for a shortage; connections that fall silent give theirs back when their owner asks (`unpin`).
const SCARCE_PER_CENT: usize = 90;
/// Assemblies and vectors kept by a thread for the next TSDU that straddles.
const SPARE_COUNT_MAX: usize = 64;
/// A spare vector of more slices than this is freed.
const SPARE_SLICES_MAX: usize = 1024;

/// Pieces of one TSDU in order: `head`, `rest`, then the octets copied into `tail`.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    head: Option<Slice>,
    rest: Vec<Slice>,
    tail: Gather,
    octets: usize,
    pinned_octets: usize,
    /// Octets of the TPDU under way that have not arrived.
    pub(super) missing_octets: usize,
    /// The TPDU under way ends the TSDU.
    pub(super) eot: bool,
    /// The TPDU under way is neither DT nor ED: it is gathered whole, from its TPKT header on.
    pub(super) control: bool,
    /// The TPDU under way is ED: its octets go to `expedited_octets`, past the TSDU that is being assembled.
    pub(super) expedited: bool,
    expedited_octets: ArrayVec<u8, EXPEDITED_OCTETS_MAX>,
}

thread_local! {
    #[expect(clippy::vec_box, reason = "the boxes move between this list and connections")]
    static SPARE_ASSEMBLIES: RefCell<Vec<Box<Assembly>>> = const { RefCell::new(Vec::new()) };
    static SPARE_RESTS: RefCell<Vec<Vec<Slice>>> = const { RefCell::new(Vec::new()) };
}

impl Assembly {
    /// An empty assembly, used before where possible.
    pub(super) fn take() -> Box<Assembly> {
        SPARE_ASSEMBLIES.with_borrow_mut(Vec::pop).unwrap_or_default()
    }

    /// Gives an assembly back.
    pub(super) fn give_back(mut assembly: Box<Assembly>) {
        assembly.clear();
        SPARE_ASSEMBLIES.with_borrow_mut(|spare| {
            if spare.len() < SPARE_COUNT_MAX {
                spare.push(assembly);
            }
        });
    }

    /// Appends a piece of user data; `last` when the TSDU ends with it.
    pub(super) fn push(&mut self, mut piece: Slice, last: bool, pinned_octets_max: usize) {
        if piece.is_empty() {
            return;
        }
        self.octets += piece.len();
        if self.tail.is_empty()
            && let Some(previous) = self.rest.last_mut().or(self.head.as_mut())
            && let Some(joined) = previous.joined(&piece)
        {
            *previous = joined;
            return;
        }
        let small = piece.len() < COPY_THRESHOLD_OCTETS;
        // The last piece goes to the user at once, so it pins nothing for the time of the assembly.
        let by_reference = if last {
            !small || self.tail.is_empty()
        } else {
            let scarce = piece.is_scarce(SCARCE_PER_CENT);
            if scarce && self.pinned_octets > 0 {
                self.unpin();
            }
            !small && !scarce && self.pinned_octets + self.newly_pinned(&piece) <= pinned_octets_max
        };
        if by_reference {
            self.pinned_octets += self.newly_pinned(&piece);
            self.freeze_tail(Some(&mut piece));
            if !piece.is_empty() {
                self.push_slice(piece);
            }
        } else {
            if self.tail.len() + piece.len() > Gather::RECYCLED_OCTETS_MAX {
                self.freeze_tail(Some(&mut piece));
            }
            self.tail.extend(&piece);
        }
    }

    /// Appends octets of a TPDU other than DT.
    pub(super) fn push_control(&mut self, octets: &[u8]) {
        self.octets += octets.len();
        self.tail.extend(octets);
    }

    /// The octets of a TPDU other than DT.
    pub(super) fn control_octets(&self) -> &[u8] {
        &self.tail
    }

    /// Appends octets of an ED TPDU whose length was judged when it was announced.
    pub(super) fn push_expedited(&mut self, octets: &[u8]) {
        self.expedited_octets.try_extend_from_slice(octets).expect("an ED TPDU within its bounds");
    }

    /// The expedited TSDU, copied: it is short, and the TSDU under way goes on behind it.
    pub(super) fn finish_expedited(&mut self) -> Slice {
        self.expedited = false;
        let octets = Slice::copy_of(&self.expedited_octets);
        self.expedited_octets.clear();
        octets
    }

    /// The TSDU; the assembly is empty afterwards.
    pub(super) fn finish(&mut self) -> Body {
        self.freeze_tail(None);
        let body = Body::with_rest(self.head.take().unwrap_or_default(), std::mem::take(&mut self.rest));
        debug_assert_eq!(body.len(), self.octets);
        self.clear();
        body
    }

    /// Copies out what pins receive blocks.
    pub(super) fn unpin(&mut self) {
        for slice in self.head.iter_mut().chain(&mut self.rest) {
            *slice = std::mem::take(slice).detached();
        }
        self.pinned_octets = 0;
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.head = None;
        recycle(std::mem::take(&mut self.rest));
        self.tail.clear();
        (self.octets, self.pinned_octets, self.missing_octets) = (0, 0, 0);
        (self.eot, self.control, self.expedited) = (false, false, false);
        self.expedited_octets.clear();
    }

    /// Octets gathered so far, those of an ED TPDU not counted.
    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    /// Octets of the receive pool that the pieces pin.
    pub(super) fn pinned_octets(&self) -> usize {
        self.pinned_octets
    }

    /// Octets of an ED TPDU under way.
    pub(super) fn expedited_octets(&self) -> usize {
        self.expedited_octets.len()
    }

    fn newly_pinned(&self, piece: &Slice) -> usize {
        match self.rest.last().or(self.head.as_ref()) {
            Some(previous) if previous.same_block(piece) => 0,
            _ => piece.pinned_octets(),
        }
    }

    /// Makes a slice of the copied octets; as the head it is first filled up from `next`.
    fn freeze_tail(&mut self, next: Option<&mut Slice>) {
        if self.tail.is_empty() {
            return;
        }
        if let Some(next) = next
            && self.head.is_none()
            && self.tail.len() < HEAD_OCTETS_MIN
        {
            let fill = next.split_to(next.len().min(HEAD_OCTETS_MIN - self.tail.len()));
            self.tail.extend(&fill);
        }
        let tail = self.tail.freeze();
        self.push_slice(tail);
    }

    fn push_slice(&mut self, slice: Slice) {
        if self.head.is_none() {
            self.head = Some(slice);
            return;
        }
        if self.rest.capacity() == 0 {
            self.rest = SPARE_RESTS.with_borrow_mut(Vec::pop).unwrap_or_default();
        }
        self.rest.push(slice);
    }
}

/// Keeps the vector of a body for the next TSDU on this thread that straddles.
pub(super) fn recycle(mut rest: Vec<Slice>) {
    rest.clear();
    if (1..=SPARE_SLICES_MAX).contains(&rest.capacity()) {
        SPARE_RESTS.with_borrow_mut(|spare| {
            if spare.len() < SPARE_COUNT_MAX {
                spare.push(rest);
            }
        });
    }
}
