//! From checked values to the typed configuration, and the defaults of each part.

use std::net::SocketAddr;
use std::time::Duration;

use colloquy_session::{Selector, Versions};
use colloquy_transport::class0::TransportSelector;

use super::keys::Section;
use super::read::{File, Values};
use super::{
    AdminConfig, Config, DrainConfig, DriverChoice, EngineConfig, ListenerApplication, ListenerConfig,
    LogConfig, LogFormat, Profile, TargetConfig, units,
};

/// Builds the configuration of a file without faults.
pub(super) fn config(file: &File) -> Config {
    let target_names: Vec<&str> = file.targets.iter().filter_map(|target| target.text("name")).collect();
    Config {
        engine: engine(&file.engine),
        listeners: file.listeners.iter().map(|values| listener(values, &target_names)).collect(),
        targets: file.targets.iter().map(target).collect(),
        admin: AdminConfig { address: file.admin.address("address") },
        log: log(&file.log),
        drain: DrainConfig { deadline: duration(&file.drain, "deadline_ms") },
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        engine(&Values::defaults(Section::Engine))
    }
}

impl Default for AdminConfig {
    fn default() -> Self {
        AdminConfig { address: Values::defaults(Section::Admin).address("address") }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        log(&Values::defaults(Section::Log))
    }
}

impl Default for DrainConfig {
    fn default() -> Self {
        DrainConfig { deadline: duration(&Values::defaults(Section::Drain), "deadline_ms") }
    }
}

impl ListenerConfig {
    /// A listener with every other key at its default.
    pub fn new(name: &str, address: SocketAddr, application: ListenerApplication) -> Self {
        let mut values = Values::defaults(Section::Listener);
        values.path = name.to_owned();
        let defaults = listener(&values, &[]);
        Self { name: name.to_owned(), address, application, ..defaults }
    }
}

impl TargetConfig {
    /// A target with every other key at its default.
    pub fn new(name: &str, address: SocketAddr) -> Self {
        Self { name: name.to_owned(), address, ..target(&Values::defaults(Section::Target)) }
    }
}

fn engine(values: &Values) -> EngineConfig {
    EngineConfig {
        driver: match values.text("driver") {
            Some("io_uring") => DriverChoice::IoUring,
            Some("mio") => DriverChoice::Mio,
            _ => DriverChoice::Auto,
        },
        shards: size(values, "shards"),
        pin_cores: values.boolean("pin_cores"),
        sessions_max: size(values, "sessions_max"),
        receive_blocks: size(values, "receive_blocks"),
        receive_block_octets: size(values, "receive_block_octets"),
        pinned_octets_max: size(values, "pinned_octets_max"),
        ssdu_octets_max: size(values, "ssdu_octets_max"),
        send_high_mark_octets: size(values, "send_high_mark_octets"),
        send_low_mark_octets: size(values, "send_low_mark_octets"),
        send_timeout: duration(values, "send_timeout_ms"),
        send_batch_octets_max: size(values, "send_batch_octets_max"),
        completions_per_turn_max: size(values, "completions_per_turn_max"),
        session_tsdus_per_turn_max: count(values, "session_tsdus_per_turn_max"),
        buffer_scheme: values.text("buffer_scheme").and_then(|text| text.parse().ok()).unwrap_or_default(),
        receive_octets_max: count(values, "receive_octets_max"),
        submission_entries: count(values, "submission_entries"),
        completion_entries: count(values, "completion_entries"),
        submission_polling: values.boolean("submission_polling"),
        submission_polling_idle: duration(values, "submission_polling_idle_ms"),
        submission_polling_core: optional_count(values, "submission_polling_core"),
        busy_poll: Duration::from_micros(values.integer("busy_poll_us")),
        zero_copy_send_octets_min: size(values, "zero_copy_send_octets_min"),
    }
}

fn listener(values: &Values, target_names: &[&str]) -> ListenerConfig {
    let target = values.text("target").and_then(|name| target_names.iter().position(|known| *known == name));
    ListenerConfig {
        name: values.text("name").unwrap_or_default().to_owned(),
        address: values.address("address").expect("required"),
        application: match (values.text("application"), target) {
            (Some("relay"), Some(target)) => ListenerApplication::Relay { target },
            (Some("sink"), _) => ListenerApplication::Sink,
            _ => ListenerApplication::Echo,
        },
        called_tsaps: values
            .selectors("called_tsaps")
            .map(|all| all.iter().filter_map(|octets| TransportSelector::new(octets)).collect()),
        called_ssaps: values
            .selectors("called_ssaps")
            .map(|all| all.iter().filter_map(|octets| Selector::new(octets)).collect()),
        functional_units: units::of_names(values.texts("functional_units")),
        versions: versions(values.numbers("versions")),
        strict: values.boolean("strict"),
        extended_concatenation: values.boolean("extended_concatenation"),
        exception_reports: values.boolean("exception_reports"),
        connect_user_data_octets_max: size(values, "connect_user_data_octets_max"),
        tsdu_maximum_size: values.integer("tsdu_maximum_size") as u16,
        transport_expedited: values.boolean("transport_expedited"),
        transport_reuse: values.boolean("transport_reuse"),
        tpdu_octets_max: values.integer("tpdu_octets_max") as u32,
        tsdu_octets_max: size(values, "tsdu_octets_max"),
        sessions_max: size(values, "sessions_max"),
        connections_not_established_max: size(values, "connections_not_established_max"),
        connect_timeout: duration(values, "connect_timeout_ms"),
        tim: duration(values, "tim_ms"),
    }
}

fn target(values: &Values) -> TargetConfig {
    let tsap = |name| values.selector(name).and_then(TransportSelector::new);
    let ssap = |name| values.selector(name).and_then(Selector::new);
    TargetConfig {
        name: values.text("name").unwrap_or_default().to_owned(),
        address: values.address("address").expect("required"),
        profile: match values.text("profile") {
            Some("transparent") => Profile::Transparent,
            _ => Profile::Mms,
        },
        called_tsap: tsap("called_tsap"),
        calling_tsap: tsap("calling_tsap"),
        called_ssap: ssap("called_ssap"),
        calling_ssap: ssap("calling_ssap"),
        strict: values.boolean("strict"),
        extended_concatenation: values.boolean("extended_concatenation"),
        transport_expedited: values.boolean("transport_expedited"),
        tpdu_octets_max: values.integer("tpdu_octets_max") as u32,
        tsdu_octets_max: size(values, "tsdu_octets_max"),
        connect_timeout: duration(values, "connect_timeout_ms"),
        release_timeout: duration(values, "release_timeout_ms"),
        tim: duration(values, "tim_ms"),
    }
}

fn log(values: &Values) -> LogConfig {
    LogConfig {
        format: if values.text("format") == Some("json") { LogFormat::Json } else { LogFormat::Text },
        level: match values.text("level") {
            Some("error") => tracing::Level::ERROR,
            Some("warn") => tracing::Level::WARN,
            Some("debug") => tracing::Level::DEBUG,
            Some("trace") => tracing::Level::TRACE,
            _ => tracing::Level::INFO,
        },
    }
}

fn size(values: &Values, name: &str) -> usize {
    usize::try_from(values.integer(name)).expect("the key table keeps sizes below 2^32")
}

fn count(values: &Values, name: &str) -> u32 {
    u32::try_from(values.integer(name)).expect("the key table keeps counts below 2^32")
}

fn optional_count(values: &Values, name: &str) -> Option<u32> {
    values.optional_integer(name).map(|value| u32::try_from(value).expect("as above"))
}

fn duration(values: &Values, name: &str) -> Duration {
    Duration::from_millis(values.integer(name))
}

fn versions(numbers: &[u64]) -> Versions {
    numbers.iter().fold(Versions::empty(), |versions, number| {
        versions | if *number == 1 { Versions::V1 } else { Versions::V2 }
    })
}
