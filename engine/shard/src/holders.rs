//! The sessions that keep receive blocks while they wait for more octets, the longest silent first.

use std::time::Duration;

/// End of the list, and mark of a session that is not in it.
const NIL: u32 = u32::MAX;

/// A list through the sessions' slots: joining, leaving and moving to the end cost the same whatever its length.
#[derive(Debug)]
pub(crate) struct Holders {
    links: Vec<Link>,
    first: u32,
    last: u32,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    after: u32,
    /// When octets came last.
    at: Duration,
    listed: bool,
}

impl Holders {
    pub(crate) fn new() -> Self {
        Self { links: Vec::new(), first: NIL, last: NIL }
    }

    /// Puts a session at the end: octets came for it at `now`, and it keeps some of them.
    pub(crate) fn touch(&mut self, index: u32, now: Duration) {
        if index as usize >= self.links.len() {
            let unlisted = Link { before: NIL, after: NIL, at: Duration::ZERO, listed: false };
            self.links.resize(index as usize + 1, unlisted);
        }
        self.remove(index);
        let before = std::mem::replace(&mut self.last, index);
        self.links[index as usize] = Link { before, after: NIL, at: now, listed: true };
        self.set_after(before, index);
    }

    /// Puts a session at the end unless it is in.
    pub(crate) fn join(&mut self, index: u32, now: Duration) {
        if !self.links.get(index as usize).is_some_and(|link| link.listed) {
            self.touch(index, now);
        }
    }

    /// Takes a session out, if it is in.
    pub(crate) fn remove(&mut self, index: u32) {
        let Some(link) = self.links.get_mut(index as usize) else { return };
        if !std::mem::take(&mut link.listed) {
            return;
        }
        let Link { before, after, .. } = *link;
        self.set_after(before, after);
        match self.links.get_mut(after as usize) {
            Some(link) => link.before = before,
            None => self.last = before,
        }
    }

    /// The session that has been silent longest, and since when.
    pub(crate) fn first(&self) -> Option<(u32, Duration)> {
        self.links.get(self.first as usize).map(|link| (self.first, link.at))
    }

    fn set_after(&mut self, index: u32, after: u32) {
        match self.links.get_mut(index as usize) {
            Some(link) => link.after = after,
            None => self.first = after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// Whatever joins, moves and leaves: the list is the one that a plain vector has.
        #[test]
        fn the_order_is_that_of_the_last_touch(acts in proptest::collection::vec((0..8u32, 0..3u8), 0..200)) {
            let mut holders = Holders::new();
            let mut plain: Vec<(u32, Duration)> = Vec::new();
            for (at, (index, act)) in acts.into_iter().enumerate() {
                let now = Duration::from_millis(at as u64);
                plain.retain(|(held, _)| *held != index);
                if act == 0 {
                    holders.remove(index);
                } else {
                    holders.touch(index, now);
                    plain.push((index, now));
                }
                assert_eq!(holders.first(), plain.first().copied());
            }
            for expected in plain {
                assert_eq!(holders.first(), Some(expected));
                holders.remove(expected.0);
            }
            assert_eq!(holders.first(), None);
        }
    }
}
