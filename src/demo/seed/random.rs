//! Numbers that look random and are the same for the same seed (SplitMix64). For stories, never for
//! secrets.

#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// Seeded by a text too, so that each thread has numbers of its own.
    pub fn of(seed: u64, text: &str) -> Random {
        // FNV-1a
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Random(seed ^ hash)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `low` to below `high`; `low` when that is nothing.
    pub fn within(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low).unwrap_or(0).max(1);
        low + (self.next() % span) as i64
    }

    /// One of `items`, which must not be empty.
    pub fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[(self.next() % items.len() as u64) as usize]
    }

    /// Bytes for ids and keys of people who do not exist.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next() as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_tells_the_same_story() {
        let numbers = |mut random: Random| [random.next(), random.next()];
        assert_eq!(numbers(Random::of(7, "a")), numbers(Random::of(7, "a")));
        assert_ne!(numbers(Random::of(7, "a")), numbers(Random::of(7, "b")));
        assert_ne!(numbers(Random::of(7, "a")), numbers(Random::of(8, "a")));
        let mut random = Random::new(1);
        assert!((0..1000).all(|_| (3..9).contains(&random.within(3, 9))));
        assert_eq!(random.within(5, 5), 5);
        assert_eq!(random.pick(&["x"]), "x");
    }
}
