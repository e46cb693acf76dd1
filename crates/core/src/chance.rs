//! Chance that the same seed always repeats.

/// A small generator (`SplitMix64`, Steele, Lea and Flood 2014); good enough to spread retries.
#[derive(Debug, Clone)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// Returns the sequence that belongs to a seed.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Returns the next number.
    pub const fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `limit`, or 0 when that is 0.
    pub const fn below(&mut self, limit: u64) -> u64 {
        let number = self.number();
        match number.checked_rem(limit) {
            Some(rest) => rest,
            None => 0,
        }
    }
}
