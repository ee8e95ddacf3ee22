//! What every room leans on and what the operator looks at: log, clock, randomness, encodings,
//! metrics and the listener that shows them.
//!
//! In scope: things that know of no user, page or connection. Out of scope: everything that does.
pub mod clock;
pub mod encode;
pub mod listener;
pub mod log;
pub mod metrics;
pub mod process;
pub mod random;
pub mod supervisor;
pub mod time;
