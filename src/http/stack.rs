//! How much stack a coroutine gets: the one place that says so, with the reasons.
//!
//! Untouched stack is address space, not memory: an idle coroutine costs about 8.5 KiB resident
//! whether it has 32 or 512 KiB to grow into. But a page once touched stays with its coroutine, so
//! long-lived coroutines should stay shallow, and an overflow kills the whole process, so none may
//! be short. Smallest stack that survived, release / debug: TLS handshake 32 / 64 KiB, P-256 verify
//! 64 / 128, JSON nested 100 deep 64 / 256, panic and unwind 32 / 32.
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use may::coroutine::JoinHandle;

/// May counts stacks in words.
const fn kib(kib: usize) -> usize {
    kib * 1024 / size_of::<usize>()
}

/// A kind of coroutine: its stack and how many may live. Together they stay well below the ~32,700
/// at which `spawn` panics (each stack takes two of the 65,530 memory maps Linux grants).
struct Kind {
    name: &'static str,
    words: usize,
    cap: usize,
    live: AtomicUsize,
    /// Most bytes of stack that any has used, where that is measured.
    #[cfg(feature = "demo")]
    deepest: AtomicUsize,
}

const fn kind(name: &'static str, release_kib: usize, debug_kib: usize, cap: usize) -> Kind {
    let words = kib(if cfg!(debug_assertions) { debug_kib } else { release_kib });
    Kind {
        name,
        words,
        cap,
        live: AtomicUsize::new(0),
        #[cfg(feature = "demo")]
        deepest: AtomicUsize::new(0),
    }
}

/// A handler renders pages, parses and prints JSON, and calls upstreams through TLS on this stack.
static CONNECTION: Kind = kind("connection", 256, 512, super::limits::MAX_CONNECTIONS + 64);
/// Reads one upstream event stream for hours; small JSON at most.
static STREAM: Kind = kind("stream", 64, 256, 8_000);

/// Coroutines of may's default size kept ready. Nothing here has that size (a pool filled before a
/// change of the default would hand out stacks of the wrong one), and the thousand it would keep
/// cost 8 MiB.
const POOL: usize = 1;

/// How long a worker of may's with nothing to do sleeps, in nanoseconds, before it looks whether
/// another one has more to do than it can. May's 10 ms cost 0.4 % of a core for nothing, all day; what
/// computes for long does not run on these workers (`deep`), so there is little to take over.
const LOOKS_AROUND: u64 = 200_000_000;

/// Sets may up, once, before its scheduler starts.
pub fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        may::config().set_pool_capacity(POOL);
        // The kernel knows better where there is time to run.
        may::config().set_worker_pin(false);
        may::config().set_timeout_ns(LOOKS_AROUND);
    });
}

/// Spawns what serves one connection. Refuses above its cap.
pub fn spawn_connection(f: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    CONNECTION.spawn(f)
}

/// Spawns what lives long and stays shallow. Refuses above its cap.
pub fn spawn_stream(f: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    STREAM.spawn(f)
}

/// Lets others have the thread, where one computes for long.
pub fn breathe() {
    may::coroutine::yield_now();
}

/// Coroutines alive, by kind.
pub fn alive() -> [(&'static str, usize); 2] {
    [&CONNECTION, &STREAM].map(|kind| (kind.name, kind.live.load(Ordering::Relaxed)))
}

/// Most bytes of stack used, and bytes there are, by kind; measured only where `paint` is on.
#[cfg(feature = "demo")]
pub fn deepest() -> [(&'static str, usize, usize); 2] {
    let of = |kind: &Kind| {
        (kind.name, kind.deepest.load(Ordering::Relaxed), kind.words * size_of::<usize>())
    };
    [&CONNECTION, &STREAM].map(of)
}

/// One of a kind is alive.
struct Live(&'static Kind);

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Kind {
    /// Runs `f` on a painted stack.
    #[cfg(feature = "demo")]
    fn measure(&self, f: impl FnOnce()) {
        let painted = super::paint::Painted::paint(self.words * size_of::<usize>());
        f();
        self.deepest.fetch_max(painted.depth(), Ordering::Relaxed);
    }

    fn spawn(&'static self, f: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
        prepare();
        let live = Live(self);
        if self.live.fetch_add(1, Ordering::AcqRel) >= self.cap {
            return Err(io::Error::other(format!("too many {} coroutines", self.name)));
        }
        let run = move || {
            let _live = live;
            #[cfg(feature = "demo")]
            if super::paint::is_on() {
                return self.measure(f);
            }
            f();
        };
        let builder = may::coroutine::Builder::new().name(self.name.into()).stack_size(self.words);
        // SAFETY: the stack fits the work (above), and no thread-local is held across a yield, by
        // the rule for everything that runs on coroutines here.
        // May panics where the kernel gives no stack; that must not take the accept loop along.
        catch_unwind(AssertUnwindSafe(|| unsafe { builder.spawn(run) }))
            .unwrap_or_else(|_| Err(io::Error::other("no memory for another stack")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Runs `work` on a coroutine with half the stack of `kind`: what passes has as much again to
    /// spare. An overflow ends the whole test process, which is the point.
    fn with_half_of(kind: &Kind, work: impl FnOnce() + Send + 'static) {
        prepare();
        let builder = may::coroutine::Builder::new().stack_size(kind.words / 2);
        // SAFETY: as in `Kind::spawn`; that it fits is what is tested.
        let handle = unsafe { builder.spawn(work) }.unwrap();
        handle.join().expect("no panic");
    }

    /// The deepest things a handler does, each at its deepest.
    fn deepest() {
        let nested = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        let value: serde_json::Value = serde_json::from_str(&nested).unwrap();
        assert_eq!(value.to_string(), nested);
        drop(value);

        let lines = "a-field-line: of some length\r\n".repeat(100);
        let head = format!("HTTP/1.1 200 OK\r\n{lines}\r\n");
        let mut fields = [httparse::EMPTY_HEADER; 100];
        assert!(httparse::Response::new(&mut fields).parse(head.as_bytes()).is_ok());

        let caught = catch_unwind(|| {
            let deep: Vec<String> = (0..100).map(|n| format!("{n:?}")).collect();
            std::panic::resume_unwind(Box::new(deep));
        });
        assert!(caught.is_err());
    }

    #[test]
    fn connections_have_twice_what_the_deepest_handler_needs() {
        with_half_of(&CONNECTION, deepest);
    }

    #[test]
    fn more_than_the_cap_is_refused() {
        static FEW: Kind = kind("few", 64, 64, 2);
        let (open, gate) = may::sync::mpsc::channel::<()>();
        let gate = std::sync::Arc::new(may::sync::Mutex::new(gate));
        let wait = || {
            let gate = gate.clone();
            move || assert!(gate.lock().unwrap().recv().is_err())
        };
        let held = [FEW.spawn(wait()).unwrap(), FEW.spawn(wait()).unwrap()];
        assert!(FEW.spawn(wait()).is_err());
        drop(open);
        held.into_iter().for_each(|handle| handle.join().unwrap());
        let (done, ended) = mpsc::channel();
        FEW.spawn(move || done.send(()).unwrap()).unwrap();
        ended.recv().expect("room again");
    }
}
