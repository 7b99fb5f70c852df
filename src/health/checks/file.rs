//! Checks on the database file itself: is it there, is it SQLite's, is it whole.
//!
//! Responsible for what header and length can tell; what the pages hold is left to `integrity`.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::StatVfsMountFlags;

use super::Subject;
use crate::board::FileState;
use crate::board::files::with_suffix;
use crate::board::rollback::Rollback;
use crate::failure::count::counted;
use crate::failure::hint;
use crate::health::{Finding, Severity};
use crate::ondisk::header;

const DRY_RUN: &str = "kanbanctl recover --dry-run";
/// How much is read behind a board's end, in bytes.
const LONGEST_TAIL: u64 = 16 << 20;
/// Where the log is gone with the next open.
const SAVE: &str = "kanbanctl recover --output NEW.db";

/// The file is missing, empty or something else, with traces of a board beside it (docs/architecture.md, rule 3).
pub(super) fn state(subject: &Subject) -> Vec<Finding> {
    let inspection = &subject.inspection;
    let Err(failure) = inspection.require_sqlite() else {
        return Vec::new();
    };
    let (id, next) = match &inspection.state {
        FileState::Missing => ("file-missing", inspection.way_back()),
        FileState::Empty if inspection.backups.count > 0 || inspection.sidecars.any_log() => {
            ("file-empty", SAVE.to_owned())
        }
        FileState::Empty => ("file-empty", inspection.way_back()),
        FileState::NotSqlite { foreign: Some(foreign), .. } => {
            ("not-sqlite", foreign.next(&inspection.resolved))
        }
        FileState::NotSqlite { tls_at: Some(_), .. } => ("tls-record", DRY_RUN.to_owned()),
        FileState::NotSqlite { .. } => ("not-sqlite", DRY_RUN.to_owned()),
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

/// More pages counted than the file has. In WAL mode the missing ones may lawfully be in the WAL (docs/recovery.md).
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

/// Bytes behind the last page that the header counts: an older or newer self of the board, or another program's.
pub(super) fn goes_on(subject: &Subject) -> Vec<Finding> {
    let Some((at, second)) = behind_the_end(subject) else { return Vec::new() };
    let what = if second {
        "another SQLite database begins there; recover reads both"
    } else {
        "bytes that are not zero lie there"
    };
    let message = format!("the file goes on behind the board's end at byte {at}: {what}.");
    let place = subject.inspection.resolved.display().to_string();
    vec![Finding::new("file-goes-on", Severity::Warning, place, message).next(DRY_RUN)]
}

/// Where the board ends, when something lies behind that, and whether it begins as a database does. While frames wait or a
/// transaction is under way, the header in the file says nothing.
fn behind_the_end(subject: &Subject) -> Option<(u64, bool)> {
    let (header, stamp) = (subject.inspection.header()?, subject.inspection.stamp?);
    let is_moving = subject.waiting.is_some_and(|waiting| waiting.frames > 0) || subject.rollback.is_some();
    let trusted = header.change_counter == header.valid_for && header.page_count > 0 && !is_moving;
    let end = u64::from(header.page_count) * u64::try_from(header.page_size?).ok()?;
    if !trusted || stamp.len <= end {
        return None;
    }
    let file = File::open(&subject.inspection.resolved).ok()?;
    let mut piece = vec![0; 1 << 16];
    let mut at = end;
    let mut first = true;
    while at < stamp.len.min(end + LONGEST_TAIL) {
        let read = file.read_at(&mut piece, at).ok().filter(|read| *read > 0)?;
        let bytes = piece.get(..read)?;
        let second = first && bytes.starts_with(header::MAGIC);
        if second || bytes.iter().any(|byte| *byte != 0) {
            return Some((end, second));
        }
        first = false;
        at += u64::try_from(read).ok()?;
    }
    None
}

/// A board that its own owner cannot write.
pub(super) fn writable(subject: &Subject) -> Vec<Finding> {
    let inspection = &subject.inspection;
    let (Some(stamp), true) = (inspection.stamp, inspection.header().is_some()) else { return Vec::new() };
    let directory = inspection.resolved.parent().unwrap_or(Path::new("/"));
    let place = inspection.resolved.display().to_string();
    let look = format!("ls -ld {} {}", hint::quoted(directory), hint::quoted(&inspection.resolved));
    let found = |message: String, next: String| {
        vec![Finding::new("not-writable", Severity::Warning, place.clone(), message).next(next)]
    };
    if rustix::fs::statvfs(directory).is_ok_and(|on| on.f_flag.contains(StatVfsMountFlags::RDONLY)) {
        let mount = hint::quoted(&subject.filesystem.mount_point);
        let message = "the filesystem is mounted read-only: every write fails.".to_owned();
        return found(message, format!("findmnt {mount}"));
    }
    let Ok(dir) = std::fs::metadata(directory) else { return Vec::new() };
    // Who is neither may be a monitor, who need not write.
    let owner_writes = stamp.mode & 0o200 != 0;
    let owner_makes = if dir.uid() == stamp.uid { dir.mode() & 0o300 == 0o300 } else { true };
    if !owner_writes || !owner_makes {
        let what = if owner_writes { "in its directory" } else { "to the file" };
        return found(format!("its own owner may not write {what}: every write fails."), look);
    }
    if dir.uid() != stamp.uid && stamp.mode & 0o022 == 0 && dir.uid() != 0 {
        let message = format!(
            "the file belongs to user {} and its directory to user {}, who may not write to it.",
            stamp.uid,
            dir.uid()
        );
        return found(message, look);
    }
    Vec::new()
}

/// An interrupted transaction of a rollback-journal board.
pub(super) fn hot_journal(subject: &Subject) -> Vec<Finding> {
    let place = with_suffix(&subject.inspection.resolved, "-journal").display().to_string();
    let found = |severity, message: &str| Finding::new("hot-journal", severity, &place, message);
    match subject.rollback {
        None => Vec::new(),
        Some(Rollback::UnderWay) => vec![found(Severity::Info, "a transaction is under way.")],
        Some(Rollback::Interrupted) if subject.belonging.torn_records > 0 => {
            let message = format!(
                "a transaction was interrupted, and {} of its journal are damaged: SQLite would put back the pages before the \
                 first of them only, and remove the journal.",
                counted(subject.belonging.torn_records, "record", "records")
            );
            vec![found(Severity::Error, message.as_str()).next("kanbanctl recover --dry-run")]
        }
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
