//! Memory: none is allocated for a data SPDU in the steady state, and an idle session holds little.
#![allow(clippy::unwrap_used, reason = "helpers of tests are test code")]

#[allow(unused, clippy::unwrap_used, reason = "helpers shared with the other test binary")]
#[path = "shard/pair.rs"]
mod pair;
#[allow(dead_code, clippy::unwrap_used, reason = "helpers shared with the other test binary")]
#[path = "shard/recorder.rs"]
mod recorder;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use colloquy_session::{ConnectParameters, Enclosure, FunctionalUnits, SerialNumber, SessionConfig};
use colloquy_shard::{ConnectTarget, ListenerConfig, SessionId, ShardConfig};
use colloquy_transport::buf::{Slice, copies};
use pair::{Pair, World};
use recorder::{Manners, Seen, TOGETHER, proposal, target};

pair::on_real_drivers! {
    echoing_allocates_nothing_and_copies_no_large_body,
    echoing_typed_data_allocates_nothing_and_copies_no_large_body,
    data_with_points_and_tokens_allocate_nothing_and_no_large_body_is_copied,
    an_idle_session_holds_less_than_a_kibibyte,
}

/// Counts what its thread allocates, so that tests beside each other do not disturb each other.
struct Counting;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static HELD: Cell<i64> = const { Cell::new(0) };
}

fn note(octets: i64) {
    // While a thread ends its counters may be gone.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + u64::from(octets > 0)));
    let _ = HELD.try_with(|held| held.set(held.get() + octets));
}

#[allow(unsafe_code, reason = "the trait asks for it; a test is not in the budget of the tree")]
// SAFETY: every call goes to the system's allocator with the caller's own arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as i64);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, octets: *mut u8, layout: Layout) {
        note(-(layout.size() as i64));
        // SAFETY: as above.
        unsafe { System.dealloc(octets, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Sends `depth` SSDUs on each session and has each echoed `rounds` times.
fn ping_pong<W: World>(pair: &mut Pair<W>, sessions: &[SessionId], body: &Slice, depth: u64, rounds: u64) {
    let app = pair.client.app_mut();
    app.reply = Some(body.clone());
    let typed = app.typed;
    app.replies_left = sessions.len() as u64 * depth * (rounds - 1);
    let wanted = app.data_count + sessions.len() as u64 * depth * rounds;
    pair.client.with(|_, ctx| {
        for &session in sessions {
            for _ in 0..depth {
                let one = std::slice::from_ref(body);
                match typed {
                    true => ctx.typed_data_request(session, one, Enclosure::WHOLE).unwrap(),
                    false => ctx.data_request(session, one, Enclosure::WHOLE).unwrap(),
                }
            }
        }
    });
    let deadline = Instant::now() + Duration::from_secs(60);
    while pair.client.app().data_count < wanted {
        pair.step();
        assert!(Instant::now() < deadline);
    }
}

fn echo_pair<W: World>(sessions: usize, typed: bool) -> Option<(Pair<W>, Vec<SessionId>)> {
    let server = Manners { echo: true, keep_data: false, ..Manners::default() };
    let client = Manners { keep_data: false, ..Manners::default() };
    let mut pair = Pair::<W>::with(server, client, ShardConfig::default(), listener())?;
    pair.server.app_mut().typed = typed;
    pair.client.app_mut().typed = typed;
    let sessions = (0..sessions).map(|_| established(&mut pair)).collect();
    Some((pair, sessions))
}

const UNITS: FunctionalUnits = FunctionalUnits::DUPLEX.union(FunctionalUnits::TYPED_DATA);

fn session() -> SessionConfig {
    SessionConfig { functional_units: UNITS, ..SessionConfig::default() }
}

fn listener() -> ListenerConfig {
    ListenerConfig { session: session(), ..ListenerConfig::default() }
}

/// A session that carries data and typed data.
fn established<W: World>(pair: &mut Pair<W>) -> SessionId {
    let connect = ConnectParameters { requirements: UNITS, ..proposal(b"hello") };
    let target = ConnectTarget { session: session(), ..target(pair.address, connect) };
    let id = pair.client.with(|_, ctx| ctx.connect(&target)).unwrap();
    pair.until(|pair| pair.client.app().of(id).contains(&Seen::Confirm));
    id
}

/// Windows after which a load that still allocates is held to do so for ever.
const WINDOWS_MAX: usize = 10;

fn echoing_allocates_nothing_and_copies_no_large_body<W: World>() {
    echoing::<W>(false);
}

fn echoing_typed_data_allocates_nothing_and_copies_no_large_body<W: World>() {
    echoing::<W>(true);
}

fn echoing<W: World>(typed: bool) {
    let loads =
        [(64, 1, 8), (256, 16, 8), (2048, 4, 8), (16 << 10, 1, 8), (16 << 10, 2, 8), (16 << 10, 8, 1)];
    for (octets, depth, sessions) in loads {
        let Some((mut pair, sessions)) = echo_pair::<W>(sessions, typed) else { return };
        let body = Slice::from_vec(vec![7; octets]);
        let rounds = 200;
        let copied = copies::of_this_thread().large_count;
        // Free lists and batches grow until they hold the most that this load ever needs at once, so the
        // first windows may allocate; one allocation an SPDU, or in a thousand, would show in every one.
        let clean = (0..WINDOWS_MAX).any(|window| {
            let calls = CALLS.get();
            ping_pong(&mut pair, &sessions, &body, depth, rounds);
            let allocations = CALLS.get() - calls;
            let spdus = rounds * depth * sessions.len() as u64 * 2;
            println!("{octets} octets, depth {depth}, window {window}: {allocations} in {spdus} SPDUs");
            allocations == 0
        });
        assert!(clean, "{octets} octets, depth {depth}: it never stops to allocate");
        let copied = copies::of_this_thread().large_count - copied;
        assert_eq!(copied, 0, "{octets} octets, depth {depth}: copies of 2 KiB or more");
    }
}

/// Half duplex, ping-pong: each SSDU goes with a minor point and the tokens that its answer needs.
fn data_with_points_and_tokens_allocate_nothing_and_no_large_body_is_copied<W: World>() {
    for extended_concatenation in [true, false] {
        for octets in [64, 2048, 16 << 10] {
            let Some((mut pair, session)) = together_pair::<W>(extended_concatenation) else { return };
            let body = Slice::from_vec(vec![7; octets]);
            pair.server.app_mut().reply = Some(body.clone());
            pair.client.app_mut().reply = Some(body);
            let rounds = 200;
            let copied = copies::of_this_thread().large_count;
            let clean = (0..WINDOWS_MAX).any(|_| {
                let calls = CALLS.get();
                exchange_together(&mut pair, session, rounds);
                CALLS.get() == calls
            });
            assert!(clean, "{octets} octets, extended: {extended_concatenation}: it never stops to allocate");
            let copied = copies::of_this_thread().large_count - copied;
            assert_eq!(copied, 0, "{octets} octets, extended: {extended_concatenation}: large copies");
            let (client, server) = (pair.client.tally(), pair.server.tally());
            assert_eq!(client.spdus_sync_in, client.spdus_data_in);
            assert_eq!(
                (client.spdus_token_in, client.spdus_token_out),
                (server.spdus_token_out, server.spdus_token_in)
            );
            // CN besides.
            let each = if extended_concatenation { 1 } else { 2 };
            assert_eq!(client.tsdus_out, 1 + each * client.spdus_data_out);
        }
    }
}

fn together_pair<W: World>(extended_concatenation: bool) -> Option<(Pair<W>, SessionId)> {
    let units = FunctionalUnits::HALF_DUPLEX | FunctionalUnits::MINOR_SYNC;
    let session =
        SessionConfig { functional_units: units, extended_concatenation, ..SessionConfig::default() };
    let listener = ListenerConfig { session, ..ListenerConfig::default() };
    let manners = Manners::default();
    let mut pair = Pair::<W>::with(manners, manners, ShardConfig::default(), listener)?;
    let connect = ConnectParameters {
        requirements: units,
        initial_serial_number: Some(SerialNumber(1)),
        ..proposal(b"hello")
    };
    let target = ConnectTarget { session, ..target(pair.address, connect) };
    let id = pair.client.with(|_, ctx| ctx.connect(&target)).unwrap();
    pair.until(|pair| pair.client.app().of(id).contains(&Seen::Confirm));
    pair.client.app_mut().together = true;
    pair.server.app_mut().together = true;
    Some((pair, id))
}

/// Sends `rounds` SSDUs each way, one at a time.
fn exchange_together<W: World>(pair: &mut Pair<W>, session: SessionId, rounds: u64) {
    pair.server.app_mut().replies_left = rounds;
    pair.client.app_mut().replies_left = rounds - 1;
    let wanted = pair.client.app().data_count + rounds;
    pair.client.with(|app, ctx| {
        let body = app.reply.as_slice();
        ctx.data_request_with(session, body, Enclosure::WHOLE, &TOGETHER).unwrap();
    });
    let deadline = Instant::now() + Duration::from_secs(60);
    // The tokens of the last answer come with it or behind it.
    while pair.client.app().data_count < wanted || pair.client.tally().spdus_token_in < wanted {
        pair.step();
        assert!(Instant::now() < deadline);
    }
    assert_eq!(pair.client.app().points, pair.client.app().data_count);
    assert_eq!(pair.server.app().points, pair.server.app().data_count);
}

fn an_idle_session_holds_less_than_a_kibibyte<W: World>() {
    const SESSIONS: usize = 200;
    let Some((mut pair, _)) = echo_pair::<W>(SESSIONS, false) else { return };
    pair.client.app_mut().seen = Vec::new();
    pair.server.app_mut().seen = Vec::new();
    let before = HELD.get();
    for _ in 0..SESSIONS {
        let id = pair.established().0;
        assert_eq!(pair.client.app().of(id), [Seen::Confirm]);
        pair.client.app_mut().seen = Vec::new();
        pair.server.app_mut().seen = Vec::new();
    }
    // Both ends are on this thread; vectors that double are counted at their full size.
    let octets = (HELD.get() - before) / (2 * SESSIONS as i64);
    println!("{octets} octets a session, the driver's included");
    assert!(octets <= 1024, "{octets} octets a session");
}
