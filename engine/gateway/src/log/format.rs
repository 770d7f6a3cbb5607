//! Where events go: standard error, as text for people or one JSON object a line.

use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::io::IsTerminal as _;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::output::Output;
use crate::config::{LogConfig, LogFormat};

/// Why the log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The process has one.
    #[error("a log is set up already")]
    Taken,
    /// The thread that writes it could not be had.
    #[error("the thread that writes it: {0}")]
    Thread(#[from] std::io::Error),
}

/// Sets up the log of the process.
///
/// # Errors
/// [`InstallError`] when the process has one already, or no thread can be had.
pub fn install(config: &LogConfig) -> Result<(), InstallError> {
    let output = Output::start()?.ok_or(InstallError::Taken)?;
    let layer = tracing_subscriber::fmt::layer().with_writer(output);
    let coloured = is_coloured(std::io::stderr().is_terminal(), std::env::var_os("NO_COLOR").as_deref());
    let layer = match config.format {
        LogFormat::Text => layer.with_target(false).with_ansi(coloured).boxed(),
        LogFormat::Json => layer.event_format(JsonLines).boxed(),
    };
    let (level, handle) = reload::Layer::new(LevelFilter::from_level(config.level));
    let subscriber = tracing_subscriber::registry()
        .with(layer.with_filter(level))
        .with(crate::sight::events::Remember.with_filter(LevelFilter::INFO));
    subscriber.try_init().map_err(|_| InstallError::Taken)?;
    super::level::keep(config.level, Box::new(move |level| handle.reload(level).is_ok()));
    Ok(())
}

/// Colours are for eyes: not for files and pipes, and not for who says that they want none (no-color.org).
fn is_coloured(to_terminal: bool, no_color: Option<&OsStr>) -> bool {
    to_terminal && no_color.is_none_or(OsStr::is_empty)
}

/// One object a line: `ts`, `level`, `msg`, then the event's fields in order.
struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut object = Object { out: String::from("{\"ts\":\""), message: String::new() };
        write_time(&mut object.out, since_epoch.as_millis() as u64)?;
        write!(object.out, "\",\"level\":\"{}\"", event.metadata().level().as_str().to_ascii_lowercase())?;
        let mut fields = Object { out: String::new(), message: String::new() };
        event.record(&mut fields);
        object.out.push_str(",\"msg\":");
        write_text(&mut object.out, &fields.message);
        object.out.push_str(&fields.out);
        object.out.push('}');
        writeln!(writer, "{}", object.out)
    }
}

struct Object {
    out: String,
    message: String,
}

impl Object {
    fn key(&mut self, field: &Field) {
        self.out.push(',');
        write_text(&mut self.out, field.name());
        self.out.push(':');
    }

    fn plain(&mut self, field: &Field, value: impl fmt::Display) {
        self.key(field);
        let _ = write!(self.out, "{value}");
    }
}

impl Visit for Object {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        self.record_str(field, &text);
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.key(field);
            write_text(&mut self.out, value);
        }
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, value);
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, value);
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, value);
    }
}

/// A JSON string.
pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            character if character < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            character => out.push(character),
        }
    }
    out.push('"');
}

/// A moment as RFC 3339, UTC, to the millisecond.
pub(crate) fn time_text(at: SystemTime) -> String {
    let mut out = String::new();
    let since_epoch = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    // Writing to a string does not fail.
    let _ = write_time(&mut out, since_epoch.as_millis() as u64);
    out
}

/// RFC 3339, UTC, to the millisecond.
fn write_time(out: &mut String, millis: u64) -> fmt::Result {
    let (days, of_day) = (millis / 86_400_000, millis % 86_400_000);
    // Days to a date of the Gregorian calendar, counted from 1 March so that the leap day comes last.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (second, milli) = (of_day / 1000 % 60, of_day % 1000);
    write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use colloquy_session::spdu::{DecodeError, DecodeErrorKind, SpduKind};
    use colloquy_session::{FunctionalUnits, PeerFault, Selector, SerialNumber, State, Tolerated, Versions};
    use colloquy_shard::{Fault, SessionId};
    use colloquy_transport::class0::TransportSelector;

    use super::*;
    use crate::config::{Config, ListenerApplication, ListenerConfig};
    use crate::log::events::emit;
    use crate::record::{
        Destination, EndReason, EndRecord, OpenRecord, Record, RecordEvent, Side, Subject, SyncNumbers,
    };

    #[test]
    fn times_are_dates_of_the_calendar() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_799_999, "2000-02-29T23:59:59.999Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_767_225_599_001, "2025-12-31T23:59:59.001Z"),
        ] {
            let mut out = String::new();
            write_time(&mut out, millis).unwrap();
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn colours_are_for_terminals_whose_user_does_not_mind() {
        let no_color = [None, Some(OsStr::new("")), Some(OsStr::new("1"))];
        assert_eq!(no_color.map(|value| is_coloured(true, value)), [true, true, false]);
        assert_eq!(no_color.map(|value| is_coloured(false, value)), [false; 3]);
    }

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What the log says about a record, without its time.
    fn line(record: &Record) -> String {
        let mut config = Config::default();
        let address = ([127, 0, 0, 1], 102).into();
        config.listeners.push(ListenerConfig::new("mms", address, ListenerApplication::Echo));
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber =
            tracing_subscriber::fmt().event_format(JsonLines).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || emit(&config, record));
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let (time, rest) = text.split_once("Z\",").unwrap();
        assert!(time.starts_with("{\"ts\":\"20") && rest.ends_with("}\n"), "{text}");
        rest.trim_end().to_owned()
    }

    fn record(event: RecordEvent) -> Record {
        let session = SessionId { index: 7, generation: 2 };
        let side = Side::Responder { listener: Some(0) };
        let peer = Some(([10, 0, 0, 9], 4000).into());
        Record { subject: Subject { shard: 1, session, side, peer, partner: None }, event }
    }

    #[test]
    fn a_fault_is_logged_with_layer_spdu_parameter_and_offset() {
        let error = DecodeError {
            offset: 12,
            spdu: Some(SpduKind::Connect),
            parameter: Some(22),
            kind: DecodeErrorKind::ReservedValue(9),
        };
        let fault = Fault::Session(PeerFault::Decode(error));
        assert_eq!(
            line(&record(RecordEvent::Fault(fault))),
            "\"level\":\"warn\",\"msg\":\"the peer broke the protocol\",\"event_id\":\"CLQ-S02\",\
             \"shard\":1,\"session\":\"1-7.2\",\"peer\":\"10.0.0.9:4000\",\"listener\":\"mms\",\
             \"layer\":\"SPDU\",\"spdu\":\"CONNECT\",\"parameter\":22,\"offset\":12,\
             \"reason\":\"reserved value 0x09\"}"
        );
    }

    #[test]
    fn what_is_tolerated_is_logged_as_no_fault() {
        let tolerated = Tolerated { spdu: SpduKind::Finish, parameter: 17, offset: 0 };
        assert_eq!(
            line(&record(RecordEvent::Tolerated(tolerated))),
            "\"level\":\"info\",\"msg\":\"the peer sent a parameter twice, and the last one counts\",\
             \"event_id\":\"CLQ-S06\",\"shard\":1,\"session\":\"1-7.2\",\"peer\":\"10.0.0.9:4000\",\
             \"listener\":\"mms\",\"spdu\":\"FINISH\",\"parameter\":17,\"offset\":0}"
        );
    }

    #[test]
    fn an_end_is_logged_with_what_went_in_and_out() {
        let ended = EndRecord {
            end: EndReason::Refused { reason: 129, by_peer: false },
            duration: Duration::from_millis(1500),
            ssdus_in: 1,
            ssdus_out: 2,
            octets_in: 3,
            octets_out: 4,
            units: FunctionalUnits::HALF_DUPLEX | FunctionalUnits::NEGOTIATED_RELEASE,
            version: Some(Versions::V2),
            why: None,
            connect: Some(Duration::from_millis(20)),
            open: Some(Duration::from_millis(1480)),
            state: Some(State::Sta01),
            sync: Some(SyncNumbers { major: Some(SerialNumber(4)), last: Some(SerialNumber(9)) }),
            destination: Destination::default(),
            tls_version: None,
        };
        assert_eq!(
            line(&record(RecordEvent::Ended(ended))),
            "\"level\":\"info\",\"msg\":\"session ended\",\"event_id\":\"CLQ-S01\",\"shard\":1,\
             \"session\":\"1-7.2\",\"peer\":\"10.0.0.9:4000\",\"listener\":\"mms\",\
             \"reason\":\"refused\",\"code\":129,\"state\":\"STA01\",\"dur_ms\":1500,\"connect_ms\":20,\
             \"open_ms\":1480,\"ssdus_in\":1,\"ssdus_out\":2,\"bytes_in\":3,\"bytes_out\":4,\
             \"fu\":\"half_duplex+negotiated_release\",\"version\":2,\"sync_major\":4,\"sync_minor\":9}"
        );
    }

    #[test]
    fn an_opening_is_logged_with_selectors_and_what_was_proposed() {
        let opened = OpenRecord {
            calling_tsap: TransportSelector::new(&[0, 1]),
            called_ssap: Selector::new(b"MMS"),
            calling_ssap: Some(Selector::NULL),
            units: FunctionalUnits::DUPLEX,
            versions: Versions::V1 | Versions::V2,
            ..OpenRecord::unknown()
        };
        assert_eq!(
            line(&record(RecordEvent::Opened(opened))),
            "\"level\":\"info\",\"msg\":\"session opened\",\"event_id\":\"CLQ-S07\",\"shard\":1,\
             \"session\":\"1-7.2\",\"peer\":\"10.0.0.9:4000\",\"listener\":\"mms\",\
             \"tsel_calling\":\"0x0001\",\"ssel_calling\":\"0x\",\"ssel_called\":\"0x4d4d53\",\
             \"fu\":\"duplex\",\"version\":\"1+2\"}"
        );
    }

    #[test]
    fn text_is_escaped() {
        let mut out = String::new();
        write_text(&mut out, "a\"b\\c\nd\u{1}ä");
        assert_eq!(out, "\"a\\\"b\\\\c\\nd\\u0001ä\"");
    }
}
