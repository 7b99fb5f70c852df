//! What waits in the WAL, counted in frames, not bytes (incidents.md F15).
//!
//! Responsible for reading the log and its index before SQLite opens the board. Whether the frames are sound page
//! images is left to `integrity`, which reads through them.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;

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
    let log = wal::Wal::read(&bytes, page_size);
    let frames = log.as_ref().map_or(0, |log| u64::try_from(log.committed).unwrap_or(u64::MAX));
    let done = match &inspection.sidecars.shm {
        Some(shm) => backfilled(&read(shm)?, frames),
        None => 0,
    };
    let mut pending = frames.saturating_sub(done);
    if pending > 0 && log.is_some_and(|log| is_written_back(&log, &inspection.resolved)) {
        pending = 0;
    }
    Ok(Some(Waiting { frames, pending, bytes: sidecar.stamp.len }))
}

/// Whether the database file has the last image of every page in the log. The index forgets how far it was written back
/// when its last user closes, so the pages themselves are asked.
fn is_written_back(log: &wal::Wal<'_>, database: &Path) -> bool {
    let last: HashMap<u32, &[u8]> = log.committed().map(|frame| (frame.page, frame.bytes)).collect();
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
