//! The key table: one definition of every configuration key, which feeds the reader, the defaults, the
//! reference file `configs/gateway.toml`, the JSON schema and the tests that hold them together.

mod engine;
mod listener;
mod operation;
mod route;
mod target;
mod tls;

use super::keys::{Key, Section};

/// The keys of a section, in the order of the reference file.
pub(super) const fn of(section: Section) -> &'static [Key] {
    match section {
        Section::Root => operation::ROOT,
        Section::Engine => engine::ENGINE,
        Section::Listener => listener::LISTENER,
        Section::Route => route::ROUTE,
        Section::Upstream => route::UPSTREAM,
        Section::Target => target::TARGET,
        Section::Tls => tls::TLS,
        Section::Binding => tls::BINDING,
        Section::Limits => operation::LIMITS,
        Section::Admin => operation::ADMIN,
        Section::Log => operation::LOG,
        Section::Drain => operation::DRAIN,
    }
}
