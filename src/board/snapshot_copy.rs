//! Copies a database with its log and journal as of one moment.
//!
//! Notices when a process wrote in between. A main file and a log of two moments can both be sound and still be a board that
//! never existed.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::Stamp;
use super::files::with_suffix;
use crate::failure::{Failure, Outcome};
use crate::work::holes;

/// How often a file that changes while it is copied is tried.
const TRIES: u32 = 3;
/// Bytes that are copied at once.
const PIECE: usize = 1 << 20;
/// What belongs to a database at rest; an index belongs to living processes.
const SET: [&str; 3] = ["", "-wal", "-journal"];

/// Copies the database at `from` with its log and journal to `to` and the same suffixes.
///
/// # Errors
/// Exit 11 when it is written to meanwhile, 12 when there is no room or no permission; reading errors.
pub(crate) fn copy_set(from: &Path, to: &Path) -> Outcome<()> {
    for _ in 0..TRIES {
        let before = stamps(from)?;
        for suffix in SET {
            copy_one(&with_suffix(from, suffix), &with_suffix(to, suffix), suffix.is_empty())
                .map_err(|error| Failure::io(error, format!("copying {}", from.display())).at(from))?;
        }
        if stamps(from)? == before {
            return Ok(());
        }
    }
    Err(Failure::busy("the file changed each time it was copied.")
        .hint("Try again, or stop the processes that write to it first.")
        .at(from))
}

/// What database, log and journal are at this moment.
fn stamps(path: &Path) -> Outcome<[Option<Stamp>; 3]> {
    Ok([Stamp::of(path)?, Stamp::of(&with_suffix(path, "-wal"))?, Stamp::of(&with_suffix(path, "-journal"))?])
}

/// Copies one file over what an earlier try left; none where the original has none and may do without.
fn copy_one(from: &Path, to: &Path, is_needed: bool) -> std::io::Result<()> {
    match File::open(from) {
        Ok(source) => {
            let target = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to)?;
            holes::copy(&source, &target, &mut vec![0; PIECE]).map(|_| ())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_needed => {
            match std::fs::remove_file(to) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        }
        Err(error) => Err(error),
    }
}
