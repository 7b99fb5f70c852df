//! `unblock`: blocked and scheduled tasks go on.

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, ReasonKeys, UndoCommand};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::store::verbs::unblock;

const VERB: BulkVerb = bulk::verb!("unblock", "unblocked");

/// Unblock blocked or scheduled tasks: they become ready, wait for open parents, or go back to review.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ids, or unique beginnings of them.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Why; becomes a comment.
    #[arg(long)]
    pub reason: Option<String>,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 for a task in another state; 12 for a worker, where the version leaves this to others.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let targets = BulkTargets::<ReasonKeys>::read(context, &args.ids, &args.bulk)?;
    let author = context.own_profile();
    bulk::change(context, VERB, targets, |writer, id, keys| {
        if writer.is_worker() && writer.version().scopes_workers() {
            return Err(Failure::refused("a worker unblocks no task (HERMES_KANBAN_TASK).")
                .hint("Unset HERMES_KANBAN_TASK if this is no worker.")
                .into());
        }
        let reason = keys.reason.as_deref().or(args.reason.as_deref()).map(str::trim);
        bulk::comment_reason(writer, id, &author, "UNBLOCK", reason)?;
        let change = unblock::unblock(writer, id)?;
        let word = |key: &str| change.details.get(key).and_then(serde_json::Value::as_str);
        let undo = match (word("former_status"), word("kind")) {
            _ if change.status.as_deref() != Some("ready") => None,
            (Some("scheduled"), _) => Some(UndoCommand::of("schedule --ids")),
            (_, Some(kind)) => Some(UndoCommand::of(format!("block --kind {kind} --ids"))),
            (_, None) => Some(UndoCommand::of("block --ids")),
        };
        Ok((change, undo))
    })
}
