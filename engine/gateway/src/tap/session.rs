//! A tap from its beginning to its end, on a thread that may wait.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::filter::TapFilter;
use super::pcapng;
use super::places::{Place, TooManyTaps};
use super::record::{Event, Inlet, Introduction, Record, Run, TapOrder, ring};
use super::stream::{Sink, Stream};
use crate::app::GatewayCommand;
use crate::config::Config;
use crate::name::SessionName;
use crate::vitals::Vitals;

/// Octets of the file that are made at once.
const CHUNK_OCTETS: usize = 256 << 10;
/// Records of one shard that are taken at once.
const RECORDS_AT_ONCE_MAX: usize = 1024;
/// Octets of a session that wait until it is known whether the tap is for it. One that brings more before its S-CONNECT
/// is indicated is left out.
const UNDECIDED_OCTETS_MAX: usize = 256 << 10;
/// How often the rings are looked into while nothing comes.
const LOOK: Duration = Duration::from_millis(10);

/// A tap that is on.
#[derive(Debug)]
pub(crate) struct TapSession {
    id: u64,
    filter: TapFilter,
    inlets: Vec<Inlet>,
    sessions: HashMap<SessionName, Tapped>,
    sink: Sink,
    /// Sessions so far.
    begun_sessions: u32,
    begun: Instant,
    finished: bool,
    place: Place,
}

#[derive(Debug)]
enum Tapped {
    /// It is not known yet whether the tap is for it.
    Undecided {
        introduction: Box<Introduction>,
        runs: Vec<Run>,
        octets: usize,
    },
    Decided(Box<Stream>),
}

impl TapSession {
    /// Lets every shard copy what the filter is for.
    ///
    /// # Errors
    /// When there are too many taps.
    pub(crate) fn start(vitals: &Arc<Vitals>, filter: TapFilter) -> Result<TapSession, TooManyTaps> {
        let (outlets, inlets): (Vec<_>, Vec<Inlet>) = (0..vitals.shard_count()).map(|_| ring()).unzip();
        let place = Place::take(vitals, inlets.iter().map(|inlet| Arc::clone(&inlet.shared)).collect())?;
        let id = place.id();
        let outlets = outlets.into_iter().map(|outlet| Mutex::new(Some(outlet))).collect();
        let order = Arc::new(TapOrder { id, filter: filter.clone(), outlets });
        vitals.command_all(|| GatewayCommand::Tap(Arc::clone(&order)));
        let mut sink = Sink::default();
        let redaction = if filter.payload { "user data kept" } else { "user data overwritten" };
        pcapng::begin(&mut sink.octets, &format!("colloquy tap, {redaction}"));
        Ok(TapSession {
            id,
            filter,
            inlets,
            sessions: HashMap::new(),
            sink,
            begun_sessions: 0,
            begun: Instant::now(),
            finished: false,
            place,
        })
    }

    /// The next octets of the file, as soon as there are some or `patience` is over; `None` when it is complete.
    pub(crate) fn next_chunk(&mut self, patience: Duration) -> Option<Vec<u8>> {
        if self.finished {
            return None;
        }
        let until = Instant::now() + patience;
        loop {
            let plan = self.place.vitals().plan();
            let goes_on = self.read(&plan.config);
            if self.is_complete() {
                self.finish();
                break;
            }
            if !self.sink.octets.is_empty() || Instant::now() >= until {
                break;
            }
            if !goes_on {
                std::thread::park_timeout(LOOK);
            }
        }
        Some(std::mem::take(&mut self.sink.octets))
    }

    /// TPDUs in the file so far.
    pub(crate) fn tpdus(&self) -> u64 {
        self.sink.tpdus
    }

    /// Runs of octets that were left out so far, because there was no room or no budget for them.
    pub(crate) fn runs_left_out(&self) -> u64 {
        self.place.runs_left_out()
    }

    /// Takes what waits, as long as it has its place in the file; true where more waits.
    fn read(&mut self, config: &Config) -> bool {
        let mut goes_on = false;
        for shard in 0..self.inlets.len() {
            // Bounded: what is not for the file makes it no longer, and sessions that do not pause must not keep the tap
            // from ending.
            for count in 1..=RECORDS_AT_ONCE_MAX {
                if self.sink.octets.len() >= CHUNK_OCTETS || self.has_enough() {
                    break;
                }
                let Some(record) = self.inlets[shard].pop() else { break };
                self.record(shard as u16, record, config);
                goes_on |= count == RECORDS_AT_ONCE_MAX;
            }
        }
        goes_on
    }

    fn record(&mut self, shard: u16, record: Record, config: &Config) {
        let name = SessionName { shard, session: record.session };
        match record.event {
            Event::Begin(introduction) => {
                let tapped = if introduction.undecided {
                    Tapped::Undecided { introduction, runs: Vec::new(), octets: 0 }
                } else {
                    self.stream(name, &introduction, config)
                };
                self.sessions.insert(name, tapped);
            }
            Event::Octets(run) => match self.sessions.get_mut(&name) {
                Some(Tapped::Decided(stream)) => {
                    let emptied = stream.take(run, &self.filter, &mut self.sink);
                    self.inlets[usize::from(shard)].give_back(emptied);
                }
                Some(Tapped::Undecided { runs, octets, .. }) => {
                    *octets += run.octets.len();
                    runs.push(run);
                    if *octets > UNDECIDED_OCTETS_MAX {
                        self.sessions.remove(&name);
                        self.inlets[usize::from(shard)].shared.runs_left_out.fetch_add(1, Ordering::Relaxed);
                    }
                }
                None => {}
            },
            Event::Decided => {
                let Some(Tapped::Undecided { introduction, runs, .. }) = self.sessions.remove(&name) else {
                    return;
                };
                let mut tapped = self.stream(name, &introduction, config);
                if let Tapped::Decided(stream) = &mut tapped {
                    for run in runs {
                        stream.take(run, &self.filter, &mut self.sink);
                    }
                }
                self.sessions.insert(name, tapped);
            }
            Event::Forget => {
                self.sessions.remove(&name);
            }
            Event::End { at } => {
                if let Some(Tapped::Decided(mut stream)) = self.sessions.remove(&name) {
                    stream.end(at, &mut self.sink);
                }
            }
        }
    }

    fn stream(&mut self, name: SessionName, introduction: &Introduction, config: &Config) -> Tapped {
        let nth = self.begun_sessions;
        self.begun_sessions = nth.wrapping_add(1);
        Tapped::Decided(Box::new(Stream::new((nth, name), introduction, config, self.filter.real_ports)))
    }

    fn has_enough(&self) -> bool {
        self.filter.count.is_some_and(|max| self.sink.tpdus >= max)
    }

    fn is_complete(&mut self) -> bool {
        self.has_enough()
            || self.filter.duration.is_some_and(|max| self.begun.elapsed() >= max)
            || self.inlets.iter_mut().all(Inlet::is_finished)
    }

    fn finish(&mut self) {
        self.finished = true;
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at = u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX);
        let (packets, left_out) = (self.sink.packets, self.runs_left_out());
        pcapng::statistics(&mut self.sink.octets, at, packets + left_out, left_out);
    }
}

impl Drop for TapSession {
    fn drop(&mut self) {
        let id = self.id;
        self.place.vitals().command_all(|| GatewayCommand::TapEnd(id));
    }
}
