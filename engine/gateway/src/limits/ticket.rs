//! What one session has taken of every limit.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::source::{Source, source_of};
use super::{AllNumbers, Gate, Limit, Limits, Numbers, Scope};
use crate::plan::{ListenerStatus, Plan, RefusedFor, RouteStatus};

/// What one session has taken; dropping it gives all of it back.
#[derive(Debug)]
pub struct Ticket {
    limits: Arc<Limits>,
    listener: u16,
    listener_status: Arc<ListenerStatus>,
    route: Option<(u16, Arc<RouteStatus>)>,
    /// There until the ticket is dropped.
    pub(super) source: Option<Arc<Source>>,
    established: bool,
    /// When the last of it was taken, in the plan's time. Nanoseconds.
    taken_at: u64,
}

/// Where the session comes from and what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entrant {
    /// Index of its listener.
    pub(crate) listener: u16,
    /// Its source.
    pub(crate) address: IpAddr,
    /// Its connection has carried a session before.
    pub(crate) again: bool,
}

impl Ticket {
    /// Takes what a session takes that comes in; counts the refusal otherwise.
    ///
    /// # Errors
    /// The limit that it would exceed; nothing is taken.
    pub(crate) fn take(plan: &Arc<Plan>, now: Duration, entrant: Entrant) -> Result<Ticket, (Scope, Limit)> {
        let limits: &Limits = &plan.limits;
        let numbers = AllNumbers::of(&plan.config, usize::from(entrant.listener), None);
        let address = source_of(entrant.address, plan.config.limits.source_ipv6_prefix);
        let source = limits.sources.account(address, now);
        let listener = &plan.listeners[usize::from(entrant.listener)].limits;
        let scopes = [
            (Scope::Source, &source.gate, &numbers.source),
            (Scope::Listener(entrant.listener), listener, &numbers.listener),
            (Scope::All, &limits.gate, &numbers.all),
        ];
        let entered = enter_all(&scopes, now, entrant.again);
        if let Err((scope, limit)) = entered {
            let named = source.address();
            limits.sources.forget_unused(source, now);
            limits.refused(scope, limit, named);
            plan.listeners[usize::from(entrant.listener)].refused.count(RefusedFor::of_limit(limit));
            return Err((scope, limit));
        }
        Ok(Ticket {
            limits: Arc::clone(&plan.limits),
            listener: entrant.listener,
            listener_status: Arc::clone(&plan.listeners[usize::from(entrant.listener)]),
            route: None,
            source: Some(source),
            established: false,
            taken_at: now.as_nanos() as u64,
        })
    }

    /// Takes what the session takes of its route.
    ///
    /// # Errors
    /// The limit that it would exceed; it is counted, and nothing is taken.
    pub(crate) fn enter_route(
        &mut self,
        plan: &Arc<Plan>,
        now: Duration,
        route: u16,
    ) -> Result<(), (Scope, Limit)> {
        let numbers = AllNumbers::of(&plan.config, usize::from(self.listener), Some(usize::from(route)));
        let status = &plan.routes[usize::from(route)];
        match status.limits.enter(now, &numbers.route) {
            Ok(()) => {
                if self.established {
                    status.limits.established();
                }
                self.route = Some((route, Arc::clone(status)));
                Ok(())
            }
            Err(limit) => {
                plan.limits.refused(Scope::Route(route), limit, self.source());
                self.listener_status.refused.count(RefusedFor::of_limit(limit));
                Err((Scope::Route(route), limit))
            }
        }
    }

    /// The session's S-CONNECT was answered.
    pub(crate) fn established(&mut self) {
        if !std::mem::replace(&mut self.established, true) {
            self.limits.gate.established();
            self.listener_status.limits.established();
            if let Some(source) = &self.source {
                source.gate.established();
            }
            if let Some((_, route)) = &self.route {
                route.limits.established();
            }
        }
    }

    /// The numbers that hold for it in a plan.
    pub(crate) fn numbers(&self, plan: &Plan) -> AllNumbers {
        let route = self.route.as_ref().map(|(route, _)| usize::from(*route));
        AllNumbers::of(&plan.config, usize::from(self.listener), route)
    }

    /// Takes octets from every scope that limits them, and tells how long to wait until they are there, and which
    /// scope wants that. Whoever asked before is served before.
    pub(crate) fn reserve_octets(
        &mut self,
        plan: &Plan,
        now: Duration,
        octets: u64,
    ) -> Option<(Scope, Duration)> {
        self.taken_at = now.as_nanos() as u64;
        let numbers = self.numbers(plan);
        let gates = self.gates(&numbers);
        let waits = gates
            .into_iter()
            .flatten()
            .map(|(scope, gate, numbers)| (scope, gate.reserve_octets(now, numbers, octets)));
        let longest = waits.max_by_key(|(_, wait)| *wait);
        longest.filter(|(_, wait)| !wait.is_zero())
    }

    /// Gives back octets that were taken and not used.
    pub(crate) fn give_back_octets(&self, plan: &Plan, octets: u64) {
        let numbers = self.numbers(plan);
        for (_, gate, numbers) in self.gates(&numbers).into_iter().flatten() {
            gate.give_back_octets(numbers, octets);
        }
    }

    /// Every scope that it is in.
    fn gates<'a>(&'a self, numbers: &'a AllNumbers) -> [Option<(Scope, &'a Gate, &'a Numbers)>; 4] {
        let route = self.route.as_ref();
        [
            Some((Scope::All, &self.limits.gate, &numbers.all)),
            Some((Scope::Listener(self.listener), &self.listener_status.limits, &numbers.listener)),
            self.source.as_ref().map(|source| (Scope::Source, &source.gate, &numbers.source)),
            route.map(|(route, status)| (Scope::Route(*route), &status.limits, &numbers.route)),
        ]
    }

    /// Index of its route.
    pub(crate) fn route(&self) -> Option<usize> {
        self.route.as_ref().map(|(route, _)| usize::from(*route))
    }

    /// The source as it is named in records.
    pub(crate) fn source(&self) -> Option<IpAddr> {
        self.source.as_ref().and_then(|source| source.address())
    }
}

/// Enters every scope or none.
fn enter_all(scopes: &[(Scope, &Gate, &Numbers)], now: Duration, again: bool) -> Result<(), (Scope, Limit)> {
    for (at, (scope, gate, numbers)) in scopes.iter().enumerate() {
        let entered = if again { gate.enter_again(numbers) } else { gate.enter(now, numbers) };
        let Err(limit) = entered else { continue };
        for (_, gate, numbers) in &scopes[..at] {
            if again { gate.leave(false) } else { gate.undo(numbers) }
        }
        return Err((*scope, limit));
    }
    Ok(())
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.limits.gate.leave(self.established);
        self.listener_status.limits.leave(self.established);
        if let Some((_, route)) = &self.route {
            route.limits.leave(self.established);
        }
        if let Some(source) = self.source.take() {
            source.gate.leave(self.established);
            self.limits.sources.forget_unused(source, Duration::from_nanos(self.taken_at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::check_str;

    const TEXT: &str = "schema_version = 1
[limits]
sessions_max = 40
connects_per_second_max = 60
connections_not_established_max = 20
source_sessions_max = 9
source_connections_not_established_max = 5
octets_per_second_max = 100000
[[listener]]
name = \"a\"
address = \"127.0.0.1:0\"
application = \"relay\"
sessions_max = 25
connections_not_established_max = 12
[[listener]]
name = \"b\"
address = \"127.0.0.1:0\"
application = \"relay\"
connects_per_second_max = 30
[[route]]
name = \"r\"
target = \"t\"
sessions_max = 7
[[target]]
name = \"t\"
address = \"127.0.0.1:1\"
";

    /// A generator whose whole state is the seed that a failure prints.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % end
        }
    }

    /// What a model of the limits says that was taken.
    fn assert_counts(plan: &Plan, tickets: &[Ticket]) {
        let count = |is: &dyn Fn(&Ticket) -> bool| tickets.iter().filter(|ticket| is(ticket)).count() as u64;
        let open = |ticket: &Ticket| !ticket.established;
        let gate = &plan.limits.gate;
        assert_eq!(gate.sessions(), tickets.len() as u64);
        assert_eq!(gate.not_established(), count(&open));
        for (index, listener) in (0..).zip(&plan.listeners) {
            assert_eq!(listener.limits.sessions(), count(&|ticket| ticket.listener == index));
            let of_it = |ticket: &Ticket| ticket.listener == index && open(ticket);
            assert_eq!(listener.limits.not_established(), count(&of_it));
        }
        assert_eq!(plan.routes[0].limits.sessions(), count(&|ticket| ticket.route.is_some()));
        let most = |max: u64, is: &dyn Fn(&Ticket) -> bool| assert!(count(is) <= max);
        most(40, &|_| true);
        most(20, &open);
        most(25, &|ticket| ticket.listener == 0);
        most(7, &|ticket| ticket.route.is_some());
        for source in 0..8 {
            let address = Some(IpAddr::from([10, 0, 0, source]));
            most(9, &|ticket| ticket.source() == address);
            most(5, &|ticket| ticket.source() == address && open(ticket));
        }
    }

    #[test]
    fn whatever_comes_and_goes_each_taking_is_given_back_once() {
        let seed = std::env::var("COLLOQUY_SEED").ok().and_then(|seed| seed.parse().ok());
        let mut random = Random(seed.unwrap_or(0x5eed_1234_abcd_0001));
        println!("COLLOQUY_SEED={}", random.0);
        let config = check_str("test", TEXT).unwrap_or_else(|faults| panic!("{faults}"));
        let plan = Arc::new(Plan::new(Arc::new(config)));
        let mut tickets: Vec<Ticket> = Vec::new();
        let mut now = Duration::from_secs(1);
        let mut refused = 0_u64;
        for _ in 0..20_000 {
            now += Duration::from_millis(random.below(40));
            let at = random.below(tickets.len().max(1) as u64) as usize;
            match random.below(5) {
                0 | 1 => {
                    let address = IpAddr::from([10, 0, 0, random.below(8) as u8]);
                    let listener = random.below(2) as u16;
                    let entrant = Entrant { listener, address, again: random.below(4) == 0 };
                    match Ticket::take(&plan, now, entrant) {
                        Ok(ticket) => tickets.push(ticket),
                        Err(_) => refused += 1,
                    }
                }
                2 if at < tickets.len() => drop(tickets.swap_remove(at)),
                3 if at < tickets.len() => tickets[at].established(),
                4 if at < tickets.len() && tickets[at].route.is_none() => {
                    refused += u64::from(tickets[at].enter_route(&plan, now, 0).is_err());
                }
                _ => {}
            }
            assert_counts(&plan, &tickets);
        }
        let counted: u64 = plan.limits.tally(now).refused.iter().map(|(_, _, count)| count).sum();
        assert_eq!(counted, refused);
        assert!(refused > 100, "the limits were met");
        tickets.clear();
        assert_counts(&plan, &tickets);
        assert_eq!(plan.limits.tally(now + Duration::from_secs(2)).sources, 0);
    }

    #[test]
    fn octets_that_a_session_did_not_use_are_there_for_the_next() {
        let config = check_str("test", TEXT).unwrap_or_else(|faults| panic!("{faults}"));
        let plan = Arc::new(Plan::new(Arc::new(config)));
        let now = Duration::from_secs(1);
        let entrant = Entrant { listener: 0, address: [10, 0, 0, 1].into(), again: false };
        let mut ticket = Ticket::take(&plan, now, entrant).unwrap();
        assert_eq!(ticket.reserve_octets(&plan, now, 100_000), None);
        let (scope, wait) = ticket.reserve_octets(&plan, now, 50_000).unwrap();
        assert_eq!((scope, wait), (Scope::All, Duration::from_millis(500)));
        ticket.give_back_octets(&plan, 50_000);
        assert_eq!(ticket.reserve_octets(&plan, now, 1000), Some((Scope::All, Duration::from_millis(10))));
    }
}
