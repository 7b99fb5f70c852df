//! What waits in the WAL, counted in frames, not bytes (incidents.md F15).
//!
//! Responsible for reading the log and its index before SQLite opens the board. Whether the frames are sound page
//! images is left to `integrity`, which reads through them.

use std::fs::File;
use std::io::Read;

use super::Subject;
use crate::board::{Inspection, Sidecar};
use crate::failure::{Failure, Outcome};
use crate::health::{Finding, Severity};
use crate::ondisk::wal;

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
    /// The log's length in bytes.
    pub bytes: u64,
}

/// Counts the frames of the board's WAL; nothing when there is none.
pub(super) fn waiting(inspection: &Inspection) -> Outcome<Option<Waiting>> {
    let Some(sidecar) = &inspection.sidecars.wal else {
        return Ok(None);
    };
    let bytes = read(sidecar)?;
    let page_size = inspection.header().and_then(|header| header.page_size);
    let committed = wal::Wal::read(&bytes, page_size).map_or(0, |log| log.committed);
    let frames = u64::try_from(committed).unwrap_or(u64::MAX);
    let done = match &inspection.sidecars.shm {
        Some(shm) => backfilled(&read(shm)?, frames),
        None => 0,
    };
    Ok(Some(Waiting { frames, pending: frames.saturating_sub(done), bytes: sidecar.stamp.len }))
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

/// Frames that a plain copy of the database file would miss.
pub(super) fn frames(subject: &Subject) -> Vec<Finding> {
    let Some(waiting) = subject.waiting.filter(|waiting| waiting.pending > 0) else {
        return Vec::new();
    };
    let message = format!(
        "{} of {} frames in the WAL ({} bytes) are not yet in the database file.",
        waiting.pending, waiting.frames, waiting.bytes
    );
    vec![
        Finding::new(
            "wal-pending",
            Severity::Info,
            subject.inspection.resolved.display().to_string(),
            message,
        )
        .next("kanbanctl checkpoint"),
    ]
}
