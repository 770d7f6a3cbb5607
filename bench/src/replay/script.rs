//! A recorded session made ready for many copies: octets to be shared, names to be counted by.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use colloquy_transport::buf::Slice;
use colloquy_transport::class0::ConnectTpdu;

use super::kinds::SpduKinds;
use super::recording::RecordedSession;

/// Most kinds of answers that are reported by themselves; further ones are counted together as `other`.
pub const KINDS_MAX: usize = 64;

/// The names under which answers are counted; the first is that of the CC.
#[derive(Debug)]
pub(crate) struct Names(Vec<String>);

impl Names {
    pub(crate) fn new() -> Names {
        Names(vec!["CC".into()])
    }

    fn of(&mut self, kinds: &SpduKinds) -> usize {
        let name = kinds.to_string();
        match self.0.iter().position(|known| *known == name) {
            Some(index) => index,
            None if self.0.len() < KINDS_MAX => {
                self.0.push(name);
                self.0.len() - 1
            }
            None => {
                if self.0.len() == KINDS_MAX {
                    self.0.push("other".into());
                }
                KINDS_MAX
            }
        }
    }

    pub(crate) fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// What a copy does, and what it expects.
#[derive(Debug)]
pub(crate) struct Script {
    /// Number of the session in the capture, from 1.
    pub(crate) session: usize,
    pub(crate) to: SocketAddr,
    pub(crate) connect: ConnectTpdu,
    pub(crate) expedited: bool,
    /// When the session began, from the beginning of the first one that is replayed.
    pub(crate) start: Duration,
    pub(crate) requests: Vec<Request>,
    pub(crate) answers: Vec<Answer>,
    /// The recording ends before the session does, so that answers beyond it are no fault.
    pub(crate) cut: bool,
}

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) octets: Slice,
    pub(crate) expedited: bool,
    /// From the beginning of the session.
    pub(crate) offset: Duration,
    pub(crate) answers_before: usize,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) kinds: SpduKinds,
    pub(crate) name: usize,
    pub(crate) record: u64,
    pub(crate) request: Option<usize>,
    pub(crate) wait: Duration,
    /// The lowest `answers_before` of the requests that this answer and later ones are paired with.
    pub(crate) ready_from: usize,
}

impl Script {
    /// The script of `session`, whose number is `number`; `origin` is the offset of the first CR replayed.
    pub(crate) fn new(
        session: &RecordedSession,
        number: usize,
        to: Option<SocketAddr>,
        origin: Duration,
        names: &mut Names,
    ) -> Rc<Script> {
        let requests: Vec<Request> = session
            .requests
            .iter()
            .map(|request| Request {
                octets: Slice::from_vec(request.octets.clone()),
                expedited: request.expedited,
                offset: request.at.offset.saturating_sub(session.began.offset),
                answers_before: request.answers_before,
            })
            .collect();
        let mut answers: Vec<Answer> = session
            .answers
            .iter()
            .map(|answer| Answer {
                name: names.of(&answer.kinds),
                kinds: answer.kinds.clone(),
                record: answer.at.record,
                request: answer.request,
                wait: answer.wait,
                ready_from: 0,
            })
            .collect();
        let mut ready_from = usize::MAX;
        for answer in answers.iter_mut().rev() {
            if let Some(request) = answer.request {
                ready_from = ready_from.min(requests[request].answers_before);
            }
            answer.ready_from = ready_from;
        }
        Rc::new(Script {
            session: number,
            to: to.unwrap_or(session.responder),
            connect: session.connect,
            expedited: session.expedited,
            start: session.began.offset.saturating_sub(origin),
            requests,
            answers,
            cut: session.cut.is_some(),
        })
    }
}
