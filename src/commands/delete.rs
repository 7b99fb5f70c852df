//! `delete`: tasks gone for good.

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, NoKeys};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::store::verbs::delete;

const VERB: BulkVerb = bulk::verb!("delete", "deleted", irrevocable);

/// Delete archived tasks for good: their links, comments, events, runs, subscriptions and the rows of their attachments.
///
/// Nothing takes it back but a backup. --json prints the rows of the tasks that are deleted.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ids, or unique beginnings of them.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Delete tasks that are not archived too.
    #[arg(long)]
    pub any_status: bool,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 for a task that is not archived.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let targets = BulkTargets::<NoKeys>::read(context, &args.ids, &args.bulk)?;
    bulk::change(context, VERB, targets, |writer, id, _| {
        Ok((delete::delete(writer, id, args.any_status)?, None))
    })
}
