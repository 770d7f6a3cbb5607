//! The verb: flags, the run they ask for, the exit status.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use colloquy_bench::plan::SelectorText;
use colloquy_session::FunctionalUnits as Fu;

use super::bar::Bar;
use super::context::Settings;
use super::dialogue::{Manner, Waits};
use super::line::TransportNames;
use super::own::{self, Own};
use super::purpose::{Purpose, Stop};
use super::report::{Deviating, Report, Skipped, list};
use super::runner::{self, Outcome};
use super::{purposes, states};
use crate::load::DriverName;

/// Tests an X.225 implementation against the 147 purposes and the state tables.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy conform 127.0.0.1:10102\n          colloquy conform --self --json",
    after_help = "Exit status: 0 no deviation, 1 deviations or no connection, 2 bad usage."
)]
pub(crate) struct ConformArgs {
    /// Responder to test
    #[arg(
        value_name = "ADDR",
        required_unless_present_any = ["listen", "own", "list"],
        conflicts_with_all = ["listen", "own", "list"]
    )]
    address: Option<SocketAddr>,
    /// Wait here for initiators to test: each connection runs the next purpose
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["own", "list"])]
    listen: Option<SocketAddr>,
    /// Test this build: its responder, its initiator, its user
    #[arg(long = "self", conflicts_with = "list")]
    own: bool,
    /// List the purposes
    #[arg(long)]
    list: bool,
    /// Purposes to run, as 34,40-43
    #[arg(long, value_name = "NUMBERS")]
    only: Option<String>,
    /// Functional units that may be proposed, as half_duplex,minor_synchronize; all but symmetric_synchronize by default
    #[arg(long, value_name = "UNITS", value_delimiter = ',')]
    units: Vec<String>,
    /// Longest wait for an answer
    #[arg(long, value_name = "MS", default_value_t = 3000, value_parser = clap::value_parser!(u64).range(10..=600_000))]
    timeout_ms: u64,
    /// Longest wait for the IUT's timer TIM
    #[arg(long, value_name = "MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(10..=600_000))]
    tim_ms: u64,
    /// Connections at once
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Calling TSAP, as 0x0001 or ascii:NAME
    #[arg(long, value_name = "TSAP")]
    calling_tsap: Option<SelectorText>,
    /// Called TSAP
    #[arg(long, value_name = "TSAP")]
    called_tsap: Option<SelectorText>,
    /// Calling SSAP
    #[arg(long, value_name = "SSAP")]
    calling_ssap: Option<SelectorText>,
    /// Called SSAP
    #[arg(long, value_name = "SSAP")]
    called_ssap: Option<SelectorText>,
    /// Propose the transport's expedited flow
    #[arg(long)]
    expedited: bool,
    /// Expect strict readings: what is tolerated by default counts as invalid
    #[arg(long)]
    strict: bool,
    /// The driver of our own gateways, with --self
    #[arg(long, value_enum, value_name = "DRIVER", default_value = "auto")]
    driver: DriverName,
    /// The result as one JSON object on standard output
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &ConformArgs) -> ExitCode {
    if args.list {
        crate::say(&list(purposes::all()));
        return ExitCode::SUCCESS;
    }
    let (chosen, units) = match (chosen(args.only.as_deref()), units_of(&args.units)) {
        (Ok(chosen), Ok(units)) => (chosen, units),
        (Err(fault), _) | (_, Err(fault)) => {
            eprintln!("colloquy: {fault}");
            return ExitCode::from(2);
        }
    };
    let report = match (args.address, args.listen) {
        (Some(address), _) => responder(args, address, units, &chosen),
        (None, Some(address)) => initiator(args, address, units, &chosen),
        (None, None) => own_build(args, units, &chosen),
    };
    match report {
        Ok(report) => {
            crate::say(&if args.json { report.to_json() + "\n" } else { report.text() });
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(fault) => {
            eprintln!("colloquy: {fault:#}");
            ExitCode::from(1)
        }
    }
}

/// Connections at once to our own build, where no other number is asked for.
const JOBS_OWN: usize = 8;
/// How long `--listen` waits for the next connection, in multiples of `--timeout-ms`.
const IDLE_TIMEOUTS: u32 = 10;

type Chosen = [&'static Purpose];

fn responder(args: &ConformArgs, address: SocketAddr, units: Fu, chosen: &Chosen) -> anyhow::Result<Report> {
    let settings = settings(args, address, units, false);
    let facts = runner::probe(&settings).map_err(anyhow::Error::msg).context("the responder")?;
    let jobs = args.jobs.unwrap_or(1);
    let bar = Bar::new(args.json);
    let outcomes = runner::responder(&settings, &facts, chosen, jobs, &bar);
    let mut report = collect(format!("responder {address}"), chosen, outcomes);
    if args.only.is_none() {
        states::walk(&settings, &facts, jobs, &bar, &mut report);
    }
    bar.finish();
    Ok(report)
}

fn initiator(args: &ConformArgs, address: SocketAddr, units: Fu, chosen: &Chosen) -> anyhow::Result<Report> {
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    let bound = listener.local_addr().context("a bound socket has an address")?;
    eprintln!("colloquy: waiting for initiators on {bound}");
    let settings = settings(args, bound, units, false);
    let idle = settings.waits.answer * IDLE_TIMEOUTS;
    let outcomes = runner::initiator(&listener, &settings, chosen, idle, &mut || ());
    Ok(collect(format!("initiators at {bound}"), chosen, outcomes))
}

fn own_build(args: &ConformArgs, units: Fu, chosen: &Chosen) -> anyhow::Result<Report> {
    let own = Own::start(colloquy_bench::DriverChoice::from(args.driver).as_str())?;
    let settings = settings(args, own.responder()?, units, true);
    let facts = runner::probe(&settings).map_err(anyhow::Error::msg).context("our own responder")?;
    let jobs = args.jobs.unwrap_or(JOBS_OWN);
    let bar = Bar::new(args.json);
    let mut outcomes = runner::responder(&settings, &facts, chosen, jobs, &bar);
    let relay = own.trigger()?;
    let mut call = || own::call(settings.clone(), relay);
    let idle = settings.waits.answer;
    outcomes.extend(runner::initiator(&own.listener, &settings, chosen, idle, &mut call));
    for purpose in chosen {
        if let Some(test) = purpose.user {
            outcomes.push((purpose.number, Outcome { role: "user", verdict: test() }));
        }
    }
    let mut report = collect("this build".to_owned(), chosen, outcomes);
    if args.only.is_none() {
        states::walk(&settings, &facts, jobs, &bar, &mut report);
        states::walk_user(&mut report);
    }
    bar.finish();
    own.end()?;
    Ok(report)
}

/// Puts the outcomes of all roles together: a purpose has run if it ran in one role.
fn collect(against: String, chosen: &Chosen, outcomes: Vec<(u16, Outcome)>) -> Report {
    let mut report = Report { against, ..Report::default() };
    let mut by_number: BTreeMap<u16, Vec<Outcome>> = BTreeMap::new();
    for (number, outcome) in outcomes {
        by_number.entry(number).or_default().push(outcome);
    }
    for purpose in chosen {
        let outcomes = by_number.remove(&purpose.number).unwrap_or_default();
        let (mut ran, mut failed, mut reasons) = (false, false, Vec::new());
        for Outcome { role, verdict } in outcomes {
            match verdict {
                Ok(()) => ran = true,
                Err(Stop::Deviation(deviation)) => {
                    (ran, failed) = (true, true);
                    report.deviations.push(Deviating::of(purpose, role, deviation));
                }
                Err(Stop::Skipped(reason) | Stop::Unreachable(reason)) => {
                    reasons.push(format!("{role}: {reason}"));
                }
            }
        }
        report.run += usize::from(ran);
        report.passed += usize::from(ran && !failed);
        report.failed += usize::from(failed);
        if !ran {
            if reasons.is_empty() {
                reasons.push(not_from_here(purpose));
            }
            report.skipped.push(Skipped { purpose: purpose.number, reason: reasons.join("; ") });
        }
    }
    report
}

/// Why a purpose has no test in the role of this run.
fn not_from_here(purpose: &Purpose) -> String {
    let roles = [
        (purpose.responder.is_some(), "a responder"),
        (purpose.initiator.is_some(), "an initiator"),
        (purpose.user.is_some(), "the IUT's user (--self)"),
    ];
    let needed: Vec<&str> = roles.into_iter().filter_map(|(there, role)| there.then_some(role)).collect();
    format!("can be tested with {} only", needed.join(" or "))
}

fn settings(args: &ConformArgs, address: SocketAddr, units: Fu, own: bool) -> Settings {
    let octets = |text: &Option<SelectorText>, default: &[u8]| {
        text.as_ref().map_or_else(|| default.to_vec(), |text| text.octets.to_vec())
    };
    let answer = Duration::from_millis(args.timeout_ms);
    Settings {
        address,
        names: TransportNames {
            calling: octets(&args.calling_tsap, &[0, 1]),
            called: octets(&args.called_tsap, &[0, 1]),
        },
        calling_ssap: octets(&args.calling_ssap, &[0, 1]),
        called_ssap: octets(&args.called_ssap, &own::SSAP),
        units,
        expedited: args.expedited || own,
        waits: Waits {
            answer,
            quiet: (answer / 10).min(Duration::from_millis(100)),
            tim: Duration::from_millis(args.tim_ms),
        },
        manner: Manner { strict: args.strict, abort_demanded: own, known_user: own },
        own,
    }
}

/// The purposes named by `34,40-43`; all without a list.
fn chosen(only: Option<&str>) -> Result<Vec<&'static Purpose>, String> {
    let Some(only) = only else { return Ok(purposes::all().collect()) };
    let mut ranges = Vec::new();
    for part in only.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (first.trim().parse::<u16>(), last.trim().parse::<u16>()) {
            (Ok(first), Ok(last)) if (1..=147).contains(&first) && (first..=147).contains(&last) => {
                ranges.push(first..=last);
            }
            _ => return Err(format!("--only: {part:?} names no purposes of 1 to 147")),
        }
    }
    Ok(purposes::all().filter(|purpose| ranges.iter().any(|range| range.contains(&purpose.number))).collect())
}

/// Functional units by name.
fn units_of(names: &[String]) -> Result<Fu, String> {
    if names.is_empty() {
        return Ok(Fu::all() - Fu::SYMMETRIC_SYNC);
    }
    names.iter().try_fold(Fu::empty(), |units, name| match Fu::named(name.trim()) {
        Some(unit) => Ok(units | unit),
        None => {
            let known: Vec<&str> = Fu::all().names().collect();
            Err(format!("--units: {name:?} is none of {}", known.join(", ")))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_are_chosen_by_numbers_and_ranges() {
        let numbers = |text| {
            let chosen = chosen(Some(text)).unwrap();
            chosen.iter().map(|purpose| purpose.number).collect::<Vec<_>>()
        };
        assert_eq!(numbers("34,40-43"), [34, 40, 41, 42, 43]);
        assert_eq!(chosen(None).unwrap().len(), 147);
        for wrong in ["", "0", "148", "5-3", "a"] {
            assert!(chosen(Some(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn units_go_by_their_names() {
        let named = units_of(&["half_duplex".to_owned(), "minor_synchronize".to_owned()]).unwrap();
        assert_eq!(named, Fu::HALF_DUPLEX | Fu::MINOR_SYNC);
        assert!(units_of(&["telepathy".to_owned()]).is_err());
        assert!(!units_of(&[]).unwrap().contains(Fu::SYMMETRIC_SYNC));
    }

    #[test]
    fn a_purpose_has_run_if_it_ran_in_one_role() {
        let chosen = chosen(Some("1-2")).unwrap();
        let skipped = Err(Stop::Skipped("why".to_owned()));
        let outcomes = vec![
            (2, Outcome { role: "responder", verdict: Ok(()) }),
            (2, Outcome { role: "user", verdict: skipped }),
        ];
        let report = collect(String::new(), &chosen, outcomes);
        assert_eq!((report.run, report.passed, report.failed), (1, 1, 0));
        assert_eq!(report.skipped.len(), 1);
        assert!(report.skipped[0].reason.contains("an initiator"));
    }
}
