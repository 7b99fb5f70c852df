//! A board behind another in one file, as `cat` leaves it: each is a source of its own.
//!
//! Not here: which of them is the newer one. Their rows say so.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{Source, SourcePart};
use crate::ondisk::header::{self, Header, MAGIC};
use crate::work::holes;

/// A board begins where a sector does.
const STEP: usize = 512;
/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// Return `sources`, where those whose file goes on with another board are one for each board, the first one first.
pub(super) fn split(sources: Vec<Source>) -> Vec<Source> {
    let mut all = Vec::with_capacity(sources.len());
    for source in sources {
        let parts = if source.base.is_none() && source.part == SourcePart::Whole {
            parts(&source.path)
        } else {
            Vec::new()
        };
        if parts.is_empty() {
            all.push(source);
            continue;
        }
        for part in parts {
            // A log is that of the name, which was the first one's.
            let wal_size = if part.start == 0 { source.wal_size } else { 0 };
            let size = part.end - part.start;
            all.push(Source { range: Some(part), size, wal_size, ..source.clone() });
        }
    }
    all
}

/// The parts of the file at `path` that are boards; none where it is one alone.
fn parts(path: &Path) -> Vec<Range<u64>> {
    let read = || {
        let file = File::open(path).ok()?;
        let mut head = [0; header::LEN];
        file.read_exact_at(&mut head, 0).ok()?;
        let first = end_of(&head)?;
        let size = file.metadata().ok()?.len();
        (first < size).then(|| starts(&file, first, size))
    };
    let starts = read().unwrap_or_default();
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain(starts.last().map(|(_, size)| *size));
    let parts: Vec<Range<u64>> = starts.iter().zip(ends).map(|((start, _), end)| *start..end).collect();
    if parts.len() > 1 { parts } else { Vec::new() }
}

/// Where the boards in `file` of `size` bytes begin, the first of which is `first` bytes long; each with that size.
fn starts(file: &File, first: u64, size: u64) -> Vec<(u64, u64)> {
    let mut starts = vec![(0, size)];
    let mut offset = first;
    let mut piece = vec![0; PIECE + header::LEN];
    while let Some(data) = holes::next_data(file, offset).filter(|data| *data < size) {
        // Data begins at a block of the filesystem; the places of boards are counted from the first one's end.
        offset += (data - offset) / STEP as u64 * STEP as u64;
        let len = usize::try_from(size - offset).map_or(piece.len(), |left| left.min(piece.len()));
        let Some(bytes) = piece.get_mut(..len) else { break };
        if file.read_exact_at(bytes, offset).is_err() {
            break;
        }
        let found = (0..len.min(PIECE)).step_by(STEP).find_map(|at| {
            let length = end_of(bytes.get(at..)?)?;
            let start = offset + at as u64;
            (start + length <= size).then_some((start, length))
        });
        match found {
            Some((start, length)) => {
                starts.push((start, size));
                offset = start + length;
            }
            None => offset += PIECE as u64,
        }
    }
    starts
}

/// How long the database is whose header begins `bytes`, if that is one to believe.
fn end_of(bytes: &[u8]) -> Option<u64> {
    let header = Header::read(bytes).filter(|header| bytes.starts_with(MAGIC) && header.is_credible())?;
    let is_counted = header.page_count > 0 && header.change_counter == header.valid_for;
    is_counted.then_some(u64::from(header.page_count) * header.page_size? as u64)
}
