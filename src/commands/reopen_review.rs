//! `reopen-review`: tasks out of review, to be done again.

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, ReasonKeys, UndoCommand};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::store::verbs::review;

const VERB: BulkVerb = bulk::verb!("reopen-review", "reopened");

/// Take tasks out of review: the profile that did the work does it again, on boards of Hermes 0.20.1 and later.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ids, or unique beginnings of them.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// What must change; becomes a comment.
    #[arg(long)]
    pub reason: Option<String>,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 for a task that is not in review; 12 on a board without reviews.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let targets = BulkTargets::<ReasonKeys>::read(context, &args.ids, &args.bulk)?;
    let author = context.own_profile();
    bulk::change(context, VERB, targets, |writer, id, keys| {
        let change = review::reopen(writer, id)?;
        let reason = keys.reason.as_deref().or(args.reason.as_deref()).map(str::trim);
        bulk::comment_reason(writer, id, &author, "CHANGES REQUESTED", reason)?;
        let undo = (change.status.as_deref() == Some("ready")).then(|| UndoCommand::of("request-review"));
        Ok((change, undo))
    })
}
