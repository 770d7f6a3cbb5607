//! Child processes that end with the test, and what they print.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longest time a peer may take for its whole job.
pub(crate) const PEER_TIME_MAX: Duration = Duration::from_secs(60);
/// Longest time a server may take until it can be connected to.
const START_TIME_MAX: Duration = Duration::from_secs(20);

/// The root of the tree.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tools/ lies in the workspace").to_path_buf()
}

/// Ports for tests: below those that the system gives to connections, which could take one meanwhile.
const PORTS: std::ops::Range<u32> = 10_000..32_000;
/// Ports handed out by this process.
static PORT_COUNT: AtomicU32 = AtomicU32::new(0);

/// An address on loopback that nothing listens on. Test processes that run side by side begin at other ports.
pub(crate) fn free_address() -> SocketAddr {
    for _ in PORTS {
        let number =
            std::process::id().wrapping_mul(97).wrapping_add(PORT_COUNT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(PORTS.start + number % (PORTS.end - PORTS.start)).expect("below 32000");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        }
    }
    panic!("no port of {PORTS:?} is free");
}

/// A server in the background: killed when dropped.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// Starts `command`; its standard input stays open until it is dropped.
    pub(crate) fn start(mut command: Command) -> Server {
        let shown = format!("{command:?}");
        let child = command.stdin(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
        Server { child }
    }

    /// Starts `command` and waits for a line that begins with `ready`.
    pub(crate) fn start_until(mut command: Command, ready: &str) -> Server {
        let mut server = Server::start({
            command.stdout(Stdio::piped());
            command
        });
        let stdout = server.child.stdout.take().expect("piped");
        let mut lines = BufReader::new(stdout);
        let mut line = String::new();
        while lines.read_line(&mut line).expect("its output is text") > 0 {
            if line.contains(ready) {
                // Goes on reading, so that the server never blocks on a full pipe.
                std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
                return server;
            }
            line.clear();
        }
        panic!("the server ended without saying {ready:?}");
    }

    /// Its process number.
    #[allow(dead_code, reason = "not every test binary that shares this file looks into the process")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard error, if the command had it piped; once.
    #[allow(dead_code, reason = "not every test binary that shares this file reads it")]
    pub(crate) fn take_stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().expect("piped, and taken once")
    }

    /// True when it has ended by itself.
    #[allow(dead_code, reason = "not every test binary that shares this file asks")]
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_some()
    }

    /// Sends a signal by number.
    pub(crate) fn signal(&self, number: i32) {
        let status = Command::new("kill").args([format!("-{number}"), self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success(), "the process has ended before the signal");
    }

    /// Waits for the end.
    pub(crate) fn wait(mut self, time_max: Duration) -> ExitStatus {
        let end = Instant::now() + time_max;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            assert!(Instant::now() < end, "the process did not end within {time_max:?}");
            // Polls a child process, which offers no wait with a limit.
            std::thread::yield_now();
            poll_pause();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A short pause between two polls of something outside this process.
pub(crate) fn poll_pause() {
    // Polls: the callers bound the whole wait.
    std::thread::sleep(Duration::from_millis(5));
}

/// Waits until something listens on `address`.
pub(crate) fn wait_for_listener(address: SocketAddr) {
    let end = Instant::now() + START_TIME_MAX;
    while TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
        assert!(Instant::now() < end, "nothing listens on {address}");
        poll_pause();
    }
}

/// Runs a program to its end and gives what it printed; panics with its output when it fails.
pub(crate) fn run(mut command: Command) -> String {
    let shown = format!("{command:?}");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
    let stdout = reader(child.stdout.take().expect("piped"));
    let stderr = reader(child.stderr.take().expect("piped"));
    let end = Instant::now() + PEER_TIME_MAX;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break Some(status);
        }
        if Instant::now() > end {
            let _ = child.kill();
            break None;
        }
        poll_pause();
    };
    let stdout = stdout.join().expect("the reader does not panic");
    let stderr = stderr.join().expect("the reader does not panic");
    let ended = status.map_or("did not end in time".to_owned(), |status| status.to_string());
    assert!(status.is_some_and(|status| status.success()), "{shown}: {ended}\n{stdout}\n{stderr}");
    stdout
}

fn reader(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = from.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    })
}
