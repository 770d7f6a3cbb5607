//! Sessions and taps: which session is for which tap, told when it begins, is connected and routed.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use colloquy_session::ConnectParameters;
use colloquy_shard::{Context, SessionId, SessionPhase, SessionView, Tap, TapFacts};
use colloquy_transport::buf::{Slice, TxBatch};
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::Driver;

use super::GatewayApp;
use super::state::Role;
use crate::config::Config;
use crate::name::SessionName;
use crate::tap::{Candidate, Fits, Hub, Introduction, TapFilter, TapOrder, Verdict};

/// The taps of a shard, for its application and for the shard itself.
pub(super) type Taps = Rc<RefCell<Hub>>;

/// The shard's hold of the taps.
struct Looking(Taps);

impl Tap for Looking {
    fn received(&mut self, of: &TapFacts, octets: &Slice) {
        self.0.borrow_mut().received(of, octets);
    }

    fn sent(&mut self, of: &TapFacts, batch: &TxBatch) {
        self.0.borrow_mut().sent(of, batch);
    }

    fn closed(&mut self, session: SessionId, now: Duration) {
        self.0.borrow_mut().closed(session, now);
    }
}

/// What filters ask about a session.
struct Known {
    name: SessionName,
    introduction: Introduction,
    listener: Option<u32>,
    route: Option<u16>,
    target: Option<u16>,
    transport: Option<ConnectTpdu>,
    /// The downstream session of an upstream one, which has its selectors.
    partner: Option<SessionId>,
}

impl Known {
    fn verdict(&self, filter: &TapFilter, config: &Config, fits: Fits) -> Verdict {
        let listener = self.listener.and_then(|index| config.listeners.get(index as usize));
        let target = self.target.and_then(|index| config.targets.get(usize::from(index)));
        let route = self.route.and_then(|index| config.routes.get(usize::from(index)));
        let verdict = filter.verdict(&Candidate {
            session: self.name,
            listener: listener.map(|listener| listener.name.as_str()),
            target: target.map(|target| target.name.as_str()),
            route: route.map(|route| route.name.as_str()),
            peer: self.introduction.peer.ip(),
            fits,
        });
        match verdict {
            // What an upstream session was opened for was known when it was opened.
            Verdict::Later if self.introduction.initiates => Verdict::No,
            verdict => verdict,
        }
    }

    fn fits(&self, filter: &TapFilter, of_partner: Fits) -> Fits {
        match &self.transport {
            Some(connect) => Fits { tsaps: Some(tsaps_fit(filter, connect)), ssaps: None },
            None => of_partner,
        }
    }
}

fn tsaps_fit(filter: &TapFilter, connect: &ConnectTpdu) -> bool {
    let (called, calling) = (connect.called.unwrap_or_default(), connect.calling.unwrap_or_default());
    filter.tsaps_fit([called.as_octets(), calling.as_octets()])
}

impl GatewayApp {
    /// Begins a tap: for sessions that are there from where they are, for later ones from their beginning.
    pub(super) fn begin_tap<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, order: &Arc<TapOrder>) {
        let rate = self.config.admin.tap_octets_per_second_max;
        let now = ctx.now();
        let taps = self.taps.get_or_insert_with(|| Rc::new(RefCell::new(Hub::new(now, rate))));
        let taps = Rc::clone(taps);
        if !taps.borrow_mut().begin_tap(order, self.shard) {
            return;
        }
        ctx.set_tap(Some(Box::new(Looking(taps))));
        // Those that have not brought a CR yet are there too.
        let sessions: Vec<SessionId> = ctx.sessions_from(0, usize::MAX).collect();
        for session in sessions {
            let begins = |view: SessionView| {
                let phases = [SessionPhase::AwaitCr, SessionPhase::Connecting];
                phases.contains(&view.phase) && view.held_octets + view.queued_octets == 0
            };
            let under_way = !ctx.view(session).is_some_and(begins);
            self.offer(ctx, session, under_way);
        }
    }

    /// Taps that are on go by the new configuration.
    pub(super) fn taps_reloaded(&mut self) {
        if let Some(taps) = &self.taps {
            taps.borrow_mut().set_octets_per_second_max(self.config.admin.tap_octets_per_second_max);
        }
    }

    /// Ends a tap. Sessions lose their mark when the last one that had them is gone.
    pub(super) fn end_tap<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: u64) {
        let Some(taps) = self.taps.clone() else { return };
        taps.borrow_mut().end_tap(id);
        let sessions: Vec<SessionId> = ctx.sessions_from(0, usize::MAX).collect();
        for session in sessions {
            let has = taps.borrow().has(session);
            ctx.set_tapped(session, has);
        }
        if taps.borrow().is_empty() {
            ctx.set_tap(None);
            self.taps = None;
        }
    }

    /// A connection was let in, or a session was opened for another.
    pub(super) fn tap_opened<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        if self.taps.is_some() {
            self.offer(ctx, id, false);
        }
    }

    /// A CR has come: the transport selectors are known.
    pub(super) fn tap_transport<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        connect: &ConnectTpdu,
    ) {
        self.decide(ctx, id, false, |filter, fits| fits.tsaps = Some(tsaps_fit(filter, connect)));
    }

    /// S-CONNECT was indicated: the session selectors are known.
    pub(super) fn tap_connect<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        connect: &ConnectParameters<'_>,
    ) {
        let ssaps = [connect.called.as_octets(), connect.calling.as_octets()];
        self.decide(ctx, id, false, |filter, fits| fits.ssaps = Some(filter.ssaps_fit(ssaps)));
    }

    /// S-CONNECT was taken care of: a session has its route and target, or will have none.
    pub(super) fn tap_routed<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId) {
        self.decide(ctx, id, true, |_, _| {});
    }

    fn decide<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        last: bool,
        note: impl Fn(&TapFilter, &mut Fits),
    ) {
        let Some(taps) = self.taps.clone() else { return };
        let Some(known) = self.known(ctx, id) else { return };
        let config = Arc::clone(&self.config);
        let has = taps.borrow_mut().decide(id, last, |filter, fits| {
            note(filter, fits);
            known.verdict(filter, &config, *fits)
        });
        ctx.set_tapped(id, has);
    }

    fn offer<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, under_way: bool) {
        let (Some(taps), Some(mut known)) = (self.taps.clone(), self.known(ctx, id)) else { return };
        known.introduction.under_way = under_way;
        let config = Arc::clone(&self.config);
        let has = taps.borrow_mut().offer(id, &known.introduction, known.partner, |filter, of_partner| {
            let fits = known.fits(filter, of_partner);
            (known.verdict(filter, &config, fits), fits)
        });
        ctx.set_tapped(id, has);
    }

    /// What is known of a session now; none where it has ended.
    fn known<D: Driver>(&self, ctx: &mut Context<'_, D, Self>, id: SessionId) -> Option<Known> {
        let peer: SocketAddr = ctx.peer(id)?;
        let accepted_by = ctx.listener(id);
        let (role, partner) = ctx.state(id).map(|state| (state.role, state.partner))?;
        let of_partner = partner.and_then(|partner| Some(ctx.state(partner)?.role));
        let (listener, route, target) = match role {
            Role::Downstream { listener, route, target } => (Some(u32::from(listener)), route, target),
            Role::Upstream { target } | Role::Probe { target } | Role::Warm { target } => match of_partner {
                Some(Role::Downstream { listener, route, .. }) => {
                    (Some(u32::from(listener)), route, Some(target))
                }
                _ => (None, None, Some(target)),
            },
            Role::Echo { .. } | Role::Sink { .. } | Role::Unknown => (accepted_by, None, None),
        };
        let initiates = accepted_by.is_none();
        let transport = ctx.state(id).and_then(|state| state.transport.as_deref().copied());
        Some(Known {
            name: SessionName { shard: self.shard, session: id },
            introduction: Introduction {
                peer,
                initiates,
                listener: accepted_by,
                target: target.filter(|_| initiates).map(u32::from),
                under_way: false,
                undecided: false,
            },
            listener,
            route,
            target,
            transport,
            partner: partner.filter(|_| initiates),
        })
    }
}
