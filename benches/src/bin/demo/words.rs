//! Figures as a person reads them.

use std::time::Duration;

pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        0.0..1e-6 => format!("{:.0} ns", seconds * 1e9),
        1e-6..1e-3 => format!("{:.1} us", seconds * 1e6),
        1e-3..1.0 => format!("{:.1} ms", seconds * 1e3),
        1.0..120.0 => format!("{seconds:.1} s"),
        120.0..7200.0 => format!("{:.0} minutes", seconds / 60.0),
        7200.0..172_800.0 => format!("{:.1} hours", seconds / 3600.0),
        _ => format!("{:.1} days", seconds / 86_400.0),
    }
}

pub(crate) fn bytes(bytes: u64) -> String {
    let kib = bytes / 1024;
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{kib} KiB"),
        _ => format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024),
    }
}

/// A count with its noun.
pub(crate) fn counted(count: impl TryInto<u64>, noun: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// Text that anybody may have written, safe to show, and not too much of it.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 40;
    let mut shown: String = text
        .chars()
        .take(MOST)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(MOST).is_some() {
        shown += "...";
    }
    shown
}

/// Seconds since 1970 as a date and a time.
pub(crate) fn date(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years begin in March here, so that the leap day is their last: H. Hinnant's `civil_from_days`.
    let days = days.saturating_add(719_468);
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(date(0), "1970-01-01 00:00:00");
        assert_eq!(date(-1), "1969-12-31 23:59:59");
        assert_eq!(date(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(date(1_778_322_030), "2026-05-09 10:20:30");
        date(i64::MAX);
        date(i64::MIN);
    }

    #[test]
    fn figures() {
        assert_eq!(duration(Duration::from_nanos(350)), "350 ns");
        assert_eq!(duration(Duration::from_micros(1500)), "1.5 ms");
        assert_eq!(bytes(1_572_864), "1.5 MiB");
        assert_eq!(counted(1u32, "line"), "1 line");
        assert_eq!(shown("a\u{1b}[2J"), "a\\u{1b}[2J");
    }
}
