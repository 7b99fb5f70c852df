//! What is around the board: filesystem, room, copies, other processes.
//!
//! Responsible for judging facts that `board` has gathered.

use super::Subject;
use crate::board::filesystem::Suitability;
use crate::board::holders::Completeness;
use crate::health::{Finding, Severity};

/// From how many `.corrupt` copies on they are a storm rather than evidence (Hermes itself keeps ten, incidents.md
/// F03).
const STORM: usize = 10;

/// WAL where processes cannot share memory (incidents.md F16).
pub(super) fn filesystem(subject: &Subject) -> Vec<Finding> {
    let Suitability::Hopeless { why } = &subject.filesystem.wal else {
        return Vec::new();
    };
    if !subject.inspection.is_wal() {
        return Vec::new();
    }
    let message = format!("the board is in WAL mode on {}: {why}.", subject.filesystem.kind);
    vec![
        Finding::new("filesystem-wal", Severity::Warning, path(subject), message)
            .next("kanbanctl journal-mode delete"),
    ]
}

/// Less room than the board takes (incidents.md F19).
pub(super) fn space(subject: &Subject) -> Vec<Finding> {
    let size = |stamp: Option<u64>| stamp.unwrap_or(0);
    let needed = size(subject.inspection.stamp.map(|stamp| stamp.len))
        + size(subject.inspection.sidecars.wal.as_ref().map(|wal| wal.stamp.len));
    match subject.filesystem.free_bytes {
        Some(free) if free < needed => {
            let message = format!("{free} bytes are free, the board and its WAL take {needed}.");
            let place = subject.filesystem.mount_point.display().to_string();
            vec![Finding::new("disk-space", Severity::Warning, place, message).next("kanbanctl backups list")]
        }
        _ => Vec::new(),
    }
}

/// Copies that Hermes made when it took the board for corrupt (incidents.md F02, F03).
pub(super) fn backups(subject: &Subject) -> Vec<Finding> {
    let copies = subject.copies;
    if copies.count == 0 {
        return Vec::new();
    }
    let severity = if copies.count >= STORM { Severity::Warning } else { Severity::Info };
    let contents =
        subject.contents.map_or_else(String::new, |contents| format!(", {contents} distinct contents"));
    let message =
        format!("{} .corrupt backups lie beside the board: {} bytes{contents}.", copies.count, copies.bytes);
    vec![Finding::new("backups", severity, path(subject), message).next("kanbanctl backups list")]
}

/// Who has the board open, and whose files are deleted (incidents.md F11, F13).
pub(super) fn holders(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for holder in &subject.holders.found {
        let deleted = holder.files.iter().filter(|file| file.deleted).count();
        let who = match holder.pid {
            Some(pid) => format!("pid {pid} ({})", holder.command),
            None => "a process that cannot be seen from here".to_owned(),
        };
        if deleted > 0 {
            let message = format!(
                "it holds {deleted} deleted files of this board: commits that it makes are gone when it ends. Do not stop it."
            );
            findings.push(
                Finding::new("deleted-files", Severity::Error, who, message)
                    .next("kanbanctl recover --output NEW.db"),
            );
        } else {
            findings.push(Finding::new("holders", Severity::Info, who, "it has the board open."));
        }
    }
    if let Completeness::Partial { reason } = &subject.holders.complete {
        let message = format!("not every process could be seen: {reason}.");
        findings.push(Finding::new("holders", Severity::Info, path(subject), message));
    }
    findings
}

fn path(subject: &Subject) -> String {
    subject.inspection.resolved.display().to_string()
}
