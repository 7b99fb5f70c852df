//! `kanbanctl backups diff`: task by task, what a copy holds against the live board.

use std::path::Path;

use std::collections::BTreeMap;

use serde::Serialize;

use super::content::CopyContent;
use super::{choose, gather_one};
use crate::commands::Context;
use crate::commands::progress::Bars;
use crate::copies::compare;
use crate::copies::compare::{ComparedState, Comparison, Difference, Newer, TableDifference};
use crate::copies::inspect::{Inspector, SourceContent};
use crate::failure::Outcome;
use crate::failure::count::counted;
use crate::failure::exit::Exit;
use crate::salvage::source;
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// Tasks that a page shows unless told otherwise; the other formats show all.
const TASKS: usize = 100;

/// Which copy, and how much of the answer.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The first digits of its SHA-256, as `list` shows them, or the path of any copy.
    #[arg(value_name = "BACKUP")]
    backup: String,
    /// Name at most this many tasks [default: 100 in a table, all in the other formats].
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

/// What the copy holds against the board.
#[derive(Debug, Serialize)]
struct DiffReport {
    board: String,
    path: String,
    backup: CopyContent,
    /// Whether both hold the same rows.
    equal: bool,
    totals: Totals,
    tables: BTreeMap<String, TableDifference>,
    /// Pages of either that are damaged: what seems to be only on the other side may have been in them.
    damaged_pages: Damage,
    tasks: Vec<Difference>,
    /// Tasks that are not named because of the limit.
    omitted: usize,
    #[serde(skip)]
    on_page: usize,
}

/// Tasks.
#[derive(Debug, Default, Serialize)]
struct Totals {
    same: u64,
    only_in_copy: u64,
    only_on_board: u64,
    differing: u64,
    /// Of those that differ, how many the copy knows a later state of.
    copy_newer: u64,
}

#[derive(Debug, Serialize)]
struct Damage {
    copy: u64,
    board: u64,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown backup, 14 for an ambiguous one; reading errors.
pub(super) fn run(context: &mut Context<'_>, directory: Option<&Path>, args: &Args) -> Outcome<Exit> {
    let (board, resolved, gathered) = gather_one(context, directory, "diff")?;
    let backup = choose(context, gathered.contents, &args.backup)?;
    let live = source::live(&resolved)?;
    let viewer = Inspector::new(context.scratch())?;
    let mut bars = Bars::new(context.ui, context.signals.clone());
    let comparison = compare::compare(&backup.source, live.as_ref(), &viewer, &mut bars)?;
    drop(bars);
    let compared =
        DiffReport::of(board.name(), resolved.display().to_string(), backup, comparison, args.limit);
    context.ui.emit(&compared)?;
    if live.is_none() {
        context.ui.warning("There is no board; the copy is all there is.");
    }
    if compared.totals.only_in_copy + compared.totals.copy_newer > 0 {
        context.hint("See what would come back with `kanbanctl recover --dry-run`.");
    }
    Ok(gathered.exit)
}

impl DiffReport {
    fn of(
        board: String,
        path: String,
        backup: CopyContent,
        comparison: Comparison,
        limit: Option<usize>,
    ) -> Self {
        let Comparison { mut tasks, same_tasks, tables, copy, board: live } = comparison;
        let count = |state| tasks.iter().filter(|task| task.state == state).count() as u64;
        let newer = |task: &&Difference| task.state == ComparedState::Differs && task.newer == Newer::Copy;
        let totals = Totals {
            same: same_tasks,
            only_in_copy: count(ComparedState::OnlyInCopy),
            only_on_board: count(ComparedState::OnlyOnBoard),
            differing: count(ComparedState::Differs),
            copy_newer: tasks.iter().filter(newer).count() as u64,
        };
        let all = tasks.len();
        tasks.truncate(limit.unwrap_or(usize::MAX));
        let damage = |holdings: &SourceContent| holdings.damaged_pages;
        Self {
            board,
            path,
            backup,
            equal: tables.values().all(|table| table.only_in_copy + table.only_on_board == 0),
            totals,
            tables,
            damaged_pages: Damage { copy: damage(&copy), board: damage(&live) },
            omitted: all - tasks.len(),
            on_page: limit.unwrap_or(TASKS),
            tasks,
        }
    }
}

fn state(task: &Difference) -> (Label, &'static str) {
    match (task.state, task.newer) {
        (ComparedState::OnlyInCopy, _) => (Label::Warning, "only in copy"),
        (ComparedState::OnlyOnBoard, _) => (Label::Dim, "only on board"),
        (ComparedState::Differs, Newer::Copy) => (Label::Warning, "copy newer"),
        (ComparedState::Differs, Newer::Board) => (Label::Text, "board newer"),
        (ComparedState::Differs, Newer::Unknown) => (Label::Text, "differs"),
    }
}

/// What is not the same, in a few words: `status ready (board done); result; task_events +2 -1`.
fn what(task: &Difference) -> String {
    let mut words = Vec::new();
    for column in &task.columns {
        match (column.as_str(), &task.board_status, &task.copy_status) {
            ("status", Some(board), Some(copy)) => words.push(format!("status {copy} (board {board})")),
            _ => words.push(column.clone()),
        }
    }
    for (table, rows) in &task.rows {
        let signed = [("+", rows.only_in_copy), ("-", rows.only_on_board)];
        let counts: Vec<String> = signed
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(sign, count)| format!("{sign}{count}"))
            .collect();
        words.push(format!("{table} {}", counts.join(" ")));
    }
    words.join("; ")
}

impl Report for DiffReport {
    fn kind(&self) -> &'static str {
        "backups.diff"
    }

    fn human(&self, page: &mut Document<'_>) {
        let mut table = TextTable::new([
            TextColumn::fixed("TASK"),
            TextColumn::fixed("STATE"),
            TextColumn::text("TITLE").priority(1),
            TextColumn::text("IN THE COPY AGAINST THE BOARD").least(24),
        ]);
        for task in self.tasks.iter().take(self.on_page) {
            let (label, word) = state(task);
            table.row([
                (Label::Id, task.id.clone()),
                (label, word.to_owned()),
                (Label::Text, task.title.clone().unwrap_or_default()),
                (Label::Dim, what(task)),
            ]);
        }
        page.table(&table);
        let unnamed = self.omitted + self.tasks.len().saturating_sub(self.on_page);
        if unnamed > 0 {
            page.line(&format!("and {}", counted(unnamed as u64, "task more", "tasks more")));
        }
        let totals = &self.totals;
        page.line(&format!(
            "{} the same, {} only in the copy, {} only on the board, {} ({} newer in the copy).",
            counted(totals.same, "task is", "tasks are"),
            totals.only_in_copy,
            totals.only_on_board,
            counted(totals.differing, "differs", "differ"),
            totals.copy_newer
        ));
        if self.damaged_pages.copy + self.damaged_pages.board > 0 {
            page.line(&format!(
                "Damaged: {} of the copy, {} of the board. What seems to be missing may have been there.",
                counted(self.damaged_pages.copy, "page", "pages"),
                self.damaged_pages.board
            ));
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for (name, table) in &self.tables {
            records.record(&[
                "table",
                name,
                &table.same.to_string(),
                &table.only_in_copy.to_string(),
                &table.only_on_board.to_string(),
            ]);
        }
        for task in &self.tasks {
            records.record(&[
                "task",
                &task.id,
                state(task).1,
                &what(task),
                task.title.as_deref().unwrap_or(""),
            ]);
        }
    }
}
