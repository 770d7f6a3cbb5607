//! `colloquy load` as a tool: steps, thresholds and their exit status, a frozen server, two servers compared.
#![allow(clippy::unwrap_used)] // A test.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use colloquy_bench::LoadPlan;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Longest time for what takes a moment on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);
const DRIVERS: [&str; 2] = ["mio", "auto"];

fn colloquy(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.args(arguments);
    command
}

fn output(arguments: &[&str]) -> Output {
    colloquy(arguments).output().unwrap()
}

/// The one line of JSON on standard output, and the exit status.
fn json_of(output: &Output) -> (Value, Option<i32>) {
    let text = String::from_utf8_lossy(&output.stdout);
    let value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text} {}", String::from_utf8_lossy(&output.stderr)));
    (value, output.status.code())
}

/// A file for one test, removed when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, text: &str) -> Scratch {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("load-tool-{name}.toml"));
        std::fs::write(&path, text).unwrap();
        Scratch(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A gateway that echoes, as a process, ended when dropped.
struct Gateway {
    child: Child,
    address: String,
}

impl Gateway {
    fn start(name: &str) -> Gateway {
        let config = Scratch::new(
            &format!("gateway-{name}"),
            "schema_version = 1\n[engine]\nshards = 1\n[[listener]]\nname = \"t\"\naddress = \"127.0.0.1:0\"\n\
             application = \"echo\"\n[log]\nformat = \"json\"\n",
        );
        let mut child = colloquy(&["gateway", config.path()]).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "the gateway ended before it listened");
            let record: Value = serde_json::from_str(&line).unwrap();
            if record["msg"] == "listening" {
                break record["address"].as_str().unwrap().to_owned();
            }
        };
        // Read to its end, so that a full pipe never holds the gateway up.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Gateway { child, address }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn steps_are_told_one_by_one_and_thresholds_are_kept() {
    let gateway = Gateway::start("steps");
    for driver in DRIVERS {
        let run = output(&[
            "load",
            "--to",
            &gateway.address,
            "--sessions",
            "5",
            "--steps",
            "200,400",
            "--step-seconds",
            "0.5",
            "--driver",
            driver,
            "--threshold",
            "lost = 0",
            "--threshold",
            "each step: missed < 1000",
            "--threshold",
            "2: answered > 150",
            "--json",
        ]);
        let (result, status) = json_of(&run);
        assert_eq!(status, Some(0), "{result}");
        let steps = result["steps"].as_array().unwrap();
        assert_eq!(steps.len(), 2, "{result}");
        for (step, (name, rate)) in steps.iter().zip([("1", 200.0), ("2", 400.0)]) {
            assert_eq!((step["name"].as_str(), step["to_per_s"].as_f64()), (Some(name), Some(rate)));
            assert!((step["measured_s"].as_f64().unwrap() - 0.5).abs() < 1e-9, "{step}");
            // The schedule is exact: what was due is the rate times the length.
            let due = step["due"].as_f64().unwrap();
            assert!((due - rate * 0.5).abs() <= 1.0, "{step}");
            assert!(step["response_us"]["p99"].as_f64() >= step["service_us"]["p50"].as_f64(), "{step}");
        }
        assert_eq!(result["target_ssdu_per_s"].as_f64(), Some(300.0));
        let thresholds = result["thresholds"].as_array().unwrap();
        assert_eq!(thresholds.len(), 3);
        assert!(thresholds.iter().all(|threshold| threshold["ok"] == true), "{result}");
    }
}

#[test]
fn a_threshold_that_is_not_kept_is_status_99() {
    let gateway = Gateway::start("thresholds");
    let to = ["load", "--to", &gateway.address, "--sessions", "2", "--seconds", "0.3"];
    let arguments = |more: &[&'static str]| [&to[..], more].concat();
    let failing = ["--threshold", "lost = 0", "--threshold", "p50_response_us < 0.001"];
    let run = output(&arguments(&failing));
    assert_eq!(run.status.code(), Some(99));
    let text = String::from_utf8(run.stdout).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("threshold")).collect();
    assert!(lines.len() == 2 && lines[0].contains("  ok ") && lines[1].contains("FAILED"), "{text}");
    let (result, status) = json_of(&output(&arguments(&[&failing[..], &["--json"]].concat())));
    assert_eq!((status, result["thresholds"][1]["ok"].as_bool()), (Some(99), Some(false)), "{result}");
    assert!(result["thresholds"][1]["measured"].as_f64().unwrap() > 0.001, "{result}");
    assert_eq!(result["thresholds"][0]["threshold"], "lost = 0", "{result}");
}

#[test]
fn nobody_there_is_status_1_and_a_threshold_on_it_goes_before() {
    // A port that was free a moment ago, with nobody behind it.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let plan =
        Scratch::new("nobody", &format!("schema_version = 1\nto = [{free:?}]\nwarm_up_ms = 0\nsessions = 2"));
    let run =
        |more: &[&str]| output(&[&["load", plan.path(), "--seconds", "0.1"], more].concat()).status.code();
    assert_eq!(run(&[]), Some(1));
    assert_eq!(run(&["--threshold", "established = 0"]), Some(1));
    assert_eq!(run(&["--threshold", "established > 0"]), Some(99));
    assert_eq!(
        run(&["--threshold", "p99_response_ms < 1000"]),
        Some(99),
        "nothing measured keeps no threshold"
    );
}

#[test]
fn bad_steps_and_thresholds_are_status_2_and_say_what() {
    for (arguments, say) in [
        (&["--threshold", "p99_responce_ms < 2"][..], "no metric `p99_responce_ms`"),
        (&["--threshold", "p99_responce_ms < 2"], "ssdu_per_s "),
        (&["--threshold", "lost 0"], "has no comparison"),
        (&["--threshold", "3: lost = 0"], "there are none"),
        (&["--steps", "100,x"], "invalid value 'x'"),
        (&["--steps", "100,0"], "step[2].rate_per_s = 0: above 0"),
        (&["--steps", "100", "--step-seconds", "0"], "step[1].duration_ms = 0"),
        (&["--steps", "100", "--rate", "3"], "cannot be used with"),
        (&["--rounds", "9"], "--compare"),
    ] {
        let run = output(&[&["load", "--to", "127.0.0.1:1"], arguments].concat());
        let err = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(say), "{arguments:?}: {err}");
    }
    for (arguments, say) in [
        (&["--compare", "127.0.0.1:1"][..], "takes two responders"),
        (&["--compare", "127.0.0.1:1", "127.0.0.1:2", "--rounds", "5"], "--rounds 5: 6 to 100"),
    ] {
        let run = output(&[&["load"], arguments].concat());
        let err = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(say), "{arguments:?}: {err}");
    }
}

#[test]
fn the_long_help_has_every_flag_and_every_metric() {
    let run = output(&["load", "--help-all"]);
    assert!(run.status.success());
    let text = String::from_utf8(run.stdout).unwrap();
    for word in
        ["--step-seconds", "--rounds", "--called-ssap", "--threshold", "minor_sync", "cpu_share", "p99.9"]
    {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn the_plans_of_the_repository_are_good() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
    let mut plans = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("load") && name != "load-responder.toml" {
            LoadPlan::from_file(&path).unwrap_or_else(|error| panic!("{error}"));
            plans += 1;
        }
    }
    assert!(plans >= 8, "{plans}");
}

/// Freezes the gateway for one second, one second into the run of a plan, and gives the report of it.
fn frozen(name: &str, plan: &str) -> Value {
    const FROZEN: Duration = Duration::from_secs(1);
    let gateway = Gateway::start(name);
    let head =
        format!("schema_version = 1\nto = [{:?}]\nwarm_up_ms = 0\nduration_ms = 6000\n", gateway.address);
    let plan = Scratch::new(name, &format!("{head}{plan}"));
    let began = Instant::now();
    let load = colloquy(&["load", plan.path(), "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    wait_until(began + Duration::from_secs(1));
    gateway.signal(Signal::STOP);
    let stopped = Instant::now();
    wait_until(stopped + FROZEN);
    gateway.signal(Signal::CONT);
    let (result, status) = json_of(&load.wait_with_output().unwrap());
    assert_eq!(status, Some(0), "{result}");
    result
}

/// Polls the clock until then: the span is what the test is about, not a guess at how long something takes.
fn wait_until(deadline: Instant) {
    while Instant::now() < deadline {
        // Polls until the deadline above.
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_server_frozen_for_a_second_is_in_the_response_time_of_an_open_loop() {
    for driver in DRIVERS {
        // On a busy machine the generator may be late itself, but by nothing like a second.
        let plan = format!(
            "sessions = 10\nmode = \"constant\"\nrate_per_s = 500\ndriver = {driver:?}\n\
             lateness_p99_us_max = 200000\n"
        );
        // What is still open at the very end of the run counts against its rate. That is not what this is about, and a
        // busy machine causes it: such a run is repeated.
        let reaches_rate = |result: &Value| !result["invalid_reasons"].to_string().contains("asked for");
        let runs = (0..5).map(|attempt| frozen(&format!("open-{driver}-{attempt}"), &plan));
        let result = runs.into_iter().find(reaches_rate).expect("one of five runs reaches its rate");
        let of = |times: &str, name: &str| result[times][name].as_f64().unwrap();
        // A sixth of all requests fell due while it stood still, and waited from 0 to 1 s.
        assert!(of("response_us", "p999") >= 900_000.0, "{result}");
        assert!(of("response_us", "p90") >= 300_000.0, "{result}");
        // Ten of 3000 were on their way: the service time tells of them alone.
        assert!(of("service_us", "count") >= 2900.0, "{result}");
        assert!(of("service_us", "p99") < 300_000.0 && of("service_us", "max") >= 900_000.0, "{result}");
        assert!(result["counts"]["waited"].as_u64().unwrap() >= 300, "{result}");
        // The generator was in time all along, so the run counts.
        let reasons = result["invalid_reasons"].as_array().unwrap();
        assert!(reasons.iter().all(|reason| reason == "not a release build"), "{result}");
        assert_eq!(result["valid"].as_bool().unwrap(), reasons.is_empty());
    }
}

#[test]
fn a_closed_loop_says_what_it_leaves_out_while_the_server_is_frozen() {
    let result = frozen("closed", "sessions = 2\n");
    let p999 = |times: &str| result[times]["p999"].as_f64().unwrap();
    // Two values of a second among thousands: the plain p99.9 does not show them, the corrected one does.
    assert!(p999("corrected_us") >= 500_000.0, "{result}");
    assert!(p999("corrected_us") > 2.0 * p999("response_us"), "{result}");
    assert!(result["response_us"]["max"].as_f64().unwrap() >= 900_000.0, "{result}");
    assert!(result["notes"][0].as_str().unwrap().starts_with("coordinated omission"), "{result}");
}

#[test]
fn a_fault_in_a_plan_is_named_with_file_line_and_key() {
    let text = "schema_version = 1\nto = [\"127.0.0.1:1\"]\nmode = \"constant\"\nsessions = 0\n\
                [[step]]\nrate_per_s = -1\nduration_ms = 10\n";
    let plan = Scratch::new("faults", text);
    let faults = |more: &[&str]| {
        let run = output(&[&["load", plan.path()], more].concat());
        assert_eq!(run.status.code(), Some(2));
        String::from_utf8(run.stderr).unwrap()
    };
    let err = faults(&[]);
    assert!(err.contains(&format!("{}:4: sessions = 0: 1 to", plan.path())), "{err}");
    assert!(err.contains(&format!("{}:6: step[1].rate_per_s = -1: above 0", plan.path())), "{err}");
    let err = faults(&["--depth", "0", "--sessions", "1"]);
    let own = |line: &str| line.trim_start_matches("colloquy: ").starts_with("depth = 0: 1 to 4096");
    assert!(err.lines().any(own), "a flag's value has no line of the plan: {err}");
}

#[test]
fn two_servers_are_compared_in_interleaved_rounds() {
    let (one, two) = (Gateway::start("compare-a"), Gateway::start("compare-b"));
    let keys = "schema_version = 1\nwarm_up_ms = 50\nduration_ms = 200\nsessions = 4\n";
    let plan = Scratch::new("compare", keys);
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("load-tool-comparison");
    let run = output(&[
        "load",
        plan.path(),
        "--compare",
        &one.address,
        &two.address,
        "--rounds",
        "6",
        "--json",
        "--out",
        folder.to_str().unwrap(),
    ]);
    let (result, status) = json_of(&run);
    assert_eq!(status, Some(0), "{result}");
    assert_eq!((result["a"].as_str(), result["b"].as_str()), (Some(&*one.address), Some(&*two.address)));
    let rounds = result["rounds"].as_array().unwrap();
    let firsts: Vec<&str> = rounds.iter().map(|round| round["first"].as_str().unwrap()).collect();
    assert_eq!(firsts, ["A", "B", "A", "B", "A", "B"], "who goes first alternates");
    let findings = result["findings"].as_array().unwrap();
    let metrics: Vec<&str> = findings.iter().map(|finding| finding["metric"].as_str().unwrap()).collect();
    assert_eq!(metrics, ["p50_us", "p99_us", "ssdu_per_s"], "{result}");
    for finding in findings {
        let of = |name: &str| finding["ratio"][name].as_f64().unwrap();
        assert!(of("low") <= of("value") && of("value") <= of("high"), "{finding}");
        let contains_1 = of("low") <= 1.0 && 1.0 <= of("high");
        assert_eq!(
            finding["winner"].is_null(),
            contains_1,
            "a winner exactly where the interval leaves 1 out: {finding}"
        );
    }
    assert!(folder.join("06-b").join("result.json").exists() && folder.join("comparison.json").exists());
    std::fs::remove_dir_all(&folder).unwrap();
    // The same with both in the plan, in an open loop, as a table.
    let both =
        format!("{keys}mode = \"constant\"\nrate_per_s = 200\nto = [{:?}, {:?}]\n", one.address, two.address);
    let plan = Scratch::new("compare-both", &both);
    let run = output(&["load", plan.path(), "--rounds", "6", "--compare"]);
    let text = String::from_utf8(run.stdout).unwrap();
    assert_eq!(run.status.code(), Some(0), "{text}");
    assert!(text.starts_with(&format!("A {}, B {}, 6 rounds\n", one.address, two.address)), "{text}");
    assert!(text.contains("\np50_us") && !text.contains("\nssdu_per_s"), "{text}");
}

#[test]
fn a_run_that_is_interrupted_tells_of_the_steps_it_reached() {
    let gateway = Gateway::start("interrupted");
    let plan = Scratch::new(
        "interrupted",
        &format!(
            "schema_version = 1\nto = [{:?}]\nsessions = 2\nwarm_up_ms = 0\nmode = \"constant\"\n\
             [[step]]\nrate_per_s = 200\nduration_ms = 600\n[[step]]\nrate_per_s = 200\nduration_ms = 600000\n\
             [[step]]\nname = \"never\"\nrate_per_s = 200\nduration_ms = 600000\n",
            gateway.address
        ),
    );
    let load = colloquy(&["load", plan.path(), "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    wait_until(began + Duration::from_secs(2));
    kill_process(Pid::from_child(&load), Signal::INT).unwrap();
    let (result, _) = json_of(&load.wait_with_output().unwrap());
    assert!(began.elapsed() < PATIENCE, "it ended soon");
    assert_eq!(result["valid"], false, "{result}");
    let steps = result["steps"].as_array().unwrap();
    assert_eq!(steps[0]["due"].as_u64(), Some(120), "{result}");
    assert!(
        steps[1]["measured_s"].as_f64().unwrap() > 0.0 && steps[1]["answered"].as_u64().unwrap() > 0,
        "{result}"
    );
    assert_eq!(steps[2]["invalid_reasons"][0], "not reached", "{result}");
    assert_eq!(result["counts"]["lost"].as_u64(), Some(0), "{result}");
}
