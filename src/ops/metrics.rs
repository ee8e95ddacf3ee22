//! Numbers for the operator, in Prometheus' text format (version 0.0.4).
//!
//! Rooms register what they count and keep the handle; what a room knows anyway (open connections)
//! is read when somebody asks. Labels are words of ours, never text from outside, so that the number
//! of lines is bounded.
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Cheap to clone; clones show the same numbers.
#[derive(Clone, Default)]
pub struct Metrics {
    shown: Arc<Mutex<Vec<Shown>>>,
}

struct Shown {
    name: &'static str,
    help: &'static str,
    kind: &'static str,
    lines: Lines,
}

enum Lines {
    One(Counter),
    /// One line for each value of a label.
    Many(&'static str, Family),
    Asked(Box<dyn Fn() -> u64 + Send + Sync>),
}

/// Only grows.
#[derive(Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counters told apart by one label.
#[derive(Clone, Default)]
pub struct Family(Arc<Mutex<BTreeMap<&'static str, Counter>>>);

impl Family {
    /// The counter of a label's value; it shows from now on, even while it is 0.
    pub fn of(&self, value: &'static str) -> Counter {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counters.entry(value).or_default().clone()
    }

    pub fn count(&self, value: &'static str) {
        self.of(value).add(1);
    }
}

impl Metrics {
    pub fn counter(&self, name: &'static str, help: &'static str) -> Counter {
        let counter = Counter::default();
        self.show(name, help, "counter", Lines::One(counter.clone()));
        counter
    }

    pub fn family(&self, name: &'static str, help: &'static str, label: &'static str) -> Family {
        let family = Family::default();
        self.show(name, help, "counter", Lines::Many(label, family.clone()));
        family
    }

    /// A number that goes up and down, read when asked for. `read` must not wait.
    pub fn gauge(
        &self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        self.show(name, help, "gauge", Lines::Asked(Box::new(read)));
    }

    /// A counter that its room keeps itself, read when asked for. `read` must not wait.
    pub fn counted(
        &self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        self.show(name, help, "counter", Lines::Asked(Box::new(read)));
    }

    fn show(&self, name: &'static str, help: &'static str, kind: &'static str, lines: Lines) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        debug_assert!(shown.iter().all(|other| other.name != name), "{name} is shown twice");
        shown.push(Shown { name, help, kind, lines });
    }

    pub fn render(&self) -> String {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = String::new();
        for Shown { name, help, kind, lines } in shown.iter() {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            let _ = match lines {
                Lines::One(counter) => writeln!(out, "{name} {}", counter.get()),
                Lines::Asked(read) => writeln!(out, "{name} {}", read()),
                Lines::Many(label, family) => {
                    let counters = family.0.lock().unwrap_or_else(PoisonError::into_inner);
                    counters.iter().try_for_each(|(value, counter)| {
                        writeln!(out, "{name}{{{label}=\"{value}\"}} {}", counter.get())
                    })
                }
            };
        }
        out
    }
}

/// The class of a status as its label's value.
pub fn status_class(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_registered_is_shown_in_prometheus_format() {
        let metrics = Metrics::default();
        let panics = metrics.counter("panics_total", "Panics caught.");
        let requests = metrics.family("requests_total", "Requests answered.", "class");
        metrics.gauge("connections", "Open now.", || 7);
        metrics.counted("bytes_total", "Bytes out.", || 1 << 40);
        requests.of("5xx");
        requests.count(status_class(204));
        requests.clone().count(status_class(200));
        panics.add(3);
        assert_eq!(
            metrics.clone().render(),
            "# HELP panics_total Panics caught.\n# TYPE panics_total counter\npanics_total 3\n\
             # HELP requests_total Requests answered.\n# TYPE requests_total counter\n\
             requests_total{class=\"2xx\"} 2\nrequests_total{class=\"5xx\"} 0\n\
             # HELP connections Open now.\n# TYPE connections gauge\nconnections 7\n\
             # HELP bytes_total Bytes out.\n# TYPE bytes_total counter\n\
             bytes_total 1099511627776\n"
        );
    }
}
