//! The way of lines to standard error: a thread of their own writes them, so that nobody waits for who reads the log.
//!
//! A pipe that nobody reads, or a disk that is full, costs log records, which are counted, and nothing else: sessions,
//! reloads and drains go on.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait for the writer. Records of sessions wait in the shards' own queues from `ROOM_KEPT` below.
const LINES_MAX: usize = 4096;
/// Places that the records of sessions leave to what other threads log.
const ROOM_KEPT: u64 = 512;
/// Octets of lines that are written together: what a pipe takes at once on every system.
const BATCH_OCTETS_MAX: usize = 16 * 1024;
/// Time without progress after which waiting lines are given up at the end of the process.
const STUCK: Duration = Duration::from_secs(2);
/// How often progress is looked at then.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// The process has a log; where it has none somebody else takes the events.
static STARTED: AtomicBool = AtomicBool::new(false);
/// Lines that came to be written, that were taken off the queue, and that were lost.
static QUEUED: AtomicU64 = AtomicU64::new(0);
static DONE: AtomicU64 = AtomicU64::new(0);
static LOST: AtomicU64 = AtomicU64::new(0);
/// The last attempt to write has failed.
static FAILING: AtomicBool = AtomicBool::new(false);

/// Gives every event its line.
#[derive(Debug)]
pub(super) struct Output {
    lines: SyncSender<Vec<u8>>,
}

impl Output {
    /// Starts the thread that writes. `None`: there is a log already.
    pub(super) fn start() -> io::Result<Option<Output>> {
        let (lines, taken) = sync_channel(LINES_MAX);
        if STARTED.swap(true, Relaxed) {
            return Ok(None);
        }
        std::thread::Builder::new().name("clq-log-out".to_owned()).spawn(move || write_lines(&taken))?;
        Ok(Some(Output { lines }))
    }
}

fn write_lines(lines: &Receiver<Vec<u8>>) {
    while let Ok(mut batch) = lines.recv() {
        let mut count = 1;
        while batch.len() < BATCH_OCTETS_MAX
            && let Ok(line) = lines.try_recv()
        {
            batch.extend_from_slice(&line);
            count += 1;
        }
        let failed = io::stderr().write_all(&batch).is_err();
        FAILING.store(failed, Relaxed);
        if failed {
            LOST.fetch_add(count, Relaxed);
        }
        DONE.fetch_add(count, Relaxed);
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { output: self }
    }
}

/// The place of one line, which comes in one write.
#[derive(Debug)]
pub(super) struct Line<'a> {
    output: &'a Output,
}

impl Write for Line<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        QUEUED.fetch_add(1, Relaxed);
        if self.output.lines.try_send(octets.to_vec()).is_err() {
            DONE.fetch_add(1, Relaxed);
            LOST.fetch_add(1, Relaxed);
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// True where a record of a session finds a place.
pub(super) fn has_room() -> bool {
    waiting() < LINES_MAX as u64 - ROOM_KEPT
}

/// True unless the last line could not be written.
pub(super) fn is_flowing() -> bool {
    has_room() && !FAILING.load(Relaxed)
}

/// Lines that were lost since the start: the system refused them, or they found no place.
pub(super) fn lost() -> u64 {
    LOST.load(Relaxed)
}

fn waiting() -> u64 {
    // Done is read first: what is counted in between makes the difference larger, never negative.
    let done = DONE.load(Relaxed);
    QUEUED.load(Relaxed).saturating_sub(done)
}

/// Waits until every line is written, as long as there is progress.
///
/// The end of a process calls it: lines that still wait would be lost with it.
pub fn flush() {
    let mut progress = Progress::begin();
    while waiting() > 0 && !progress.is_stuck() {
        // Polls the writer.
        std::thread::sleep(LOOK_INTERVAL);
    }
}

/// Whether lines are written still.
#[derive(Debug)]
pub(super) struct Progress {
    done: u64,
    since: Instant,
}

impl Progress {
    pub(super) fn begin() -> Progress {
        Progress { done: DONE.load(Relaxed), since: Instant::now() }
    }

    /// True when nothing was written for a while.
    pub(super) fn is_stuck(&mut self) -> bool {
        let done = DONE.load(Relaxed);
        if done != self.done {
            *self = Progress { done, since: Instant::now() };
        }
        self.since.elapsed() >= STUCK
    }
}
