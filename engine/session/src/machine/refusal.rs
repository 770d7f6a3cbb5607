//! Why a request is refused: the caller's fault that the tables only call an invalid intersection.

use super::{Arguments, Event, Predicate, Session, View};
use crate::{FunctionalUnits as Fu, ServiceError, Tokens};

impl Session {
    /// Why no row takes a user event. Looks at the state, the unit and the tokens in this order.
    pub(super) fn refusal(&self, event: Event, arguments: &Arguments) -> ServiceError {
        let v = self.spm.variables();
        let state = self.state();
        if self.spm.cell(event, arguments).is_empty() {
            return ServiceError::State { state };
        }
        let units = units_of(event);
        if !units.is_empty() && !v.functional_units.intersects(units) {
            return ServiceError::FunctionalUnit(units);
        }
        if event == Event::SSynMinDsReq && !v.fu(Fu::DATA_SEPARATION) {
            return ServiceError::FunctionalUnit(Fu::DATA_SEPARATION);
        }
        if matches!(event, Event::SRsynReqR | Event::SRsynReqS) && !v.functional_units.intersects(POINT_UNITS)
        {
            return ServiceError::FunctionalUnit(POINT_UNITS);
        }
        let available = v.tokens_available();
        let missing = match event {
            Event::SGtReq => arguments.tokens - v.tokens_owned,
            Event::SPtReq => arguments.tokens - available,
            Event::SUErReq => Tokens::DATA & v.tokens_owned,
            event => tokens_needed(event) & (available - v.tokens_owned),
        };
        if !missing.is_empty() {
            return ServiceError::Token(missing);
        }
        if self.refuses_number(event, arguments) {
            return ServiceError::Parameter("serial number that this state does not allow");
        }
        ServiceError::State { state }
    }

    /// True where the number is to blame: everything else that the row asks for is there.
    fn refuses_number(&self, event: Event, arguments: &Arguments) -> bool {
        let variables = self.spm.variables();
        let view = View { variables, event, arguments, prepare_queued: false };
        match event {
            Event::SRsynReqR => !Predicate::P33.holds(&view),
            // The other flow may be restarted.
            Event::SRsynReqA | Event::SRsynReqS => variables.symmetric() && !Predicate::P33.holds(&view),
            Event::SRsynRsp => true,
            Event::SSynMinRsp => Predicate::P18.holds(&view),
            _ => false,
        }
    }
}

/// The units that make points, to one of which a restart or a set goes (p25).
const POINT_UNITS: Fu = Fu::MINOR_SYNC.union(Fu::SYMMETRIC_SYNC).union(Fu::MAJOR_SYNC);

/// The units one of which a request needs; empty for those of the kernel and of tokens.
fn units_of(event: Event) -> Fu {
    match event {
        Event::SExReq => Fu::EXPEDITED,
        Event::STdReq => Fu::TYPED_DATA,
        Event::SCdReq | Event::SCdRsp => Fu::CAPABILITY_DATA,
        Event::SSynMinReq | Event::SSynMinDsReq | Event::SSynMinRsp => Fu::MINOR_SYNC | Fu::SYMMETRIC_SYNC,
        Event::SSynMajReq | Event::SSynMajRsp => Fu::MAJOR_SYNC,
        Event::SRsynReqA | Event::SRsynReqR | Event::SRsynReqS | Event::SRsynRsp => Fu::RESYNCHRONIZE,
        Event::SUErReq => Fu::EXCEPTIONS,
        Event::SRelRspNeg => Fu::NEGOTIATED_RELEASE,
        Event::SCgReq
        | Event::SActSReq
        | Event::SActRReq
        | Event::SActIReq
        | Event::SActIRsp
        | Event::SActDReq
        | Event::SActDRsp
        | Event::SActEReq
        | Event::SActERsp => Fu::ACTIVITY,
        _ => Fu::empty(),
    }
}

/// The tokens that must be here as far as they are available. Reference 4.4.
fn tokens_needed(event: Event) -> Tokens {
    const DATA_MINOR: Tokens = Tokens::DATA.union(Tokens::MINOR);
    match event {
        Event::SDtReq => Tokens::DATA,
        Event::SSynMinReq | Event::SSynMinDsReq => DATA_MINOR,
        Event::SCdReq | Event::SSynMajReq | Event::SActSReq | Event::SActRReq | Event::SActEReq => {
            DATA_MINOR.union(Tokens::MAJOR)
        }
        Event::SActIReq | Event::SActDReq => Tokens::MAJOR,
        Event::SCgReq | Event::SRelReq => Tokens::all(),
        _ => Tokens::empty(),
    }
}
