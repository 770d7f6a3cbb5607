//! Tests of thresholds: their grammar, and their verdict on a record made up for it.

use std::time::Duration;

use super::*;
use crate::environment::Environment;
use crate::operation::Operation;
use crate::plan::{LoadPlan, Mode, PlanError};
use crate::recorder::Recorder;
use crate::report::RunFacts;
use crate::steps::Step;

fn parse(text: &str) -> Threshold {
    text.parse().unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn a_threshold_is_a_metric_a_comparison_and_a_number() {
    for (text, comparison, bound, name) in [
        ("p99_response_ms < 2", Comparison::Below, 2.0, "p99_response_ms"),
        ("p99.9_service_us<=1_500.5", Comparison::AtMost, 1500.5, "p99.9_service_us"),
        ("max_connect_s > 0", Comparison::Above, 0.0, "max_connect_s"),
        (" ssdu_per_s >= 10_000 ", Comparison::AtLeast, 10_000.0, "ssdu_per_s"),
        ("lost = 0", Comparison::Equal, 0.0, "lost"),
        ("lost == 0", Comparison::Equal, 0.0, "lost"),
        ("minor_sync_completed != 0", Comparison::Different, 0.0, "minor_sync_completed"),
        ("p99_minor_sync_ms < 5", Comparison::Below, 5.0, "p99_minor_sync_ms"),
        // The latency may stand in front too.
        ("lateness_p99_us < 5e3", Comparison::Below, 5000.0, "p99_lateness_us"),
        ("minor_sync_p50_ms < 5", Comparison::Below, 5.0, "p50_minor_sync_ms"),
        ("mean_token_turn_ms < 5", Comparison::Below, 5.0, "mean_token_turn_ms"),
    ] {
        let threshold = parse(text);
        assert_eq!((threshold.comparison, threshold.bound), (comparison, bound), "{text}");
        assert_eq!(threshold.metric.to_string(), name, "{text}");
        assert_eq!(threshold.to_string(), text.trim());
        assert_eq!(threshold.scope, Scope::Run);
    }
    assert_eq!(parse("peak: lost = 0").scope, Scope::Step("peak".into()));
    assert_eq!(parse("each step: lost = 0").scope, Scope::EachStep);
}

#[test]
fn what_is_no_threshold_is_refused_with_what_is_wrong() {
    for (text, fault) in [
        ("p99_response_ms", "no comparison"),
        ("p99_response_ms ! 2", "comparisons are"),
        ("p99_response_ms < 2ms", "`2ms` is no number"),
        ("p99_response_ms < inf", "no finite number"),
        ("p100_response_ms < 2", "no metric `p100_response_ms`"),
        ("p0_response_ms < 2", "no metric"),
        ("pNaN_response_ms < 2", "no metric"),
        ("p99_response < 2", "no metric"),
        ("p99_abort_ms < 2", "no metric"),
        ("p99_responce_ms < 2", "no metric"),
        ("peak: errors = 0", "errors is measured over the whole run"),
        ("1: p99_connect_ms < 2", "p99_connect_ms is measured over the whole run"),
    ] {
        let error = text.parse::<Threshold>().unwrap_err();
        assert!(error.contains(fault), "{text}: {error}");
    }
    let listed = "p99_responce_ms < 2".parse::<Threshold>().unwrap_err();
    for name in ["minor_sync", "ssdu_per_s", "lateness", "cpu_share"] {
        assert!(listed.contains(name), "{listed}");
    }
}

#[test]
fn every_listed_number_is_a_metric_under_its_name() {
    for (name, ..) in metric::SCALARS {
        assert_eq!(name.parse::<Metric>().unwrap().to_string(), name);
    }
    for operation in Operation::ALL {
        let name = format!("{}_lost", operation.name());
        assert_eq!(name.parse::<Metric>().unwrap().to_string(), name);
    }
}

/// A run of two steps of a second: 100 requests answered in 1 ms each, then 100 in 10 ms each, one more lost.
fn report(thresholds: &[&str]) -> Report {
    let step = |name: &str| Step { name: Some(name.into()), ..Step::at(100.0, Duration::from_secs(1)) };
    let plan = LoadPlan {
        to: vec![([127, 0, 0, 1], 1).into()],
        mode: Mode::Constant,
        step: vec![step("calm"), step("peak")],
        thresholds: thresholds.iter().map(|text| parse(text)).collect(),
        ..LoadPlan::default()
    };
    plan.validate().unwrap();
    let mut recorder = Recorder::default();
    recorder.prepare(&plan);
    for index in 0..200_u64 {
        let at = Duration::from_millis(index * 10);
        let took_ns = if index < 100 { 1_000_000 } else { 10_000_000 };
        recorder.response_ns.saturating_record(took_ns);
        let step = recorder.steps.at(at).unwrap();
        step.sent += 1;
        step.answered_within += 1;
        step.response_ns.saturating_record(took_ns);
    }
    recorder.counts.lost = 1;
    recorder.counts.answered_in_window = 200;
    recorder.measured = Duration::from_secs(2);
    let last = recorder.steps.at(Duration::from_millis(1999)).unwrap();
    (last.sent, last.lost) = (last.sent + 1, 1);
    recorder.steps.end(Duration::from_secs(2));
    Report::new(plan, recorder, RunFacts::of_test(Environment::read()))
}

#[test]
fn a_run_is_held_to_each_threshold_with_what_was_measured() {
    let report = report(&[
        "max_response_ms < 11",
        "p50_response_ms < 0.5",
        "lost = 0",
        "calm: lost = 0",
        "calm: p99_response_ms < 2",
        "each step: p99_response_ms < 2",
        "each step: p99_response_ms < 20",
        "peak: ssdu_per_s >= 100",
        "rate_share >= 0.99",
        "p99_minor_sync_ms < 1000",
        "minor_sync_lost = 0",
    ]);
    let oks: Vec<bool> = report.thresholds.iter().map(|result| result.ok).collect();
    assert_eq!(
        oks,
        [true, false, false, true, true, false, true, true, true, false, true],
        "{:?}",
        report.thresholds
    );
    assert!(report.has_failed_threshold());
    let measured = |index: usize| report.thresholds[index].measured;
    assert_eq!(measured(2), Some(1.0));
    assert!((measured(1).unwrap() - 1.0).abs() < 0.01, "{:?}", measured(1));
    assert_eq!(report.thresholds[5].step.as_deref(), Some("peak"), "the first step that fails");
    assert_eq!(measured(9), None, "no minor synchronization took place");
    let text = table(&report.thresholds);
    assert_eq!(text.matches("FAILED").count(), 4, "{text}");
    assert!(text.contains("nothing measured"), "{text}");
    let steps = crate::steps::table(&report.steps);
    assert!(steps.contains("calm") && steps.contains("peak"), "{steps}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["thresholds"][1]["ok"], false, "{json}");
    assert_eq!(json["steps"][1]["lost"], 1, "{json}");
}

#[test]
fn a_plan_with_a_threshold_on_a_step_it_has_not_is_refused() {
    let plan = |text: &str| toml::from_str::<LoadPlan>(&format!("to = [\"127.0.0.1:1\"]\n{text}"));
    let without = plan("thresholds = [\"each step: lost = 0\"]").unwrap().validate().unwrap_err();
    assert!(
        matches!(&without, PlanError::Range(faults) if faults[0].contains("there are none")),
        "{without}"
    );
    let other = plan(
        "mode = \"constant\"\nthresholds = [\"peek: lost = 0\"]\n[[step]]\nname = \"peak\"\nrate_per_s = 1\nduration_ms = 1",
    );
    let text = other.unwrap().validate().unwrap_err().to_string();
    assert!(text.contains("no step \"peek\"; there are peak"), "{text}");
    let error = plan("thresholds = [\n  \"lost = 0\",\n  \"lots = 0\",\n]").unwrap_err().to_string();
    assert!(error.contains("no metric `lots`") && error.contains("line 2"), "{error}");
}
