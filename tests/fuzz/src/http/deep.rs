//! There are no coroutines here: the stack is deep, and deep work goes on where it is.

pub fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    work()
}

/// One after another, as everything here is.
#[derive(Debug, Default)]
pub struct Lane;

impl Lane {
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        run(work)
    }
}
