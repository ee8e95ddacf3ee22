//! The `Date` field: IMF-fixdate (RFC 9110 §5.6.7), always GMT.
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]; // 1970-01-01 was a Thursday
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Bytes of an IMF-fixdate.
const LENGTH: usize = 29;

/// The date of now, made once a second.
pub fn now() -> [u8; LENGTH] {
    static LAST: Mutex<(u64, [u8; LENGTH])> = Mutex::new((u64::MAX, [0; LENGTH]));
    // A clock before 1970 is as good as any other wrong clock.
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.0 != seconds {
        // Years of five digits are far away; their first four are as wrong as any other date.
        let text = imf(seconds);
        last.1.copy_from_slice(&text.as_bytes()[..LENGTH]);
        last.0 = seconds;
    }
    last.1
}

/// `seconds` since 1970 as for example `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn imf(seconds: u64) -> String {
    let days = seconds / 86_400;
    let clock = seconds % 86_400;
    // Years counted from March, so that the leap day comes last: 146,097 days in 400 years.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    let year = era * 400 + year_of_era + u64::from(month < 2);
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        DAYS[(days % 7) as usize],
        MONTHS[month as usize],
        clock / 3_600,
        clock / 60 % 60,
        clock % 60
    )
}

#[cfg(test)]
mod tests {
    use super::{imf, now};

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
            assert_eq!(imf(seconds), text);
        }
    }

    #[test]
    fn now_is_a_date_of_this_age() {
        let text = String::from_utf8(now().to_vec()).unwrap();
        let year: u32 = text[12..16].parse().unwrap();
        assert!(text.ends_with(" GMT") && (2025..2100).contains(&year), "{text}");
    }
}
