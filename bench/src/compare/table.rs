//! Findings as a table for people.

use super::{Finding, Record, Verdict};

/// The findings, one a line, with what a reader needs to judge them.
pub fn table(record: &Record) -> String {
    let mut rows: Vec<[String; 5]> =
        vec![["id", "value [95 % interval]", "target", "", "remark"].map(str::to_owned)];
    rows.extend(record.findings.iter().map(line));
    let widths: Vec<usize> =
        (0..4).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        line.push_str(&row[4]);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str(&format!(
        "\n{} rounds of {} s, interleaved; medians of paired ratios; intervals: bootstrap, {} resamples, seed {}, and for one \
         median at least the order statistics of the sign test.\n",
        record.rounds, record.seconds, record.resamples, record.bootstrap_seed
    ));
    text.push_str("~ : the interval contains 1, so neither side is named the faster one.\n");
    if !record.quiet.quiet {
        text.push_str(&format!("The machine was not quiet: {}.\n", record.quiet.because.join("; ")));
    }
    text
}

fn line(finding: &Finding) -> [String; 5] {
    let bound = if finding.at_least { ">=" } else { "<=" };
    let unit = if finding.unit == "x" { "x".to_owned() } else { format!(" {}", finding.unit) };
    let value = if finding.ratio.is_nan() {
        "-".to_owned()
    } else {
        let undecided = if finding.decided { "" } else { " ~" };
        format!(
            "{}{unit} [{}..{}]{undecided}",
            number(finding.ratio),
            number(finding.low),
            number(finding.high)
        )
    };
    let verdict = match finding.verdict() {
        Verdict::Reached => "reached",
        Verdict::Missed => "missed",
        Verdict::Skipped if finding.failed => "FAILED",
        Verdict::Skipped => "skipped",
    };
    let target = format!("{bound} {}{unit}", number(finding.target));
    [finding.id.clone(), value, target, verdict.to_owned(), finding.remark.clone()]
}

/// Three significant digits or so.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::LabError;
    use super::super::statistics::Estimate;
    use super::*;

    #[test]
    fn a_line_says_value_interval_target_and_verdict() {
        let of = Estimate { value: 0.83, low: 0.8, high: 0.861 };
        let found = line(&Finding::ratio("relay-haproxy-64x1", "w", 0.85, of).remarked("r"));
        assert_eq!(found, ["relay-haproxy-64x1", "0.83x [0.80..0.86]", "<= 0.85x", "reached", "r"]);
        let undecided = Finding::ratio("a", "w", 0.95, Estimate { value: 0.97, low: 0.9, high: 1.1 });
        assert_eq!(line(&undecided)[1..4], ["0.97x [0.90..1.10] ~", "<= 0.95x", "missed"]);
        let calls = Finding::quantity(
            "a",
            "w",
            "calls per SSDU",
            0.01,
            Estimate { value: 0.002, low: 0.001, high: 0.02 },
        );
        assert_eq!(
            line(&calls)[1..3],
            ["0.0020 calls per SSDU [0.0010..0.0200]", "<= 0.0100 calls per SSDU"]
        );
        let failed = Finding::not_measured("a", "w", 1.0, &LabError::Failed("it broke".into()));
        assert_eq!(line(&failed), ["a", "-", "<= 1.00x", "FAILED", "it broke"]);
    }
}
