//! `kanbanctl backups list`: every content once.

use std::path::Path;

use serde::Serialize;

use super::content::CopyContent;
use super::gather;
use crate::commands::Context;
use crate::failure::Outcome;
use crate::failure::count::{counted, size};
use crate::failure::exit::Exit;
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// All contents, the newest first.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct ListedBackups(Vec<CopyContent>);

/// Runs the verb.
///
/// # Errors
/// As [`gather`].
pub(super) fn run(context: &mut Context<'_>, directory: Option<&Path>) -> Outcome<Exit> {
    let gathered = gather(context, directory)?;
    context.ui.emit(&ListedBackups(gathered.contents))?;
    Ok(gathered.exit)
}

impl Report for ListedBackups {
    fn kind(&self) -> &'static str {
        "backups.list"
    }

    fn record_kind(&self) -> &'static str {
        "backup"
    }

    fn human(&self, page: &mut Document<'_>) {
        if self.0.is_empty() {
            page.line("No copies of a board were found.");
            return;
        }
        let columns = [
            TextColumn::fixed("ID"),
            TextColumn::fixed("KIND"),
            TextColumn::fixed("COPIES").right(),
            TextColumn::fixed("SIZE").right(),
            TextColumn::fixed("NEWEST").priority(1),
            TextColumn::path("FILE").priority(2),
        ];
        let mut table = TextTable::new(columns);
        for content in &self.0 {
            table.row([
                (Label::Id, content.id.clone()),
                (Label::Text, content.kind.to_owned()),
                (Label::Text, content.copies.to_string()),
                (Label::Text, size(content.bytes)),
                (Label::Dim, content.modified.map(|time| page.moment(time)).unwrap_or_default()),
                (Label::Dim, content.file_name()),
            ]);
        }
        page.table(&table);
        let files: usize = self.0.iter().map(|content| content.copies).sum();
        let bytes: u64 = self.0.iter().map(|content| content.bytes).sum();
        page.line(&format!(
            "{}, {}, {}.",
            counted(files as u64, "file", "files"),
            counted(self.0.len() as u64, "content", "contents"),
            size(bytes)
        ));
    }

    fn plain(&self, records: &mut Records<'_>) {
        for content in &self.0 {
            let modified = content.modified.map(|time| time.to_string()).unwrap_or_default();
            records.record(&[
                &content.id,
                content.kind,
                &content.copies.to_string(),
                &content.bytes.to_string(),
                &modified,
                content.paths.first().map_or("", String::as_str),
            ]);
        }
    }
}
