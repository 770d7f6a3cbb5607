//! A configuration from its files: the main one, and those of the folder `conf.d` beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};

use super::diagnostics::{Diagnostics, FaultKind};
use super::inspect::{self, System};
use super::read::{File, Text, read_texts};
use super::{Config, build, relations};
use crate::tls::TlsFileFault;

/// The folder beside the main file that holds further ones.
const FOLDER: &str = "conf.d";
/// Octets of a file at most: far beyond any configuration, and little enough to read in one go.
const FILE_OCTETS_MAX: u64 = 16 << 20;
/// Files in the folder at most.
const FILES_MAX: usize = 1024;

/// A configuration without faults, and what it was read from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// The files, the main one first, in the order in which they were merged.
    pub files: Vec<LoadedFile>,
    /// SHA-256 of the octets of all files, one behind the other in that order, in hex digits: what
    /// `cat FILE... | sha256sum` prints, and of a single file its own. `None` where there are no files.
    pub sha256: Option<String>,
    /// What is suspicious; without faults.
    pub warnings: Diagnostics,
    pub(super) file: File,
}

impl Loaded {
    /// What was found wrong with the files that the `[[tls]]` tables name, at the keys that name them.
    pub(crate) fn tls_faults(&self, faults: &[TlsFileFault]) -> Diagnostics {
        let mut diagnostics = self.warnings.clone();
        for TlsFileFault { table, key, file, what } in faults {
            let problem =
                file.as_ref().map_or_else(|| what.clone(), |file| format!("{}: {what}", file.display()));
            let values = self.file.tls.iter().find(|values| values.text("name") == Some(table));
            // A table that only a listener of before needs is no more in the file.
            let (span, key) = values.map_or_else(
                || (0..0, format!("tls[{table}].{key}")),
                |values| (values.span(key), values.key(key)),
            );
            diagnostics.add(FaultKind::Certificate, span, key, problem, "a file that can be used", None);
        }
        diagnostics.sort();
        diagnostics
    }
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedFile {
    /// Where it lies.
    pub path: PathBuf,
    /// SHA-256 of its octets, in hex digits.
    pub sha256: String,
}

/// Reads a configuration: the file, and every `conf.d/*.toml` in the folder beside it, in the order of their names.
///
/// Repeated tables append, single ones merge key by key; a key that is given twice is a fault. Nothing but these
/// files is looked at.
///
/// # Errors
/// Every fault of all files, and files that cannot be read.
pub fn load(path: &Path) -> Result<Loaded, Diagnostics> {
    let (file, files, diagnostics, whole) = read(path);
    Ok(Loaded { sha256: Some(whole), ..finish(file, files, diagnostics)? })
}

/// What the files say, and the hash of all of them.
fn read(path: &Path) -> (File, Vec<LoadedFile>, Diagnostics, String) {
    let (texts, files, mut diagnostics) = read_files(path);
    let bases = bases(&texts);
    let file = read_texts(&texts, &bases, &mut diagnostics);
    let whole: String = texts.iter().map(|text| &*text.text).collect();
    (file, files, diagnostics, sha256(whole.as_bytes()))
}

/// As [`load`], and all that certificates, ports, budgets and folders of this machine say against it: of a configuration
/// with faults the certificates alone, because the rest would be said of what nobody has written.
pub fn load_and_inspect(path: &Path, system: &System) -> (Option<Loaded>, Diagnostics) {
    let (file, files, diagnostics, whole) = read(path);
    match finish(file.clone(), files, diagnostics) {
        Ok(loaded) => {
            let inspected = loaded.inspect(system);
            (Some(Loaded { sha256: Some(whole), ..loaded }), inspected)
        }
        Err(mut diagnostics) => {
            if !diagnostics.has_gaps() {
                inspect::certificates(&file, &mut diagnostics);
                diagnostics.sort();
            }
            (None, diagnostics)
        }
    }
}

/// As [`load`], of one text without a file.
///
/// # Errors
/// Every fault of the text.
pub fn load_str(name: &str, text: &str) -> Result<Loaded, Diagnostics> {
    load_strs(&[(name, text)])
}

/// As [`load`], of texts without files, the main one first.
///
/// # Errors
/// Every fault of all texts.
///
/// # Panics
/// Without any text.
pub fn load_strs(named: &[(&str, &str)]) -> Result<Loaded, Diagnostics> {
    let text =
        |(name, text): &(&str, &str)| Text { name: (*name).into(), text: (*text).into(), folder: None };
    let texts: Vec<Text> = named.iter().map(text).collect();
    let mut diagnostics = Diagnostics::new(&texts[0].name, &texts[0].text);
    for text in &texts[1..] {
        diagnostics.add_source(&text.name, &text.text);
    }
    let bases = bases(&texts);
    let file = read_texts(&texts, &bases, &mut diagnostics);
    finish(file, Vec::new(), diagnostics)
}

/// What the spans of each text begin with: as [`Diagnostics::add_source`] counts.
fn bases(texts: &[Text]) -> Vec<usize> {
    texts
        .iter()
        .scan(0, |next, text| {
            let base = *next;
            *next += text.text.len() + 1;
            Some(base)
        })
        .collect()
}

fn finish(file: File, files: Vec<LoadedFile>, mut diagnostics: Diagnostics) -> Result<Loaded, Diagnostics> {
    if !diagnostics.keep_certain_if_syntax() {
        relations::check(&file, &mut diagnostics);
    }
    diagnostics.sort();
    if diagnostics.is_good() {
        Ok(Loaded { config: build::config(&file), files, sha256: None, warnings: diagnostics, file })
    } else {
        Err(diagnostics)
    }
}

/// The texts of all files; those that cannot be read are faults, and empty.
fn read_files(main: &Path) -> (Vec<Text>, Vec<LoadedFile>, Diagnostics) {
    let folder = main.parent().unwrap_or(Path::new(""));
    let (further, folder_fault) = match further_files(&folder.join(FOLDER)) {
        Ok(further) => (further, None),
        Err(error) => (Vec::new(), Some((folder.join(FOLDER), error))),
    };
    let mut faults: Vec<(PathBuf, io::Error)> = folder_fault.into_iter().collect();
    let (mut texts, mut files) = (Vec::new(), Vec::new());
    for path in std::iter::once(main.to_owned()).chain(further) {
        let octets = read_bounded(&path).unwrap_or_else(|error| {
            faults.push((path.clone(), error));
            Vec::new()
        });
        let sha256 = sha256(&octets);
        let text = String::from_utf8(octets).unwrap_or_else(|error| {
            let at = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(&error.as_bytes()[..at]);
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
            let what = format!("line {line}, column {column}: octet {at} of the file is not UTF-8");
            faults.push((path.clone(), io::Error::other(what)));
            String::new()
        });
        let folder = path.parent().map(Path::to_owned);
        texts.push(Text { name: path.display().to_string(), text: text.into(), folder });
        files.push(LoadedFile { path, sha256 });
    }
    let mut diagnostics = Diagnostics::new(&texts[0].name, &texts[0].text);
    let mut bases = vec![0];
    for text in &texts[1..] {
        bases.push(diagnostics.add_source(&text.name, &text.text));
    }
    for (path, error) in faults {
        let at = files.iter().position(|file: &LoadedFile| file.path == path).map_or(0, |index| bases[index]);
        let suggestion = (error.kind() == io::ErrorKind::IsADirectory && path == main)
            .then(|| format!("give the file, for example {}", path.join("gateway.toml").display()));
        diagnostics.add(FaultKind::File, at..at, "", format!("{}: {error}", path.display()), "", suggestion);
    }
    (texts, files, diagnostics)
}

fn sha256(octets: &[u8]) -> String {
    digest(&SHA256, octets).as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The files of `conf.d`, in the order of their names; none if there is no such folder.
fn further_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
        if files.len() > FILES_MAX {
            return Err(io::Error::other(format!("more than {FILES_MAX} files")));
        }
    }
    files.sort();
    Ok(files)
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read;
    let mut octets = Vec::new();
    fs::File::open(path)?.take(FILE_OCTETS_MAX + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > FILE_OCTETS_MAX {
        return Err(io::Error::other(format!("more than {FILE_OCTETS_MAX} octets")));
    }
    Ok(octets)
}
