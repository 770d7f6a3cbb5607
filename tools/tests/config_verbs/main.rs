//! The verbs around a configuration, run as an operator runs them: check, print-config, schema, completions, man.
#![allow(clippy::unwrap_used)] // A test.

mod bad_files;
mod certificates;
mod machine;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const PROFILES: [&str; 7] =
    ["default", "latency", "throughput", "many-idle", "container", "lab", "relay-mms"];

fn colloquy(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_colloquy")).args(arguments).env("NO_COLOR", "1").output().unwrap()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

fn configs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs")
}

/// A folder with a copy of the IEC 62351 profile and certificates that end after so many days.
fn iec62351(days: i64) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("iec62351.toml");
    let profile = fs::read_to_string(configs().join("iec62351.toml")).unwrap();
    // The folders of the unit are not on every machine that tests run on.
    let profile = profile.replace("/run/colloquy/", "").replace("/var/log/colloquy/", "");
    fs::write(&config, profile).unwrap();
    certificates::write(&folder.path().join("tls"), days);
    let config = config.to_str().unwrap().to_owned();
    (folder, config)
}

/// Story 1: a key that is wrong is named with file, line and column, and with what may have been meant.
#[test]
fn a_bad_key_is_told_with_its_place_and_a_suggestion() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ten-lines.toml");
    let config = fs::read_to_string(configs().join("relay-mms.toml")).unwrap();
    fs::write(&path, config.replace("target = \"server\"", "traget = \"server\"")).unwrap();
    let output = colloquy(&["check", path.to_str().unwrap()]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("ten-lines.toml:10:1"), "{said}");
    assert!(said.contains("did you mean `target`?"), "{said}");
    assert!(output.stdout.is_empty());
    // The gateway says the same and does not start.
    let started = colloquy(&["gateway", path.to_str().unwrap()]);
    assert_eq!(started.status.code(), Some(2));
    assert!(text(&started.stderr).contains("ten-lines.toml:10:1"));
}

#[test]
fn every_profile_is_good() {
    for name in PROFILES {
        let path = configs().join(format!("{name}.toml"));
        let output = colloquy(&["check", path.to_str().unwrap()]);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{name}: {said}");
        assert!(said.contains(": good: "), "{name}: {said}");
    }
}

#[test]
fn the_iec62351_profile_is_good_with_certificates_and_told_what_is_missing_without() {
    let (folder, config) = iec62351(365);
    let output = colloquy(&["check", "--strict", &config]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    fs::remove_dir_all(folder.path().join("tls")).unwrap();
    let output = colloquy(&["check", &config]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for file in ["gateway.pem", "gateway.key", "authority.pem", "authority.crl"] {
        assert!(said.contains(file), "{file}: {said}");
    }
    assert_eq!(said.matches("error[CLQ-C10]").count(), 4, "{said}");
    // Other faults do not hide them.
    let text_of = fs::read_to_string(&config).unwrap();
    fs::write(&config, text_of.replacen("application = ", "aplication = ", 1)).unwrap();
    let output = colloquy(&["check", &config]);
    let said = text(&output.stderr);
    assert!(said.contains("did you mean `application`?"), "{said}");
    assert_eq!(said.matches("error[CLQ-C10]").count(), 4, "{said}");
}

#[test]
fn certificates_that_end_are_told() {
    let (_folder, config) = iec62351(-1);
    let output = colloquy(&["check", &config]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("has expired on"), "{}", text(&output.stderr));

    let (_folder, config) = iec62351(10);
    let output = colloquy(&["check", &config]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("warning[CLQ-C10]") && said.contains("expires on"), "{said}");
    assert_eq!(colloquy(&["check", "--strict", &config]).status.code(), Some(2));
}

#[test]
fn a_key_that_is_open_or_anothers_is_refused() {
    let (folder, config) = iec62351(365);
    let tls = folder.path().join("tls");
    let own = fs::read_to_string(tls.join("gateway.key")).unwrap();
    certificates::write_key(&tls, &own, 0o644);
    let output = colloquy(&["check", &config]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("mode 644"), "{}", text(&output.stderr));

    certificates::write_key(&tls, &certificates::strange_key(), 0o600);
    let output = colloquy(&["check", &config]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("tls[0].key:") && said.contains("is the private key of another certificate"),
        "{said}"
    );

    certificates::write_key(
        &tls,
        "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n",
        0o600,
    );
    assert_eq!(colloquy(&["check", &config]).status.code(), Some(2));
}

/// Every fault of every file, each at its own place, in one run.
#[test]
fn files_of_conf_d_are_read_and_their_faults_are_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("gateway.toml");
    fs::copy(configs().join("relay-mms.toml"), &main).unwrap();
    let further = folder.path().join("conf.d");
    fs::create_dir(&further).unwrap();
    fs::write(further.join("10-more.toml"), "[[target]]\nname = \"more\"\naddress = \"127.0.0.1:11103\"\n")
        .unwrap();
    fs::write(further.join("20-admin.toml"), "[admin]\naddress = \"127.0.0.1:10999\"\n").unwrap();
    fs::write(
        further.join("30-bad.toml"),
        "[[route]]\nname = \"r\"\ntarget = \"mroe\"\n[log]\nlevel = \"loud\"\n",
    )
    .unwrap();
    let main = main.to_str().unwrap();
    let output = colloquy(&["check", main]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("20-admin.toml:2:11") && said.contains("gateway.toml:18:11"), "{said}");
    assert!(said.contains("30-bad.toml:3:10") && said.contains("did you mean \"more\"?"), "{said}");
    assert!(said.contains("30-bad.toml:5:9"), "{said}");

    fs::remove_file(further.join("20-admin.toml")).unwrap();
    fs::remove_file(further.join("30-bad.toml")).unwrap();
    let output = colloquy(&["check", main]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("1 listener, 0 routes, 2 targets"));
    assert!(text(&output.stderr).contains("nothing uses target \"more\""), "a warning does not refuse");
}

#[test]
fn check_speaks_json() {
    let output =
        colloquy(&["check", "--json", configs().join("gateway.toml").to_str().unwrap(), "no-such.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let reports: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(reports[0]["good"], true);
    assert_eq!(reports[0]["files"][0]["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(reports[1]["good"], false);
    assert_eq!(reports[1]["found"][0]["id"], "CLQ-C12");
    assert_eq!(reports[1]["found"][0]["severity"], "fault");
}

#[test]
fn a_folder_that_is_missing_and_memory_that_does_not_suffice_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    let config = "schema_version = 1\n[engine]\nshards = 256\nreceive_blocks = 32768\nreceive_block_octets = 1048576\n\
                  [[listener]]\nname = \"e\"\naddress = \"127.0.0.1:10102\"\napplication = \"echo\"\n\
                  [admin]\ncontrol_socket = \"no/such/folder/control.sock\"\n";
    fs::write(&path, config).unwrap();
    let output = colloquy(&["check", path.to_str().unwrap()]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("there is no folder") && said.contains("no/such/folder"), "{said}");
    assert!(said.contains("of memory each"), "{said}");
    assert!(!folder.path().join("no").exists(), "check makes nothing");
}

/// What is printed is a configuration that comes to the same, and says where each value is from.
#[test]
fn print_config_prints_what_counts_and_where_it_is_from() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("gateway.toml");
    fs::copy(configs().join("relay-mms.toml"), &main).unwrap();
    fs::create_dir(folder.path().join("conf.d")).unwrap();
    fs::write(folder.path().join("conf.d/a.toml"), "[log]\n\nlevel = \"debug\"\n").unwrap();
    let printed = colloquy(&["print-config", main.to_str().unwrap()]);
    assert_eq!(printed.status.code(), Some(0));
    let printed = text(&printed.stdout);
    let level = printed.lines().find(|line| line.starts_with("level = ")).unwrap();
    assert!(level.starts_with("level = \"debug\"") && level.ends_with("a.toml:3"), "{level}");
    let shards = printed.lines().find(|line| line.starts_with("shards = ")).unwrap();
    assert!(shards.ends_with("# default"), "{shards}");
    assert!(printed.contains("# called_tsaps is absent"));
    let again = tempfile::tempdir().unwrap();
    let copy = again.path().join("copy.toml");
    fs::write(&copy, &printed).unwrap();
    let reprinted = text(&colloquy(&["print-config", copy.to_str().unwrap()]).stdout);
    let values = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split(" # ").next().unwrap().trim_end().to_owned()).collect()
    };
    assert_eq!(values(&printed), values(&reprinted));

    let json = colloquy(&["print-config", "--json", main.to_str().unwrap()]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let settings = json["settings"].as_array().unwrap();
    let level = settings.iter().find(|setting| setting["key"] == "level").unwrap();
    assert_eq!((&level["line"], &level["value"]), (&Value::from(3), &Value::from("\"debug\"")));
    assert_eq!(level["reload"], "live");
}

#[test]
fn schema_completions_and_manual_pages_come_out() {
    let schema = colloquy(&["schema"]);
    assert_eq!(text(&schema.stdout), fs::read_to_string(configs().join("gateway.schema.json")).unwrap());
    for shell in ["bash", "zsh", "fish"] {
        let output = colloquy(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("print-config"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    assert_eq!(colloquy(&["man", pages.to_str().unwrap()]).status.code(), Some(0));
    for page in ["colloquy.1", "colloquy-check.1", "colloquy-gateway.1"] {
        assert!(fs::read_to_string(pages.join(page)).unwrap().contains(".TH"), "{page}");
    }
}

/// A gateway that starts in spite of a warning says so in its log.
#[test]
fn a_gateway_logs_the_warnings_of_its_configuration() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    let config = "schema_version = 1\n[engine]\ndriver = \"mio\"\nshards = 1\n[[listener]]\nname = \"e\"\n\
                  address = \"127.0.0.1:0\"\napplication = \"echo\"\n\
                  [[target]]\nname = \"spare\"\naddress = \"127.0.0.1:9\"\n";
    fs::write(&path, config).unwrap();
    let mut gateway = Command::new(env!("CARGO_BIN_EXE_colloquy"))
        .args(["gateway", path.to_str().unwrap()])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(gateway.stderr.take().unwrap()).lines().map_while(Result::ok);
    // The log ends with the gateway: it is stopped at the line that says that it runs.
    let seen: Vec<String> = lines.take_while(|line| !line.contains("CLQ-G01")).collect();
    gateway.kill().unwrap();
    gateway.wait().unwrap();
    let warned = seen.iter().any(|line| line.contains("CLQ-C09") && line.contains("gateway.toml:10:8"));
    assert!(warned, "{seen:#?}");
}
