//! The board's WAL, counted in frames, not bytes (incidents.md F15), before SQLite opens the board.
//!
//! Responsible for what the log and its index say, and for the states in which writing would destroy rows that only
//! the log holds. Whether the frames are sound page images is left to `health`, taking rows out of them to `recover`.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{Inspection, Sidecar};
use crate::failure::{Failure, Outcome};
use crate::ondisk::wal::Wal;

/// Where the WAL index keeps the number of frames already written back: after two copies of its 48-byte header
/// ("WAL-mode file format", section 2.1: nBackfill at byte 96), and the log's last valid frame (mxFrame, byte 16).
const BACKFILL_AT: usize = 96;
const LAST_FRAME_AT: usize = 16;

/// How many frames the log holds and how many of them only the log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Frames up to the last commit.
    pub frames: u64,
    /// Frames not yet written back to the database.
    pub pending: u64,
    /// Committed frames that SQLite does not see, because the chain of checksums is broken before them or the log's
    /// header is gone. The next writer overwrites them.
    pub hidden: u64,
    /// The log's length in bytes.
    pub bytes: u64,
}

/// Counts the frames of the board's WAL; nothing when there is none.
pub fn waiting(inspection: &Inspection) -> Outcome<Option<Waiting>> {
    let Some(sidecar) = &inspection.sidecars.wal else {
        return Ok(None);
    };
    let bytes = read(sidecar)?;
    let page_size = inspection.header().and_then(|header| header.page_size);
    let log = Wal::read(&bytes, page_size);
    let count = |frames: usize| u64::try_from(frames).unwrap_or(u64::MAX);
    let frames = log.as_ref().map_or(0, |log| count(log.visible()));
    let hidden = log.as_ref().map_or(0, |log| count(log.hidden()));
    let done = match &inspection.sidecars.shm {
        Some(shm) => backfilled(&read(shm)?, frames),
        None => 0,
    };
    let mut pending = frames.saturating_sub(done);
    if pending > 0 && log.is_some_and(|log| is_written_back(&log, &inspection.resolved)) {
        pending = 0;
    }
    Ok(Some(Waiting { frames, pending, hidden, bytes: sidecar.stamp.len }))
}

/// Whether the database file has the last image of every page in the log. The index forgets how far it was written back
/// when its last user closes, so the pages themselves are asked.
fn is_written_back(log: &Wal<'_>, database: &Path) -> bool {
    let last: HashMap<u32, &[u8]> =
        log.committed().take(log.visible()).map(|frame| (frame.page, frame.bytes)).collect();
    let Ok(file) = File::open(database) else {
        return false;
    };
    let mut page = vec![0; log.page_size];
    last.iter().all(|(&number, &image)| {
        let index = u64::from(number).saturating_sub(1);
        let offset = index.saturating_mul(u64::try_from(log.page_size).unwrap_or(u64::MAX));
        file.read_exact_at(&mut page, offset).is_ok() && page == image
    })
}

/// Frames written back, where the index speaks of this log and not of an earlier one.
fn backfilled(index: &[u8], frames: u64) -> u64 {
    let number = |at: usize| {
        let bytes = index.get(at..at + 4)?;
        // The index is in the host's byte order; it never leaves the machine.
        Some(u64::from(u32::from_ne_bytes(bytes.try_into().ok()?)))
    };
    match (number(LAST_FRAME_AT), number(BACKFILL_AT)) {
        (Some(last), Some(done)) if last == frames => done.min(frames),
        _ => 0,
    }
}

fn read(sidecar: &Sidecar) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    let reading = |error| Failure::io(error, format!("reading {}", sidecar.path.display()));
    File::open(&sidecar.path).map_err(reading)?.read_to_end(&mut bytes).map_err(reading)?;
    Ok(bytes)
}

/// Refuses to write where that would destroy rows: over frames that SQLite does not see, through a log that does not
/// belong to the board's mode, or under one of several names of the file.
///
/// # Errors
/// Exit 4 for the logs, 12 for the names; reading errors.
pub fn require_writable(inspection: &Inspection) -> Outcome<()> {
    let names = inspection.stamp.map_or(1, |stamp| stamp.nlink);
    if names > 1 {
        return Err(Failure::refused(format!(
            "the board's file has {names} names (hard links). SQLite keeps one WAL per name: rows would part."
        ))
        .hint("Keep one name and remove the others; `find DIR -samefile FILE` names them.")
        .at(&inspection.resolved));
    }
    if !inspection.is_wal() && inspection.sidecars.wal_has_bytes() {
        return Err(Failure::damaged(
            "a -wal lies beside a board that is not in WAL mode: SQLite would replay it over the board.",
        )
        .hint("See what it holds with `kanbanctl recover --dry-run`.")
        .at(&inspection.resolved));
    }
    let hidden = waiting(inspection)?.map_or(0, |waiting| waiting.hidden);
    if hidden > 0 {
        return Err(Failure::damaged(format!(
            "the WAL is torn: {hidden} committed frames lie where SQLite does not look, and writing would overwrite them."
        ))
        .hint("Save them first with `kanbanctl recover --output NEW.db`.")
        .at(&inspection.resolved));
    }
    Ok(())
}
