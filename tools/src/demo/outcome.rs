//! What came of a demo: the table for people, the JSON object for programs.

use colloquy_bench::Report;
use colloquy_bench::report::Percentiles;
use serde_json::{Value, json};

use super::layout::Layout;
use super::watch::Spent;

/// The result of a demo.
pub(crate) struct Outcome {
    /// What the load generator reports.
    pub(crate) report: Report,
    /// What the gateway spent.
    pub(crate) gateway: Spent,
    /// Why this driver.
    pub(crate) driver_reason: String,
    /// Who ran where.
    pub(crate) layout: Layout,
}

impl Outcome {
    /// True when nothing was lost, changed or out of order and no session failed.
    pub(crate) fn is_good(&self) -> bool {
        self.report.is_clean()
    }

    /// The JSON object.
    pub(crate) fn to_json(&self) -> Value {
        let report = &self.report;
        let times = |p: &Percentiles| json!({ "p50": p.p50, "p90": p.p90, "p99": p.p99, "p999": p.p999, "max": p.max });
        json!({
            "schema_version": 1,
            "sessions": report.counts.established,
            "sessions_asked": report.counts.sessions,
            "sessions_failed": report.counts.failed + report.counts.ended_early,
            "ssdu_octets": report.plan.ssdu_octets,
            "depth": report.plan.depth,
            "seconds": report.measured_s,
            "ssdu_per_s": report.ssdu_per_s,
            "mb_per_s": report.mb_per_s,
            "errors": report.errors_count(),
            "errors_by_class": report.errors,
            "lost": report.counts.lost,
            "driver": report.driver,
            "driver_reason": self.driver_reason,
            "valid": report.valid,
            "invalid_reasons": report.invalid_reasons,
            "response_us": times(&report.response_us),
            "service_us": times(&report.service_us),
            "gateway_cpu_us_per_ssdu": self.gateway.cpu_us_per_ssdu,
            "gateway_system_calls_per_ssdu": self.gateway.system_calls_per_ssdu,
            "gateway_ssdus_carried": self.gateway.ssdus,
            "gateway_shards": self.layout.gateway_shards,
            "load_cpu_us_per_ssdu": report.generator.cpu_us_per_ssdu,
            "environment": report.environment,
        })
    }

    /// The table.
    pub(crate) fn table(&self) -> String {
        let report = &self.report;
        let counts = &report.counts;
        let mut text = String::new();
        let mut row = |name: &str, value: String| text.push_str(&format!("{name:<13}{value}\n"));
        row(
            "sessions",
            format!(
                "{} of {} established, {} released in order",
                counts.established, counts.sessions, counts.released
            ),
        );
        row(
            "SSDUs",
            format!(
                "{} echoed in {:.1} s, {} octets each, {} lost, {} out of order, {} changed",
                counts.answered_in_window,
                report.measured_s,
                report.plan.ssdu_octets,
                counts.lost,
                counts.reordered,
                counts.corrupted
            ),
        );
        row(
            "throughput",
            format!(
                "{:.0} SSDU/s, {:.1} MB/s through the gateway and back",
                report.ssdu_per_s, report.mb_per_s
            ),
        );
        row("latency, us", format!("{:>9}{:>9}{:>9}{:>9}{:>10}", "p50", "p90", "p99", "p99.9", "max"));
        for (name, p) in [("  response", &report.response_us), ("  service", &report.service_us)] {
            let times = format!("{:>9.0}{:>9.0}{:>9.0}{:>9.0}{:>10.0}", p.p50, p.p90, p.p99, p.p999, p.max);
            row(name, times);
        }
        row("gateway", self.gateway_text());
        row("driver", format!("{}: {}", report.driver, self.driver_reason));
        for (class, count) in &report.errors {
            row("error", format!("{count} x {class}"));
        }
        if report.valid {
            row("valid", "yes".into());
        }
        for reason in &report.invalid_reasons {
            row("NOT VALID", reason.clone());
        }
        text.push_str(NEXT);
        text
    }

    fn gateway_text(&self) -> String {
        let shards = self.layout.gateway_shards;
        let cpu = self
            .gateway
            .cpu_us_per_ssdu
            .map_or("CPU time not readable".into(), |cpu| format!("{cpu:.2} CPU us per SSDU carried"));
        let calls = self
            .gateway
            .system_calls_per_ssdu
            .map_or("system calls not readable".into(), |calls| format!("{calls:.3} system calls"));
        format!("{cpu}, {calls}, {shards} shard{}", if shards == 1 { "" } else { "s" })
    }
}

/// What to try then.
const NEXT: &str = "
Next:
  colloquy demo --depth 16 --driver mio       the same on the other driver, 16 SSDUs in flight
  colloquy gateway configs/echo.toml          a responder of your own; SIGTERM drains it
  colloquy load --to 127.0.0.1:10102          load for it, or for any X.225 responder
";
