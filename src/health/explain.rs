//! The long answer to "what does this finding mean".
//!
//! Responsible for one explanation per finding id, printed by `health --explain`: what it means, whether anything is lost,
//! and the first command. kanbanctl-recovery(7) has a section of the same name with all of them in order.

use serde::Serialize;

/// What a finding means and where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The finding, and the section of kanbanctl-recovery(7).
    pub id: &'static str,
    /// What it means and what it costs, as sentences.
    pub meaning: &'static str,
    /// The first command.
    pub next: &'static str,
}

/// Where damage begins to be dealt with: nothing is written by it.
const DRY_RUN: &str = "kanbanctl recover --dry-run";
/// Where rows that are in danger are brought to.
const SAVE: &str = "kanbanctl recover --output NEW.db";

/// Every finding, in the order in which the checks run.
const EXPLANATIONS: &[Explanation] = &[
    of(
        "file-missing",
        "The database file is not there, but its WAL, journal or .corrupt backups are. The board was lost, not never made; \
        what those hold comes back. Hermes would silently create an empty board here at its next start, so recover first.",
        DRY_RUN,
    ),
    of(
        "file-empty",
        "The file has zero bytes while its WAL, journal or backups hold rows, which come back. SQLite deletes a WAL beside \
        an empty file at the first open, even a read-only one; kanbanctl never opens such a file. Save them first, before \
        anything is stopped or started.",
        SAVE,
    ),
    of(
        "not-sqlite",
        "The first 16 bytes are not SQLite's. Usually only page 1 is overwritten and every other page is whole; recover \
        reads the pages without needing the first one.",
        DRY_RUN,
    ),
    of(
        "tls-record",
        "A TLS record was written over the file's beginning, through a recycled file descriptor of another program. The \
        rest of the file is usually untouched, and recover does not need the beginning.",
        DRY_RUN,
    ),
    of(
        "header-invalid",
        "The file starts as SQLite's, but fields of the header cannot be right. The pages behind it are usually whole. As a \
        warning: the log has a whole one, which SQLite reads, and a checkpoint puts it into the file.",
        DRY_RUN,
    ),
    of(
        "page-count",
        "The board has more pages than its file, and its WAL has not got the others: the file was cut, or its growth was \
        interrupted. What was on those pages is lost unless a copy has it. Nothing is written to the board until it was \
        recovered.",
        DRY_RUN,
    ),
    of(
        "file-goes-on",
        "The file is longer than its header counts, and what lies there is not empty: an older or newer self of the \
        board that was appended to it, or bytes of another program. SQLite never looks there, so rows of it are lost \
        to Hermes; recover reads them.",
        DRY_RUN,
    ),
    of(
        "not-writable",
        "The filesystem is mounted read-only, or the owner of the board may not write to it: every write of Hermes \
        fails. Nothing is lost that is on the board; what workers report meanwhile is.",
        "kanbanctl -v boards show",
    ),
    of(
        "hot-journal",
        "A rollback journal lies beside the database. Under way, it is a writer at work and nothing is to be done. \
        Interrupted, the next writer rolls the transaction back, and only what was never committed is lost; until then \
        kanbanctl reads a private copy in which that is done. Without the journal the file is half one state and half \
        another: never delete it.",
        "kanbanctl repair",
    ),
    of(
        "hard-links",
        "The database file has several names. SQLite names the WAL after the name that was opened, so processes that use \
        different names write two logs for one file and lose each other's rows. Before a name is removed, the log beside \
        it must be recovered.",
        "find / -xdev -samefile BOARD",
    ),
    of(
        "wal-torn",
        "Committed frames lie in the WAL behind a broken checksum or a lost header. SQLite does not see them and the next \
        writer overwrites them; recover reads them. Or frames that the WAL's index names are not there: it was cut. Save \
        what there is first: whoever closes the board last deletes the WAL.",
        SAVE,
    ),
    of(
        "wal-foreign",
        "The WAL beside the board does not continue its file: it is another board's, or of another moment of this board. It \
        was put there by hand or by a program that synchronises files. SQLite would lay it over the file at the next open, \
        and rows would be gone. kanbanctl writes nothing and plays nothing back; recover reads the two apart, and rows of \
        another board stay out unless --include-foreign names the file. Nothing is lost until another program opens the \
        board.",
        DRY_RUN,
    ),
    of(
        "journal-foreign",
        "The rollback journal beside the board is not that of its last transaction: a program that synchronises files put an \
        old one back. SQLite would roll the board back to that moment at the next open. kanbanctl does not play it back; \
        recover reads the two apart. Nothing is lost until another program opens the board.",
        DRY_RUN,
    ),
    of(
        "stray-wal",
        "A WAL lies beside a board whose header says rollback journal. It belongs to another moment or another board, and \
        SQLite would replay it over this one at the next open. Until then nothing is lost.",
        DRY_RUN,
    ),
    of(
        "wal-pending",
        "Commits wait in the WAL. That is normal while the board is in use, and nothing is lost; a plain copy of the \
        database file alone would miss them.",
        "kanbanctl checkpoint",
    ),
    of(
        "filesystem-wal",
        "The board is in WAL mode on a filesystem where processes cannot share memory. Rows can vanish or turn to zeros \
        without any error, from the next write on.",
        "kanbanctl journal-mode delete",
    ),
    of(
        "disk-space",
        "The filesystem has less room than the board and its WAL take. Nothing is lost, but writes and recovery will fail.",
        "kanbanctl backups list",
    ),
    of(
        "holders",
        "Other processes have the board open, or processes could not be seen. Nothing is wrong: reading and ordinary \
        writing are safe beside them. Changing the journal mode and installing a recovery are not; stop them before that.",
        "hermes gateway stop",
    ),
    of(
        "deleted-files",
        "A living process holds a WAL or database file of this board that was deleted, replaced or renamed under it. \
        Commits that it makes go there, nobody else sees them, and they are gone when it ends. Do not stop it before \
        they are saved; recover reads them while it lives.",
        SAVE,
    ),
    of(
        "backups",
        "Hermes copied the board each time it took it for corrupt. Many copies mostly hold the same rows; any can hold \
        rows that are nowhere else, so none is removed before a recovery has been checked.",
        "kanbanctl backups list",
    ),
    of(
        "other-copies",
        "A copy of this board lies there under another name: a sync conflict, a file that somebody put aside, a \
        snapshot or archive of Hermes. A conflict copy can have gone on by itself, and what only it has is lost to \
        this board until it is brought in. The others are normal.",
        DRY_RUN,
    ),
    of(
        "no-backup",
        "There is no backup of ours beside the board, or none as new as --max-backup-age asks for. Nothing is wrong; \
        what happens to the board next could not be undone.",
        "kanbanctl backup",
    ),
    of(
        "old-sqlite",
        "The board is in WAL mode, and a SQLite older than 3.51.3 (3.50.7, 3.44.6) wrote to it last or is used by a \
        living process. Such a SQLite can damage the board when several processes write and write back at once: with \
        a gateway, a dashboard and workers that takes seconds to days. Nothing is lost yet.",
        "hermes gateway stop",
    ),
    of(
        "unreadable",
        "SQLite cannot read the board at all: every statement fails. As an error the board is damaged, and recover reads \
        it without SQLite. As a warning something else was in the way, and the finding's own next command leads to it.",
        DRY_RUN,
    ),
    of(
        "integrity",
        "SQLite's own check found pages or rows damaged, twice, with a pause in between. What is on those pages is lost \
        unless the WAL or a copy has it.",
        DRY_RUN,
    ),
    of(
        "index-drift",
        "Indexes disagree with their tables; the rows themselves are whole. Nothing is lost, but lookups can miss rows.",
        "kanbanctl repair",
    ),
    of(
        "indexed-but-gone",
        "An index names rows that their table does not have: they are lost, or a copy has them. The index is the last \
        trace of them, and repair removes it.",
        DRY_RUN,
    ),
    of(
        "schema",
        "The board's tables are not those that Hermes creates, or carry triggers, views or checks of their own. Missing \
        tables: their rows may still lie in the file. Missing columns or indexes: Hermes adds them at its next open. Code \
        of the board's own is never run, and recover leaves it behind.",
        DRY_RUN,
    ),
    of(
        "not-utf8",
        "Bytes in a text column are not UTF-8. Hermes 0.19.0 fails on the first such value and lists no task at all, though \
        all of them are there. A copy may have the text as it was; otherwise those bytes are lost, the rest of the value can be \
        read, and the row needs a new text.",
        DRY_RUN,
    ),
    of(
        "storage-class",
        "A value has a storage class on which Hermes fails: text where it computes with a number, or bytes where it \
        reads text. The rows are whole and nothing is lost; Hermes fails on the task, or on every list.",
        "kanbanctl repair --text",
    ),
    of(
        "references",
        "Rows point to tasks, runs or events that are not there: deleted by an older Hermes, or lost. Hermes works with \
        such a board; only what a copy still has can come back. A subscription that is ahead of every event stays silent \
        until new events have caught up with it.",
        DRY_RUN,
    ),
    of(
        "unknown-value",
        "A status or kind is none of those that Hermes writes. It passes such a task or run over, and its verbs refuse it. \
        A flipped bit, or SQL by hand: `health --depth full` tells the first by indexes that disagree, and recover turns \
        it back where an index or a copy still has the word. Otherwise the value is lost, and only you can say what it was.",
        DRY_RUN,
    ),
    of(
        "never-made",
        "A task has an id that no Hermes makes (t_ and eight hexadecimal digits), or a blank title, which it refuses. \
        Another program wrote the row, perhaps in the place of a real one, which may be lost.",
        "kanbanctl list",
    ),
    of(
        "done-by-hand",
        "A task is done, but no event says that anybody completed it: another program set the status. No row is lost; \
        tasks that wait for it were not promoted, its run may be open, and there is no result.",
        "kanbanctl list --status done",
    ),
    of(
        "stale-running",
        "Tasks are marked running although their claim has run out or was never recorded: a worker died. Nothing is lost.",
        "kanbanctl list --status running",
    ),
];

const fn of(id: &'static str, meaning: &'static str, next: &'static str) -> Explanation {
    Explanation { id, meaning, next }
}

/// What a finding means; nothing for an unknown id.
pub fn explain(id: &str) -> Option<Explanation> {
    EXPLANATIONS.iter().find(|known| known.id == id).copied()
}

/// Every id that can be explained.
pub fn ids() -> impl Iterator<Item = &'static str> {
    EXPLANATIONS.iter().map(|known| known.id)
}
