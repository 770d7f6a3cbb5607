//! Set-up: what it costs a server to take a session up and down again.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;
use socket2::SockRef;

use super::super::contestant::{Contestant, Driver, RawKind};
use super::super::statistics::{estimate, paired_ratios};
use super::super::{Finding, Lab, LabError, Row, Run, Server};
use super::load::Clock;
use crate::pump::{CyclePlan, Exchange, cycle};

const RATIO_MAX: f64 = 1.5;
/// Cycles under way at one time.
const AT_ONCE: usize = 16;
/// Bare connections that are open before the oldest is reset: one that is reset before it was accepted would cost the
/// server next to nothing, and not be what a server does.
const OPEN: usize = 64;
/// A server accepts what is left over at the edge of a window at once, or has lost it.
const SETTLE_TIME_MAX: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(5);

/// The rows of this file.
pub(super) fn rows() -> Vec<Box<dyn Row<Lab>>> {
    vec![Box::new(SetUp)]
}

struct SetUp;

impl Row<Lab> for SetUp {
    fn id(&self) -> &'static str {
        "set-up"
    }

    fn what(&self) -> &'static str {
        "CPU of TCP accept, CR/CC, CN/AC and tear-down beside a raw accept and tear-down"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        vec![match set_up(lab) {
            Ok(finding) => finding,
            Err(why) => Finding::not_measured(self.id(), self.what(), RATIO_MAX, &why),
        }]
    }
}

fn set_up(lab: &mut Lab) -> Result<Finding, LabError> {
    let ours = Contestant::echo(Driver::IoUring);
    let raw = Contestant::Raw { kind: RawKind::IoUring, plain: true };
    // What explains the ratio: the same octets, answered by a server that looks at none of them.
    let canned = Contestant::raw(RawKind::IoUring);
    let exchange = Exchange::echo(0);
    let sides = [(ours, Some(exchange.clone())), (raw, None), (canned, Some(exchange))];
    let names: Vec<String> = sides.iter().map(|(contestant, _)| contestant.name()).collect();
    let mut shares = Vec::new();
    let runs = lab.interleave("set-up", &names, |lab, index, _| {
        let (contestant, exchange) = &sides[index];
        let mut server = lab.start(contestant)?;
        match exchange {
            Some(exchange) => cycles(lab, &server, exchange),
            None => bare_cycles(lab, &mut server, &mut shares),
        }
    })?;
    if let Some(why) = runs.absent.iter().flatten().next() {
        return Err(why.clone());
    }
    let [ours, raw, canned] = [0, 1, 2].map(|index| runs.figure(&names[index], Run::cpu_ns_per_ssdu));
    let what = format!("CPU of the server for each connection: {} beside {}", names[0], names[1]);
    let beside_canned = estimate(&paired_ratios(&ours, &canned));
    let remark = format!(
        "{:.1} us beside {:.1} us of server CPU. {AT_ONCE} cycles under way; a cycle is connect, CR, CC, CN, AC and a reset \
         by the client, and for the raw server connect and, when {OPEN} later ones have connected, reset; those count \
         that it says it has accepted, {:.1} % of those that were connected. Colloquy's cycle has two round trips more, \
         each of which is a receive and a send of the kernel: a raw server that answers the same octets by canned ones \
         takes {:.1} us, and Colloquy {:.2} times that ({:.2} to {:.2}).",
        estimate(&ours).value / 1e3,
        estimate(&raw).value / 1e3,
        100.0 * estimate(&shares).value,
        estimate(&canned).value / 1e3,
        beside_canned.value,
        beside_canned.low,
        beside_canned.high,
    );
    Ok(Finding::ratio("set-up", what, RATIO_MAX, estimate(&paired_ratios(&ours, &raw)))
        .remarked(remark)
        .with_runs(runs.all())
        .with_raw([json!({ "accepted_of_connected": shares })]))
}

fn cycles(lab: &Lab, server: &Server, exchange: &Exchange) -> Result<Run, LabError> {
    let plan = CyclePlan {
        at_once: AT_ONCE,
        warm_up: lab.effort().warm_up,
        measured: lab.effort().measured,
        ..CyclePlan::new(vec![server.address], Some(exchange.clone()))
    };
    let mut clock = Clock::of(server);
    let report = cycle(&plan, &mut clock);
    let report = report.map_err(|error| LabError::Failed(format!("{}: {error}", server.name)))?;
    if report.failed > 0 {
        let fault = report.fault.unwrap_or_default();
        return Err(LabError::Failed(format!("{}: {} cycles failed: {fault}", server.name, report.failed)));
    }
    Ok(Run {
        at_s: lab.elapsed().as_secs_f64(),
        ssdus: report.cycles,
        seconds: report.measured.as_secs_f64(),
        server_cpu_s: clock.spent()?.as_secs_f64(),
        client_cpu_s: report.cpu.as_secs_f64(),
        p50_ns: report.response.value_at_quantile(0.5),
        p99_ns: report.response.value_at_quantile(0.99),
        p999_ns: report.response.value_at_quantile(0.999),
        ..Run::default()
    })
}

/// Connections that carry nothing, each reset when [`OPEN`] later ones are connected.
///
/// A connect ends when the system has put the connection into the listener's queue, so the client runs ahead of the server, and
/// where the queue is full the server never sees it. So those count that the server says it has accepted, and the clock
/// is read at edges where it has accepted all that it will.
fn bare_cycles(lab: &Lab, server: &mut Server, shares: &mut Vec<f64>) -> Result<Run, LabError> {
    let failed = |name: &str, error: io::Error| LabError::Failed(format!("{name}: {error}"));
    let mut open = VecDeque::new();
    bare_cycles_for(server.address, &mut open, lab.effort().warm_up)
        .map_err(|error| failed(&server.name, error))?;
    let before = settled(server)?;
    let (cpu, began) = (server.cpu()?, Instant::now());
    let connected = bare_cycles_for(server.address, &mut open, lab.effort().measured)
        .map_err(|error| failed(&server.name, error))?;
    let measured = began.elapsed();
    let accepted = settled(server)? - before;
    let spent = server.cpu()?.saturating_sub(cpu);
    if accepted == 0 {
        return Err(server.process.fault("has accepted nothing"));
    }
    shares.push(accepted as f64 / connected.max(1) as f64);
    Ok(Run {
        at_s: lab.elapsed().as_secs_f64(),
        ssdus: accepted,
        seconds: measured.as_secs_f64(),
        server_cpu_s: spent.as_secs_f64(),
        ..Run::default()
    })
}

/// Connections that the server has accepted, once there are no more.
fn settled(server: &mut Server) -> Result<u64, LabError> {
    let deadline = Instant::now() + SETTLE_TIME_MAX;
    let mut accepted = server.accepted()?;
    loop {
        // Polls: the server says how many it has accepted, not whether more wait.
        std::thread::sleep(POLL);
        let now = server.accepted()?;
        if now == accepted {
            return Ok(now);
        }
        if Instant::now() > deadline {
            return Err(server.process.fault("goes on accepting connections while nobody connects"));
        }
        accepted = now;
    }
}

/// How many were connected.
fn bare_cycles_for(to: SocketAddr, open: &mut VecDeque<TcpStream>, time: Duration) -> io::Result<u64> {
    let end = Instant::now() + time;
    let mut connected = 0;
    while Instant::now() < end {
        let stream = TcpStream::connect(to)?;
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        connected += 1;
        open.push_back(stream);
        if open.len() > OPEN {
            open.pop_front();
        }
    }
    Ok(connected)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn bare_connections_stay_open_for_a_while() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        // The listener comes back from the thread: until then those connected beyond the last accepted wait in its backlog.
        let accepts = std::thread::spawn(move || (listener.incoming().take(OPEN + 1).count(), listener));
        let mut open = VecDeque::new();
        let mut connected = 0;
        while connected <= OPEN as u64 {
            connected += bare_cycles_for(to, &mut open, Duration::from_millis(1)).unwrap();
        }
        assert_eq!(open.len(), OPEN);
        assert_eq!(accepts.join().unwrap().0, OPEN + 1);
    }
}
