//! `request-changes`: a review that ends with work to do.

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, ReasonKeys, ReasonedIds};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::store::verbs::review;

const VERB: BulkVerb = bulk::verb!("request-changes", "sent back");

/// End the running reviews of tasks and give the work back to the profile that did it, on boards of Hermes 0.20.1 and later.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The tasks, and what must change.
    #[command(flatten)]
    pub tasks: ReasonedIds,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 for a task that is no running review; 12 on a board without reviews.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let (ids, reason) = args.tasks.split(&args.bulk);
    let targets = BulkTargets::<ReasonKeys>::read(context, &ids, &args.bulk)?;
    bulk::change(context, VERB, targets, |writer, id, keys| {
        let reason = keys.reason.as_deref().or(reason.as_deref()).unwrap_or_default();
        Ok((review::request_changes(writer, id, reason)?, None))
    })
}
