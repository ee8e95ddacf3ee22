//! Work that needs a deep stack (signature checks, big JSON) on a few named OS threads, so that
//! coroutines stay shallow.
//!
//! Callers wait for their answer, so the queue is never longer than there are callers.
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

type Work = Box<dyn FnOnce() + Send>;

/// One long computation must not hold up everybody's next.
const THREADS: usize = 3;

/// Runs `work` on a deep thread and waits for it without blocking the OS thread of a coroutine. A
/// panic inside is resumed in the caller. Also callable from plain threads.
pub fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
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

fn queue() -> Sender<Work> {
    static QUEUE: OnceLock<Mutex<Sender<Work>>> = OnceLock::new();
    let queue = QUEUE.get_or_init(|| {
        let (sender, receiver) = channel::<Work>();
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 1..=THREADS {
            let receiver = receiver.clone();
            thread::Builder::new()
                .name(format!("deep-{number}"))
                .spawn(move || serve(&receiver))
                .expect("a thread can be started");
        }
        Mutex::new(sender)
    });
    queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
}

fn serve(receiver: &Mutex<Receiver<Work>>) {
    loop {
        // The lock is held while waiting: the others wait for it instead, which is the same.
        let job = receiver.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_comes_back_from_threads_and_coroutines() {
        assert_eq!(run(|| thread::current().name().map(str::to_owned)).unwrap()[..5], *"deep-");
        let (sender, receiver) = channel();
        let many: Vec<_> = (0..50)
            .map(|n| {
                let sender = sender.clone();
                crate::http::stack::spawn_connection(move || {
                    sender.send(run(move || n * 2)).unwrap()
                })
                .unwrap()
            })
            .collect();
        many.into_iter().for_each(|handle| handle.join().unwrap());
        drop(sender);
        assert_eq!(receiver.iter().sum::<i32>(), (0..50).map(|n| n * 2).sum::<i32>());
    }

    #[test]
    fn a_panic_is_the_caller_s_and_the_thread_lives_on() {
        for _ in 0..2 * THREADS {
            assert!(catch_unwind(|| run(|| panic!("as the test wants"))).is_err());
        }
        assert_eq!(run(|| 7), 7);
    }
}
