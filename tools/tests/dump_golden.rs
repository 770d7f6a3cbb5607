//! `colloquy dump` says of every SPDU, parameter for parameter, what the files in `dump_golden` say.
#![allow(clippy::unwrap_used)] // A test.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// One block of a file: octets in, output and status out.
struct Case {
    name: String,
    octets: String,
    out: String,
    err: String,
    status: i32,
}

/// Blocks between blank lines: `#` name, `$` octets, indented output, `!` standard error, `=` exit status.
fn cases(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for block in text.split("\n\n").filter(|block| block.contains("\n$ ")) {
        let lines = |prefix: &str| -> Vec<String> {
            block
                .lines()
                .filter_map(|line| line.strip_prefix(prefix))
                .map(|line| format!("{line}\n"))
                .collect()
        };
        cases.push(Case {
            name: lines("# ").concat(),
            octets: lines("$ ").concat(),
            out: lines("  ").concat(),
            err: lines("! ").concat(),
            status: lines("= ").concat().trim().parse().unwrap(),
        });
    }
    cases
}

fn dump(arguments: &[&str], octets: &str) -> (String, String, Option<i32>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_colloquy"))
        .arg("dump")
        .args(arguments)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(octets.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn text_names_every_parameter_with_its_octets() {
    let cases = cases(include_str!("dump_golden/text.txt"));
    assert!(cases.len() > 70, "{}", cases.len());
    for case in &cases {
        let (out, err, status) = dump(&[], &case.octets);
        assert_eq!(out, case.out, "{}", case.name);
        assert_eq!(err, case.err, "{}", case.name);
        assert_eq!(status, Some(case.status), "{}", case.name);
    }
    let all: String = cases.iter().map(|case| case.out.as_str()).collect();
    for code in [9, 10, 11, 12]
        .into_iter()
        .chain(15..=17)
        .chain(19..=27)
        .chain([41, 42, 46])
        .chain(49..=58)
        .chain([60])
    {
        assert!(all.contains(&format!(" PI {code} ")), "no PI {code}");
    }
    for code in [1, 5, 33, 193, 194] {
        assert!(all.contains(&format!(" PGI {code} ")), "no PGI {code}");
    }
    for abbreviation in [
        "ER",
        "GT",
        "DT",
        "PT",
        "EX",
        "PR",
        "NF",
        "FN",
        "DN",
        "RF",
        "CN",
        "AC",
        "CDO",
        "OA",
        "GTC",
        "GTA",
        "AB",
        "AI",
        "AA",
        "AIA",
        "AR",
        "TD",
        "RA",
        "MAP",
        "AE",
        "MAA or AEA",
        "AS",
        "ED",
        "MIP",
        "MIA",
        "RS",
        "AD",
        "ADA",
        "CD",
        "CDA",
        "UD",
        "SCN",
        "SAC",
        "SCNC",
        "SACC",
        "SRF",
        "SRFC",
    ] {
        assert!(all.contains(&format!("    {abbreviation}: ")), "no {abbreviation}");
    }
}

#[test]
fn json_has_the_code_offset_and_octets_of_every_parameter() {
    let cases = cases(include_str!("dump_golden/json.txt"));
    assert!(cases.len() >= 6);
    for case in cases {
        let (out, err, status) = dump(&["--json"], &case.octets);
        let (out, expected): (Value, Value) =
            (serde_json::from_str(&out).unwrap(), serde_json::from_str(&case.out).unwrap());
        assert_eq!(out, expected, "{}", case.name);
        assert_eq!((err, status), (case.err, Some(case.status)), "{}", case.name);
    }
}

/// Octets that begin with SI 64 are UNIT DATA unless they are said to be something else.
#[test]
fn unit_data_can_be_asked_for_and_ruled_out() {
    let (out, _, status) = dump(&["--as", "unit-data"], "40 03 16 01 01 a1");
    assert!(out.contains("UD: UNIT DATA"), "{out}");
    assert_eq!(status, Some(0));
    let (out, err, status) = dump(&["--as", "unit-data"], "01 00 01 00 a1");
    assert!(!out.contains("DT"), "{out}");
    assert_eq!(status, Some(1));
    assert!(err.contains("SI 0x01 is not UNIT DATA"), "{err}");
    let (_, err, status) = dump(&["--as", "spdu"], "40 03 16 01 01 a1");
    assert_eq!(status, Some(1));
    assert!(err.contains("unknown SI 0x40"), "{err}");
}
