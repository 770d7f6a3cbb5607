//! The conformance run against what others wrote, against peers that die, and against one that deviates: it
//! reports, and neither hangs nor crashes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

#[path = "interop/peers.rs"]
#[allow(dead_code, reason = "shared with the interop tests")]
mod peers;
#[path = "interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests")]
mod process;
#[path = "interop/skip.rs"]
#[allow(dead_code, reason = "shared with the interop tests")]
mod skip;

/// Longest time of one run.
const RUN_TIME_MAX: Duration = Duration::from_secs(240);

/// Runs `colloquy conform --json` to its end.
fn conform(arguments: &[&str]) -> (Option<i32>, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.args(["conform", "--json"]).args(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let mut stdout = child.stdout.take().expect("piped");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stdout.read_to_string(&mut text);
        text
    });
    let end = Instant::now() + RUN_TIME_MAX;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        if Instant::now() > end {
            let _ = child.kill();
            panic!("the run does not end: {arguments:?}");
        }
        process::poll_pause();
    };
    let text = reader.join().expect("the reader does not panic");
    let report = serde_json::from_str(&text).unwrap_or(Value::Null);
    (status.code(), report)
}

/// Every purpose is accounted for, and the exit status says what the report says.
fn is_whole(code: Option<i32>, report: &Value) {
    let count = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("{name}: {report}"));
    let skipped = report["skipped"].as_array().expect("a list");
    assert_eq!(count("run") + skipped.len() as u64, 147, "{report}");
    assert_eq!(count("run"), count("passed") + count("failed"));
    let deviations = report["deviations"].as_array().expect("a list");
    assert_eq!(code, Some(i32::from(!deviations.is_empty())));
    for entry in skipped {
        assert!(entry["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{entry}");
    }
    for entry in deviations {
        for field in ["title", "sent", "expected", "received"] {
            assert!(entry[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {entry}");
        }
    }
}

fn short(address: SocketAddr) -> (Option<i32>, Value) {
    let address = address.to_string();
    conform(&[&address, "--timeout-ms", "700", "--tim-ms", "1500", "--jobs", "4"])
}

#[test]
fn a_responder_of_rusty_cosp_is_tested_to_the_end() {
    if !peers::installed() {
        return;
    }
    let (address, _server) = peers::rusty_responder("respond");
    let (code, report) = short(address);
    is_whole(code, &report);
    // It speaks kernel and duplex: those run, the others are skipped for their units.
    assert!(report["passed"].as_u64().expect("a count") >= 10, "{report}");
    assert!(report["skipped"].to_string().contains("does not select"), "{report}");
}

#[test]
fn a_responder_of_hat_drivers_is_tested_to_the_end() {
    if !peers::installed() {
        return;
    }
    let (address, _server) = peers::hat_responder();
    let (code, report) = short(address);
    is_whole(code, &report);
    assert!(report["passed"].as_u64().expect("a count") >= 10, "{report}");
}

#[test]
fn initiators_of_others_are_tested_one_connection_after_the_other() {
    if !peers::installed() {
        return;
    }
    let address = process::free_address();
    let text = address.to_string();
    let run = std::thread::spawn(move || conform(&["--listen", &text, "--timeout-ms", "800"]));
    process::wait_for_listener(address);
    // The connection above was the first test's; each further process is another's.
    while !run.is_finished() {
        let mut command = peers::hat_initiator(address);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        process::Server::start(command).wait(process::PEER_TIME_MAX);
    }
    let (code, report) = run.join().expect("the run does not panic");
    is_whole(code, &report);
    assert!(report["run"].as_u64().expect("a count") >= 4, "{report}");
}

/// A peer that says CC to every CR and then what `answer` says to every TSDU, on at most `connections`.
fn fake(connections: usize, answer: fn(&mut TcpStream)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                let mut request = [0; 512];
                if stream.read(&mut request).is_ok_and(|octets| octets > 0) {
                    let _ = stream.write_all(&[3, 0, 0, 11, 6, 0xd0, request[8], request[9], 0, 1, 0]);
                    answer(&mut stream);
                }
            });
        }
    });
    address
}

#[test]
fn a_peer_that_never_answers_is_left_after_the_time_out() {
    let address = fake(usize::MAX, |stream| {
        // Reads until the tester gives up.
        let _ = std::io::copy(stream, &mut std::io::sink());
    });
    let (code, report) = conform(&[&address.to_string(), "--timeout-ms", "50", "--tim-ms", "100"]);
    is_whole(code, &report);
    assert!(report["failed"].as_u64().expect("a count") > 0, "{report}");
}

#[test]
fn a_peer_that_dies_is_a_deviation_and_the_rest_is_skipped() {
    let address = fake(6, |_stream| ());
    let (code, report) = conform(&[&address.to_string(), "--timeout-ms", "300", "--tim-ms", "300"]);
    is_whole(code, &report);
    assert_eq!(code, Some(1));
    let text = report.to_string();
    assert!(text.contains("cannot be reached any more"), "{text}");
}

#[test]
fn a_peer_that_takes_everything_deviates() {
    /// AC in version 2 with duplex, to whatever comes.
    const AC: [u8; 21] = [3, 0, 0, 21, 2, 0xf0, 0x80, 14, 12, 5, 6, 19, 1, 0, 22, 1, 2, 20, 2, 0, 2];
    let address = fake(usize::MAX, |stream| {
        let mut buffer = [0; 65536];
        while stream.read(&mut buffer).is_ok_and(|octets| octets > 0) {
            if stream.write_all(&AC).is_err() {
                return;
            }
        }
    });
    let arguments = ["--timeout-ms", "300", "--tim-ms", "300", "--only", "23-33,40-43,69"];
    let address = address.to_string();
    let (code, report) = conform(&[&[address.as_str()][..], &arguments].concat());
    assert_eq!(code, Some(1));
    let deviations: Vec<u64> = report["deviations"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|entry| entry["purpose"].as_u64())
        .collect();
    for purpose in [23, 24, 27, 29, 30, 32, 42, 43, 69] {
        assert!(deviations.contains(&purpose), "{purpose} of {deviations:?}");
    }
}
