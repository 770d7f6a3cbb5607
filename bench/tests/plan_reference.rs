//! `configs/load.toml` lists every key with its default.

use std::time::Duration;

use colloquy_bench::LoadPlan;
use colloquy_bench::steps::{Ramp, Step};

const FILE: &str = include_str!("../../configs/load.toml");

#[test]
fn the_reference_file_holds_the_defaults() {
    let plan: LoadPlan = toml::from_str(FILE).unwrap();
    let to = plan.to.clone();
    assert_eq!(plan, LoadPlan { to, ..LoadPlan::default() });
    plan.validate().unwrap();
}

#[test]
fn the_reference_file_names_every_key() {
    let plan = LoadPlan {
        connect_user_data_file: Some("a".into()),
        payload_file: Some("b".into()),
        release_user_data_file: Some("c".into()),
        step: vec![Step {
            ramp: Some(Ramp::Linear),
            name: Some("d".into()),
            ..Step::at(1.0, Duration::from_millis(1))
        }],
        ..LoadPlan::default()
    };
    let keys = toml::Table::try_from(&plan).unwrap();
    assert!(keys.len() > 20);
    let mix = keys["mix"].as_table().unwrap();
    assert!(mix.len() > 10 && FILE.contains("\n[mix]\n"));
    let step = keys["step"][0].as_table().unwrap();
    assert!(step.len() == 4 && FILE.contains("\n# [[step]]\n"));
    let own = keys.keys().filter(|key| !["mix", "step"].contains(&key.as_str()));
    for key in own.chain(mix.keys()).chain(step.keys()) {
        let listed = FILE.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} =")));
        assert!(listed, "{key} is not in configs/load.toml");
    }
}
