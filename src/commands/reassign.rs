//! `reassign`: another profile for a task, its claim taken back first where that is asked for.

use super::Context;
use super::assign::{self, AssignKeys};
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::store::verbs;

const VERB: BulkVerb = bulk::verb!("reassign", "reassigned");

/// Reassign tasks; --reclaim takes the claim of a running one back first. No process is ended.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ids, or unique beginnings of them, and the profile behind them; with --from the profile alone.
    #[arg(value_name = "ID... PROFILE")]
    pub words: Vec<String>,
    /// Take the claim of a running task back first.
    #[arg(long)]
    pub reclaim: bool,
    /// Why, for the record of the claim.
    #[arg(long)]
    pub reason: Option<String>,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 for a running task without --reclaim.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let (ids, profile) = assign::ids_and_profile(&args.words, &args.bulk)?;
    let targets = BulkTargets::<AssignKeys>::read(context, &ids, &args.bulk)?;
    let reason = args.reason.as_deref().filter(|reason| !reason.is_empty()).unwrap_or("reassign");
    bulk::change(context, VERB, targets, |writer, id, keys| {
        let profile = keys.profile(profile.as_deref())?;
        let claimed = verbs::reclaim::require_claimed(&writer.task(id)?, id).is_ok();
        let mut notes = Vec::new();
        if args.reclaim && claimed {
            notes = verbs::reclaim::reclaim(writer, id, Some(reason), None)?.notes;
        }
        let mut change = verbs::assign::assign(writer, id, profile.as_deref())?;
        change.notes.extend(notes);
        let undo = assign::undo(&change);
        Ok((change, Some(undo)))
    })
}
