//! A shard on a thread of its own, driven by commands and read through its counters.

use std::io;
use std::time::{Duration, Instant};

use colloquy_shard::thread::{ThreadOptions, spawn};
use colloquy_shard::{CommandError, Shard, ShardConfig, pin};

use crate::pair::{Mio, World};
use crate::recorder::{Manners, Recorder, Seen};

#[test]
fn a_thread_takes_commands_counts_and_gives_its_application_back() {
    let options = ThreadOptions { name: "shard-test".into(), core: pin::cores().first().copied() };
    let build = || {
        let app = Recorder { stop_on_command: Some(2), ..Recorder::new(Manners::default()) };
        Ok(Shard::new(Mio.driver(1), app, ShardConfig::default()))
    };
    let thread =
        spawn(options, build, |app: Recorder| app.count(|seen| matches!(seen, Seen::Command(_)))).unwrap();
    assert_eq!(thread.pinned, pin::cores().first().copied());
    let commander = thread.commander.clone();
    for command in 0..=2 {
        commander.send(command).unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    while !thread.is_finished() {
        assert!(Instant::now() < deadline, "the shard does not stop");
        std::thread::yield_now();
    }
    let tally = thread.counters.snapshot();
    assert_eq!(tally.commands, 3);
    assert!(tally.turns > 0);
    assert_ne!(Some(tally.thread_id), pin::thread_id(), "it has a thread of its own");
    assert_eq!(thread.join().unwrap(), 3);
    assert_eq!(commander.send(9), Err(CommandError::Ended(9)));
}

#[test]
fn what_cannot_be_built_is_told_to_who_spawns() {
    let build = || -> io::Result<Shard<<Mio as World>::Driver, Recorder>> { Err(io::Error::other("no")) };
    let error = spawn(ThreadOptions::default(), build, drop).unwrap_err();
    assert_eq!(error.to_string(), "no");
}

#[test]
fn a_full_command_ring_hands_the_command_back() {
    let config = ShardConfig { commands_max: 2, ..ShardConfig::default() };
    let mut shard = Shard::new(Mio.driver(1), Recorder::default(), config);
    let commander = shard.commander();
    commander.send(1).unwrap();
    commander.send(2).unwrap();
    assert_eq!(commander.send(3), Err(CommandError::Full(3)));
    shard.turn(Some(Duration::from_secs(10))).unwrap();
    assert_eq!(shard.app().seen.len(), 2);
    commander.send(3).unwrap();
}
