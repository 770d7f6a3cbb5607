//! From checked values to the typed configuration, and the defaults of each part.

mod operation;
mod routing;

use std::net::SocketAddr;

use colloquy_session::{Selector, Versions};
use colloquy_transport::class0::TransportSelector;

use super::keys::Section;
use super::read::File;
use super::values::Values;
use super::{
    AdminConfig, Config, DrainConfig, DriverChoice, EngineConfig, LimitsConfig, ListenerApplication,
    ListenerConfig, LogConfig, Profile, RouteConfig, TargetConfig, UpstreamConfig, units,
};
use routing::{Names, named, networks, ssaps, tsaps};

/// Builds the configuration of a file without faults.
pub(super) fn config(file: &File) -> Config {
    fn names(tables: &[Values]) -> Vec<&str> {
        tables.iter().map(|values| values.text("name").unwrap_or_default()).collect()
    }
    let names = Names {
        listeners: names(&file.listeners),
        upstreams: names(&file.upstreams),
        targets: names(&file.targets),
        tls: names(&file.tls),
    };
    Config {
        engine: engine(&file.engine),
        listeners: file.listeners.iter().map(|values| listener(values, &names)).collect(),
        routes: file.routes.iter().map(|values| routing::route(values, &names)).collect(),
        route_order: (0..file.routes.len()).collect(),
        upstreams: file.upstreams.iter().map(|values| routing::upstream(values, &names)).collect(),
        targets: file.targets.iter().map(|values| target(values, &names)).collect(),
        tls: file.tls.iter().map(routing::tls).collect(),
        bindings: file.bindings.iter().map(|values| routing::binding(values, &names)).collect(),
        limits: operation::limits(&file.limits),
        admin: operation::admin(&file.admin),
        log: operation::log(&file.log),
        drain: operation::drain(&file.drain),
    }
}

/// Names that nothing refers to.
const NO_NAMES: Names<'static> =
    Names { listeners: Vec::new(), upstreams: Vec::new(), targets: Vec::new(), tls: Vec::new() };

impl Default for EngineConfig {
    fn default() -> Self {
        engine(&Values::defaults(Section::Engine))
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        operation::limits(&Values::defaults(Section::Limits))
    }
}

impl Default for AdminConfig {
    fn default() -> Self {
        operation::admin(&Values::defaults(Section::Admin))
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        operation::log(&Values::defaults(Section::Log))
    }
}

impl Default for DrainConfig {
    fn default() -> Self {
        operation::drain(&Values::defaults(Section::Drain))
    }
}

impl ListenerConfig {
    /// A listener with every other key at its default.
    pub fn new(name: &str, address: SocketAddr, application: ListenerApplication) -> Self {
        let defaults = listener(&Values::defaults(Section::Listener), &NO_NAMES);
        Self { name: name.to_owned(), address, application, ..defaults }
    }
}

impl TargetConfig {
    /// A target with every other key at its default.
    pub fn new(name: &str, address: SocketAddr) -> Self {
        Self { name: name.to_owned(), address, ..target(&Values::defaults(Section::Target), &NO_NAMES) }
    }
}

impl RouteConfig {
    /// A route for everything to a destination, with every other key at its default.
    pub fn new(name: &str, destination: super::Destination) -> Self {
        let defaults = routing::route(&Values::defaults(Section::Route), &NO_NAMES);
        Self { name: name.to_owned(), destination, ..defaults }
    }
}

impl UpstreamConfig {
    /// A group of the targets of these indices, with every other key at its default.
    pub fn new(name: &str, targets: &[usize]) -> Self {
        let defaults = routing::upstream(&Values::defaults(Section::Upstream), &NO_NAMES);
        Self { name: name.to_owned(), targets: targets.to_vec(), ..defaults }
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
        send_timeout: values.duration("send_timeout"),
        send_batch_octets_max: size(values, "send_batch_octets_max"),
        completions_per_turn_max: size(values, "completions_per_turn_max"),
        session_tsdus_per_turn_max: count(values, "session_tsdus_per_turn_max"),
        buffer_scheme: values.text("buffer_scheme").and_then(|text| text.parse().ok()).unwrap_or_default(),
        receive_octets_max: count(values, "receive_octets_max"),
        submission_entries: count(values, "submission_entries"),
        completion_entries: count(values, "completion_entries"),
        submission_polling: values.boolean("submission_polling"),
        submission_polling_idle: values.duration("submission_polling_idle"),
        submission_polling_core: optional_count(values, "submission_polling_core"),
        busy_poll: values.duration("busy_poll"),
        zero_copy_send_octets_min: size(values, "zero_copy_send_octets_min"),
        tls_handshake_threads: size(values, "tls_handshake_threads"),
    }
}

fn listener(values: &Values, names: &Names<'_>) -> ListenerConfig {
    ListenerConfig {
        name: values.text("name").unwrap_or_default().to_owned(),
        address: values.address("address").expect("required"),
        application: routing::application(values, names),
        called_tsaps: tsaps(values, "called_tsaps"),
        called_ssaps: ssaps(values, "called_ssaps"),
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
        connect_timeout: values.duration("connect_timeout"),
        tim: values.duration("tim"),
        tls: named(values, "tls", &names.tls),
        proxy_protocol: values.text("proxy_protocol") == Some("required"),
        proxy_sources: networks(values, "proxy_sources"),
        allow: networks(values, "allow"),
        deny: networks(values, "deny").unwrap_or_default(),
        connects_per_second_max: values.integer("connects_per_second_max"),
        octets_per_second_max: values.integer("octets_per_second_max"),
        idle_timeout: values.duration("idle_timeout"),
        idle_action: routing::idle_action(values),
        release_timeout: values.duration("release_timeout"),
        transport_timeout: values.duration("transport_timeout"),
        keepalive: values.duration("keepalive"),
        user_timeout: values.duration("user_timeout"),
    }
}

fn target(values: &Values, names: &Names<'_>) -> TargetConfig {
    let tsap = |name| values.selector(name).and_then(TransportSelector::new);
    let ssap = |name| values.selector(name).and_then(Selector::new);
    TargetConfig {
        name: values.text("name").unwrap_or_default().to_owned(),
        removed: false,
        address: values.address("address").expect("required"),
        profile: values.text("profile").and_then(Profile::named).unwrap_or(Profile::Mms),
        called_tsap: tsap("called_tsap"),
        calling_tsap: tsap("calling_tsap"),
        called_ssap: ssap("called_ssap"),
        calling_ssap: ssap("calling_ssap"),
        strict: values.boolean("strict"),
        extended_concatenation: values.boolean("extended_concatenation"),
        transport_expedited: values.boolean("transport_expedited"),
        tpdu_octets_max: values.integer("tpdu_octets_max") as u32,
        tsdu_octets_max: size(values, "tsdu_octets_max"),
        connect_timeout: values.duration("connect_timeout"),
        release_timeout: values.duration("release_timeout"),
        tim: values.duration("tim"),
        state: routing::state(values),
        policy: routing::policy(values),
        weight: count(values, "weight"),
        sessions_max: size(values, "sessions_max"),
        health: routing::health(values),
        eject_failures: count(values, "eject_failures"),
        eject_time: values.duration("eject_time"),
        tls: named(values, "tls", &names.tls),
        tls_server_name: values.text("tls_server_name").map(str::to_owned),
        proxy_protocol: values.text("proxy_protocol") == Some("v2"),
        keepalive: values.duration("keepalive"),
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

fn versions(numbers: &[u64]) -> Versions {
    numbers.iter().fold(Versions::empty(), |versions, number| {
        versions | if *number == 1 { Versions::V1 } else { Versions::V2 }
    })
}
