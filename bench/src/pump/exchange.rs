//! The octets of one dialogue.

/// What a connection sends first, and then again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Sent one by one, each as soon as one whole TPKT has answered the one before: CR, then CN.
    pub opening: Vec<Vec<u8>>,
    /// One request: whole TPKTs.
    pub request: Vec<u8>,
    /// Octets of its answer; 0 takes as many as the first answer has, which is one TPKT then.
    pub answer_octets: usize,
}
