//! What the machine's tests share: a small random generator with a seed that can be given back.
#![allow(dead_code)]

/// A xorshift generator: the tests need reproducible variety, not quality.
pub struct Random(u64);

impl Random {
    /// Takes the seed from `COLLOQUY_SEED`, else `default`, and prints it.
    pub fn from_environment(default: u64) -> Random {
        let seed = match std::env::var("COLLOQUY_SEED") {
            Ok(text) => text.parse().expect("COLLOQUY_SEED is a number"),
            Err(_) => default,
        };
        println!("COLLOQUY_SEED={seed}");
        Random::new(seed)
    }

    /// A generator with this seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// True once in `n`.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// A coin.
    pub fn coin(&mut self) -> bool {
        self.next() & 1 == 1
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}
