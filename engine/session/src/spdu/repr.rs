//! The representation of every SPDU: what [`SpduView::parse`] gives and [`Spdu::emit`] takes.

use super::code::LENGTH_MAX;
use super::emit::{self, Measure, SliceSink, Writer};
use super::parameter::Fields;
use super::*;

/// What every SPDU can do with its parameters.
pub(crate) trait Repr<'a>: Sized {
    /// Reads the parameters; mandatory ones are known to be there.
    fn from_fields(fields: &Fields<'a>) -> Result<Self, DecodeError>;

    /// Writes the parameters in ascending order.
    fn write(&self, out: &mut Writer<'_>);
}

/// Declares [`Spdu`] and what has an arm for each of its variants.
macro_rules! spdus {
    ($($(#[$doc:meta])* $name:ident $(<$life:lifetime>)?,)*) => {
        /// An SPDU with its parameters: a plain value that borrows the octets it refers to.
        ///
        /// Values are those that count: where a parameter is absent and the standard gives a default,
        /// the default is here. `Option` is left where being absent has a meaning of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Spdu<'a> {
            $($(#[$doc])* $name($name $(<$life>)?),)*
            /// A middle or last segment of an SPDU that carries its user data as a parameter.
            Segment(Segment<'a>),
        }

        impl Spdu<'_> {
            /// Which SPDU this is.
            pub fn kind(&self) -> SpduKind {
                match self {
                    $(Spdu::$name(_) => SpduKind::$name,)*
                    Spdu::Segment(segment) => segment.kind,
                }
            }

            fn write_parameters(&self, out: &mut Writer<'_>) {
                match self {
                    $(Spdu::$name(repr) => repr.write(out),)*
                    Spdu::Segment(segment) => segment.write(out),
                }
            }
        }

        fn parse_fields<'a>(fields: &Fields<'a>) -> Result<Spdu<'a>, DecodeError> {
            match fields.kind {
                $(SpduKind::$name => $name::from_fields(fields).map(Spdu::$name),)*
            }
        }
    };
}

spdus! {
    ExceptionReport<'a>,
    GiveTokens<'a>,
    DataTransfer<'a>,
    PleaseTokens<'a>,
    ExpeditedData<'a>,
    Prepare,
    NotFinished<'a>,
    Finish<'a>,
    Disconnect<'a>,
    Refuse<'a>,
    Connect<'a>,
    Accept<'a>,
    ConnectDataOverflow<'a>,
    OverflowAccept,
    GiveTokensConfirm<'a>,
    GiveTokensAck,
    Abort<'a>,
    ActivityInterrupt<'a>,
    AbortAccept,
    ActivityInterruptAck<'a>,
    ActivityResume<'a>,
    TypedData<'a>,
    ResynchronizeAck<'a>,
    MajorSyncPoint<'a>,
    ActivityEnd<'a>,
    /// MAJOR SYNC ACK or ACTIVITY END ACK: the state tells which.
    MajorSyncAck<'a>,
    ActivityStart<'a>,
    ExceptionData<'a>,
    MinorSyncPoint<'a>,
    MinorSyncAck<'a>,
    Resynchronize<'a>,
    ActivityDiscard<'a>,
    ActivityDiscardAck<'a>,
    CapabilityData<'a>,
    CapabilityDataAck<'a>,
}

impl<'a> Spdu<'a> {
    /// Octets that [`Spdu::emit`] writes.
    pub fn encoded_octets(&self) -> usize {
        let parameter_octets = self.measure().octets;
        emit::header_octets(parameter_octets) + parameter_octets + self.user_information().len()
    }

    /// Writes the SPDU at the start of `out` and returns how many octets it took.
    ///
    /// The SPDU only: what goes in front of a category 2 SPDU is [`Spdu::emit_tsdu`]'s.
    ///
    /// # Errors
    /// [`EmitError`] when a value is out of its limits or `out` is too small; nothing was written.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, EmitError> {
        let measure = self.check()?;
        let octets = emit::header_octets(measure.octets) + measure.octets + self.user_information().len();
        let available = out.len();
        if octets > available {
            return Err(EmitError::OutputTooSmall { octets, available });
        }
        let mut sink = SliceSink { octets: out, used: 0 };
        self.put(measure, &mut sink);
        debug_assert_eq!(sink.used, octets);
        Ok(octets)
    }

    /// Appends the SPDU to `sink`.
    ///
    /// # Errors
    /// [`EmitError`] when a value is out of its limits; nothing was written.
    pub fn emit_into(&self, sink: &mut dyn Sink) -> Result<(), EmitError> {
        let measure = self.check()?;
        self.put(measure, sink);
        Ok(())
    }

    /// Appends a whole TSDU with this SPDU: a category 2 SPDU gets the empty GT or PT it needs in front.
    ///
    /// # Errors
    /// [`EmitError`] when a value is out of its limits; nothing was written.
    pub fn emit_tsdu(&self, sink: &mut dyn Sink) -> Result<(), EmitError> {
        let measure = self.check()?;
        if let Some(head) = self.kind().head() {
            emit::put_header(sink, head.si(), 0);
        }
        self.put(measure, sink);
        Ok(())
    }

    /// The user information field: what follows the parameter field of DT, TD and EX.
    pub fn user_information(&self) -> &'a [u8] {
        match self {
            Spdu::DataTransfer(data) => data.user_information,
            Spdu::TypedData(data) => data.user_information,
            Spdu::ExpeditedData(data) => data.user_information,
            _ => &[],
        }
    }

    fn measure(&self) -> Measure {
        emit::measure(|out| self.write_parameters(out))
    }

    /// Finds every fault before an octet is written.
    pub(super) fn check(&self) -> Result<Measure, EmitError> {
        let measure = self.measure();
        if let Some(fault) = measure.fault {
            return Err(fault);
        }
        if measure.octets > LENGTH_MAX {
            return Err(EmitError::SpduTooLong { octets: measure.octets });
        }
        emit::check_user_information(self.kind(), self.user_information().len())?;
        Ok(measure)
    }

    /// Writes the SPDU that was checked.
    fn put(&self, measure: Measure, sink: &mut dyn Sink) {
        emit::put_header(sink, self.kind().si(), measure.octets);
        emit::write(sink, |out| self.write_parameters(out));
        sink.put(self.user_information());
    }
}

impl<'a> SpduView<'a> {
    /// Reads the parameters.
    ///
    /// # Errors
    /// [`DecodeError`] for the first fault found.
    pub fn parse(&self, rules: &DecodeRules) -> Result<Spdu<'a>, DecodeError> {
        if self.parameters.is_empty() && self.kind == SpduKind::DataTransfer {
            // Nearly every SPDU received: no parameters to look at.
            let user_information = self.user_information;
            return Ok(Spdu::DataTransfer(DataTransfer { enclosure: None, user_information }));
        }
        let fields = Fields::of_view(self, rules)?;
        if Segment::is_later_segment(&fields) {
            return Segment::from_fields(&fields).map(Spdu::Segment);
        }
        fields.require_mandatory()?;
        parse_fields(&fields)
    }
}
