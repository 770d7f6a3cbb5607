//! A hierarchical timer wheel: one deadline for each slab index, in ticks of one millisecond.
//!
//! Arming, moving and cancelling are O(1) and, once the wheel has grown to the highest index, do not
//! allocate. It knows nothing of what a deadline is for and never asks for the time.

use std::time::Duration;

/// Slots in one level; a power of two so that the occupied ones fit one word.
const SLOTS: usize = 64;
/// Bits of a tick that one level looks at.
const SLOT_BITS: u32 = 6;
/// Levels: 64^6 ticks, 795 days.
const LEVELS: usize = 6;
/// Deadlines further away than this wait in the last level and are placed again when it turns. One slot
/// less than a full turn, so that the current slot of the last level never holds what is a turn away.
const PLACED_TICKS_MAX: u64 = (SLOTS as u64 - 1) << (SLOT_BITS * (LEVELS as u32 - 1));
/// End of a list.
const NIL: u32 = u32::MAX;

const _: () = assert!(SLOTS == 1 << SLOT_BITS);

/// The wheel.
///
/// Invariant: every armed entry lies in the slot that its tick has in the lowest level at which the
/// tick and `elapsed` still differ; so a lower level always runs out before a higher one.
#[derive(Debug)]
pub struct Wheel {
    elapsed: u64,
    levels: [Level; LEVELS],
    entries: Vec<Entry>,
    armed_count: usize,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    /// One bit a slot that has entries.
    occupied: u64,
    heads: [u32; SLOTS],
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    tick: u64,
    previous: u32,
    next: u32,
    /// Level times [`SLOTS`] plus slot, or [`Entry::IDLE`].
    place: u16,
}

impl Entry {
    const IDLE: u16 = u16::MAX;
}

impl Default for Wheel {
    fn default() -> Self {
        Self::new()
    }
}

impl Wheel {
    /// An empty wheel at tick 0.
    pub fn new() -> Self {
        let level = Level { occupied: 0, heads: [NIL; SLOTS] };
        Self { elapsed: 0, levels: [level; LEVELS], entries: Vec::new(), armed_count: 0 }
    }

    /// The tick at which a deadline has certainly passed: rounded up.
    pub fn tick_of(at: Duration) -> u64 {
        at.as_secs().saturating_mul(1000).saturating_add(u64::from(at.subsec_nanos().div_ceil(1_000_000)))
    }

    /// Arms the timer of `index`, or moves it. A tick that has passed becomes the next one, so that
    /// a timer set while timers run waits for the next turn.
    pub fn arm(&mut self, index: u32, tick: u64) {
        self.cancel(index);
        if index as usize >= self.entries.len() {
            let idle = Entry { tick: 0, previous: NIL, next: NIL, place: Entry::IDLE };
            self.entries.resize(index as usize + 1, idle);
        }
        self.armed_count += 1;
        self.link(index, tick.max(self.elapsed + 1));
    }

    /// Disarms the timer of `index`; does nothing when it is not armed.
    pub fn cancel(&mut self, index: u32) {
        let Some(&entry) = self.entries.get(index as usize) else { return };
        if entry.place == Entry::IDLE {
            return;
        }
        self.armed_count -= 1;
        self.unlink(index, entry);
    }

    /// Moves time to `now` at most and takes out one timer whose tick has come; call until `None`.
    pub fn expire(&mut self, now: u64) -> Option<u32> {
        while let Some((level, slot, start)) = self.next_slot() {
            if start > now {
                break;
            }
            self.elapsed = start;
            let index = self.levels[level].heads[slot];
            let entry = self.entries[index as usize];
            if level == 0 {
                self.armed_count -= 1;
                self.unlink(index, entry);
                return Some(index);
            }
            self.cascade(level, slot);
        }
        self.elapsed = self.elapsed.max(now);
        None
    }

    /// The tick at which [`Wheel::expire`] has something to do: never after the earliest deadline, and
    /// before it only when a level has to turn.
    pub fn next_expiry(&self) -> Option<u64> {
        self.next_slot().map(|(_, _, start)| start)
    }

    /// Armed timers.
    pub fn armed_count(&self) -> usize {
        self.armed_count
    }

    /// The first occupied slot in time: level, slot, tick at which it starts.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        for (number, level) in self.levels.iter().enumerate() {
            if level.occupied == 0 {
                continue;
            }
            let shift = SLOT_BITS * number as u32;
            let current = (self.elapsed >> shift) & (SLOTS as u64 - 1);
            let ahead = level.occupied.rotate_right(current as u32).trailing_zeros();
            let slot = (current as usize + ahead as usize) % SLOTS;
            let turn = self.elapsed >> (shift + SLOT_BITS) << (shift + SLOT_BITS);
            let mut start = turn + ((slot as u64) << shift);
            if start < self.elapsed {
                // Only the last level wraps round: below, the next turn is one slot further up.
                start += (SLOTS as u64) << shift;
            }
            return Some((number, slot, start));
        }
        None
    }

    /// Places all entries of a slot that has come up again, lower down.
    fn cascade(&mut self, level: usize, slot: usize) {
        let mut index = std::mem::replace(&mut self.levels[level].heads[slot], NIL);
        self.levels[level].occupied &= !(1 << slot);
        while index != NIL {
            let Entry { next, tick, .. } = self.entries[index as usize];
            self.link(index, tick);
            index = next;
        }
    }

    fn link(&mut self, index: u32, tick: u64) {
        let placed = tick.min(self.elapsed + PLACED_TICKS_MAX);
        let differing = (self.elapsed ^ placed) | (SLOTS as u64 - 1);
        let level = ((differing.ilog2() / SLOT_BITS) as usize).min(LEVELS - 1);
        let slot = (placed >> (SLOT_BITS * level as u32)) as usize % SLOTS;
        let head = std::mem::replace(&mut self.levels[level].heads[slot], index);
        self.levels[level].occupied |= 1 << slot;
        if head != NIL {
            self.entries[head as usize].previous = index;
        }
        self.entries[index as usize] =
            Entry { tick, previous: NIL, next: head, place: (level * SLOTS + slot) as u16 };
    }

    fn unlink(&mut self, index: u32, entry: Entry) {
        let (level, slot) = (usize::from(entry.place) / SLOTS, usize::from(entry.place) % SLOTS);
        if entry.previous == NIL {
            self.levels[level].heads[slot] = entry.next;
            if entry.next == NIL {
                self.levels[level].occupied &= !(1 << slot);
            }
        } else {
            self.entries[entry.previous as usize].next = entry.next;
        }
        if entry.next != NIL {
            self.entries[entry.next as usize].previous = entry.previous;
        }
        self.entries[index as usize].place = Entry::IDLE;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Arm { index: u32, ahead: u64 },
        Cancel(u32),
        Pass(u64),
    }

    fn distance() -> impl Strategy<Value = u64> {
        prop_oneof![0..70_u64, 0..5_000_u64, 0..10_000_000_u64, 0..1_u64 << 40]
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0..40_u32, distance()).prop_map(|(index, ahead)| Step::Arm { index, ahead }),
            1 => (0..40_u32).prop_map(Step::Cancel),
            3 => distance().prop_map(Step::Pass),
        ];
        prop::collection::vec(step, 1..200)
    }

    proptest! {
        // proptest prints the failing case and its seed; PROPTEST_RNG_SEED takes a seed back.
        #[test]
        fn it_expires_what_an_ordered_map_expires(steps in steps()) {
            let (mut wheel, mut model, mut now) = (Wheel::new(), BTreeMap::<u32, u64>::new(), 0_u64);
            for step in steps {
                match step {
                    Step::Arm { index, ahead } => {
                        wheel.arm(index, now + ahead);
                        model.insert(index, (now + ahead).max(now + 1));
                    }
                    Step::Cancel(index) => {
                        wheel.cancel(index);
                        model.remove(&index);
                    }
                    Step::Pass(ticks) => {
                        now += ticks;
                        let mut previous = 0;
                        while let Some(index) = wheel.expire(now) {
                            let tick = model.remove(&index).expect("only armed timers expire");
                            prop_assert!(tick <= now);
                            prop_assert!(tick >= previous, "in the order of their ticks");
                            previous = tick;
                        }
                        prop_assert!(model.values().all(|&tick| tick > now));
                    }
                }
                prop_assert_eq!(wheel.armed_count(), model.len());
                match (wheel.next_expiry(), model.values().min()) {
                    (None, None) => {}
                    (Some(next), Some(&earliest)) => prop_assert!(now <= next && next <= earliest),
                    (next, earliest) => prop_assert!(false, "{next:?} against {earliest:?}"),
                }
            }
        }
    }

    #[test]
    fn a_deadline_rounds_up_to_its_tick() {
        assert_eq!(Wheel::tick_of(Duration::from_nanos(1)), 1);
        assert_eq!(Wheel::tick_of(Duration::from_millis(7)), 7);
        assert_eq!(Wheel::tick_of(Duration::MAX), u64::MAX);
    }

    #[test]
    fn a_timer_set_for_the_past_waits_for_the_next_tick() {
        let mut wheel = Wheel::new();
        assert_eq!(wheel.expire(1000), None);
        wheel.arm(3, 10);
        assert_eq!(wheel.expire(1000), None);
        assert_eq!(wheel.expire(1001), Some(3));
        assert_eq!(wheel.expire(1001), None);
    }
}
