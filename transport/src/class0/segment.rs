//! A TSDU cut into DT TPDUs of the selected size.

use crate::buf::{Slice, TxBatch};

use super::tpkt::{self, DT_HEADER_OCTETS};

/// Puts the TSDU `header` then `body` into `out`, as DT TPDUs of at most `tpdu_octets`.
pub(super) fn put(header: &[u8], body: &[Slice], tpdu_octets: u32, out: &mut TxBatch) {
    let chunk_octets = tpdu_octets as usize - DT_HEADER_OCTETS;
    let total = header.len() + body.iter().map(|slice| slice.len()).sum::<usize>();
    if total <= chunk_octets {
        if total == 0 {
            return;
        }
        out.put_header(&tpkt::data_prefix(total, true));
        out.put_header(header);
        for slice in body.iter().filter(|slice| !slice.is_empty()) {
            out.put_slice(slice.clone());
        }
        return;
    }
    let mut source = Source { header, body, at: 0 };
    let mut left = total;
    while left > 0 {
        let octets = left.min(chunk_octets);
        left -= octets;
        out.put_header(&tpkt::data_prefix(octets, left == 0));
        source.put(octets, out);
    }
}

/// What of a TSDU has not been put yet; `at` octets of the first slice of `body` have.
struct Source<'a> {
    header: &'a [u8],
    body: &'a [Slice],
    at: usize,
}

impl Source<'_> {
    fn put(&mut self, octets: usize, out: &mut TxBatch) {
        let (now, later) = self.header.split_at(octets.min(self.header.len()));
        self.header = later;
        if !now.is_empty() {
            out.put_header(now);
        }
        let mut left = octets - now.len();
        while left > 0 {
            let slice = self.body.first().expect("the TSDU has as many octets as were counted");
            let end = slice.len().min(self.at + left);
            if self.at < end {
                out.put_slice(slice.sub(self.at..end));
            }
            left -= end - self.at;
            self.at = end;
            if end == slice.len() {
                self.body = &self.body[1..];
                self.at = 0;
            }
        }
    }
}
