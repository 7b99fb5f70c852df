//! Logs and journals that lie beside the board and do not belong to it.

use super::Subject;
use crate::board::belonging::Relation;
use crate::health::{Finding, Severity};

/// True if SQLite would see another board than the one in the file.
pub fn is_stray(finding: &Finding) -> bool {
    [WAL_FOREIGN, JOURNAL_FOREIGN].contains(&finding.id)
}

const WAL_FOREIGN: &str = "wal-foreign";
const JOURNAL_FOREIGN: &str = "journal-foreign";
/// Findings that take log and journal for the board's own.
pub(super) const MISLEADING: [&str; 5] =
    ["wal-pending", "wal-torn", "stray-wal", "hot-journal", "page-count"];

/// What lies beside the board and is of another board or moment.
pub(super) fn sidecars(subject: &Subject) -> Vec<Finding> {
    let found = [
        (WAL_FOREIGN, "-wal", subject.belonging.wal),
        (JOURNAL_FOREIGN, "-journal", subject.belonging.journal),
    ];
    let stray = found.into_iter().filter(|(.., relation)| !relation.is_same_moment());
    stray.map(|(id, suffix, relation)| finding(subject, id, suffix, relation)).collect()
}

fn finding(subject: &Subject, id: &'static str, suffix: &str, relation: Relation) -> Finding {
    let place = subject.inspection.resolved.display().to_string();
    let message = format!(
        "the {suffix} beside the board {}: SQLite would play it back over the board, and rows would be gone.",
        relation.words()
    );
    Finding::new(id, Severity::Error, place, message).next("kanbanctl recover --dry-run")
}
