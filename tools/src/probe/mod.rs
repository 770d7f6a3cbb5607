//! `colloquy probe`: what a responder speaks, found out by asking it.

mod findings;
mod line;
mod session;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use colloquy_bench::plan::{SelectorText, octets_of_hex};
use colloquy_session::{FunctionalUnits, Selector, TsduMaximumSize, Versions};
use colloquy_transport::class0::{ConnectTpdu, TransportSelector};
use serde_json::json;

use findings::{Findings, milliseconds};
use line::{Heard, Line};
use session::{Agreed, Answer, Proposal, Released, abort, connect, release};

/// Asks a responder what it speaks: versions, functional units, sizes, options, release.
///
/// Opens about ten connections one after the other and sends no data.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy probe 192.0.2.7:102 --called-tsap 0x0001 --called-ssap 0x0001\n          colloquy probe 127.0.0.1:10102 --json",
    after_help = "Exit status: 0 it accepts a session, 1 it does not (the findings say how far it got), 2 bad usage."
)]
pub(crate) struct ProbeArgs {
    /// Responder
    #[arg(value_name = "ADDR")]
    to: SocketAddr,
    /// Calling TSAP, as 0x0001 or ascii:NAME
    #[arg(long, value_name = "TSAP", default_value = "")]
    calling_tsap: SelectorText,
    /// Called TSAP
    #[arg(long, value_name = "TSAP", default_value = "")]
    called_tsap: SelectorText,
    /// Calling SSAP
    #[arg(long, value_name = "SSAP", default_value = "")]
    calling_ssap: SelectorText,
    /// Called SSAP
    #[arg(long, value_name = "SSAP", default_value = "")]
    called_ssap: SelectorText,
    /// Hex file: user data of CN; applications as MMS refuse a session without their own
    #[arg(long, value_name = "FILE")]
    connect_user_data: Option<PathBuf>,
    /// Longest time for one answer
    #[arg(long, value_name = "MS", default_value_t = 3000, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    timeout_ms: u64,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &ProbeArgs) -> ExitCode {
    let probe = match Probe::new(args) {
        Ok(probe) => probe,
        Err(fault) => {
            eprintln!("colloquy: {fault}");
            return ExitCode::from(2);
        }
    };
    let mut findings = Findings::default();
    let speaks = probe.ask_all(&mut findings);
    crate::say(&match args.json {
        true => findings.to_json(&args.to.to_string(), speaks),
        false => findings.to_text(),
    });
    if speaks { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Proposed size of both directions, to see what is answered.
const TSDU_OCTETS: u16 = 4096;

/// Units that can be proposed beside one of half duplex and duplex, without what needs another unit.
const SINGLE_UNITS: [FunctionalUnits; 6] = [
    FunctionalUnits::NEGOTIATED_RELEASE,
    FunctionalUnits::MINOR_SYNC,
    FunctionalUnits::MAJOR_SYNC,
    FunctionalUnits::RESYNCHRONIZE,
    FunctionalUnits::ACTIVITY,
    FunctionalUnits::TYPED_DATA,
];

fn names(units: FunctionalUnits) -> Vec<&'static str> {
    units.names().collect()
}

/// Whom to ask, and how.
struct Probe {
    to: SocketAddr,
    transport: ConnectTpdu,
    calling: Selector,
    called: Selector,
    user_data: Vec<u8>,
    within: Duration,
}

impl Probe {
    fn new(args: &ProbeArgs) -> Result<Probe, String> {
        let tsap = |text: &SelectorText, option| match text.octets.is_empty() {
            true => Ok(None),
            false => TransportSelector::new(&text.octets)
                .map(Some)
                .ok_or_else(|| format!("{option}: at most 32 octets")),
        };
        let ssap = |text: &SelectorText, option| {
            Selector::new(&text.octets).ok_or_else(|| format!("{option}: at most 16 octets"))
        };
        let user_data = match &args.connect_user_data {
            None => Vec::new(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| error.to_string())
                .and_then(|text| {
                    octets_of_hex(&text).map_err(|fault| format!("line {}: {fault}", fault.line))
                })
                .map_err(|fault| format!("{}: {fault}", path.display()))?,
        };
        Ok(Probe {
            to: args.to,
            transport: ConnectTpdu {
                calling: tsap(&args.calling_tsap, "--calling-tsap")?,
                called: tsap(&args.called_tsap, "--called-tsap")?,
                tpdu_octets: Some(8192),
                expedited: true,
            },
            calling: ssap(&args.calling_ssap, "--calling-ssap")?,
            called: ssap(&args.called_ssap, "--called-ssap")?,
            user_data,
            within: Duration::from_millis(args.timeout_ms),
        })
    }

    fn open(&self, expedited: bool) -> Result<Line, String> {
        Line::open(self.to, &ConnectTpdu { expedited, ..self.transport }, self.within)
    }

    fn proposal(&self, units: FunctionalUnits, versions: Versions) -> Proposal<'_> {
        Proposal {
            units,
            versions,
            tsdu_maximum_size: None,
            calling: self.calling,
            called: self.called,
            user_data: &self.user_data,
        }
    }

    /// A session of its own for one proposal; it is aborted once the answer is there.
    fn answer_to(&self, proposal: &Proposal<'_>) -> Answer {
        let mut line = match self.open(proposal.units.contains(FunctionalUnits::EXPEDITED)) {
            Ok(line) => line,
            Err(fault) => return Answer::Other(fault),
        };
        let answer = connect(&mut line, proposal);
        if matches!(answer, Answer::Accepted(_)) {
            abort(&mut line);
        }
        answer
    }

    /// Asks everything; true when the responder accepts a session.
    fn ask_all(&self, findings: &mut Findings) -> bool {
        if !self.ask_transport(findings) {
            return false;
        }
        let plain = self.ask_versions(findings);
        let dialogue = self.ask_dialogue(findings);
        let Some(dialogue) = dialogue.or(plain.map(|(units, _)| units)) else { return false };
        let versions = plain.map_or(Versions::V1 | Versions::V2, |(_, versions)| versions);
        self.ask_units(findings, dialogue, versions);
        self.ask_sizes(findings, dialogue, versions);
        self.ask_release(findings, dialogue, versions);
        true
    }

    fn ask_transport(&self, findings: &mut Findings) -> bool {
        let line = match self.open(true).or_else(|_| self.open(false)) {
            Ok(line) => line,
            Err(fault) => {
                findings.text("transport", "transport", fault);
                return false;
            }
        };
        let size = line.confirm.tpdu_octets.map_or("not stated (65531)".to_owned(), |size| size.to_string());
        let (tcp, transport) = (milliseconds(line.tcp), milliseconds(line.transport));
        let text = format!("TCP {tcp}, CR to CC {transport}, TPDU size {size}");
        let value = json!({
            "tcp_ms": line.tcp.as_secs_f64() * 1e3,
            "cr_to_cc_ms": line.transport.as_secs_f64() * 1e3,
            "tpdu_octets": line.confirm.tpdu_octets,
        });
        findings.value("transport", "transport", text, value);
        let expedited = line.confirm.expedited;
        let text = if expedited { "confirmed" } else { "not confirmed" };
        findings.value("transport_expedited", "transport expedited", text, json!(expedited));
        true
    }

    /// Plain duplex in each version; units and versions of one that was accepted.
    fn ask_versions(&self, findings: &mut Findings) -> Option<(FunctionalUnits, Versions)> {
        let mut accepted = Versions::empty();
        let mut told = Vec::new();
        let mut first: Option<Agreed> = None;
        for (version, name) in [(Versions::V2, "2"), (Versions::V1, "1")] {
            if version == Versions::V1 && self.user_data.len() > 512 {
                continue;
            }
            match self.answer_to(&self.proposal(FunctionalUnits::DUPLEX, version)) {
                Answer::Accepted(agreed) => {
                    accepted |= agreed.versions;
                    told.push(format!("{name} accepted"));
                    first.get_or_insert(agreed);
                }
                answer => told.push(format!("{name} {}", words(&answer))),
            }
        }
        let list: Vec<u8> = [(Versions::V1, 1), (Versions::V2, 2)]
            .iter()
            .filter(|(v, _)| accepted.contains(*v))
            .map(|(_, n)| *n)
            .collect();
        findings.value("versions", "versions (duplex)", told.join(", "), json!(list));
        let agreed = first?;
        findings.value(
            "connect_ms",
            "CN to AC",
            milliseconds(agreed.took),
            json!(agreed.took.as_secs_f64() * 1e3),
        );
        let responding = agreed.responding;
        findings.value(
            "responding_selector",
            "responding selector",
            if responding.as_octets().is_empty() { "none".to_owned() } else { format!("0x{responding:?}") },
            json!(format!("{responding:?}")),
        );
        let text = if agreed.extended_concatenation { "taken" } else { "not taken" };
        findings.value(
            "extended_concatenation",
            "extended concatenation",
            text,
            json!(agreed.extended_concatenation),
        );
        Some((FunctionalUnits::DUPLEX, agreed.versions))
    }

    /// Half duplex and duplex together: which one is selected.
    fn ask_dialogue(&self, findings: &mut Findings) -> Option<FunctionalUnits> {
        let both = FunctionalUnits::DUPLEX | FunctionalUnits::HALF_DUPLEX;
        let versions = Versions::V1 | Versions::V2;
        let versions = if self.user_data.len() > 512 { Versions::V2 } else { versions };
        let answer = self.answer_to(&self.proposal(both, versions));
        let selected = match &answer {
            Answer::Accepted(agreed) => Some(agreed.units).filter(|units| !units.is_empty()),
            _ => None,
        };
        let text = selected.map_or(words(&answer), |units| {
            format!("{} of half_duplex and duplex", names(units).join(" and "))
        });
        findings.value("selects", "selects", text, json!(selected.map(names)));
        selected.filter(|units| units.bits().count_ones() == 1)
    }

    /// Each unit by itself, and all of them at once.
    fn ask_units(&self, findings: &mut Findings, dialogue: FunctionalUnits, versions: Versions) {
        let mut spoken = dialogue;
        for unit in SINGLE_UNITS {
            if let Answer::Accepted(agreed) = self.answer_to(&self.proposal(dialogue | unit, versions)) {
                spoken |= agreed.units;
            }
        }
        let half = FunctionalUnits::HALF_DUPLEX;
        let pairs = [
            dialogue | FunctionalUnits::EXPEDITED,
            half | FunctionalUnits::EXCEPTIONS,
            half | FunctionalUnits::ACTIVITY | FunctionalUnits::CAPABILITY_DATA,
            dialogue | FunctionalUnits::MINOR_SYNC | FunctionalUnits::DATA_SEPARATION,
        ];
        for units in pairs {
            if let Answer::Accepted(agreed) = self.answer_to(&self.proposal(units, versions)) {
                spoken |= agreed.units;
            }
        }
        findings.value(
            "functional_units",
            "functional units",
            names(spoken).join(", "),
            json!(names(spoken)),
        );
    }

    fn ask_sizes(&self, findings: &mut Findings, dialogue: FunctionalUnits, versions: Versions) {
        let size =
            TsduMaximumSize { initiator_to_responder: TSDU_OCTETS, responder_to_initiator: TSDU_OCTETS };
        let proposal = Proposal { tsdu_maximum_size: Some(size), ..self.proposal(dialogue, versions) };
        match self.answer_to(&proposal) {
            Answer::Accepted(agreed) => {
                let size = agreed.tsdu_maximum_size;
                let (to, from) = (size.initiator_to_responder, size.responder_to_initiator);
                let text =
                    format!("{TSDU_OCTETS}/{TSDU_OCTETS} answered with {to}/{from} (0: no segmenting)");
                findings.value("tsdu_maximum_size", "TSDU maximum size", text, json!([to, from]));
            }
            answer => findings.text("tsdu_maximum_size", "TSDU maximum size", words(&answer)),
        }
    }

    /// Orderly release, and whether the transport connection can be kept.
    fn ask_release(&self, findings: &mut Findings, dialogue: FunctionalUnits, versions: Versions) {
        let proposal = self.proposal(dialogue, versions);
        let text = match self.open(false) {
            Err(fault) => fault,
            Ok(mut line) => match connect(&mut line, &proposal) {
                Answer::Accepted(_) => match release(&mut line, false) {
                    Released::Disconnect(took) => format!("DISCONNECT after {}", milliseconds(took)),
                    Released::Other(what) => what,
                },
                answer => words(&answer),
            },
        };
        findings.text("release", "release", text);
        let (text, kept) = self.reuse(&proposal);
        findings.value("transport_reuse", "transport reuse", text, json!(kept));
    }

    fn reuse(&self, proposal: &Proposal<'_>) -> (String, bool) {
        let mut line = match self.open(false) {
            Ok(line) => line,
            Err(fault) => return (fault, false),
        };
        if !matches!(connect(&mut line, proposal), Answer::Accepted(_)) {
            return ("no session to try it with".to_owned(), false);
        }
        if let Released::Other(what) = release(&mut line, true) {
            return (format!("no: {what}"), false);
        }
        match connect(&mut line, proposal) {
            Answer::Accepted(_) => {
                abort(&mut line);
                ("yes: a second session on the same transport connection".to_owned(), true)
            }
            answer => {
                let gone = matches!(line.hear(), Heard::Gone(_));
                let how = if gone { "the transport connection was released" } else { "it was not taken" };
                (format!("no: {how} ({})", words(&answer)), false)
            }
        }
    }
}

/// An answer in words.
fn words(answer: &Answer) -> String {
    match answer {
        Answer::Accepted(agreed) => format!("accepted with {}", names(agreed.units).join(", ")),
        Answer::Refused(reason) => format!("refused with reason {reason} ({})", reason_text(*reason)),
        Answer::Other(what) => what.clone(),
    }
}

/// Reasons of REFUSE. X.225 §8.3.5.
fn reason_text(reason: u8) -> &'static str {
    match reason {
        0 => "by the user, no reason given",
        1 => "by the user, temporary congestion",
        2 => "by the user",
        129 => "session selector unknown",
        130 => "no user attached",
        131 => "congestion",
        132 => "protocol versions not supported",
        133 => "by the provider, no reason given",
        134 => "implementation restriction",
        _ => "unknown reason",
    }
}
