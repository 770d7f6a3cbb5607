//! The file of the audit: only ever appended to, and continued over restarts and renames.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::chain::{BEGIN, Entry, Head, head_of_tail};

/// Who may read it.
const MODE: u32 = 0o640;
/// Octets at the end that are looked at for the last record.
const TAIL_OCTETS_MAX: u64 = 1 << 20;

/// Why the audit could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("audit file {path}: {error}")]
pub struct OpenError {
    path: PathBuf,
    error: io::Error,
}

/// An open file.
#[derive(Debug)]
pub(super) struct AuditFile {
    path: PathBuf,
    file: File,
    /// Device and inode.
    id: (u64, u64),
    head: Head,
    /// What was wrong with the file that was there, and where it is now.
    damage: Option<(String, PathBuf)>,
}

impl AuditFile {
    /// Opens, creates or, where what is there is damaged at its end, puts it aside and begins anew.
    pub(super) fn open(path: &Path, ts: &str) -> Result<AuditFile, OpenError> {
        open(path, ts).map_err(|error| OpenError { path: path.to_owned(), error })
    }

    pub(super) fn seq(&self) -> u64 {
        self.head.seq
    }

    pub(super) fn damage(&self) -> Option<&str> {
        self.damage.as_ref().map(|(what, _)| what.as_str())
    }

    pub(super) fn kept_aside(&self) -> Option<&Path> {
        self.damage.as_ref().map(|(_, path)| path.as_path())
    }

    /// Appends a record and waits until it is on the disk. After an error the chain is as it was before.
    pub(super) fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let is_there = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.id);
        if !is_there {
            self.begin_anew(&entry.ts)?;
        }
        self.write(entry)
    }

    /// A new file under the name of one that was renamed or removed.
    fn begin_anew(&mut self, ts: &str) -> io::Result<()> {
        let (file, id) = create(&self.path)?;
        let next = AuditFile { path: self.path.clone(), file, id, head: self.head.clone(), damage: None };
        *self = next;
        self.write(&begin(ts, json!({ "continues_seq": self.head.seq })))
    }

    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        let (line, head) = entry.line(&self.head);
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Half a line would break the chain for good.
            let _ = self.file.set_len(length);
            return Err(error);
        }
        self.head = head;
        Ok(())
    }
}

fn begin(ts: &str, arguments: Value) -> Entry {
    Entry { ts: ts.to_owned(), who: Value::Null, op: BEGIN.to_owned(), arguments, outcome: "done".to_owned() }
}

fn open(path: &Path, ts: &str) -> io::Result<AuditFile> {
    let (mut file, id) = create(path)?;
    let damage = match tail(&mut file)? {
        Ok(Some(head)) => return Ok(AuditFile { path: path.to_owned(), file, id, head, damage: None }),
        Ok(None) => None,
        Err(what) => {
            let mut aside = path.as_os_str().to_owned();
            aside.push(format!(".damaged-{}", ts.replace(':', "")));
            std::fs::rename(path, &aside)?;
            (file, _) = create(path)?;
            Some((what.to_owned(), PathBuf::from(aside)))
        }
    };
    let metadata = file.metadata()?;
    let id = (metadata.dev(), metadata.ino());
    let arguments = match &damage {
        Some((what, aside)) => json!({ "damage": what, "kept_as": aside.display().to_string() }),
        None => json!({}),
    };
    let mut opened = AuditFile { path: path.to_owned(), file, id, head: Head::start(), damage };
    opened.write(&begin(ts, arguments))?;
    Ok(opened)
}

fn create(path: &Path) -> io::Result<(File, (u64, u64))> {
    let file = OpenOptions::new().read(true).append(true).create(true).mode(MODE).open(path)?;
    let metadata = file.metadata()?;
    Ok((file, (metadata.dev(), metadata.ino())))
}

/// The last record.
fn tail(file: &mut File) -> io::Result<Result<Option<Head>, &'static str>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_OCTETS_MAX)))?;
    let mut octets = Vec::new();
    file.read_to_end(&mut octets)?;
    Ok(head_of_tail(&octets))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::super::chain::{Verified, verify};
    use super::*;

    const TS: &str = "2026-11-22T09:00:00.000Z";

    fn entry(op: &str) -> Entry {
        Entry { op: op.to_owned(), ..begin(TS, json!({})) }
    }

    fn verified(path: &Path) -> Verified {
        verify(BufReader::new(File::open(path).unwrap())).unwrap()
    }

    #[test]
    fn a_restart_goes_on_with_the_chain() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        for _ in 0..3 {
            let mut file = AuditFile::open(&path, TS).unwrap();
            assert_eq!(file.damage(), None);
            file.append(&entry("start")).unwrap();
            file.append(&entry("stop")).unwrap();
        }
        let verified = verified(&path);
        assert_eq!((verified.records, verified.head.seq), (7, 7));
    }

    #[test]
    fn a_renamed_file_is_followed_by_a_new_one_of_the_same_chain() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("audit.jsonl"), folder.path().join("audit.1"));
        let mut file = AuditFile::open(&path, TS).unwrap();
        file.append(&entry("one")).unwrap();
        std::fs::rename(&path, &old).unwrap();
        file.append(&entry("two")).unwrap();
        let (first, second) = (verified(&old), verified(&path));
        assert_eq!((first.head.seq, second.first_seq, second.head.seq), (2, 3, 4));
        assert_eq!(second.continues, first.head.hash);
    }

    #[test]
    fn a_damaged_file_is_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let mut file = AuditFile::open(&path, TS).unwrap();
        file.append(&entry("one")).unwrap();
        drop(file);
        let octets = std::fs::read(&path).unwrap();
        std::fs::write(&path, &octets[..octets.len() - 5]).unwrap();
        let file = AuditFile::open(&path, TS).unwrap();
        assert!(file.damage().is_some());
        assert_eq!(std::fs::read(file.kept_aside().unwrap()).unwrap(), octets[..octets.len() - 5]);
        assert_eq!(verified(&path).records, 1);
    }
}
