//! `complete`: tasks done, all of them in one transaction or none.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::store::complete::{self, Completion};

const VERB: BulkVerb = BulkVerb {
    name: "complete",
    past: "completed",
    record: "task.completed",
    list: "task.completed.list",
    irrevocable: false,
};

/// Complete tasks; prints their ids once they are committed.
///
/// All of them are completed in one transaction, or none. With --from, each line is an id or a JSON object with the
/// keys id, result, summary and metadata. Guards are those of the board's version of Hermes: since 0.22.2 a completion
/// needs a result or a summary, and a living worker bars it.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ids, or unique beginnings of them.
    #[arg(required_unless_present = "from", value_name = "ID")]
    pub ids: Vec<String>,
    /// Read ids or JSON lines from this file, `-` for stdin.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ids", "summary", "metadata"])]
    pub from: Option<PathBuf>,
    /// TaskChange what can be changed, and go on behind a task that cannot.
    #[arg(long)]
    pub keep_going: bool,
    /// Result of the task.
    #[arg(long)]
    pub result: Option<String>,
    /// Summary to hand over; for one task only.
    #[arg(long)]
    pub summary: Option<String>,
    /// JSON object to hand over; for one task only. Empty means none.
    #[arg(long, value_name = "JSON", value_parser = metadata)]
    pub metadata: Option<MetadataOption>,
    /// Complete a running task although its worker lives.
    #[arg(long)]
    pub force: bool,
}

/// What `--metadata` names; nothing where it is empty.
#[derive(Clone, Debug, Default)]
pub struct MetadataOption(pub Option<Value>);

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompleteKeys {
    result: Option<String>,
    summary: Option<String>,
    metadata: Option<Map<String, Value>>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown task, 14 for one that cannot be completed; nothing is written then.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let metadata = args.metadata.clone().unwrap_or_default().0;
    if args.ids.len() > 1 && (args.summary.is_some() || metadata.is_some()) {
        return Err(Failure::usage("--summary and --metadata belong to one task; several were given.")
            .hint("Complete them one at a time, or with --from and a JSON line for each."));
    }
    let options = BulkOptions { from: args.from.clone(), keep_going: args.keep_going };
    let targets = BulkTargets::<CompleteKeys>::read(context, &args.ids, &options)?;
    let some = !targets.items.is_empty();
    let exit = bulk::change(context, VERB, targets, |writer, id, keys| {
        let what = Completion {
            result: keys.result.clone().or_else(|| args.result.clone()),
            summary: keys.summary.clone().or_else(|| args.summary.clone()),
            metadata: keys.metadata.clone().map(Value::Object).or_else(|| metadata.clone()),
            force: args.force,
        };
        let completed = complete::complete(writer, id, &what)?;
        let mut change = completed.change;
        change.details.insert("phantom_refs".to_owned(), json!(completed.phantoms));
        if !completed.phantoms.is_empty() {
            let phantoms = completed.phantoms.join(", ");
            change.notes.push(format!("{id} mentions unknown tasks: {phantoms}."));
        }
        if completed.goal {
            change.notes.push(format!("{id} is a goal task; Hermes' judge was not asked."));
        }
        Ok((change, None))
    })?;
    if !context.globals.dry_run && some {
        let left = context
            .aimed("Scratch workspaces, artifacts and terminal sessions are left to `hermes kanban gc`.");
        context.ui.status(left);
    }
    Ok(exit)
}

/// Read a JSON object; empty text is none, as in Hermes.
///
/// # Errors
/// What is wrong with it.
pub fn metadata(text: &str) -> Result<MetadataOption, String> {
    if text.is_empty() {
        return Ok(MetadataOption(None));
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(keys)) => Ok(MetadataOption(Some(Value::Object(keys)))),
        Ok(_) => Err("must be a JSON object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
