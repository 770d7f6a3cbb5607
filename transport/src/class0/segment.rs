//! A TSDU cut into DT TPDUs of the selected size.

use arrayvec::ArrayVec;

use crate::buf::{Slice, TxBatch};

use super::tpkt::{self, DT_HEADER_OCTETS, PREFIX_OCTETS};

/// Octets of a TSDU's own header that go into one part with the header of the TPDU; a longer one is a part by itself.
const HEADER_OCTETS_MAX: usize = 16;

/// Puts the TSDU `header`, `head`, `rest` into `out`, as DT TPDUs of at most `tpdu_octets`.
pub(super) fn put(header: &[u8], head: &Slice, rest: &[Slice], tpdu_octets: u32, out: &mut TxBatch) {
    let chunk_octets = tpdu_octets as usize - DT_HEADER_OCTETS;
    let total = header.len() + head.len() + rest.iter().map(|slice| slice.len()).sum::<usize>();
    let mut source = Source { header, slice: head, at: 0, rest };
    let mut left = total;
    while left > 0 {
        let octets = left.min(chunk_octets);
        left -= octets;
        source.put(&tpkt::data_prefix(octets, left == 0), octets, out);
    }
}

/// Puts a TSDU of one TPDU into `out`: `header`, then `body`.
#[inline]
pub(super) fn put_whole(header: &[u8; 4], body: &Slice, out: &mut TxBatch) {
    let mut front = [0; PREFIX_OCTETS + 4];
    front[..PREFIX_OCTETS].copy_from_slice(&tpkt::data_prefix(header.len() + body.len(), true));
    front[PREFIX_OCTETS..].copy_from_slice(header);
    out.put_framed_by(&front, body);
}

/// What of a TSDU has not been put yet; `at` octets of `slice` have.
struct Source<'a> {
    header: &'a [u8],
    slice: &'a Slice,
    at: usize,
    rest: &'a [Slice],
}

impl Source<'_> {
    /// Puts one TPDU: `prefix`, then the next `octets` octets.
    fn put(&mut self, prefix: &[u8; PREFIX_OCTETS], octets: usize, out: &mut TxBatch) {
        let (now, later) = self.header.split_at(octets.min(self.header.len()));
        self.header = later;
        let mut front = ArrayVec::<u8, { PREFIX_OCTETS + HEADER_OCTETS_MAX }>::from_iter(*prefix);
        if front.try_extend_from_slice(now).is_err() {
            out.put_header(&front);
            out.put_header(now);
            front.clear();
        }
        let mut left = octets - now.len();
        while left > 0 {
            if self.at == self.slice.len() {
                let (slice, rest) =
                    self.rest.split_first().expect("the TSDU has as many octets as were counted");
                (self.slice, self.at, self.rest) = (slice, 0, rest);
                continue;
            }
            let end = self.slice.len().min(self.at + left);
            if self.at == 0 && end == self.slice.len() {
                out.put_framed(&front, self.slice);
            } else {
                out.put_framed(&front, &self.slice.sub(self.at..end));
            }
            front.clear();
            left -= end - self.at;
            self.at = end;
        }
        out.put_header(&front);
    }
}
