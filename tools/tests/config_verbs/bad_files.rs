//! Files that are wrong in every way that we could think of: each fault is listed, with its place and with what to do.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::{colloquy, text};

/// A good file; rows change it. Line numbers of rows count from its first line.
const GOOD: &str = "schema_version = 1
[[listener]]
name = \"mms\"
address = \"127.0.0.1:10102\"
application = \"relay\"
target = \"server\"
[[target]]
name = \"server\"
address = \"127.0.0.1:11102\"
";

/// What replaces what, how many faults there are, and what must be told.
type Row = (&'static str, &'static str, usize, &'static [&'static str]);

const ROWS: &[Row] = &[
    // Types and units.
    ("= 1\n[", "= \"1\"\n[", 1, &[":1:18", "write 1 without quotes"]),
    ("= 1\n[", "= 2\n[", 1, &[":1:18", "2 is out of range"]),
    ("schema_version = 1\n", "", 1, &["schema_version: is missing", "for example schema_version = 1"]),
    ("\"mms\"", "5", 1, &[":3:8", "is an integer"]),
    ("\"mms\"", "\"a b\"", 1, &["\"a b\" is no name", "1 to 64 letters"]),
    ("\"relay\"", "\"RELAY\"", 1, &[":5:15", "did you mean \"relay\"?"]),
    ("\"relay\"\n", "\"relay\"\nconnect_timeout = 5\n", 1, &[":6:19", "\"5ms\" or \"5s\""]),
    ("\"relay\"\n", "\"relay\"\nconnect_timeout = \"5 minutes\"\n", 1, &["did you mean \"5min\"?"]),
    ("\"relay\"\n", "\"relay\"\nconnect_timeout = \"7.5s\"\n", 1, &["did you mean \"7500ms\"?"]),
    ("\"relay\"\n", "\"relay\"\nconnect_timeout = \"0s\"\n", 1, &["0s is out of range", "from 10ms to 1h"]),
    ("\"relay\"\n", "\"relay\"\nconnect_timeout = \"-1s\"\n", 1, &["\"-1s\" is no time"]),
    ("\"relay\"\n", "\"relay\"\ntsdu_octets_max = \"1MB\"\n", 1, &["did you mean \"1MiB\"?"]),
    (
        "\"relay\"\n",
        "\"relay\"\ntsdu_octets_max = \"99999999999999999999TiB\"\n",
        1,
        &["is no number of octets"],
    ),
    ("\"relay\"\n", "\"relay\"\ntsdu_octets_max = 99999999999999999999\n", 1, &["out of range"]),
    ("\"relay\"\n", "\"relay\"\nsessions_max = 0\n", 1, &["0 is out of range"]),
    ("\"relay\"\n", "\"relay\"\nsessions_max = -1\n", 1, &["-1 is out of range"]),
    ("\"relay\"\n", "\"relay\"\nstrict = \"yes\"\n", 1, &["true or false"]),
    (
        "\"relay\"\n",
        "\"relay\"\ncalled_ssaps = [1, \"abc\", \"0x1\", \"0x01\", \"ascii:\u{e4}\"]\n",
        4,
        &["\"0x0001\"", "did you mean \"ascii:abc\"?", "did you mean \"0x01\"?", "not ASCII"],
    ),
    (
        "\"relay\"\n",
        "\"relay\"\nallow = [\"10.0.0.1/8\", \"10.0.0.1\", \"ten\"]\n",
        3,
        &["\"10.0.0.0/8\"", "\"10.0.0.1/32\""],
    ),
    // Addresses.
    ("\"127.0.0.1:10102\"", "\"localhost:10102\"", 1, &["host names are not looked up"]),
    ("\"127.0.0.1:10102\"", "\":10102\"", 1, &["\"0.0.0.0:10102\" or \"[::]:10102\""]),
    ("\"127.0.0.1:10102\"", "\"::1:10102\"", 1, &["did you mean \"[::1]:10102\"?"]),
    ("\"127.0.0.1:10102\"", "\"127.0.0.1\"", 1, &["add the port: \"127.0.0.1:102\""]),
    ("\"127.0.0.1:10102\"", "\"127.0.0.1:99999\"", 1, &["is no address"]),
    ("\"127.0.0.1:11102\"", "\"127.0.0.1:0\"", 1, &[":9:11", "nobody can be connected to"]),
    // Keys and tables.
    ("target = \"server\"", "traget = \"server\"", 2, &[":6:1", "did you mean `target`?"]),
    ("target = \"server\"\n", "target = \"server\"\nshards = 2\n", 1, &[":7:1", "it belongs into [engine]"]),
    ("target = \"server\"\n", "target = \"server\"\nlog = \"debug\"\n", 1, &["it is a table: [log]"]),
    ("[[target]]", "[[tarjet]]", 2, &["did you mean `target`?", "there is no target \"server\""]),
    ("[[target]]", "[target]", 2, &["write [[target]] with two brackets"]),
    ("[[listener]]", "[listener]", 2, &["write [[listener]] with two brackets", "there is none"]),
    ("[[listener]]", "log = 5\n[[listener]]", 1, &[":2:7", "a table [log]"]),
    ("address = \"127.0.0.1:11102\"\n", "", 1, &[":7:1", "target[0].address: is missing"]),
    // References and duplicates.
    ("target = \"server\"", "target = \"srever\"", 1, &["did you mean \"server\"?"]),
    ("\"relay\"", "\"echo\"", 1, &["echo has no target", "did you mean application = \"relay\"?"]),
    ("target = \"server\"\n", "", 1, &["a relay needs a target, an upstream or a route"]),
    (
        "\"server\"\naddress",
        "\"server\"\naddress = \"127.0.0.1:9\"\naddress",
        1,
        &["CLQ-C01", "duplicate key", ":10:1"],
    ),
    (
        "[[target]]\n",
        "[[target]]\nname = \"server\"\naddress = \"127.0.0.1:9\"\n[[target]]\n",
        1,
        &[":11:8", "\"server\" is the name of target[0] too", "the other"],
    ),
    ("[[target]]", "[admin]\naddress = \"127.0.0.1:10102\"\n[[target]]", 1, &["is taken by listener[0]"]),
    ("[[target]]", "[admin]\naddress = \"10.0.0.1:80\"\n[[target]]", 1, &["is no loopback address"]),
    (
        "[[target]]",
        "[[listener]]\nname = \"six\"\naddress = \"[::]:10102\"\napplication = \"echo\"\n[[target]]",
        1,
        &["[::]:10102 is taken"],
    ),
    (
        "[[target]]",
        "[[upstream]]\nname = \"u\"\ntargets = [\"server\", \"server\", \"gone\"]\n[[target]]",
        2,
        &["there is no target \"gone\"", "\"server\" is in the list twice"],
    ),
    // What does not go together.
    (
        "[[target]]\n",
        "[[target]]\nprofile = \"hat-drivers\"\ncalled_tsap = \"0x010203\"\n",
        1,
        &["has 3 octets", "carries 2 at most", "the other"],
    ),
    (
        "[[target]]\n",
        "[[target]]\nprofile = \"hat-drivers\"\ncalling_ssap = \"ascii:MMS\"\n",
        1,
        &[":9:16", "carries 2 at most"],
    ),
    (
        "[[target]]\n",
        "[[target]]\ntls_server_name = \"not a name!\"\ntls = \"t\"\n",
        2,
        &["neither a DNS name nor an IP address"],
    ),
    (
        "[[target]]\n",
        "[[target]]\nhealth_check = \"tcp\"\nhealth_timeout = \"9s\"\n",
        1,
        &["is not less than health_interval"],
    ),
    (
        "[[target]]\n",
        "[[target]]\npolicy = \"on_startup\"\n",
        2,
        &["called_tsap", "calling_tsap", "no downstream"],
    ),
    ("[[target]]", "[engine]\nreceive_blocks = 33\n[[target]]", 1, &["the nearest are 32 and 64"]),
    (
        "[[target]]",
        "[engine]\nsend_low_mark_octets = \"1GiB\"\n[[target]]",
        1,
        &["is not less than send_high_mark_octets"],
    ),
    // TOML.
    ("\"mms\"", "\"mms", 1, &["CLQ-C01", ":3:"]),
    ("[[target]]", "[[target", 1, &["CLQ-C01", ":7:"]),
    ("= 1\n[", "= 1\nx = {\n[", 1, &["CLQ-C01"]),
];

/// Faults that are told, warnings left out.
fn faults(said: &str) -> usize {
    said.matches("error[CLQ-").count()
}

fn check(file: &Path) -> (Option<i32>, String) {
    let output = colloquy(&["check", file.to_str().unwrap()]);
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn every_fault_of_a_bad_file_is_told_with_its_place_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.toml");
    fs::write(&file, GOOD).unwrap();
    assert_eq!(check(&file).0, Some(0));
    for (from, to, count, told) in ROWS {
        assert_eq!(GOOD.matches(from).count(), 1, "{from:?} is changed once");
        fs::write(&file, GOOD.replace(from, to)).unwrap();
        let (status, said) = check(&file);
        assert_eq!(status, Some(2), "{to}: {said}");
        for part in *told {
            assert!(said.contains(part), "{to}: {part}: {said}");
        }
        let is_toml = !told.contains(&"CLQ-C01");
        assert!(
            faults(&said) == *count || !is_toml && faults(&said) >= *count,
            "{to}: {count} faults: {said}"
        );
    }
}

/// What is no text, or no file.
#[test]
fn a_file_that_cannot_be_read_is_told_and_odd_ones_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str, octets: &[u8]| fs::write(path(name), octets).unwrap();
    write("bom.toml", format!("\u{feff}{GOOD}").as_bytes());
    write("crlf.toml", GOOD.replace('\n', "\r\n").as_bytes());
    write("no-newline.toml", GOOD.trim_end().as_bytes());
    symlink(path("crlf.toml"), path("link.toml")).unwrap();
    for name in ["bom.toml", "crlf.toml", "no-newline.toml", "link.toml"] {
        assert_eq!(check(&path(name)).0, Some(0), "{name}");
    }
    write("empty.toml", b"");
    write("latin.toml", &[GOOD.replace("mms", "m").as_bytes(), b"# k\xf6ln\n"].concat());
    write("nul.toml", GOOD.replace("= 1\n[", "= 1\0\n[").as_bytes());
    write("huge.toml", &[GOOD.as_bytes(), &vec![b'#'; 17 << 20]].concat());
    symlink(path("gone.toml"), path("dangling.toml")).unwrap();
    symlink(path("loop.toml"), path("loop.toml")).unwrap();
    fs::create_dir(path("folder.toml")).unwrap();
    let rows: &[(&str, usize, &[&str])] = &[
        ("empty.toml", 2, &["schema_version: is missing", "listener: there is none"]),
        ("latin.toml", 1, &["latin.toml: line 10, column 4", "is not UTF-8"]),
        ("nul.toml", 1, &["CLQ-C01", "nul.toml:1:"]),
        ("huge.toml", 1, &["more than 16777216 octets"]),
        ("dangling.toml", 1, &["dangling.toml: No such file"]),
        ("loop.toml", 1, &["Too many levels of symbolic links"]),
        ("folder.toml", 1, &["Is a directory", "give the file, for example"]),
    ];
    for (name, count, told) in rows {
        let (status, said) = check(&path(name));
        assert_eq!((status, faults(&said)), (Some(2), *count), "{name}: {said}");
        for part in *told {
            assert!(said.contains(part), "{name}: {part}: {said}");
        }
    }
}

/// One unreadable or broken file does not hide what is wrong in the others.
#[test]
fn faults_of_every_file_of_the_folder_are_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("gateway.toml");
    fs::write(&main, GOOD).unwrap();
    let further = folder.path().join("conf.d");
    fs::create_dir(&further).unwrap();
    let write = |name: &str, text: &str| fs::write(further.join(name), text).unwrap();
    write("README.txt", "not = a [configuration");
    write(".hidden.toml", "not = a [configuration");
    write("10-target.toml", "[[target]]\nname = \"server\"\naddress = \"127.0.0.1:1\"\n");
    write("20-log.toml", "[log]\nlevel = \"debug\"\n");
    write("30-log.toml", "[log]\nlevel = \"warn\"\n");
    write("40-types.toml", "[engine]\nshards = \"x\"\n");
    let (status, said) = check(&main);
    assert_eq!((status, faults(&said)), (Some(2), 3), "{said}");
    for part in
        ["10-target.toml:2:8", "gateway.toml:8:8", "30-log.toml:2:9", "20-log.toml:2:9", "40-types.toml:2:10"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    write("50-broken.toml", "[drain\n");
    fs::create_dir(further.join("60-folder.toml")).unwrap();
    symlink("nowhere", further.join("70-dangling.toml")).unwrap();
    let (status, said) = check(&main);
    assert_eq!(status, Some(2), "{said}");
    for part in [
        "40-types.toml:2:10",
        "50-broken.toml:1:",
        "60-folder.toml: Is a directory",
        "70-dangling.toml: No such file",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    fs::remove_dir(further.join("60-folder.toml")).unwrap();
    fs::remove_dir_all(&further).unwrap();
    fs::write(&further, "").unwrap();
    let (status, said) = check(&main);
    assert!(status == Some(2) && said.contains("conf.d: Not a directory"), "{said}");
}
