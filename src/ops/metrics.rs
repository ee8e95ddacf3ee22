//! Numbers for the operator, in Prometheus' text format (version 0.0.4).
//!
//! Rooms register what they count and keep the handle; what a room knows anyway (open connections)
//! is read when somebody asks. Labels are words of ours, never text from outside, so that the number
//! of lines is bounded.
use std::collections::BTreeMap;
use std::fmt::Write;
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
    /// One line for each value of a label.
    Many(&'static str, Family),
    Asked(Box<dyn Fn() -> u64 + Send + Sync>),
}

/// Counters told apart by one label. A value shows once it has been counted.
#[derive(Clone, Default)]
pub struct Family(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Family {
    pub fn count(&self, value: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(value).or_default() += 1;
    }
}

impl Metrics {
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
                Lines::Asked(read) => writeln!(out, "{name} {}", read()),
                Lines::Many(label, family) => {
                    let counters = family.0.lock().unwrap_or_else(PoisonError::into_inner);
                    counters.iter().try_for_each(|(value, count)| {
                        writeln!(out, "{name}{{{label}=\"{value}\"}} {count}")
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
        let requests = metrics.family("requests_total", "Requests answered.", "class");
        metrics.gauge("connections", "Open now.", || 7);
        metrics.counted("bytes_total", "Bytes out.", || 1 << 40);
        requests.count(status_class(204));
        requests.clone().count(status_class(200));
        requests.count(status_class(404));
        assert_eq!(
            metrics.clone().render(),
            "# HELP requests_total Requests answered.\n# TYPE requests_total counter\n\
             requests_total{class=\"2xx\"} 2\nrequests_total{class=\"4xx\"} 1\n\
             # HELP connections Open now.\n# TYPE connections gauge\nconnections 7\n\
             # HELP bytes_total Bytes out.\n# TYPE bytes_total counter\n\
             bytes_total 1099511627776\n"
        );
    }
}
