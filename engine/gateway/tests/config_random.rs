//! Random configurations: however the tables are spread over files, they come to the same, and no damage to a good file
//! does more than refuse it. `COLLOQUY_SEED` repeats a run.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::time::{SystemTime, UNIX_EPOCH};

use colloquy_gateway::config::{diff, keep_restart_keys, load_str, load_strs, reference_file};

/// Spreads and mutations tried in one run.
const ROUNDS: usize = 300;

/// A small generator (SplitMix64); its quality is enough to choose places.
struct Random(u64);

impl Random {
    fn new() -> Random {
        let seed = std::env::var("COLLOQUY_SEED").ok().and_then(|text| text.parse().ok());
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = seed.unwrap_or_else(now);
        println!("COLLOQUY_SEED={seed}");
        Random(seed)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % end
    }
}

/// A configuration with every table, without comments.
fn whole() -> String {
    let tables = "[[route]]\nname = \"r1\"\ncalled_ssaps = [\"ascii:ICCP\"]\nupstream = \"u\"\n\
                  [[route]]\nname = \"r2\"\ntarget = \"server\"\n\
                  [[upstream]]\nname = \"u\"\ntargets = [\"server\", \"b\"]\n\
                  [[target]]\nname = \"b\"\naddress = \"127.0.0.1:2\"\ntls = \"t\"\n\
                  [[tls]]\nname = \"t\"\ncertificate = \"a.pem\"\nkey = \"a.key\"\nauthorities = [\"ca.pem\"]\n\
                  [[binding]]\ntls = \"t\"\ncertificate = \"dns:a.example\"\n\
                  [[listener]]\nname = \"routed\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\n";
    let lines = reference_file();
    let lines = lines.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.flat_map(|line| [line, "\n"]).collect::<String>() + tables
}

/// A table's header and its lines.
fn tables(text: &str) -> (Vec<String>, Vec<(String, Vec<String>)>) {
    let (mut root, mut tables): (Vec<String>, Vec<(String, Vec<String>)>) = (Vec::new(), Vec::new());
    for line in text.lines() {
        if line.starts_with('[') {
            tables.push((line.to_owned(), Vec::new()));
        } else if let Some((_, lines)) = tables.last_mut() {
            lines.push(line.to_owned());
        } else {
            root.push(line.to_owned());
        }
    }
    (root, tables)
}

/// Spreads the tables over so many files: single ones key by key, repeated ones whole and in their order.
fn spread(text: &str, files: usize, random: &mut Random) -> Vec<String> {
    let (root, tables) = tables(text);
    let mut texts = vec![String::new(); files];
    texts[0] = root.join("\n") + "\n";
    let mut singles: Vec<Vec<(String, String)>> = vec![Vec::new(); files];
    let mut floors: Vec<(String, usize)> = Vec::new();
    for (header, lines) in tables {
        if header.starts_with("[[") {
            let floor = floors.iter().rfind(|(name, _)| *name == header).map_or(0, |(_, floor)| *floor);
            let file = floor + random.below(files - floor);
            floors.push((header.clone(), file));
            texts[file] += &format!("{header}\n{}\n", lines.join("\n"));
        } else {
            for line in lines {
                let file = random.below(files);
                let at = random.below(singles[file].len() + 1);
                singles[file].insert(at, (header.clone(), line));
            }
        }
    }
    for (text, mut lines) in texts.iter_mut().zip(singles) {
        lines.sort_by(|left, right| left.0.cmp(&right.0));
        let mut open = String::new();
        for (header, line) in lines {
            if header != open {
                *text += &format!("{header}\n");
                open = header;
            }
            *text += &format!("{line}\n");
        }
    }
    texts
}

#[test]
fn however_tables_are_spread_over_files_they_come_to_the_same() {
    let mut random = Random::new();
    let text = whole();
    let expected = load_str("whole.toml", &text).unwrap_or_else(|faults| panic!("{faults}"));
    for _ in 0..ROUNDS {
        let files = 1 + random.below(5);
        let texts = spread(&text, files, &mut random);
        let named: Vec<(&str, &str)> = texts.iter().map(|text| ("file.toml", text.as_str())).collect();
        let merged = load_strs(&named).unwrap_or_else(|faults| panic!("{faults}\n{texts:#?}"));
        assert_eq!(merged.config, expected.config, "{texts:#?}");
        assert_eq!(diff(&expected, &merged), []);
        assert_eq!(keep_restart_keys(&expected, merged).config, expected.config);
    }
}

/// A damaged file is read or refused, and what is kept of one that is read can be built.
#[test]
fn no_mutation_of_a_good_file_panics() {
    let mut random = Random::new();
    let good = whole();
    let running = load_str("good.toml", &good).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let mut taken = 0;
    for _ in 0..ROUNDS {
        let mut octets = good.clone().into_bytes();
        for _ in 0..=random.below(4) {
            if octets.is_empty() {
                break;
            }
            let at = random.below(octets.len());
            match random.below(5) {
                0 => octets[at] = b" \"'[]=#.,0\x00a\n"[random.below(12)],
                1 => drop(octets.drain(at..(at + random.below(40)).min(octets.len()))),
                2 => octets.truncate(at.max(1)),
                3 => {
                    let line = lines[random.below(lines.len())];
                    octets.extend_from_slice(format!("{line}\n").as_bytes());
                }
                _ => {
                    let digit = octets.iter().skip(at).position(u8::is_ascii_digit).map(|place| at + place);
                    if let Some(place) = digit {
                        octets[place] = b'0' + random.below(10) as u8;
                    }
                }
            }
        }
        let Ok(text) = String::from_utf8(octets) else { continue };
        match load_str("mutant.toml", &text) {
            Err(faults) => assert!(!faults.to_string().is_empty()),
            Ok(next) => {
                taken += 1;
                assert!(!next.effective().is_empty());
                let changes = diff(&running, &next);
                let kept = keep_restart_keys(&running, next);
                assert_eq!(kept.config.listeners.len(), running.config.listeners.len(), "{changes:?}");
            }
        }
    }
    assert!(taken > 0, "some mutants are good");
}
