//! The tables of a report: which columns there are, how important each is, what stands in it.

use colloquy_gateway::sight::StatusReport;
use colloquy_gateway::sight::status::{Count, LimitRefusals};
use colloquy_gateway::sight::text::{NOTHING, group, octets, rate, ratio, time};

use super::grid::{Cell, Column, Grid, Mood, spaced};

/// Characters of a bar.
const BAR_CELLS: usize = 8;
/// From here on a shard has little left.
const BUSY_WARNING: f64 = 0.7;
const BUSY_BAD: f64 = 0.9;

pub(super) fn left(heading: &'static str, importance: u8) -> Column {
    Column { heading, importance, right: false, elastic: false }
}

pub(super) fn elastic(heading: &'static str, importance: u8) -> Column {
    Column { elastic: true, ..left(heading, importance) }
}

pub(super) fn right(heading: &'static str, importance: u8) -> Column {
    Column { heading, importance, right: true, elastic: false }
}

fn whole(value: u64) -> Cell {
    Cell::number(value as f64, group(value))
}

fn maybe(value: Option<f64>, text: impl FnOnce(f64) -> String) -> Cell {
    value.map_or_else(|| Cell::text(NOTHING), |value| Cell::number(value, text(value)))
}

fn maybe_whole(value: Option<u64>) -> Cell {
    value.map_or_else(|| Cell::text(NOTHING), whole)
}

fn counts(counts: &[Count]) -> Cell {
    let total: u64 = counts.iter().map(|each| each.count).sum();
    let texts: Vec<String> = counts
        .iter()
        .filter(|each| each.count > 0)
        .map(|each| format!("{} {}", each.name.replace('_', " "), group(each.count)))
        .collect();
    Cell::number(total as f64, if texts.is_empty() { NOTHING.to_owned() } else { texts.join(", ") })
}

/// A share of 1 as a bar and a number.
pub(super) fn bar(share: f64) -> String {
    let full = (share.clamp(0.0, 1.0) * BAR_CELLS as f64).round() as usize;
    format!("{}{} {:>5}", "\u{2588}".repeat(full), "\u{2591}".repeat(BAR_CELLS - full), spaced(&ratio(share)))
}

pub(super) fn shards(report: &StatusReport) -> Grid {
    let columns = vec![
        right("Shard", 0),
        right("Core", 8),
        right("Sessions", 0),
        left("Busy", 1),
        right("SSDU/s in", 2),
        right("out", 3),
        right("Octets/s in", 4),
        right("out", 5),
        right("Turns/s", 9),
        right("Calls/SPDU", 7),
        right("Blocks free", 6),
        right("Queue octets", 10),
    ];
    let row = |shard: &colloquy_gateway::sight::status::ShardStatus| {
        let rates = &shard.rates.last_10s;
        let mood = match rates.busy_ratio {
            busy if busy >= BUSY_BAD => Mood::Bad,
            busy if busy >= BUSY_WARNING => Mood::Warning,
            _ => Mood::Plain,
        };
        vec![
            whole(shard.number as u64),
            maybe_whole(shard.core.map(|core| core as u64)),
            whole(shard.sessions),
            Cell::number(rates.busy_ratio, bar(rates.busy_ratio)).with(mood),
            Cell::number(rates.ssdus_in_per_second, rate(rates.ssdus_in_per_second)),
            Cell::number(rates.ssdus_out_per_second, rate(rates.ssdus_out_per_second)),
            Cell::number(rates.octets_in_per_second, octets(rates.octets_in_per_second)),
            Cell::number(rates.octets_out_per_second, octets(rates.octets_out_per_second)),
            Cell::number(rates.turns_per_second, rate(rates.turns_per_second)),
            maybe(shard.system_calls_per_spdu, |calls| format!("{calls:.2}")),
            Cell::number(
                shard.blocks_free as f64,
                format!("{}/{}", group(shard.blocks_free), group(shard.blocks)),
            ),
            Cell::number(shard.queue_octets as f64, octets(shard.queue_octets as f64)),
        ]
    };
    Grid { columns, rows: report.shards.iter().map(row).collect() }
}

pub(super) fn listeners(report: &StatusReport) -> Grid {
    let columns = vec![
        left("Listener", 0),
        left("Address", 1),
        left("Does", 3),
        elastic("To", 4),
        left("TLS", 5),
        right("Sessions", 0),
        right("Established", 2),
        right("per s", 2),
        elastic("Refused", 3),
    ];
    let row = |listener: &colloquy_gateway::sight::status::ListenerReport| {
        vec![
            Cell::text(&listener.name),
            Cell::text(&listener.address),
            Cell::text(&listener.application),
            Cell::text(listener.to.as_deref().unwrap_or(NOTHING)),
            Cell::text(listener.tls.as_deref().unwrap_or("plain")),
            maybe_whole(listener.sessions),
            maybe_whole(listener.established),
            maybe(listener.established_per_second, rate),
            counts(&listener.refused),
        ]
    };
    Grid { columns, rows: report.listeners.iter().map(row).collect() }
}

pub(super) fn targets(report: &StatusReport) -> Grid {
    let columns = vec![
        left("Target", 0),
        left("Address", 2),
        left("State", 0),
        left("Health", 1),
        right("Sessions", 0),
        right("Weight", 7),
        right("p50", 4),
        right("p99", 3),
        left("TLS", 6),
        elastic("Connects", 5),
    ];
    let row = |target: &colloquy_gateway::sight::status::TargetReport| {
        let state = if target.state == "ready" { Mood::Good } else { Mood::Warning };
        let health = match (target.ejected_for_seconds, target.health.as_deref()) {
            (Some(seconds), _) => Cell::text(format!("ejected {} s", seconds.ceil())).with(Mood::Bad),
            (None, Some("down")) => Cell::text("down").with(Mood::Bad),
            (None, Some("up")) => Cell::text("up").with(Mood::Good),
            (None, health) => Cell::text(health.unwrap_or(NOTHING)),
        };
        let name = if target.removed { format!("{} (removed)", target.name) } else { target.name.clone() };
        vec![
            Cell::text(name),
            Cell::text(&target.address),
            Cell::text(&target.state).with(state),
            health,
            maybe_whole(target.sessions),
            whole(u64::from(target.weight)),
            maybe(target.connect_p50_seconds, time),
            maybe(target.connect_p99_seconds, time),
            Cell::text(target.tls.as_deref().unwrap_or("plain")),
            counts(&target.connects),
        ]
    };
    Grid { columns, rows: report.targets.iter().map(row).collect() }
}

pub(super) fn latencies(report: &StatusReport) -> Grid {
    let columns = vec![
        left("Time taken", 0),
        right("Count", 1),
        right("p50", 0),
        right("p90", 2),
        right("p99", 0),
        right("Mean", 3),
    ];
    let row = |stage: &colloquy_gateway::sight::status::StageLatency| {
        vec![
            Cell::text(&stage.stage),
            whole(stage.count),
            maybe(stage.p50_seconds, time),
            maybe(stage.p90_seconds, time),
            maybe(stage.p99_seconds, time),
            maybe(stage.mean_seconds, time),
        ]
    };
    Grid { columns, rows: report.latencies.iter().map(row).collect() }
}

/// Totals, ends and refusals: a name and a number each.
pub(super) fn totals(report: &StatusReport) -> Grid {
    let sums = report.totals.named();
    let ended = |each: &Count| (format!("ended: {}", each.name.replace('_', " ")), each.count);
    let refused = |each: &LimitRefusals| (format!("refused: {}", each.name), each.count);
    let rows = sums
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .chain(report.closings.iter().map(ended))
        .chain(report.refusals.iter().map(refused))
        .map(|(name, count)| vec![Cell::text(name), whole(count)]);
    Grid { columns: vec![left("Since the start", 0), right("Total", 0)], rows: rows.collect() }
}

/// The latest first.
pub(super) fn events(report: &StatusReport) -> Grid {
    let columns = vec![
        left("Time (UTC)", 1),
        left("Level", 2),
        left("Page", 0),
        elastic("Event", 0),
        elastic("Details", 3),
    ];
    let row = |event: &colloquy_gateway::sight::status::Event| {
        let mood = match event.level.as_str() {
            "error" => Mood::Bad,
            "warn" => Mood::Warning,
            _ => Mood::Plain,
        };
        let fields: Vec<String> =
            event.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let clock = event.at.split_once('T').map_or(event.at.as_str(), |(_, clock)| clock);
        vec![
            Cell::text(clock.split_once('.').map_or(clock, |(seconds, _)| seconds)),
            Cell::text(&event.level).with(mood),
            Cell::text(event.event_id.as_deref().unwrap_or(NOTHING)),
            Cell::text(&event.message),
            Cell::text(fields.join(" ")),
        ]
    };
    Grid { columns, rows: report.events.iter().rev().map(row).collect() }
}
