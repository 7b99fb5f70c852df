//! `edit`: fields of tasks.

use rusqlite::types::Value as Sql;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, UndoCommand};
use super::draft::{self, MaxRuntime};
use crate::failure::exit::Exit;
use crate::failure::hint::quoted;
use crate::failure::{Failure, Outcome};
use crate::store::draft::skills;
use crate::store::verbs::edit::{self, Edits};
use crate::store::writer::{TaskChange, TaskWriter};
use crate::store::{json as python, text};

const VERB: BulkVerb = bulk::verb!("edit", "edited");

/// Fields that can be taken away: the option's name and the column.
const CLEARABLE: [(&str, &str); 8] = [
    ("body", "body"),
    ("tenant", "tenant"),
    ("skills", "skills"),
    ("branch", "branch_name"),
    ("max-runtime", "max_runtime_seconds"),
    ("max-retries", "max_retries"),
    ("goal-max-turns", "goal_max_turns"),
    ("assignee", "assignee"),
];

/// TaskChange fields of tasks: title, body, priority, assignee and more; of a task that is done its result too.
///
/// A --summary or --metadata belongs to the result. With --from a line may have its own title, body, priority, assignee,
/// tenant, result, summary and metadata.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ids, or unique beginnings of them.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Title.
    #[arg(long)]
    pub title: Option<String>,
    /// Longer description.
    #[arg(long)]
    pub body: Option<String>,
    /// Higher goes first.
    #[arg(long, allow_negative_numbers = true)]
    pub priority: Option<i64>,
    /// Profile that is to do it; none, - or null for no profile.
    #[arg(long, value_name = "PROFILE")]
    pub assignee: Option<String>,
    /// Tenant.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Skill for the worker; can be repeated, and replaces those there are.
    #[arg(long, value_name = "NAME")]
    pub skill: Vec<String>,
    /// Time a worker may take: seconds, or 30s, 5m, 2h, 1d.
    #[arg(long, value_name = "DUR", value_parser = draft::optional_runtime, allow_negative_numbers = true)]
    pub max_runtime: Option<MaxRuntime>,
    /// Failures before it is blocked.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..), allow_negative_numbers = true)]
    pub max_retries: Option<i64>,
    /// Branch of a worktree.
    #[arg(long)]
    pub branch: Option<String>,
    /// Whether the worker runs in a goal loop.
    #[arg(long, value_name = "YES|NO", value_parser = ["yes", "no"])]
    pub goal: Option<String>,
    /// Turns of that loop.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub goal_max_turns: Option<i64>,
    /// Result of a task that is done.
    #[arg(long)]
    pub result: Option<String>,
    /// Summary of its run; the result where not given.
    #[arg(long, requires = "result")]
    pub summary: Option<String>,
    /// JSON object for its run.
    #[arg(long, value_name = "JSON", value_parser = super::complete::metadata, requires = "result")]
    pub metadata: Option<super::complete::MetadataOption>,
    /// Fields to take away, apart by commas.
    #[arg(long, value_name = "FIELD", value_delimiter = ',', value_parser = CLEARABLE.map(|(name, _)| name))]
    pub clear: Vec<String>,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// The keys of a line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EditKeys {
    title: Option<String>,
    body: Option<String>,
    priority: Option<i64>,
    assignee: Option<String>,
    tenant: Option<String>,
    result: Option<String>,
    summary: Option<String>,
    metadata: Option<serde_json::Map<String, Value>>,
}

impl EditKeys {
    fn over(&self, base: &Edits) -> Outcome<Edits> {
        let mut edits = base.clone();
        if let Some(text) = &self.title {
            edits.title = Some(title(text)?);
        }
        if let Some(body) = &self.body {
            edits.body = Some(Some(body.clone()));
        }
        if let Some(profile) = &self.assignee {
            edits.assignee = Some(assignee(profile)?);
        }
        if let Some(tenant) = &self.tenant {
            edits.columns.retain(|(column, _)| *column != "tenant");
            edits.columns.push(("tenant", Sql::Text(tenant.clone())));
        }
        edits.priority = self.priority.or(edits.priority);
        edits.result = self.result.clone().or(edits.result);
        edits.summary = self.summary.clone().or(edits.summary);
        edits.metadata = self.metadata.clone().map(Value::Object).or(edits.metadata);
        if edits.result.is_none() && (edits.summary.is_some() || edits.metadata.is_some()) {
            return Err(Failure::usage("a summary or metadata needs a result."));
        }
        if is_empty(&edits) {
            return Err(Failure::usage("nothing is to be changed.")
                .hint("Name a field, such as --title; `kanbanctl edit --help` lists them."));
        }
        Ok(edits)
    }
}

/// Runs the verb.
///
/// # Errors
/// Exit 2 where nothing is to be changed, 14 for a result of a task that is not done.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let base = base(args)?;
    let targets = BulkTargets::<EditKeys>::read(context, &args.ids, &args.bulk)?;
    bulk::change(context, VERB, targets, |writer, id, keys| {
        let change = edit::edit(writer, id, &keys.over(&base)?)?;
        let undo = undo(&change);
        Ok((change, undo))
    })
}

fn is_empty(edits: &Edits) -> bool {
    edits.title.is_none()
        && edits.body.is_none()
        && edits.priority.is_none()
        && edits.assignee.is_none()
        && edits.result.is_none()
        && edits.columns.is_empty()
}

fn title(text: &str) -> Outcome<String> {
    if text::strip(text).is_empty() {
        return Err(Failure::usage("a title is required."));
    }
    Ok(text.to_owned())
}

fn assignee(profile: &str) -> Outcome<Option<String>> {
    if ["none", "-", "null"].iter().any(|nobody| profile.eq_ignore_ascii_case(nobody)) {
        return Ok(None);
    }
    TaskWriter::profile(profile).map(Some)
}

fn base(args: &Args) -> Outcome<Edits> {
    let mut columns: Vec<(&'static str, Sql)> = Vec::new();
    if let Some(tenant) = &args.tenant {
        columns.push(("tenant", Sql::Text(tenant.clone())));
    }
    if !args.skill.is_empty() {
        columns.push(("skills", Sql::Text(python::dumps_ascii(&json!(skills(args.skill.clone())?)))));
    }
    if let Some(seconds) = args.max_runtime.and_then(MaxRuntime::seconds) {
        columns.push(("max_runtime_seconds", Sql::Integer(seconds)));
    }
    for (column, number) in [("max_retries", args.max_retries), ("goal_max_turns", args.goal_max_turns)] {
        columns.extend(number.map(|number| (column, Sql::Integer(number))));
    }
    if let Some(name) = &args.branch {
        columns.push(("branch_name", Sql::Text(draft::branch(name)?)));
    }
    if let Some(goal) = &args.goal {
        columns.push(("goal_mode", Sql::Integer(i64::from(goal == "yes"))));
    }
    let mut edits = Edits {
        title: args.title.as_deref().map(title).transpose()?,
        body: args.body.clone().map(Some),
        priority: args.priority,
        assignee: args.assignee.as_deref().map(assignee).transpose()?,
        result: args.result.clone(),
        summary: args.summary.clone(),
        metadata: args.metadata.clone().and_then(|metadata| metadata.0),
        columns,
    };
    for name in &args.clear {
        let column = CLEARABLE.iter().find(|(known, _)| known == name).map_or("", |(_, column)| *column);
        let twice = match column {
            "body" => edits.body.replace(None).is_some(),
            "assignee" => edits.assignee.replace(None).is_some(),
            _ => {
                let known = edits.columns.iter().any(|(known, _)| *known == column);
                edits.columns.push((column, Sql::Null));
                known
            }
        };
        if twice {
            return Err(Failure::usage(format!("{name} is both set and taken away.")));
        }
    }
    Ok(edits)
}

/// The command that gives the fields back what they held; nothing where an option cannot say it.
fn undo(change: &TaskChange) -> Option<UndoCommand> {
    let former = change.details.get("former")?.as_object()?;
    let mut options = String::from("edit");
    let mut cleared: Vec<&str> = Vec::new();
    for (column, value) in former {
        let option = match column.as_str() {
            "branch_name" => "branch",
            "max_runtime_seconds" => "max-runtime",
            "max_retries" => "max-retries",
            "goal_max_turns" => "goal-max-turns",
            "goal_mode" => "goal",
            "skills" => "skill",
            other => other,
        };
        let words: Vec<String> = match (option, value) {
            ("skill", Value::String(text)) => {
                let names: Vec<String> = serde_json::from_str(text).ok()?;
                if names.is_empty() {
                    return None;
                }
                names
            }
            ("metadata", Value::Object(_)) => vec![value.to_string()],
            ("goal", Value::Number(number)) => {
                vec![if number.as_i64() == Some(1) { "yes" } else { "no" }.to_owned()]
            }
            (_, Value::String(text)) => vec![text.clone()],
            (_, Value::Number(number)) => vec![number.to_string()],
            (_, Value::Null) => {
                let name = if option == "skill" { "skills" } else { option };
                cleared.push(CLEARABLE.iter().find(|(known, _)| *known == name)?.0);
                continue;
            }
            _ => return None,
        };
        for word in words {
            options.push_str(" --");
            options.push_str(option);
            options.push('=');
            options.push_str(&quoted(word));
        }
    }
    if !cleared.is_empty() {
        options.push_str(" --clear=");
        options.push_str(&cleared.join(","));
    }
    Some(UndoCommand::of(options))
}
