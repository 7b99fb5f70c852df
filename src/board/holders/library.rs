//! Which SQLite a process has mapped, from the library's own bytes.
//!
//! Reads libraries, never a file of the board.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;

/// The largest library that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// SQLite's version as its number: 3.40.1 is 3040001.
pub type VersionNumber = u32;

/// Read the version of every SQLite that process `pid` has mapped. Nothing where its files cannot be read.
pub fn sqlite_versions(pid: u32) -> BTreeSet<VersionNumber> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let is_candidate = |name: &str| {
        let file = name.rsplit('/').next().unwrap_or(name);
        file.contains("sqlite3") || file.starts_with("libpython")
    };
    let named: BTreeSet<&str> = maps
        .lines()
        .filter_map(|line| line.splitn(6, ' ').nth(5).map(str::trim_start))
        .filter(|name| name.starts_with('/') && is_candidate(name))
        .collect();
    named
        .into_iter()
        .filter_map(|name| {
            // As the process sees it: it can live in a container.
            let file = File::open(format!("/proc/{pid}/root{name}")).ok()?;
            let mut bytes = Vec::new();
            file.take(LARGEST).read_to_end(&mut bytes).ok()?;
            version_in(&bytes)
        })
        .collect()
}

/// The version of the SQLite whose code is among `bytes`: a library has its source id, a date and a hash, and its version
/// as a string of its own.
fn version_in(bytes: &[u8]) -> Option<VersionNumber> {
    let has_source_id = bytes.windows(25).any(|window| window.starts_with(b"20") && is_source_date(window));
    if !has_source_id {
        return None;
    }
    bytes.split(|&byte| byte == 0).filter(|text| (5..=9).contains(&text.len())).find_map(|text| {
        let mut parts = std::str::from_utf8(text).ok()?.strip_prefix("3.")?.split('.');
        let (minor, patch) = (parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?);
        (parts.next().is_none() && (7..1000).contains(&minor) && patch < 1000)
            .then_some(3_000_000 + minor * 1_000 + patch)
    })
}

/// True for `2022-12-28 14:03:47 df5c...`.
fn is_source_date(window: &[u8]) -> bool {
    let shape = b"dddd-dd-dd dd:dd:dd hhhhh";
    window.iter().zip(shape).all(|(byte, shape)| match shape {
        b'd' => byte.is_ascii_digit(),
        b'h' => byte.is_ascii_hexdigit(),
        other => byte == other,
    })
}

/// True for a version whose WAL-reset bug can damage a board that several processes write to.
pub fn can_break_wal(version: VersionNumber) -> bool {
    !matches!(version, 3_044_006..=3_044_999 | 3_050_007..=3_050_999 | 3_051_003..)
}

/// The version as it is written.
pub fn shown(version: VersionNumber) -> String {
    format!("{}.{}.{}", version / 1_000_000, version / 1_000 % 1_000, version % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_beside_a_source_id_alone() {
        let mut library = b"\x7fELF\0junk\x003.40.1\0more\0".to_vec();
        assert_eq!(version_in(&library), None);
        library.extend(b"2022-12-28 14:03:47 df5c253c0b3dd24916e4ec7cf77d3db5294cc9fd\0");
        assert_eq!(version_in(&library), Some(3_040_001));
        assert_eq!(shown(3_040_001), "3.40.1");
    }

    #[test]
    fn fixed_versions_are_told_from_others() {
        for broken in [3_040_001, 3_044_005, 3_045_000, 3_050_006, 3_051_000, 3_051_002] {
            assert!(can_break_wal(broken), "{broken}");
        }
        for fixed in [3_044_006, 3_050_007, 3_051_003, 3_053_004, 3_054_001] {
            assert!(!can_break_wal(fixed), "{fixed}");
        }
    }

    #[test]
    fn this_process_has_none_mapped_or_a_sound_version() {
        for version in sqlite_versions(std::process::id()) {
            assert!((3_007_000..4_000_000).contains(&version));
        }
    }
}
