//! Why a request is refused: the caller's fault that the tables only call an invalid intersection.

use super::{Arguments, Event, Session};
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
        let resynchronizes = matches!(event, Event::SRsynReqR | Event::SRsynRsp | Event::SSynMinRsp);
        if resynchronizes && arguments.serial.is_some() {
            return ServiceError::Parameter("serial number that this state does not allow");
        }
        ServiceError::State { state }
    }
}

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
