//! Compares two database files and ignores the counters that SQLite changes with every write.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::PIECE;
use crate::failure::{Failure, Outcome};

/// What SQLite counts in the header whenever it writes, whatever it writes: the change counter, the schema's cookie, the
/// change for which the size holds, and its own version number.
const COUNTERS: [std::ops::Range<usize>; 3] = [24..28, 40..44, 92..100];

/// Whether two database files have the same bytes, what SQLite counts in their headers left out.
///
/// # Errors
/// When one cannot be read.
pub fn is_same_database(one: &Path, other: &Path) -> Outcome<bool> {
    let open = |path: &Path| {
        File::open(path).map_err(|error| Failure::io(error, format!("reading {}", path.display())).at(path))
    };
    let (mut left, mut right) = (open(one)?, open(other)?);
    let (mut a, mut b, mut first) = (Vec::new(), Vec::new(), true);
    loop {
        for (file, piece, path) in [(&mut left, &mut a, one), (&mut right, &mut b, other)] {
            piece.clear();
            file.take(PIECE as u64)
                .read_to_end(piece)
                .map_err(|error| Failure::io(error, format!("reading {}", path.display())).at(path))?;
            for range in COUNTERS.into_iter().filter(|_| first) {
                if let Some(counters) = piece.get_mut(range) {
                    counters.fill(0);
                }
            }
        }
        first = false;
        if a != b || a.is_empty() {
            return Ok(a == b);
        }
    }
}
