//! What comes back is what was sent, in order, whatever its pieces.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use super::client::{AC_OCTETS, CC_OCTETS, CN, CR, PATIENCE, Random, connect, open, receive};
use super::{KINDS, RawKind, Running};

#[test]
fn hundreds_of_connections_get_back_what_they_sent() {
    for kind in KINDS {
        let mut random = Random::new("hundreds");
        let server = Running::start(kind, false);
        let clients: Vec<TcpStream> = (0..300).map(|_| open(server.address)).collect();
        for round in 0..8 {
            let chunks: Vec<Vec<u8>> = clients
                .iter()
                .map(|mut client| {
                    // Most are small; some need several receives, or straddle buffers.
                    let octets_max = if random.below(4) == 0 { 40_000 } else { 300 };
                    let octets = 1 + random.below(octets_max);
                    let chunk = random.octets(octets);
                    let cut = random.below(chunk.len());
                    client.write_all(&chunk[..cut]).unwrap();
                    client.write_all(&chunk[cut..]).unwrap();
                    chunk
                })
                .collect();
            for (client, chunk) in clients.iter().zip(&chunks) {
                assert!(receive(client, chunk.len()) == *chunk, "{kind:?}, round {round}");
            }
        }
        assert_eq!(server.handle.stats().accepted, 300);
        drop(clients);
        server.end();
    }
}

#[test]
fn with_plain_the_first_octet_is_echoed() {
    for kind in KINDS {
        let server = Running::start(kind, true);
        let mut client = connect(server.address);
        client.write_all(b"no opening").unwrap();
        assert_eq!(receive(&client, 10), b"no opening");
        let stats = server.end();
        assert_eq!(stats.octets, 10, "{kind:?}");
        assert!(stats.system_calls >= 2, "{stats:?}");
    }
}

#[test]
fn an_opening_may_come_octet_by_octet() {
    for kind in KINDS {
        let server = Running::start(kind, false);
        let mut client = connect(server.address);
        for octet in CR {
            client.write_all(&[*octet]).unwrap();
        }
        receive(&client, CC_OCTETS);
        for octet in CN {
            client.write_all(&[*octet]).unwrap();
        }
        receive(&client, AC_OCTETS);
        client.write_all(b"data").unwrap();
        assert_eq!(receive(&client, 4), b"data", "{kind:?}");
        server.end();
    }
}

#[test]
fn octets_on_the_heels_of_an_opening_are_echoed_behind_its_answer() {
    for kind in KINDS {
        let mut random = Random::new("heels");
        let server = Running::start(kind, false);
        let behind = random.octets(20_000);
        let mut client = connect(server.address);
        client.write_all(&[CR, CN, &behind].concat()).unwrap();
        assert_eq!(receive(&client, CC_OCTETS)[5], 0xd0);
        assert_eq!(receive(&client, AC_OCTETS)[7], 0x0e);
        assert!(receive(&client, behind.len()) == behind, "{kind:?}");
        server.end();
    }
}

/// One connection that writes far ahead of what it reads.
struct Flood {
    stream: TcpStream,
    random: Random,
    /// Sent and not come back.
    owed: VecDeque<u8>,
    left: usize,
    chunk: Vec<u8>,
}

impl Flood {
    /// Writes until all is written or the other end takes no more; true when it moved.
    fn write(&mut self) -> bool {
        let mut moved = false;
        while self.left > 0 {
            if self.chunk.is_empty() {
                let octets = (1 + self.random.below(100_000)).min(self.left);
                self.chunk = self.random.octets(octets);
            }
            match self.stream.write(&self.chunk) {
                Ok(octets) => {
                    self.owed.extend(self.chunk.drain(..octets));
                    self.left -= octets;
                    moved = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        moved
    }

    /// Reads a little.
    fn read(&mut self) -> bool {
        let mut octets = vec![0; 1 + self.random.below(30_000)];
        match self.stream.read(&mut octets) {
            Ok(0) => panic!("closed with {} owed", self.owed.len()),
            Ok(count) => {
                let (front, back) = self.owed.as_slices();
                let from_front = count.min(front.len());
                assert!(front[..from_front] == octets[..from_front], "other octets");
                assert!(back[..count - from_front] == octets[from_front..count], "other octets");
                self.owed.drain(..count);
                true
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn pipelines_of_slow_readers_come_back_whole() {
    for kind in KINDS {
        let server = Running::with_small_buffers(kind);
        let mut floods: Vec<Flood> = (0..12)
            .map(|_| {
                let stream = open(server.address);
                stream.set_nonblocking(true).unwrap();
                let random = Random::new("slow reader");
                Flood { stream, random, owed: VecDeque::new(), left: 2 << 20, chunk: Vec::new() }
            })
            .collect();
        let started = Instant::now();
        // Nobody reads before nobody can write, and nobody has been able to for a while.
        let mut stalled = 0;
        while stalled < 20 && floods.iter().any(|flood| flood.left > 0) {
            let moved =
                floods.iter_mut().filter(|flood| flood.left > 0).filter_map(|f| f.write().then_some(()));
            stalled = if moved.count() > 0 { 0 } else { stalled + 1 };
            // Polls until the server takes no more; the assertion below holds whenever that is.
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        while floods.iter().any(|flood| flood.left > 0 || !flood.owed.is_empty()) {
            let mut moved = false;
            for flood in &mut floods {
                moved |= flood.write();
                moved |= !flood.owed.is_empty() && flood.read();
            }
            assert!(started.elapsed() < PATIENCE, "{kind:?}: stuck");
            if !moved {
                std::thread::yield_now();
            }
        }
        let stats = server.end();
        // Nothing but octets that nobody takes keeps blocks for so long, so this is the wait for a block.
        assert_eq!(stats.blocks_exhausted > 0, kind == RawKind::IoUring, "{kind:?}: {stats:?}");
    }
}
