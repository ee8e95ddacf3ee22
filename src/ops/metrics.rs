//! Numbers for the operator, in Prometheus' text format (version 0.0.4).
//!
//! Rooms register what they count and keep the handle; what a room knows anyway (open connections)
//! is read when somebody asks. Labels are words of ours, never text from outside, so that the number
//! of lines is bounded.
use std::collections::HashMap;
use std::fmt::Write;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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
    /// One line for each set of labels that was counted.
    Counters(Family),
    Histograms(Histogram),
    Asked(Box<dyn Fn() -> f64 + Send + Sync>),
    Labelled(&'static str, Box<dyn Fn() -> Vec<(&'static str, f64)> + Send + Sync>),
    /// Always 1; its labels are the news.
    Info(String),
}

/// Values told apart by labels, found without writing those out: every request counts some. Two sets
/// of labels with the same 64-bit hash would be one; there are a few hundred sets.
type Labelled<T> = HashMap<u64, (String, T), BuildHasherDefault<Hashed>>;

/// The value for these labels, new at first.
fn labelled<'a, T: Default>(
    all: &'a mut Labelled<T>,
    names: &[&str],
    values: &[&str],
) -> &'a mut T {
    let found = all.entry(hash(values));
    &mut found.or_insert_with(|| (labels(names, values), T::default())).1
}

/// In the order of their labels.
fn sorted<T>(all: &Labelled<T>) -> Vec<&(String, T)> {
    let mut sorted: Vec<_> = all.values().collect();
    sorted.sort_by_key(|(labels, _)| labels);
    sorted
}

/// FNV-1a, with the values kept apart.
fn hash(values: &[&str]) -> u64 {
    let bytes = values.iter().flat_map(|value| value.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// What is a hash already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are whole numbers");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Counters told apart by labels. A set of labels shows once it has been counted.
#[derive(Clone, Default)]
pub struct Family {
    labels: &'static [&'static str],
    counts: Arc<Mutex<Labelled<u64>>>,
}

impl Family {
    /// One value for each label.
    pub fn count(&self, values: &[&str]) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *labelled(&mut counts, self.labels, values) += 1;
    }
}

/// Upper bounds of a histogram's buckets, in seconds: from a page out of memory to a deadline.
const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// How long things took, told apart by one label.
#[derive(Clone, Default)]
pub struct Histogram {
    label: &'static str,
    taken: Arc<Mutex<Labelled<Taken>>>,
}

#[derive(Default, Clone)]
struct Taken {
    /// Not summed up: what fell between a bound and the one before it; the last has no bound.
    buckets: [u64; BOUNDS.len() + 1],
    seconds: f64,
}

impl Histogram {
    pub fn observe(&self, value: &str, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = labelled(&mut taken, &[self.label], &[value]);
        taken.buckets[bucket] += 1;
        taken.seconds += seconds;
    }

    fn write(&self, name: &str, out: &mut String) -> std::fmt::Result {
        let all = self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (labels, Taken { buckets, seconds }) in sorted(&all) {
            let mut sum = 0;
            for (count, bound) in buckets.iter().zip(&BOUNDS) {
                sum += count;
                writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {sum}")?;
            }
            sum += buckets[BOUNDS.len()];
            writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {sum}")?;
            writeln!(out, "{name}_sum{{{labels}}} {seconds}\n{name}_count{{{labels}}} {sum}")?;
        }
        Ok(())
    }
}

/// `a="1",b="2"`, escaped as the format has it.
fn labels(names: &[&str], values: &[&str]) -> String {
    let mut out = String::new();
    for (name, value) in names.iter().zip(values) {
        let between = if out.is_empty() { "" } else { "," };
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(out, "{between}{name}=\"{value}\"");
    }
    out
}

impl Metrics {
    pub fn family(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
    ) -> Family {
        let family = Family { labels, ..Family::default() };
        self.show(name, help, "counter", Lines::Counters(family.clone()));
        family
    }

    /// `name` ends in `_seconds`.
    pub fn histogram(
        &self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
    ) -> Histogram {
        let histogram = Histogram { label, ..Histogram::default() };
        self.show(name, help, "histogram", Lines::Histograms(histogram.clone()));
        histogram
    }

    /// What does not change while the process runs.
    pub fn info(&self, name: &'static str, help: &'static str, label: &str, value: &str) {
        self.show(name, help, "gauge", Lines::Info(labels(&[label], &[value])));
    }

    /// Gauges told apart by one label, read when asked for. `read` must not wait.
    pub fn gauges(
        &self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        read: impl Fn() -> Vec<(&'static str, f64)> + Send + Sync + 'static,
    ) {
        self.show(name, help, "gauge", Lines::Labelled(label, Box::new(read)));
    }

    /// A number that goes up and down, read when asked for. `read` must not wait.
    pub fn gauge(
        &self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) {
        self.show(name, help, "gauge", Lines::Asked(Box::new(read)));
    }

    /// A counter that its room keeps itself, read when asked for. `read` must not wait.
    pub fn counted(
        &self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> f64 + Send + Sync + 'static,
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
                Lines::Info(labels) => writeln!(out, "{name}{{{labels}}} 1"),
                Lines::Histograms(histogram) => histogram.write(name, &mut out),
                Lines::Counters(family) => {
                    let counts = family.counts.lock().unwrap_or_else(PoisonError::into_inner);
                    sorted(&counts)
                        .iter()
                        .try_for_each(|(labels, count)| writeln!(out, "{name}{{{labels}}} {count}"))
                }
                Lines::Labelled(label, read) => {
                    read().into_iter().try_for_each(|(value, number)| {
                        writeln!(out, "{name}{{{}}} {number}", labels(&[label], &[value]))
                    })
                }
            };
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_registered_is_shown_in_prometheus_format() {
        let metrics = Metrics::default();
        let requests = metrics.family("requests_total", "Answered.", &["route", "status"]);
        metrics.gauge("connections", "Open now.", || 7.0);
        metrics.counted("bytes_total", "Bytes out.", || 1e12);
        metrics.gauges("coroutines", "Alive.", "kind", || vec![("stream", 1.0), ("other", 2.5)]);
        metrics.info("build_info", "This program.", "version", "1 \"x\"");
        requests.count(&["/c/{}", "204"]);
        requests.clone().count(&["/c/{}", "204"]);
        requests.count(&["none", "404"]);
        assert_eq!(
            metrics.clone().render(),
            "# HELP requests_total Answered.\n# TYPE requests_total counter\n\
             requests_total{route=\"/c/{}\",status=\"204\"} 2\n\
             requests_total{route=\"none\",status=\"404\"} 1\n\
             # HELP connections Open now.\n# TYPE connections gauge\nconnections 7\n\
             # HELP bytes_total Bytes out.\n# TYPE bytes_total counter\n\
             bytes_total 1000000000000\n\
             # HELP coroutines Alive.\n# TYPE coroutines gauge\n\
             coroutines{kind=\"stream\"} 1\ncoroutines{kind=\"other\"} 2.5\n\
             # HELP build_info This program.\n# TYPE build_info gauge\n\
             build_info{version=\"1 \\\"x\\\"\"} 1\n"
        );
    }

    #[test]
    fn a_histogram_s_buckets_hold_what_is_below_them() {
        let metrics = Metrics::default();
        let took = metrics.histogram("took_seconds", "Time.", "route");
        for ms in [0, 1, 2, 30, 20_000] {
            took.observe("/", Duration::from_millis(ms));
        }
        let shown = metrics.render();
        for line in [
            "# TYPE took_seconds histogram",
            "took_seconds_bucket{route=\"/\",le=\"0.001\"} 2",
            "took_seconds_bucket{route=\"/\",le=\"0.0025\"} 3",
            "took_seconds_bucket{route=\"/\",le=\"0.025\"} 3",
            "took_seconds_bucket{route=\"/\",le=\"10\"} 4",
            "took_seconds_bucket{route=\"/\",le=\"+Inf\"} 5",
            "took_seconds_sum{route=\"/\"} 20.033",
            "took_seconds_count{route=\"/\"} 5",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line} in {shown}");
        }
    }
}
