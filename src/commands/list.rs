//! `list`: tasks with Hermes' filters and orders, as stored.

use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::Context;
use crate::board::{Board, location};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::Access;
use crate::process::clock;
use crate::store::query::{self, Filter, SORTS};
use crate::store::schema;
use crate::store::task::Task;
use crate::store::vocabulary::STATUSES;
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// List tasks as they are stored; nothing is promoted by looking.
///
/// Plain columns: id, status, priority, assignee, tenant, created, title; with --all-boards the board comes first.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Tasks of the own profile.
    #[arg(long)]
    pub mine: bool,
    /// Tasks of this profile.
    #[arg(long)]
    pub assignee: Option<String>,
    /// Tasks in this status.
    #[arg(long, value_parser = STATUSES)]
    pub status: Option<String>,
    /// Tasks of this tenant.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Tasks made in this session.
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// Archived tasks too.
    #[arg(long)]
    pub archived: bool,
    /// Order [default: priority].
    #[arg(long, value_name = "ORDER", value_parser = SORTS.map(|(name, _)| name))]
    pub sort: Option<String>,
    /// Tasks of this workflow template.
    #[arg(long, value_name = "ID")]
    pub workflow_template_id: Option<String>,
    /// Tasks at this workflow step.
    #[arg(long, value_name = "KEY")]
    pub step_key: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub limit: Option<u32>,
}

/// What tables and plain records show; JSON has every column.
const SHOWN: [&str; 7] = ["id", "status", "priority", "assignee", "tenant", "created_at", "title"];

/// Runs the verb.
///
/// # Errors
/// What the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let filter = Filter {
        assignee: args.assignee.clone().or_else(|| args.mine.then(|| own_profile(context))),
        status: args.status.clone(),
        tenant: args.tenant.clone(),
        session: args.session.clone(),
        workflow_template_id: args.workflow_template_id.clone(),
        step_key: args.step_key.clone(),
        archived: args.archived,
        sort: args.sort.clone(),
        limit: args.limit,
    };
    let columns: &[&str] = if context.ui.format().is_json() { &[] } else { &SHOWN };
    let read = |conn: &rusqlite::Connection| {
        schema::require_board(conn)?;
        query::list(conn, &filter, columns)
    };
    if !context.globals.all_boards {
        let mut pool = context.pool(Access::Read)?;
        let tasks = pool.read(read)?;
        pool.close()?;
        let empty = tasks.is_empty();
        context.ui.emit(&List(tasks.into_iter().map(|task| (None, task)).collect()))?;
        if empty {
            context.ui.detail("No task matches.");
        }
        return Ok(Exit::Ok);
    }
    let mut rows = Vec::new();
    let exit = every_board(context, |board, pool| {
        let name = board.name();
        rows.extend(pool.read(read)?.into_iter().map(|task| (Some(name.clone()), task)));
        Ok(())
    })?;
    context.ui.emit(&List(rows))?;
    Ok(exit)
}

/// Runs a reading closure on every board under the root; a board that fails is told about and the worst code kept.
pub(super) fn every_board(
    context: &mut Context<'_>,
    mut work: impl FnMut(&Board, &mut crate::pool::Pool) -> Outcome<()>,
) -> Outcome<Exit> {
    let mut exit = Exit::Ok;
    let mut seen = 0_usize;
    for board in location::discover(context.env)? {
        let inspection = board.inspect();
        if inspection
            .as_ref()
            .is_ok_and(|seen| matches!(seen.state, crate::board::FileState::Missing) && !seen.leftovers())
        {
            continue;
        }
        seen += 1;
        let outcome = inspection.and_then(|inspection| {
            let mut pool = context.pool_for(inspection, Access::Read)?;
            work(&board, &mut pool)?;
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
    if seen == 0 {
        return Err(
            Failure::no_board("there is no board under the root.").hint("Create one with `kanbanctl init`.")
        );
    }
    Ok(exit)
}

/// The profile that Hermes would take for the caller's own: its variables, else the home's name.
fn own_profile(context: &Context<'_>) -> String {
    for name in ["HERMES_PROFILE_NAME", "HERMES_PROFILE"] {
        if let Some(profile) =
            context.env.get(name).and_then(|value| value.to_str()).filter(|value| !value.is_empty())
        {
            return profile.to_owned();
        }
    }
    let home = context.env.get("HERMES_HOME").map(std::path::Path::new);
    let profile = home
        .filter(|home| {
            home.parent().and_then(std::path::Path::file_name).is_some_and(|name| name == "profiles")
        })
        .and_then(|home| home.file_name()?.to_str());
    profile.unwrap_or("default").to_owned()
}

/// Tasks, each with its board where there are several.
struct List(Vec<(Option<String>, Task)>);

#[derive(serde::Serialize)]
struct BoardTasks<'a> {
    board: &'a str,
    #[serde(flatten)]
    task: &'a Task,
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.len()))?;
        for (board, task) in &self.0 {
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
        let several = self.0.iter().any(|(board, _)| board.is_some());
        let tenants = self.0.iter().any(|(_, task)| !task.field("tenant").is_null());
        let mut columns = Vec::new();
        if several {
            columns.push(TextColumn::fixed("BOARD"));
        }
        columns.extend([
            TextColumn::fixed("ID"),
            TextColumn::fixed("STATUS"),
            TextColumn::fixed("PRI").right().priority(2),
            TextColumn::text("ASSIGNEE").priority(1),
        ]);
        if tenants {
            columns.push(TextColumn::text("TENANT").priority(3));
        }
        columns.push(TextColumn::text("TITLE").least(20));
        let mut table = TextTable::new(columns);
        for (board, task) in &self.0 {
            let status = task.field("status").show();
            let mut cells = Vec::new();
            if several {
                cells.push((Label::Id, board.clone().unwrap_or_default()));
            }
            cells.extend([
                (Label::Id, task.id()),
                (Label::of_status(&status), status),
                (Label::Text, task.field("priority").show()),
                (Label::Text, task.field("assignee").show()),
            ]);
            if tenants {
                cells.push((Label::Dim, task.field("tenant").show()));
            }
            cells.push((Label::Text, task.field("title").show()));
            table.row(cells);
        }
        page.table(&table);
    }

    fn plain(&self, records: &mut Records<'_>) {
        for (board, task) in &self.0 {
            if let Some(board) = board {
                records.text(board);
            }
            for name in ["id", "status", "priority", "assignee", "tenant"] {
                records.text(&task.field(name).shown());
            }
            let created = task.field("created_at");
            let created = created.integer().and_then(clock::rfc3339).unwrap_or_else(|| created.show());
            records.text(&created).text(&task.field("title").shown()).end();
        }
    }
}
