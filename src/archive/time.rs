//! Close times and the wall clock as people write them.

/// Seconds since 1970 as `2026-01-01T00:00:00Z` (Hinnant's `civil_from_days`, for dates after 1970). A close time that a hostile
/// file puts past the year 9999 is written as it is.
#[must_use]
pub fn iso_8601(seconds: u64) -> String {
    if seconds > LAST_DATE {
        return format!("{seconds} s after 1970");
    }
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + carry;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", time / 3600, time / 60 % 60, time % 60)
}

/// The end of the year 9999.
const LAST_DATE: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_iso_8601() {
        assert_eq!(iso_8601(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso_8601(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(iso_8601(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(iso_8601(1_795_219_200), "2026-11-21T00:00:00Z");
        assert_eq!(iso_8601(LAST_DATE), "9999-12-31T23:59:59Z");
        assert!(iso_8601(u64::MAX).contains("after 1970"));
    }
}
