//! Numbers with what they count, in English.

use std::time::Duration;

/// A number and what it counts, with the verb where one follows: `1 row is`, `2 rows are`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Return a number of bytes as a person reads it: `512 B`, `4.0 KiB`, `1.5 GiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let (mut tenths, mut unit) = (bytes.saturating_mul(10) / 1024, 0);
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS.get(unit).unwrap_or(&"TiB"))
}

/// A time to wait: "30 s", "250 ms".
pub fn waiting_time(time: Duration) -> String {
    if time.subsec_millis() == 0 {
        format!("{} s", time.as_secs())
    } else {
        format!("{} ms", time.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_are_told_as_seconds() {
        assert_eq!(waiting_time(Duration::from_secs(30)), "30 s");
        assert_eq!(waiting_time(Duration::from_millis(1_250)), "1250 ms");
    }

    #[test]
    fn sizes_have_one_unit_that_fits() {
        let sizes = [0, 1023, 1024, 196_608, 1_572_864, 3 << 40].map(size);
        assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "192.0 KiB", "1.5 MiB", "3.0 TiB"]);
    }

    #[test]
    fn one_is_singular_and_nothing_is_not() {
        let copies = |number| counted(number, "copy is", "copies are");
        assert_eq!([copies(0), copies(1), copies(2)], ["0 copies are", "1 copy is", "2 copies are"]);
    }
}
