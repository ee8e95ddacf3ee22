//! Moments and dates: RFC 3339 (the profile of ISO 8601 that posta-servers and logs speak), in UTC.
//!
//! In scope: reading, writing, the calendar. Out of scope: zones, which only browsers know, and
//! arithmetic with months. A library for all of that weighed 100 kB; a test holds this to its answers.
use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAY: i64 = 86_400;
/// The first second of year 0 and the last of year 9999, beyond which RFC 3339 has no words.
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

/// A moment, to the nanosecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp {
    /// Since 1970, rounded down.
    seconds: i64,
    nanos: u32,
}

/// A moment as calendar and clock say it, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    /// From 1.
    pub month: usize,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
}

/// The text is no RFC 3339 date and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTime;

impl Timestamp {
    /// A host that believes to be outside the years 0 to 9999 gets 1970.
    pub fn now() -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).ok().and_then(Timestamp::from_second);
        Timestamp { nanos: since.subsec_nanos(), ..seconds.unwrap_or_default() }
    }

    /// `None` outside the years 0 to 9999, as with all that follow.
    pub fn from_second(seconds: i64) -> Option<Timestamp> {
        (FIRST..=LAST).contains(&seconds).then_some(Timestamp { seconds, nanos: 0 })
    }

    pub fn from_millisecond(ms: i64) -> Option<Timestamp> {
        let whole = Timestamp::from_second(ms.div_euclid(1_000))?;
        Some(Timestamp { nanos: ms.rem_euclid(1_000) as u32 * 1_000_000, ..whole })
    }

    pub fn as_second(self) -> i64 {
        self.seconds
    }

    /// The time between the two, whichever comes first.
    pub fn abs_diff(self, other: Timestamp) -> Duration {
        let (late, early) = (self.max(other), self.min(other));
        let nanos = |moment: Timestamp| Duration::from_nanos(u64::from(moment.nanos));
        Duration::from_secs(late.seconds.abs_diff(early.seconds)) + nanos(late) - nanos(early)
    }

    /// Years are counted from March, so that the leap day comes last: 146,097 days in 400 years.
    pub fn civil(self) -> Civil {
        let shifted = self.seconds.div_euclid(DAY) + 719_468;
        let clock = self.seconds.rem_euclid(DAY);
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = (from_march + 2) % 12 + 1;
        Civil {
            year: era * 400 + year_of_era + i64::from(month < 3),
            month: month as usize,
            day: of_year - (153 * from_march + 2) / 5 + 1,
            hour: clock / 3_600,
            minute: clock / 60 % 60,
            second: clock % 60,
        }
    }

    /// Days since Thursday, 1 January 1970.
    pub fn days(self) -> i64 {
        self.seconds.div_euclid(DAY)
    }

    fn of(civil: Civil, nanos: u32) -> Option<Timestamp> {
        let Civil { year, month, day, hour, minute, second } = civil;
        let leaps = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + i64::from(leaps),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if !(1..=days).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let from_march = (month as i64 + 9) % 12;
        let year = year - i64::from(month < 3);
        let year_of_era = year.rem_euclid(400);
        let of_year = (153 * from_march + 2) / 5 + day - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        let days = year.div_euclid(400) * 146_097 + of_era - 719_468;
        // A leap second counts as the one before.
        let seconds = days * DAY + hour * 3_600 + minute * 60 + second.min(59);
        Timestamp::from_second(seconds).map(|moment| Timestamp { nanos, ..moment })
    }
}

/// RFC 3339 §5.6, with the liberties of its notes: small letters, a space for the `T`.
impl FromStr for Timestamp {
    type Err = NoTime;

    fn from_str(text: &str) -> Result<Timestamp, NoTime> {
        read(text.as_bytes()).ok_or(NoTime)
    }
}

fn read(text: &[u8]) -> Option<Timestamp> {
    let digits = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.iter().try_fold(0, |sum, digit| {
            digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0'))
        })
    };
    let is = |at: usize, any: &[u8]| text.get(at).is_some_and(|byte| any.contains(byte));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let civil = Civil {
        year: digits(0, 4)?,
        month: digits(5, 7)? as usize,
        day: digits(8, 10)?,
        hour: digits(11, 13)?,
        minute: digits(14, 16)?,
        second: digits(17, 19)?,
    };
    let mut at = 19;
    let mut nanos = 0;
    if is(at, b".") {
        let count = text[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        // Digits beyond the ninth are smaller than what is kept.
        let kept = count.min(9);
        nanos = digits(at + 1, at + 1 + kept)? as u32 * 10u32.pow(9 - kept as u32);
        at += 1 + count;
        if count == 0 {
            return None;
        }
    }
    let offset = match text.get(at)? {
        b'Z' | b'z' if text.len() == at + 1 => 0,
        sign @ (b'+' | b'-') if text.len() == at + 6 && is(at + 3, b":") => {
            let (hours, minutes) = (digits(at + 1, at + 3)?, digits(at + 4, at + 6)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 3_600 + minutes * 60) * if *sign == b'+' { 1 } else { -1 }
        }
        _ => return None,
    };
    let local = Timestamp::of(civil, nanos)?;
    Timestamp::from_second(local.seconds - offset).map(|moment| Timestamp { nanos, ..moment })
}

/// In UTC; with as many decimals as the precision says, or else as there are.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second } = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        let decimals = format!("{:09}", self.nanos);
        let shown = match f.precision() {
            Some(precision) => &decimals[..precision.min(9)],
            None => decimals.trim_end_matches('0'),
        };
        if !shown.is_empty() {
            write!(f, ".{shown}")?;
        }
        f.write_str("Z")
    }
}

/// What is farther than the year 9999 stays there.
impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, time: Duration) -> Timestamp {
        let nanos = self.nanos + time.subsec_nanos();
        let seconds = i64::try_from(time.as_secs()).unwrap_or(LAST);
        let sum = self.seconds.saturating_add(seconds) + i64::from(nanos / 1_000_000_000);
        Timestamp { seconds: sum.min(LAST), nanos: nanos % 1_000_000_000 }
    }
}

impl AddAssign<Duration> for Timestamp {
    fn add_assign(&mut self, time: Duration) {
        *self = *self + time;
    }
}

/// What is farther than the year 0 stays there.
impl Sub<Duration> for Timestamp {
    type Output = Timestamp;

    fn sub(self, time: Duration) -> Timestamp {
        let borrowed = self.nanos < time.subsec_nanos();
        let nanos = self.nanos + u32::from(borrowed) * 1_000_000_000 - time.subsec_nanos();
        let seconds = i64::try_from(time.as_secs()).unwrap_or(LAST);
        let difference = self.seconds.saturating_sub(seconds) - i64::from(borrowed);
        Timestamp { seconds: difference.max(FIRST), nanos }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect(text)
    }

    #[test]
    fn moments_are_read_and_written() {
        for (text, utc) in [
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("2026-05-12T14:04:05.678+02:00", "2026-05-12T12:04:05.678Z"),
            ("2000-02-29 23:59:60z", "2000-02-29T23:59:59Z"),
            ("1969-12-31t16:00:00-08:00", "1970-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.9999999999Z", "9999-12-31T23:59:59.999999999Z"),
            ("0000-01-01T00:00:00-00:00", "0000-01-01T00:00:00Z"),
            ("2100-03-01T00:00:00.500Z", "2100-03-01T00:00:00.5Z"),
        ] {
            assert_eq!(time(text).to_string(), utc, "{text}");
        }
        let at = time("2026-05-12T12:04:05.678Z");
        assert_eq!(format!("{at:.0} {at:.2} {at:.9}").replace("2026-05-12T12:04:", ""), {
            "05Z 05.67Z 05.678000000Z"
        });
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for bad in [
            "",
            "2026-05-12",
            "2026-05-12T14:04Z",
            "2026-05-12T14:04:05",
            "2026-05-12T14:04:05.Z",
            "2026-05-12T14:04:05,5Z",
            "2026-05-12T14:04:05Zx",
            "2026-05-12T14:04:05+0200",
            "2026-05-12T14:04:05+24:00",
            "2026-05-12T14:04:05+02:60",
            "2026-13-12T14:04:05Z",
            "2026-00-12T14:04:05Z",
            "2026-02-29T14:04:05Z",
            "2100-02-29T14:04:05Z",
            "2026-04-31T14:04:05Z",
            "2026-05-00T14:04:05Z",
            "2026-05-12T24:00:00Z",
            "2026-05-12T14:60:00Z",
            "2026-05-12T14:04:61Z",
            "+026-05-12T14:04:05Z",
            "2026-05-12T14:04:05Z\0",
            "２026-05-12T14:04:05Z",
            "9999-12-31T23:59:59-00:01",
            "0000-01-01T00:00:00+00:01",
        ] {
            assert_eq!(bad.parse::<Timestamp>(), Err(NoTime), "{bad}");
        }
        assert_eq!(Timestamp::from_second(i64::MAX), None);
        assert_eq!(Timestamp::from_millisecond(i64::MIN), None);
    }

    #[test]
    fn a_library_agrees_about_every_day_and_many_moments() {
        for day in FIRST / DAY..=LAST / DAY {
            let ours = Timestamp::from_second(day * DAY).expect("a day of these years");
            let theirs = jiff::Timestamp::from_second(day * DAY).map(|at| at.to_string());
            // Its own years end a day before ours.
            let Ok(theirs) = theirs else { continue };
            assert_eq!(ours.to_string(), theirs);
            assert_eq!(time(&theirs), ours);
        }
        let mut number = 1u64;
        for _ in 0..20_000 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let ms = (number >> 16) as i64 % 200_000_000_000_000 - 60_000_000_000_000;
            let theirs = jiff::Timestamp::from_millisecond(ms).expect("within its years");
            let ours = Timestamp::from_millisecond(ms).expect("within ours");
            assert_eq!(ours.to_string(), theirs.to_string());
            assert_eq!(time(&theirs.to_string()), ours);
        }
    }

    #[test]
    fn time_passes_both_ways() {
        let at = time("2026-12-31T23:59:59.750Z");
        let second = Duration::from_millis(1_500);
        assert_eq!((at + second).to_string(), "2027-01-01T00:00:01.25Z");
        assert_eq!((at + second) - second, at);
        assert_eq!((at + second).abs_diff(at), second);
        assert_eq!(at.abs_diff(at + second), second);
        assert_eq!((at + Duration::MAX).as_second(), LAST);
        assert_eq!((at - Duration::MAX).as_second(), FIRST);
        assert!(Timestamp::now() > time("2024-01-01T00:00:00Z"));
    }
}
