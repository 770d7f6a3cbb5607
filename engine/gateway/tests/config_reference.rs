//! The files in `configs/` hold to the code.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::path::{Path, PathBuf};

use colloquy_gateway::config::keys::{Absence, Section, all};
use colloquy_gateway::config::{
    AdminConfig, Config, DrainConfig, DriverChoice, EngineConfig, ListenerApplication, ListenerConfig,
    LogConfig, Profile, TargetConfig, check_str, reference_file,
};

fn configs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs")
}

fn read(name: &str) -> Config {
    let text = fs::read_to_string(configs().join(name)).unwrap();
    check_str(name, &text).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

#[test]
fn gateway_toml_is_the_reference_file_of_the_key_table() {
    let path = configs().join("gateway.toml");
    if std::env::var_os("COLLOQUY_BLESS").is_some() {
        fs::write(&path, reference_file()).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, reference_file(), "run with COLLOQUY_BLESS=1 if this is meant");
}

/// The file shows the defaults: writing them out or leaving them out is the same.
#[test]
fn gateway_toml_has_the_defaults_of_the_code() {
    let mut written = read("gateway.toml");
    assert_eq!(written.engine, EngineConfig::default());
    assert_eq!(written.log, LogConfig::default());
    assert_eq!(written.drain, DrainConfig::default());
    assert_eq!(written.admin, AdminConfig::default());
    let listener = written.listeners.remove(0);
    assert_eq!(
        listener,
        ListenerConfig::new("mms", listener.address, ListenerApplication::Relay { target: 0 })
    );
    let target = written.targets.remove(0);
    assert_eq!(target, TargetConfig::new("server", target.address));
}

/// Uncommenting every example leaves a file without faults, but for keys of which only one may be there.
#[test]
fn every_example_of_gateway_toml_is_valid() {
    let text: String = reference_file()
        .lines()
        .map(|line| {
            let is_key = |key: &&str| line.starts_with(&format!("# {key} = "));
            let named = all().map(|key| key.name).any(|key| is_key(&key));
            format!("{}\n", if named || line.starts_with("# [[") { &line[2..] } else { line })
        })
        .collect();
    let text = text
        .replacen("proxy_protocol = \"off\"", "proxy_protocol = \"required\"", 1)
        .replacen("listeners = [\"mms\"]\n", "\n", 1)
        .replacen("upstream = \"servers\"\n", "\n", 1)
        .replacen("refuse = 129\n", "\n", 1);
    let (head, route) = text.split_once("[[route]]").unwrap();
    let text = format!("{head}[[route]]{}", route.replacen("target = \"server\"\n", "\n", 1));
    let config = check_str("uncommented.toml", &text).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    assert!(config.admin.address.is_some());
    assert_eq!(config.listeners[0].called_ssaps.as_ref().map(Vec::len), Some(2));
    assert_eq!(config.targets[0].called_tsap.unwrap().as_octets(), [0, 1]);
}

#[test]
fn every_key_is_documented_and_unique() {
    for (index, key) in all().enumerate() {
        assert!(!key.doc.is_empty(), "{}", key.name);
        let again = all().take(index).any(|other| other.section == key.section && other.name == key.name);
        assert!(!again, "{} is in the table twice", key.name);
    }
    for section in Section::ALL {
        assert!(section.keys().count() > 0);
    }
    let without_default = all().filter(|key| matches!(key.default, Absence::Required(_))).count();
    assert_eq!(without_default, 15);
}

#[test]
fn the_small_examples_are_valid() {
    let relay = read("relay-mms.toml");
    assert_eq!(relay.listeners[0].application, ListenerApplication::Relay { target: 0 });
    assert_eq!(relay.targets[0].profile, Profile::Mms);
    assert!(relay.admin.address.is_some());
    let echo = read("echo.toml");
    assert_eq!(echo.listeners[0].application, ListenerApplication::Echo);
}

/// What a profile is about is what its file sets.
#[test]
fn the_profiles_are_what_their_names_say() {
    let default = read("default.toml");
    assert_eq!(default.engine, EngineConfig::default());
    let latency = read("latency.toml").engine;
    assert!(latency.busy_poll > default.engine.busy_poll && latency.pin_cores);
    assert!(latency.completions_per_turn_max < default.engine.completions_per_turn_max);
    let throughput = read("throughput.toml").engine;
    assert!(throughput.send_batch_octets_max > default.engine.send_batch_octets_max);
    assert!(throughput.send_high_mark_octets > default.engine.send_high_mark_octets);
    let profile = read("many-idle.toml");
    let many_idle = &profile.engine;
    let pool_octets = |engine: &EngineConfig| engine.receive_blocks * engine.receive_block_octets;
    assert!(pool_octets(many_idle) * 4 <= pool_octets(&default.engine));
    let listener = profile.listeners[0].sessions_max;
    assert!(listener >= 100_000, "many");
    assert!(many_idle.shards * many_idle.sessions_max >= 2 * listener, "a connection on each side");
    let in_time = u64::from(profile.drain.sessions_per_second) * profile.drain.deadline.as_secs();
    assert!(in_time >= listener as u64, "a drain ends them all");
    assert_eq!(many_idle.driver, DriverChoice::IoUring);
    let container = read("container.toml");
    assert_eq!((container.engine.driver, container.engine.shards), (DriverChoice::Mio, 1));
    for name in ["default", "latency", "throughput", "many-idle", "container"] {
        let config = read(&format!("{name}.toml"));
        assert_eq!(config.listeners[0].application, ListenerApplication::Relay { target: 0 }, "{name}");
        assert!(config.admin.address.is_some(), "{name}");
    }
}

/// A driver that could not report more than it was asked for would stall.
#[test]
fn completions_must_have_room_for_submissions() {
    let text = reference_file().replace("completion_entries = 8192", "completion_entries = 512");
    let diagnostics = check_str("queues.toml", &text).unwrap_err().to_string();
    assert!(diagnostics.contains("512 is less than submission_entries = 1024"), "{diagnostics}");
}
