//! Makes a table of the manual's pages, so that a page is there when its file is.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"));
    let folder = Path::new(&variable("CARGO_MANIFEST_DIR")).join("src/manual");
    // The table names files by their whole path: a checkout that has moved needs another one.
    println!("cargo::rerun-if-env-changed=CARGO_MANIFEST_DIR");
    println!("cargo::rerun-if-changed=src/manual");
    let mut ids = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            ids.push(path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    ids.sort();
    let mut table = "&[\n".to_owned();
    for id in &ids {
        let path = folder.join(id).with_extension("md");
        let _ = writeln!(table, "    ({id:?}, include_str!({path:?})),");
    }
    table.push_str("]\n");
    fs::write(Path::new(&variable("OUT_DIR")).join("manual.rs"), table)
}
