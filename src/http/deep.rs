//! Work that needs a deep stack (signature checks, big JSON) on a few named OS threads, so that
//! coroutines stay shallow.

/// Runs `work` on a deep thread and waits for it without blocking the OS thread of a coroutine. A
/// panic inside is resumed in the caller. Also callable from plain threads.
pub fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let _ = work;
    todo!()
}
