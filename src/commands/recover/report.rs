//! What `recover` shows: sources, tables, and the names of what is lost or may be out of date.

use serde::Serialize;

use crate::board::holders::Completeness;
use crate::commands::page_map;
use crate::copies::page_map::Map;
use crate::failure::count::counted;
use crate::recover;
use crate::salvage::source;
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// What came of it.
#[derive(Debug, Serialize)]
pub(super) struct Recovered {
    pub(super) board: String,
    pub(super) path: String,
    pub(super) dry_run: bool,
    /// Whether the board is what would be installed.
    pub(super) already: bool,
    #[serde(flatten)]
    pub(super) report: recover::Report,
    pub(super) unread_sources: Vec<source::Unread>,
    pub(super) processes_seen: Completeness,
    /// What the pages of the board are for; only where nothing is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) map: Option<Map>,
}

/// Rows that are named on a terminal.
const MAX_SHOWN: usize = 20;

impl Recovered {
    /// What was read.
    fn sources(&self) -> TextTable {
        let mut sources = TextTable::new([
            TextColumn::fixed("SOURCE"),
            TextColumn::fixed("COPIES").right(),
            TextColumn::fixed("ROWS").right(),
            TextColumn::fixed("DAMAGED").right(),
            TextColumn::path("PATH"),
        ]);
        for source in &self.report.sources {
            let kind = match source.kind {
                source::SourceKind::Live => "live",
                source::SourceKind::Backup => "backup",
                source::SourceKind::Own => "own",
                source::SourceKind::Named => "named",
                source::SourceKind::Namesake => "copy",
                source::SourceKind::Held => "held",
                source::SourceKind::Replica => "replica",
            };
            sources.row([
                (Label::Id, kind.to_owned()),
                (Label::Text, source.copies.to_string()),
                (Label::Text, source.rows.to_string()),
                (Label::Text, source.damaged_pages.to_string()),
                (Label::Dim, source.path.display().to_string()),
            ]);
        }
        sources
    }
}

impl Recovered {
    /// What came back.
    fn tables(&self) -> TextTable {
        let mut tables = TextTable::new([
            TextColumn::fixed("TABLE"),
            TextColumn::fixed("RECOVERED").right(),
            TextColumn::fixed("LOST").right(),
            TextColumn::fixed("STALE").right(),
            TextColumn::fixed("SUSPECT").right().priority(1),
            TextColumn::fixed("ONLY IN OLDER COPIES").right().priority(2),
        ]);
        for (name, table) in &self.report.tables {
            let lost = if table.lost > 0 { Label::Bad } else { Label::Text };
            tables.row([
                (Label::Id, name.clone()),
                (Label::Text, table.recovered.to_string()),
                (lost, table.lost.to_string()),
                (if table.stale > 0 { Label::Warning } else { Label::Text }, table.stale.to_string()),
                (Label::Text, table.suspect.to_string()),
                (Label::Text, table.older_only.to_string()),
            ]);
        }
        tables
    }

    /// Names what did not come back, or may be out of date.
    fn say_losses(&self, page: &mut Document<'_>) {
        for row in self.report.losses.iter().take(MAX_SHOWN) {
            page.line(&format!("{}: {}", row.what.word(), row.label()));
        }
        if let Some(more) = self.report.losses.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
            page.line(&format!("and {more} more; --json names them all."));
        }
        for source in self.report.sources.iter().filter(|source| source.is_later && source.beyond > 0) {
            page.line(&format!(
                "{} only in {}, which goes on beyond the board. Name that file to bring them in.",
                counted(source.beyond, "row is", "rows are"),
                source.path.display()
            ));
        }
    }
}

impl Report for Recovered {
    fn kind(&self) -> &'static str {
        "recover"
    }

    fn human(&self, page: &mut Document<'_>) {
        page.table(&self.sources());
        for source in &self.report.sources {
            for how in &source.read_as {
                page.line(&format!("{}: {how}.", source.path.display()));
            }
        }
        page.blank();
        if let Some(map) = &self.map {
            page_map::draw(map, page);
            page.blank();
        }
        page.table(&self.tables());
        self.say_losses(page);
        if self.report.dangling > 0 {
            page.line(&format!(
                "{} a task that is not there.",
                counted(self.report.dangling, "row names", "rows name")
            ));
        }
        let renumbered: u64 = self.report.tables.values().map(|table| table.renumbered).sum();
        if renumbered > 0 {
            page.line(&format!(
                "{} of a second history of this board, with a new number; what names it has moved.",
                counted(renumbered, "row is", "rows are")
            ));
        }
        for row in &self.report.conflicts {
            let kept = match row.kept {
                recover::Branch::Main => "the main line's is kept",
                recover::Branch::Second => "the second history's, which is later, is kept",
            };
            page.line(&format!("two versions: {} {}: {kept}; --json has the other.", row.table, row.name()));
        }
        let uncommitted: u64 = self.report.tables.values().map(|table| table.uncommitted).sum();
        if uncommitted > 0 {
            page.line(&format!(
                "{} only in a transaction that was never committed, and not in the result.",
                counted(uncommitted, "row is", "rows are")
            ));
        }
        if let Some(path) = &self.report.partial_rows {
            page.line(&format!(
                "What is left of rows that are only partly there or were never committed is in {}.",
                path.display()
            ));
        }
        for dropped in &self.report.dropped {
            page.line(&format!("not carried over: {dropped}"));
        }
        for foreign in &self.report.foreign {
            page.line(&format!(
                "{} is another board: {}, not in the result.",
                foreign.path.display(),
                counted(foreign.rows, "row", "rows")
            ));
        }
        for unread in &self.unread_sources {
            page.line(&format!("not read: {}: {}", unread.path.display(), unread.reason));
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for source in &self.report.sources {
            records.record(&[
                "source",
                &source.path.display().to_string(),
                &source.copies.to_string(),
                &source.rows.to_string(),
                &source.damaged_pages.to_string(),
            ]);
            for how in &source.read_as {
                records.record(&["read-as", &source.path.display().to_string(), how]);
            }
        }
        for (name, table) in &self.report.tables {
            records.record(&[
                "table",
                name,
                &table.recovered.to_string(),
                &table.lost.to_string(),
                &table.suspect.to_string(),
                &table.older_only.to_string(),
                &table.stale.to_string(),
            ]);
        }
        for row in &self.report.losses {
            records.record(&[
                row.what.word(),
                &row.table,
                &row.rowid.map_or(String::new(), |rowid| rowid.to_string()),
                row.task.as_deref().unwrap_or_default(),
                row.title.as_deref().unwrap_or_default(),
            ]);
        }
        for row in &self.report.conflicts {
            records.record(&["two-versions", &row.table, &row.name()]);
        }
        if let Some(path) = &self.report.partial_rows {
            records.record(&["partial-rows", &path.display().to_string()]);
        }
        for dropped in &self.report.dropped {
            records.record(&["dropped", dropped]);
        }
        for foreign in &self.report.foreign {
            records.record(&["foreign", &foreign.path.display().to_string(), &foreign.rows.to_string()]);
        }
        for unread in &self.unread_sources {
            records.record(&["unread", &unread.path.display().to_string(), &unread.reason]);
        }
        if let Some(map) = &self.map {
            page_map::list(map, records);
        }
    }
}
