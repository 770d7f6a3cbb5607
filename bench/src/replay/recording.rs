//! A recorded session: what its initiator sent, what was answered, and in which order.

use std::net::SocketAddr;
use std::time::Duration;

use colloquy_session::spdu::SpduKind;
use colloquy_transport::class0::ConnectTpdu;

use super::kinds::{SpduKinds, asked_by};

/// Where and when a capture has something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Number of the record, from 1.
    pub record: u64,
    /// Time since the first record of the capture.
    pub offset: Duration,
}

/// What a capture holds that can be replayed.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Transport connections from their CR on, in the order of the CRs.
    pub sessions: Vec<RecordedSession>,
}

/// One recorded transport connection with its session (with its sessions, where it was kept for several).
#[derive(Clone, Debug)]
pub struct RecordedSession {
    /// Who connected.
    pub initiator: SocketAddr,
    /// Whom it connected to.
    pub responder: SocketAddr,
    /// Parameters of the CR: its TSAPs and whether it proposed expedited data are replayed.
    pub connect: ConnectTpdu,
    /// CR and CC agreed on transport expedited data.
    pub expedited: bool,
    /// The CR.
    pub began: Moment,
    /// TSDUs of the initiator.
    pub requests: Vec<RecordedRequest>,
    /// TSDUs of the responder.
    pub answers: Vec<RecordedAnswer>,
    /// Why the recording is not whole: it holds the session up to there only.
    pub cut: Option<String>,
}

/// A TSDU of the initiator.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// Its octets.
    pub octets: Vec<u8>,
    /// It travels as expedited data.
    pub expedited: bool,
    /// Its first octet.
    pub at: Moment,
    /// Answers that had come by then: it is sent when as many have.
    pub answers_before: usize,
}

/// A TSDU of the responder.
#[derive(Clone, Debug)]
pub struct RecordedAnswer {
    /// Its SPDUs.
    pub kinds: SpduKinds,
    /// Its last octet.
    pub at: Moment,
    /// The request whose latency it ends; `None`: there was none before it.
    pub request: Option<usize>,
    /// Time since its request or the answer before it, whichever was later.
    pub wait: Duration,
}

impl RecordedSession {
    /// From the CR to the last TSDU.
    pub fn duration(&self) -> Duration {
        let last = self.requests.last().map(|request| request.at.offset);
        let last = last.max(self.answers.last().map(|answer| answer.at.offset));
        last.unwrap_or_default().saturating_sub(self.began.offset)
    }

    /// Octets of the initiator's TSDUs.
    pub fn request_octets(&self) -> u64 {
        self.requests.iter().map(|request| request.octets.len() as u64).sum()
    }
}

/// Puts a [`RecordedSession`] together, TSDU by TSDU in the order of the capture.
#[derive(Debug)]
pub struct SessionRecorder {
    session: RecordedSession,
    /// Requests that no answer has been paired with, oldest first.
    open: Vec<(SpduKind, usize)>,
}

/// Most requests that wait for being paired with an answer; older ones are taken for unanswered.
const OPEN_MAX: usize = 1024;

impl SessionRecorder {
    /// A session that begins with a CR.
    pub fn new(
        initiator: SocketAddr,
        responder: SocketAddr,
        connect: ConnectTpdu,
        began: Moment,
    ) -> SessionRecorder {
        let session = RecordedSession {
            initiator,
            responder,
            connect,
            expedited: false,
            began,
            requests: Vec::new(),
            answers: Vec::new(),
            cut: None,
        };
        SessionRecorder { session, open: Vec::new() }
    }

    /// The CC came; `expedited` when both ends use transport expedited data.
    pub fn confirmed(&mut self, expedited: bool) {
        self.session.expedited = expedited;
    }

    /// A TSDU of the initiator whose first octet is at `at`.
    pub fn request(&mut self, octets: Vec<u8>, expedited: bool, at: Moment) {
        let answers = &self.session.answers;
        // What came in the same record or later was not waited for.
        let answers_before = answers.partition_point(|answer| answer.at.record < at.record);
        if let Some(kind) = SpduKinds::of(&octets, expedited).last() {
            if self.open.len() == OPEN_MAX {
                self.open.remove(0);
            }
            self.open.push((kind, self.session.requests.len()));
        }
        self.session.requests.push(RecordedRequest { octets, expedited, at, answers_before });
    }

    /// A TSDU of the responder whose last octet is at `at`.
    ///
    /// It is paired with the oldest request that it can answer by its type, AC with CN and MIA with MIP and DT with
    /// DT, and with the latest request where there is none of these.
    pub fn answer(&mut self, octets: &[u8], expedited: bool, at: Moment) {
        let kinds = SpduKinds::of(octets, expedited);
        let asked = kinds.last().map_or(&[][..], asked_by);
        let request = match self.open.iter().position(|(kind, _)| asked.contains(kind)) {
            Some(position) => Some(self.open.remove(position).1),
            None => self.session.requests.len().checked_sub(1),
        };
        let before = request.map(|request| self.session.requests[request].at.offset);
        let before = before.max(self.session.answers.last().map(|answer| answer.at.offset));
        let wait = at.offset.saturating_sub(before.unwrap_or(self.session.began.offset));
        self.session.answers.push(RecordedAnswer { kinds, at, request, wait });
    }

    /// Notes why what follows is not in the recording; the first reason counts.
    pub fn cut(&mut self, reason: String) {
        self.session.cut.get_or_insert(reason);
    }

    /// As [`SessionRecorder::cut`], and drops what came after record `last`: octets of one direction are missing from
    /// there on, and what came in the other cannot be understood without them.
    pub fn cut_after(&mut self, last: u64, reason: String) {
        let session = &mut self.session;
        session.requests.truncate(session.requests.partition_point(|request| request.at.record <= last));
        session.answers.truncate(session.answers.partition_point(|answer| answer.at.record <= last));
        self.cut(reason);
    }

    /// The session was ended in order or by abort, as far as its SPDUs say.
    pub fn is_ended(&self) -> bool {
        let sent =
            self.session.requests.last().map(|request| SpduKinds::of(&request.octets, request.expedited));
        let answered = self.session.answers.last().map(|answer| answer.kinds.clone());
        [sent, answered].into_iter().flatten().any(|kinds| kinds.end_the_session())
    }

    /// The whole recording.
    pub fn finish(self) -> RecordedSession {
        self.session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(record: u64) -> Moment {
        Moment { record, offset: Duration::from_millis(record) }
    }

    fn recorder() -> SessionRecorder {
        let address = SocketAddr::from(([127, 0, 0, 1], 102));
        SessionRecorder::new(address, address, ConnectTpdu::default(), at(1))
    }

    #[test]
    fn requests_wait_for_the_answers_that_came_before_them_and_no_others() {
        let mut recorder = recorder();
        recorder.request(vec![13, 0], false, at(3));
        recorder.answer(&[14, 0], false, at(4));
        recorder.request(vec![1, 0, 1, 0], false, at(5));
        // Begun before the answer of record 6 had come, though finished later.
        recorder.answer(&[1, 0, 1, 0], false, at(6));
        recorder.request(vec![1, 0, 1, 0], false, at(6));
        recorder.request(vec![9, 0], false, at(7));
        let session = recorder.finish();
        let before: Vec<usize> = session.requests.iter().map(|request| request.answers_before).collect();
        assert_eq!(before, [0, 1, 1, 2]);
        assert_eq!(session.answers[0].wait, Duration::from_millis(1));
        assert_eq!(session.duration(), Duration::from_millis(6));
    }

    #[test]
    fn answers_are_paired_by_type_oldest_first() {
        let mut recorder = recorder();
        recorder.request(vec![13, 0], false, at(2));
        recorder.answer(&[14, 0], false, at(3));
        let (data, minor, minor_ack) = ([1, 0, 1, 0], [1, 0, 49, 0], [1, 0, 50, 0]);
        for octets in [data, minor, data] {
            recorder.request(octets.to_vec(), false, at(4));
        }
        for octets in [&data[..], &data, &minor_ack, &data] {
            recorder.answer(octets, false, at(5));
        }
        let session = recorder.finish();
        let paired: Vec<Option<usize>> = session.answers.iter().map(|answer| answer.request).collect();
        // The last DT answers none that is open: it counts from the latest request.
        assert_eq!(paired, [Some(0), Some(1), Some(3), Some(2), Some(3)]);
    }

    #[test]
    fn what_follows_a_hole_in_one_direction_is_dropped_in_both() {
        let mut recorder = recorder();
        recorder.request(vec![13, 0], false, at(2));
        recorder.answer(&[14, 0], false, at(3));
        recorder.request(vec![1, 0, 1, 0], false, at(4));
        recorder.answer(&[1, 0, 1, 0], false, at(5));
        recorder.answer(&[1, 0, 1, 0], false, at(7));
        recorder.cut_after(4, "a hole".into());
        let session = recorder.finish();
        assert_eq!((session.requests.len(), session.answers.len()), (2, 1));
        assert_eq!(session.cut.as_deref(), Some("a hole"));
    }

    #[test]
    fn the_first_cut_counts_and_a_released_session_is_ended() {
        let mut recorder = recorder();
        recorder.request(vec![9, 0], false, at(2));
        assert!(!recorder.is_ended());
        recorder.answer(&[10, 0], false, at(3));
        assert!(recorder.is_ended());
        recorder.cut("first".into());
        recorder.cut("second".into());
        assert_eq!(recorder.finish().cut.as_deref(), Some("first"));
    }
}
