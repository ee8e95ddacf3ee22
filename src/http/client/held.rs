//! Memory that whole answers take, from their first piece until whoever wanted them has read them: how
//! much of one server's, and how much in all. Servers are their users' choice, so each is bounded by
//! itself: one that sends all it may holds up its own callers only.
use super::{CallError, Origin};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroize;

/// Bytes of one server's answers: the largest one, and many of the usual.
const MAX_PER_ORIGIN: usize = 32 << 20;
/// Bytes in all.
const MAX_IN_ALL: usize = 256 << 20;
/// An answer up to this many bytes is not counted: the places for calls bound those.
const UNCOUNTED: usize = 64 << 10;

#[derive(Default)]
pub struct Held(Mutex<Books>);

#[derive(Default)]
struct Books {
    in_all: usize,
    of: HashMap<Origin, usize>,
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A whole answer's bytes.
#[derive(Default)]
pub struct Bytes {
    bytes: Vec<u8>,
    share: Option<Share>,
}

/// What it takes of the memory for all; its drop gives that back.
struct Share {
    held: Arc<Held>,
    origin: Origin,
    taken: usize,
}

impl Bytes {
    /// None yet, of an answer from `origin`; without one nobody counts them.
    pub(super) fn of(counted: Option<(Arc<Held>, Origin)>) -> Bytes {
        let share = counted.map(|(held, origin)| Share { held, origin, taken: 0 });
        Bytes { bytes: Vec::new(), share }
    }

    /// Adds what `read` gives, at most `room` bytes of it: how many that were.
    pub(super) fn fill(
        &mut self,
        room: usize,
        read: impl FnOnce(&mut [u8]) -> Result<usize, CallError>,
    ) -> Result<usize, CallError> {
        let start = self.bytes.len();
        if let Some(share) = &mut self.share {
            share.grow((start + room).saturating_sub(UNCOUNTED))?;
        }
        self.bytes.resize(start + room, 0);
        let read = read(&mut self.bytes[start..]);
        self.bytes.truncate(start + read.as_ref().unwrap_or(&0));
        read
    }
}

impl Share {
    fn grow(&mut self, to: usize) -> Result<(), CallError> {
        let more = to.saturating_sub(self.taken);
        if more == 0 {
            return Ok(());
        }
        let mut books = self.held.lock();
        let of_origin = books.of.get(&self.origin).copied().unwrap_or(0) + more;
        let in_all = books.in_all + more;
        if of_origin > MAX_PER_ORIGIN || in_all > MAX_IN_ALL {
            return Err(CallError::Crowded);
        }
        books.in_all = in_all;
        books.of.insert(self.origin.clone(), of_origin);
        self.taken += more;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.taken == 0 {
            return;
        }
        let mut books = self.held.lock();
        books.in_all -= self.taken;
        if let Some(of_origin) = books.of.get_mut(&self.origin) {
            *of_origin -= self.taken;
            if *of_origin == 0 {
                books.of.remove(&self.origin);
            }
        }
    }
}

impl Zeroize for Bytes {
    fn zeroize(&mut self) {
        self.bytes.zeroize();
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(held: &Arc<Held>, host: &str, size: usize) -> Result<Bytes, CallError> {
        let origin = Origin { tls: true, host: host.into(), port: 443 };
        let mut bytes = Bytes::of(Some((held.clone(), origin)));
        bytes.fill(size, |room| Ok(room.len()))?;
        Ok(bytes)
    }

    #[test]
    fn one_server_s_answers_have_a_bound_and_all_have_one() {
        let held = Arc::new(Held::default());
        let whole = UNCOUNTED + MAX_PER_ORIGIN;
        let first = some(&held, "a", whole).unwrap();
        assert_eq!(first.len(), whole);
        assert!(matches!(some(&held, "a", UNCOUNTED + 1), Err(CallError::Crowded)));
        some(&held, "a", UNCOUNTED).expect("a small one");
        let mut all: Vec<_> = (1..MAX_IN_ALL / MAX_PER_ORIGIN)
            .map(|number| some(&held, &format!("b{number}"), whole).unwrap())
            .collect();
        assert!(matches!(some(&held, "c", UNCOUNTED + 1), Err(CallError::Crowded)));
        all.pop();
        some(&held, "c", whole).expect("the memory of one that is gone");
        drop((first, all));
        let books = held.lock();
        assert!(books.in_all == 0 && books.of.is_empty(), "nothing is remembered");
    }
}
