//! `import`: rows out of JSON lines into a board.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Context;
use super::{attach, create};
use crate::board::attached_files;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::Access;
use crate::store::transfer::{self, Imported, Incoming};
use crate::ui::{Document, Records, Report};

/// Put the rows of an export into the board, all of them or none.
///
/// Into an empty board they come as they are, with their numbers. Beside rows that are there, tasks keep their ids and
/// comments, events, runs and attachments get numbers of this board; a task that is there with the same values is left
/// alone. Columns of a newer Hermes than the board's stay behind (exit 5 where they hold anything).
///
/// Plain record: TABLE ROWS.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The export, `-` for stdin.
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: PathBuf,
    /// Add the columns of a newer Hermes to the board, which is of that version then.
    #[arg(long)]
    pub add_columns: bool,
}

/// Runs the verb.
///
/// # Errors
/// Exit 2 for what is no whole export, 14 for a task that is there with other values; nothing is written then.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let bytes = create::read(&args.file, &context.signals)?;
    let mut incoming = Incoming::read(&bytes)?;
    drop(bytes);
    let dry_run = context.globals.dry_run;
    let files: Vec<(i64, String, String, Vec<u8>)> = incoming
        .files()
        .into_iter()
        .map(|(number, task, name, bytes)| (number, task, name, bytes.to_vec()))
        .collect();
    let root = if files.is_empty() { PathBuf::new() } else { attach::root(context)? };
    let mut pool = context.pool(Access::Write)?;
    let mut stored = Vec::new();
    let outcome = pool.write(|txn, schema| {
        if !dry_run {
            stored = store(&root, &mut incoming, &files)?;
        }
        transfer::import(txn, schema, &incoming, args.add_columns)
    });
    let imported = match outcome {
        Ok(imported) => imported,
        Err(failure) => {
            for path in &stored {
                attached_files::remove(&root, path);
            }
            return Err(failure);
        }
    };
    let closed = pool.close();
    let tasks = imported.rows.get("tasks").copied().unwrap_or(0);
    let shown = context.ui.emit_done(&ImportReport { imported: &imported, dry_run });
    let would = if dry_run { "Dry run: would import" } else { "Imported" };
    context.ui.status(format_args!("{would} {}.", crate::failure::count::counted(tasks, "task", "tasks")));
    if !imported.unchanged.is_empty() {
        let count = imported.unchanged.len() as u64;
        let there = crate::failure::count::counted(count, "task was", "tasks were");
        context.ui.status(format_args!("{there} there already."));
    }
    for column in &imported.added_columns {
        context.ui.status(format_args!("Added the column {column}."));
    }
    for (column, values) in &imported.lost_columns {
        let values = crate::failure::count::counted(*values, "value", "values");
        context.ui.warning(format_args!("The board has no column {column}: {values} stay behind."));
    }
    if !imported.lost_columns.is_empty() {
        context.hint("`kanbanctl import --add-columns` adds the columns of a newer Hermes.");
    }
    closed?;
    shown.map_err(|failure| failure.behind("the rows are imported"))?;
    Ok(if imported.lost_columns.is_empty() { Exit::Ok } else { Exit::Partial })
}

/// Store the files that came along and say where each is.
pub(super) fn store(
    root: &Path,
    incoming: &mut Incoming,
    files: &[(i64, String, String, Vec<u8>)],
) -> Outcome<Vec<PathBuf>> {
    let mut stored = Vec::with_capacity(files.len());
    for (number, task, name, bytes) in files {
        let Some(name) = attached_files::safe_name(name) else {
            return Err(Failure::usage(format!("the attachment {number} has no name that a file can have.")));
        };
        let path = attached_files::store(root, task, &name, bytes, 0o600)?;
        incoming.stored(*number, &path.display().to_string());
        stored.push(path);
    }
    Ok(stored)
}

#[derive(Serialize)]
struct ImportReport<'a> {
    #[serde(flatten)]
    imported: &'a Imported,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

impl Report for ImportReport<'_> {
    fn kind(&self) -> &'static str {
        "import"
    }

    fn human(&self, page: &mut Document<'_>) {
        let counts: Vec<(&str, String)> =
            self.imported.rows.iter().map(|(table, count)| (table.as_str(), count.to_string())).collect();
        let pairs: Vec<(&str, &str)> = counts.iter().map(|(table, count)| (*table, count.as_str())).collect();
        page.pairs(&pairs);
    }

    fn plain(&self, records: &mut Records<'_>) {
        for (table, count) in &self.imported.rows {
            records.text(table).number(i64::try_from(*count).unwrap_or(i64::MAX)).end();
        }
    }
}
