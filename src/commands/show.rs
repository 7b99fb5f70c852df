//! `show`: one task with everything that hangs on it.

use serde_json::Value;

use super::Context;
use super::times::Times;
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::pool::Access;
use crate::process::clock;
use crate::store::field::Field;
use crate::store::query::{self, ShownTask};
use crate::store::run::TaskRun;
use crate::store::schema;
use crate::store::task::KEYS;
use crate::ui::{Document, Label, Records, Report};

/// Columns of a task that a person reads first, in this order; the others follow in the order of [`KEYS`].
const FIRST: [&str; 6] = ["id", "title", "status", "assignee", "priority", "tenant"];
/// Columns that are shown in a section or on lines of their own.
const APART: [&str; 2] = ["body", "skills"];
/// Columns that a person sees above the others, or in a section.
const IN_HEAD: [&str; 4] = ["id", "title", "status", "result"];
/// Counters and switches that say nothing while they are zero.
const IDLE_AT_ZERO: [&str; 3] = ["consecutive_failures", "goal_mode", "block_recurrences"];

/// What follows [`FIRST`].
fn others() -> impl Iterator<Item = &'static str> {
    KEYS.into_iter().filter(|key| !FIRST.contains(key) && !APART.contains(key))
}

/// Show one task with its links, comments, events and runs.
///
/// Plain records begin with task, skill, parent, child, comment, event, attachment or run.
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
    super::runs::retain(&mut shown.runs, args.state_type.as_deref(), args.state_name.as_deref());
    let times = Times::of(context);
    context.show(&Whole { shown, times })?;
    Ok(Exit::Ok)
}

#[derive(serde::Serialize)]
#[serde(transparent)]
struct Whole {
    shown: ShownTask,
    #[serde(skip)]
    times: Times,
}

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
        let task = &self.shown.task;
        self.head(page);
        let mut pairs: Vec<(&str, Label, String)> = Vec::new();
        for name in FIRST.into_iter().chain(others()) {
            let field = task.field(name);
            let idle = field.is_null() || (IDLE_AT_ZERO.contains(&name) && field.integer() == Some(0));
            if !idle && !IN_HEAD.contains(&name) {
                let time = name.ends_with("_at") || name == "claim_expires";
                pairs.push((name, Label::Text, if time { self.times.show(field) } else { field.show() }));
            }
        }
        let skills = task.skills();
        let skills: Vec<&str> = skills.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if !skills.is_empty() {
            pairs.push(("skills", Label::Text, skills.join(", ")));
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
        let task = &self.shown.task;
        for name in FIRST.into_iter().chain(["body"]).chain(others()) {
            records.record(&["task", name, &shown(name, task.field(name))]);
        }
        for (name, field) in task.extra() {
            records.record(&["task", name, &field.show()]);
        }
        for skill in task.skills().as_array().into_iter().flatten() {
            records.record(&["skill", skill.as_str().unwrap_or_default()]);
        }
        for parent in &self.shown.parents {
            records.record(&["parent", parent]);
        }
        for child in &self.shown.children {
            records.record(&["child", child]);
        }
        for comment in &self.shown.comments {
            let at = shown("created_at", &comment.created_at);
            records.record(&["comment", &at, &comment.author.show(), &comment.body.show()]);
        }
        for event in &self.shown.events {
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
        for attachment in &self.shown.attachments {
            records.record(&[
                "attachment",
                &attachment.id.show(),
                &attachment.filename.show(),
                &attachment.size.show(),
                &attachment.stored_path.show(),
            ]);
        }
        for run in &self.shown.runs {
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
    /// The first lines: what it is and how it stands.
    fn head(&self, page: &mut Document<'_>) {
        let task = &self.shown.task;
        let status = task.field("status").show();
        let symbol = Label::symbol_of_status(&status, page.ascii());
        page.spans(&[
            (Label::of_status(&status), symbol),
            (Label::Text, " "),
            (Label::Id, &task.id()),
            (Label::Text, "  "),
            (Label::of_status(&status), &status),
        ]);
        page.wrapped(Label::Heading, 0, &task.field("title").show());
        page.blank();
    }

    /// A heading with lines below it; nothing where there are none.
    fn section<T>(
        page: &mut Document<'_>,
        name: &str,
        rows: &[T],
        mut line: impl FnMut(&mut Document<'_>, &T),
    ) {
        if rows.is_empty() {
            return;
        }
        page.blank();
        page.heading(name);
        for row in rows {
            line(page, row);
        }
    }

    fn relative(&self, page: &mut Document<'_>, id: &String) {
        let (title, status) =
            self.shown.related.get(id).map_or(("", "missing"), |(title, status)| (title, status));
        let symbol = Label::symbol_of_status(status, page.ascii());
        page.cut_spans(&[
            (Label::of_status(status), &format!("  {symbol} ")),
            (Label::Id, id),
            (Label::of_status(status), &format!("  {status}  ")),
            (Label::Text, title),
        ]);
    }

    fn run(&self, page: &mut Document<'_>, run: &TaskRun) {
        let status = if run.outcome.is_null() { run.status.show() } else { run.outcome.show() };
        let took = self.times.took(&run.started_at, &run.ended_at).unwrap_or_default();
        let took = if run.ended_at.is_null() { format!("for {took}") } else { format!("took {took}") };
        page.spans(&[
            (Label::Dim, &format!("  {}  ", run.id.show())),
            (Label::of_status(&run.status.show()), &status),
            (Label::Text, &format!("  {}", run.profile.show())),
            (Label::Dim, &format!("  {}, {took}", self.times.show(&run.started_at))),
        ]);
        for text in [run.summary.show(), run.error.show()].iter().filter(|text| !text.is_empty()) {
            page.paragraph(4, text);
        }
        let metadata = payload(&run.metadata);
        if !metadata.is_empty() {
            page.wrapped(Label::Dim, 4, &metadata);
        }
    }

    fn sections(&self, page: &mut Document<'_>) {
        Self::section(page, "Parents", &self.shown.parents, |page, id| self.relative(page, id));
        Self::section(page, "Children", &self.shown.children, |page, id| self.relative(page, id));
        for (name, field) in [("Body", "body"), ("Result", "result")] {
            let text = self.shown.task.field(field).text().filter(|text| !text.is_empty());
            Self::section(page, name, text.as_slice(), |page, text| page.paragraph(2, text));
        }
        let result = self.shown.task.field("result").text();
        let summary = self.shown.latest_summary.text().filter(|summary| Some(*summary) != result);
        Self::section(page, "Latest summary", summary.as_slice(), |page, text| page.paragraph(2, text));
        Self::section(page, "Attachments", &self.shown.attachments, |page, one| {
            page.cut_spans(&[
                (Label::Dim, &format!("  {}  ", one.id.show())),
                (Label::Text, &one.filename.show()),
                (Label::Dim, &format!("  {} bytes  {}", one.size.show(), one.stored_path.show())),
            ]);
        });
        Self::section(page, "Comments", &self.shown.comments, |page, comment| {
            let at = self.times.show(&comment.created_at);
            page.spans(&[
                (Label::Text, &format!("  {}", comment.author.show())),
                (Label::Dim, &format!("  {at}")),
            ]);
            page.paragraph(4, &comment.body.show());
        });
        Self::section(page, "Runs", &self.shown.runs, |page, run| self.run(page, run));
        let width = self.shown.events.iter().map(|event| self.times.show(&event.created_at).len()).max();
        Self::section(page, "Events", &self.shown.events, |page, event| {
            let at = self.times.show(&event.created_at);
            page.cut_spans(&[
                (Label::Dim, &format!("  {at:0$}  ", width.unwrap_or(0))),
                (Label::Text, &event.kind.show()),
                (Label::Dim, &format!("  {}", payload(&event.payload))),
            ]);
        });
    }
}
