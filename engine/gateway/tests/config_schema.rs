//! The JSON schema says the same as the code.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::path::{Path, PathBuf};

use colloquy_gateway::config::keys::all;
use colloquy_gateway::config::{check_str, reference_file, schema, schema_text};
use serde_json::Value;

fn configs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs")
}

/// What the schema finds wrong in a text.
fn faults(text: &str) -> Vec<String> {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let json = serde_json::to_value(table).unwrap();
    validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path)).collect()
}

#[test]
fn the_schema_in_configs_is_that_of_the_key_table() {
    let path = configs().join("gateway.schema.json");
    if std::env::var_os("COLLOQUY_BLESS").is_some() {
        fs::write(&path, schema_text()).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == schema_text(),
        "run with COLLOQUY_BLESS=1 if this is meant"
    );
}

#[test]
fn the_schema_is_a_schema_and_has_every_key_with_its_class() {
    let schema = schema();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    for key in all() {
        let at = match (key.section.name(), key.section.is_repeated()) {
            ("", _) => format!("/properties/{}", key.name),
            (section, true) => format!("/properties/{section}/items/properties/{}", key.name),
            (section, false) => format!("/properties/{section}/properties/{}", key.name),
        };
        let entry = schema.pointer(&at).unwrap_or_else(|| panic!("{at}"));
        assert_eq!(entry["x-reload"], key.reload.name(), "{at}");
        assert!(entry["description"].as_str().is_some_and(|text| text.len() > 5), "{at}");
        assert!(entry.get("default").is_some() != entry.get("examples").is_some(), "{at}");
        // The default must fit what the schema demands of the key.
        let value = entry.get("default").unwrap_or_else(|| &entry["examples"][0]);
        assert!(jsonschema::draft202012::is_valid(entry, value), "{at}: {value}");
    }
}

#[test]
fn every_gateway_file_in_configs_fits_the_schema_and_names_it() {
    let mut seen = 0;
    for entry in fs::read_dir(configs()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.ends_with(".toml") || name.starts_with("load") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(faults(&text), Vec::<String>::new(), "{name}");
        if name != "gateway.toml" {
            assert!(text.starts_with("#:schema gateway.schema.json\n"), "{name}");
        }
        seen += 1;
    }
    assert!(seen >= 10, "{seen} files");
}

/// Both refuse what is wrong by itself; what lies between keys is for the check alone.
#[test]
fn what_the_schema_refuses_the_check_refuses_too() {
    let good = reference_file();
    assert_eq!(faults(&good), Vec::<String>::new());
    let wrong = [
        ("driver = \"auto\"", "driver = \"uring\""),
        ("driver = \"auto\"", "drivers = \"auto\""),
        ("shards = 0", "shards = 257"),
        ("shards = 0", "shards = \"0\""),
        ("receive_blocks = 32", "receive_blocks = 33"),
        ("send_timeout = \"60s\"", "send_timeout = 60"),
        ("send_timeout = \"60s\"", "send_timeout = \"60 sec\""),
        ("name = \"mms\"", "name = \"m m s\""),
        ("address = \"127.0.0.1:10102\"", "address = \"localhost\""),
        ("application = \"relay\"", "application = \"proxy\""),
        ("versions = [1, 2]", "versions = []"),
        ("versions = [1, 2]", "versions = [3]"),
        ("# called_tsaps = [\"0x0001\"]", "called_tsaps = [1]"),
        ("# called_tsaps = [\"0x0001\"]", "called_tsaps = [\"0x001\"]"),
        ("tsdu_maximum_size = 0", "tsdu_maximum_size = 63"),
        ("pinned_octets_max = \"256KiB\"", "pinned_octets_max = \"256KB\""),
        ("admins = [\"uid:0\"]", "admins = [\"root\"]"),
        ("\n[drain]\n", "\n[drains]\n"),
    ];
    for (from, to) in wrong {
        assert!(good.contains(from), "{from}");
        let text = good.replacen(from, to, 1);
        assert!(!faults(&text).is_empty(), "the schema takes {to}");
        assert!(check_str("wrong.toml", &text).is_err(), "the check takes {to}");
    }
    let _: Value = serde_json::from_str(&schema_text()).unwrap();
}
