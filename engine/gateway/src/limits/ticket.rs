//! What one session has taken of every limit.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::source::{Source, source_of};
use super::{AllNumbers, Gate, Limit, Limits, Numbers, Scope};
use crate::plan::{ListenerStatus, Plan, RouteStatus};

/// What one session has taken; dropping it gives all of it back.
#[derive(Debug)]
pub struct Ticket {
    limits: Arc<Limits>,
    listener: u16,
    listener_status: Arc<ListenerStatus>,
    route: Option<(u16, Arc<RouteStatus>)>,
    /// There until the ticket is dropped.
    source: Option<Arc<Source>>,
    established: bool,
    /// When the last of it was taken, in the plan's time.
    now: Duration,
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
            return Err((scope, limit));
        }
        Ok(Ticket {
            limits: Arc::clone(&plan.limits),
            listener: entrant.listener,
            listener_status: Arc::clone(&plan.listeners[usize::from(entrant.listener)]),
            route: None,
            source: Some(source),
            established: false,
            now,
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
        self.now = now;
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
            self.limits.sources.forget_unused(source, self.now);
        }
    }
}
