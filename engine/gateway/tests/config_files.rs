//! A configuration of several files: merged, with faults that name their own file, compared and kept.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::path::Path;

use colloquy_gateway::config::keys::Reload;
use colloquy_gateway::config::{
    Change, FaultKind, ListenerApplication, diff, keep_restart_keys, load, load_str, split_changes,
};
use tempfile::TempDir;

const MAIN: &str = "schema_version = 1\n[[listener]]\nname = \"l\"\naddress = \"127.0.0.1:0\"\napplication = \
                    \"relay\"\ntarget = \"a\"\n[[target]]\nname = \"a\"\naddress = \"127.0.0.1:1\"\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("conf.d")).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn main_of(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("gateway.toml")
}

#[test]
fn files_of_the_folder_are_merged_in_the_order_of_their_names() {
    let folder = folder(&[
        ("gateway.toml", MAIN),
        ("conf.d/20.toml", "[[target]]\nname = \"c\"\naddress = \"127.0.0.1:3\"\n[log]\nformat = \"json\"\n"),
        ("conf.d/10.toml", "[[target]]\nname = \"b\"\naddress = \"127.0.0.1:2\"\n[log]\nlevel = \"debug\"\n"),
        ("conf.d/15.toml.off", "nonsense"),
        ("conf.d/.hidden.toml", "nonsense"),
    ]);
    let loaded = load(&main_of(&folder)).unwrap_or_else(|faults| panic!("{faults}"));
    let names: Vec<&str> = loaded.config.targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(loaded.config.log.level, tracing::Level::DEBUG);
    assert_eq!(loaded.config.log.format, colloquy_gateway::config::LogFormat::Json);
    let files: Vec<_> = loaded.files.iter().map(|file| file.path.file_name().unwrap().to_owned()).collect();
    assert_eq!(files, ["gateway.toml", "10.toml", "20.toml"]);
    assert!(loaded.files.iter().all(|file| file.sha256.len() == 64));
    assert_ne!(loaded.files[0].sha256, loaded.files[1].sha256);
}

#[test]
fn faults_name_their_own_file_and_a_key_given_twice_both_places() {
    let folder = folder(&[
        ("gateway.toml", &format!("{MAIN}[log]\nlevel = \"info\"\n")),
        (
            "conf.d/10.toml",
            "[log]\n# ß\n  level = \"debug\"\n[[target]]\nname = \"b\"\nadress = \"127.0.0.1:2\"\n",
        ),
    ]);
    let faults = load(&main_of(&folder)).unwrap_err();
    let seen: Vec<_> = faults
        .faults()
        .map(|fault| {
            let file = Path::new(&fault.place.file).file_name().unwrap().to_str().unwrap().to_owned();
            (file, fault.line(), fault.column(), fault.key.clone(), fault.kind)
        })
        .collect();
    let fault = |line, column, key: &str, kind| ("10.toml".to_owned(), line, column, key.to_owned(), kind);
    assert_eq!(
        seen,
        [
            fault(3, 11, "log.level", FaultKind::Duplicate),
            fault(4, 1, "target[1].address", FaultKind::MissingKey),
            fault(6, 1, "target[1].adress", FaultKind::UnknownKey),
        ]
    );
    let other = faults.all()[0].other.as_ref().unwrap();
    assert!(other.file.ends_with("gateway.toml"));
    assert_eq!((other.line, other.column), (11, 9));
    let text = faults.to_string();
    assert!(text.contains("10.toml:3:11") && text.contains("gateway.toml:11:9"), "{text}");
}

#[test]
fn a_file_that_is_not_there_is_a_fault_and_the_only_one() {
    let faults = load(Path::new("no/such/file.toml")).unwrap_err();
    assert_eq!(faults.faults().map(|fault| fault.kind).collect::<Vec<_>>(), [FaultKind::File]);
    assert!(faults.to_string().contains("no/such/file.toml: No such file"), "{faults}");
}

#[test]
fn paths_are_relative_to_the_file_they_stand_in() {
    let folder = folder(&[
        ("gateway.toml", &format!("{MAIN}[admin]\ncontrol_socket = \"control.sock\"\n")),
        ("conf.d/tls.toml", "[admin]\naudit_file = \"audit.jsonl\"\n"),
    ]);
    let config = load(&main_of(&folder)).unwrap_or_else(|faults| panic!("{faults}")).config;
    assert_eq!(config.admin.control_socket, Some(folder.path().join("control.sock")));
    assert_eq!(config.admin.audit_file, Some(folder.path().join("conf.d/audit.jsonl")));
}

fn text(change: impl Fn(&str) -> String) -> colloquy_gateway::config::Loaded {
    load_str("x.toml", &change(MAIN)).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn a_difference_is_told_by_name_and_class() {
    let old = text(str::to_owned);
    let new = text(|main| {
        "[engine]\nshards = 2\n".to_owned().replace("[engine]", "schema_version = 1\n[engine]")
            + &main.replace("schema_version = 1\n", "").replace("127.0.0.1:1\"", "127.0.0.1:9\"")
            + "[[target]]\nname = \"b\"\naddress = \"127.0.0.1:2\"\n[log]\nlevel = \"debug\"\n"
    });
    let changes: Vec<_> = diff(&old, &new)
        .into_iter()
        .map(|change| (change.key, change.old, change.new, change.class))
        .collect();
    let change = |key: &str, old: &str, new: &str, class| (key.into(), old.into(), new.into(), class);
    assert_eq!(
        changes,
        [
            change("engine.shards", "0", "2", Reload::Restart),
            change("target[a].address", "\"127.0.0.1:1\"", "\"127.0.0.1:9\"", Reload::NewSessions),
            change("target[b]", "absent", "{ name = \"b\", address = \"127.0.0.1:2\" }", Reload::NewSessions),
            change("log.level", "\"info\"", "\"debug\"", Reload::Live),
        ]
    );
    assert_eq!(diff(&old, &old), []);
}

#[test]
fn what_needs_a_restart_stays_as_it_runs() {
    let running = text(str::to_owned);
    let next = text(|main| {
        main.replace("name = \"l\"", "name = \"m\"").replace("\"a\"", "\"b\"")
            + "[engine]\nshards = 2\nssdu_octets_max = 2048\n"
    });
    let kept = keep_restart_keys(&running, next.clone());
    assert_eq!(kept.config.engine.shards, 0);
    assert_eq!(kept.config.engine.ssdu_octets_max, 2048);
    let names: Vec<&str> = kept.config.listeners.iter().map(|listener| listener.name.as_str()).collect();
    assert_eq!(names, ["l"], "the added listener waits, the removed one goes on");
    let ListenerApplication::Relay { target } = kept.config.listeners[0].application else { panic!() };
    assert_eq!(kept.config.targets[target].name, "a", "with the target that it names");
    assert!(kept.config.targets.iter().any(|target| target.name == "b"));
    let waiting: Vec<_> = diff(&kept, &next).into_iter().map(|change| change.key).collect();
    assert_eq!(waiting, ["engine.shards", "listener[l]", "listener[m]", "target[a]"]);
}

/// What is reported as done is what was done: marks that do not fit the pool that runs wait with it.
#[test]
fn what_waits_with_something_else_is_told_as_waiting() {
    let running = text(str::to_owned);
    let next = text(|main| {
        format!(
            "{main}[engine]\nreceive_blocks = 64\nsend_high_mark_octets = \"3MiB\"\n[log]\nlevel = \"warn\"\n"
        )
    });
    let wanted = diff(&running, &next);
    let kept = keep_restart_keys(&running, next);
    assert_eq!(kept.config.engine, running.config.engine);
    let (applied, waiting) = split_changes(wanted, &diff(&running, &kept));
    let keys = |changes: &[Change]| -> Vec<(String, Reload)> {
        changes.iter().map(|change| (change.key.clone(), change.class)).collect()
    };
    assert_eq!(keys(&applied), [("log.level".to_owned(), Reload::Live)]);
    let restart = |key: &str| (key.to_owned(), Reload::Restart);
    assert_eq!(keys(&waiting), [restart("engine.receive_blocks"), restart("engine.send_high_mark_octets")]);
}

/// A listener keeps its TLS until the restart; who is bound to which selectors must not be forgotten meanwhile.
#[test]
fn bindings_stay_with_the_tls_table_that_a_listener_keeps() {
    let secured = |main: &str| {
        main.replacen("name = \"l\"\n", "name = \"l\"\ntls = \"s\"\n", 1)
            + "[[tls]]\nname = \"s\"\ncertificate = \"c\"\nkey = \"k\"\nauthorities = [\"a\"]\n\
               [[binding]]\ntls = \"s\"\ncertificate = \"dns:x\"\ncalling_tsaps = [\"0x01\"]\n"
    };
    let kept = keep_restart_keys(&text(secured), text(str::to_owned));
    assert_eq!(kept.config.listeners[0].tls, Some(0));
    let bound: Vec<usize> = kept.config.bindings.iter().map(|binding| binding.tls).collect();
    assert_eq!(bound, [0]);
    // Where the table stays in the file, its bindings are what the file says.
    let freed = text(|main| {
        let all = secured(main);
        all[..all.find("[[binding]]").unwrap()].to_owned()
    });
    assert!(keep_restart_keys(&text(secured), freed).config.bindings.is_empty());
}
