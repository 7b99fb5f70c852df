//! `unlink`: tasks that no longer wait for another one.

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, UndoCommand};
use super::link::{LinkKeys, split};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::store::verbs::link;

const VERB: BulkVerb = bulk::verb!("unlink", "unlinked");

/// End the waiting of tasks for another one: the first id is what they waited for.
///
/// What waits for nothing any more becomes ready. With --from each line is a child, and may name its own parent.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What was waited for, and the tasks that waited.
    #[arg(value_name = "PARENT CHILD")]
    pub ids: Vec<String>,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 where a task does not wait for the parent.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let (parent, children) = split(&args.ids);
    let targets = BulkTargets::<LinkKeys>::read(context, &children, &args.bulk)?;
    bulk::change(context, VERB, targets, |writer, child, keys| {
        // A parent that is gone has no row to be found by.
        let typed = keys.parent(parent.as_ref())?;
        let parent = writer.resolve(typed).unwrap_or_else(|_| typed.to_owned());
        let change = link::unlink(writer, &parent, child)?;
        let undo = UndoCommand::of(format!("link {}", crate::failure::hint::quoted(&parent)));
        Ok((change, Some(undo)))
    })
}
