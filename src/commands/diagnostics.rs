//! `diagnostics`: what Hermes' own rules find in the tasks.

use serde::Serialize;

use super::Context;
use super::times::Times;
use crate::failure::count::counted;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::Access;
use crate::store::diagnostics::{self, DiagnosedTask, Diagnostic, DiagnosticLimits, DiagnosticSeverity};
use crate::store::field::Field;
use crate::store::{schema, task};
use crate::ui::{Document, Label, Records, Report};

/// Show tasks that are stuck: failing, crashing, blocked without an answer, ready without a worker.
///
/// The findings are those of Hermes' own `diagnostics`, with its default limits. Its finding triage_aux_unavailable is
/// about the model in Hermes' configuration, which kanbanctl does not read.
///
/// Plain record: TASK SEVERITY KIND COUNT FIRST LAST MESSAGE NEXT.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Only findings of this severity and above.
    #[arg(long, value_parser = ["warning", "error", "critical"])]
    pub severity: Option<String>,
    /// Only this task: its id, or a unique beginning of one.
    #[arg(long, value_name = "ID")]
    pub task: Option<String>,
    /// Failures from which on a task counts as failing: `kanban.failure_limit` of Hermes' configuration.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(i64).range(1..))]
    pub failure_limit: i64,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown task, 14 for an ambiguous beginning, and what the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let limits = DiagnosticLimits { now: context.clock.epoch(), failures: args.failure_limit };
    let mut pool = context.pool(Access::Read)?;
    let mut found = pool.read(|conn| {
        schema::require_board(conn)?;
        let Some(typed) = &args.task else { return diagnostics::of_board(conn, limits) };
        let id = task::resolve(conn, typed)?;
        let one = diagnostics::of_task(conn, &id, limits)?;
        one.map(|one| vec![one]).ok_or_else(|| Failure::not_found(format!("there is no task {id}.")))
    })?;
    pool.close()?;
    if let Some(least) = args.severity.as_deref() {
        for task in &mut found {
            task.diagnostics.retain(|one| rank(one.severity.word()) >= rank(least));
        }
        found.retain(|task| !task.diagnostics.is_empty());
    }
    let total: usize = found.iter().map(|task| task.diagnostics.len()).sum();
    let times = Times::of(context);
    context.ui.emit(&DiagnosedList { tasks: found.iter().map(DiagnosedRow::of).collect(), times })?;
    let findings = counted(total as u64, "finding", "findings");
    context.ui.status(format_args!("{findings} in {}.", counted(found.len() as u64, "task", "tasks")));
    Ok(Exit::Ok)
}

fn rank(word: &str) -> usize {
    ["warning", "error", "critical"].iter().position(|known| *known == word).unwrap_or(0)
}

#[derive(Serialize)]
struct DiagnosedRow<'a> {
    task_id: String,
    // The title is text of a task here, where a finding's own text is its message.
    title: &'a Field,
    status: &'a Field,
    assignee: &'a Field,
    diagnostics: &'a [Diagnostic],
}

impl<'a> DiagnosedRow<'a> {
    fn of(one: &'a DiagnosedTask) -> Self {
        Self {
            task_id: one.task.id(),
            title: one.task.field("title"),
            status: one.task.field("status"),
            assignee: one.task.field("assignee"),
            diagnostics: &one.diagnostics,
        }
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct DiagnosedList<'a> {
    tasks: Vec<DiagnosedRow<'a>>,
    #[serde(skip)]
    times: Times,
}

impl Report for DiagnosedList<'_> {
    fn kind(&self) -> &'static str {
        "diagnostics"
    }

    fn record_kind(&self) -> &'static str {
        "diagnostics.task"
    }

    fn human(&self, page: &mut Document<'_>) {
        for task in &self.tasks {
            let status = task.status.show();
            page.cut_spans(&[
                (Label::Id, &task.task_id),
                (Label::Text, "  "),
                (Label::of_status(&status), &status),
                (Label::Dim, &format!("  {}  ", task.assignee.show())),
                (Label::Heading, &task.title.show()),
            ]);
            for one in task.diagnostics {
                let label = match one.severity {
                    DiagnosticSeverity::Warning => Label::Warning,
                    DiagnosticSeverity::Error | DiagnosticSeverity::Critical => Label::Bad,
                };
                let last = self.times.show(&Field::Integer(one.last_seen_at));
                page.spans(&[
                    (label, &format!("  {}", one.severity.word())),
                    (Label::Text, &format!("  {}", one.kind)),
                    (Label::Dim, &format!("  {last}")),
                ]);
                page.paragraph(4, &format!("{}.", one.message));
                if let Some(next) = one.next.first() {
                    page.spans(&[(Label::Hint, "    "), (Label::Hint, next)]);
                }
            }
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for task in &self.tasks {
            for one in task.diagnostics {
                let next = one.next.first().map(String::as_str).unwrap_or_default();
                records
                    .text(&task.task_id)
                    .text(one.severity.word())
                    .text(one.kind)
                    .number(one.count)
                    .number(one.first_seen_at)
                    .number(one.last_seen_at)
                    .text(&one.message)
                    .text(next)
                    .end();
            }
        }
    }
}
