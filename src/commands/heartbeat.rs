//! `heartbeat`: a worker's sign of life.

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, NoKeys};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::store::verbs::heartbeat;

const VERB: BulkVerb = bulk::verb!("heartbeat", "marked as alive");

/// Note that the workers of running tasks are alive. A claim is not made longer by it.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ids, or unique beginnings of them.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// What the worker is doing.
    #[arg(long)]
    pub note: Option<String>,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 for a task that is not running.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let targets = BulkTargets::<NoKeys>::read(context, &args.ids, &args.bulk)?;
    bulk::change(context, VERB, targets, |writer, id, _| {
        Ok((heartbeat::heartbeat(writer, id, args.note.as_deref())?, None))
    })
}
