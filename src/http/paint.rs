//! How deep stacks get: paints one before its work, and looks afterwards how far the paint is gone.
//!
//! Only in builds with the demo, and only when `CHAT_POSTA_PAINT` is set, since it touches every page
//! of every stack: `scripts/harden stacks` and tests/stacks.rs read the figures from `/metrics`.
use std::hint::black_box;
use std::ptr;
use std::sync::OnceLock;

const PAINT: usize = 0x5afe_5afe_5afe_5afe_u64 as usize;
/// Left alone at the upper end: the frames of the painter itself.
const OWN: usize = 4 * 1024;
/// Left alone at the lower end: what stands above the painter on the stack is not known, and there is
/// a guard page below it.
const MARGIN: usize = 16 * 1024;

pub fn is_on() -> bool {
    static ON: OnceLock<bool> = OnceLock::new();
    *ON.get_or_init(|| std::env::var_os("CHAT_POSTA_PAINT").is_some())
}

/// A painted stack; only good in the frame that painted it.
pub struct Painted {
    top: usize,
    low: usize,
}

impl Painted {
    /// Paints what is free of the caller's stack of `bytes`, near whose top it must be.
    #[inline(never)]
    pub fn paint(bytes: usize) -> Painted {
        let here = 0usize;
        let top = black_box(&raw const here) as usize;
        let low = top.saturating_sub(bytes - MARGIN) & !(size_of::<usize>() - 1);
        let mut at = (top - OWN) & !(size_of::<usize>() - 1);
        while at > low {
            // SAFETY: below every frame in use and above the stack's end; aligned.
            unsafe { ptr::write_volatile(at as *mut usize, PAINT) };
            at -= size_of::<usize>();
        }
        Painted { top, low }
    }

    /// How many bytes have been used since, below where it was painted.
    #[inline(never)]
    pub fn depth(&self) -> usize {
        let mut at = self.low + size_of::<usize>();
        // SAFETY: as above; what is read was written by the painter, or by who used it since.
        while at < self.top - OWN && unsafe { ptr::read_volatile(at as *const usize) } == PAINT {
            at += size_of::<usize>();
        }
        self.top - at
    }
}
