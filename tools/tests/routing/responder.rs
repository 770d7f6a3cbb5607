//! A target by hand: counts what comes, and answers as it is told to at the moment.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use crate::octets::{AC, DN, data, hex, tpkt};

/// What it does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manners {
    /// CC, AC, each SSDU back, DN.
    Accept,
    /// CC, then RF with this reason.
    Refuse(u8),
    /// DR.
    RefuseTransport,
    /// CC, and no answer to CN.
    Silent,
    /// Not even CC.
    Mute,
    /// CC, and octets that are no SPDU.
    Garbage,
    /// CC, and FIN in place of an answer to CN.
    HalfClose,
}

/// A listening target. Its port stays its own while it is deaf.
pub(crate) struct Responder {
    shared: Arc<Shared>,
    address: SocketAddr,
}

#[derive(Debug)]
struct Shared {
    manners: Mutex<Manners>,
    ended: AtomicBool,
    connections: AtomicUsize,
    /// Transport connections that are open and have brought no CN.
    waiting: AtomicUsize,
    sessions: AtomicUsize,
    /// Every CN TSDU, in order.
    connects: Mutex<Vec<Vec<u8>>>,
    /// Every CR TPDU, in order.
    requests: Mutex<Vec<Vec<u8>>>,
}

impl Responder {
    /// Listens on `address`, or on a port of the system's choice.
    pub(crate) fn listen(address: Option<SocketAddr>, manners: Manners) -> Responder {
        let address = address.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let listener = TcpListener::bind(address).expect("loopback binds");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::new(Shared {
            manners: Mutex::new(manners),
            ended: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            sessions: AtomicUsize::new(0),
            connects: Mutex::default(),
            requests: Mutex::default(),
        });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if own.ended.load(SeqCst) {
                    return;
                }
                own.connections.fetch_add(1, SeqCst);
                let own = Arc::clone(&own);
                std::thread::spawn(move || serve(&own, stream));
            }
        });
        Responder { shared, address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn set(&self, manners: Manners) {
        *self.shared.manners.lock().expect("no thread panics") = manners;
    }

    /// TCP connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(SeqCst)
    }

    /// Transport connections without a session, now.
    pub(crate) fn waiting(&self) -> usize {
        self.shared.waiting.load(SeqCst)
    }

    /// Sessions accepted so far.
    pub(crate) fn sessions(&self) -> usize {
        self.shared.sessions.load(SeqCst)
    }

    /// Every CN so far.
    pub(crate) fn connects(&self) -> Vec<Vec<u8>> {
        self.shared.connects.lock().expect("no thread panics").clone()
    }

    /// Every CR so far.
    pub(crate) fn requests(&self) -> Vec<Vec<u8>> {
        self.shared.requests.lock().expect("no thread panics").clone()
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.shared.ended.store(true, SeqCst);
        // Wakes the thread, which drops the listener.
        let _ = TcpStream::connect(self.address);
    }
}

/// One connection, to its end.
fn serve(shared: &Shared, mut stream: TcpStream) {
    let manners = *shared.manners.lock().expect("no thread panics");
    let Some(cr) = tpdu(&mut stream) else { return };
    if cr.get(1) != Some(&0xe0) {
        return;
    }
    shared.requests.lock().expect("no thread panics").push(cr.clone());
    let answer = match manners {
        Manners::Mute => return wait_for_end(&mut stream),
        Manners::RefuseTransport => tpkt(&[0x06, 0x80, cr[4], cr[5], 0, 0, 1]),
        _ => tpkt(&[0x06, 0xd0, cr[4], cr[5], 0x47, 0x11, 0x00]),
    };
    if stream.write_all(&answer).is_err() || manners == Manners::RefuseTransport {
        return wait_for_end(&mut stream);
    }
    shared.waiting.fetch_add(1, SeqCst);
    let connect = tpdu(&mut stream);
    shared.waiting.fetch_sub(1, SeqCst);
    let Some(connect) = connect.filter(|tpdu| tpdu.get(3) == Some(&0x0d)) else { return };
    shared.connects.lock().expect("no thread panics").push(connect[3..].to_vec());
    match manners {
        Manners::Refuse(reason) => {
            let _ = stream.write_all(&data(&[0x0c, 0x03, 0x32, 0x01, reason]));
            wait_for_end(&mut stream);
        }
        Manners::Garbage => {
            let _ = stream.write_all(&data(&[0xff, 0xfe, 0x00, 0x11]));
            wait_for_end(&mut stream);
        }
        Manners::HalfClose => {
            let _ = stream.shutdown(std::net::Shutdown::Write);
            wait_for_end(&mut stream);
        }
        Manners::Accept => {
            shared.sessions.fetch_add(1, SeqCst);
            let _ = stream.write_all(&data(&hex(AC)));
            while let Some(tpdu) = tpdu(&mut stream) {
                let answer = if tpdu.get(3) == Some(&0x09) { data(&DN) } else { tpkt(&tpdu) };
                if stream.write_all(&answer).is_err() {
                    return;
                }
            }
        }
        _ => wait_for_end(&mut stream),
    }
}

/// The next TPDU; `None` at the end of the connection.
fn tpdu(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).ok()?;
    let mut tpdu = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]])).checked_sub(4)?];
    stream.read_exact(&mut tpdu).ok()?;
    Some(tpdu)
}

fn wait_for_end(stream: &mut TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}
