//! Nobody is reset by a drain: peers of every kind, whatever becomes of them, read to the end of their connection and would
//! see a reset as an error. Every session is counted once, by how it ended.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use crate::gateway::{Gateway, head};
use crate::octets::{AC, CN, CR, DN, FN_OF_GATEWAY, data, hex, ssdu, tpkt};
use crate::on_each_driver;
use crate::peer::{PATIENCE, Peer, show};

/// SI of FN.
const FINISH: u8 = 0x09;
/// SI of AB.
const ABORT: u8 = 0x19;
/// RF for want of room.
const REFUSED: u8 = 131;

/// What a peer was told, TSDU by TSDU, up to FIN.
type Told = Result<Vec<Vec<u8>>, String>;

fn gateway(driver: &str, action: &str, targets: &str) -> Gateway {
    let common = "tim = \"300ms\"\nrelease_timeout = \"1h\"\nconnect_timeout = \"1h\"\nconnections_not_established_max = 64\n";
    Gateway::start(&format!(
        "{}[drain]\naction = \"{action}\"\ndeadline = \"2s\"\nidle_for = \"100ms\"\nsessions_per_second = 1000\n\
         [[listener]]\nname = \"echo\"\naddress = \"127.0.0.1:0\"\napplication = \"echo\"\n{common}\
         [[listener]]\nname = \"sink\"\naddress = \"127.0.0.1:0\"\napplication = \"sink\"\n{common}\
         [[listener]]\nname = \"to-silent\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\ntarget = \"silent\"\n{common}\
         [[listener]]\nname = \"to-deaf\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\ntarget = \"deaf\"\n{common}\
         {targets}",
        head(driver, 2, "info")
    ))
}

fn target(name: &str, address: SocketAddr) -> String {
    format!(
        "[[target]]\nname = \"{name}\"\naddress = \"{address}\"\ntim = \"300ms\"\nrelease_timeout = \"1h\"\n\
         connect_timeout = \"30min\"\n"
    )
}

/// A session with whoever answers CN by AC.
fn session(to: SocketAddr) -> Peer {
    let mut peer = Peer::transport(to);
    peer.send(&data(&hex(CN)));
    assert_eq!(peer.tsdu()[0], 0x0e, "AC");
    peer
}

/// All TSDUs up to the end of the connection; an error where it does not end by FIN.
fn told(mut stream: TcpStream, answers: bool) -> Told {
    stream.set_read_timeout(Some(2 * PATIENCE)).expect("a TCP socket");
    let mut octets = Vec::new();
    let mut part = [0; 65536];
    let mut answered = false;
    loop {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(count) => octets.extend_from_slice(&part[..count]),
            Err(error) => return Err(format!("{error} after {}", show(&octets))),
        }
        if answers && !answered && octets.ends_with(&data(&FN_OF_GATEWAY)) {
            answered = true;
            stream.write_all(&data(&DN)).map_err(|error| format!("{error} for DN"))?;
        }
    }
    Ok(tsdus(&octets))
}

/// What is in them; an incomplete one at the end is left out.
fn tsdus(mut octets: &[u8]) -> Vec<Vec<u8>> {
    let mut tsdus = vec![Vec::new()];
    while let Some(length) =
        octets.get(2..4).map(|length| usize::from(length[0]) << 8 | usize::from(length[1]))
    {
        let Some((tpkt, rest)) = octets.split_at_checked(length) else { break };
        let end = tpkt.get(6) == Some(&0x80);
        tsdus.last_mut().expect("there is one").extend_from_slice(&tpkt[7..]);
        if end {
            tsdus.push(Vec::new());
        }
        octets = rest;
    }
    tsdus.pop();
    tsdus
}

fn listen_to(peer: &Peer, answers: bool) -> JoinHandle<Told> {
    let stream = peer.stream().try_clone().expect("a descriptor");
    std::thread::spawn(move || told(stream, answers))
}

/// Sends SSDUs as fast as they are taken, until it is told to stop; then FIN.
fn pump(peer: &Peer, stop: Receiver<()>) -> JoinHandle<()> {
    let mut stream = peer.stream().try_clone().expect("a descriptor");
    std::thread::spawn(move || {
        let octets = ssdu(&[0x5a; 8000]);
        while stop.try_recv().is_err() {
            stream.write_all(&octets).expect("the gateway goes on reading until FIN");
        }
        stream.shutdown(std::net::Shutdown::Write).expect("not reset");
    })
}

/// Reads up to AB, and tells the pump to stop; then to the end.
fn listen_and_stop(peer: &Peer, stop: Sender<()>) -> JoinHandle<Told> {
    let mut stream = peer.stream().try_clone().expect("a descriptor");
    std::thread::spawn(move || {
        stream.set_read_timeout(Some(2 * PATIENCE)).expect("a TCP socket");
        let mut octets = Vec::new();
        let mut part = [0; 4096];
        loop {
            match stream.read(&mut part) {
                Ok(0) => return Ok(tsdus(&octets)),
                Ok(count) => octets.extend_from_slice(&part[..count]),
                Err(error) => return Err(format!("{error} after {}", show(&octets))),
            }
            if tsdus(&octets).iter().any(|tsdu| tsdu[0] == ABORT) {
                // It may have been told before.
                let _ = stop.send(());
            }
        }
    })
}

/// A target that answers CR by CC, and CN as it is told to; then it reads nothing until it is asked for all that came.
fn target_by_hand(answer: Option<&'static str>) -> (SocketAddr, Sender<()>, JoinHandle<Told>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback binds");
    let address = listener.local_addr().expect("bound");
    let (go, gone) = channel();
    let work = move || {
        let (mut stream, _) = listener.accept().map_err(|error| error.to_string())?;
        let tpdu = |stream: &mut TcpStream| -> std::io::Result<Vec<u8>> {
            let mut header = [0; 4];
            stream.read_exact(&mut header)?;
            let mut tpdu = vec![0; usize::from(header[3]) - 4];
            stream.read_exact(&mut tpdu)?;
            Ok(tpdu)
        };
        let cr = tpdu(&mut stream).map_err(|error| error.to_string())?;
        stream
            .write_all(&tpkt(&[0x06, 0xd0, cr[4], cr[5], 0x47, 0x11, 0]))
            .map_err(|error| error.to_string())?;
        tpdu(&mut stream).map_err(|error| error.to_string())?;
        if let Some(answer) = answer {
            stream.write_all(&data(&hex(answer))).map_err(|error| error.to_string())?;
        }
        gone.recv().map_err(|error| error.to_string())?;
        told(stream, false)
    };
    (address, go, std::thread::spawn(work))
}

fn kinds(told: Told, who: &str) -> Vec<u8> {
    let tsdus = told.unwrap_or_else(|error| panic!("{who}: {error}"));
    tsdus.iter().map(|tsdu| tsdu[0]).filter(|si| *si != 1).collect()
}

fn nobody_is_reset(driver: &str, action: &str) {
    println!("{driver}, {action}");
    let (silent_at, let_silent_read, silent) = target_by_hand(None);
    let (deaf_at, let_deaf_read, deaf) = target_by_hand(Some(AC));
    let gateway = gateway(driver, action, &(target("silent", silent_at) + &target("deaf", deaf_at)));
    let echo = gateway.address("echo");
    // Before a session: nothing, half a CR, CR, half a CN, and a CN that waits for its target.
    let nothing = Peer::connect(echo);
    let mut half_cr = Peer::connect(echo);
    half_cr.send(&CR[..6]);
    let cr_only = Peer::transport(echo);
    let mut half_cn = Peer::transport(echo);
    half_cn.send(&tpkt(&[&[0x02, 0xf0, 0x00], &hex(CN)[..9]].concat()));
    let mut waiting = Peer::transport(gateway.address("to-silent"));
    waiting.send(&data(&hex(CN)));
    // Sessions: one that answers, one that does not, one in the middle of a TSDU, and two that send all the time, one of
    // them to a target that takes nothing.
    let (willing, mute) = (Peer::session(echo), Peer::session(echo));
    let mut halfway = Peer::session(echo);
    halfway.send(&[&tpkt(&[&[0x02, 0xf0, 0x00], &[1, 0, 1, 0, 9, 9][..]].concat())[..], &[3, 0, 0]].concat());
    let (sending, blocked) = (session(gateway.address("sink")), session(gateway.address("to-deaf")));
    gateway.wait_for_metric("colloquy_admitted_sessions{state=\"all\"}", 10.0);
    let (stop_sending, stopped) = channel();
    let (stop_blocked, blocked_stopped) = channel();
    let pumps = [pump(&sending, stopped), pump(&blocked, blocked_stopped)];
    let tellers = [
        (listen_to(&nothing, false), "nothing said"),
        (listen_to(&half_cr, false), "half a CR"),
        (listen_to(&cr_only, false), "CR"),
        (listen_to(&half_cn, false), "half a CN"),
        (listen_to(&waiting, false), "CN"),
        (listen_to(&willing, true), "answers"),
        (listen_to(&mute, false), "does not answer"),
        (listen_to(&halfway, false), "in a TSDU"),
        (listen_and_stop(&sending, stop_sending), "sends"),
        (listen_and_stop(&blocked, stop_blocked), "sends to one who does not read"),
    ];
    gateway.terminate();
    for (teller, who) in tellers {
        let told = teller.join().expect("no panic");
        if who == "CN" {
            let refused = told.expect("not reset");
            assert_eq!((refused[0][0], refused[0].last()), (0x0c, Some(&REFUSED)), "{refused:02x?}");
            continue;
        }
        let expected: &[u8] = match (who, action) {
            ("nothing said" | "half a CR" | "CR" | "half a CN", _) => &[],
            ("answers", "release") => &[FINISH],
            ("does not answer" | "in a TSDU", "release") => &[FINISH, ABORT],
            _ => &[ABORT],
        };
        assert_eq!(kinds(told, who), expected, "{who}");
    }
    pumps.into_iter().for_each(|pump| pump.join().expect("the gateway reads to the end"));
    // The targets learn it, too, whenever they look.
    for (go, target, who) in [(let_silent_read, silent, "silent"), (let_deaf_read, deaf, "deaf")] {
        go.send(()).expect("it waits");
        assert_eq!(kinds(target.join().expect("no panic"), who), [ABORT], "{who}");
    }
    drop((nothing, half_cr, cr_only, half_cn, waiting, willing, mute, halfway, sending, blocked));
    let (status, log) = gateway.wait();
    assert!(status.success());
    log.wait_for("ends", |record| record["event_id"] == "CLQ-S01");
}

#[test]
fn nobody_is_reset_by_a_drain_that_releases() {
    on_each_driver("gentle release", |driver| nobody_is_reset(driver, "release"));
}

#[test]
fn nobody_is_reset_by_a_drain_that_aborts() {
    on_each_driver("gentle abort", |driver| nobody_is_reset(driver, "abort"));
}

#[test]
fn nobody_is_reset_by_a_drain_that_waits() {
    on_each_driver("gentle wait", |driver| nobody_is_reset(driver, "wait"));
}

/// A second signal so soon that the listeners are still open.
#[test]
fn connections_without_a_session_are_closed_and_not_reset_by_a_second_signal() {
    on_each_driver("second signal", |driver| {
        let gateway = Gateway::start(&format!(
            "{}[drain]\ndeadline = \"600s\"\n[[listener]]\nname = \"echo\"\naddress = \"127.0.0.1:0\"\n\
             application = \"echo\"\n",
            head(driver, 2, "info")
        ));
        let echo = gateway.address("echo");
        let peers: Vec<Peer> = (0..8).map(|_| Peer::transport(echo)).collect();
        let tellers: Vec<_> = peers.iter().map(|peer| listen_to(peer, false)).collect();
        gateway.terminate();
        gateway.log.wait_for("drain", |record| record["event_id"] == "CLQ-G09");
        gateway.terminate();
        for teller in tellers {
            assert_eq!(kinds(teller.join().expect("no panic"), "CR"), [0; 0]);
        }
        drop(peers);
        assert!(gateway.wait().0.success());
    });
}

/// One answers FINISH, two do not until the deadline, one aborts: each is told of once.
#[test]
fn each_session_is_counted_once_by_how_it_ended() {
    on_each_driver("counts of a drain", |driver| {
        let gateway = Gateway::start(&format!(
            "{}[drain]\ndeadline = \"1s\"\nidle_for = \"50ms\"\n[[listener]]\nname = \"echo\"\naddress = \"127.0.0.1:0\"\n\
             application = \"echo\"\ntim = \"20s\"\nrelease_timeout = \"1h\"\n",
            head(driver, 2, "info")
        ));
        let echo = gateway.address("echo");
        let mut peers: Vec<Peer> = (0..4).map(|_| Peer::session(echo)).collect();
        let half_open = Peer::transport(echo);
        gateway.terminate();
        for peer in &mut peers {
            assert_eq!(peer.tsdu(), FN_OF_GATEWAY);
        }
        let mut aborting = peers.pop().expect("four");
        aborting.send(&data(&[ABORT, 3, 0x11, 1, 3]));
        aborting.half_close();
        aborting.receive_all();
        let mut willing = peers.pop().expect("three");
        willing.send(&data(&DN));
        willing.expect_last(&[]);
        drop(willing);
        for peer in &mut peers {
            assert_eq!(peer.tsdu()[0], ABORT);
        }
        // Those two have their time to disconnect, in which the gateway can be asked.
        for (by, count) in [("deadline", 2.0), ("release", 1.0), ("abort", 0.0), ("peer", 1.0)] {
            gateway.wait_for_metric(&format!("colloquy_drain_ended_sessions_total{{by=\"{by}\"}}"), count);
        }
        gateway.wait_for_metric("colloquy_drain_remaining_sessions", 2.0);
        drop((peers, half_open));
        assert!(gateway.wait().0.success());
    });
}
