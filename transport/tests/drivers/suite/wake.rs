//! What ends a wait.

use std::time::{Duration, Instant};

use colloquy_transport::driver::{Completion, Driver};

use super::{Bed, Ends, Size, batch_of};

pub fn a_waker_wakes_from_another_thread<B: Bed>(bed: B) {
    let mut driver = bed.driver(Size::default());
    let mut completions = Vec::new();
    for _ in 0..20 {
        let waker = driver.waker();
        let thread = std::thread::spawn(move || waker.wake());
        driver.wait(None, &mut completions).unwrap();
        assert!(matches!(completions[..], [Completion::Woken]), "{completions:?}");
        completions.clear();
        thread.join().unwrap();
    }
}

pub fn a_wake_before_the_wait_is_not_lost<B: Bed>(bed: B) {
    let mut driver = bed.driver(Size::default());
    let mut completions = Vec::new();
    let waker = driver.waker();
    for _ in 0..3 {
        waker.wake_by_ref();
        driver.waker().wake();
        driver.wait(None, &mut completions).unwrap();
        assert!(matches!(completions[..], [Completion::Woken, ..]), "{completions:?}");
        while !completions.is_empty() {
            completions.clear();
            driver.wait(Some(Duration::ZERO), &mut completions).unwrap();
        }
    }
    drop(driver);
    // A waker may outlive its driver.
    waker.wake();
}

pub fn a_timeout_is_honoured<B: Bed>(bed: B) {
    let mut driver = bed.driver(Size::default());
    let mut completions = Vec::new();
    driver.wait(Some(Duration::ZERO), &mut completions).unwrap();
    for timeout in [1, 20, 50].map(Duration::from_millis) {
        let before = driver.now();
        driver.wait(Some(timeout), &mut completions).unwrap();
        let passed = driver.now() - before;
        assert!(completions.is_empty(), "{completions:?}");
        assert!(passed >= timeout, "{passed:?} of {timeout:?}");
        assert!(passed < Duration::from_secs(20), "{passed:?} of {timeout:?}");
    }
}

pub fn a_poll_returns_at_once<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    ends.pair();
    ends.until_quiet();
    let mut completions = Vec::new();
    let start = Instant::now();
    for _ in 0..1000 {
        ends.near.driver.wait(Some(Duration::ZERO), &mut completions).unwrap();
    }
    assert!(completions.is_empty());
    assert!(start.elapsed() < Duration::from_secs(10));
    ends.finish();
}

pub fn what_is_due_ends_a_wait<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near, far) = ends.pair();
    let mut completions = Vec::new();
    ends.near.driver.send(near, batch_of(b"ping"));
    ends.near.driver.wait(None, &mut completions).unwrap();
    assert!(matches!(completions[..], [Completion::Sent(id, _)] if id == near), "{completions:?}");
    completions.clear();
    // The other driver sleeps without a limit and is woken by the octets.
    ends.far.driver.wait(None, &mut completions).unwrap();
    assert!(matches!(completions[..], [Completion::Received(id, _)] if id == far), "{completions:?}");
}
