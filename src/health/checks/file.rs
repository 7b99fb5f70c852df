//! Checks on the database file itself: is it there, is it SQLite's, is it whole.
//!
//! Responsible for what header and length can tell; what the pages hold is left to `integrity`.

use super::Subject;
use crate::board::FileState;
use crate::board::files::with_suffix;
use crate::board::rollback::Rollback;
use crate::failure::count::counted;
use crate::failure::hint;
use crate::health::{Finding, Severity};

const DRY_RUN: &str = "kanbanctl recover --dry-run";
/// Where the log is gone with the next open.
const SAVE: &str = "kanbanctl recover --output NEW.db";

/// The file is missing, empty or something else, with traces of a board beside it (architecture.md rule 3).
pub(super) fn state(subject: &Subject) -> Vec<Finding> {
    let inspection = &subject.inspection;
    let Err(failure) = inspection.require_sqlite() else {
        return Vec::new();
    };
    let (id, next) = match &inspection.state {
        FileState::Missing => ("file-missing", DRY_RUN),
        FileState::Empty => ("file-empty", SAVE),
        FileState::NotSqlite { tls_at: Some(_), .. } => ("tls-record", DRY_RUN),
        FileState::NotSqlite { .. } => ("not-sqlite", DRY_RUN),
        FileState::Sqlite(_) => return Vec::new(),
    };
    vec![
        Finding::new(id, Severity::Error, inspection.resolved.display().to_string(), failure.to_string())
            .next(next),
    ]
}

/// Header fields that cannot be right. In the middle of a transaction they need not be: the journal has the others.
pub(super) fn header(subject: &Subject) -> Vec<Finding> {
    if subject.rollback.is_some() {
        return Vec::new();
    }
    let Some(header) = subject.inspection.header() else {
        return Vec::new();
    };
    let faults = header.faults();
    if faults.is_empty() {
        return Vec::new();
    }
    let place = subject.inspection.resolved.display().to_string();
    let faults = faults.join(", ");
    if subject.reads_header_in_log() {
        let message = format!(
            "the header in the file cannot be right: {faults}. A whole one is in the log, where SQLite reads it; a checkpoint \
             puts it into the file."
        );
        return vec![
            Finding::new("header-invalid", Severity::Warning, place, message).next("kanbanctl checkpoint"),
        ];
    }
    let message = format!("the header cannot be right: {faults}.");
    vec![Finding::new("header-invalid", Severity::Error, place, message).next(DRY_RUN)]
}

/// More pages counted than the file has. In WAL mode the missing ones may lawfully be in the WAL (recovery.md).
pub(super) fn page_count(subject: &Subject) -> Vec<Finding> {
    let inspection = &subject.inspection;
    let Some(message) = short_of_pages(subject) else {
        return Vec::new();
    };
    vec![
        Finding::new("page-count", Severity::Error, inspection.resolved.display().to_string(), message)
            .next(DRY_RUN),
    ]
}

fn short_of_pages(subject: &Subject) -> Option<String> {
    let (header, stamp) = (subject.inspection.header()?, subject.inspection.stamp?);
    if let Some(waiting) = subject.waiting.filter(|waiting| waiting.frames > 0) {
        // The log's last commit counts the pages.
        return (waiting.settled && waiting.absent > 0).then(|| {
            format!(
                "{} neither in the file ({} bytes) nor in its WAL.",
                counted(waiting.absent, "page of the board is", "pages of the board are"),
                stamp.len
            )
        });
    }
    let page_size = u64::try_from(header.page_size?).ok()?;
    let trusted = header.change_counter == header.valid_for && header.page_count > 0;
    let expected = u64::from(header.page_count) * page_size;
    let short = trusted && subject.rollback.is_none() && stamp.len < expected;
    short.then(|| {
        format!(
            "the header counts {} pages ({expected} bytes), the file has {} bytes.",
            header.page_count, stamp.len
        )
    })
}

/// An interrupted transaction of a rollback-journal board.
pub(super) fn hot_journal(subject: &Subject) -> Vec<Finding> {
    let place = with_suffix(&subject.inspection.resolved, "-journal").display().to_string();
    let found = |severity, message| Finding::new("hot-journal", severity, &place, message);
    match subject.rollback {
        None => Vec::new(),
        Some(Rollback::UnderWay) => vec![found(Severity::Info, "a transaction is under way.")],
        Some(Rollback::Interrupted) => vec![
            found(
                Severity::Warning,
                "a transaction was interrupted. What is said here is of the board as it was before; the next writer rolls \
                 back to that.",
            )
            .next("kanbanctl repair"),
        ],
    }
}

/// One file under several names: SQLite keeps a WAL per name.
pub(super) fn hard_links(subject: &Subject) -> Vec<Finding> {
    let names = subject.inspection.stamp.map_or(1, |stamp| stamp.nlink);
    if names < 2 {
        return Vec::new();
    }
    let message = format!(
        "the file has {names} names; processes that open it by different names do not see each other's rows."
    );
    let place = subject.inspection.resolved.display().to_string();
    let names = format!(
        "find {} -xdev -samefile {}",
        hint::quoted(&subject.filesystem.mount_point),
        hint::quoted(&subject.inspection.resolved)
    );
    vec![Finding::new("hard-links", Severity::Error, place, message).next(names)]
}
