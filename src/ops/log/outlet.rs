//! Where the log's lines go: to standard error, many at a time, by a thread of its own. Whoever answers
//! a request waits neither for the kernel nor for what reads the log.
//!
//! A line waits for [`PAUSE`] at most. Warnings and errors are written at once, after what came before
//! them, and so is everything when a thread panics and when the program ends: only what kills the
//! process outright can take the last lines along.
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long lines are gathered before they are written.
const PAUSE: Duration = Duration::from_millis(5);
/// Bytes that may wait; who brings more writes them itself, as slowly as they are taken.
const MOST: usize = 256 * 1024;

pub struct Outlet {
    waiting: Mutex<Vec<u8>>,
    /// Something waits.
    some: Condvar,
    /// Held while writing, so that lines stay in order.
    pen: Mutex<()>,
}

impl Outlet {
    pub const fn new() -> Outlet {
        Outlet { waiting: Mutex::new(Vec::new()), some: Condvar::new(), pen: Mutex::new(()) }
    }

    /// Starts the thread that writes.
    pub fn start(&'static self) -> io::Result<()> {
        thread::Builder::new().name("log".into()).stack_size(64 * 1024).spawn(|| self.run())?;
        Ok(())
    }

    /// Takes one line, with its end.
    pub fn add(&self, line: &[u8], at_once: bool) {
        let (first, many) = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let first = waiting.is_empty();
            waiting.extend_from_slice(line);
            (first, waiting.len() > MOST)
        };
        if at_once || many {
            self.flush();
        } else if first {
            self.some.notify_one();
        }
    }

    /// Writes what waits.
    pub fn flush(&self) {
        let pen = self.pen.lock();
        self.write();
        drop(pen);
    }

    /// The same where the thread may be just about to write: then it does.
    pub fn try_flush(&self) {
        if let Ok(_pen) = self.pen.try_lock() {
            self.write();
        }
    }

    #[expect(clippy::disallowed_methods, reason = "what is urgent is worth waiting for")]
    fn write(&self) {
        let lines =
            std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        // A log that nobody takes is no reason to stop.
        let _ = io::stderr().write_all(&lines);
    }

    #[expect(clippy::disallowed_methods, reason = "the log's own thread")]
    fn run(&self) {
        loop {
            {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                while waiting.is_empty() {
                    waiting = self.some.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                }
            }
            thread::sleep(PAUSE);
            self.flush();
        }
    }
}
