//! Random numbers that are the same on every platform for the same seed.

use std::time::Duration;

/// A generator (xoshiro256**, seeded by splitmix64). Not for secrets.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// A generator for `seed`.
    pub fn new(seed: u64) -> Random {
        let mut mix = seed;
        let state = std::array::from_fn(|_| {
            mix = mix.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (mix ^ (mix >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        });
        Random { state }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let [s0, s1, s2, s3] = &mut self.state;
        let result = s1.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = *s1 << 17;
        *s2 ^= *s0;
        *s3 ^= *s1;
        *s1 ^= *s2;
        *s0 ^= *s3;
        *s2 ^= t;
        *s3 = s3.rotate_left(45);
        result
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "no number is below 0");
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// True `ppm` times in a million. Draws nothing when it is 0, so that a fault that is off does not
    /// change the run.
    pub fn chance(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.below(1_000_000) < u64::from(ppm)
    }

    /// A time from `min` to `max`, both included.
    pub fn between(&mut self, min: Duration, max: Duration) -> Duration {
        let span = max.saturating_sub(min).as_nanos() as u64;
        if span == 0 { min } else { min + Duration::from_nanos(self.below(span + 1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_of_a_seed_is_fixed() {
        let mut random = Random::new(0);
        // Reference values of xoshiro256** after splitmix64 from 0.
        assert_eq!(random.bits(), 0x99ec_5f36_cb75_f2b4);
        assert_eq!(random.bits(), 0xbf6e_1f78_4956_452a);
        assert_eq!(random.bits(), 0x1a5f_849d_4933_e6e0);
    }

    #[test]
    fn chances_and_bounds_hold() {
        let mut random = Random::new(7);
        assert!((0..1000).all(|_| random.below(10) < 10));
        assert!((0..1000).all(|_| random.chance(1_000_000)));
        let hits = (0..100_000).filter(|_| random.chance(250_000)).count();
        assert!((24_000..26_000).contains(&hits), "{hits}");
        let before = random.clone().bits();
        assert!(!random.chance(0));
        assert_eq!(random.bits(), before, "nothing was drawn");
        let (min, max) = (Duration::from_micros(3), Duration::from_micros(9));
        assert!((0..1000).all(|_| (min..=max).contains(&random.between(min, max))));
    }
}
