//! Concatenated TSDUs of a peer made of octets, cut into TPDUs and receipts anywhere: what is in front of the data is
//! read, and the data are not copied.
//!
//! `COLLOQUY_SEED=n` runs that seed alone.

use std::time::Duration;

use colloquy_transport::buf::copies;
use colloquy_transport::driver::sim::Random;

use crate::pair::World;
use crate::raw::Raw;
use crate::recorder::Seen;
use crate::services::{Server, Talk, with_activities};
use crate::states::raw_talk;

crate::pair::on_real_drivers! {
    concatenated_tsdus_may_be_cut_anywhere,
}

const SEEDS: u64 = 60;

/// A parameter of a PGI or PI whose length may need three octets.
fn unit(code: u8, content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        short @ 0..255 => vec![short as u8],
        long => [&[255], &(long as u16).to_be_bytes()[..]].concat(),
    };
    [&[code], &length[..], content].concat()
}

/// What a TSDU tells, in order, in a few words.
struct Sent {
    octets: Vec<u8>,
    told: Vec<Seen>,
}

/// GT, perhaps with the major token; perhaps AS; MIP with user data; DT.
fn concatenated(random: &mut Random, start: bool, serial: u64) -> Sent {
    let body: Vec<u8> = (0..random.below(40_000)).map(|octet| octet as u8).collect();
    // Some stay within the head of a TSDU, some need it to be lengthened, some are longer than what is copied.
    let mark = vec![b'm'; [0, 5, 100, 254, 255, 490][random.below(6) as usize]];
    let tokens = random.below(2) == 0;
    let give = unit(1, if tokens { &[16, 1, 0x10] } else { &[] });
    let mut octets = give;
    let mut told = Vec::new();
    if start {
        let identifier = unit(41, b"A");
        octets.extend(unit(45, &[identifier, user_data(&mark)].concat()));
        told.push(Seen::Told("ActivityStart".into()));
    }
    let number = unit(42, serial.to_string().as_bytes());
    octets.extend(unit(49, &[number, user_data(&mark)].concat()));
    octets.extend([1, 0]);
    octets.extend(&body);
    told.extend([Seen::Data(body), Seen::Told("SyncMinor".into())]);
    if tokens {
        told.push(Seen::TokenGive);
    }
    Sent { octets, told }
}

fn user_data(mark: &[u8]) -> Vec<u8> {
    if mark.is_empty() { Vec::new() } else { unit(193, mark) }
}

/// The TSDU in DT TPDUs of random sizes.
fn tpdus(random: &mut Random, mut tsdu: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    while !tsdu.is_empty() {
        let most = [3, 90, 1000, 8000][random.below(4) as usize];
        let (now, later) = tsdu.split_at((1 + random.below(most) as usize).min(tsdu.len()));
        let octets = (now.len() as u16 + 7).to_be_bytes();
        let end = if later.is_empty() { 0x80 } else { 0 };
        stream.extend([3, 0, octets[0], octets[1], 2, 0xf0, end]);
        stream.extend(now);
        tsdu = later;
    }
    stream
}

fn concatenated_tsdus_may_be_cut_anywhere<W: World>() {
    let given = std::env::var("COLLOQUY_SEED").ok().map(|seed| seed.parse::<u64>().expect("a number"));
    let Some((mut raw, mut talk)) = raw_talk::<W>(with_activities(), Duration::from_secs(60)) else { return };
    let mut serial = 0;
    for seed in given.map_or(0..SEEDS, |seed| seed..seed + 1) {
        // Shown when the test fails.
        println!("COLLOQUY_SEED={seed}");
        let mut random = Random::new(seed);
        serial += 1;
        let sent = concatenated(&mut random, serial == 1, serial);
        let stream = tpdus(&mut random, &sent.octets);
        let copied = copies::of_this_thread().large_count;
        push(&mut raw, &mut talk, &mut random, &stream, sent.told.len());
        let seen = std::mem::take(&mut talk.pair.server.app_mut().seen);
        assert_eq!(seen.len(), sent.told.len(), "{seen:.500?}");
        for ((_, seen), told) in seen.iter().zip(&sent.told) {
            match (seen, told) {
                (Seen::Told(text), Seen::Told(kind)) => {
                    assert!(text.starts_with(kind), "{text} is no {kind}")
                }
                (seen, told) => assert!(seen == told, "{seen:.500?} is not {told:.500?}"),
            }
        }
        assert_eq!(copies::of_this_thread().large_count, copied, "copies of 2 KiB or more");
        if sent.told.contains(&Seen::TokenGive) {
            let tokens = colloquy_session::Tokens::MAJOR;
            talk.request(Server, colloquy_session::Request::TokenGive { tokens, user_data: &[] });
        }
    }
}

/// Sends a stream in pieces of random sizes, with turns of the shard in between.
fn push<W: World>(raw: &mut Raw, talk: &mut Talk<W>, random: &mut Random, mut stream: &[u8], told: usize) {
    while !stream.is_empty() {
        let most = [5, 200, 3000, 20_000][random.below(4) as usize];
        let (now, later) = stream.split_at((1 + random.below(most) as usize).min(stream.len()));
        raw.send(now);
        stream = later;
        talk.pair.server.turn(Some(Duration::from_millis(0))).unwrap();
        raw.until(&mut talk.pair, |_, _| true);
    }
    raw.until(&mut talk.pair, |_, pair| pair.server.app().seen.len() >= told);
}
