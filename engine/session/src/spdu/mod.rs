//! The SPDU codec: views over received octets, and representations that can be emitted.
//!
//! Octets become SPDUs in two steps that share nothing but the octets. [`Tsdu::next_spdu`] finds the
//! borders of the next SPDU and tells apart the SI codes that two SPDUs share; [`SpduView::parse`] reads
//! its parameters into a [`Spdu`], a plain `Copy` value that borrows from the TSDU. The other way,
//! [`Spdu::emit`] and [`Spdu::emit_into`] write one SPDU, [`concatenate`] several as one TSDU.
//! [`describe::describe_tsdu`] renders octets for humans, broken ones included. [`UnitData`] is the one SPDU
//! of the connectionless protocol and stands by itself. Neither direction allocates, recurses or panics,
//! whatever the octets are.
//!
//! The codec knows encoding, concatenation and limits. It does not know states, tokens or which
//! functional units were negotiated; that is the machine's.

mod abort;
mod activity;
mod catalogue;
mod code;
mod concatenation;
mod connect;
mod connect_fields;
mod data;
pub mod describe;
mod emit;
mod error;
mod exception;
mod kind;
mod parameter;
mod prepare;
mod release;
mod repr;
mod resynchronize;
mod rules;
mod segment;
mod short;
mod sync;
mod token;
mod tsdu;
mod unit_data;

pub use abort::{Abort, AbortAccept};
pub use activity::{
    ActivityDiscard, ActivityDiscardAck, ActivityEnd, ActivityInterrupt, ActivityInterruptAck,
    ActivityResume, ActivityStart, LinkingInformation,
};
pub use catalogue::{ParameterPresence, SpduParameter};
pub(crate) use code::pi;
/// The token part of a head, which counts after the SPDUs behind it.
pub(crate) use concatenation::Head as Deferred;
pub use concatenation::{
    CONCATENATED_MAX, ConcatenationError, ConcatenationRule, Head, ProcessingStep, concatenate,
    concatenate_headers, processing_order, processing_step,
};
pub use connect::{Accept, Connect, ConnectAcceptItem, ConnectDataOverflow, OverflowAccept, Refuse};
pub use data::{
    CapabilityData, CapabilityDataAck, DATA_HEADER_OCTETS_MAX, DataHeader, DataTransfer, ExpeditedData,
    TypedData,
};
pub use emit::{EmitError, Sink};
pub use error::{DecodeError, DecodeErrorKind};
pub(crate) use exception::exception_reason;
pub use exception::{ExceptionData, ExceptionReport};
pub use kind::{Category, SpduKind};
pub(crate) use parameter::offset_of_unit;
pub use prepare::Prepare;
pub use release::{Disconnect, Finish, NotFinished};
pub use repr::Spdu;
pub use resynchronize::{Resynchronize, ResynchronizeAck};
pub use rules::{DecodeRules, Flow, user_data_octets_max};
pub use segment::Segment;
pub use short::{ShortRefusal, ShortSpdu, ShortSpduKind};
pub use sync::{MajorSyncAck, MajorSyncPoint, MinorSyncAck, MinorSyncPoint};
pub use token::{GiveTokens, GiveTokensAck, GiveTokensConfirm, PleaseTokens};
pub use tsdu::{SpduView, Tsdu, must_be_contiguous};
pub use unit_data::{UNIT_DATA_HEADER_OCTETS_MAX, UnitData, UnitDataFault, UnitDataFaultKind};
