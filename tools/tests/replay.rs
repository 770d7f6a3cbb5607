//! `colloquy load --replay`: captures made octet by octet and captures of real sessions, against responders that answer
//! as recorded and against some that do not.

#[path = "interop/capture.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod capture;
#[path = "interop/gateway.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod gateway;
#[path = "interop/peers.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod peers;
#[path = "interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod process;
#[path = "interop/skip.rs"]
mod skip;
#[path = "capture/mod.rs"]
mod synthetic;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use capture::Capture;
use gateway::Gateway;
use serde_json::Value;
use synthetic::{CC, CR, Form, Link, SYN, Segment, tpkt, tsdu};

const CN: [u8; 16] = [13, 14, 5, 6, 19, 1, 0, 22, 1, 2, 20, 2, 0, 2, 0x33, 0];
const AC: [u8; 12] = [14, 10, 5, 6, 19, 1, 0, 22, 1, 2, 20, 0];
const DATA: [u8; 9] = [1, 0, 1, 0, b'h', b'e', b'l', b'l', b'o'];
const FN: [u8; 5] = [9, 3, 17, 1, 1];
const DN: [u8; 2] = [10, 0];
const RF: [u8; 2] = [12, 0];
const AB: [u8; 5] = [25, 3, 17, 1, 1];

/// The parts of a recorded session in their order, by who sent them: `true` is the initiator.
fn session(data: usize) -> Vec<(bool, Vec<u8>)> {
    let mut parts = vec![(true, tpkt(CR)), (false, tpkt(CC))];
    parts.extend([(true, tsdu(&CN, 4000)), (false, tsdu(&AC, 4000))]);
    for index in 0..data {
        // Every second one straddles DT TPDUs, which the replay cuts in its own way.
        let octets_max = if index % 2 == 0 { 4000 } else { 4 };
        parts.extend([(true, tsdu(&DATA, octets_max)), (false, tsdu(&DATA, octets_max))]);
    }
    parts.extend([(true, tsdu(&FN, 4000)), (false, tsdu(&DN, 4000))]);
    parts
}

/// The parts as segments, one a record, behind the two SYNs.
fn segments(parts: &[(bool, Vec<u8>)]) -> Vec<Segment> {
    let mut next = [9_000_u32, u32::MAX - 3];
    let mut all = Vec::new();
    for from_initiator in [true, false] {
        let next = &mut next[usize::from(from_initiator)];
        all.push(Segment { from_initiator, sequence: *next, flags: SYN, payload: Vec::new() });
        *next = next.wrapping_add(1);
    }
    for (from_initiator, octets) in parts {
        let next = &mut next[usize::from(*from_initiator)];
        let payload = octets.clone();
        all.push(Segment { from_initiator: *from_initiator, sequence: *next, flags: 0, payload });
        *next = next.wrapping_add(octets.len() as u32);
    }
    all
}

/// A capture file of the segments, in a folder of its own.
fn capture_of(folder: &Path, segments: &[Segment]) -> PathBuf {
    let path = folder.join("session.pcap");
    let form = Form::Pcap { big: false, nanoseconds: true };
    std::fs::write(&path, synthetic::file(form, Link::Ethernet4, segments)).expect("the folder is writable");
    path
}

fn replay(file: &Path, to: SocketAddr, flags: &[&str]) -> (Option<i32>, Value, String) {
    let to = to.to_string();
    let output = load(&[&["--replay", file.to_str().expect("UTF-8"), "--to", &to, "--json"], flags].concat());
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    (output.status.code(), json, stderr)
}

fn load(flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.arg("load").args(flags).stdin(Stdio::null());
    command.output().expect("the binary runs")
}

/// Demands that every copy went through the whole recording.
fn assert_clean((status, report, stderr): &(Option<i32>, Value, String), copies: u64, answers: u64) {
    assert_eq!(*status, Some(0), "{stderr}{report}");
    assert_eq!(report["runs"]["completed"], copies, "{report}");
    assert_eq!(report["answers"]["matched"], answers, "{report}");
    for key in ["other", "missing", "extra", "not_reached"] {
        assert_eq!(report["answers"][key], 0, "{key}: {report}");
    }
    assert_eq!(report["mismatches"], Value::Array(Vec::new()), "{report}");
}

#[test]
fn a_recorded_session_goes_through_at_both_speeds_on_both_drivers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = capture_of(folder.path(), &segments(&session(20)));
    let drivers: &[&str] = if skip::io_uring_allowed("replay") { &["mio", "io_uring"] } else { &["mio"] };
    for driver in drivers {
        let gateway = Gateway::echo(driver);
        let recorded = replay(&file, gateway.address(), &["--driver", driver]);
        assert_clean(&recorded, 1, 22);
        let report = &recorded.1;
        assert_eq!(report["driver"], *driver);
        let duration_ms = report["sessions"][0]["duration_ms"].as_f64().expect("a number");
        assert!(duration_ms > 40.0, "a record a millisecond: {duration_ms}");
        let elapsed_ms = report["elapsed_s"].as_f64().expect("a number") * 1e3;
        assert!(elapsed_ms >= duration_ms, "{elapsed_ms} ms for {duration_ms} ms of recording");
        let names: Vec<_> =
            report["kinds"].as_array().expect("kinds").iter().map(|kind| &kind["name"]).collect();
        assert_eq!(names, ["CC", "AC", "GT+DT", "DN"]);
        let full =
            replay(&file, gateway.address(), &["--driver", driver, "--speed", "full", "--copies", "1000"]);
        assert_clean(&full, 1000, 22_000);
        assert_eq!(full.1["tsdus_sent"], 22_000, "{}", full.1);
        gateway.drain();
    }
}

#[test]
fn a_recording_that_is_cut_off_is_replayed_as_far_as_it_goes() {
    let gateway = Gateway::echo("mio");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let whole = segments(&session(20));
    // Without FN and DN; then in the middle of a TSDU of the initiator; then of the responder.
    for (records, octets_left, cut, answers) in
        [(46, usize::MAX, "mid-session", 21), (13, 3, "not finished", 4), (12, 3, "not finished", 3)]
    {
        let mut some = whole[..records].to_vec();
        let last = some.last_mut().expect("there are some");
        last.payload.truncate(octets_left);
        let file = capture_of(folder.path(), &some);
        let replayed = replay(&file, gateway.address(), &[]);
        assert_clean(&replayed, 1, answers);
        let told = replayed.1["sessions"][0]["cut"].as_str().unwrap_or_default().to_owned();
        assert!(told.contains(cut), "{records} records: {told}");
    }
    // The file itself ends in the middle of a record.
    let file = capture_of(folder.path(), &whole);
    let octets = std::fs::read(&file).expect("it was written");
    std::fs::write(&file, &octets[..octets.len() - 5]).expect("the folder is writable");
    let replayed = replay(&file, gateway.address(), &[]);
    // FN is sent and answered by a DN that the recording lost.
    assert_clean(&replayed, 1, 21);
    assert!(replayed.2.contains("is cut off"), "{}", replayed.2);
    // A record is missing in the middle.
    let mut hole = whole.clone();
    hole.remove(12);
    let replayed = replay(&capture_of(folder.path(), &hole), gateway.address(), &[]);
    assert_eq!(replayed.0, Some(0), "{}", replayed.1);
    let cut = replayed.1["sessions"][0]["cut"].as_str().expect("it is cut");
    assert!(cut.contains("not in the capture"), "{cut}");
    gateway.drain();
}

#[test]
fn what_cannot_be_replayed_is_told_with_status_2() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let whole = segments(&session(2));
    let no_session = capture_of(folder.path(), &whole[6..]);
    let text = folder.path().join("text");
    std::fs::write(&text, "no capture").expect("the folder is writable");
    let file = no_session.to_str().expect("UTF-8");
    let text = text.to_str().expect("UTF-8");
    for (flags, told) in [
        (&["--replay", file][..], "begins in mid-session (record 1)"),
        (&["--replay", text], "octet 0: neither pcap nor pcapng"),
        (&["--replay", "there/is/none.pcap"], "No such file"),
        (&["--replay", file, "--depth", "3"], "cannot be used with"),
        (&["--copies", "3", "--to", "127.0.0.1:1"], "--replay"),
        (&["--replay", file, "--to", "127.0.0.1:1", "--to", "127.0.0.1:2"], "one --to"),
    ] {
        let output = load(flags);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {stderr}");
        assert!(stderr.contains(told), "{flags:?}: {stderr}");
    }
    let whole = capture_of(folder.path(), &whole);
    let output = load(&["--replay", whole.to_str().expect("UTF-8"), "--session", "2"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("session 2: the recording holds 1") && stderr.contains("session 1: 10.0.0.1"),
        "{stderr}"
    );
}

/// What a responder of the test does with one TSDU: these octets back, or the end of the connection.
type Answers = fn(usize, &[u8]) -> Option<Vec<u8>>;

/// A responder that answers the TSDU number so and so (from 0, CN) as `answers` says.
fn responder(answers: Answers) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback binds");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.expect("it accepts");
            std::thread::spawn(move || respond(stream, answers));
        }
    });
    address
}

fn respond(mut stream: TcpStream, answers: Answers) {
    let mut count = 0;
    let mut confirmed = false;
    loop {
        let mut header = [0; 4];
        if stream.read_exact(&mut header).is_err() {
            return;
        }
        let mut tpdu = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]])) - 4];
        if stream.read_exact(&mut tpdu).is_err() {
            return;
        }
        let answer = if confirmed {
            count += 1;
            answers(count - 1, &tpdu[3..])
        } else {
            confirmed = true;
            Some(tpkt(&[6, 0xd0, 0, 1, 0, 2, 0]))
        };
        match answer {
            Some(octets) if stream.write_all(&octets).is_ok() => {}
            _ => return,
        }
    }
}

fn as_recorded(octets: &[u8]) -> Vec<u8> {
    match octets[0] {
        13 => tsdu(&AC, 4000),
        9 => tsdu(&DN, 4000),
        _ => tsdu(octets, 4000),
    }
}

#[test]
fn a_responder_that_leaves_the_recording_is_told_and_the_status_is_1() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = capture_of(folder.path(), &segments(&session(3)));
    let cases: [(&str, Answers, &str, &str, &str, u64); 7] = [
        ("refuses", |_, _| Some(tsdu(&RF, 4000)), "other", "AC", "RF", 0),
        (
            "aborts",
            |n, o| Some(if n == 2 { tsdu(&AB, 4000) } else { as_recorded(o) }),
            "other",
            "GT+DT",
            "AB",
            2,
        ),
        ("closes", |n, o| (n < 2).then(|| as_recorded(o)), "missing", "GT+DT", "closed", 2),
        (
            "is silent",
            |n, o| Some(if n < 3 { as_recorded(o) } else { vec![] }),
            "missing",
            "GT+DT",
            "nothing within",
            3,
        ),
        (
            "says more at the end",
            |n, o| Some(if n < 4 { as_recorded(o) } else { [as_recorded(o), tsdu(&AB, 4000)].concat() }),
            "extra",
            "no more answers",
            "AB",
            5,
        ),
        (
            "speaks twice",
            |n, o| Some(if n == 3 { [as_recorded(o), as_recorded(o)].concat() } else { as_recorded(o) }),
            "other",
            "DN",
            "GT+DT",
            4,
        ),
        (
            "sends no TPKT",
            |n, o| Some(if n < 1 { as_recorded(o) } else { vec![7; 9] }),
            "missing",
            "GT+DT",
            "TPKT",
            1,
        ),
    ];
    for (what, answers, kind, expected, got, matched) in cases {
        let address = responder(answers);
        // Short only where it has to run out.
        let timeout_ms = if what == "is silent" { "1500" } else { "60000" };
        let flags = ["--copies", "2", "--speed", "full", "--answer-timeout-ms", timeout_ms];
        let (status, report, _) = replay(&file, address, &flags);
        assert_eq!(status, Some(1), "{what}: {report}");
        assert_eq!(report["runs"]["diverged"], 2, "{what}: {report}");
        assert_eq!(report["answers"]["matched"], 2 * matched, "{what}: {report}");
        assert_eq!(report["answers"][kind], 2, "{what}: {report}");
        // Every recorded answer is matched, a mismatch, or not reached.
        let at_fault = if kind == "extra" { 0 } else { 2 };
        assert_eq!(report["answers"]["not_reached"], 2 * (5 - matched) - at_fault, "{what}: {report}");
        let first = &report["mismatches"][0];
        assert_eq!(first["answer"], matched + 1, "{what}: {report}");
        assert_eq!(first["expected"], expected, "{what}: {report}");
        assert!(first["got"].as_str().is_some_and(|told| told.contains(got)), "{what}: {report}");
        if kind != "extra" {
            // Two SYNs, CR and CC, then a request and its answer by turns.
            assert_eq!(first["record"], 2 * matched + 6, "{what}: {report}");
        }
    }
}

#[test]
fn a_captured_load_of_many_operations_is_replayed() {
    let gateway = Gateway::echo_of_mixed_load("mio");
    let Some(capture) = Capture::start(&[gateway.address().port()]) else { return };
    let flags = ["--to", &gateway.address().to_string(), "--sessions", "3", "--seconds", "0.3"];
    let loaded = gateway::load_plan("mio", &process::root().join("configs/load-mixed.toml"), &flags);
    gateway::assert_clean(&loaded, 3);
    let captured = capture.stop();
    gateway.drain();
    let fresh = Gateway::echo_of_mixed_load("mio");
    for speed in ["recorded", "full"] {
        let flags = ["--speed", speed, "--copies", "4", "--driver", "mio"];
        let (status, report, stderr) = replay(captured.file(), fresh.address(), &flags);
        assert_eq!(status, Some(0), "{stderr}{report}");
        let sessions = report["sessions"].as_array().expect("sessions");
        assert_eq!(sessions.len(), 3, "{report}");
        let count = |key: &str| sessions.iter().map(|session| session[key].as_u64().expect(key)).sum::<u64>();
        assert_eq!(report["runs"]["completed"], 12, "{report}");
        assert_eq!(report["answers"]["matched"], 4 * count("answers"), "{report}");
        assert_eq!(report["tsdus_sent"], 4 * count("requests"), "{report}");
        let kinds = report["kinds"].as_array().expect("kinds");
        assert!(kinds.len() > 5, "a mix of operations: {report}");
    }
    // One of the three by its number.
    let (status, report, _) =
        replay(captured.file(), fresh.address(), &["--session", "2", "--speed", "full"]);
    assert_eq!((status, &report["runs"]["completed"]), (Some(0), &Value::from(1)), "{report}");
    fresh.drain();
}

#[test]
fn a_captured_mms_session_is_replayed_against_a_fresh_server() {
    if !peers::installed() {
        return;
    }
    let (address, server) = peers::libiec61850_server();
    let Some(capture) = Capture::start(&[address.port()]) else { return };
    process::run(peers::libiec61850_client(address, 2));
    let captured = capture.stop();
    drop(server);
    let (address, _server) = peers::libiec61850_server();
    // Their server takes five clients at a time. It also misses an association now and then, and their client then
    // makes another, so that a session of the capture may have an AC and nothing else: the longest one is asked for.
    let mut longest = String::from("1");
    for which in ["full", "recorded", "one"] {
        let flags = match which {
            "one" => vec!["--session", &longest, "--copies", "4"],
            speed => vec!["--speed", speed],
        };
        let (status, report, stderr) = replay(captured.file(), address, &flags);
        assert_eq!(status, Some(0), "{stderr}{report}");
        let sessions = report["sessions"].as_array().expect("sessions");
        let answers = |session: &Value| session["answers"].as_u64().expect("a number");
        let replayed = sessions.iter().filter(|session| session["replayed"] == true);
        let sum: u64 = replayed.map(answers).sum();
        assert!(sessions.len() > 1 && sum > 4, "{report}");
        let copies = report["plan"]["copies"].as_u64().expect("a number");
        assert_eq!(report["answers"]["matched"], copies * sum, "{report}");
        let most = sessions.iter().max_by_key(|session| answers(session)).expect("sessions");
        longest = most["number"].to_string();
    }
}
