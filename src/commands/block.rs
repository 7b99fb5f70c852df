//! `block`: tasks that wait for a person or for another task.

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, ReasonKeys, ReasonedIds, UndoCommand};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::store::verbs::block;
use crate::store::vocabulary::BLOCKS;

const VERB: BulkVerb = bulk::verb!("block", "blocked");

/// Block tasks that are running or ready.
///
/// The reason becomes a comment too. With --from a line may have its own under the key reason.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The tasks and the reason.
    #[command(flatten)]
    pub tasks: ReasonedIds,
    /// What the task waits for: dependency waits in todo for its parents, the others wait for a person.
    #[arg(long, value_name = "KIND", value_parser = BLOCKS)]
    pub kind: Option<String>,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 for a task in another state.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let (ids, reason) = args.tasks.split(&args.bulk);
    let targets = BulkTargets::<ReasonKeys>::read(context, &ids, &args.bulk)?;
    let author = context.own_profile();
    bulk::change(context, VERB, targets, |writer, id, keys| {
        let reason = keys.reason.as_deref().or(reason.as_deref());
        bulk::comment_reason(writer, id, &author, "BLOCKED", reason)?;
        let change = block::block(writer, id, reason, args.kind.as_deref())?;
        let undo = (change.status.as_deref() == Some("blocked")).then(|| UndoCommand::of("unblock"));
        Ok((change, undo))
    })
}
