//! Why a connection to a target came to nothing, in a word: for the record of it, and for `targets list`.

use colloquy_shard::{SessionEnd, WireFault};

use super::GatewayApp;
use super::state::Role;

/// No network connection could even be begun.
pub(super) const UNREACHABLE: &str = "unreachable";
/// What was waited for did not come.
pub(super) const TIMEOUT: &str = "timeout";
/// The files of the target's `[[tls]]` table could not be read.
pub(super) const NO_TLS: &str = "tls_not_ready";
/// A limit of this side's: sessions of the shard, descriptors, ports.
pub(super) const SHORTAGE: &str = "own_limit";

/// How a connection that the gateway has opened for itself has ended, before it was of use; a kind of TLS fault by its own word.
pub(super) fn word(end: &SessionEnd, is_connecting: bool) -> &'static str {
    match end {
        SessionEnd::Wire(WireFault::Tls(fault)) => fault.kind.name(),
        SessionEnd::Wire(WireFault::Proxy(_)) => "proxy",
        SessionEnd::Network(_) if is_connecting => UNREACHABLE,
        SessionEnd::TransportRefused { .. } => "transport_refused",
        SessionEnd::Refused { .. } => "refused",
        SessionEnd::Timeout(_) => TIMEOUT,
        SessionEnd::Aborted { .. } => "aborted",
        SessionEnd::ProtocolError => "protocol_error",
        _ => "closed",
    }
}

impl GatewayApp {
    /// Notes a TLS fault as why a session to a target failed: its own word says more than that it was not reached.
    pub(super) fn note_tls_failure(&self, role: Role, end: &SessionEnd) {
        if let (Role::Upstream { target }, SessionEnd::Wire(_)) = (role, end) {
            self.plan.targets[usize::from(target)].note_failure(word(end, true));
        }
    }
}
