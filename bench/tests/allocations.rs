//! Memory: the generator allocates none for an SSDU that it sends and judges, in closed and open loops.
#![allow(clippy::unwrap_used)] // A test.

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use colloquy_bench::{DriverChoice, Go, LoadPlan, MinorConfirm, Mix, Mode, run};
use colloquy_session::{AcceptParameters, FunctionalUnits, Indication, SessionConfig};
use colloquy_shard::thread::{ThreadOptions, spawn};
use colloquy_shard::{
    Application, Context, Fault, ListenerConfig, SessionEnd, SessionId, Shard, ShardConfig, TransportAnswer,
};
use colloquy_transport::buf::Body;
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::Driver;
use colloquy_transport::driver::mio::{MioConfig, MioDriver};
use colloquy_transport::net::{ListenOptions, listen};

/// SSDUs of each session in the short and in the long run.
const SSDUS: [u64; 2] = [200, 3200];
/// What the longer run may allocate beyond the shorter one, by looks at its progress.
const BEYOND_MAX: u64 = 300;

/// Counts the allocations of the whole process: generator, responder and coordinator.
struct Counting;

static CALLS: AtomicU64 = AtomicU64::new(0);

#[allow(unsafe_code, reason = "the trait asks for it; a test is not in the budget of the tree")]
// SAFETY: every call goes to the system's allocator with the caller's own arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, octets: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(octets, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn an_ssdu_costs_no_allocation() {
    let (address, stop) = echo();
    // A point in the TSDU of its SSDU costs none either; by itself it does.
    let together = Mix {
        minor_sync_each: 1,
        minor_confirm: MinorConfirm::Optional,
        concatenate: true,
        ..Mix::default()
    };
    for driver in [DriverChoice::Mio, DriverChoice::Auto] {
        for (mode, rate_per_s, mix) in [
            (Mode::Closed, 0.0, Mix::default()),
            (Mode::Poisson, 20_000.0, Mix::default()),
            (Mode::Closed, 0.0, together),
        ] {
            let plan = LoadPlan {
                to: vec![address],
                sessions: 4,
                depth: 4,
                mode,
                rate_per_s,
                duration_ms: 60_000,
                driver,
                mix,
                ..LoadPlan::default()
            };
            let [short, long] = SSDUS.map(|ssdus| {
                let before = CALLS.load(Ordering::Relaxed);
                let plan = LoadPlan { ssdus_per_session_max: ssdus, ..plan.clone() };
                let report = run(&plan, &mut |_| Go::On).unwrap();
                assert!(report.is_clean(), "{:?} {:?}", report.counts, report.errors);
                assert_eq!(report.counts.answered, 4 * ssdus);
                CALLS.load(Ordering::Relaxed) - before
            });
            let beyond = long.saturating_sub(short);
            let ssdus = 4 * (SSDUS[1] - SSDUS[0]);
            assert!(
                beyond <= BEYOND_MAX,
                "{driver:?}, {mode:?}, {mix:?}: {beyond} allocations for {ssdus} SSDUs"
            );
        }
    }
    stop();
}

/// An echo that allocates nothing for an SSDU, and what ends it.
fn echo() -> (SocketAddr, impl FnOnce()) {
    let socket = listen(([127, 0, 0, 1], 0).into(), &ListenOptions::default()).unwrap();
    let address = socket.local_addr().unwrap();
    let build = move || {
        let mut shard = Shard::new(MioDriver::new(MioConfig::default())?, Echo, ShardConfig::default());
        let session = SessionConfig {
            functional_units: FunctionalUnits::DUPLEX | FunctionalUnits::MINOR_SYNC,
            extended_concatenation: true,
            ..SessionConfig::default()
        };
        shard.listen(socket, 0, ListenerConfig { session, ..ListenerConfig::default() })?;
        Ok(shard)
    };
    let shard = spawn(ThreadOptions::default(), build, drop).unwrap();
    (address, move || {
        shard.commander.send(()).unwrap();
        shard.join().unwrap();
    })
}

struct Echo;

impl Application for Echo {
    type Session = ();
    type Command = ();

    fn transport_connect<D: Driver>(
        &mut self,
        _: &mut Context<'_, D, Self>,
        _: SessionId,
        _: u32,
        _: SocketAddr,
        _: &ConnectTpdu,
    ) -> TransportAnswer {
        TransportAnswer::Accept
    }

    fn indication<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
        body: &Body,
    ) {
        match indication {
            Indication::Connect(connect) => {
                let requirements = connect.requirements;
                let accept = AcceptParameters { requirements, ..AcceptParameters::default() };
                ctx.connect_response(id, &accept).unwrap();
            }
            Indication::Data { enclosure, .. } => ctx.data_request_body(id, body, enclosure).unwrap(),
            Indication::Release { .. } => ctx.release_response(id, true, &[]).unwrap(),
            _ => {}
        }
    }

    fn writable<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId) {}
    fn timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId) {}
    fn ended<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId, _: SessionEnd) {}
    fn fault<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId, fault: Fault) {
        panic!("the generator broke the protocol: {fault:?}");
    }
    fn command<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, (): ()) {
        ctx.stop_listening();
        ctx.stop_when_empty();
    }
    fn shard_timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>) {}
}
