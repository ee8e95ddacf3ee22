//! The `Date` field: IMF-fixdate (RFC 9110 §5.6.7), always GMT.
use crate::ops::time::{Civil, MONTHS, Timestamp};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]; // 1970-01-01 was a Thursday

pub fn now() -> String {
    imf(Timestamp::now())
}

/// For example `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn imf(at: Timestamp) -> String {
    let Civil { year, month, day, hour, minute, second } = at.civil();
    let weekday = DAYS[at.days().rem_euclid(7) as usize];
    let month = &MONTHS[month - 1][..3];
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, imf};

    #[test]
    fn dates_known_elsewhere() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (1_767_225_599, "Wed, 31 Dec 2025 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] {
            assert_eq!(imf(Timestamp::from_second(seconds).unwrap()), text);
        }
    }
}
