//! The time that goes into rows, names and reports. Tests freeze it.
//!
//! Not here: how a time is shown ([`crate::ui`]).

use jiff::Timestamp;

/// A source of the current time.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The system's clock.
    Real,
    /// Always the same moment, in Unix seconds (`KANBANCTL_NOW`).
    Frozen(i64),
}

impl Clock {
    /// Seconds since 1970-01-01 UTC, truncated as Hermes writes them (docs/board-format.md, 2).
    pub fn epoch(self) -> i64 {
        match self {
            Self::Real => Timestamp::now().as_second(),
            Self::Frozen(second) => second,
        }
    }
}

/// RFC 3339 in UTC, to the second; nothing when the number is outside the calendar.
pub fn rfc3339(epoch: i64) -> Option<String> {
    Timestamp::from_second(epoch).ok().map(|time| time.to_string())
}

/// Date, time and zone as the system's time zone has them; nothing when the number is outside the calendar.
pub fn local(epoch: i64) -> Option<String> {
    let zoned = Timestamp::from_second(epoch).ok()?.to_zoned(jiff::tz::TimeZone::system());
    Some(zoned.strftime("%Y-%m-%d %H:%M:%S %Z").to_string())
}

/// The Unix second of an RFC 3339 time, or of one without an offset, which is taken for UTC.
pub fn epoch_of(text: &str) -> Option<i64> {
    let local = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    text.parse::<Timestamp>().ok().or_else(|| Some(local()?.timestamp())).map(Timestamp::as_second)
}

/// `20261124T093000Z`, for names of files.
pub fn compact(epoch: i64) -> String {
    Timestamp::from_second(epoch)
        .map_or_else(|_| epoch.to_string(), |time| time.strftime("%Y%m%dT%H%M%SZ").to_string())
}

/// Seconds as a person says them, in the two largest units: `45 s`, `3 min 5 s`, `3 d 4 h`. What lies ahead is `0 s`.
pub fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let parts = [
        (seconds / 86_400, "d"),
        (seconds % 86_400 / 3_600, "h"),
        (seconds % 3_600 / 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = parts.iter().position(|part| part.0 != 0).unwrap_or(parts.len() - 1);
    let told = parts.iter().skip(first).take(2).enumerate();
    let words =
        told.filter(|(at, part)| *at == 0 || part.0 != 0).map(|(_, part)| format!("{} {}", part.0, part.1));
    words.collect::<Vec<_>>().join(" ")
}

/// How long ago that was, or how long ahead, in its largest unit: `just now`, `5 min ago`, `in 2 h`.
pub fn ago(seconds: i64) -> String {
    match seconds {
        -59..=59 => "just now".to_owned(),
        60.. => format!("{} ago", largest(seconds)),
        _ => format!("in {}", largest(seconds.saturating_neg())),
    }
}

/// Seconds in their largest unit, without a space: `45s`, `5min`, `3h`, `12d`, `2y`.
pub fn age(seconds: i64) -> String {
    largest(seconds.max(0)).replace(' ', "")
}

fn largest(seconds: i64) -> String {
    let units = [(31_536_000, "y"), (86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let unit = units.into_iter().find(|(length, _)| seconds >= *length).unwrap_or((1, "s"));
    format!("{} {}", seconds / unit.0, unit.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_one_unit() {
        assert_eq!([5, 90, 7_300, 90_000, 70_000_000].map(age), ["5s", "1min", "2h", "1d", "2y"]);
        assert_eq!([30, 90, -7_300].map(ago), ["just now", "1 min ago", "in 2 h"]);
    }

    #[test]
    fn renders_utc() {
        assert_eq!(rfc3339(1_780_000_000).as_deref(), Some("2026-05-28T20:26:40Z"));
        assert_eq!(compact(1_780_000_000), "20260528T202640Z");
        assert_eq!(rfc3339(i64::MAX), None);
    }

    #[test]
    fn a_span_has_its_two_largest_units() {
        let told = [0, 1, 60, 185, 3_600, 3_605, 273_599, 86_400, 90_061, -90].map(span);
        let wanted = ["0 s", "1 s", "1 min", "3 min 5 s", "1 h", "1 h", "3 d 3 h", "1 d", "1 d 1 h", "0 s"];
        assert_eq!(told, wanted);
    }
}
