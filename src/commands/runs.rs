//! `runs`: the attempts at one task.

use serde::Serialize;

use super::Context;
use super::times::{Times, utc};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::pool::Access;
use crate::store::run::{self, TaskRun};
use crate::store::{schema, task};
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// List the runs of a task, oldest first.
///
/// Plain record: RUN PROFILE STATUS OUTCOME STARTED ENDED STEP PID SUMMARY ERROR METADATA.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Id, or a unique beginning of one.
    pub id: String,
    /// Only runs with this --state-name in this column.
    #[arg(long, value_name = "COLUMN", value_parser = ["status", "outcome"], requires = "state_name")]
    pub state_type: Option<String>,
    /// See --state-type.
    #[arg(long, value_name = "NAME", requires = "state_type")]
    pub state_name: Option<String>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown task, 14 for an ambiguous beginning, and what the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let mut pool = context.pool(Access::Read)?;
    let mut runs = pool.read(|conn| {
        schema::require_board(conn)?;
        run::of_task(conn, &task::resolve(conn, &args.id)?)
    })?;
    pool.close()?;
    retain(&mut runs, args.state_type.as_deref(), args.state_name.as_deref());
    let none = runs.is_empty();
    let times = Times::of(context);
    context.ui.emit(&RunList { runs, times })?;
    if none {
        context.ui.status("No run matches.");
    }
    Ok(Exit::Ok)
}

/// Keep the runs whose column has this name.
pub(super) fn retain(runs: &mut Vec<TaskRun>, column: Option<&str>, name: Option<&str>) {
    if let (Some(column), Some(name)) = (column, name) {
        runs.retain(|run| {
            let field = if column == "status" { &run.status } else { &run.outcome };
            field.text() == Some(name)
        });
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct RunList {
    runs: Vec<TaskRun>,
    #[serde(skip)]
    times: Times,
}

/// Metadata or a payload as it stands in the row; nothing where it is NULL.
pub(super) fn compact(value: &serde_json::Value) -> String {
    if value.is_null() { String::new() } else { crate::store::json::dumps(value) }
}

impl Report for RunList {
    fn kind(&self) -> &'static str {
        "run.list"
    }

    fn record_kind(&self) -> &'static str {
        "run"
    }

    fn human(&self, page: &mut Document<'_>) {
        let mut table = TextTable::new([
            TextColumn::fixed("RUN").right(),
            TextColumn::fixed("STATUS"),
            TextColumn::fixed("OUTCOME").priority(4),
            TextColumn::text("PROFILE").priority(1),
            TextColumn::fixed("STARTED").priority(2),
            TextColumn::fixed("TOOK").priority(3),
            TextColumn::text("SUMMARY").least(20),
        ]);
        for run in &self.runs {
            let status = run.status.show();
            let text = if run.error.is_null() { run.summary.show() } else { run.error.show() };
            table.row([
                (Label::Id, run.id.show()),
                (Label::of_status(&status), status),
                (Label::Text, run.outcome.show()),
                (Label::Text, run.profile.show()),
                (Label::Dim, self.times.show(&run.started_at)),
                (Label::Dim, self.times.took(&run.started_at, &run.ended_at).unwrap_or_default()),
                (Label::Text, text),
            ]);
        }
        page.table(&table);
    }

    fn plain(&self, records: &mut Records<'_>) {
        for run in &self.runs {
            records.record(&[
                &run.id.show(),
                &run.profile.show(),
                &run.status.show(),
                &run.outcome.show(),
                &utc(&run.started_at),
                &utc(&run.ended_at),
                &run.step_key.show(),
                &run.worker_pid.show(),
                &run.summary.show(),
                &run.error.show(),
                &compact(&run.metadata),
            ]);
        }
    }
}
