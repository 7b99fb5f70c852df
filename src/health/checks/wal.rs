//! What the log says about the board's health.
//!
//! Responsible for judging what [`crate::board::log`] has counted.

use super::Subject;
use crate::failure::count::{self, counted};
use crate::health::{Finding, Severity};

/// The finding whose next step would be wrong beside damage.
pub const WAL_PENDING: &str = "wal-pending";

/// Frames that a plain copy of the database file would miss.
pub(super) fn frames(subject: &Subject) -> Vec<Finding> {
    let Some(waiting) = subject.waiting.filter(|waiting| waiting.pending > 0) else {
        return Vec::new();
    };
    let message = format!(
        "{} of {} in the WAL ({}) are not yet in the database file.",
        waiting.pending,
        counted(waiting.frames, "frame", "frames"),
        count::size(waiting.bytes)
    );
    vec![Finding::new(WAL_PENDING, Severity::Info, place(subject), message).next("kanbanctl checkpoint")]
}

/// Committed frames that SQLite does not see (docs/recovery.md), or that are gone.
pub(super) fn torn(subject: &Subject) -> Vec<Finding> {
    let Some(waiting) = subject.waiting.filter(|waiting| waiting.settled) else { return Vec::new() };
    let found = |message| {
        Finding::new("wal-torn", Severity::Error, place(subject), message)
            .next("kanbanctl recover --output NEW.db")
    };
    let hidden = (waiting.hidden > 0).then(|| {
        found(format!(
            "{} committed frames lie where SQLite does not look; the next writer overwrites them.",
            waiting.hidden
        ))
    });
    let missing = (waiting.missing > 0).then(|| {
        found(format!(
            "{} by the log's index and not in the log: it was cut, or put back without its end.",
            counted(waiting.missing, "frame is named", "frames are named")
        ))
    });
    hidden.into_iter().chain(missing).collect()
}

/// A log beside a board that keeps none.
pub(super) fn stray(subject: &Subject) -> Vec<Finding> {
    let inspection = &subject.inspection;
    if inspection.header().is_none() || inspection.is_wal() || !inspection.sidecars.wal_has_bytes() {
        return Vec::new();
    }
    let frames = subject.waiting.map_or(0, |waiting| waiting.frames + waiting.hidden);
    let severity = if frames > 0 { Severity::Error } else { Severity::Warning };
    let message = format!(
        "a -wal with {frames} committed frames lies beside a board that is not in WAL mode; SQLite would replay it."
    );
    vec![Finding::new("stray-wal", severity, place(subject), message).next("kanbanctl recover --dry-run")]
}

fn place(subject: &Subject) -> String {
    subject.inspection.resolved.display().to_string()
}
