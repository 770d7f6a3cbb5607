//! What a replay reports, to people and to programs.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::environment::Environment;
use crate::report::Percentiles;

use super::recording::{RecordedSession, Recording};
use super::runner::Done;
use super::tally::{Mismatch, MismatchKind};
use super::{ReplayPlan, Speed};

/// Version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;

/// The record of one replay.
#[derive(Debug, Serialize)]
pub struct ReplayReport {
    /// Always [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// When it began, RFC 3339 in UTC.
    pub began_at: String,
    /// Where.
    pub environment: Environment,
    /// What was asked for.
    pub plan: ReplayPlan,
    /// The driver: `io_uring` or `mio`.
    pub driver: String,
    /// Why this driver.
    pub driver_reason: String,
    /// The sessions of the recording.
    pub sessions: Vec<SessionSummary>,
    /// Length of the replay in seconds.
    pub elapsed_s: f64,
    /// Copies of all sessions replayed, and what became of them.
    pub runs: Runs,
    /// TSDUs of the initiator that were sent.
    pub tsdus_sent: u64,
    /// Answers compared.
    pub answers: Answers,
    /// Answers as recorded, by their SPDUs; `CC` is from connecting to the transport connection.
    pub kinds: Vec<Kind>,
    /// From when a TSDU could have been sent to when it was: the replay's own part.
    pub lateness_us: Percentiles,
    /// System calls of the driver.
    pub system_calls: u64,
    /// The first mismatches.
    pub mismatches: Vec<Mismatch>,
}

/// A session of the recording.
#[derive(Clone, Debug, Serialize)]
pub struct SessionSummary {
    /// Its number, from 1.
    pub number: usize,
    /// Who connected.
    pub initiator: SocketAddr,
    /// To whom.
    pub responder: SocketAddr,
    /// The record with its CR.
    pub record: u64,
    /// TSDUs of the initiator.
    pub requests: usize,
    /// Octets of them.
    pub request_octets: u64,
    /// TSDUs of the responder.
    pub answers: usize,
    /// From the CR to the last TSDU.
    pub duration_ms: f64,
    /// Why it is not whole.
    pub cut: Option<String>,
    /// It was chosen.
    pub replayed: bool,
}

/// Copies of all sessions.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Runs {
    /// Those that went through the whole recording.
    pub completed: u64,
    /// Those that left it.
    pub diverged: u64,
    /// Those that a signal stopped.
    pub stopped: u64,
}

/// Answers, compared by the types of their SPDUs.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Answers {
    /// As recorded.
    pub matched: u64,
    /// Other SPDUs than recorded.
    pub other: u64,
    /// Recorded and not come.
    pub missing: u64,
    /// Come and not recorded.
    pub extra: u64,
    /// Recorded behind a mismatch.
    pub not_reached: u64,
    /// Come beyond the end of a recording that is cut off: not compared.
    pub beyond_the_recording: u64,
}

/// Answers of the same SPDUs.
#[derive(Clone, Debug, Serialize)]
pub struct Kind {
    /// The SPDUs, as `GT+DT`.
    pub name: String,
    /// How many were as recorded.
    pub matched: u64,
    /// From when their request was meant to be sent.
    pub response_us: Percentiles,
}

/// What a report needs beside the counts.
pub(crate) struct RunFacts {
    pub(crate) began_at: String,
    pub(crate) environment: Environment,
    pub(crate) driver: String,
    pub(crate) driver_reason: String,
    pub(crate) elapsed: Duration,
}

impl SessionSummary {
    /// The summary of session `number`.
    pub fn new(session: &RecordedSession, number: usize, replayed: bool) -> SessionSummary {
        SessionSummary {
            number,
            initiator: session.initiator,
            responder: session.responder,
            record: session.began.record,
            requests: session.requests.len(),
            request_octets: session.request_octets(),
            answers: session.answers.len(),
            duration_ms: session.duration().as_secs_f64() * 1e3,
            cut: session.cut.clone(),
            replayed,
        }
    }

    /// One line for people.
    pub fn line(&self) -> String {
        let (number, record) = (self.number, self.record);
        let cut = self.cut.as_ref().map_or(String::new(), |cut| format!("; {cut}"));
        let passed = if self.replayed { "" } else { "; not chosen" };
        format!(
            "session {number}: {} to {}, from record {record}, {} TSDUs and {} answers in {:.1} ms{cut}{passed}",
            self.initiator, self.responder, self.requests, self.answers, self.duration_ms
        )
    }
}

impl ReplayReport {
    pub(crate) fn new(
        recording: &Recording,
        plan: &ReplayPlan,
        chosen: &[usize],
        done: Done,
        facts: RunFacts,
    ) -> ReplayReport {
        let Done { tally, names, completed, diverged, stopped, system_calls } = done;
        let [other, missing, extra] = [MismatchKind::Other, MismatchKind::Missing, MismatchKind::Extra]
            .map(|kind| tally.mismatches[kind as usize]);
        let kinds = names.into_iter().zip(&tally.kinds).filter(|(_, kind)| kind.matched > 0);
        let kinds: Vec<Kind> = kinds
            .map(|(name, kind)| Kind {
                name,
                matched: kind.matched,
                response_us: kind.response.as_deref().map(Percentiles::of).unwrap_or_default(),
            })
            .collect();
        // The CC is no SPDU.
        let matched = tally.kinds.iter().skip(1).map(|kind| kind.matched).sum();
        let sessions = recording.sessions.iter().zip(1..);
        ReplayReport {
            schema_version: SCHEMA_VERSION,
            began_at: facts.began_at,
            environment: facts.environment,
            plan: plan.clone(),
            driver: facts.driver,
            driver_reason: facts.driver_reason,
            sessions: sessions
                .map(|(session, number)| SessionSummary::new(session, number, chosen.contains(&number)))
                .collect(),
            elapsed_s: facts.elapsed.as_secs_f64(),
            runs: Runs { completed, diverged, stopped },
            tsdus_sent: tally.requests,
            answers: Answers {
                matched,
                other,
                missing,
                extra,
                not_reached: tally.not_reached,
                beyond_the_recording: tally.answers_beyond,
            },
            kinds,
            lateness_us: tally.lateness.as_deref().map(Percentiles::of).unwrap_or_default(),
            system_calls,
            mismatches: tally.described,
        }
    }

    /// True when every copy went through its whole recording.
    pub fn is_clean(&self) -> bool {
        self.runs.diverged + self.runs.stopped == 0 && self.runs.completed > 0
    }

    /// Writes `result.json` into `folder`.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        std::fs::write(folder.join("result.json"), json)
    }

    /// The result as a table for people.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for session in &self.sessions {
            text.push_str(&session.line());
            text.push('\n');
        }
        let mut row = |name: &str, value: String| text.push_str(&format!("{name:<18}{value}\n"));
        let Runs { completed, diverged, stopped } = self.runs;
        let ended =
            |count: u64, word: &str| if count > 0 { format!(", {count} {word}") } else { String::new() };
        row(
            "copies",
            format!(
                "{completed} of {} completed{}{}",
                completed + diverged + stopped,
                ended(diverged, "left the recording"),
                ended(stopped, "stopped")
            ),
        );
        let speed = match self.plan.speed {
            Speed::Recorded => "recorded speed",
            Speed::Full => "full speed",
        };
        row("TSDUs", format!("{} sent at {speed} in {:.3} s", self.tsdus_sent, self.elapsed_s));
        let Answers { matched, other, missing, extra, not_reached, beyond_the_recording } = self.answers;
        row(
            "answers",
            format!(
                "{matched} as recorded, {other} other, {missing} missing, {extra} extra{}{}",
                ended(not_reached, "not reached"),
                ended(beyond_the_recording, "beyond the recording")
            ),
        );
        row("response in us", format!("{:>9}{:>9}{:>9}{:>9}{:>10}", "p50", "p90", "p99", "p99.9", "max"));
        for kind in &self.kinds {
            row(&format!("  {}", kind.name), format!("{}  {} x", times(&kind.response_us), kind.matched));
        }
        row("  own lateness", times(&self.lateness_us));
        for mismatch in &self.mismatches {
            row("MISMATCH", mismatch.to_string());
        }
        row("driver", format!("{}: {}", self.driver, self.driver_reason));
        text
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Mismatch { session, copy, answer, requests_sent, expected, got, .. } = self;
        write!(f, "session {session}, copy {copy}, answer {answer} after {requests_sent} TSDUs: ")?;
        write!(f, "expected {expected}")?;
        if let Some(record) = self.record {
            write!(f, " (record {record})")?;
        }
        write!(f, ", got {got}")
    }
}

/// Percentiles as columns of the table.
fn times(p: &Percentiles) -> String {
    if p.count == 0 {
        return format!("{:>9}{:>9}{:>9}{:>9}{:>10}", "-", "-", "-", "-", "-");
    }
    format!("{:>9.0}{:>9.0}{:>9.0}{:>9.0}{:>10.0}", p.p50, p.p90, p.p99, p.p999, p.max)
}
