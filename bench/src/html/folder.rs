//! Folders that runs have left: what is in them, and what is wrong with them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hdrhistogram::Histogram;
use serde_json::Value;

use crate::hdr::{LOG_FILE, Log, read_hdr, read_log};

/// Name of the file that makes a folder one of results.
pub const RESULT_FILE: &str = "result.json";
/// Most runs in one report.
pub const RUNS_MAX: usize = 64;
/// Largest file that is read, in octets.
pub const FILE_OCTETS_MAX: u64 = 1 << 30;

/// What folders hold.
#[derive(Debug)]
pub enum Results {
    /// Load runs.
    Load(Vec<RunFolder>),
    /// The record of a comparison.
    Compare(Value),
}

/// The folder of one load run.
#[derive(Debug)]
pub struct RunFolder {
    /// The folder's own name.
    pub name: String,
    /// `result.json`.
    pub result: Value,
    /// The response time in nanoseconds, where the folder has it.
    pub response_ns: Option<Histogram<u64>>,
    /// The service time in nanoseconds, where the folder has it.
    pub service_ns: Option<Histogram<u64>>,
    /// The intervals, where the folder has them.
    pub log: Option<Log>,
}

/// Why there is no report of folders.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The user named something that is not there, or nothing to report of is in it.
    #[error("{}: {reason}", path.display())]
    Usage {
        /// What was named.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is not what it should be.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: String,
    },
}

/// Reads the results in `folders`: each is that of a run, or has sub-folders that are.
///
/// # Errors
/// [`FolderError::Usage`] when a folder is missing or holds no result, [`FolderError::Content`] when a file in it is
/// damaged.
pub fn read(folders: &[PathBuf]) -> Result<Results, FolderError> {
    let mut runs = Vec::new();
    for named in folders {
        for folder in run_folders(named)? {
            let result = read_result(&folder.join(RESULT_FILE))?;
            if result["findings"].is_array() {
                if folders.len() > 1 || !runs.is_empty() {
                    return Err(usage(
                        &folder,
                        "a comparison has a report of its own: name its folder alone",
                    ));
                }
                return Ok(Results::Compare(result));
            }
            if !result["response_us"].is_object() {
                let reason = "neither the result of a load run (response_us) nor of a comparison (findings)";
                return Err(content(&folder.join(RESULT_FILE), reason));
            }
            runs.push(read_run(&folder, result)?);
        }
    }
    name_apart(&mut runs);
    Ok(Results::Load(runs))
}

/// The folder itself when it holds a result, else its sub-folders that do, by name.
fn run_folders(named: &Path) -> Result<Vec<PathBuf>, FolderError> {
    if named.join(RESULT_FILE).exists() {
        return Ok(vec![named.to_owned()]);
    }
    let entries = fs::read_dir(named).map_err(|error| usage(named, &error.to_string()))?;
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join(RESULT_FILE).exists())
        .collect();
    folders.sort();
    match folders.len() {
        0 => Err(usage(
            named,
            "no result.json in it, nor in a folder in it (colloquy load --out DIR writes it)",
        )),
        1..=RUNS_MAX => Ok(folders),
        more => Err(usage(named, &format!("{more} results, and a report holds {RUNS_MAX} at most"))),
    }
}

fn read_result(path: &Path) -> Result<Value, FolderError> {
    serde_json::from_slice(&octets_of(path)?).map_err(|error| content(path, &format!("no JSON: {error}")))
}

fn read_run(folder: &Path, result: Value) -> Result<RunFolder, FolderError> {
    let log_path = folder.join(LOG_FILE);
    let log = match log_path.exists() {
        true => {
            Some(read_log(&octets_of(&log_path)?).map_err(|error| content(&log_path, &error.to_string()))?)
        }
        false => None,
    };
    Ok(RunFolder {
        name: own_name(folder),
        result,
        response_ns: histogram_of(&folder.join("response.hdr"))?,
        service_ns: histogram_of(&folder.join("service.hdr"))?,
        log,
    })
}

fn own_name(folder: &Path) -> String {
    let resolved = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    resolved.file_name().map_or_else(|| "run".into(), |name| name.to_string_lossy().into_owned())
}

/// Numbers runs whose folders have the same name.
fn name_apart(runs: &mut [RunFolder]) {
    let names: Vec<String> = runs.iter().map(|run| run.name.clone()).collect();
    for (place, run) in runs.iter_mut().enumerate() {
        if names.iter().filter(|name| **name == run.name).count() > 1 {
            run.name = format!("{} ({})", run.name, place + 1);
        }
    }
}

fn histogram_of(path: &Path) -> Result<Option<Histogram<u64>>, FolderError> {
    if !path.exists() {
        return Ok(None);
    }
    let octets = octets_of(path)?;
    read_hdr(&mut &octets[..]).map(Some).map_err(|error| content(path, &format!("no histogram: {error}")))
}

fn octets_of(path: &Path) -> Result<Vec<u8>, FolderError> {
    let read = || -> io::Result<Vec<u8>> {
        let length = fs::metadata(path)?.len();
        if length > FILE_OCTETS_MAX {
            return Err(io::Error::other(format!("{length} octets, and {FILE_OCTETS_MAX} are the most")));
        }
        fs::read(path)
    };
    read().map_err(|error| content(path, &error.to_string()))
}

fn usage(path: &Path, reason: &str) -> FolderError {
    FolderError::Usage { path: path.to_owned(), reason: reason.to_owned() }
}

fn content(path: &Path, reason: &str) -> FolderError {
    FolderError::Content { path: path.to_owned(), reason: reason.to_owned() }
}
