//! Requests that come late: what a relay asks of one leg on behalf of the other leg's peer, who asked for it
//! before it could hear of something that this leg already knows.
//!
//! ```text
//! peer A ──── leg a │ relay │ leg b ──── peer B
//! ```
//!
//! B reports an exception; leg b tells the relay, which tells leg a, which tells A. What A has sent meanwhile comes
//! to leg b when leg b has left the state in which a user may ask for it. Between A and B without a relay the SPDUs
//! would cross, and B's machine has rows for that. So has B's machine here: what goes out is what would have
//! crossed. Everything else is refused as [`Session::request`] refuses it.
//!
//! | this leg | request | on the wire it crosses | this leg is afterwards in |
//! |---|---|---|---|
//! | STA18 | tokens please, expedited data | GTA | STA18 |
//! | STA22 | tokens, data, typed and expedited data | CD | STA22 |
//! | STA20 | sync points, activity end, S-SYNC-MINOR response | ED, ER | STA20 |
//! | STA11A, data separation | the same, tokens, data, typed and expedited data | RS | STA11A |
//! | STA713, STA10A, STA10B, data token here | S-U-EXCEPTION-REPORT, S-P-EXCEPTION-REPORT | GT | STA713 |
//! | STA713, activity ended | S-ACTIVITY-INTERRUPT, -DISCARD | AEA | STA05B, STA05C |
//! | where S-RESYNCHRONIZE (abandon) or its response is allowed | with a number above V(M) | sync points | as ever |

use core::time::Duration;

use super::content::Content;
use super::data_segments::DataKind;
use super::variables::{Variables, Vrsp};
use super::{DataSegments, Session, State};
use crate::{
    Enclosure, FunctionalUnits, Request, ResyncType, ResynchronizeAnswer, ResynchronizeParameters,
    SerialNumber, ServiceError, Tokens,
};

/// What a late request is tried with, and what becomes of the machine when it was taken.
struct Earlier {
    /// The state that it was in.
    state: State,
    /// The variables as they were when the other leg's peer asked.
    variables: Variables,
    /// State afterwards; `None`: where the request leads.
    next: Option<State>,
    /// Tokens to be put back here afterwards.
    tokens_back: Tokens,
}

impl Session {
    /// As [`Session::request`], and what a relay may ask late: the table in `machine/late.rs` lists it.
    ///
    /// S-RESYNCHRONIZE (abandon) and its response may name a number above V(M): points of the other leg's peer that
    /// nobody will hear of any more. The machine goes on from there.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed and nothing is sent.
    pub fn late_request(&mut self, now: Duration, request: &Request<'_>) -> Result<(), ServiceError> {
        if let Some((above, request)) = self.abandons(request) {
            return self.earlier(above, |session| session.request(now, &request));
        }
        let refused = match self.request(now, request) {
            Err(refused @ (ServiceError::State { .. } | ServiceError::Token(_))) => refused,
            result => return result,
        };
        match self.before_it_was_heard(request) {
            Some(earlier) => self.earlier(earlier, |session| session.request(now, request)),
            None => Err(refused),
        }
    }

    /// As [`Session::data_request`], also late.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn late_data_request(
        &mut self,
        octets: usize,
        enclosure: Enclosure,
    ) -> Result<DataSegments, ServiceError> {
        self.late_ssdu(DataKind::Data, enclosure, |session| session.data_request(octets, enclosure))
    }

    /// As [`Session::typed_data_request`], also late.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn late_typed_data_request(
        &mut self,
        octets: usize,
        enclosure: Enclosure,
    ) -> Result<DataSegments, ServiceError> {
        self.late_ssdu(DataKind::Typed, enclosure, |session| session.typed_data_request(octets, enclosure))
    }

    /// Passes on an exception that the other leg's provider has reported: EXCEPTION REPORT, and STA20.
    ///
    /// With the data token here the report comes late: it crosses the token, which ends the exception, so STA713
    /// follows.
    ///
    /// # Errors
    /// [`ServiceError`] outside STA713, STA09, STA10A and STA10B, without the exceptions unit, and between
    /// activities; nothing has changed.
    pub fn pass_exception_report(&mut self, now: Duration) -> Result<(), ServiceError> {
        let state = self.state();
        let before = *self.spm.variables();
        if !matches!(state, State::Sta713 | State::Sta09 | State::Sta10A | State::Sta10B) {
            return Err(ServiceError::State { state });
        }
        let late = before.tokens_owned & Tokens::DATA;
        self.spm.put(State::Sta713, Variables { tokens_owned: before.tokens_owned - late, ..before });
        let Some(outcome) = self.spm.exception_report() else {
            self.spm.put(state, before);
            return Err(ServiceError::State { state });
        };
        // The SPDU at fault was sent on the other leg, whose report does not come with its octets.
        self.transmit(&outcome, &Content { reflect: &UNKNOWN_SPDU, ..Content::default() });
        self.settle(now, &outcome);
        let variables = Variables { tokens_owned: before.tokens_owned, ..*self.spm.variables() };
        self.recovering &= late.is_empty();
        self.spm.put(if late.is_empty() { State::Sta20 } else { State::Sta713 }, variables);
        Ok(())
    }

    /// An abandon or its response that goes on from a number above V(M): what to try it with, and the request without
    /// the number, which the machine then fills in.
    fn abandons<'u>(&self, request: &Request<'u>) -> Option<(Earlier, Request<'u>)> {
        let variables = *self.spm.variables();
        // Each flow has a V(M) of its own; a relay lets nobody select the unit.
        if variables.symmetric() {
            return None;
        }
        let (serial, plain) = match *request {
            Request::Resynchronize(asked) if asked.resync_type == ResyncType::Abandon => (
                asked.serial_number?,
                Request::Resynchronize(ResynchronizeParameters { serial_number: None, ..asked }),
            ),
            Request::ResynchronizeResponse(answer) if variables.vrsp == Vrsp::A => (
                answer.serial_number?,
                Request::ResynchronizeResponse(ResynchronizeAnswer { serial_number: None, ..answer }),
            ),
            _ => return None,
        };
        let variables = Variables { v_m: serial.0, ..variables };
        let earlier = Earlier { state: self.state(), variables, next: None, tokens_back: Tokens::empty() };
        let is_above = serial.0 > self.spm.variables().v_m && serial <= SerialNumber::MAX;
        is_above.then_some((earlier, plain))
    }

    /// The machine as it was when the other leg's peer made a request that is refused now.
    fn before_it_was_heard(&self, request: &Request<'_>) -> Option<Earlier> {
        use Request as R;
        let variables = before_resynchronization(self.spm.variables());
        let state = self.state();
        let stays =
            Earlier { state: State::Sta713, variables, next: Some(state), tokens_back: Tokens::empty() };
        let is_point = matches!(
            request,
            R::SyncMinor { .. } | R::SyncMinorResponse { .. } | R::SyncMajor { .. } | R::ActivityEnd { .. }
        );
        let is_exchange =
            matches!(request, R::TokenGive { .. } | R::TokenPlease { .. } | R::ExpeditedData { .. });
        match (state, request) {
            (State::Sta18 | State::Sta22, _) if is_exchange => Some(stays),
            (State::Sta20, _) if is_point => Some(stays),
            (State::Sta11A, _) if (is_point || is_exchange) && self.separates() => Some(stays),
            (State::Sta713 | State::Sta10A | State::Sta10B, R::UserException { .. }) => {
                let late = variables.tokens_owned & Tokens::DATA;
                let tokens_owned = variables.tokens_owned - late;
                let variables = Variables { tokens_owned, ..variables };
                Some(Earlier { variables, next: Some(State::Sta713), tokens_back: late, ..stays })
            }
            (State::Sta713, R::ActivityInterrupt { .. } | R::ActivityDiscard { .. })
                if variables.fu(FunctionalUnits::ACTIVITY) =>
            {
                Some(Earlier { variables: Variables { vact: true, ..variables }, next: None, ..stays })
            }
            _ => None,
        }
    }

    fn late_ssdu(
        &mut self,
        kind: DataKind,
        enclosure: Enclosure,
        request: impl FnOnce(&mut Session) -> Result<DataSegments, ServiceError>,
    ) -> Result<DataSegments, ServiceError> {
        let Some(earlier) = self.before_data_were_purged() else { return request(self) };
        if self.state() != State::Sta11A {
            return self.earlier(earlier, request);
        }
        // The resynchronization has cut short what this side had begun to send; the other leg's peer goes on with it.
        self.sending = (!enclosure.begin).then_some(kind);
        let result = self.earlier(earlier, request);
        self.sending = None;
        result
    }

    fn before_data_were_purged(&self) -> Option<Earlier> {
        let state = self.state();
        let late = state == State::Sta22 || (state == State::Sta11A && self.separates());
        let variables = before_resynchronization(self.spm.variables());
        late.then_some(Earlier {
            state: State::Sta713,
            variables,
            next: Some(state),
            tokens_back: Tokens::empty(),
        })
    }

    fn separates(&self) -> bool {
        self.spm.variables().fu(FunctionalUnits::DATA_SEPARATION)
    }

    /// Makes a request with the machine as it was earlier; when it is refused, nothing has changed.
    fn earlier<R>(
        &mut self,
        earlier: Earlier,
        request: impl FnOnce(&mut Session) -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        let (state, before) = (self.state(), *self.spm.variables());
        // What the peer has begun to send goes on as if nothing had happened here meanwhile.
        let recovering = self.recovering;
        self.recovering &= earlier.next.is_none();
        self.spm.put(earlier.state, earlier.variables);
        let result = request(self);
        if result.is_err() {
            self.recovering = recovering;
            self.spm.put(state, before);
            return result;
        }
        if earlier.next.is_some() {
            self.recovering = recovering;
        }
        let after = *self.spm.variables();
        let mut variables = Variables { tokens_owned: after.tokens_owned | earlier.tokens_back, ..after };
        if earlier.next.is_some() {
            variables.vrsp = before.vrsp;
            variables.discard_rcv_flow = before.discard_rcv_flow;
            variables.discard_snd_flow = before.discard_snd_flow;
        }
        self.spm.put(earlier.next.unwrap_or(self.state()), variables);
        result
    }
}

/// The variables without a resynchronization that has been indicated since.
fn before_resynchronization(variables: &Variables) -> Variables {
    Variables { vrsp: Vrsp::No, discard_rcv_flow: false, discard_snd_flow: false, ..*variables }
}

/// SI and LI of EXCEPTION REPORT, in place of the SPDU that another connection's report was about.
const UNKNOWN_SPDU: [u8; 2] = [0, 0];
