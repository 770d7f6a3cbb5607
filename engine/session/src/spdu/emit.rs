//! Emitting: a sink for octets, and a writer of PGI and PI units that keeps their limits.

use super::SpduKind;
use super::code::{LENGTH_MAX, LONG_LENGTH, parameter_code, pi};
use crate::{Enclosure, SerialNumber, TokenSettings, TokenSide};

/// Where emitted octets go.
pub trait Sink {
    /// Appends `octets`.
    fn put(&mut self, octets: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, octets: &[u8]) {
        self.extend_from_slice(octets);
    }
}

/// Why an SPDU cannot be emitted: always the caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// The output is too small; nothing was written.
    #[error("{octets} octets do not fit into {available}")]
    OutputTooSmall {
        /// Octets of the SPDU.
        octets: usize,
        /// Octets of the output.
        available: usize,
    },
    /// The parameter field is longer than a length indicator can tell; nothing was written.
    #[error("parameter field of {octets} octets exceeds 65535")]
    SpduTooLong {
        /// Octets of the parameter field.
        octets: usize,
    },
    /// A value has a length its parameter cannot have; nothing was written.
    #[error("parameter {parameter}: {octets} octets, allowed are {octets_min} to {octets_max}")]
    ValueLength {
        /// PGI or PI.
        parameter: u8,
        /// Octets given.
        octets: usize,
        /// Fewest allowed.
        octets_min: usize,
        /// Most allowed.
        octets_max: usize,
    },
    /// A value is out of range; nothing was written.
    #[error("parameter {parameter}: value out of range")]
    ValueRange {
        /// PGI or PI.
        parameter: u8,
    },
    /// User information of a length this SPDU cannot have; nothing was written.
    #[error("user information of {octets} octets, allowed are {octets_min} to {octets_max}")]
    UserInformationLength {
        /// Octets given.
        octets: usize,
        /// Fewest allowed.
        octets_min: usize,
        /// Most allowed.
        octets_max: usize,
    },
}

/// Octets of the header (code and LI) in front of a value.
pub(crate) fn header_octets(value_octets: usize) -> usize {
    if value_octets < usize::from(LONG_LENGTH) { 2 } else { 4 }
}

/// Puts a code and its LI: one octet below 255, three from there.
pub(crate) fn put_header(sink: &mut dyn Sink, code: u8, value_octets: usize) {
    match u8::try_from(value_octets) {
        Ok(short) if short != LONG_LENGTH => sink.put(&[code, short]),
        _ => {
            let [high, low] = (value_octets as u16).to_be_bytes();
            sink.put(&[code, LONG_LENGTH, high, low]);
        }
    }
}

/// Counts what would be put.
struct Counter(usize);

impl Sink for Counter {
    fn put(&mut self, octets: &[u8]) {
        self.0 += octets.len();
    }
}

/// Writes into a slice that is known to be long enough.
pub(crate) struct SliceSink<'s> {
    pub(crate) octets: &'s mut [u8],
    pub(crate) used: usize,
}

impl Sink for SliceSink<'_> {
    fn put(&mut self, octets: &[u8]) {
        self.octets[self.used..self.used + octets.len()].copy_from_slice(octets);
        self.used += octets.len();
    }
}

/// Writes units in the order of its calls, which is the ascending order of their codes.
///
/// Emission runs twice over the same calls: once counting, to know the LI and to find every fault
/// before an octet is written, once writing.
pub(crate) struct Writer<'s> {
    sink: &'s mut dyn Sink,
    fault: Option<EmitError>,
}

/// What a counting run of the writer found.
#[derive(Clone, Copy)]
pub(crate) struct Measure {
    pub(crate) octets: usize,
    pub(crate) fault: Option<EmitError>,
}

/// Runs `write` counting only.
pub(crate) fn measure(write: impl FnOnce(&mut Writer<'_>)) -> Measure {
    let mut counter = Counter(0);
    let mut writer = Writer { sink: &mut counter, fault: None };
    write(&mut writer);
    let fault = writer.fault;
    Measure { octets: counter.0, fault }
}

/// Runs `write` into `sink`.
pub(crate) fn write(sink: &mut dyn Sink, write: impl FnOnce(&mut Writer<'_>)) {
    write(&mut Writer { sink, fault: None });
}

impl Writer<'_> {
    /// A PI unit, or a PGI with a plain value, also when empty.
    pub(crate) fn value(&mut self, code: u8, value: &[u8]) {
        self.pieces(code, &[value]);
    }

    /// A unit, left out when empty.
    pub(crate) fn value_unless_empty(&mut self, code: u8, value: &[u8]) {
        if !value.is_empty() {
            self.value(code, value);
        }
    }

    /// A unit whose value is given in pieces.
    pub(crate) fn pieces(&mut self, code: u8, pieces: &[&[u8]]) {
        let octets = pieces.iter().map(|piece| piece.len()).sum();
        let (octets_min, octets_max) =
            parameter_code(code).map_or((0, LENGTH_MAX), |known| (known.octets_min, known.octets_max));
        self.limit(code, octets, octets_min, octets_max);
        if octets <= LENGTH_MAX {
            put_header(self.sink, code, octets);
        }
        for piece in pieces {
            self.sink.put(piece);
        }
    }

    /// Records a fault when `octets` is not within the limits.
    pub(crate) fn limit(&mut self, parameter: u8, octets: usize, octets_min: usize, octets_max: usize) {
        if octets < octets_min || octets > octets_max {
            self.fail(EmitError::ValueLength { parameter, octets, octets_min, octets_max });
        }
    }

    /// A group of PI units, left out when it has none.
    pub(crate) fn group(&mut self, code: u8, units: impl Fn(&mut Writer<'_>)) {
        let Measure { octets, fault } = measure(&units);
        if let Some(fault) = fault {
            self.fail(fault);
        }
        if octets > 0 {
            put_header(self.sink, code, octets);
            units(self);
        }
    }

    /// A PI unit of one octet.
    pub(crate) fn octet(&mut self, code: u8, value: u8) {
        self.value(code, &[value]);
    }

    /// A PI unit of one octet, when given.
    pub(crate) fn octet_if(&mut self, code: u8, value: Option<u8>) {
        if let Some(value) = value {
            self.octet(code, value);
        }
    }

    /// A serial number as its decimal digits, most significant first, without leading zeros.
    pub(crate) fn serial(&mut self, code: u8, serial: SerialNumber) {
        if serial > SerialNumber::MAX {
            self.fail(EmitError::ValueRange { parameter: code });
            return;
        }
        let mut digits = [b'0'; 6];
        let mut rest = serial.0;
        let mut first = digits.len();
        loop {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.value(code, &digits[first..]);
    }

    /// A serial number, when given.
    pub(crate) fn serial_if(&mut self, code: u8, serial: Option<SerialNumber>) {
        if let Some(serial) = serial {
            self.serial(code, serial);
        }
    }

    /// The digits of a large serial number, left out when empty.
    pub(crate) fn digits(&mut self, code: u8, digits: &[u8]) {
        if !digits.iter().all(u8::is_ascii_digit) {
            self.fail(EmitError::ValueRange { parameter: code });
        }
        self.value_unless_empty(code, digits);
    }

    /// The Token Setting Item, when given.
    pub(crate) fn token_settings(&mut self, settings: Option<TokenSettings>) {
        let Some(TokenSettings { data, minor, major, release }) = settings else { return };
        let bits = |side: TokenSide| match side {
            TokenSide::Initiator => 0,
            TokenSide::Responder => 1,
            TokenSide::AcceptorChooses => 2,
        };
        self.octet(pi::TOKEN_SETTING, bits(release) << 6 | bits(major) << 4 | bits(minor) << 2 | bits(data));
    }

    /// The Enclosure Item of an SPDU with parameters, when given: the whole SSDU or its first segment.
    pub(crate) fn enclosure(&mut self, enclosure: Option<Enclosure>) {
        if enclosure.is_some_and(|enclosure| !enclosure.begin) {
            // Later segments carry nothing but user data and are `Segment`s.
            self.fail(EmitError::ValueRange { parameter: pi::ENCLOSURE });
        }
        self.octet_if(pi::ENCLOSURE, enclosure.map(enclosure_bits));
    }

    /// User Data (PGI 193), left out when empty.
    pub(crate) fn user_data(&mut self, user_data: &[u8]) {
        self.value_unless_empty(pi::USER_DATA, user_data);
    }

    /// Records the first fault.
    pub(crate) fn fail(&mut self, fault: EmitError) {
        self.fault.get_or_insert(fault);
    }
}

/// The value of the Enclosure Item.
pub(crate) fn enclosure_bits(enclosure: Enclosure) -> u8 {
    u8::from(enclosure.begin) | u8::from(enclosure.end) << 1
}

/// Checks the length of the user information field of an SPDU that is to be emitted.
pub(crate) fn check_user_information(kind: SpduKind, octets: usize) -> Result<(), EmitError> {
    use super::code::EXPEDITED_OCTETS_MAX;
    if kind == SpduKind::ExpeditedData && !(1..=EXPEDITED_OCTETS_MAX).contains(&octets) {
        return Err(EmitError::UserInformationLength {
            octets,
            octets_min: 1,
            octets_max: EXPEDITED_OCTETS_MAX,
        });
    }
    Ok(())
}
