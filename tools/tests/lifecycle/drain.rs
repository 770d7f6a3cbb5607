//! A drain at its pace: no session is reset, every one is in the log, who comes meanwhile is answered.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::gateway::{Gateway, head};
use crate::octets::{CC, CR, DN, DR_CONGESTION, data};
use crate::on_each_driver;
use crate::peer::{PATIENCE, Peer};

const SESSIONS: usize = 1000;
const PER_SECOND: usize = 100;
/// FN with the transport connection to be released, in its TPKT and TPDU.
const FINISH: [u8; 12] = [3, 0, 0, 12, 2, 0xf0, 0x80, 9, 3, 17, 1, 1];

fn gateway(driver: &str, drain: &str) -> Gateway {
    Gateway::start(&format!(
        "{}[drain]\n{drain}[[listener]]\nname = \"echo\"\naddress = \"127.0.0.1:0\"\napplication = \"echo\"\n\
         connections_not_established_max = 2000\n",
        head(driver, 2, "info")
    ))
}

#[test]
fn a_thousand_sessions_are_released_at_the_pace_without_a_reset() {
    on_each_driver("drain of a thousand sessions", |driver| {
        let gateway =
            gateway(driver, "deadline = \"120s\"\nsessions_per_second = 100\nidle_for = \"50ms\"\n");
        let to = gateway.address("echo");
        let peers: Vec<Peer> = (0..SESSIONS).map(|_| Peer::session(to)).collect();
        let done = Arc::new(AtomicBool::new(false));
        let knocking = knock(to, Arc::clone(&done));
        let answering: Vec<_> =
            peers.into_iter().map(|peer| answer_release(peer.stream().try_clone())).collect();
        assert_eq!(gateway.get("/readyz").0, 200);
        let began = Instant::now();
        gateway.terminate();
        gateway.log.wait_for("drain", |record| record["event_id"] == "CLQ-G09");
        assert_eq!(gateway.get("/readyz").0, 503);
        assert!(gateway.metric("colloquy_drain_remaining_sessions") > 0.0);
        let mut ends: Vec<Duration> = answering
            .into_iter()
            .map(|peer| peer.join().expect("no peer is reset").saturating_duration_since(began))
            .collect();
        done.store(true, Ordering::Relaxed);
        // How many were just then in the queue is chance; that those are told is shown by the shard's own tests.
        let told = knocking.join().expect("nobody is reset while the gateway goes");
        println!("{told} were told by DR");
        let (status, log) = gateway.wait();
        assert!(status.success());
        let released =
            log.wait_for("ends", |record| record["event_id"] == "CLQ-S01" && record["reason"] == "released");
        assert_eq!(released.len(), SESSIONS, "one record for each session");
        assert_pace(&mut ends);
    });
}

/// Never faster than the pace, and on the whole not much slower: how far timers lag on a busy machine is not the
/// gateway's, so that the lower bound is wide.
fn assert_pace(ends: &mut [Duration]) {
    ends.sort();
    let took = (ends[ends.len() - 1] - ends[0]).as_secs_f64();
    let rate = (ends.len() - 1) as f64 / took;
    println!("{} sessions ended in {took:.2} s: {rate:.1} in a second", ends.len());
    assert!((0.6..=1.1).contains(&(rate / PER_SECOND as f64)), "{rate:.1} sessions in a second");
}

/// Answers FN by DN and waits for the end of the connection: when FN came.
fn answer_release(stream: std::io::Result<TcpStream>) -> JoinHandle<Instant> {
    let work = move || {
        let mut stream = stream.expect("a descriptor");
        stream.set_read_timeout(Some(4 * PATIENCE)).expect("a TCP socket");
        let mut finish = [0; FINISH.len()];
        stream.read_exact(&mut finish).expect("FN");
        assert_eq!(finish, FINISH, "an orderly release");
        let came = Instant::now();
        stream.write_all(&data(&DN)).expect("the gateway reads");
        assert_eq!(stream.read(&mut [0; 16]).expect("no reset"), 0, "nothing follows");
        came
    };
    std::thread::Builder::new().stack_size(64 << 10).spawn(work).expect("a thread")
}

/// Connects again and again until refused: every connection is answered by CC or DR or closed in order. Gives the
/// number of DRs.
fn knock(to: SocketAddr, done: Arc<AtomicBool>) -> JoinHandle<usize> {
    std::thread::spawn(move || {
        let mut told = 0;
        while !done.load(Ordering::Relaxed) {
            let mut stream = match TcpStream::connect_timeout(&to, Duration::from_secs(3)) {
                Ok(stream) => stream,
                Err(error) => {
                    let kind = error.kind();
                    assert!(matches!(kind, ErrorKind::ConnectionRefused | ErrorKind::TimedOut), "{error}");
                    return told;
                }
            };
            stream.set_read_timeout(Some(PATIENCE)).expect("a TCP socket");
            stream.write_all(&CR).expect("no reset");
            let mut answer = Vec::new();
            let mut octets = [0; 64];
            while answer.len() < CC.len() {
                match stream.read(&mut octets).expect("no reset") {
                    0 => break,
                    count => answer.extend_from_slice(&octets[..count]),
                }
            }
            match answer.as_slice() {
                answer if answer == DR_CONGESTION => told += 1,
                answer => assert!(answer.is_empty() || answer[5] == 0xd0, "neither CC nor DR: {answer:?}"),
            }
        }
        panic!("the gateway still takes connections");
    })
}

#[test]
fn busy_sessions_are_left_until_they_are_idle_and_aborted_at_the_deadline() {
    on_each_driver("drain of busy sessions", |driver| {
        let gateway = gateway(driver, "deadline = \"3s\"\nidle_for = \"300ms\"\n");
        let to = gateway.address("echo");
        let (mut idle, mut busy) = (Peer::session(to), Peer::session(to));
        gateway.terminate();
        let began = Instant::now();
        let finish = loop {
            busy.echo(b"always something to say");
            idle.stream().set_read_timeout(Some(Duration::from_millis(20))).expect("a TCP socket");
            let mut finish = [0; FINISH.len()];
            match idle.stream().read_exact(&mut finish) {
                Ok(()) => break finish,
                Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
            }
        };
        assert_eq!(finish, FINISH);
        idle.send(&data(&DN));
        // Goes on until AB comes in place of an answer.
        let last = loop {
            busy.send(&crate::octets::ssdu(b"more"));
            let tsdu = busy.tsdu();
            if tsdu[0] != 1 {
                break tsdu;
            }
        };
        assert_eq!(last[0], 0x19, "AB");
        drop(busy);
        let (status, log) = gateway.wait();
        assert!(status.success());
        for reason in ["released", "aborted_by_provider"] {
            log.wait_for(reason, |record| record["event_id"] == "CLQ-S01" && record["reason"] == reason);
        }
    });
}

#[test]
fn a_second_signal_aborts_at_once() {
    let gateway = gateway("mio", "deadline = \"600s\"\naction = \"wait\"\n");
    let mut peer = Peer::session(gateway.address("echo"));
    gateway.terminate();
    gateway.log.wait_for("drain", |record| record["event_id"] == "CLQ-G09");
    peer.echo(b"let be");
    gateway.terminate();
    assert_eq!(peer.tsdu()[0], 0x19, "AB");
    drop(peer);
    assert!(gateway.wait().0.success());
}
