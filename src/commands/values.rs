//! Parsers for single values of the command line.
//!
//! Responsible for turning text into a typed value or a message; clap adds the option's name.

use std::time::Duration;

/// A span such as `500ms`, `30s`, `5m`, `2h`, `1d`; a bare number counts seconds.
///
/// # Errors
/// A message that names the accepted forms.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let milliseconds = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => 0,
    };
    number
        .parse::<u64>()
        .ok()
        .filter(|_| milliseconds > 0)
        .and_then(|number| number.checked_mul(milliseconds))
        .map(Duration::from_millis)
        .ok_or_else(|| "expected a number with ms, s, m, h or d, such as 30s".to_owned())
}

/// A number of bytes such as `500M` or `2GiB`; K, M, G and T count in 1024s.
///
/// # Errors
/// A message that names the accepted forms.
pub fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.strip_suffix("iB").unwrap_or(unit);
    let shift = match unit {
        "" | "B" => Some(0),
        "K" | "k" => Some(10),
        "M" => Some(20),
        "G" => Some(30),
        "T" => Some(40),
        _ => None,
    };
    shift
        .zip(number.parse::<u64>().ok())
        .and_then(|(shift, number)| number.checked_mul(1 << shift))
        .ok_or_else(|| "expected a number of bytes, with K, M, G or T for 1024s, such as 500M".to_owned())
}

/// A moment as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// That long before now.
    Ago(Duration),
    /// Unix seconds.
    At(i64),
}

impl Moment {
    /// In Unix seconds.
    pub fn at(self, now: i64) -> i64 {
        match self {
            Self::Ago(span) => now.saturating_sub(i64::try_from(span.as_secs()).unwrap_or(i64::MAX)),
            Self::At(at) => at,
        }
    }
}

/// A time in RFC 3339, a date (its beginning in UTC), Unix seconds after `@`, or how long ago: `2d`.
///
/// # Errors
/// A message that names the accepted forms.
pub fn moment(text: &str) -> Result<Moment, String> {
    let text = text.trim();
    let wrong = || "expected a date, a time in RFC 3339, @SECONDS, or how long ago, such as 2d".to_owned();
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().map(Moment::At).map_err(|_| wrong());
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(Moment::At(time.as_second()));
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>()
        && text.contains('-')
    {
        let begin = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| wrong())?;
        return Ok(Moment::At(begin.timestamp().as_second()));
    }
    duration(text).map(Moment::Ago).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("3K"), Ok(3 << 10));
        assert_eq!(size("500M"), Ok(500 << 20));
        assert_eq!(size("2GiB"), Ok(2 << 30));
        for bad in ["", "M", "-1", "1.5G", "1 G", "99999999999999T", "5X", "iB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn moments_are_read() {
        assert_eq!(moment("2d").map(|moment| moment.at(200_000)), Ok(27_200));
        assert_eq!(moment("2026-05-28"), Ok(Moment::At(1_779_926_400)));
        assert_eq!(moment("2026-05-28T20:26:40Z"), Ok(Moment::At(1_780_000_000)));
        assert_eq!(moment("@7"), Ok(Moment::At(7)));
        for bad in ["", "yesterday", "2026-13-01", "@x"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn spans_are_read() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("2h"), Ok(Duration::from_hours(2)));
        for bad in ["", "s", "-1s", "1w", "99999999999999999999d", "1.5s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
