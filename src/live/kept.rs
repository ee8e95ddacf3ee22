//! A value that counts how often it was taken in hand to be changed: as long as that is the same, so
//! is the value.
use std::ops::{Deref, DerefMut};

#[derive(Debug, Default)]
pub struct Kept<T> {
    value: T,
    version: u64,
}

impl<T> Kept<T> {
    pub fn new(value: T) -> Kept<T> {
        Kept { value, version: 0 }
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    /// For a change that nobody sees.
    pub fn quietly(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Kept<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.version += 1;
        &mut self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_may_change_it_is_counted() {
        let mut kept = Kept::new(vec![1]);
        assert_eq!((kept.len(), kept.version()), (1, 0), "looking is not changing");
        kept.push(2);
        *kept = vec![3];
        kept.quietly().push(4);
        assert_eq!((kept.as_slice(), kept.version()), (&[3, 4][..], 2));
    }
}
