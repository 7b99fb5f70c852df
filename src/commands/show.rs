//! `show`: one task with everything that hangs on it.

use serde_json::Value;

use super::Context;
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::pool::Access;
use crate::process::clock;
use crate::store::field::Field;
use crate::store::query::{self, ShownTask};
use crate::store::schema;
use crate::store::task::KEYS;
use crate::ui::{Document, Label, Records, Report};

/// Columns of a task that a person reads first, in this order; the others follow in the order of [`KEYS`].
const FIRST: [&str; 6] = ["id", "title", "status", "assignee", "priority", "tenant"];
/// Columns that are shown in a section or on lines of their own.
const APART: [&str; 2] = ["body", "skills"];
/// Counters and switches that say nothing while they are zero.
const IDLE_AT_ZERO: [&str; 3] = ["consecutive_failures", "goal_mode", "block_recurrences"];

/// What follows [`FIRST`].
fn others() -> impl Iterator<Item = &'static str> {
    KEYS.into_iter().filter(|key| !FIRST.contains(key) && !APART.contains(key))
}

/// Show one task with its links, comments, events and runs.
///
/// Plain records begin with task, skill, parent, child, comment, event or run.
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
    let mut shown = pool.read(|conn| {
        schema::require_board(conn)?;
        query::show(conn, &args.id)
    })?;
    pool.close()?;
    if let (Some(column), Some(name)) = (&args.state_type, &args.state_name) {
        shown.runs.retain(|run| {
            let field = if column == "status" { &run.status } else { &run.outcome };
            field.text() == Some(name)
        });
    }
    context.ui.emit(&Whole(shown))?;
    Ok(Exit::Ok)
}

#[derive(serde::Serialize)]
#[serde(transparent)]
struct Whole(ShownTask);

/// A value for a person: times as RFC 3339.
fn shown(name: &str, field: &Field) -> String {
    let time = name.ends_with("_at") || name == "claim_expires";
    field.integer().filter(|_| time).and_then(clock::rfc3339).unwrap_or_else(|| field.show())
}

fn payload(value: &Value) -> String {
    if value.is_null() { String::new() } else { crate::store::json::dumps(value) }
}

impl Report for Whole {
    fn kind(&self) -> &'static str {
        "task.show"
    }

    fn human(&self, page: &mut Document<'_>) {
        let task = &self.0.task;
        let mut pairs: Vec<(&str, Label, String)> = Vec::new();
        for name in FIRST.into_iter().chain(others()) {
            let field = task.field(name);
            let idle = field.is_null() || (IDLE_AT_ZERO.contains(&name) && field.integer() == Some(0));
            if !idle {
                let text = shown(name, field);
                let label = match name {
                    "id" => Label::Id,
                    "status" => Label::of_status(&text),
                    _ => Label::Text,
                };
                pairs.push((name, label, text));
            }
        }
        let skills = task.skills();
        let skills: Vec<&str> = skills.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, list) in [
            ("skills", skills.join(", ")),
            ("parents", self.0.parents.join(", ")),
            ("children", self.0.children.join(", ")),
        ] {
            if !list.is_empty() {
                pairs.push((name, Label::Text, list));
            }
        }
        for (name, field) in task.extra().filter(|(_, field)| !field.is_null()) {
            pairs.push((name, Label::Dim, field.show()));
        }
        let borrowed: Vec<_> =
            pairs.iter().map(|(name, label, text)| (*name, *label, text.as_str())).collect();
        page.labelled_pairs(&borrowed);
        self.sections(page);
    }

    fn plain(&self, records: &mut Records<'_>) {
        let task = &self.0.task;
        for name in FIRST.into_iter().chain(["body"]).chain(others()) {
            records.record(&["task", name, &shown(name, task.field(name))]);
        }
        for (name, field) in task.extra() {
            records.record(&["task", name, &field.show()]);
        }
        for skill in task.skills().as_array().into_iter().flatten() {
            records.record(&["skill", skill.as_str().unwrap_or_default()]);
        }
        for parent in &self.0.parents {
            records.record(&["parent", parent]);
        }
        for child in &self.0.children {
            records.record(&["child", child]);
        }
        for comment in &self.0.comments {
            let at = shown("created_at", &comment.created_at);
            records.record(&["comment", &at, &comment.author.show(), &comment.body.show()]);
        }
        for event in &self.0.events {
            let at = shown("created_at", &event.created_at);
            let run = event.run_id.show();
            records.record(&[
                "event",
                &event.id.show(),
                &at,
                &event.kind.show(),
                &run,
                &payload(&event.payload),
            ]);
        }
        for run in &self.0.runs {
            records.record(&[
                "run",
                &run.id.show(),
                &run.profile.show(),
                &run.status.show(),
                &run.outcome.show(),
                &shown("started_at", &run.started_at),
                &shown("ended_at", &run.ended_at),
                &run.summary.show(),
                &run.error.show(),
                &payload(&run.metadata),
            ]);
        }
    }
}

impl Whole {
    fn sections(&self, page: &mut Document<'_>) {
        if let Some(body) = self.0.task.field("body").text().filter(|body| !body.is_empty()) {
            page.blank();
            page.heading("Body");
            page.paragraph(2, body);
        }
        if let Some(summary) = self.0.latest_summary.text() {
            page.blank();
            page.heading("Latest summary");
            page.paragraph(2, summary);
        }
        if !self.0.comments.is_empty() {
            page.blank();
            page.heading("Comments");
            for comment in &self.0.comments {
                let at = shown("created_at", &comment.created_at);
                page.spans(&[(Label::Dim, &format!("  {at}  ")), (Label::Text, &comment.author.show())]);
                page.paragraph(4, &comment.body.show());
            }
        }
        if !self.0.runs.is_empty() {
            page.blank();
            page.heading("Runs");
        }
        for run in &self.0.runs {
            let status = run.status.show();
            let span =
                format!("  {} .. {}", shown("started_at", &run.started_at), shown("ended_at", &run.ended_at));
            page.spans(&[
                (Label::Dim, &format!("  {}  ", run.id.show())),
                (Label::of_status(&status), &status),
                (Label::Text, &format!("  {}", run.profile.show())),
                (Label::Dim, &span),
            ]);
            for text in [run.summary.show(), run.error.show()].iter().filter(|text| !text.is_empty()) {
                page.paragraph(4, text);
            }
        }
        if !self.0.events.is_empty() {
            page.blank();
            page.heading("Events");
        }
        for event in &self.0.events {
            let at = shown("created_at", &event.created_at);
            page.spans(&[
                (Label::Dim, &format!("  {at}  ")),
                (Label::Text, &event.kind.show()),
                (Label::Dim, &format!("  {}", payload(&event.payload))),
            ]);
        }
    }
}
