//! The timer wheel of a shard with ten thousand armed timers.

use std::hint::black_box;
use std::time::Duration;

use colloquy_shard::wheel::Wheel;

use super::Kernel;
use crate::recorder::thread_cpu;

/// Timers that are armed all the time: those of a shard's sessions.
const ARMED: u32 = 10_000;
/// Ticks until they would run out: a connect time-out.
const AHEAD: u64 = 10_000;

/// Armed, moved, cancelled.
pub const ARM_CANCEL: Kernel = Kernel {
    id: "wheel-arm-cancel",
    what: "a timer armed and cancelled among 10 000 others",
    run: arm_cancel,
};

/// Armed and run out.
pub const ARM_EXPIRE: Kernel = Kernel {
    id: "wheel-arm-expire",
    what: "a timer armed up to 1000 ticks ahead and run out, among 10 000 others, cascades and empty ticks included",
    run: arm_expire,
};

fn armed() -> Wheel {
    let mut wheel = Wheel::new();
    for index in 0..ARMED {
        wheel.arm(index, AHEAD + u64::from(index) % 4096);
    }
    wheel
}

fn arm_cancel(iterations: u64) -> Duration {
    let mut wheel = armed();
    let begin = thread_cpu();
    for number in 0..iterations {
        let index = ARMED + (number % 512) as u32;
        wheel.arm(black_box(index), AHEAD + number % 4096);
        wheel.cancel(index);
    }
    let elapsed = thread_cpu() - begin;
    assert_eq!(wheel.armed_count(), ARMED as usize, "what was armed was cancelled");
    elapsed
}

fn arm_expire(iterations: u64) -> Duration {
    let mut wheel = armed();
    let mut now = 0;
    let mut expired = 0;
    let begin = thread_cpu();
    for number in 0..iterations {
        wheel.arm((number % u64::from(ARMED)) as u32, now + 1 + number * 7 % 1000);
        now += number % 2;
        while let Some(index) = wheel.expire(now) {
            expired += 1;
            black_box(index);
        }
    }
    let elapsed = thread_cpu() - begin;
    assert!(expired > 0 || iterations < 2000, "time passed and nothing ran out");
    elapsed
}
