//! A TSDU as a chain of slices.

use super::{Gather, Slice, copies};

/// A TSDU, or its user data: one slice nearly always, more when it straddles receive blocks or TPDUs.
///
/// Never empty of slices: an empty body has an empty head.
#[derive(Clone, Debug, Default)]
pub struct Body {
    head: Slice,
    rest: Vec<Slice>,
}

impl Body {
    /// A body of one slice; does not allocate.
    pub fn new(head: Slice) -> Body {
        Body { head, rest: Vec::new() }
    }

    /// A body of several slices.
    pub fn with_rest(head: Slice, rest: Vec<Slice>) -> Body {
        Body { head, rest }
    }

    /// Drops the first `octets` octets, which must lie in the head.
    ///
    /// # Panics
    /// When the head is shorter.
    pub fn advance(&mut self, octets: usize) {
        self.head.advance(octets);
    }

    /// Lets the head have `octets` octets, or all there are: copies it together with what it lacks. For headers that
    /// go on in the next slice; what is behind them stays where it is.
    pub fn lengthen_head(&mut self, octets: usize) {
        if self.head.len() >= octets || self.rest.is_empty() {
            return;
        }
        let mut gather = Gather::default();
        gather.extend(&self.head);
        let mut used_up = 0;
        for slice in &mut self.rest {
            let missing = octets - gather.len();
            gather.extend(&slice.split_to(slice.len().min(missing)));
            if !slice.is_empty() {
                break;
            }
            used_up += 1;
        }
        self.rest.drain(..used_up);
        self.head = gather.freeze();
    }

    /// The same octets in one contiguous slice; copies (and counts the copy) only when there are several
    /// that are not neighbours in one block.
    pub fn into_contiguous(self) -> Slice {
        let mut whole = self.head;
        let separate = self.rest.iter().position(|next| !next.is_empty() && !whole.join(next));
        let Some(separate) = separate else { return whole };
        let rest = &self.rest[separate..];
        let octets = whole.len() + rest.iter().map(|slice| slice.len()).sum::<usize>();
        if whole.is_empty() && rest[1..].iter().all(|slice| slice.is_empty()) {
            return rest[0].clone();
        }
        let mut copy = Vec::with_capacity(octets);
        copy.extend_from_slice(&whole);
        rest.iter().for_each(|slice| copy.extend_from_slice(slice));
        copies::count(octets);
        Slice::from_vec(copy)
    }

    /// Gives back the vector of the rest, emptied, for reuse.
    pub fn into_rest(mut self) -> Vec<Slice> {
        self.rest.clear();
        self.rest
    }

    /// The first slice.
    pub fn head(&self) -> &Slice {
        &self.head
    }

    /// The slices after the first.
    pub fn rest(&self) -> &[Slice] {
        &self.rest
    }

    /// Octets in all slices.
    #[inline]
    pub fn len(&self) -> usize {
        self.head.len() + self.rest.iter().map(|slice| slice.len()).sum::<usize>()
    }

    /// True when there are no octets.
    pub fn is_empty(&self) -> bool {
        self.slices().all(|slice| slice.is_empty())
    }

    /// All slices in order.
    pub fn slices(&self) -> impl Iterator<Item = &Slice> {
        core::iter::once(&self.head).chain(self.rest.iter())
    }
}

impl From<Slice> for Body {
    fn from(head: Slice) -> Body {
        Body::new(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_one_slice_is_contiguous_without_a_copy() {
        let slice = Slice::from_vec(b"abcdef".to_vec());
        let (address, before) = (slice.as_ptr(), copies::of_this_thread());
        let mut body = Body::new(slice);
        body.advance(2);
        assert_eq!(body.len(), 4);
        let whole = body.into_contiguous();
        assert_eq!(whole.as_ptr(), address.wrapping_add(2));
        assert_eq!(copies::of_this_thread(), before);
    }

    #[test]
    fn neighbours_become_one_slice_without_a_copy() {
        let whole = Slice::from_vec(b"abcdef".to_vec());
        let before = copies::of_this_thread();
        let body = Body::with_rest(whole.sub(0..2), vec![whole.sub(2..2), whole.sub(2..6)]);
        assert_eq!(&*body.into_contiguous(), b"abcdef");
        let body = Body::with_rest(Slice::default(), vec![whole.sub(1..3)]);
        assert_eq!(&*body.into_contiguous(), b"bc");
        assert_eq!(copies::of_this_thread(), before);
    }

    #[test]
    fn separate_slices_are_copied_once_and_counted() {
        let parts = ["ab", "cd", "", "ef"].map(|part| Slice::from_vec(part.into()));
        let [head, rest @ ..] = parts;
        let body = Body::with_rest(head, rest.to_vec());
        assert_eq!((body.len(), body.is_empty()), (6, false));
        let before = copies::of_this_thread();
        assert_eq!(&*body.into_contiguous(), b"abcdef");
        let after = copies::of_this_thread();
        assert_eq!((after.small_count, after.octets), (before.small_count + 1, before.octets + 6));
    }

    #[test]
    fn a_head_is_lengthened_by_what_it_lacks_and_no_more() {
        for wanted in 0..10 {
            let parts = ["ab", "c", "", "defg"].map(|part| Slice::from_vec(part.into()));
            let [head, rest @ ..] = parts;
            let last = rest[2].clone();
            let mut body = Body::with_rest(head, rest.to_vec());
            body.lengthen_head(wanted);
            assert_eq!(body.head().len(), wanted.clamp(2, 7), "{wanted} wanted");
            let octets: Vec<u8> = body.slices().flat_map(|slice| slice.to_vec()).collect();
            assert_eq!(octets, b"abcdefg", "{wanted} wanted");
            let left = body.rest().last().map(|slice| slice.as_ptr());
            let expected = (wanted < 7).then(|| last.as_ptr().wrapping_add(wanted.saturating_sub(3)));
            assert_eq!(left, expected, "{wanted} wanted: the rest stays where it is");
        }
    }

    #[test]
    fn the_vector_of_the_rest_is_reusable() {
        let mut rest = Vec::with_capacity(9);
        rest.push(Slice::from_vec(b"x".to_vec()));
        let rest = Body::with_rest(Slice::default(), rest).into_rest();
        assert!(rest.is_empty());
        assert_eq!(rest.capacity(), 9);
        assert!(Body::default().is_empty());
    }
}
