//! What the kernel knows of this process, under the names that Prometheus' own clients use.
use super::metrics::Metrics;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes of a page and clock ticks of a second: constants of every Linux this runs on by default.
fn page() -> f64 {
    rustix::param::page_size() as f64
}

fn ticks() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

/// Registers memory, CPU, descriptors and start.
#[expect(clippy::disallowed_methods, reason = "procfs is memory, no disk")]
pub fn show(metrics: &Metrics) {
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    metrics.gauge("process_start_time_seconds", "Unix time of the start.", move || started);
    metrics.gauge("process_resident_memory_bytes", "Memory in RAM.", || {
        // The second number: resident pages (proc(5)).
        let pages = fs::read_to_string("/proc/self/statm").ok();
        pages.and_then(|text| text.split(' ').nth(1)?.parse().ok()).map_or(0.0, |n: f64| n * page())
    });
    metrics.counted("process_cpu_seconds_total", "CPU time, user and system.", || {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        cpu_ticks(&stat).map_or(0.0, |spent| spent / ticks())
    });
    metrics.gauge("process_open_fds", "Open descriptors.", || {
        // The one that counts them is not meant.
        fs::read_dir("/proc/self/fd").map_or(0.0, |open| open.count().saturating_sub(1) as f64)
    });
    metrics.gauge("process_max_fds", "The limit of open descriptors.", || {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        limit.map_or(f64::INFINITY, |limit| limit as f64)
    });
}

/// User and system time: fields 14 and 15 of proc(5)'s `stat`. The second field, a name in
/// parentheses, may hold anything.
fn cpu_ticks(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    Some(fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_sees_itself() {
        let metrics = Metrics::default();
        show(&metrics);
        let shown = metrics.render();
        let number = |name: &str| -> f64 {
            let line = shown.lines().find(|line| line.split(' ').next() == Some(name));
            line.and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(-1.0)
        };
        assert!(number("process_resident_memory_bytes") > 1e6);
        assert!(number("process_open_fds") >= 3.0);
        assert!(number("process_max_fds") >= number("process_open_fds"));
        assert!(number("process_cpu_seconds_total") >= 0.0);
        assert!(number("process_start_time_seconds") > 1.7e9);
    }

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 5 6 7";
        assert_eq!(cpu_ticks(stat), Some(200.0));
        assert_eq!(cpu_ticks("nonsense"), None);
    }
}
