//! `list`: tasks with Hermes' filters and orders, as stored.

use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::Context;
use super::times::{Times, utc};
use super::values::{self, Moment};
use crate::board::Board;
use crate::failure::count::counted;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::{Access, Pool};
use crate::store::field::Field;
use crate::store::query::{self, Filter, SORTS};
use crate::store::schema;
use crate::store::task::Task;
use crate::store::text;
use crate::store::vocabulary::STATUSES;
use crate::ui::{Document, JsonRows, Label, Records, Report, TextColumn, TextTable};

/// List tasks as they are stored; nothing is promoted by looking.
///
/// Filters of different kinds must all hold; several values of one are a union. Plain columns: id, status, priority,
/// assignee, tenant, created, title, or those of --columns; with --all-boards the board comes first.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Tasks of the own profile.
    #[arg(long)]
    pub mine: bool,
    /// Tasks of this profile.
    #[arg(long, value_name = "PROFILE")]
    pub assignee: Vec<String>,
    /// Tasks without an assignee.
    #[arg(long)]
    pub no_assignee: bool,
    /// Tasks in this status.
    #[arg(long, value_parser = STATUSES)]
    pub status: Vec<String>,
    /// Tasks of this tenant.
    #[arg(long)]
    pub tenant: Vec<String>,
    /// Tasks made in this session.
    #[arg(long, value_name = "ID")]
    pub session: Vec<String>,
    /// Tasks that wait for this one.
    #[arg(long, value_name = "ID")]
    pub parent: Vec<String>,
    /// Tasks created at this time or later: a date, a time in RFC 3339, or how long ago, such as 2d.
    #[arg(long, value_name = "WHEN", value_parser = values::moment)]
    pub since: Option<Moment>,
    /// Tasks created before this time.
    #[arg(long, value_name = "WHEN", value_parser = values::moment)]
    pub before: Option<Moment>,
    /// Tasks with this text in the title or the body; `search` looks further.
    #[arg(long)]
    pub text: Option<String>,
    /// Archived tasks too.
    #[arg(long)]
    pub archived: bool,
    /// Order [default: priority].
    #[arg(long, value_name = "ORDER", value_parser = SORTS.map(|(name, _)| name))]
    pub sort: Option<String>,
    /// Tasks of this workflow template.
    #[arg(long, value_name = "ID")]
    pub workflow_template_id: Vec<String>,
    /// Tasks at this workflow step.
    #[arg(long, value_name = "KEY")]
    pub step_key: Vec<String>,
    /// At most N tasks.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub limit: Option<u32>,
    /// Columns of a table and of plain records, apart by commas: any that the board has.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub columns: Vec<String>,
}

/// What tables and plain records show; JSON has every column.
const SHOWN: [&str; 7] = ["id", "status", "priority", "assignee", "tenant", "created_at", "title"];

/// Runs the verb.
///
/// # Errors
/// Exit 2 for a column that the board does not have, and what the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    if args.assignee.iter().any(|name| text::canonical_assignee(name).is_none()) {
        return Err(
            Failure::usage("a profile's name cannot be empty.").hint("Tasks without one: --no-assignee.")
        );
    }
    let filter = filter(context, args);
    let chosen: Vec<&str> = args.columns.iter().map(String::as_str).collect();
    if context.ui.format().is_json() {
        return in_json(context, args, &filter);
    }
    let columns: &[&str] = if chosen.is_empty() { &SHOWN } else { &chosen };
    let read = |conn: &rusqlite::Connection| {
        schema::require_board(conn)?;
        require_columns(conn, &args.columns)?;
        query::list(conn, &filter, columns)
    };
    let times = Times::of(context);
    let listed = |tasks| List { tasks, columns: args.columns.clone(), times };
    if !context.globals.all_boards {
        let mut pool = context.pool(Access::Read)?;
        let tasks = pool.read(read)?;
        pool.close()?;
        let count = tasks.len() as u64;
        context.show(&listed(tasks.into_iter().map(|task| (None, task)).collect()))?;
        tell(context, count);
        return Ok(Exit::Ok);
    }
    let mut rows = Vec::new();
    let exit = every_board(context, |_, board, pool| {
        let name = board.name();
        rows.extend(pool.read(read)?.into_iter().map(|task| (Some(name.clone()), task)));
        Ok(())
    })?;
    let count = rows.len() as u64;
    context.show(&listed(rows))?;
    tell(context, count);
    Ok(exit)
}

/// Every column as JSON, row by row: a board of any size takes the same memory.
fn in_json(context: &mut Context<'_>, args: &Args, filter: &Filter) -> Outcome<Exit> {
    let mut rows = context.ui.json_rows("task.list", "task", context.scratch());
    let mut exit = Exit::Ok;
    if context.globals.all_boards {
        exit = every_board(context, |context, board, pool| {
            let read = read_rows(context, pool, args, filter, Some(&board.name()), &mut rows);
            if read.is_err() {
                rows.restart();
            }
            read.and_then(|()| rows.confirm(context.ui))
        })?;
    } else {
        let mut pool = context.pool(Access::Read)?;
        read_rows(context, &mut pool, args, filter, None, &mut rows)?;
        pool.close()?;
    }
    let count = rows.count();
    rows.finish(context.ui)?;
    tell(context, count);
    Ok(exit)
}

fn read_rows(
    context: &mut Context<'_>,
    pool: &mut Pool,
    args: &Args,
    filter: &Filter,
    board: Option<&str>,
    rows: &mut JsonRows,
) -> Outcome<()> {
    pool.read_rows(|conn, still| {
        rows.restart();
        schema::require_board(conn)?;
        require_columns(conn, &args.columns)?;
        query::each(conn, filter, |task| {
            match board {
                Some(board) => rows.push(&BoardTasks { board, task })?,
                None => rows.push(task)?,
            }
            if rows.is_due() && still.holds() { rows.release(context.ui) } else { Ok(()) }
        })
    })
}

/// Say how many there are; a script that reads records counts lines.
fn tell(context: &mut Context<'_>, count: u64) {
    if count == 0 {
        context.ui.status("No task matches.");
    } else if context.ui.settings().stdout_terminal {
        context.ui.status(format_args!("{}.", counted(count, "task", "tasks")));
    } else {
        context.ui.detail(format_args!("{}.", counted(count, "task", "tasks")));
    }
}

fn filter(context: &Context<'_>, args: &Args) -> Filter {
    let now = context.clock.epoch();
    let mut assignees = args.assignee.clone();
    assignees.extend(args.mine.then(|| context.own_profile()));
    Filter {
        assignees,
        no_assignee: args.no_assignee,
        statuses: args.status.clone(),
        tenants: args.tenant.clone(),
        sessions: args.session.clone(),
        workflow_template_ids: args.workflow_template_id.clone(),
        step_keys: args.step_key.clone(),
        parents: args.parent.clone(),
        since: args.since.map(|moment| moment.at(now)),
        before: args.before.map(|moment| moment.at(now)),
        text: args.text.clone(),
        archived: args.archived,
        sort: args.sort.clone(),
        limit: args.limit,
    }
}

fn require_columns(conn: &rusqlite::Connection, columns: &[String]) -> Outcome<()> {
    for column in columns {
        if !conn.column_exists(None, "tasks", column)? {
            return Err(Failure::usage(format!("the board's tasks have no column {column:?}."))
                .hint("`kanbanctl list --limit 1 --json` shows the columns there are."));
        }
    }
    Ok(())
}

/// Runs a reading closure on every board under the root; a board that fails is told about and the worst code kept.
pub(super) fn every_board(
    context: &mut Context<'_>,
    mut work: impl FnMut(&mut Context<'_>, &Board, &mut Pool) -> Outcome<()>,
) -> Outcome<Exit> {
    let mut exit = Exit::Ok;
    for board in context.every_board()? {
        let outcome = board.inspect().and_then(|inspection| {
            let mut pool = context.pool_for(inspection, Access::Read)?;
            work(context, &board, &mut pool)?;
            pool.close()
        });
        if let Err(failure) = outcome {
            if matches!(failure.exit(), Exit::Interrupted(_)) {
                return Err(failure);
            }
            exit = exit.merge(failure.exit());
            context.ui.setback(&board.name(), &board.blame(failure));
        }
    }
    Ok(exit)
}

/// Tasks, each with its board where there are several.
struct List {
    tasks: Vec<(Option<String>, Task)>,
    columns: Vec<String>,
    times: Times,
}

/// A task of one of several boards.
#[derive(serde::Serialize)]
struct BoardTasks<'a, T> {
    board: &'a str,
    #[serde(flatten)]
    task: &'a T,
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.tasks.len()))?;
        for (board, task) in &self.tasks {
            match board {
                Some(board) => rows.serialize_element(&BoardTasks { board, task })?,
                None => rows.serialize_element(task)?,
            }
        }
        rows.end()
    }
}

impl Report for List {
    fn kind(&self) -> &'static str {
        "task.list"
    }

    fn record_kind(&self) -> &'static str {
        "task"
    }

    fn human(&self, page: &mut Document<'_>) {
        if self.columns.is_empty() { self.usual(page) } else { self.chosen(page) }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for (board, task) in &self.tasks {
            if let Some(board) = board {
                records.text(board);
            }
            if !self.columns.is_empty() {
                for name in &self.columns {
                    records.text(&shown(name, task.any_field(name)));
                }
                records.end();
                continue;
            }
            for name in ["id", "status", "priority", "assignee", "tenant"] {
                records.text(&task.field(name).shown());
            }
            let created = utc(task.field("created_at"));
            records.text(&created).text(&task.field("title").shown()).end();
        }
    }
}

/// A value in a record: times as RFC 3339.
fn shown(name: &str, field: &Field) -> String {
    if name.ends_with("_at") || name == "claim_expires" { utc(field) } else { field.show() }
}

impl List {
    /// The columns that a person looks for; the title gets what they leave.
    fn usual(&self, page: &mut Document<'_>) {
        let any = |wanted: &dyn Fn(&Task) -> bool| self.tasks.iter().any(|(_, task)| wanted(task));
        let several = self.tasks.iter().any(|(board, _)| board.is_some());
        let tenants = any(&|task| !task.field("tenant").is_null());
        let priorities = any(&|task| task.field("priority").integer() != Some(0));
        let assignees = any(&|task| !task.field("assignee").is_null());
        let mut columns = Vec::new();
        if several {
            columns.push(TextColumn::text("BOARD").least(8));
        }
        columns.extend([TextColumn::fixed("ID"), TextColumn::fixed("STATUS")]);
        if priorities {
            columns.push(TextColumn::fixed("PRI").right().priority(3));
        }
        if assignees {
            columns.push(TextColumn::text("ASSIGNEE").least(8).priority(1));
        }
        if tenants {
            columns.push(TextColumn::text("TENANT").least(8).priority(4));
        }
        columns.push(TextColumn::fixed("AGE").right().priority(2));
        columns.push(TextColumn::text("TITLE").least(34).main());
        let mut table = TextTable::new(columns);
        for (board, task) in &self.tasks {
            let status = task.field("status").show();
            let symbol = Label::symbol_of_status(&status, page.ascii());
            let mut cells = Vec::new();
            if several {
                cells.push((Label::Id, board.clone().unwrap_or_default()));
            }
            cells.push((Label::Id, task.id()));
            cells.push((Label::of_status(&status), format!("{symbol} {status}")));
            if priorities {
                cells.push((Label::Text, task.field("priority").show()));
            }
            if assignees {
                cells.push((Label::Text, task.field("assignee").show()));
            }
            if tenants {
                cells.push((Label::Dim, task.field("tenant").show()));
            }
            cells.push((Label::Dim, self.times.age(task.field("created_at"))));
            cells.push((Label::Text, task.field("title").show()));
            table.row(cells);
        }
        page.table(&table);
    }

    /// The columns of `--columns`.
    fn chosen(&self, page: &mut Document<'_>) {
        let several = self.tasks.iter().any(|(board, _)| board.is_some());
        let board = several.then(|| TextColumn::text("BOARD").least(8));
        let named = |name: &String| TextColumn::text(name.to_uppercase()).least(10);
        let mut table = TextTable::new(board.into_iter().chain(self.columns.iter().map(named)));
        for (board, task) in &self.tasks {
            let board = board.iter().map(|board| (Label::Id, board.clone()));
            let cells = self.columns.iter().map(|name| {
                let field = task.any_field(name);
                let time = name.ends_with("_at") || name == "claim_expires";
                (Label::Text, if time { self.times.show(field) } else { field.show() })
            });
            table.row(board.chain(cells).collect::<Vec<_>>());
        }
        page.table(&table);
    }
}
