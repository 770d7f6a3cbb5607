//! Addresses that are listened on.

use std::net::SocketAddr;

use super::super::diagnostics::{Diagnostics, FaultKind};
use super::super::read::File;
use super::super::values::Values;

pub(super) fn check(file: &File, diagnostics: &mut Diagnostics) {
    ports(file, diagnostics);
    admin(file, diagnostics);
}

fn ports(file: &File, diagnostics: &mut Diagnostics) {
    let listeners = file.listeners.iter().map(|values| (values, given_address(values)));
    let admin = std::iter::once((&file.admin, given_address(&file.admin)));
    let mut bound: Vec<(&Values, SocketAddr)> = Vec::new();
    for (values, address) in listeners.chain(admin) {
        let Some(address) = address else { continue };
        if let Some((other, _)) = bound.iter().find(|(_, taken)| collide(*taken, address)) {
            diagnostics.add(
                FaultKind::Duplicate,
                values.span("address"),
                values.key("address"),
                format!("{address} is taken by {}", other.path),
                "an address of its own",
                None,
            );
        }
        bound.push((values, address));
    }
}

/// Two listeners cannot both have a port when their addresses overlap; port 0 never collides.
fn collide(left: SocketAddr, right: SocketAddr) -> bool {
    let overlap = left.ip() == right.ip() || left.ip().is_unspecified() || right.ip().is_unspecified();
    left.port() == right.port() && left.port() != 0 && overlap
}

fn admin(file: &File, diagnostics: &mut Diagnostics) {
    if let Some(address) = given_address(&file.admin)
        && !address.ip().is_loopback()
    {
        diagnostics.add(
            FaultKind::Range,
            file.admin.span("address"),
            "admin.address",
            format!("{} is no loopback address", address.ip()),
            "a loopback address: the HTTP server has no access control",
            Some(format!("\"127.0.0.1:{}\"", address.port())),
        );
    }
}

pub(in super::super) fn given_address(values: &Values) -> Option<SocketAddr> {
    values.entry("address").span.as_ref()?;
    values.address("address")
}
