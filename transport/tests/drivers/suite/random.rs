//! Everything at once, from a seed.

use colloquy_transport::buf::PoolConfig;
use colloquy_transport::driver::{Close, ConnectionId, Driver};

use super::pool::check_held;
use super::{Bed, End, Ends, Kind, Size, batch_of, pattern};

/// One connection of a random schedule, seen from both ends.
struct Link {
    near: ConnectionId,
    far: ConnectionId,
    /// Octets handed to `send` by near and by far.
    sent: [usize; 2],
    /// Octets checked at near and at far.
    checked: [usize; 2],
    /// An end aborted: what was sent may be lost.
    aborted: bool,
    closed: [bool; 2],
}

pub fn random_schedules_keep_the_contract<B: Bed>(bed: B) {
    let seed = std::env::var("COLLOQUY_SEED").map_or_else(|_| entropy(), |seed| seed.parse().unwrap());
    println!("COLLOQUY_SEED={seed}");
    let mut random = Random(seed | 1);
    let size = Size { pool: PoolConfig { block_count: 6, block_octets: 16 << 10 }, ..Size::default() };
    let mut ends = Ends::sized(bed, size, size);
    // Slices are held between checks, so that the small pools run dry.
    ends.near.hold = true;
    ends.far.hold = true;
    let mut links = Vec::new();
    for _ in 0..2_000 {
        step(&mut ends, &mut links, &mut random);
    }
    wind_up(&mut ends, &mut links);
    ends.finish();
}

/// One random act and one look at both drivers.
fn step<B: Bed>(ends: &mut Ends<B>, links: &mut Vec<Link>, random: &mut Random) {
    if links.len() < 12 && random.below(8) == 0 {
        let (near, far) = ends.pair();
        links.push(Link { near, far, sent: [0; 2], checked: [0; 2], aborted: false, closed: [false; 2] });
    }
    if !links.is_empty() {
        let index = random.below(links.len());
        let link = &mut links[index];
        match random.below(2) {
            0 => act(&mut ends.near, link.near, 0, link, random),
            _ => act(&mut ends.far, link.far, 1, link, random),
        }
    }
    if random.below(4) == 0 {
        for link in links.iter_mut() {
            check::<B>(&mut ends.near, &mut ends.far, link);
        }
        links
            .retain(|link| !(ends.near.has(link.near, Kind::Closed) && ends.far.has(link.far, Kind::Closed)));
    }
    ends.near.wait(std::time::Duration::ZERO);
    ends.far.wait(std::time::Duration::ZERO);
}

fn act<D: Driver>(end: &mut End<D>, id: ConnectionId, side: usize, link: &mut Link, random: &mut Random) {
    match random.below(40) {
        0 if !link.closed[side] => {
            link.closed[side] = true;
            end.close(id, Close::Graceful);
        }
        1 if !link.closed[side] => {
            link.closed[side] = true;
            link.aborted = true;
            end.close(id, Close::Abort);
        }
        2..6 => end.pause(id),
        6..16 => end.resume(id),
        16..28 if !end.is_sending(id) && !link.closed[side] => {
            let count_max = [10, 3_000, 60_000][random.below(3)];
            let count = 1 + random.below(count_max);
            end.send(id, batch_of(&pattern(link.sent[side], count)));
            link.sent[side] += count;
        }
        _ => {}
    }
}

/// Compares what both ends received with what was sent, and releases it.
fn check<B: Bed>(near: &mut End<B::Driver>, far: &mut End<B::Driver>, link: &mut Link) {
    check_held(near, link.near, &mut link.checked[0]);
    check_held(far, link.far, &mut link.checked[1]);
    assert!(link.checked[0] <= link.sent[1] && link.checked[1] <= link.sent[0], "more than was sent");
    let failed = near.has(link.near, Kind::Failed) || far.has(link.far, Kind::Failed);
    assert!(!failed || link.aborted, "failed, and nobody aborted");
}

/// Lets everything run out: what was sent to an end that did not close must arrive.
fn wind_up<B: Bed>(ends: &mut Ends<B>, links: &mut [Link]) {
    for link in links.iter() {
        ends.near.resume(link.near);
        ends.far.resume(link.far);
    }
    ends.until("everything ends", |near, far| {
        for link in links.iter_mut() {
            check::<B>(near, far, link);
            let arrived = [0, 1].map(|side| link.closed[side] || link.checked[side] == link.sent[1 - side]);
            if link.aborted || arrived == [true, true] {
                if !std::mem::replace(&mut link.closed[0], true) {
                    near.close(link.near, Close::Graceful);
                }
                if !std::mem::replace(&mut link.closed[1], true) {
                    far.close(link.far, Close::Graceful);
                }
            }
        }
        near.is_settled() && far.is_settled()
    });
}

/// xorshift64*: enough to vary schedules, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % bound
    }
}

fn entropy() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}
