//! Spans of time as people write them: `90s`, `30m`, `24h`, `7d`.
use std::time::Duration;

/// Units with their seconds, largest first.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
/// Ten years. More is a mistake, and one day would overflow a sum with the clock.
const LONGEST: u64 = 10 * 365 * 86_400;

/// A whole number and one unit; at least a second, at most ten years.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let allowed = || "expected a number and a unit, such as 90s, 30m, 24h or 7d".to_owned();
    let (_, factor) = UNITS.iter().find(|(unit, _)| text.ends_with(*unit)).ok_or_else(allowed)?;
    let number = &text[..text.len() - 1];
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(allowed());
    }
    let seconds = number.parse::<u64>().ok().and_then(|n| n.checked_mul(*factor));
    match seconds.filter(|seconds| (1..=LONGEST).contains(seconds)) {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err("expected between 1s and 3650d".into()),
    }
}

/// In the largest unit that divides it.
pub fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (unit, factor) =
        UNITS.iter().find(|(_, factor)| seconds.is_multiple_of(*factor)).unwrap_or(&('s', 1));
    format!("{}{unit}", seconds / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, seconds, written) in [
            ("90s", 90, "90s"),
            ("30m", 1_800, "30m"),
            ("24h", 86_400, "1d"),
            ("7d", 604_800, "7d"),
            ("3650d", LONGEST, "3650d"),
            ("007s", 7, "7s"),
        ] {
            let duration = parse_duration(text).expect(text);
            assert_eq!(
                (duration.as_secs(), format_duration(duration).as_str()),
                (seconds, written)
            );
        }
        for bad in [
            "",
            "s",
            "0s",
            "5",
            "5x",
            "-5s",
            "+5s",
            " 5s",
            "5s ",
            "5.5h",
            "1h30m",
            "5S",
            "3651d",
            "99999999999999999999d",
            "18446744073709551615d",
            "5ø",
            "٣s",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad:?}");
        }
    }
}
