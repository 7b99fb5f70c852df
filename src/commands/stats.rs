//! `stats`: how many tasks of which status and whose.

use serde::Serialize;

use super::Context;
use super::list::every_board;
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::pool::Access;
use crate::process::clock;
use crate::store::query::{self, Stats};
use crate::store::schema;
use crate::store::vocabulary::STATUSES;
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// Count tasks by status and assignee; archived ones are left out.
///
/// Plain records: status NAME COUNT, assignee NAME STATUS COUNT, oldest_ready_age_seconds SECONDS; with --all-boards
/// the board comes first.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {}

/// Runs the verb.
///
/// # Errors
/// What the pool says.
pub fn run(context: &mut Context<'_>, _args: &Args) -> Outcome<Exit> {
    let now = context.clock.epoch();
    let read = |conn: &rusqlite::Connection| {
        schema::require_board(conn)?;
        query::stats(conn, now)
    };
    if !context.globals.all_boards {
        let mut pool = context.pool(Access::Read)?;
        let stats = pool.read(read)?;
        pool.close()?;
        context.ui.emit(&BoardStats { board: None, stats })?;
        return Ok(Exit::Ok);
    }
    let mut boards = Vec::new();
    let exit = every_board(context, |_, board, pool| {
        boards.push(BoardStats { board: Some(board.name()), stats: pool.read(read)? });
        Ok(())
    })?;
    context.ui.emit(&Boards(boards))?;
    Ok(exit)
}

#[derive(Serialize)]
struct BoardStats {
    #[serde(skip_serializing_if = "Option::is_none")]
    board: Option<String>,
    #[serde(flatten)]
    stats: Stats,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Boards(Vec<BoardStats>);

impl BoardStats {
    fn tables(&self, page: &mut Document<'_>) {
        if let Some(board) = &self.board {
            page.heading(board);
        }
        let mut statuses: Vec<&str> = STATUSES.into_iter().filter(|name| *name != "archived").collect();
        statuses
            .extend(self.stats.by_status.keys().map(String::as_str).filter(|name| !STATUSES.contains(name)));
        let mut table = TextTable::new([TextColumn::fixed("STATUS"), TextColumn::fixed("TASKS").right()]);
        for status in statuses {
            let count = self.stats.by_status.get(status).copied().unwrap_or(0);
            table.row([(Label::of_status(status), status.to_owned()), (Label::Text, count.to_string())]);
        }
        page.table(&table);
        let mut table = TextTable::new([
            TextColumn::text("ASSIGNEE"),
            TextColumn::fixed("STATUS"),
            TextColumn::fixed("TASKS").right(),
        ]);
        for (assignee, counts) in &self.stats.by_assignee {
            for (status, count) in counts {
                table.row([
                    (Label::Text, assignee.clone()),
                    (Label::of_status(status), status.clone()),
                    (Label::Text, count.to_string()),
                ]);
            }
        }
        if !table.is_empty() {
            page.blank();
            page.table(&table);
        }
        if let Some(age) = self.stats.oldest_ready_age_seconds {
            page.blank();
            page.line(&format!("The oldest ready task was created {} ago.", clock::span(age)));
        }
    }

    fn records(&self, records: &mut Records<'_>) {
        for (status, count) in &self.stats.by_status {
            self.begin(records).text("status").text(status).number(*count).end();
        }
        for (assignee, counts) in &self.stats.by_assignee {
            for (status, count) in counts {
                self.begin(records).text("assignee").text(assignee).text(status).number(*count).end();
            }
        }
        let age = self.stats.oldest_ready_age_seconds;
        self.begin(records).text("oldest_ready_age_seconds").optional_number(age).end();
    }

    fn begin<'a, 'b>(&self, records: &'a mut Records<'b>) -> &'a mut Records<'b> {
        if let Some(board) = &self.board {
            records.text(board);
        }
        records
    }
}

impl Report for BoardStats {
    fn kind(&self) -> &'static str {
        "stats"
    }

    fn human(&self, page: &mut Document<'_>) {
        self.tables(page);
    }

    fn plain(&self, records: &mut Records<'_>) {
        self.records(records);
    }
}

impl Report for Boards {
    fn kind(&self) -> &'static str {
        "stats.list"
    }

    fn record_kind(&self) -> &'static str {
        "stats"
    }

    fn human(&self, page: &mut Document<'_>) {
        for (index, board) in self.0.iter().enumerate() {
            if index > 0 {
                page.blank();
            }
            board.tables(page);
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for board in &self.0 {
            board.records(records);
        }
    }
}
