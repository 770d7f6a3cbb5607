//! Both drivers send the same octets: recorded streams against an echo and a relay, each stream on io_uring and on mio.
//!
//! The streams are what hostile peers send (`hostile/cases`), what fuzzing has found worth keeping (`fuzz/corpus`) and
//! recorded MMS (`configs/*.hex`).

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::gateway::{Gateway, head};
use crate::octets::{CN, CR, FN, data, hex, ssdu};
use crate::peer::PATIENCE;
use crate::process::{free_address, root};
use crate::skip;

/// Silence after which a stream is taken for answered, and half-closed. What comes later is read all the same.
const QUIET: Duration = Duration::from_millis(150);
/// Streams at the same time.
const AT_ONCE: usize = 24;
/// CN with half duplex; and with TSDUs of at most 1024 octets.
const CN_HALF_DUPLEX: &str = "0d0f 0509 130100 160102 1a0100 14020001";
const CN_SIZED: &str = "0d12 050c 130100 1504 0400 0400 160102 14020002";

/// What one peer sends.
struct Stream {
    name: String,
    octets: Vec<u8>,
}

#[test]
fn both_drivers_answer_recorded_streams_octet_for_octet() {
    if !skip::io_uring_allowed("equality of both drivers") {
        return;
    }
    let streams = streams();
    assert!(streams.len() > 150, "{} streams", streams.len());
    for application in ["echo", "relay"] {
        let [mio, uring] = ["mio", "io_uring"].map(|driver| answers(driver, application, &streams));
        let mut answered = 0;
        for ((stream, on_mio), on_uring) in streams.iter().zip(mio).zip(uring) {
            assert!(
                on_mio == on_uring,
                "{application}, {}:\nmio      {on_mio:02x?}\nio_uring {on_uring:02x?}",
                stream.name
            );
            answered += usize::from(!on_mio.is_empty());
        }
        println!("{application}: {} streams, {answered} of them answered, no difference", streams.len());
        assert!(answered * 2 > streams.len());
    }
}

fn streams() -> Vec<Stream> {
    let mut streams = Vec::new();
    let transport = CR.to_vec();
    let session = |cn: &str| [&CR[..], &data(&hex(cn))].concat();
    let folder = root().join("tools/tests/hostile/cases");
    for (name, text) in files(&folder) {
        let text = String::from_utf8(text).expect("text");
        let mut stream: Option<Stream> = None;
        for line in text.lines().map(str::trim) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match (word, &mut stream) {
                ("==", _) => {
                    streams.extend(stream.take());
                    stream = Some(Stream { name: format!("{name}: {rest}"), octets: session(CN) });
                }
                ("after", Some(stream)) => {
                    stream.octets = match rest {
                        "network" => Vec::new(),
                        "transport" => transport.clone(),
                        "half-duplex" => session(CN_HALF_DUPLEX),
                        "sized" => session(CN_SIZED),
                        _ => session(CN),
                    };
                }
                (">", Some(stream)) => stream.octets.extend(hex(rest)),
                (">>", Some(stream)) => stream.octets.extend(data(&hex(rest))),
                _ => {}
            }
        }
        streams.extend(stream);
    }
    for (name, octets) in files(&root().join("fuzz/corpus/transport")) {
        streams.push(Stream { name: format!("transport/{name}"), octets });
    }
    for (name, octets) in files(&root().join("fuzz/corpus/spdu")) {
        if octets.len() < 60_000 {
            let octets = [session(CN), data(&octets)].concat();
            streams.push(Stream { name: format!("spdu/{name}"), octets });
        }
    }
    let recorded: Vec<Vec<u8>> = ["initiate", "identify", "release"]
        .map(|name| {
            let text =
                std::fs::read_to_string(root().join(format!("configs/mms-{name}.hex"))).expect("shipped");
            text.lines().flat_map(hex).collect()
        })
        .into();
    let all = recorded.iter().flat_map(|user_data| ssdu(user_data));
    streams.push(Stream {
        name: "recorded MMS".to_owned(),
        octets: session(CN).into_iter().chain(all).chain(data(&FN)).collect(),
    });
    streams
}

/// Names and octets of the files of a folder, in the order of their names.
fn files(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let entry = entry.expect("a folder of the tree");
            let octets = std::fs::read(entry.path()).expect("a file of the tree");
            (entry.file_name().to_string_lossy().into_owned(), octets)
        })
        .collect();
    files.sort();
    files
}

/// All that is sent back for each stream.
fn answers(driver: &str, application: &str, streams: &[Stream]) -> Vec<Vec<u8>> {
    let echo = free_address();
    let listener = "connect_timeout = \"2s\"\ntim = \"300ms\"\nconnections_not_established_max = 1000\n";
    let gateway = Gateway::start(&format!(
        "{}[[listener]]\nname = \"echo\"\naddress = \"{echo}\"\napplication = \"echo\"\n{listener}\
         [[listener]]\nname = \"relay\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\ntarget = \"echo\"\n{listener}\
         [[target]]\nname = \"echo\"\naddress = \"{echo}\"\nprofile = \"transparent\"\ntim = \"300ms\"\nconnect_timeout = \"1s\"\n\
         release_timeout = \"1s\"\n",
        head(driver, 2, "info")
    ));
    let to = gateway.address(application);
    let next = AtomicUsize::new(0);
    let mut answers: Vec<(usize, Vec<u8>)> = std::thread::scope(|scope| {
        let work = || {
            let mut answers = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(stream) = streams.get(number) else { return answers };
                answers.push((number, answer(to, stream)));
            }
        };
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no stream fails")).collect()
    });
    answers.sort();
    gateway.terminate();
    let (status, log) = gateway.wait();
    assert!(status.success(), "{driver}");
    log.finish();
    answers.into_iter().map(|(_, octets)| octets).collect()
}

fn answer(to: SocketAddr, stream: &Stream) -> Vec<u8> {
    let mut socket = TcpStream::connect(to).expect("the gateway accepts");
    // The gateway may have ended the connection before the last octet: then no more is taken.
    let _ = socket.write_all(&stream.octets);
    let mut octets = Vec::new();
    let mut patience = QUIET;
    loop {
        let mut some = [0; 16_384];
        socket.set_read_timeout(Some(patience)).expect("a TCP socket");
        match socket.read(&mut some) {
            Ok(0) => return octets,
            Ok(count) => octets.extend_from_slice(&some[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                assert!(patience == QUIET, "{}: the gateway does not end the connection", stream.name);
                patience = PATIENCE;
                let _ = socket.shutdown(Shutdown::Write);
            }
            Err(_) => return octets,
        }
    }
}
