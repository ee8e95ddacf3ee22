//! Work that needs a deep stack (signature checks, handshakes, big JSON) on a few named OS threads, so
//! that coroutines stay shallow and the threads that carry them stay free.
//!
//! Callers wait for their answer, so the queue is never longer than there are callers. Work whose size
//! somebody else chooses goes through a [`Lane`]: whoever sends a lot of it holds up only themselves.
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

type Work = Box<dyn FnOnce() + Send>;

/// One long computation must not hold up everybody's next.
const THREADS: usize = 3;
/// Those of lanes have threads of their own: no handshake and no sign-in ever waits for them.
const LANE_THREADS: usize = 2;
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
    waited_for(work, |job| queues().plain.lock().unwrap_or_else(PoisonError::into_inner).send(job))
}

fn waited_for<T: Send + 'static, E: std::fmt::Debug>(
    work: impl FnOnce() -> T + Send + 'static,
    put: impl FnOnce(Work) -> Result<(), E>,
) -> T {
    if is_deep() {
        return work();
    }
    let (answer, receiver) = may::sync::mpsc::channel();
    let job: Work = Box::new(move || {
        // A caller that was cancelled needs no answer.
        let _ = answer.send(catch_unwind(AssertUnwindSafe(work)));
    });
    put(job).expect("the deep threads outlive everything");
    match receiver.recv().expect("a job always answers") {
        Ok(value) => value,
        Err(panic) => resume_unwind(panic),
    }
}

/// One user's large work: one piece at a time, in turn with the lanes of others.
#[derive(Clone, Default)]
pub struct Lane(Arc<Mutex<Line>>);

#[derive(Default)]
struct Line {
    is_busy: bool,
    waiting: VecDeque<Work>,
}

impl Lane {
    /// As [`run`].
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        waited_for(work, |job| {
            let mut line = self.lock();
            if line.is_busy {
                line.waiting.push_back(job);
                return Ok(());
            }
            line.is_busy = true;
            drop(line);
            self.put(job)
        })
    }

    /// Gives `job` to the threads, and after it what waits in this lane: behind what others have
    /// given them meanwhile.
    fn put(&self, job: Work) -> Result<(), std::sync::mpsc::SendError<Work>> {
        let lane = self.clone();
        let turn = Box::new(move || {
            job();
            let mut line = lane.lock();
            let next = line.waiting.pop_front();
            line.is_busy = next.is_some();
            drop(line);
            if let Some(next) = next {
                let _ = lane.put(next);
            }
        });
        queues().lanes.lock().unwrap_or_else(PoisonError::into_inner).send(turn)
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Queues {
    plain: Mutex<Sender<Work>>,
    lanes: Mutex<Sender<Work>>,
}

fn queues() -> &'static Queues {
    static QUEUES: OnceLock<Queues> = OnceLock::new();
    QUEUES.get_or_init(|| Queues { plain: start("", THREADS), lanes: start("lane-", LANE_THREADS) })
}

#[expect(clippy::disallowed_methods, reason = "received on the deep threads")]
fn start(kind: &str, threads: usize) -> Mutex<Sender<Work>> {
    let (sender, receiver) = channel::<Work>();
    let receiver = Arc::new(Mutex::new(receiver));
    for number in 1..=threads {
        let receiver = receiver.clone();
        let name = format!("{NAME}{kind}{number}");
        let builder = thread::Builder::new().name(name).stack_size(STACK);
        builder.spawn(move || serve(&receiver)).expect("a thread can be started");
    }
    Mutex::new(sender)
}

#[cfg(feature = "demo")]
static DEEPEST: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// Most bytes of stack used, and bytes there are; measured only where `paint` is on.
#[cfg(feature = "demo")]
pub fn deepest() -> (usize, usize) {
    (DEEPEST.load(std::sync::atomic::Ordering::Relaxed), STACK)
}

fn serve(receiver: &Mutex<Receiver<Work>>) {
    #[cfg(feature = "demo")]
    let painted = super::paint::is_on().then(|| super::paint::Painted::paint(STACK - (64 << 10)));
    loop {
        // The lock is held while waiting: the others wait for it instead, which is the same.
        let job = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => {
                job();
                #[cfg(feature = "demo")]
                if let Some(painted) = &painted {
                    DEEPEST.fetch_max(painted.depth(), std::sync::atomic::Ordering::Relaxed);
                }
            }
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::stack;
    use std::sync::Barrier;

    /// Somebody whose lane never empties holds up nobody else, not even in another lane.
    #[test]
    fn a_full_lane_is_its_owner_s_own() {
        let hoarder = Lane::default();
        let (open, gate) = channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let count = Arc::new(Mutex::new(Vec::new()));
        let waiting: Vec<_> = (0..20)
            .map(|n| {
                let (lane, gate, count) = (hoarder.clone(), gate.clone(), count.clone());
                thread::spawn(move || {
                    lane.run(move || {
                        let _ = gate.lock().unwrap().recv();
                        count.lock().unwrap().push(n);
                    })
                })
            })
            .collect();
        while hoarder.lock().waiting.len() < 19 {
            thread::yield_now();
        }
        assert_eq!((Lane::default().run(|| 7), run(|| 8)), (7, 8));
        assert!(count.lock().unwrap().is_empty(), "one piece is under way, the others wait");
        let panic = catch_unwind(AssertUnwindSafe(|| Lane::default().run(|| panic!("as told"))));
        assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"as told"));
        drop(open);
        waiting.into_iter().for_each(|waiter| waiter.join().unwrap());
        assert_eq!(count.lock().unwrap().len(), 20);
        assert!(!hoarder.lock().is_busy);
    }

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
