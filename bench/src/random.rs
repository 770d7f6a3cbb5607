//! A small seeded generator of pseudo-random numbers (SplitMix64): the same seed gives the same run.

/// A stream of pseudo-random numbers. Not for secrets.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Random {
        Random { state: seed }
    }

    /// The stream number `stream` of `seed`, unrelated to its other streams.
    pub fn stream(seed: u64, stream: u64) -> Random {
        let mut random = Random::new(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        random.next_u64();
        random
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in the half-open interval from 0 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Exponentially distributed with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// `count` octets.
    pub fn octets(&mut self, count: usize) -> Vec<u8> {
        let mut octets = Vec::with_capacity(count.next_multiple_of(8));
        while octets.len() < count {
            octets.extend_from_slice(&self.next_u64().to_le_bytes());
        }
        octets.truncate(count);
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_gaps_have_their_mean_and_their_tail() {
        let mut random = Random::new(7);
        let gaps: Vec<f64> = (0..200_000).map(|_| random.exponential(3.0)).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        assert!((mean - 3.0).abs() < 0.03, "{mean}");
        // P(X > 3 means) = e^-3 = 0.0498.
        let tail = gaps.iter().filter(|gap| **gap > 9.0).count() as f64 / gaps.len() as f64;
        assert!((tail - 0.0498).abs() < 0.003, "{tail}");
    }

    #[test]
    fn streams_of_one_seed_differ_and_repeat() {
        assert_eq!(Random::stream(1, 2).next_u64(), Random::stream(1, 2).next_u64());
        assert_ne!(Random::stream(1, 2).next_u64(), Random::stream(1, 3).next_u64());
        assert_eq!(Random::new(3).octets(13).len(), 13);
    }
}
