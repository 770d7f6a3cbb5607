//! Octets of an input with their offsets, so that every fault can name its place.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// What is wrong with an input, and where.
#[derive(Debug)]
pub(crate) struct InputFault {
    /// Offset in the input, in octets.
    pub(crate) offset: u64,
    /// What is wrong there.
    pub(crate) what: String,
}

impl InputFault {
    pub(crate) fn new(offset: u64, what: impl Into<String>) -> InputFault {
        InputFault { offset, what: what.into() }
    }
}

/// An input being read from front to back.
pub(crate) struct Input {
    reader: Box<dyn Read>,
    offset: u64,
    /// Octets looked at and not yet taken.
    ahead: Vec<u8>,
}

impl Input {
    /// Opens a file, or standard input for `-`.
    pub(crate) fn open(path: &Path) -> io::Result<Input> {
        if path == Path::new("-") {
            return Ok(Input::new(Box::new(io::stdin())));
        }
        Ok(Input::new(Box::new(BufReader::with_capacity(1 << 16, File::open(path)?))))
    }

    /// Reads from `reader`.
    pub(crate) fn new(reader: Box<dyn Read>) -> Input {
        Input { reader, offset: 0, ahead: Vec::new() }
    }

    /// Offset of the next octet.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next up to `count` octets, left in place.
    pub(crate) fn peek(&mut self, count: usize) -> Result<&[u8], InputFault> {
        while self.ahead.len() < count {
            let mut octets = vec![0; count - self.ahead.len()];
            let read = self.read_some(&mut octets)?;
            if read == 0 {
                break;
            }
            self.ahead.extend_from_slice(&octets[..read]);
        }
        Ok(&self.ahead[..count.min(self.ahead.len())])
    }

    /// True when nothing follows.
    pub(crate) fn is_at_end(&mut self) -> Result<bool, InputFault> {
        Ok(self.peek(1)?.is_empty())
    }

    /// Takes exactly `count` octets; `what` they are goes into the fault if there are fewer.
    pub(crate) fn take(&mut self, count: usize, what: &str) -> Result<Vec<u8>, InputFault> {
        let start = self.offset;
        let mut octets = vec![0; count];
        let from_ahead = count.min(self.ahead.len());
        octets[..from_ahead].copy_from_slice(&self.ahead[..from_ahead]);
        self.ahead.drain(..from_ahead);
        let mut filled = from_ahead;
        while filled < count {
            let read = self.read_some(&mut octets[filled..])?;
            if read == 0 {
                let fault = format!("{what} of {count} octets is cut off after {filled}");
                return Err(InputFault::new(start, fault));
            }
            filled += read;
        }
        self.offset += count as u64;
        Ok(octets)
    }

    /// Takes all that is left, which may be at most `octets_max` octets.
    pub(crate) fn take_rest(&mut self, octets_max: usize) -> Result<Vec<u8>, InputFault> {
        let mut octets = std::mem::take(&mut self.ahead);
        let limit = (octets_max + 1).saturating_sub(octets.len()) as u64;
        let read = self.reader.by_ref().take(limit).read_to_end(&mut octets);
        read.map_err(|error| InputFault::new(self.offset, error.to_string()))?;
        if octets.len() > octets_max {
            return Err(InputFault::new(self.offset, format!("longer than {octets_max} octets")));
        }
        self.offset += octets.len() as u64;
        Ok(octets)
    }

    fn read_some(&mut self, octets: &mut [u8]) -> Result<usize, InputFault> {
        loop {
            match self.reader.read(octets) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(InputFault::new(self.offset, error.to_string())),
                Ok(read) => return Ok(read),
            }
        }
    }
}
