//! The taps of one shard: what is copied for each, within its bounds. It runs on the shard's thread, for tapped sessions
//! alone.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use colloquy_shard::{SessionId, Tap, TapFacts};
use colloquy_transport::buf::{Slice, TxBatch};
use foldhash::{HashMap, HashMapExt};

use super::filter::{Fits, TapFilter, Verdict};
use super::record::{Event, Introduction, Outlet, Record, Run, TapOrder};
use super::walk::Walk;

/// The taps of one shard.
#[derive(Debug)]
pub(crate) struct Hub {
    taps: Vec<OfTap>,
    budget: Budget,
    /// What the shard's time counts from, since the epoch.
    origin: Duration,
}

/// One tap.
#[derive(Debug)]
struct OfTap {
    id: u64,
    filter: TapFilter,
    outlet: Outlet,
    sessions: HashMap<SessionId, Flows>,
}

/// Both directions of a session in one tap.
#[derive(Debug)]
struct Flows {
    undecided: bool,
    fits: Fits,
    /// Of what is received, while it is sought where to go on.
    walk: Walk,
    /// Octets are left out until a TSDU begins; received, then sent.
    seeking: [bool; 2],
    left_out: [u64; 2],
}

/// Octets that may be copied.
#[derive(Debug)]
struct Budget {
    per_second: u64,
    octets: u64,
    at: Duration,
    /// It did not do for a run. It is used again when there is enough for a while: going on costs a look for a beginning,
    /// here and in the file.
    spent: bool,
}

/// Times a second that a budget which was spent is used again.
const RESUMES_PER_SECOND_MAX: u64 = 16;

impl Budget {
    fn earn(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at);
        // All runs of a turn have one time.
        if passed.is_zero() {
            return;
        }
        let earned = u128::from(self.per_second) * passed.as_nanos() / 1_000_000_000;
        if earned > 0 {
            self.at = now;
            self.octets = self.octets.saturating_add(earned as u64).min(self.per_second);
        }
    }

    fn may_be_used(&mut self, now: Duration) -> bool {
        self.earn(now);
        self.spent = self.spent && self.octets < self.per_second / RESUMES_PER_SECOND_MAX;
        !self.spent
    }

    fn take(&mut self, now: Duration, octets: usize) -> bool {
        self.earn(now);
        let enough = self.octets >= octets as u64;
        if enough {
            self.octets -= octets as u64;
        }
        self.spent = !enough;
        enough
    }
}

impl Hub {
    /// Without taps; `now` is the shard's time.
    pub(crate) fn new(now: Duration, octets_per_second_max: u64) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            taps: Vec::new(),
            budget: Budget {
                per_second: octets_per_second_max,
                octets: octets_per_second_max,
                at: now,
                spent: false,
            },
            origin: since_epoch.saturating_sub(now),
        }
    }

    /// What may be copied from here on.
    pub(crate) fn set_octets_per_second_max(&mut self, octets_per_second_max: u64) {
        self.budget.per_second = octets_per_second_max;
        self.budget.octets = self.budget.octets.min(octets_per_second_max);
    }

    /// Begins a tap on shard number `shard`; true when it was not begun before.
    pub(crate) fn begin_tap(&mut self, order: &Arc<TapOrder>, shard: u16) -> bool {
        let place = order.outlets.get(usize::from(shard));
        let outlet = place.and_then(|place| place.lock().ok()?.take());
        let Some(outlet) = outlet else { return false };
        let (id, filter) = (order.id, order.filter.clone());
        self.taps.push(OfTap { id, filter, outlet, sessions: HashMap::new() });
        true
    }

    /// Ends a tap.
    pub(crate) fn end_tap(&mut self, id: u64) {
        self.taps.retain(|tap| tap.id != id);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.taps.is_empty()
    }

    /// True where some tap has the session.
    pub(crate) fn has(&self, session: SessionId) -> bool {
        self.taps.iter().any(|tap| tap.sessions.contains_key(&session))
    }

    /// Offers a session to the taps that do not have it; true where some tap has it now. `judge` is given each filter and
    /// whether the selectors of its partner fit. What is not known of one that is under way will not be known.
    pub(crate) fn offer(
        &mut self,
        session: SessionId,
        introduction: &Introduction,
        partner: Option<SessionId>,
        mut judge: impl FnMut(&TapFilter, Fits) -> (Verdict, Fits),
    ) -> bool {
        for tap in &mut self.taps {
            let of_partner = partner.and_then(|partner| Some(tap.sessions.get(&partner)?.fits));
            let (verdict, fits) = judge(&tap.filter, of_partner.unwrap_or_default());
            let undecided = verdict == Verdict::Later && !introduction.under_way;
            if tap.sessions.contains_key(&session) || (verdict != Verdict::Yes && !undecided) {
                continue;
            }
            let introduction = Box::new(Introduction { undecided, ..introduction.clone() });
            if !tap.outlet.push(Record { session, event: Event::Begin(introduction.clone()) }) {
                tap.outlet.shared.runs_left_out.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let flows = Flows {
                undecided,
                fits,
                walk: Walk::somewhere(),
                seeking: [introduction.under_way, false],
                left_out: [0; 2],
            };
            tap.sessions.insert(session, flows);
        }
        self.has(session)
    }

    /// Decides about a session that was let in before everything was known, of which more is known now; `last`: nothing
    /// more will be.
    pub(crate) fn decide(
        &mut self,
        session: SessionId,
        last: bool,
        mut judge: impl FnMut(&TapFilter, &mut Fits) -> Verdict,
    ) -> bool {
        for tap in &mut self.taps {
            let Some(flows) = tap.sessions.get_mut(&session) else { continue };
            let verdict = match judge(&tap.filter, &mut flows.fits) {
                Verdict::Later if last => Verdict::No,
                verdict => verdict,
            };
            match verdict {
                Verdict::Later => continue,
                _ if !flows.undecided => continue,
                Verdict::Yes => {
                    flows.undecided = false;
                    if tap.outlet.push(Record { session, event: Event::Decided }) {
                        continue;
                    }
                }
                Verdict::No => {
                    tap.outlet.push(Record { session, event: Event::Forget });
                }
            }
            tap.sessions.remove(&session);
        }
        self.has(session)
    }

    /// Nothing more comes of a session.
    fn end(&mut self, session: SessionId, now: Duration) {
        let at = nanoseconds(self.origin + now);
        for tap in &mut self.taps {
            if tap.sessions.remove(&session).is_some() {
                tap.outlet.push(Record { session, event: Event::End { at } });
            }
        }
    }

    fn hand_over(&mut self, of: &TapFacts, sent: bool, octets: &dyn Octets) {
        let at = nanoseconds(self.origin + of.now);
        let may_copy = self.budget.may_be_used(of.now);
        for tap in &mut self.taps {
            let Some(flows) = tap.sessions.get_mut(&of.session) else { continue };
            let length = octets.length();
            let room = may_copy && tap.outlet.has_room(length);
            let from = if room { flows.place_to_begin(of, sent, octets) } else { None };
            let taken = from.is_some_and(|from| {
                self.budget.take(of.now, length - from) && {
                    let run = flows.run(of, sent, (at, from), octets.copy(from, tap.outlet.buffer()));
                    tap.outlet.push(Record { session: of.session, event: Event::Octets(run) })
                }
            });
            if taken {
                flows.took(sent);
            } else {
                flows.leave_out(sent, length, from.is_some() || !room);
                tap.outlet.shared.runs_left_out.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl Flows {
    /// Where in these octets the tap may begin with them: at once, unless octets before them were left out.
    fn place_to_begin(&mut self, of: &TapFacts, sent: bool, octets: &dyn Octets) -> Option<usize> {
        if sent || !self.seeking[usize::from(sent)] {
            return Some(0);
        }
        self.walk.advance(of, octets.first_part())
    }

    fn run(&self, of: &TapFacts, sent: bool, (at, from): (u64, usize), octets: Vec<u8>) -> Run {
        let direction = usize::from(sent);
        Run {
            at,
            sent,
            state: of.state,
            next_serial: of.next_serial.0,
            resumes: self.seeking[direction],
            left_out: self.left_out[direction] + from as u64,
            octets,
        }
    }

    fn took(&mut self, sent: bool) {
        let direction = usize::from(sent);
        (self.seeking[direction], self.left_out[direction]) = (false, 0);
        if !sent {
            self.walk = Walk::somewhere();
        }
    }

    /// These octets are not in the tap; `unread`: it is not known what begins in them.
    fn leave_out(&mut self, sent: bool, octets: usize, unread: bool) {
        let direction = usize::from(sent);
        self.seeking[direction] = true;
        self.left_out[direction] += octets as u64;
        if unread && !sent {
            self.walk = Walk::somewhere();
        }
    }
}

impl Tap for Hub {
    fn received(&mut self, of: &TapFacts, octets: &Slice) {
        self.hand_over(of, false, octets);
    }

    fn sent(&mut self, of: &TapFacts, batch: &TxBatch) {
        self.hand_over(of, true, batch);
    }

    fn closed(&mut self, session: SessionId, now: Duration) {
        self.end(session, now);
    }
}

/// Octets in one piece or several.
trait Octets {
    fn length(&self) -> usize;
    /// All of them where they are in one piece; what was received always is.
    fn first_part(&self) -> &[u8];
    /// Fills `buffer`, which is empty.
    fn copy(&self, from: usize, buffer: Vec<u8>) -> Vec<u8>;
}

impl Octets for Slice {
    fn length(&self) -> usize {
        self.len()
    }

    fn first_part(&self) -> &[u8] {
        self
    }

    fn copy(&self, from: usize, mut buffer: Vec<u8>) -> Vec<u8> {
        buffer.extend_from_slice(&self[from..]);
        buffer
    }
}

impl Octets for TxBatch {
    fn length(&self) -> usize {
        self.remaining_octets()
    }

    fn first_part(&self) -> &[u8] {
        self.iovecs().next().unwrap_or_default()
    }

    fn copy(&self, from: usize, mut buffer: Vec<u8>) -> Vec<u8> {
        debug_assert_eq!(from, 0, "a batch begins with a TSDU");
        buffer.reserve(self.remaining_octets());
        self.iovecs().for_each(|part| buffer.extend_from_slice(part));
        buffer
    }
}

fn nanoseconds(since_epoch: Duration) -> u64 {
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_earned_with_time_and_not_saved_up() {
        let mut budget = Budget { per_second: 1000, octets: 1000, at: Duration::ZERO, spent: false };
        assert!(budget.take(Duration::ZERO, 900));
        assert!(!budget.take(Duration::ZERO, 200));
        assert!(budget.take(Duration::from_millis(100), 200));
        assert!(!budget.take(Duration::from_secs(60), 1001));
        assert!(budget.take(Duration::from_secs(60), 1000));
        // Looked at often, the parts of an octet are not lost.
        let mut at = Duration::from_secs(60);
        for _ in 0..10_000 {
            at += Duration::from_micros(100);
            budget.take(at, 2000);
        }
        assert!(budget.take(at, 1000), "{budget:?}");
    }
}
