//! The conformance statement (PICS) says what the code does: its tables are made from the code.
//!
//! `COLLOQUY_BLESS=1 cargo test -p colloquy-session --test pics` writes them anew.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use colloquy_session::machine::tables::{self, Row, Table};
use colloquy_session::machine::{
    JOINED_OCTETS_MAX, QUEUED_EVENTS_MAX, SERVICE_UNITS, TSDU_OCTETS_MIN, tokens_of,
};
use colloquy_session::spdu::{Category, ParameterPresence, SpduKind, SpduParameter, user_data_octets_max};
use colloquy_session::{FunctionalUnits, SerialNumber, SessionConfig, Tokens, Versions};

/// What a unit needs beside itself, and how far it is confirmed.
fn remark(unit: FunctionalUnits) -> &'static str {
    match unit {
        FunctionalUnits::EXPEDITED => {
            "only where both ends of the transport connection agree on expedited data"
        }
        FunctionalUnits::CAPABILITY_DATA => "with activity management only",
        FunctionalUnits::EXCEPTIONS => "with half-duplex only",
        FunctionalUnits::SYMMETRIC_SYNC => "reconstructed, unverified: a configuration has to name it",
        FunctionalUnits::DATA_SEPARATION => {
            "position of its bit in MIP unverified; with minor or symmetric synchronize only"
        }
        _ => "",
    }
}

fn yes_no(holds: bool) -> &'static str {
    if holds { "yes" } else { "no" }
}

fn functional_units() -> String {
    let mut text = String::from(
        "| functional unit | PI 20 | supported | by default | tokens | remark |\n|---|---|---|---|---|---|\n| kernel | - | yes | yes | - | |\n",
    );
    let default = SessionConfig::default().functional_units;
    for (unit, name) in FunctionalUnits::NAMED {
        let name = name.replace('_', " ");
        let tokens: Vec<&str> = tokens_of(unit).iter().map(token_name).collect();
        let tokens = if tokens.is_empty() { "-".to_owned() } else { tokens.join(", ") };
        let (supported, default) = (yes_no(SERVICE_UNITS.contains(unit)), yes_no(default.contains(unit)));
        let (mask, remark) = (unit.bits(), remark(unit));
        writeln!(text, "| {name} | 0x{mask:04X} | {supported} | {default} | {tokens} | {remark} |").unwrap();
    }
    text
}

fn token_name(token: Tokens) -> &'static str {
    match token {
        Tokens::DATA => "data",
        Tokens::MINOR => "synchronize-minor",
        Tokens::MAJOR => "major/activity",
        _ => "release",
    }
}

fn options() -> String {
    let config = SessionConfig::default();
    let mut text = String::from("| option | by default |\n|---|---|\n");
    for (option, value) in [
        ("protocol version 1", yes_no(config.versions.contains(Versions::V1))),
        ("protocol version 2", yes_no(config.versions.contains(Versions::V2))),
        (
            "reception of extended concatenation (Protocol Options, bit 1)",
            yes_no(config.extended_concatenation),
        ),
        ("reuse of the transport connection", yes_no(config.transport_reuse)),
        (
            "EXCEPTION REPORT sent in place of ABORT (exact condition unverified)",
            yes_no(config.exception_reports),
        ),
        ("strict reading of what peers send", yes_no(config.strict)),
    ] {
        writeln!(text, "| {option} | {value} |").unwrap();
    }
    text
}

fn limits() -> String {
    let mut text = String::from("| limit | value |\n|---|---|\n");
    for (limit, value) in [
        ("timer TIM, by default".to_owned(), format!("{} s", SessionConfig::default().tim.as_secs())),
        ("serial numbers".to_owned(), format!("0 to {}", SerialNumber::MAX.0)),
        ("least TSDU maximum size proposed or taken, octets".to_owned(), TSDU_OCTETS_MIN.to_string()),
        (
            "user data of an SPDU put together from segments (other than DT and TD, which have none), octets"
                .to_owned(),
            JOINED_OCTETS_MAX.to_string(),
        ),
        (
            "user data of S-CONNECT, by data overflow, by default, octets".to_owned(),
            SessionConfig::default().connect_user_data_octets_max.to_string(),
        ),
        ("expedited SPDUs kept until their time comes".to_owned(), QUEUED_EVENTS_MAX.to_string()),
    ] {
        writeln!(text, "| {limit} | {value} |").unwrap();
    }
    text
}

fn spdus() -> String {
    let mut text = String::from(
        "| SPDU | SI | category | parameters | user data, version 1 | version 2 |\n|---|---|---|---|---|---|\n",
    );
    for kind in SpduKind::ALL {
        let category = match kind.category() {
            Category::Zero => 0,
            Category::One => 1,
            Category::Two => 2,
        };
        let parameters: Vec<String> = kind.parameters().map(|parameter| parameter_text(&parameter)).collect();
        let octets = |version| match user_data_octets_max(kind, version) {
            0 => "-".to_owned(),
            usize::MAX => "any".to_owned(),
            octets => octets.to_string(),
        };
        writeln!(
            text,
            "| {} {} | {} | {category} | {} | {} | {} |",
            kind.abbreviation(),
            kind.name(),
            kind.si(),
            parameters.join(", "),
            octets(Versions::V1),
            octets(Versions::V2),
        )
        .unwrap();
    }
    text
}

fn parameter_text(parameter: &SpduParameter) -> String {
    let presence = match parameter.presence {
        ParameterPresence::Optional => "",
        ParameterPresence::Mandatory => " m",
        ParameterPresence::MandatoryTolerated => " m*",
        ParameterPresence::Version2 => " v2",
    };
    let group = parameter.group.map(|group| format!("{group}.")).unwrap_or_default();
    format!("{group}{} {}{presence}", parameter.code, parameter.name)
}

fn state_tables() -> String {
    let mut text = String::from("| table | rows | of these not confirmed by two sources |\n|---|---|---|\n");
    let line = |table: &Table| {
        let open = table.rows.iter().filter(|row| !row.trust.verified).count();
        format!("| {} | {} | {open} |\n", table.name, table.rows.len())
    };
    text.extend(tables::tables().iter().map(line));
    let all = tables::rows().count();
    let open = tables::rows().filter(|row| !row.trust.verified).count();
    writeln!(text, "| together | {all} | {open} |").unwrap();
    text.push_str(&line(tables::symmetric()));
    text
}

/// Rows that one source gives, or that were reconstructed: by table and event the states.
fn unverified() -> String {
    let mut text = String::from("| table | event | states |\n|---|---|---|\n");
    for table in tables::tables() {
        let mut events: BTreeMap<u8, Vec<&Row>> = BTreeMap::new();
        for row in table.rows.iter().filter(|row| !row.trust.verified) {
            events.entry(row.event as u8).or_default().push(row);
        }
        for rows in events.values() {
            let mut states: Vec<&str> =
                rows.iter().map(|row| row.state.name().trim_start_matches("STA")).collect();
            states.dedup();
            writeln!(text, "| {} | {} | {} |", table.name, rows[0].event.name(), states.join(" ")).unwrap();
        }
    }
    text
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../CONFORMANCE.md")
}

/// Replaces what stands between the two markers of a part.
fn with_part(text: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- from the code: {name} -->\n"), "<!-- end -->");
    let start =
        text.find(&begin).unwrap_or_else(|| panic!("CONFORMANCE.md has no part {name}")) + begin.len();
    let stop = start + text[start..].find(end).unwrap_or_else(|| panic!("part {name} has no end"));
    [&text[..start], "\n", content, "\n", &text[stop..]].concat()
}

#[test]
fn the_conformance_statement_is_what_the_code_does() {
    let written = std::fs::read_to_string(path()).unwrap();
    let parts = [
        ("functional units", functional_units()),
        ("options", options()),
        ("limits", limits()),
        ("SPDUs", spdus()),
        ("state tables", state_tables()),
        ("unverified rows", unverified()),
    ];
    let current = parts.iter().fold(written.clone(), |text, (name, content)| with_part(&text, name, content));
    if std::env::var_os("COLLOQUY_BLESS").is_some() {
        std::fs::write(path(), &current).unwrap();
    } else if written != current {
        let differs = written.lines().zip(current.lines()).find(|(written, current)| written != current);
        panic!("CONFORMANCE.md is behind the code (COLLOQUY_BLESS=1 writes it anew): {differs:?}");
    }
}
