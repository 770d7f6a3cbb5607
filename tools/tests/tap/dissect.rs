//! What tshark makes of a file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;

/// A file of a tap.
pub(crate) struct Capture {
    path: PathBuf,
    pub(crate) octets: Vec<u8>,
    _folder: tempfile::TempDir,
}

/// True where `part` is somewhere in `octets`.
pub(crate) fn contains(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

impl Capture {
    pub(crate) fn of(path: PathBuf, folder: tempfile::TempDir) -> Capture {
        let octets = std::fs::read(&path).expect("the tap has written it");
        Capture { path, octets, _folder: folder }
    }

    /// The fields of every frame that fits a display filter, one line each.
    fn fields(&self, filter: &str, fields: &[&str]) -> String {
        let mut command = tshark(&self.path);
        command.args(["-Y", filter, "-T", "fields"]);
        for field in fields {
            command.args(["-e", field]);
        }
        process::run(command)
    }

    /// One line for each frame, for the message of a test that fails.
    pub(crate) fn summary(&self) -> String {
        process::run(tshark(&self.path))
    }

    /// Frames that tshark does not understand.
    pub(crate) fn malformed(&self) -> String {
        self.fields("_ws.malformed || ses.bad_length || ses.bad_parameter_length", &["frame.number"])
    }

    /// How many SPDUs have this SI; of GT and DT, which share one, the pair counts once.
    pub(crate) fn spdus(&self, si: u8) -> usize {
        let all = self.fields("ses", &["ses.type"]);
        let frames = all.lines().flat_map(|line| line.split(','));
        let count = frames.filter(|text| text.trim().parse::<u8>() == Ok(si)).count();
        if si == 1 { count / 2 } else { count }
    }

    /// TCP connections.
    pub(crate) fn streams(&self) -> usize {
        self.fields("tcp", &["tcp.stream"]).lines().collect::<BTreeSet<_>>().len()
    }

    pub(crate) fn lost_segments(&self) -> usize {
        let filter =
            "tcp.analysis.lost_segment || tcp.analysis.retransmission || tcp.analysis.ack_lost_segment";
        self.fields(filter, &["frame.number"]).lines().count()
    }

    pub(crate) fn ports(&self) -> BTreeSet<u16> {
        let ports = self.fields("tcp", &["tcp.dstport"]);
        ports.lines().filter_map(|line| line.parse().ok()).collect()
    }

    pub(crate) fn captured_octets_max(&self) -> usize {
        let lengths = self.fields("tcp", &["frame.cap_len"]);
        lengths.lines().filter_map(|line| line.parse().ok()).max().unwrap_or(0)
    }

    /// What the statistics at the end of the file say was left out.
    pub(crate) fn dropped(&self) -> u64 {
        const STATISTICS: [u8; 4] = [5, 0, 0, 0];
        const DROPPED: [u8; 4] = [5, 0, 8, 0];
        let start = (0..self.octets.len()).step_by(4).rfind(|at| self.octets[*at..].starts_with(&STATISTICS));
        let block = &self.octets[start.expect("the file ends with statistics")..];
        let option = block.windows(4).rposition(|word| word == DROPPED).expect("they say what was dropped");
        u64::from_le_bytes(block[option + 4..option + 12].try_into().expect("eight octets"))
    }
}

fn tshark(path: &Path) -> Command {
    let mut command = Command::new("timeout");
    // User data that were overwritten, or are a test's, are no presentation layer.
    command.args(["60", "tshark", "-n", "--disable-protocol", "pres", "-r"]).arg(path);
    command
}
