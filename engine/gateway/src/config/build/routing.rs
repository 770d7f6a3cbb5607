//! Routes, upstreams, and what else refers to other tables by name.

use colloquy_session::Selector;
use colloquy_transport::class0::TransportSelector;
use ipnet::IpNet;

use super::super::values::Values;
use super::super::{
    Balance, BindingConfig, CertificateName, ConnectionPolicy, Destination, HashOn, HealthCheck, HealthLevel,
    IdleAction, ListenerApplication, RouteConfig, TargetState, TlsConfig, UpstreamConfig, units,
};
use super::{count, size};

/// The names that tables refer to each other by.
pub(super) struct Names<'f> {
    pub(super) listeners: Vec<&'f str>,
    pub(super) upstreams: Vec<&'f str>,
    pub(super) targets: Vec<&'f str>,
    pub(super) tls: Vec<&'f str>,
}

/// The index of the table that a key names.
pub(super) fn named(values: &Values, key: &str, names: &[&str]) -> Option<usize> {
    let name = values.text(key)?;
    names.iter().position(|known| *known == name)
}

pub(super) fn application(values: &Values, names: &Names<'_>) -> ListenerApplication {
    match values.text("application") {
        Some("relay") => {
            let target = named(values, "target", &names.targets);
            let upstream = named(values, "upstream", &names.upstreams);
            match (target, upstream) {
                (Some(target), _) => ListenerApplication::Relay { target },
                (None, Some(upstream)) => ListenerApplication::Balance { upstream },
                (None, None) => ListenerApplication::Routed,
            }
        }
        Some("sink") => ListenerApplication::Sink,
        _ => ListenerApplication::Echo,
    }
}

pub(super) fn route(values: &Values, names: &Names<'_>) -> RouteConfig {
    let upstream = named(values, "upstream", &names.upstreams).map(Destination::Upstream);
    let target = named(values, "target", &names.targets).map(Destination::Target);
    let refuse = values.optional_integer("refuse").map(|reason| Destination::Refuse(reason as u8));
    let listeners = values.texts("listeners");
    RouteConfig {
        name: values.text("name").unwrap_or_default().to_owned(),
        removed: false,
        listeners: (!listeners.is_empty()).then(|| {
            let index = |name: &String| names.listeners.iter().position(|known| known == name);
            listeners.iter().filter_map(index).collect()
        }),
        called_tsaps: tsaps(values, "called_tsaps"),
        calling_tsaps: tsaps(values, "calling_tsaps"),
        called_ssaps: ssaps(values, "called_ssaps"),
        calling_ssaps: ssaps(values, "calling_ssaps"),
        sources: networks(values, "sources"),
        functional_units: units::of_names(values.texts("functional_units")),
        destination: target.or(upstream).or(refuse).unwrap_or(Destination::Refuse(0)),
        sessions_max: size(values, "sessions_max"),
        connects_per_second_max: values.integer("connects_per_second_max"),
        octets_per_second_max: values.integer("octets_per_second_max"),
        idle_timeout: values.optional_duration("idle_timeout"),
        idle_action: values.text("idle_action").map(idle_action_named),
    }
}

pub(super) fn upstream(values: &Values, names: &Names<'_>) -> UpstreamConfig {
    let index = |name: &String| names.targets.iter().position(|known| known == name);
    UpstreamConfig {
        name: values.text("name").unwrap_or_default().to_owned(),
        removed: false,
        targets: values.texts("targets").iter().filter_map(index).collect(),
        balance: match values.text("balance") {
            Some("least_sessions") => Balance::LeastSessions,
            Some("hash") => Balance::Hash(hash_on(values)),
            _ => Balance::RoundRobin,
        },
        retries_max: count(values, "retries_max"),
        retry_backoff: values.duration("retry_backoff"),
        retry_backoff_max: values.duration("retry_backoff_max"),
    }
}

fn hash_on(values: &Values) -> HashOn {
    match values.text("hash_on") {
        Some("calling_ssap") => HashOn::CallingSsap,
        Some("called_tsap") => HashOn::CalledTsap,
        Some("calling_tsap") => HashOn::CallingTsap,
        Some("source") => HashOn::Source,
        _ => HashOn::CalledSsap,
    }
}

pub(super) fn state(values: &Values) -> TargetState {
    match values.text("state") {
        Some("drain") => TargetState::Drain,
        Some("maint") => TargetState::Maint,
        _ => TargetState::Ready,
    }
}

pub(super) fn policy(values: &Values) -> ConnectionPolicy {
    match values.text("policy") {
        Some("on_startup") => {
            ConnectionPolicy::OnStartup { warm_connections: size(values, "warm_connections") }
        }
        Some("incoming_only") => ConnectionPolicy::IncomingOnly,
        _ => ConnectionPolicy::OnDemand,
    }
}

pub(super) fn health(values: &Values) -> HealthCheck {
    HealthCheck {
        level: match values.text("health_check") {
            Some("tcp") => HealthLevel::Tcp,
            Some("transport") => HealthLevel::Transport,
            Some("session") => HealthLevel::Session,
            _ => HealthLevel::Off,
        },
        interval: values.duration("health_interval"),
        timeout: values.duration("health_timeout"),
        rise: count(values, "health_rise"),
        fall: count(values, "health_fall"),
    }
}

pub(super) fn idle_action(values: &Values) -> IdleAction {
    values.text("idle_action").map_or(IdleAction::Release, idle_action_named)
}

fn idle_action_named(word: &str) -> IdleAction {
    if word == "abort" { IdleAction::Abort } else { IdleAction::Release }
}

pub(super) fn tls(values: &Values) -> TlsConfig {
    let path = |name| values.text(name).unwrap_or_default().into();
    let paths = |name| values.texts(name).iter().map(Into::into).collect();
    let versions = values.texts("versions");
    let allowed = values.texts("allow_certificates");
    TlsConfig {
        name: values.text("name").unwrap_or_default().to_owned(),
        certificate: path("certificate"),
        key: path("key"),
        authorities: paths("authorities"),
        revocation_lists: paths("revocation_lists"),
        revocation_required: values.boolean("revocation_required"),
        client_certificate_required: values.text("client_certificate") != Some("none"),
        version_1_2: versions.iter().any(|version| version == "1.2"),
        version_1_3: versions.iter().any(|version| version == "1.3"),
        ciphers: values.texts("ciphers").to_vec(),
        groups: values.texts("groups").to_vec(),
        rsa_bits_min: size(values, "rsa_bits_min"),
        allow_certificates: (!allowed.is_empty())
            .then(|| allowed.iter().filter_map(|text| CertificateName::of(text)).collect()),
        handshake_timeout: values.duration("handshake_timeout"),
        resumption_lifetime: values.duration("resumption_lifetime"),
        expiry_warning: values.duration("expiry_warning"),
    }
}

pub(super) fn binding(values: &Values, names: &Names<'_>) -> BindingConfig {
    let certificate = values.text("certificate").and_then(CertificateName::of);
    BindingConfig {
        tls: named(values, "tls", &names.tls).unwrap_or_default(),
        certificate: certificate.expect("its kind has accepted it"),
        calling_tsaps: tsaps(values, "calling_tsaps"),
        calling_ssaps: ssaps(values, "calling_ssaps"),
        called_tsaps: tsaps(values, "called_tsaps"),
        called_ssaps: ssaps(values, "called_ssaps"),
    }
}

pub(super) fn tsaps(values: &Values, name: &str) -> Option<Vec<TransportSelector>> {
    let all = values.selectors(name)?;
    Some(all.iter().filter_map(|octets| TransportSelector::new(octets)).collect())
}

pub(super) fn ssaps(values: &Values, name: &str) -> Option<Vec<Selector>> {
    let all = values.selectors(name)?;
    Some(all.iter().filter_map(|octets| Selector::new(octets)).collect())
}

pub(super) fn networks(values: &Values, name: &str) -> Option<Vec<IpNet>> {
    values.networks(name).map(<[IpNet]>::to_vec)
}
