//! Processes under measurement: started on a core, looked at by their clock, ended whatever happens.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::LabError;

/// A process has this long to end by itself once its input has ended and it was asked to.
const END_PATIENCE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(2);
/// Lines of the error text that a fault quotes.
const TAIL_LINES: usize = 5;

/// Where a program is, by PATH; beside each `bin` in it the `sbin`, which many users' PATH leaves out.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .flat_map(|folder| {
            let system = folder.ends_with("bin").then(|| folder.with_file_name("sbin"));
            std::iter::once(folder).chain(system)
        })
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// A running process, ended on drop.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    lines: Receiver<String>,
    errors: PathBuf,
}

impl Process {
    /// Starts `command` on these cores (`taskset -c`: `0`, or `0,1`), with its error text in a file of `folder`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(name: &str, command: &[String], cores: &str, folder: &Path) -> Result<Process, LabError> {
        let errors = folder.join(format!("{}-{}.log", file_name(name), unique()));
        let failed = |what: &str, error: std::io::Error| LabError::Failed(format!("{name}: {what}: {error}"));
        let log = File::create(&errors).map_err(|error| failed("log file", error))?;
        let mut whole: Vec<String> = Vec::new();
        // Should this process be killed, the kernel ends the contestant too.
        if find_program("setpriv").is_some() {
            whole.extend(["setpriv", "--pdeathsig", "KILL"].map(str::to_owned));
        }
        whole.extend(["taskset", "-c", cores].map(str::to_owned));
        whole.extend_from_slice(command);
        let mut child = Command::new(&whole[0])
            .args(&whole[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|error| failed("does not start", error))?;
        let output = child.stdout.take().expect("standard output is a pipe");
        let (give, lines) = channel();
        // Ends when the process closes its output, at the latest with it.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { return };
                if give.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Process { name: name.to_owned(), child, lines, errors })
    }

    /// Its id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of its standard output.
    ///
    /// # Errors
    /// When none comes in time, or its output has ended.
    pub fn line(&mut self, patience: Duration) -> Result<String, LabError> {
        self.lines.recv_timeout(patience).map_err(|error| {
            let why = match error {
                RecvTimeoutError::Timeout => format!("says nothing within {patience:?}"),
                RecvTimeoutError::Disconnected => "has ended".to_owned(),
            };
            self.fault(&why)
        })
    }

    /// Writes a line to its standard input.
    ///
    /// # Errors
    /// When it has closed it.
    pub fn tell(&mut self, line: &str) -> Result<(), LabError> {
        let input = self.child.stdin.as_mut().expect("standard input is a pipe until the end");
        let told = input.write_all(format!("{line}\n").as_bytes()).and_then(|()| input.flush());
        told.map_err(|error| self.fault(&format!("takes no input: {error}")))
    }

    /// CPU time so far: all threads, those that have ended too, user and system.
    ///
    /// # Errors
    /// When it has ended.
    pub fn cpu(&self) -> Result<Duration, LabError> {
        let pid = nix::unistd::Pid::from_raw(self.pid().cast_signed());
        nix::time::clock_getcpuclockid(pid)
            .and_then(nix::time::ClockId::now)
            .map(Duration::from)
            .map_err(|error| self.fault(&format!("has no clock: {error}")))
    }

    /// Resident memory in octets.
    ///
    /// # Errors
    /// When it has ended.
    pub fn resident_octets(&self) -> Result<u64, LabError> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kib.map(|kib| kib * 1024).ok_or_else(|| self.fault("has no VmRSS"))
    }

    /// Waits until `ready` gives something.
    ///
    /// # Errors
    /// When the process ends before, or time does.
    pub fn wait_until<T>(
        &mut self,
        patience: Duration,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<T, LabError> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(done) = ready() {
                return Ok(done);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.fault(&format!("ended with {status}")));
            }
            if Instant::now() > deadline {
                return Err(self.fault(&format!("is not ready within {patience:?}")));
            }
            // Polls: a foreign process tells nobody that it is ready.
            std::thread::sleep(POLL);
        }
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to end (end of input and SIGTERM), then makes it.
    pub fn end(&mut self) -> Option<ExitStatus> {
        drop(self.child.stdin.take());
        let pid = rustix::process::Pid::from_child(&self.child);
        if self.is_running() {
            // When it has gone meanwhile, there is nothing to tell.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let deadline = Instant::now() + END_PATIENCE;
        while self.is_running() && Instant::now() < deadline {
            // Polls: there is no wait with a timeout.
            std::thread::sleep(POLL);
        }
        let _ = self.child.kill();
        self.child.wait().ok()
    }

    /// What went wrong, with the last lines of its error text.
    pub fn fault(&self, what: &str) -> LabError {
        let text = std::fs::read_to_string(&self.errors).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL_LINES)..].join(" | ");
        let said = if tail.is_empty() { String::new() } else { format!(" ({tail})") };
        LabError::Failed(format!("{} {what}{said}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// A number that no other call in this process gives.
pub(super) fn unique() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn shell(script: &str, folder: &Path) -> Process {
        let command = ["sh", "-c", script].map(str::to_owned);
        Process::start("a shell", &command, "0", folder).unwrap()
    }

    #[test]
    fn a_process_answers_lines_and_its_clock_counts_what_it_spends() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell(
            "echo ready; while read line; do i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo got $line; done",
            folder.path(),
        );
        assert_eq!(process.line(PATIENCE).unwrap(), "ready");
        let before = process.cpu().unwrap();
        process.tell("stats").unwrap();
        assert_eq!(process.line(PATIENCE).unwrap(), "got stats");
        assert!(process.cpu().unwrap() > before);
        assert!(process.resident_octets().unwrap() > 4096);
        assert!(process.end().unwrap().code().is_none_or(|code| code == 0));
    }

    #[test]
    fn a_process_that_ends_early_is_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("echo 'no such port' >&2; exit 3", folder.path());
        let fault = process.wait_until(PATIENCE, || None::<()>).unwrap_err().to_string();
        assert!(fault.contains("exit status: 3") && fault.contains("no such port"), "{fault}");
    }

    #[test]
    fn a_process_that_ignores_the_request_to_end_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("trap '' TERM; echo ready; while :; do :; done", folder.path());
        assert_eq!(process.line(PATIENCE).unwrap(), "ready");
        assert!(process.end().is_some_and(|status| !status.success()));
    }

    #[test]
    fn programs_are_found_by_name() {
        assert!(find_program("sh").is_some());
        assert!(find_program("no-such-program-225").is_none());
    }
}
