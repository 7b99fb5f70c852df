//! What a recovery reports: the values behind the JSON of `recover`, and what is shown of them.

pub mod losses;
pub mod partial_rows;
pub(crate) mod provenance;
pub(crate) mod summary;
pub mod verdict;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};

use self::losses::NamedRow;
use self::provenance::ProvenanceWriter;
pub use super::merge::branch::Branch;
use crate::board::belonging::Relation;
use crate::salvage::source::SourceKind;

/// How many suspect rows a report names one by one.
pub const MAX_SUSPECTS: usize = 1000;

/// How a new file was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Built {
    /// Row by row.
    Rows,
    /// Of the pages of the best source, which stayed at their numbers.
    Pages,
}

/// Where a row is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// Its table.
    pub table: String,
    /// Its rowid.
    pub rowid: i64,
    /// The source.
    pub path: PathBuf,
    /// The page of its cell.
    pub page: u32,
    /// Where on the page the cell begins, in bytes.
    pub cell: usize,
}

/// Where a row of the result is from, in the list of all rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RowProvenance {
    /// Its rowid.
    pub rowid: i64,
    /// Its source, as an index into `sources`.
    pub source: u32,
    /// The page of its cell.
    pub page: u32,
    /// Where on the page the cell begins, in bytes.
    pub cell: u16,
    /// How far it can be trusted.
    pub confidence: Confidence,
    /// Whether it is from a history that went on beside the main line's.
    pub fork: bool,
}

/// How far a row can be trusted, by how it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The tree of its table leads to it and nothing about it is strange.
    Whole,
    /// It lies on a page that no tree reaches, where rows are missing.
    Stray,
    /// It is only in a source that is older than one that shows it gone.
    Older,
    /// Its page is lost, and the row stands in an earlier image of it: a frame of the log, or the page beneath the log.
    Earlier,
    /// A value is unlikely or its place is out of order.
    Suspect,
    /// A flipped bit in its bookkeeping was turned back.
    Mended,
    /// Pages of another source stand in for lost ones of its own.
    Grafted,
}

/// The whole of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Every distinct content, best first.
    pub sources: Vec<SourceReport>,
    /// Every table of the result by name.
    pub tables: BTreeMap<String, TableReport>,
    /// The new file; none on a dry run.
    pub output: Option<PathBuf>,
    /// How it was built; none on a dry run.
    pub built: Option<Built>,
    /// Whether the result was installed over the live board.
    pub installed: bool,
    /// The folder with the evidence, where one was written.
    pub evidence: Option<PathBuf>,
    /// Whether the new file passed every check; none on a dry run.
    pub verified: Option<bool>,
    /// What the checks found, for people.
    pub faults: Vec<String>,
    /// Rows that name a task that is not there.
    pub dangling: u64,
    /// Where the suspect rows of the result are from, at most [`MAX_SUSPECTS`] of them.
    pub suspects: Vec<Provenance>,
    /// The file with rows that are only partly there or were never committed, one JSON object a line.
    pub partial_rows: Option<PathBuf>,
    /// Where every row is from, by table, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance: Option<ProvenanceWriter>,
    /// Triggers, views and indexes that are not in the result.
    pub dropped: Vec<String>,
    /// Files of other boards, whose rows are not in the result.
    pub foreign: Vec<ForeignSource>,
    /// Rows that two histories of the board have both changed, at most [`MAX_SUSPECTS`] of them.
    pub conflicts: Vec<TwoVersions>,
    /// What is lost, missing, stale, partial or conflicting, by name.
    pub losses: Vec<NamedRow>,
    /// Tables whose rows are not in the result: virtual ones, those with computed columns, those whose text SQLite does not take.
    pub unread_tables: Vec<String>,
}

/// A row of which there were two versions.
#[derive(Debug, Clone, Serialize)]
pub struct TwoVersions {
    /// Its table.
    pub table: String,
    /// Its rowid in the result.
    pub rowid: i64,
    /// Whose version is in the result.
    pub kept: Branch,
    /// The source with the second history.
    pub second: PathBuf,
    /// The other version, by column; bytes that are no text as `{"bytes_hex": "..."}`.
    pub other: Map<String, Value>,
}

/// One distinct content.
#[derive(Debug, Clone, Serialize)]
pub struct SourceReport {
    /// The file that was read.
    pub path: PathBuf,
    /// Where it comes from.
    pub kind: SourceKind,
    /// How many files have this content.
    pub copies: usize,
    /// Rows that could be read.
    pub rows: u64,
    /// Pages that are damaged, lost or unreachable.
    pub damaged_pages: u64,
    /// Rows in which a text is stored as a BLOB; the result has it as text.
    pub blob_texts: u64,
    /// Pages that its header counts and that are neither in the file nor in its log.
    pub missing_pages: u64,
    /// Frames of its log that are not what their checksum says: their pages are as they were before, or hold rows for which
    /// nothing vouches.
    pub lost_frames: u64,
    /// Whether the schema could be read.
    pub schema: bool,
    /// Rows that it holds and the result has not.
    pub beyond: u64,
    /// Whether it goes on where the best source ends: then those rows are not older ones.
    pub is_later: bool,
    /// How it was read where that is not as it lies there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read_as: Vec<String>,
    /// How it is related to the file that it lies beside, or to the best source.
    pub relation: Relation,
}

/// A file of another board, whose rows are not in the result.
#[derive(Debug, Clone, Serialize)]
pub struct ForeignSource {
    /// The file.
    pub path: PathBuf,
    /// Rows that could be read.
    pub rows: u64,
}

/// True if `path` is the log or the journal beside `main`.
fn is_sidecar_of(path: &Path, main: &Path) -> bool {
    ["-wal", "-journal"].iter().any(|suffix| path == crate::board::files::with_suffix(main, suffix))
}

/// One table.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TableReport {
    /// Rows in the result.
    pub recovered: u64,
    /// Rows that were there and are not in the result.
    pub lost: u64,
    /// Whether `lost` is an estimate: no index of the table could be read, so that deleted rows count among the lost.
    pub lost_is_estimate: bool,
    /// Rows in the result by the source they are from.
    pub from: BTreeMap<String, u64>,
    /// Rows that are only partly there; they are among the lost.
    pub partial: u64,
    /// Rows of a transaction that never ended: behind the last commit of a log, and in no source else. Not in the result.
    pub uncommitted: u64,
    /// Rows in the result that look altered (text that is not UTF-8, an unlikely value, a place out of order).
    pub suspect: u64,
    /// Rows that only an older copy has and that seem deleted since, or that only a part of a page has that is no longer used
    /// and that may have changed since; not in the result unless they were asked for.
    pub older_only: u64,
    /// Rows of a second history that have another number in the result, because theirs was taken.
    pub renumbered: u64,
    /// Rows that could be read but not written, because another row has their key or they lack a value.
    pub conflicting: u64,
    /// Rows in the result that come from an older source and may be out of date.
    pub stale: u64,
    /// Rows that only other rows name: lost, or deleted by another program.
    pub missing: u64,
    /// Rows in the result whose unchanging columns were altered, and were corrected from other sources.
    pub corrected: u64,
}

impl TwoVersions {
    /// What a person calls the row: its id where it has one of its own, otherwise its number.
    pub fn name(&self) -> String {
        match self.other.get("id") {
            Some(Value::String(id)) => id.clone(),
            _ => self.rowid.to_string(),
        }
    }
}

impl Report {
    /// Whether anything is known to be lost: exit 5.
    pub fn is_partial(&self) -> bool {
        !self.unread_tables.is_empty()
            || !self.foreign.is_empty()
            || self.uncounted_pages() > 0
            || self.lost_frames() > 0
            || self.sources.iter().any(|source| source.is_later && source.beyond > 0)
            || self.tables.values().any(|table| {
                let flaws = [table.lost, table.conflicting, table.stale, table.partial];
                flaws.iter().any(|&rows| rows > 0)
            })
    }

    /// Pages of the best source that are missing together with its schema: nothing says what was on them. None where another
    /// source is whole.
    pub fn uncounted_pages(&self) -> u64 {
        self.main_source().filter(|source| !source.schema).map_or(0, |source| source.missing_pages)
    }

    /// Frames of the best source's log that are not what their checksum says. What they changed is not in the result, or may
    /// be altered there; another source that is whole is older.
    pub fn lost_frames(&self) -> u64 {
        self.sources.first().map_or(0, |source| source.lost_frames)
    }

    /// The best source, where none is whole.
    fn main_source(&self) -> Option<&SourceReport> {
        let whole = self.sources.iter().any(|source| source.schema && source.damaged_pages == 0);
        self.sources.first().filter(|_| !whole)
    }

    /// Whether the result is what the live board holds, row for row: nothing is lost, nothing came to it, nothing about it
    /// is strange.
    pub fn is_live_board(&self) -> bool {
        let Some(live) = self.sources.iter().find(|source| source.kind == SourceKind::Live) else {
            return false;
        };
        let path = live.path.display().to_string();
        let own = |table: &TableReport| {
            let strange = [table.lost, table.partial, table.renumbered, table.conflicting, table.corrected];
            strange.iter().all(|&rows| rows == 0) && table.from.keys().all(|from| *from == path)
        };
        let lacks = live.damaged_pages + live.lost_frames + live.missing_pages;
        let whole = live.schema && lacks == 0;
        // Beside a log or journal that does not belong, SQLite does not see what the file holds.
        let is_read_alone =
            self.sources.iter().any(|source| source.kind == SourceKind::Live && source.path != live.path)
                || self.foreign.iter().any(|foreign| is_sidecar_of(&foreign.path, &live.path));
        // A deleted row that was asked for is none of the board's.
        whole
            && !is_read_alone
            && self.recovered() <= live.rows
            && self.conflicts.is_empty()
            && self.unread_tables.is_empty()
            && self.tables.values().all(own)
    }

    /// Rows in the result.
    pub fn recovered(&self) -> u64 {
        self.tables.values().map(|table| table.recovered).sum()
    }
}
