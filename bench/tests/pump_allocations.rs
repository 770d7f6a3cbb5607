//! Memory: the pump allocates none between the edges of a window.
#![allow(clippy::unwrap_used)] // A test.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use colloquy_bench::pump::{Exchange, Observer, Pace, Pump, PumpPlan, Window};

/// Counts the allocations of the whole process.
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

/// Allocations at the edges.
struct Between(u64, u64);

impl Observer for Between {
    fn begins(&mut self) {
        self.0 = CALLS.load(Ordering::Relaxed);
    }

    fn ends(&mut self) {
        self.1 = CALLS.load(Ordering::Relaxed);
    }
}

#[test]
fn an_exchange_costs_no_allocation() {
    const CONNECTIONS: usize = 3;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = vec![listener.local_addr().unwrap()];
    let server = thread::spawn(move || {
        for stream in listener.incoming().take(2 * CONNECTIONS) {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    if stream.write_all(&buffer[..count]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    for octets in [64, 20_000] {
        let plan = PumpPlan {
            connections: CONNECTIONS,
            active: CONNECTIONS,
            ..PumpPlan::new(to.clone(), Exchange::plain(octets))
        };
        let mut pump = Pump::open(&plan).unwrap();
        for pace in [
            Pace::Closed { depth: 1 },
            Pace::Closed { depth: 16 },
            Pace::Open { rate_per_s: 2000.0, poisson: true, seed: 5 },
        ] {
            let window =
                Window { pace, warm_up: Duration::from_millis(50), measured: Duration::from_millis(200) };
            let mut between = Between(0, 0);
            let report = pump.run(&window, &mut between).unwrap();
            assert!(report.answered > 0, "{report:?}");
            assert_eq!(between.1 - between.0, 0, "{octets} octets, {pace:?}: {} answers", report.answered);
        }
    }
    server.join().unwrap();
}
