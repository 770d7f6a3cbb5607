//! README keeps its word: what it shows is what is shipped, and its commands do what it says.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longest time for what takes a moment on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// The code blocks of one language.
fn blocks(language: &str) -> Vec<String> {
    let text = readme();
    let opened = text.split("\n```").skip(1).step_by(2);
    opened.filter_map(|block| block.strip_prefix(&format!("{language}\n"))).map(str::to_owned).collect()
}

/// The command lines that hold `words`, without their comments.
fn commands(words: &str) -> Vec<String> {
    let lines: Vec<String> = blocks("sh").iter().flat_map(|block| block.lines()).map(str::to_owned).collect();
    let found: Vec<String> = lines
        .iter()
        .filter(|line| line.contains(words))
        .map(|line| line.split(" #").next().unwrap().trim().to_owned())
        .collect();
    assert!(!found.is_empty(), "README has no command with {words:?}");
    found
}

/// Those that are not of the first five minutes, whose relay listens on a port of its own.
fn later_commands(words: &str) -> Vec<String> {
    commands(words).into_iter().filter(|line| !line.contains(":10104")).collect()
}

/// The part of README with the first commands, from a terminal's first to the page of the gateway.
#[test]
fn its_first_five_minutes_work() {
    let place = Place::new();
    let [gateway] = &commands("colloquy gateway configs/lab.toml")[..] else { panic!("one gateway") };
    let gateway = place.gateway(gateway, "127.0.0.1:10104");
    let [export] = &commands("export COLLOQUY_SOCKET")[..] else { panic!("one socket") };
    let out = place.run(&commands("colloquy probe 127.0.0.1:10104")[0]);
    assert!(out.contains("activity_management"), "{out}");
    let load = commands("colloquy load --to 127.0.0.1:10104")[0].replace(" --seconds 10", " --seconds 0.5");
    let out = place.run(&load);
    assert!(out.contains("100 of 100 established") && out.contains(" 0 lost"), "{out}");
    for line in ["colloquy status", "colloquy top --once", "colloquy sessions list"] {
        place.run(&format!("{export}; {line}"));
    }
    let page = place.moved(readme().split("http://").nth(1).unwrap().split('/').next().unwrap());
    let mut stream = TcpStream::connect(page).unwrap();
    write!(stream, "GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 OK") && answer.contains("<html"), "{answer}");
    gateway.drain();
}

#[test]
fn the_relay_that_it_shows_is_the_one_that_is_shipped() {
    let shipped = fs::read_to_string(root().join("configs/relay-mms.toml")).unwrap();
    let keys: Vec<&str> = shipped.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(blocks("toml")[0], keys.join("\n").trim());
}

/// What it shows of routes is good as soon as its targets are there.
#[test]
fn the_routes_that_it_shows_are_good() {
    let targets: String = (1..)
        .zip(["north", "south"])
        .map(|(host, name)| format!("[[target]]\nname = \"{name}\"\naddress = \"10.0.0.{host}:102\"\n"))
        .collect();
    let relay = "[[listener]]\nname = \"iccp\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\n";
    for block in &blocks("toml")[1..] {
        let place = Place::new();
        let text = format!("schema_version = 1\n{relay}{targets}{block}\n");
        fs::write(place.folder.path().join("routes.toml"), text).unwrap();
        place.run("colloquy check routes.toml --strict");
    }
}

#[test]
fn the_files_that_it_names_are_there() {
    let text = readme();
    let named: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || "()[]`".contains(c))
        .filter(|word| word.starts_with("configs/"))
        .collect();
    assert!(named.len() > 5, "{named:?}");
    for name in named {
        assert!(root().join(name).exists(), "{name}");
    }
}

/// A folder with the shipped configurations on ports that nobody uses.
struct Place {
    folder: tempfile::TempDir,
    ports: Vec<(String, String)>,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("configs")).unwrap();
        let listeners: Vec<TcpListener> = (0..5).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let free = listeners.iter().map(|listener| listener.local_addr().unwrap().to_string());
        let named = ["10102", "10103", "10104", "10105", "11102"].map(|port| format!("127.0.0.1:{port}"));
        let ports: Vec<_> = named.into_iter().zip(free).collect();
        let place = Place { folder, ports };
        for file in fs::read_dir(root().join("configs")).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_dir() {
                continue;
            }
            let text = place.moved(&fs::read_to_string(file.path()).unwrap());
            fs::write(place.folder.path().join("configs").join(file.file_name()), text).unwrap();
        }
        place
    }

    /// A text with the ports of this place.
    fn moved(&self, text: &str) -> String {
        self.ports.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    fn shell(&self, line: &str) -> Command {
        let binary = Path::new(env!("CARGO_BIN_EXE_colloquy")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.arg("-c").arg(self.moved(line)).current_dir(self.folder.path()).env("PATH", path);
        command
    }

    fn run(&self, line: &str) -> String {
        let Output { status, stdout, stderr } = self.shell(line).output().unwrap();
        let (out, err) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        assert!(status.success(), "{line}: {status}\n{out}\n{err}");
        out
    }

    /// Starts a gateway and waits until it accepts at `address`.
    fn gateway(&self, line: &str, address: &str) -> Gateway {
        let address = self.moved(address);
        let mut child = self.shell(&format!("exec {line}")).stderr(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(&address).is_err() {
            assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "{line}: no {address}");
            // Polls until the deadline above.
            std::thread::sleep(Duration::from_millis(10));
        }
        Gateway(child)
    }
}

/// A process that is ended when dropped.
struct Gateway(Child);

impl Gateway {
    fn drain(mut self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
        assert!(self.0.wait().unwrap().success(), "SIGTERM drains it");
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn its_responder_echoes_its_loads() {
    let place = Place::new();
    let [gateway] = &commands("colloquy gateway configs/echo.toml")[..] else { panic!("one responder") };
    let gateway = place.gateway(gateway, "127.0.0.1:10102");
    // Plans of steps, comparisons and replays are run by load_tool.rs and replay.rs.
    let apart = ["load-mixed", "--steps", "load-steps", "--compare", "--replay"];
    for line in
        later_commands("colloquy load").into_iter().filter(|line| !apart.iter().any(|it| line.contains(it)))
    {
        // As it is printed, but for its length.
        let line = line.replace(" --seconds 10", "") + " --seconds 0.5";
        let out = place.run(&line);
        assert!(out.contains("100 of 100 established"), "{line}: {out}");
    }
    assert!(place.folder.path().join("run/result.json").exists());
    place.run("colloquy report run");
    assert!(place.folder.path().join("run/report.html").exists());
    let steps: Vec<_> =
        commands("colloquy load").into_iter().filter(|line| line.contains("--steps")).collect();
    let [steps] = &steps[..] else { panic!("one line of steps") };
    // As it is printed, but for rates and a limit that a build for tests on a busy machine holds.
    let steps = steps.replace("1000,5000,20000 --step-seconds 5", "50,100 --step-seconds 0.5");
    let out = place.run(&steps.replace("p99_response_ms < 2", "p99_response_ms < 5000"));
    assert!(out.contains("p99_response_ms < 5000"), "{out}");
    gateway.drain();
}

#[test]
fn its_instruments_find_its_responders_right() {
    let place = Place::new();
    let echo = place.gateway(&commands("colloquy gateway configs/echo.toml")[0], "127.0.0.1:10102");
    let out = place.run(&later_commands("colloquy probe")[0]);
    assert!(out.contains("half_duplex, duplex, negotiated_release"), "{out}");
    for line in commands("colloquy conform").iter().filter(|line| !line.contains("--self")) {
        let out = place.run(line);
        assert!(out.contains("of 147 purposes run") && out.contains(" 0 failed"), "{out}");
    }
    echo.drain();
    let out = place.run(&commands("colloquy table")[0]);
    assert!(out.contains("| MAA | STA04A |"), "{out}");
}

#[test]
fn its_mixed_load_runs_against_the_responder_made_for_it() {
    let place = Place::new();
    let [gateway] = &commands("colloquy gateway configs/load-responder.toml")[..] else {
        panic!("one responder")
    };
    let gateway = place.gateway(gateway, "127.0.0.1:10102");
    let [load] = &commands("colloquy load configs/load-mixed.toml")[..] else { panic!("one plan") };
    let out = place.run(&format!("{load} --seconds 0.5"));
    for operation in ["minor_sync", "major_sync", "resync", "activity_end", "token_turn"] {
        assert!(out.contains(operation), "{operation}: {out}");
    }
    gateway.drain();
}

#[test]
fn its_relay_starts_and_tells_its_health() {
    let place = Place::new();
    for line in commands("colloquy check") {
        place.run(&line);
    }
    let [gateway] = &commands("colloquy gateway configs/relay-mms.toml")[..] else { panic!("one relay") };
    let gateway = place.gateway(gateway, "127.0.0.1:10103");
    let [metrics] = &commands("curl")[..] else { panic!("one curl") };
    let (address, path) = metrics.strip_prefix("curl ").unwrap().split_once('/').unwrap();
    for path in [path, "livez", "readyz"] {
        let mut stream = TcpStream::connect(place.moved(address)).unwrap();
        write!(stream, "GET /{path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.0 200 OK"), "{path}: {answer}");
    }
    gateway.drain();
}

#[test]
fn its_dump_of_octets_at_hand_names_the_spdus() {
    let out = Place::new().run(&commands("colloquy dump -")[0]);
    assert!(out.contains("GIVE TOKENS") && out.contains("DATA TRANSFER"), "{out}");
}
