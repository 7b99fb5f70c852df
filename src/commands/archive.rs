//! `archive`: tasks out of every list, with their history kept.

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, NoKeys};
use super::delete;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::store::verbs::archive;

const VERB: BulkVerb = bulk::verb!("archive", "archived");

/// Archive tasks. Their history is kept; `delete` removes it. No process is ended.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ids, or unique beginnings of them.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Delete these archived tasks for good, as `kanbanctl delete` does.
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub rm: Vec<String>,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 for a task that is archived already.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    if !args.rm.is_empty() {
        if !args.ids.is_empty() || args.bulk.from.is_some() {
            return Err(Failure::usage(
                "--rm names the tasks that are deleted; nothing else can be archived beside it.",
            ));
        }
        let args = delete::Args { ids: args.rm.clone(), any_status: false, bulk: args.bulk.clone() };
        return delete::run(context, &args);
    }
    let targets = BulkTargets::<NoKeys>::read(context, &args.ids, &args.bulk)?;
    bulk::change(context, VERB, targets, |writer, id, _| Ok((archive::archive(writer, id)?, None)))
}
