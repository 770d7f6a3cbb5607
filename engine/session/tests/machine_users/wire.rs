//! What travels to one side: an ordered normal flow, and an expedited flow that may overtake it.

use std::collections::VecDeque;

use colloquy_session::Indication;

use crate::machine_support::{Random, Sent};

/// One TSDU, or the T-DISCONNECT request behind all.
#[derive(Debug)]
pub(crate) struct Parcel {
    order: u64,
    pub(crate) sent: Sent,
    /// What the TSDU is to be indicated as; `None` for the machine's own SPDUs and for all but the last
    /// segment of one.
    pub(crate) told: Option<Indication<'static>>,
}

/// Both flows to one side.
///
/// An expedited TSDU may come before normal ones that were sent earlier, never after ones sent later.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    normal: VecDeque<Parcel>,
    expedited: VecDeque<Parcel>,
    next: u64,
}

impl Wire {
    pub(crate) fn put(&mut self, sent: Sent, told: Option<Indication<'static>>) {
        let order = self.next;
        self.next += 1;
        let flow = if matches!(sent, Sent::Expedited(_)) { &mut self.expedited } else { &mut self.normal };
        flow.push_back(Parcel { order, sent, told });
    }

    /// The next parcel: any that may come now.
    pub(crate) fn take(&mut self, random: &mut Random) -> Option<Parcel> {
        let normal = match (self.normal.front(), self.expedited.front()) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(normal), Some(expedited)) => normal.order < expedited.order && random.coin(),
        };
        if normal { self.normal.pop_front() } else { self.expedited.pop_front() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.normal.is_empty() && self.expedited.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.normal.clear();
        self.expedited.clear();
    }

    /// What is under way and will be indicated, oldest of each flow first.
    pub(crate) fn under_way(&self) -> impl Iterator<Item = &Indication<'static>> {
        self.normal.iter().chain(&self.expedited).filter_map(|parcel| parcel.told.as_ref())
    }
}
