//! The pump against a real echo of our own, and against peers that misbehave.
#![allow(clippy::unwrap_used)] // A test.

#[allow(dead_code, reason = "shared with the tests of operations, which use more of it")]
mod responder;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use colloquy_bench::pump::{Exchange, Observer, Pace, Pump, PumpError, PumpPlan, PumpReport, Window};
use responder::{Habit, Responder};

const SHORT: Duration = Duration::from_millis(150);

fn window(pace: Pace) -> Window {
    Window { pace, warm_up: Duration::from_millis(30), measured: SHORT }
}

fn closed(depth: usize) -> Window {
    window(Pace::Closed { depth })
}

fn plan(to: SocketAddr, exchange: Exchange) -> PumpPlan {
    PumpPlan { verify: true, ..PumpPlan::new(vec![to], exchange) }
}

/// Notes the order of the edges.
#[derive(Default)]
struct Edges(Vec<&'static str>);

impl Observer for Edges {
    fn begins(&mut self) {
        self.0.push("begins");
    }

    fn ends(&mut self) {
        self.0.push("ends");
    }
}

fn nothing_went_wrong(report: &PumpReport) {
    let PumpReport { lost, missed, closed_by_peer, given_up, fault, .. } = report;
    assert_eq!((*lost, *missed, *closed_by_peer, *given_up, fault), (0, 0, 0, 0, &None));
}

#[test]
fn a_closed_loop_keeps_an_echo_busy_and_every_octet_comes_back() {
    let responder = Responder::start(Habit::Good);
    for (ssdu_octets, depth) in [(64, 1), (64, 16), (40_000, 1), (40_000, 16)] {
        let exchange = Exchange::echo(ssdu_octets);
        let answer_octets = exchange.answer_octets as u64;
        let plan = PumpPlan { connections: 5, active: 3, ..plan(responder.address, exchange) };
        let mut pump = Pump::open(&plan).unwrap();
        for _ in 0..2 {
            let mut edges = Edges::default();
            let report = pump.run(&closed(depth), &mut edges).unwrap();
            assert_eq!(edges.0, ["begins", "ends"]);
            nothing_went_wrong(&report);
            assert!(report.answered > 0, "{report:?}");
            assert!(report.response.len() <= report.answered);
            // An answer may be cut by an edge, but no more than one on each connection at each edge.
            let whole = report.answered * answer_octets;
            assert!(report.octets.abs_diff(whole) <= 3 * answer_octets, "{} of {whole}", report.octets);
            assert!(report.measured >= SHORT && report.cpu > Duration::ZERO);
        }
        assert_eq!(pump.look().unwrap(), 5);
    }
    responder.stop();
}

#[test]
fn a_burst_is_one_request_of_many_ssdus() {
    let responder = Responder::start(Habit::Good);
    let mut pump = Pump::open(&plan(responder.address, Exchange::echo_burst(64, 16))).unwrap();
    let report = pump.run(&closed(1), &mut ()).unwrap();
    nothing_went_wrong(&report);
    assert!(report.answered > 0);
    drop(pump);
    responder.stop();
}

#[test]
fn an_open_loop_accounts_for_every_request_that_was_due() {
    let responder = Responder::start(Habit::Good);
    let plan = PumpPlan { connections: 4, active: 4, ..plan(responder.address, Exchange::echo(64)) };
    let mut pump = Pump::open(&plan).unwrap();
    for poisson in [false, true] {
        let report = pump.run(&window(Pace::Open { rate_per_s: 2000.0, poisson, seed: 3 }), &mut ()).unwrap();
        assert_eq!(report.due, report.response.len() + report.lost + report.missed, "{report:?}");
        // 300 in 150 ms; the standard deviation of a Poisson count is 17.
        let due = if poisson { 200..400 } else { 299..302 };
        assert!(due.contains(&report.due), "{}", report.due);
        assert_eq!(report.lateness.len(), report.due - report.missed);
        assert_eq!((report.closed_by_peer, report.given_up), (0, 0));
    }
    drop(pump);
    responder.stop();
}

#[test]
fn a_rate_beyond_all_reach_is_accounted_for_too() {
    let responder = Responder::start(Habit::Good);
    let mut pump = Pump::open(&plan(responder.address, Exchange::echo(64))).unwrap();
    let pace = Pace::Open { rate_per_s: 1e8, poisson: false, seed: 0 };
    let measured = Duration::from_millis(20);
    let report = pump.run(&Window { pace, warm_up: Duration::ZERO, measured }, &mut ()).unwrap();
    assert!(report.due.abs_diff(2_000_000) <= 1, "{}", report.due);
    assert!(report.missed > 0);
    assert_eq!(report.due, report.response.len() + report.lost + report.missed, "{report:?}");
    drop(pump);
    responder.stop();
}

#[test]
fn a_server_that_stalls_shows_in_all_requests_due_meanwhile() {
    let stall = Duration::from_millis(300);
    let responder = Responder::start(Habit::Stall { nth: 30, time: stall });
    let mut pump = Pump::open(&plan(responder.address, Exchange::echo(64))).unwrap();
    let pace = Pace::Open { rate_per_s: 200.0, poisson: false, seed: 0 };
    let measured = Duration::from_millis(600);
    let report = pump.run(&Window { pace, warm_up: Duration::ZERO, measured }, &mut ()).unwrap();
    assert_eq!(report.due, report.response.len(), "{report:?}");
    let stall_ns = stall.as_nanos() as u64;
    assert!(report.response.max() >= stall_ns, "{}", report.response.max());
    // 60 were due while it stalled, and the earlier half of them waited for half of the time or more.
    let slow = report.response.count_between(stall_ns / 2, u64::MAX);
    assert!(slow >= 28, "{slow}");
    drop(pump);
    responder.stop();
}

#[test]
fn an_answer_that_differs_in_one_bit_ends_a_verified_run() {
    let responder = Responder::start(Habit::Flip { nth: 3 });
    let mut pump = Pump::open(&plan(responder.address, Exchange::echo(64))).unwrap();
    let error = pump.run(&closed(1), &mut ()).unwrap_err();
    let PumpError::Differs { offset, expected, found, .. } = error else { panic!("{error}") };
    assert_eq!((offset, expected ^ found), (74, 1));
    drop(pump);
    responder.stop();
}

/// Accepts connections for as long as the process lives, each served on a thread of its own.
fn serve(habit: impl Fn(usize, TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let habit = habit.clone();
            thread::spawn(move || habit(number, stream.unwrap()));
        }
    });
    address
}

/// Answers each TPKT by the next of `answers`, the last again and again.
fn answer(mut stream: TcpStream, answers: &[&[u8]]) {
    let mut answers = answers.iter();
    let mut last: &[u8] = &[];
    let mut header = [0; 4];
    while stream.read_exact(&mut header).is_ok() {
        let rest = usize::from(u16::from_be_bytes([header[2], header[3]])) - 4;
        stream.read_exact(&mut vec![0; rest]).unwrap();
        last = answers.next().copied().unwrap_or(last);
        if stream.write_all(last).is_err() {
            return;
        }
    }
}

const CC: &[u8] = &[3, 0, 0, 14, 9, 0xd0, 0, 1, 0, 1, 0, 0xc0, 1, 13];
const AC: &[u8] = &[3, 0, 0, 13, 2, 0xf0, 0x80, 14, 4, 20, 2, 0, 2];

#[test]
fn the_first_answer_tells_how_long_answers_are() {
    let tsdu = [&[3, 0, 0, 9, 2, 0xf0, 0, 1, 0][..], &[3, 0, 0, 10, 2, 0xf0, 0x80, 1, 0, 9]].concat();
    let whole = tsdu.clone();
    let to = serve(move |_, stream| answer(stream, &[CC, AC, &whole]));
    let mut pump = Pump::open(&PumpPlan::new(vec![to], Exchange::mms())).unwrap();
    let report = pump.run(&closed(4), &mut ()).unwrap();
    nothing_went_wrong(&report);
    assert!(report.answered > 0);
    assert!(report.octets.abs_diff(report.answered * tsdu.len() as u64) <= tsdu.len() as u64);
}

#[test]
fn connections_that_peers_close_are_counted_and_the_run_goes_on() {
    let echo = |number: usize, mut stream: TcpStream| {
        let mut buffer = [0; 512];
        let mut left = if number == 1 { 20 } else { usize::MAX };
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            if left == 0 || stream.write_all(&buffer[..count]).is_err() {
                return;
            }
            left -= 1;
        }
    };
    let to = serve(echo);
    // One after the other, so that the second of them is the one that ends.
    let plan = PumpPlan { connections: 3, active: 3, opening_max: 1, ..plan(to, Exchange::plain(100)) };
    let mut pump = Pump::open(&plan).unwrap();
    let report = pump.run(&Window { warm_up: Duration::ZERO, ..closed(4) }, &mut ()).unwrap();
    assert_eq!((report.closed_by_peer, report.given_up), (1, 0), "{report:?}");
    assert!(report.answered > 80 && (1..=4).contains(&report.lost), "{report:?}");
    assert!(report.fault.unwrap().contains(&to.to_string()));
    let report = pump.run(&closed(4), &mut ()).unwrap();
    nothing_went_wrong(&report);
    assert_eq!(pump.look().unwrap(), 2);
}

#[test]
fn a_pump_without_connections_says_why() {
    let to = serve(|_, mut stream| {
        let _ = stream.read(&mut [0; 512]);
    });
    let mut pump =
        Pump::open(&PumpPlan { connections: 2, active: 2, ..plan(to, Exchange::plain(64)) }).unwrap();
    let error = pump.run(&closed(1), &mut ()).unwrap_err();
    assert!(matches!(&error, PumpError::AllGone { connections: 2, .. }), "{error}");
    assert!(error.to_string().contains("closed it"), "{error}");
}

#[test]
fn octets_that_no_request_asked_for_end_the_connection() {
    let to = serve(|_, mut stream| {
        let mut buffer = [0; 512];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            let twice = [&buffer[..count], &buffer[..count]].concat();
            if stream.write_all(&twice).is_err() {
                return;
            }
        }
    });
    let plan = PumpPlan { verify: false, ..plan(to, Exchange::plain(64)) };
    let error = Pump::open(&plan).unwrap().run(&closed(1), &mut ()).unwrap_err();
    assert!(error.to_string().contains("no request had asked for"), "{error}");
}

#[test]
fn an_opening_that_fails_names_address_step_and_what_came() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let fault = |to: SocketAddr| {
        let plan = PumpPlan { opening_timeout: Duration::from_millis(200), ..plan(to, Exchange::echo(64)) };
        let text = Pump::open(&plan).unwrap_err().to_string();
        text.strip_prefix(&format!("{to}: ")).expect(&text).to_owned()
    };
    assert!(fault(unused).starts_with("TCP connect: Connection refused"));
    let refuses_transport = Responder::start(Habit::RefuseTransport);
    // A DR with reason 3 (X.224: address unknown), to our reference.
    let text = fault(refuses_transport.address);
    assert!(text.starts_with("CR: instead of CC came 0300000b0680"), "{text}");
    refuses_transport.stop();
    let refuses = Responder::start(Habit::Refuse);
    let text = fault(refuses.address);
    assert!(text.starts_with("CN: instead of AC came 0300") && text.contains("02f0800c"), "{text}");
    refuses.stop();
    let silent = serve(|_, mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    assert_eq!(fault(silent), "CR: no CC within 200 ms; so far came nothing");
    let closes = serve(|_, mut stream| {
        let _ = stream.read(&mut [0; 512]);
    });
    let text = fault(closes);
    assert!(text.starts_with("CR: the peer closed the connection instead of CC"), "{text}");
    let other = serve(|_, stream| answer(stream, &[&[b'H'; 40]]));
    let text = fault(other);
    assert_eq!(text, format!("CR: instead of CC came {}... (40 octets)", "48".repeat(32)));
}

#[test]
fn plans_that_contradict_themselves_are_refused() {
    let to = vec![SocketAddr::from(([127, 0, 0, 1], 9))];
    let plan = PumpPlan::new(to, Exchange::echo(1));
    let refused = |plan: PumpPlan| Pump::open(&plan).unwrap_err().to_string();
    assert!(refused(PumpPlan { to: Vec::new(), ..plan.clone() }).contains("no address"));
    assert!(refused(PumpPlan { active: 2, ..plan.clone() }).contains("more connections are active"));
    let mms = PumpPlan { exchange: Exchange::mms(), verify: true, ..plan };
    assert!(refused(mms).contains("can be verified"));
}
