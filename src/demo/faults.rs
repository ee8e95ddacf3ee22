//! Misbehaviour that tests switch on at run time: late answers, errors, none at all.
use super::bell::rest;
use super::refusal::error;
use crate::http::{Method, Response};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a hanging request looks whether it may go on.
const HANG_STEP: Duration = Duration::from_millis(50);

/// Which requests a fault is for: an exact path, or a prefix when it ends in `*`; any method, or the
/// one named before a space (`POST /api/v1/messages`).
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(String);

#[derive(Debug, Clone)]
pub struct Failure {
    pub pattern: Pattern,
    pub status: u16,
    pub code: String,
    /// How many requests still fail.
    pub times: u64,
}

#[derive(Default)]
pub struct Faults(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    latency: Duration,
    failures: Vec<Failure>,
    hang: Option<Pattern>,
    /// Requests seen, by method and path.
    calls: BTreeMap<String, u64>,
}

impl Pattern {
    pub fn new(text: &str) -> Pattern {
        Pattern(text.to_owned())
    }

    fn fits(&self, method: Method, path: &str) -> bool {
        let wanted = match self.0.split_once(' ') {
            Some((name, _)) if name != method.as_str() => return false,
            Some((_, wanted)) => wanted,
            None => self.0.as_str(),
        };
        match wanted.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => path == wanted,
        }
    }
}

impl Faults {
    /// Counts a request, holds it up as long as it must, and answers it when it is to fail.
    pub fn meet(&self, method: Method, path: &str) -> Option<Response> {
        let latency = {
            let mut inner = self.lock();
            *inner.calls.entry(format!("{} {path}", method.as_str())).or_default() += 1;
            inner.latency
        };
        if !latency.is_zero() {
            rest(latency);
        }
        while self.hangs(method, path) {
            rest(HANG_STEP);
        }
        let mut inner = self.lock();
        let failure =
            inner.failures.iter_mut().find(|f| f.times > 0 && f.pattern.fits(method, path))?;
        failure.times -= 1;
        Some(error(failure.status, &failure.code, "a fault that a test asked for"))
    }

    fn hangs(&self, method: Method, path: &str) -> bool {
        self.lock().hang.as_ref().is_some_and(|pattern| pattern.fits(method, path))
    }

    pub fn set_latency(&self, latency: Duration) {
        self.lock().latency = latency;
    }

    pub fn set_failures(&self, failures: Vec<Failure>) {
        self.lock().failures = failures;
    }

    /// `None` lets those that hang go on.
    pub fn set_hang(&self, pattern: Option<Pattern>) {
        self.lock().hang = pattern;
    }

    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.lock().calls.clone()
    }

    pub fn forget_calls(&self) {
        self.lock().calls.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_method_path_and_prefix() {
        for (pattern, path, fits) in [
            ("/", "/", true),
            ("/", "/api", false),
            ("/api/*", "/api/v1/contacts", true),
            ("/api/*", "/", false),
            ("GET /api/*", "/api/v1/contacts", true),
            ("POST /api/*", "/api/v1/contacts", false),
        ] {
            assert_eq!(Pattern::new(pattern).fits(Method::Get, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn failures_are_used_up() {
        let faults = Faults::default();
        let pattern = Pattern::new("/");
        faults.set_failures(vec![Failure { pattern, status: 410, code: "gone".into(), times: 2 }]);
        let meet = || faults.meet(Method::Post, "/").map(|answer| answer.status);
        assert_eq!([meet(), meet(), meet()], [Some(410), Some(410), None]);
        assert_eq!(faults.calls()["POST /"], 3);
        faults.forget_calls();
        assert!(faults.calls().is_empty());
    }
}
