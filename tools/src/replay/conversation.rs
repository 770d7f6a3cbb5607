//! One recorded transport connection: what each end received, read as that end would have read it.

use std::net::SocketAddr;

use colloquy_bench::replay::{Moment, RecordedSession, SessionRecorder};
use colloquy_transport::buf::{Slice, TxBatch};
use colloquy_transport::class0::{Class0, Class0Config, ConnectTpdu, Event};

/// Longest TSDU put together.
const TSDU_OCTETS_MAX: usize = 64 << 20;

/// A transport connection from its CR on.
#[derive(Debug)]
pub(super) struct Conversation {
    initiator: SocketAddr,
    responder: SocketAddr,
    /// The record with its CR.
    pub(super) began: Moment,
    /// One of the ends closed the TCP connection.
    pub(super) closed: bool,
    recorder: Option<SessionRecorder>,
    /// Reads what the responder sent, and the other way round.
    ends: [End; 2],
    /// Nothing more is taken: octets are missing, or are no TPKT.
    is_cut: bool,
    /// Why there is nothing to replay.
    refused: Option<String>,
}

#[derive(Debug)]
struct End {
    class0: Class0,
    /// Where the TSDU that is under way began.
    began: Moment,
}

impl Conversation {
    pub(super) fn new(initiator: SocketAddr, responder: SocketAddr, began: Moment) -> Conversation {
        let config =
            Class0Config { tsdu_octets_max: TSDU_OCTETS_MAX, expedited: true, ..Class0Config::default() };
        let mut reads_responder = Class0::initiator(&config);
        reads_responder.connect_request(&ConnectTpdu::default(), &mut TxBatch::new());
        let ends = [reads_responder, Class0::responder(&config)].map(|class0| End { class0, began });
        Conversation {
            initiator,
            responder,
            began,
            closed: false,
            recorder: None,
            ends,
            is_cut: false,
            refused: None,
        }
    }

    /// Takes octets that came at `moment`, from the initiator or the responder.
    pub(super) fn take(&mut self, from_initiator: bool, octets: Vec<u8>, moment: Moment) {
        if self.is_cut {
            return;
        }
        let end = &mut self.ends[usize::from(from_initiator)];
        if end.class0.held_octets() == 0 {
            end.began = moment;
        }
        end.class0.receive(Slice::from_vec(octets));
        // What a reader would answer is in the other direction of the capture.
        let mut answers = TxBatch::new();
        loop {
            let end = &mut self.ends[usize::from(from_initiator)];
            let Some(event) = end.class0.next_event(&mut answers) else { return };
            let began = std::mem::replace(&mut end.began, moment);
            match event {
                Event::Connect(connect) => {
                    end.class0.connect_response(&mut answers);
                    let recorder = SessionRecorder::new(self.initiator, self.responder, connect, self.began);
                    self.recorder = Some(recorder);
                }
                Event::ConnectConfirm(confirm) => {
                    if let Some(recorder) = &mut self.recorder {
                        recorder.confirmed(confirm.expedited);
                    }
                }
                Event::Data(body) => {
                    self.tsdu(from_initiator, &body.into_contiguous(), false, began, moment);
                }
                Event::Expedited(octets) => self.tsdu(from_initiator, &octets, true, began, moment),
                Event::Disconnect { reason } => {
                    self.refused = Some(format!("transport disconnect, reason {reason}"));
                    self.closed = true;
                    return;
                }
                Event::Fault(fault) => {
                    let who = if from_initiator { "initiator" } else { "responder" };
                    let (record, layer, kind) = (moment.record, fault.layer, fault.kind);
                    self.cut(format!("record {record}: {layer} fault of the {who}, {kind:?}"));
                    return;
                }
            }
        }
    }

    fn tsdu(&mut self, from_initiator: bool, octets: &[u8], expedited: bool, began: Moment, moment: Moment) {
        let Some(recorder) = &mut self.recorder else { return };
        match from_initiator {
            true => recorder.request(octets.to_vec(), expedited, began),
            false => recorder.answer(octets, expedited, moment),
        }
    }

    /// Octets are missing in one direction, the last of which came in record `last` before.
    pub(super) fn cut_after(&mut self, last: u64, why: String) {
        if self.is_cut {
            return;
        }
        self.is_cut = true;
        if let Some(recorder) = &mut self.recorder {
            recorder.cut_after(last, why);
        }
    }

    /// Nothing more can be taken, for this reason.
    fn cut(&mut self, why: String) {
        self.is_cut = true;
        if let Some(recorder) = &mut self.recorder {
            recorder.cut(why);
        }
    }

    /// The session, or why there is none to replay.
    pub(super) fn finish(mut self) -> Result<RecordedSession, String> {
        let name = format!("{} to {} (record {})", self.initiator, self.responder, self.began.record);
        let Some(mut recorder) = self.recorder.take() else {
            return Err(format!("{name}: its CR is not whole"));
        };
        for end in &self.ends {
            if end.class0.held_octets() > 0 {
                recorder.cut(format!("a TPDU or TSDU begun in record {} is not finished", end.began.record));
            }
        }
        if !self.closed && !recorder.is_ended() {
            recorder.cut("the capture ends in mid-session".into());
        }
        let session = recorder.finish();
        match (session.requests.is_empty(), self.refused) {
            (false, _) => Ok(session),
            (true, Some(refused)) => Err(format!("{name}: {refused}, nothing to replay")),
            (true, None) => Err(format!("{name}: no TSDU of the initiator, nothing to replay")),
        }
    }
}
