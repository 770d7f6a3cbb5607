//! Which configuration is in effect and how its last reload ended: the same in status, metrics and on the page.

use std::process::Command;

use crate::gateway::Gateway;
use crate::peer::Peer;

/// What `cat FILE... | sha256sum` prints.
fn hash(files: &[&std::path::Path]) -> String {
    let octets: Vec<u8> = files.iter().flat_map(|file| std::fs::read(file).expect("it is there")).collect();
    let whole = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(whole.path(), octets).expect("writable");
    let output = Command::new("sha256sum").arg(whole.path()).output().expect("sha256sum runs");
    let text = String::from_utf8(output.stdout).expect("text");
    text.split_once(' ').expect("a hash and a name").0.to_owned()
}

#[test]
fn the_hash_is_that_of_the_files_and_a_refused_reload_is_told() {
    let (gateway, echo, _) = Gateway::echo_and_relay("mio", 1);
    let main = gateway.socket().with_file_name("gateway.toml");
    let check = |hash: &str, successful: f64| {
        assert_eq!(gateway.metric("colloquy_config_info", &[("hash", hash)]), 1.0);
        assert_eq!(gateway.metric("colloquy_config_last_reload_successful", &[]), successful);
        let status = gateway.status();
        assert_eq!(status["config"]["sha256"], hash, "{status}");
        let page = gateway.get("/").body;
        assert!(page.contains(&format!("<span id=\"hash\">{}</span>", &hash[..12])), "{page}");
        (status["config"].clone(), page)
    };
    let (config, page) = check(&hash(&[&main]), 1.0);
    assert!(config["last_reload"].is_null() && page.contains("id=\"reload\" class=\"\">none<"), "{config}");
    let loaded = gateway.metric("colloquy_config_last_reload_success_timestamp_seconds", &[]);

    let more = main.with_file_name("conf.d").join("more.toml");
    std::fs::create_dir(more.with_file_name("")).expect("a folder");
    std::fs::write(&more, "[limits]\nsource_sessions_max = 4711\n").expect("writable");
    assert!(gateway.colloquy(&["reload"]).status().expect("it runs").success());
    let both = hash(&[&main, &more]);
    let (config, page) = check(&both, 1.0);
    assert_eq!(config["files"].as_array().map(Vec::len), Some(2), "{config}");
    assert_eq!(config["last_reload"]["outcome"], "applied");
    assert!(page.contains("id=\"reload\" class=\"\">applied 20"), "{page}");
    assert!(gateway.metric("colloquy_config_last_reload_success_timestamp_seconds", &[]) > loaded);

    std::fs::write(&more, "[limits]\nsource_sessions_max = 4711\ncolour = \"red\"\nshape = 1\n")
        .expect("writable");
    assert!(!gateway.colloquy(&["reload"]).status().expect("it runs").success());
    let (config, page) = check(&both, 0.0);
    let last = &config["last_reload"];
    let reason = last["reason"].as_str().expect("why");
    assert_eq!(last["outcome"], "refused");
    assert!(
        reason.contains("more.toml:3") && reason.contains("colour") && reason.contains("1 more"),
        "{reason}"
    );
    assert!(page.contains("id=\"reload\" class=\"bad\">refused 20") && page.contains("colour"), "{page}");
    Peer::session(echo).release();
    gateway.wait_until_idle();
    let log = gateway.end();
    log.wait_for("the refusal", |record| record["event_id"] == "CLQ-G07" && record["faults"] == 2);
}
