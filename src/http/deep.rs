//! Work that needs a deep stack (signature checks, handshakes, big JSON) on a few named OS threads, so
//! that coroutines stay shallow and the threads that carry them stay free.
//!
//! Callers wait for their answer, so the queue is never longer than there are callers.
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

type Work = Box<dyn FnOnce() + Send>;

/// One long computation must not hold up everybody's next.
const THREADS: usize = 3;
/// Bytes of stack: as the program's main thread commonly has.
const STACK: usize = 4 << 20;

/// How the deep threads' names begin.
const NAME: &str = "deep-";

/// Whether this is one of the deep threads; no coroutine ever runs there.
fn is_deep() -> bool {
    thread::current().name().is_some_and(|name| name.starts_with(NAME))
}

/// Runs `work` on a deep thread and waits for it without blocking the OS thread of a coroutine. A
/// panic inside is resumed in the caller. Also callable from plain threads; work that is deep already
/// goes on where it is.
pub fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    if is_deep() {
        return work();
    }
    let (answer, receiver) = may::sync::mpsc::channel();
    let job: Work = Box::new(move || {
        // A caller that was cancelled needs no answer.
        let _ = answer.send(catch_unwind(AssertUnwindSafe(work)));
    });
    queue().send(job).expect("the deep threads outlive everything");
    match receiver.recv().expect("a job always answers") {
        Ok(value) => value,
        Err(panic) => resume_unwind(panic),
    }
}

#[expect(clippy::disallowed_methods, reason = "received on the deep threads")]
fn queue() -> Sender<Work> {
    static QUEUE: OnceLock<Mutex<Sender<Work>>> = OnceLock::new();
    let queue = QUEUE.get_or_init(|| {
        let (sender, receiver) = channel::<Work>();
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 1..=THREADS {
            let receiver = receiver.clone();
            let builder = thread::Builder::new().name(format!("{NAME}{number}")).stack_size(STACK);
            builder.spawn(move || serve(&receiver)).expect("a thread can be started");
        }
        Mutex::new(sender)
    });
    queue.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn serve(receiver: &Mutex<Receiver<Work>>) {
    loop {
        // The lock is held while waiting: the others wait for it instead, which is the same.
        let job = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::stack;
    use std::sync::Barrier;

    #[test]
    fn work_comes_back_from_threads_and_coroutines() {
        assert_eq!(run(|| thread::current().name().map(str::to_owned)).unwrap()[..5], *"deep-");
        let (sender, receiver) = channel();
        let many: Vec<_> = (0..50)
            .map(|n| {
                let sender = sender.clone();
                stack::spawn_stream(move || sender.send(run(move || n * 2)).unwrap()).unwrap()
            })
            .collect();
        many.into_iter().for_each(|handle| handle.join().unwrap());
        drop(sender);
        assert_eq!(receiver.iter().sum::<i32>(), (0..50).map(|n| n * 2).sum::<i32>());
    }

    #[test]
    fn a_panic_is_the_caller_s_and_the_thread_lives_on() {
        for _ in 0..2 * THREADS {
            let panic = catch_unwind(|| run(|| panic!("as the test wants"))).unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&"as the test wants"));
        }
        assert_eq!(run(|| 7), 7);
    }

    /// More callers than threads, each waiting for work within its work.
    #[test]
    fn deep_work_may_ask_for_deep_work() {
        let all = Arc::new(Barrier::new(THREADS));
        let callers: Vec<_> = (0..THREADS)
            .map(|_| {
                let all = all.clone();
                thread::spawn(move || {
                    run(move || {
                        all.wait();
                        run(|| 1)
                    })
                })
            })
            .collect();
        assert_eq!(callers.into_iter().map(|caller| caller.join().unwrap()).sum::<i32>(), 3);
    }

    /// A nested structure far deeper than any coroutine's stack.
    #[test]
    fn the_stack_is_deep() {
        fn depth(left: usize) -> usize {
            let room = std::hint::black_box([left; 64]);
            if left == 0 { 0 } else { 1 + depth(room[0] - 1) }
        }
        let reached = stack::spawn_stream(|| assert_eq!(run(|| depth(2_000)), 2_000));
        reached.unwrap().join().expect("it fits");
    }
}
