//! Ports that this process may not bind.

use super::super::diagnostics::{Diagnostics, FaultKind};
use super::super::read::File;
use super::super::relations::given_address;
use super::System;

pub(super) fn check(file: &File, system: &System, diagnostics: &mut Diagnostics) {
    for values in file.listeners.iter().chain(std::iter::once(&file.admin)) {
        let Some(port) = given_address(values).map(|address| address.port()) else { continue };
        if port == 0 || port >= system.unprivileged_port_start || system.binds_privileged {
            continue;
        }
        diagnostics.warn(
            FaultKind::System,
            values.span("address"),
            values.key("address"),
            format!(
                "port {port} needs the capability CAP_NET_BIND_SERVICE, which this process does not have"
            ),
            format!("the capability, or a port from {}", system.unprivileged_port_start),
            Some("the systemd unit grants it: AmbientCapabilities=CAP_NET_BIND_SERVICE".to_owned()),
        );
    }
}
