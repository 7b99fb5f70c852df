//! `complete`: tasks done, all of them in one transaction or none.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Context;
use super::{create, draft};
use crate::failure::count::counted;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::Access;
use crate::process::signals::Signals;
use crate::store::complete::{Completed, Completer, Completion};
use crate::store::task;
use crate::ui::{Document, Records, Report};

/// Tasks between two looks at the signal flag.
const TASKS_PER_LOOK: usize = 1_000;

/// Complete tasks; prints their ids once they are committed.
///
/// All of them are completed in one transaction, or none. With --from, each line is an id or a JSON object with the
/// keys id, result, summary and metadata.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ids, or unique beginnings of them.
    #[arg(required_unless_present = "from", value_name = "ID")]
    pub ids: Vec<String>,
    /// Read ids or JSON lines from this file, `-` for stdin.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ids", "summary", "metadata"])]
    pub from: Option<PathBuf>,
    /// Result of the task.
    #[arg(long)]
    pub result: Option<String>,
    /// Summary to hand over; for one task only.
    #[arg(long)]
    pub summary: Option<String>,
    /// JSON object to hand over; for one task only.
    #[arg(long, value_name = "JSON", value_parser = metadata)]
    pub metadata: Option<Value>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown task, 14 for one that cannot be completed; nothing is written then.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let wanted = completions(args, &context.signals)?;
    let own = own_run(context);
    let mut pool = context.pool(Access::Write)?;
    let (now, signals) = (context.clock.epoch(), context.signals.clone());
    let completed = pool.write(|txn, schema| {
        let mut work = Completer::new(txn, schema, now)?;
        let mut completed = Vec::with_capacity(wanted.len());
        let mut seen = HashSet::new();
        for (index, (line, completion)) in wanted.iter().enumerate() {
            if index % TASKS_PER_LOOK == 0
                && let Some(signal) = signals.received()
            {
                return Err(Failure::new(Exit::Interrupted(signal), "interrupted; no task was completed."));
            }
            let mut completion = completion.clone();
            completion.task = task::resolve(txn, &completion.task)
                .map_err(|failure| nothing_written(draft::at_line(failure, *line), wanted.len()))?;
            if !seen.insert(completion.task.clone()) {
                if args.from.is_none() {
                    continue;
                }
                let twice = Failure::conflict(format!("{} is named twice.", completion.task));
                return Err(nothing_written(draft::at_line(twice, *line), wanted.len()));
            }
            completion.expected_run =
                own.as_ref().filter(|(task, _)| *task == completion.task).map(|(_, run)| *run);
            let one = work.complete(&completion).map_err(|failure| draft::at_line(failure, *line));
            completed.push(one.map_err(|failure| nothing_written(failure, wanted.len()))?);
        }
        Ok(completed)
    })?;
    let closed = pool.close();
    let mut shown = Ok(());
    if context.globals.dry_run {
        if context.ui.format().is_json() {
            let done = completed.iter().map(|one| CompletedTask { dry_run: true, ..CompletedTask::of(one) });
            context.ui.emit(&Done(done.collect()))?;
        }
        context.ui.status(format_args!(
            "Dry run: {} completed; nothing was written.",
            counted(completed.len() as u64, "task would be", "tasks would be")
        ));
    } else {
        shown = context.ui.emit_done(&Done(completed.iter().map(CompletedTask::of).collect()));
        tell(context, &completed);
    }
    closed?;
    let done = counted(completed.len() as u64, "task is completed", "tasks are completed");
    shown.map(|()| Exit::Ok).map_err(|failure| failure.behind(done))
}

fn nothing_written(failure: Failure, tasks: usize) -> Failure {
    if tasks > 1 {
        failure.hint("None of the given tasks was completed; leave this one out and try again.")
    } else {
        failure
    }
}

fn tell(context: &mut Context<'_>, completed: &[Completed]) {
    let promoted: usize = completed.iter().map(|one| one.promoted.len()).sum();
    let done = match completed {
        [] => "no task; none was given".to_owned(),
        [one] => one.id.clone(),
        many => counted(many.len() as u64, "task", "tasks"),
    };
    let ready = match promoted {
        0 => String::new(),
        some => format!("; {} ready", counted(some as u64, "task became", "tasks became")),
    };
    context.ui.status(format_args!("Completed {done}{ready}."));
    for one in completed {
        if !one.phantoms.is_empty() {
            context.ui.warning(format_args!(
                "{} mentions unknown tasks: {}.",
                one.id,
                one.phantoms.join(", ")
            ));
        }
        if one.goal {
            context.ui.warning(format_args!("{} is a goal task; Hermes' judge was not asked.", one.id));
        }
    }
    if !completed.is_empty() {
        let left = context
            .aimed("Scratch workspaces, artifacts and terminal sessions are left to `hermes kanban gc`.");
        context.ui.status(left);
    }
}

/// The task and run of the worker that calls: it finishes its own task only while its own run is the open one.
fn own_run(context: &Context<'_>) -> Option<(String, i64)> {
    let own = context.env.get("HERMES_KANBAN_TASK")?.to_str()?;
    Some((own.to_owned(), context.env.number("HERMES_KANBAN_RUN_ID")?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompleteKeys {
    #[serde(alias = "task_id")]
    id: String,
    result: Option<String>,
    summary: Option<String>,
    metadata: Option<serde_json::Map<String, Value>>,
}

/// What is to be completed, each with its line's number (0 from the command line).
fn completions(args: &Args, signals: &Signals) -> Outcome<Vec<(usize, Completion)>> {
    if args.ids.len() > 1 && (args.summary.is_some() || args.metadata.is_some()) {
        return Err(Failure::usage("--summary and --metadata belong to one task; several were given.")
            .hint("Complete them one at a time, or with --from and a JSON line for each."));
    }
    let Some(path) = &args.from else {
        let one = |id: &String| Completion {
            task: id.clone(),
            result: args.result.clone(),
            summary: args.summary.clone(),
            metadata: args.metadata.clone(),
            expected_run: None,
        };
        return Ok(args.ids.iter().map(|id| (0, one(id))).collect());
    };
    let bytes = create::read(path, signals)?;
    draft::numbered(&bytes).map(|(number, line)| Ok((number, from_line(line, number, args)?))).collect()
}

fn from_line(line: &[u8], number: usize, args: &Args) -> Outcome<Completion> {
    let wrong = |what: String| draft::at_line(Failure::usage(what), number);
    if !line.starts_with(b"{") {
        let id = std::str::from_utf8(line).map_err(|_| wrong("this is no id.".to_owned()))?;
        return Ok(Completion { task: id.to_owned(), result: args.result.clone(), ..Completion::default() });
    }
    let keys: CompleteKeys =
        serde_json::from_slice(line).map_err(|error| wrong(format!("this is no completion: {error}.")))?;
    Ok(Completion {
        task: keys.id,
        result: keys.result.or_else(|| args.result.clone()),
        summary: keys.summary,
        metadata: keys.metadata.map(Value::Object),
        expected_run: None,
    })
}

fn metadata(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(keys)) => Ok(Value::Object(keys)),
        Ok(_) => Err("must be a JSON object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[derive(Serialize)]
struct CompletedTask<'a> {
    id: &'a str,
    run_id: Option<i64>,
    promoted: &'a [String],
    phantom_refs: &'a [String],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

impl<'a> CompletedTask<'a> {
    fn of(completed: &'a Completed) -> Self {
        Self {
            id: &completed.id,
            run_id: completed.run,
            promoted: &completed.promoted,
            phantom_refs: &completed.phantoms,
            dry_run: false,
        }
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Done<'a>(Vec<CompletedTask<'a>>);

impl Report for Done<'_> {
    fn kind(&self) -> &'static str {
        "task.completed.list"
    }

    fn record_kind(&self) -> &'static str {
        "task.completed"
    }

    fn human(&self, page: &mut Document<'_>) {
        for one in &self.0 {
            page.line(one.id);
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for one in &self.0 {
            records.record(&[one.id]);
        }
    }
}
