//! The header of a WAL index (`-shm`; "WAL-mode File Format", section 2.1): two copies, then the checkpoint counters. In the
//! host's byte order, because the file never leaves the machine.

use std::ops::Range;

use super::Wal;

/// How much of an index its head is, in bytes.
pub const HEAD: usize = 136;
/// The length of a copy of the header, in bytes.
pub const HEADER_LEN: usize = 48;
/// Whether it was ever filled in.
pub const IS_INIT: usize = 12;
/// The log's last committed frame.
pub const LAST_FRAME: Range<usize> = 16..20;
/// The board's pages.
pub const PAGES: Range<usize> = 20..24;
/// The last frame's checksum.
pub const LAST_SUM: Range<usize> = 24..32;
/// The log's salts, which stand here as they stand in the log.
pub const SALTS: Range<usize> = 32..40;
/// How many frames are written back (nBackfill).
pub const BACKFILL: Range<usize> = 96..100;

/// A number of the index.
pub fn number(index: &[u8], at: Range<usize>) -> Option<u32> {
    Some(u32::from_ne_bytes(index.get(at)?.try_into().ok()?))
}

/// How many frames the index whose head is `index` names that are neither in the log nor written back. `log` is what can be
/// read of the log, none for an empty one. None of an index that is being written, or is of another log.
pub fn missing_frames(index: &[u8], log: Option<&Wal>) -> u64 {
    let is_whole = index.get(..HEADER_LEN) == index.get(HEADER_LEN..2 * HEADER_LEN)
        && index.get(IS_INIT).is_some_and(|init| *init != 0);
    let salts = log.map(|log| log.salts.map(u32::to_be_bytes).concat());
    let is_its = salts.is_none_or(|salts| index.get(SALTS) == Some(&salts));
    let (Some(last), Some(done)) = (number(index, LAST_FRAME), number(index, BACKFILL)) else { return 0 };
    if !is_whole || !is_its {
        return 0;
    }
    let there = log.and_then(|log| log.frames.last()).map_or(0, |frame| frame.index as u64 + 1);
    u64::from(last).saturating_sub(there.max(u64::from(done)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(last: u32, done: u32) -> Vec<u8> {
        let mut header = [0; HEADER_LEN];
        header[IS_INIT] = 1;
        header[LAST_FRAME].copy_from_slice(&last.to_ne_bytes());
        let mut index = header.repeat(2);
        index.extend(done.to_ne_bytes());
        index.resize(HEAD, 0);
        index
    }

    #[test]
    fn what_is_written_back_is_not_missing() {
        assert_eq!(missing_frames(&index(9, 4), None), 5);
        assert_eq!(missing_frames(&index(9, 9), None), 0);
        assert_eq!(missing_frames(&[], None), 0);
        let mut torn = index(9, 4);
        torn[LAST_FRAME.start] ^= 1;
        assert_eq!(missing_frames(&torn, None), 0);
    }
}
