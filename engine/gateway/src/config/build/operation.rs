//! `[limits]`, `[admin]`, `[log]`, `[drain]`.

use super::super::values::Values;
use super::super::{AdminConfig, DrainAction, DrainConfig, LimitsConfig, LogConfig, LogFormat, Principal};
use super::{count, size};

pub(super) fn limits(values: &Values) -> LimitsConfig {
    LimitsConfig {
        sessions_max: size(values, "sessions_max"),
        connects_per_second_max: values.integer("connects_per_second_max"),
        connections_not_established_max: size(values, "connections_not_established_max"),
        octets_per_second_max: values.integer("octets_per_second_max"),
        source_sessions_max: size(values, "source_sessions_max"),
        source_connects_per_second_max: values.integer("source_connects_per_second_max"),
        source_connections_not_established_max: size(values, "source_connections_not_established_max"),
        source_octets_per_second_max: values.integer("source_octets_per_second_max"),
        source_ipv6_prefix: values.integer("source_ipv6_prefix") as u8,
        shard_memory_octets_max: size(values, "shard_memory_octets_max"),
    }
}

pub(super) fn admin(values: &Values) -> AdminConfig {
    let principals = |name| values.texts(name).iter().filter_map(|text| Principal::of(text)).collect();
    AdminConfig {
        address: values.address("address"),
        control_socket: values.text("control_socket").map(Into::into),
        observers: principals("observers"),
        operators: principals("operators"),
        admins: principals("admins"),
        audit_file: values.text("audit_file").map(Into::into),
        tap_octets_per_second_max: values.integer("tap_octets_per_second_max"),
    }
}

pub(super) fn log(values: &Values) -> LogConfig {
    LogConfig {
        format: if values.text("format") == Some("json") { LogFormat::Json } else { LogFormat::Text },
        level: match values.text("level") {
            Some("error") => tracing::Level::ERROR,
            Some("warn") => tracing::Level::WARN,
            Some("debug") => tracing::Level::DEBUG,
            Some("trace") => tracing::Level::TRACE,
            _ => tracing::Level::INFO,
        },
        peer_records_per_minute_max: count(values, "peer_records_per_minute_max"),
    }
}

pub(super) fn drain(values: &Values) -> DrainConfig {
    DrainConfig {
        deadline: values.duration("deadline"),
        action: match values.text("action") {
            Some("abort") => DrainAction::Abort,
            Some("wait") => DrainAction::Wait,
            _ => DrainAction::Release,
        },
        sessions_per_second: count(values, "sessions_per_second"),
        jitter_percent: values.integer("jitter_percent") as u8,
        idle_for: values.duration("idle_for"),
    }
}
