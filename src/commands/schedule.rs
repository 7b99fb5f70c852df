//! `schedule`: tasks that wait for a time.

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, ReasonKeys, ReasonedIds, UndoCommand};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::store::verbs::schedule;

const VERB: BulkVerb = bulk::verb!("schedule", "scheduled");

/// Park tasks until somebody unblocks them. No time is kept with them.
///
/// The reason becomes a comment too. With --from a line may have its own under the key reason.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The tasks and the reason.
    #[command(flatten)]
    pub tasks: ReasonedIds,
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
        bulk::comment_reason(writer, id, &author, "SCHEDULED", reason)?;
        let change = schedule::schedule(writer, id, reason)?;
        let undo = Some(UndoCommand::of("unblock"));
        Ok((change, undo))
    })
}
