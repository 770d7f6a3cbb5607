//! The plans of `configs/load-*.toml` against the gateway's echo, and through its relay, on both drivers: content
//! checked, no error, and every operation that a plan asks for happens.
#![allow(clippy::unwrap_used)] // A test.

#[path = "../interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod process;
#[path = "../interop/skip.rs"]
mod skip;
mod thousand;
mod together;

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use colloquy_bench::operation::Operation;
use colloquy_bench::{Check, Dialogue, DriverChoice, Go, LoadPlan, Report, ResyncKind, run};
use process::{Server, free_address, root, wait_for_listener};

/// SSDUs of each session: enough for every operation of every plan.
const SSDUS: u64 = 240;
const SESSIONS: u32 = 6;
const UNITS: &str = "functional_units = [\"half_duplex\", \"duplex\", \"expedited_data\", \"minor_synchronize\", \
                     \"major_synchronize\", \"resynchronize\", \"activity_management\", \"negotiated_release\", \
                     \"capability_data\", \"exceptions\", \"typed_data\"]\ntransport_expedited = true\nextended_concatenation = true\n";

#[test]
fn every_plan_runs_clean_on_mio() {
    every_plan(DriverChoice::Mio);
}

#[test]
fn every_plan_runs_clean_on_io_uring() {
    if skip::io_uring_allowed("load plans that mix operations") {
        every_plan(DriverChoice::IoUring);
    }
}

#[test]
fn resynchronizations_of_every_kind_leave_numbers_that_agree() {
    let stand = Stand::start(DriverChoice::Mio);
    for resync_type in [ResyncKind::Restart, ResyncKind::Abandon, ResyncKind::Set] {
        for (resync_purges, dialogue) in
            [(false, Dialogue::Duplex), (true, Dialogue::Duplex), (true, Dialogue::HalfDuplex)]
        {
            for to in stand.ways() {
                let mut plan = plan_of("resync", DriverChoice::Mio, to);
                plan.dialogue = dialogue;
                plan.mix.resync_type = resync_type;
                plan.mix.resync_purges = resync_purges;
                plan.mix.typed_each = 3;
                plan.ssdus_per_session_max = 200;
                let what = format!("{resync_type:?}, purges {resync_purges}, {dialogue:?}, {to}");
                let report = clean(&plan, &what);
                assert_eq!(report.counts.purged > 0, resync_purges, "{what}: {:?}", report.counts);
            }
        }
    }
    stand.stop();
}

#[test]
fn segmented_ssdus_and_version_1_take_every_operation_too() {
    let stand = Stand::start(DriverChoice::Mio);
    for to in stand.ways() {
        let mut plan = plan_of("mixed", DriverChoice::Mio, to);
        plan.tsdu_octets_max = 100;
        plan.ssdu_octets = 700;
        clean(&plan, "segmented");
        plan.versions = vec![1];
        clean(&plan, "segmented, version 1");
    }
    stand.stop();
}

fn every_plan(driver: DriverChoice) {
    let stand = Stand::start(driver);
    for name in ["half-duplex", "sync", "activity", "resync", "mixed", "churn"] {
        for to in stand.ways() {
            let plan = plan_of(name, driver, to);
            clean(&plan, &format!("{name} on {} to {to}", driver.as_str()));
        }
    }
    stand.stop();
}

fn plan_of(name: &str, driver: DriverChoice, to: SocketAddr) -> LoadPlan {
    let mut plan = LoadPlan::from_file(&root().join(format!("configs/load-{name}.toml"))).unwrap();
    plan.to = vec![to];
    plan.driver = driver;
    plan.sessions = SESSIONS;
    plan.ramp_ms = 0;
    plan.ssdus_per_session_max = SSDUS;
    plan.duration_ms = 60_000;
    plan.drain_ms = 10_000;
    plan
}

fn clean(plan: &LoadPlan, what: &str) -> Report {
    assert_eq!(plan.check, Check::Echo);
    let report = run(plan, &mut |_| Go::On).unwrap();
    assert!(report.is_clean(), "{what}: {:?} {:?} {:?}", report.counts, report.errors, report.operations);
    let sent = plan.ssdus_per_session_max * u64::from(plan.sessions);
    assert_eq!(report.counts.sent, sent, "{what}");
    assert_eq!(report.counts.answered + report.counts.purged, sent, "{what}");
    for operation in wanted(plan) {
        let found = report.operations.get(operation.name());
        let completed = found.map_or(0, |found| found.completed);
        assert!(completed > 0, "{what}: no {}: {:?}", operation.name(), report.operations);
    }
    report
}

/// The operations that a plan asks for.
fn wanted(plan: &LoadPlan) -> Vec<Operation> {
    let mix = &plan.mix;
    let all = [
        (Operation::Connect, true),
        (Operation::Data, true),
        (Operation::Typed, mix.typed_each > 0),
        (Operation::Expedited, mix.expedited_each > 0),
        (Operation::Exception, mix.exception_each > 0),
        (Operation::MinorSync, mix.minor_sync_each > 0),
        (Operation::MajorSync, mix.major_sync_each > 0),
        (Operation::Resync, mix.resync_each > 0),
        (Operation::ActivityStart, mix.activity_ssdus > 0),
        (Operation::ActivityEnd, mix.activity_ssdus > 0),
        (Operation::ActivityInterrupt, mix.activity_interrupt_each > 0),
        (Operation::ActivityResume, mix.activity_interrupt_each > 0),
        (Operation::ActivityDiscard, mix.activity_discard_each > 0),
        (Operation::Capability, mix.capability_each > 0),
        (Operation::TokenTurn, plan.dialogue == Dialogue::HalfDuplex),
        (Operation::Release, true),
        (Operation::Abort, mix.abort_each > 0),
    ];
    all.into_iter().filter(|(_, wanted)| *wanted).map(|(operation, _)| operation).collect()
}

/// An echo and a relay in front of it, each a gateway of its own.
struct Stand {
    echo: (SocketAddr, Server),
    relay: (SocketAddr, Server),
}

impl Stand {
    fn start(driver: DriverChoice) -> Stand {
        let echo = gateway(driver, "application = \"echo\"\n", "");
        let target = format!(
            "\n[[target]]\nname = \"echo\"\naddress = \"{}\"\nprofile = \"transparent\"\ntransport_expedited = true\n\
             extended_concatenation = true\n",
            echo.0
        );
        let relay = gateway(driver, "application = \"relay\"\ntarget = \"echo\"\n", &target);
        Stand { echo, relay }
    }

    /// The echo itself, and the way through the relay.
    fn ways(&self) -> [SocketAddr; 2] {
        [self.echo.0, self.relay.0]
    }

    fn stop(self) {
        for (_, server) in [self.relay, self.echo] {
            server.signal(15);
            assert!(server.wait(Duration::from_secs(30)).success());
        }
    }
}

fn gateway(driver: DriverChoice, application: &str, target: &str) -> (SocketAddr, Server) {
    let address = free_address();
    let text = format!(
        "schema_version = 1\n\n[engine]\ndriver = \"{}\"\nshards = 1\n\n[log]\nlevel = \"warn\"\n\n\
         [[listener]]\nname = \"test\"\naddress = \"{address}\"\n\
         connections_not_established_max = 2000\n{application}{UNITS}{target}",
        driver.as_str()
    );
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gateway.toml");
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.arg("gateway").arg(&config);
    let server = Server::start(command);
    wait_for_listener(address);
    (address, server)
}
