//! Faults that lie between keys: names, references, ports, and the sum of the receive pool.

use std::net::SocketAddr;
use std::ops::Range;

use colloquy_session::FunctionalUnits;

use super::diagnostics::{Diagnostics, FaultKind, nearest};
use super::quantity::duration_text;
use super::read::File;
use super::units;
use super::values::Values;

/// Blocks that the kernel (or the driver) keeps to receive into: the one it fills and the next.
pub(crate) const BLOCKS_RECEIVING: usize = 2;

pub(super) fn check(file: &File, diagnostics: &mut Diagnostics) {
    listeners(file, diagnostics);
    for (index, listener) in file.listeners.iter().enumerate() {
        unique_name(listener, &file.listeners[..index], diagnostics);
        application(listener, file, diagnostics);
        connect_timeouts(listener, file, diagnostics);
        offered_units(listener, diagnostics);
    }
    for (index, target) in file.targets.iter().enumerate() {
        unique_name(target, &file.targets[..index], diagnostics);
    }
    ports(file, diagnostics);
    admin(file, diagnostics);
    engine(file, diagnostics);
}

/// What lies between the keys of `[engine]`.
pub(super) fn engine(file: &File, diagnostics: &mut Diagnostics) {
    marks(&file.engine, diagnostics);
    queues(&file.engine, diagnostics);
    pool(file, diagnostics);
}

fn listeners(file: &File, diagnostics: &mut Diagnostics) {
    if file.listeners.is_empty() {
        let suggestion = Some("add [[listener]] with name, address and application".to_owned());
        diagnostics.add(
            FaultKind::MissingKey,
            0..0,
            "listener",
            "there is none",
            "at least one [[listener]]",
            suggestion,
        );
    }
}

fn unique_name(values: &Values, before: &[Values], diagnostics: &mut Diagnostics) {
    let Some(name) = given_text(values, "name") else { return };
    if let Some(other) = before.iter().find(|other| given_text(other, "name") == Some(name)) {
        diagnostics.add(
            FaultKind::Duplicate,
            values.span("name"),
            values.key("name"),
            format!("{name:?} is the name of {} too", other.path),
            "a name of its own",
            None,
        );
    }
}

fn application(listener: &Values, file: &File, diagnostics: &mut Diagnostics) {
    let Some(application) = given_text(listener, "application") else { return };
    let target = given_text(listener, "target");
    let key = listener.key("target");
    match (application, target) {
        ("relay", None) if listener.text("upstream").is_some() || !file.routes.is_empty() => {}
        ("relay", None) => {
            let suggestion = file.targets.iter().find_map(|target| given_text(target, "name"));
            diagnostics.add(
                FaultKind::MissingKey,
                listener.span("target"),
                key,
                "is missing: a relay needs a target",
                "target = the name of a [[target]]",
                suggestion.map(|name| format!("for example target = {name:?}")),
            );
        }
        ("relay", Some(name)) => {
            let names = || file.targets.iter().filter_map(|target| given_text(target, "name"));
            if !names().any(|known| known == name) {
                diagnostics.add(
                    FaultKind::Reference,
                    listener.span("target"),
                    key,
                    format!("there is no target {name:?}"),
                    "the name of a [[target]]",
                    nearest(name, names()).map(|near| format!("did you mean {near:?}?")),
                );
            }
        }
        (_, Some(_)) => diagnostics.add(
            FaultKind::Reference,
            listener.span("target"),
            key,
            format!("{application} has no target"),
            "no target",
            Some("did you mean application = \"relay\"?".to_owned()),
        ),
        (_, None) => {}
    }
}

/// The downstream must still be there when the upstream's time is up, to be told why.
fn connect_timeouts(listener: &Values, file: &File, diagnostics: &mut Diagnostics) {
    let name = given_text(listener, "target");
    let target = file.targets.iter().find(|target| name.is_some() && given_text(target, "name") == name);
    let Some(target) = target else { return };
    let (own, targets) = (listener.duration("connect_timeout"), target.duration("connect_timeout"));
    if own <= targets {
        diagnostics.add(
            FaultKind::Relation,
            first_given(listener, &["connect_timeout", "target"]),
            listener.key("connect_timeout"),
            format!(
                "{} is not more than connect_timeout = {} of {}",
                duration_text(own),
                duration_text(targets),
                target.path
            ),
            format!("more than {}", duration_text(targets)),
            None,
        );
    }
}

fn offered_units(listener: &Values, diagnostics: &mut Diagnostics) {
    let names = listener.texts("functional_units");
    if !names.iter().any(|unit| unit == "duplex" || unit == "half_duplex") {
        diagnostics.add(
            FaultKind::Relation,
            listener.span("functional_units"),
            listener.key("functional_units"),
            "neither duplex nor half_duplex: no session could be accepted",
            "at least one of \"duplex\", \"half_duplex\"",
            None,
        );
    }
    let offered = units::of_names(names);
    for (unit, missing) in units::contradictions(offered) {
        diagnostics.add(
            FaultKind::Relation,
            listener.span("functional_units"),
            listener.key("functional_units"),
            format!("{unit} without {missing}: it could never be selected"),
            format!("{missing} too, or no {unit}"),
            None,
        );
    }
    if offered.contains(FunctionalUnits::EXPEDITED) && !listener.boolean("transport_expedited") {
        diagnostics.add(
            FaultKind::Relation,
            listener.span("functional_units"),
            listener.key("functional_units"),
            "expedited_data without transport_expedited: it could never be selected",
            "transport_expedited = true, or no expedited_data",
            None,
        );
    }
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

fn marks(engine: &Values, diagnostics: &mut Diagnostics) {
    let high = engine.integer("send_high_mark_octets");
    let low = engine.integer("send_low_mark_octets");
    if low >= high {
        diagnostics.add(
            FaultKind::Relation,
            first_given(engine, &["send_low_mark_octets", "send_high_mark_octets"]),
            "engine.send_low_mark_octets",
            format!("{low} is not less than send_high_mark_octets = {high}"),
            format!("at most {}", high.saturating_sub(1)),
            None,
        );
    }
}

/// Every entry submitted completes, so what one call submits must fit what one call brings back.
fn queues(engine: &Values, diagnostics: &mut Diagnostics) {
    let submitted = engine.integer("submission_entries");
    let completed = engine.integer("completion_entries");
    if completed < submitted {
        diagnostics.add(
            FaultKind::Relation,
            first_given(engine, &["completion_entries", "submission_entries"]),
            "engine.completion_entries",
            format!("{completed} is less than submission_entries = {submitted}"),
            format!("at least {submitted}"),
            None,
        );
    }
}

/// The pool must hold all its users at once, or the shard could stop: everyone waits for a block that
/// only the progress of another would free.
fn pool(file: &File, diagnostics: &mut Diagnostics) {
    let engine = &file.engine;
    let blocks = engine.integer("receive_blocks");
    let block_octets = engine.integer("receive_block_octets");
    let sum = PoolSum::of(
        engine.integer("pinned_octets_max"),
        engine.integer("send_high_mark_octets"),
        block_octets,
    );
    if blocks < sum.total() {
        diagnostics.add(
            FaultKind::Relation,
            first_given(
                engine,
                &["receive_blocks", "receive_block_octets", "pinned_octets_max", "send_high_mark_octets"],
            ),
            "engine.receive_blocks",
            format!("{blocks} blocks of {block_octets} octets cannot hold their users"),
            sum.to_string(),
            Some(format!("receive_blocks = {}", sum.total().next_power_of_two())),
        );
    }
}

/// The users of the receive pool, in blocks.
struct PoolSum {
    /// Blocks being received into.
    receiving: u64,
    /// One TSDU or SSDU in assembly; one block more than its octets fill, for it need not begin at a block.
    assembly: u64,
    /// One send queue at its high mark; as above.
    send_queue: u64,
}

impl PoolSum {
    fn of(pinned_octets_max: u64, send_high_mark_octets: u64, block_octets: u64) -> PoolSum {
        PoolSum {
            receiving: BLOCKS_RECEIVING as u64,
            assembly: pinned_octets_max.div_ceil(block_octets) + 1,
            send_queue: send_high_mark_octets.div_ceil(block_octets) + 1,
        }
    }

    fn total(&self) -> u64 {
        self.receiving + self.assembly + self.send_queue
    }
}

impl std::fmt::Display for PoolSum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "at least {} received into + {} for a TSDU in assembly (pinned_octets_max) + {} for a send queue \
             (send_high_mark_octets) = {} blocks",
            self.receiving,
            self.assembly,
            self.send_queue,
            self.total()
        )
    }
}

fn first_given(values: &Values, names: &[&str]) -> Range<usize> {
    names.iter().find_map(|name| values.entry(name).span.clone()).unwrap_or_else(|| values.span.clone())
}

/// The text of a key that the file gives; not the placeholder of a faulty one.
fn given_text<'v>(values: &'v Values, name: &str) -> Option<&'v str> {
    values.entry(name).span.as_ref()?;
    values.text(name)
}

fn given_address(values: &Values) -> Option<SocketAddr> {
    values.entry("address").span.as_ref()?;
    values.address("address")
}
