//! Questions of the control thread about sessions, answered by a shard with plain values between two turns.
//!
//! A page has at most [`PAGE_MAX`] sessions, and the next one is asked for when it has been taken: a shard never stops
//! for long, however many sessions there are.

use std::net::SocketAddr;
use std::time::Duration;

use colloquy_shard::{Context, SessionId, SessionView};
use colloquy_transport::driver::Driver;
use tokio::sync::mpsc;

use super::GatewayApp;
use super::closing::{CloseHow, Why};
use super::held::Flow;
use super::recent::{Detail, Happening};
use super::state::{Role, TimerFor};

/// Sessions that one question is answered with at most.
pub(crate) const PAGE_MAX: usize = 256;

/// A question to one shard, with where its answer goes.
#[derive(Clone, Debug)]
pub struct Query {
    pub(crate) question: Question,
    /// Takes one answer; never waited for.
    pub(crate) reply: mpsc::Sender<Answer>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Sessions whose index is at least this.
    Page {
        /// The first index.
        from: u32,
    },
    /// Everything about one session.
    One(SessionId),
    /// To end a session.
    Close(SessionId, CloseHow),
}

/// What a shard answers.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Some sessions.
    Page {
        rows: Vec<SessionRow>,
        /// Where the next page begins; `None`: there is none.
        next: Option<u32>,
    },
    /// A session and the other leg of its relay; `None`: there is no such session.
    One(Option<Box<SessionDetail>>),
    /// True: the session is being ended; false: there is none.
    Close(bool),
}

/// A session, as its shard and its application see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionRow {
    pub(crate) id: SessionId,
    pub(crate) shard: u16,
    /// The shard's time at which this was looked at.
    pub(crate) now: Duration,
    /// When it was opened, in the time of all shards: they are asked one after the other, so that ages do not compare.
    pub(crate) opened: Duration,
    pub(crate) view: SessionView,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) role: Role,
    pub(crate) partner: Option<SessionId>,
    pub(crate) timer: TimerFor,
    /// The gateway is ending it.
    pub(crate) why: Option<Why>,
    /// The data token was asked for because SSDUs wait for it.
    pub(crate) token_asked: bool,
    /// FN was sent because the other leg's peer wants to release.
    pub(crate) release_requested: bool,
    /// SSDUs, or segments of one, wait to be sent on.
    pub(crate) holds: bool,
    /// Since when nothing has come from its peer, nor from that of the other leg.
    pub(crate) idle_since: Duration,
    pub(crate) ssdus: [u64; 2],
    pub(crate) octets: [u64; 2],
}

/// All about a session.
#[derive(Clone, Debug)]
pub(crate) struct SessionDetail {
    pub(crate) row: SessionRow,
    pub(crate) events: Vec<Happening>,
    pub(crate) partner: Option<(SessionRow, Vec<Happening>)>,
}

impl GatewayApp {
    /// Answers a question.
    pub(super) fn answer_query<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, query: &Query) {
        let answer = match query.question {
            Question::Page { from } => self.page(ctx, from),
            Question::One(id) => Answer::One(self.detail(ctx, id).map(Box::new)),
            Question::Close(id, how) => {
                self.recent.push(id, ctx.now(), "an operator ends it", Detail::Nothing);
                Answer::Close(self.close_session(ctx, id, how, Why::Operator))
            }
        };
        // Who asked may have left; nobody else needs the answer.
        let _ = query.reply.try_send(answer);
    }

    fn page<D: Driver>(&self, ctx: &mut Context<'_, D, Self>, from: u32) -> Answer {
        let ids: Vec<SessionId> = ctx.sessions_from(from, PAGE_MAX).collect();
        let next = (ids.len() == PAGE_MAX).then(|| ids.last().map(|id| id.index + 1)).flatten();
        Answer::Page { rows: ids.into_iter().filter_map(|id| self.row(ctx, id)).collect(), next }
    }

    fn row<D: Driver>(&self, ctx: &mut Context<'_, D, Self>, id: SessionId) -> Option<SessionRow> {
        let (view, peer, now) = (ctx.view(id)?, ctx.peer(id), ctx.now());
        let partner = ctx.state(id)?.partner;
        let heard_there = partner.and_then(|partner| ctx.view(partner)).map(|view| view.heard_at);
        let state = ctx.state(id)?;
        Some(SessionRow {
            id,
            shard: self.shard,
            now,
            opened: self.common_time(view.opened_at),
            view,
            peer,
            role: state.role,
            partner,
            idle_since: heard_there.map_or(view.heard_at, |there| there.max(view.heard_at)),
            timer: state.timer,
            why: state.why,
            token_asked: state.token_asked,
            release_requested: state.release_requested,
            holds: state.held[Flow::Data].is_some() || state.held[Flow::Typed].is_some(),
            ssdus: [state.ssdus_in, state.ssdus_out],
            octets: [state.octets_in, state.octets_out],
        })
    }

    fn detail<D: Driver>(&self, ctx: &mut Context<'_, D, Self>, id: SessionId) -> Option<SessionDetail> {
        let row = self.row(ctx, id)?;
        let partner =
            row.partner.and_then(|partner| Some((self.row(ctx, partner)?, self.recent.of(partner))));
        Some(SessionDetail { row, events: self.recent.of(id), partner })
    }
}
