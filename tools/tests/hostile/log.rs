//! The log of a gateway, read from its standard error while it runs.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use serde_json::Value;

use crate::peer::PATIENCE;

/// A peer's fault.
const FAULT: &str = "CLQ-S02";
/// The end of a session.
const END: &str = "CLQ-S01";

#[derive(Default)]
struct Lines {
    records: Vec<Value>,
    other: Vec<String>,
}

/// Records so far, and those to come.
pub(crate) struct Log {
    lines: Arc<(Mutex<Lines>, Condvar)>,
    reader: JoinHandle<()>,
}

impl Log {
    /// Reads JSON lines until the writer is gone.
    pub(crate) fn of(from: impl Read + Send + 'static) -> Log {
        let lines: Arc<(Mutex<Lines>, Condvar)> = Arc::default();
        let shared = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                let mut lines = shared.0.lock().expect("no reader panics");
                match serde_json::from_str(&line) {
                    Ok(record) => lines.records.push(record),
                    Err(_) => lines.other.push(line),
                }
                shared.1.notify_all();
            }
        });
        Log { lines, reader }
    }

    /// Records so far with some property.
    #[allow(dead_code, reason = "not every test binary that shares this file counts")]
    pub(crate) fn count(&self, has: impl Fn(&Value) -> bool) -> usize {
        self.lines.0.lock().expect("no reader panics").records.iter().filter(|record| has(record)).count()
    }

    /// Waits for records with some property.
    pub(crate) fn wait_for(&self, what: &str, has: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.wait(what, |lines| {
            let found: Vec<Value> = lines.records.iter().filter(|record| has(record)).cloned().collect();
            (!found.is_empty()).then_some(found)
        })
    }

    /// What has been logged so far.
    #[allow(dead_code, reason = "the routing tests use it")]
    pub(crate) fn records(&self) -> Vec<Value> {
        self.lines.0.lock().expect("no reader panics").records.clone()
    }

    /// The records of one peer once its session has ended, which is the last of them.
    pub(crate) fn of_peer(&self, peer: SocketAddr) -> Vec<Value> {
        let peer = peer.to_string();
        self.wait(&format!("the end of {peer}"), |lines| {
            let of_peer = lines.records.iter().filter(|record| record["peer"] == *peer);
            let records: Vec<Value> = of_peer.cloned().collect();
            records.iter().any(|record| record["event_id"] == END).then_some(records)
        })
    }

    /// The one fault (or none) and the end of a peer's session; whatever else is logged of it is too much.
    pub(crate) fn fault_and_end(&self, peer: SocketAddr) -> (Option<Value>, Value) {
        let records = self.of_peer(peer);
        let count = |id: &str| records.iter().filter(|record| record["event_id"] == id).count();
        assert!(count(FAULT) <= 1, "{peer}: one record for one fault: {records:?}");
        assert_eq!(count(END), 1, "{peer}: one record of the end: {records:?}");
        let pick = |id: &str| records.iter().find(|record| record["event_id"] == id).cloned();
        (pick(FAULT), pick(END).expect("counted"))
    }

    /// Demands an end without a fault, with this reason.
    pub(crate) fn expect_end(&self, peer: SocketAddr, reason: &str) -> Value {
        let (fault, end) = self.fault_and_end(peer);
        assert_eq!(fault, None, "{peer} has done nothing wrong");
        assert_eq!(end["reason"], reason, "{end}");
        end
    }

    fn wait<T>(&self, what: &str, mut look: impl FnMut(&Lines) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut lines = self.lines.0.lock().expect("no reader panics");
        loop {
            if let Some(found) = look(&lines) {
                return found;
            }
            let wait = end.saturating_duration_since(Instant::now());
            let last = lines.records.last();
            assert!(!wait.is_zero(), "{what} is not in the log; last {last:?}, beside it {:?}", lines.other);
            lines = self.lines.1.wait_timeout(lines, wait).expect("no reader panics").0;
        }
    }

    /// Waits until the writer is gone; demands that it wrote records only, and gives their number.
    pub(crate) fn finish(self) -> usize {
        self.reader.join().expect("the reader does not panic");
        let lines = self.lines.0.lock().expect("no reader panics");
        assert!(lines.other.is_empty(), "not of the log, a panic perhaps: {:?}", lines.other);
        let errors: Vec<&Value> = lines.records.iter().filter(|record| record["level"] == "error").collect();
        assert!(errors.is_empty(), "{errors:?}");
        lines.records.len()
    }
}
