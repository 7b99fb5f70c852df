//! The long answer to "what does this finding mean".
//!
//! Responsible for one paragraph per finding id, printed by `health --explain`; kanbanctl-recovery(7) has the
//! procedures.

/// Every finding id with its explanation, in the order in which the checks run.
const EXPLANATIONS: [(&str, &str); 23] = [
    (
        "file-missing",
        "The database file is not there, but its WAL, journal or .corrupt backups are. The board was \
        lost, not never made. Hermes would silently create an empty board here at its next start, so recover first.",
    ),
    (
        "file-empty",
        "The file has zero bytes while its WAL, journal or backups hold rows. SQLite deletes a WAL beside \
        an empty file at the first open, even a read-only one; kanbanctl never opens such a file.",
    ),
    (
        "not-sqlite",
        "The first 16 bytes are not SQLite's. Usually only page 1 is overwritten and every other page is \
        whole; recover reads the pages without needing the first one.",
    ),
    (
        "tls-record",
        "A TLS record was written over the file's beginning, through a recycled file descriptor of \
        another program. The rest of the file is usually untouched.",
    ),
    ("header-invalid", "The file starts as SQLite's, but fields of the header cannot be right."),
    (
        "page-count",
        "The board has more pages than its file, and its WAL has not got the others: the file was cut, or its growth was \
        interrupted. Nothing is written to it until it was recovered.",
    ),
    (
        "hot-journal",
        "A rollback journal lies beside the database: a transaction was interrupted, and the next writer \
        rolls it back. Until then kanbanctl reads a private copy in which that is done. Without the journal the file is half \
        one state and half another: never delete it.",
    ),
    (
        "hard-links",
        "The database file has several names. SQLite names the WAL after the name that was opened, so processes that \
        use different names write two logs for one file and lose each other's rows.",
    ),
    (
        "wal-torn",
        "Committed frames lie in the WAL behind a broken checksum or a lost header. SQLite does not see them and the \
        next writer overwrites them; recover reads them.",
    ),
    (
        "stray-wal",
        "A WAL lies beside a board whose header says rollback journal. It belongs to another moment or another board, \
        and SQLite would replay it over this one at the next open.",
    ),
    (
        "wal-pending",
        "Commits wait in the WAL. That is normal while the board is in use; a plain copy of the database \
        file alone would miss them.",
    ),
    (
        "filesystem-wal",
        "The board is in WAL mode on a filesystem where processes cannot share memory. Rows can vanish \
        or turn to zeros without any error.",
    ),
    (
        "disk-space",
        "The filesystem has less room than the board and its WAL take; writes and recovery will fail.",
    ),
    (
        "holders",
        "Other processes have the board open. Reading and ordinary writing are safe beside them; changing the \
        journal mode and installing a recovery are not.",
    ),
    (
        "deleted-files",
        "A living process holds a WAL or database file of this board that was deleted, replaced or renamed under it. \
        Commits that it makes go there, nobody else sees them, and they are gone when it ends. Do not stop it before \
        they are saved; recover reads them while it lives.",
    ),
    (
        "backups",
        "Hermes copied the board each time it took it for corrupt. Many copies mostly hold the same rows; any can hold \
        rows that are nowhere else, so none is removed before a recovery has been checked.",
    ),
    ("unreadable", "SQLite cannot read the board at all: every statement fails."),
    ("integrity", "SQLite's own check found pages or rows damaged, twice, with a pause in between."),
    ("index-drift", "Indexes disagree with their tables; the rows themselves are whole."),
    (
        "schema",
        "The board's tables are not those that Hermes creates, or carry triggers, views or checks of their own.",
    ),
    (
        "references",
        "Rows point to tasks, runs or events that are not there: deleted by an older Hermes, or lost. Hermes works with \
        such a board; only what a copy still has can come back. A subscription that is ahead of every event stays silent \
        until new events have caught up with it.",
    ),
    (
        "unknown-value",
        "A status or kind is none of those that Hermes writes. It passes such a task or run over, and its verbs refuse it. \
        A flipped bit, or SQL by hand: `health --depth full` tells the first by indexes that disagree, and recover turns \
        it back where an index or a copy still has the word. Otherwise only you can say what was there: see the section \
        of the manual.",
    ),
    ("stale-running", "Tasks are marked running although their claim has run out or was never recorded."),
];

/// What a finding means; nothing for an unknown id.
pub fn explain(id: &str) -> Option<&'static str> {
    EXPLANATIONS.iter().find(|(name, _)| *name == id).map(|(_, text)| *text)
}

/// Every id that can be explained.
pub fn ids() -> impl Iterator<Item = &'static str> {
    EXPLANATIONS.iter().map(|(name, _)| *name)
}
