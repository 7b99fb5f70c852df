//! `kanbanctl backups show`: where one content lies and what it holds.

use std::path::Path;

use std::collections::BTreeMap;

use serde::Serialize;

use super::content::CopyContent;
use super::{choose, gather};
use crate::commands::Context;
use crate::copies::inspect::{Inspector, SourceContent};
use crate::failure::Outcome;
use crate::failure::count::size;
use crate::failure::exit::Exit;
use crate::ui::{Document, Records, Report};

/// Paths of equal copies that a page shows; all are in the other formats.
const PATHS: usize = 10;

/// One content and what it holds.
#[derive(Debug, Serialize)]
struct ShownBackup {
    #[serde(flatten)]
    content: CopyContent,
    /// Rows that can be read, by table.
    rows: BTreeMap<String, u64>,
    /// Pages that are damaged, lost or unreachable.
    damaged_pages: u64,
    /// Rows of which only a part could be read.
    partial_rows: u64,
    /// Whether its schema could be read; otherwise rows were told by their shape.
    schema: bool,
    unread_tables: Vec<String>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown backup, 14 for an ambiguous one; reading errors.
pub(super) fn run(context: &mut Context<'_>, directory: Option<&Path>, wanted: &str) -> Outcome<Exit> {
    let gathered = gather(context, directory)?;
    let chosen = choose(context, gathered.contents, wanted)?;
    let SourceContent { rows, damaged_pages, has_schema, partial, unread_tables } =
        Inspector::new(context.scratch())?.holdings(&chosen.source)?;
    context.ui.emit(&ShownBackup {
        content: chosen,
        rows,
        damaged_pages,
        partial_rows: partial,
        schema: has_schema,
        unread_tables,
    })?;
    Ok(gathered.exit)
}

impl Report for ShownBackup {
    fn kind(&self) -> &'static str {
        "backup"
    }

    fn human(&self, page: &mut Document<'_>) {
        let content = &self.content;
        let (copies, bytes, wal) =
            (content.copies.to_string(), size(content.bytes_each), size(content.wal_bytes));
        let moment = |time: Option<i64>| time.map_or_else(|| "-".to_owned(), |time| page.moment(time));
        let (newest, oldest) = (moment(content.modified), moment(content.oldest));
        page.pairs(&[
            ("id", &content.id),
            ("kind", content.kind),
            ("copies", &copies),
            ("size of each", &bytes),
            ("of that WAL", &wal),
            ("newest", &newest),
            ("oldest", &oldest),
            ("sha256", &content.sha256),
            ("damaged pages", &self.damaged_pages.to_string()),
        ]);
        for path in content.paths.iter().take(PATHS) {
            page.line(path);
        }
        if content.paths.len() > PATHS {
            page.line(&format!("and {} more", content.paths.len() - PATHS));
        }
        for (table, rows) in &self.rows {
            page.line(&format!("{rows:>9} {table}"));
        }
        if self.partial_rows > 0 {
            let rows = if self.partial_rows == 1 { "row" } else { "rows" };
            page.line(&format!("{:>9} {rows} can be read only in part", self.partial_rows));
        }
        for table in &self.unread_tables {
            page.line(&format!("{:>9} {table} cannot be read", "?"));
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        let content = &self.content;
        for path in &content.paths {
            records.record(&[
                "copy",
                &content.id,
                content.kind,
                path,
                &content.bytes_each.to_string(),
                &content.sha256,
            ]);
        }
        for (table, rows) in &self.rows {
            records.record(&["rows", table, &rows.to_string()]);
        }
    }
}
