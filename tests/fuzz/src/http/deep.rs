//! There are no coroutines here: the stack is deep, and deep work goes on where it is.

pub fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    work()
}
