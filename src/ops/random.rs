//! Randomness from the operating system, for everything that must not be guessed.

/// `N` fresh random bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Only a kernel without any randomness fails; to go on with guessable keys would be worse.
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_are_alike() {
        assert_ne!(super::bytes::<16>(), super::bytes::<16>());
    }
}
