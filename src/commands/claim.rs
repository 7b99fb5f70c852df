//! `claim`: ready tasks taken by the caller.

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, NoKeys, UndoCommand};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::process::worker;
use crate::store::verbs::claim;

const VERB: BulkVerb = bulk::verb!("claim", "claimed");

/// Claim ready tasks: they run until they are completed, blocked or reclaimed.
///
/// The claim names this machine and the process that calls kanbanctl. No worker's process is recorded, and no workspace is
/// made.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ids, or unique beginnings of them.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Seconds after which the claim may be taken back.
    #[arg(long, value_name = "SECONDS", default_value_t = 900, allow_negative_numbers = true)]
    pub ttl: i64,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 for a task that is not ready or waits for a parent.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let targets = BulkTargets::<NoKeys>::read(context, &args.ids, &args.bulk)?;
    let lock = format!("{}:{}", worker::host(), worker::caller());
    bulk::change(context, VERB, targets, |writer, id, _| {
        Ok((claim::claim(writer, id, &lock, args.ttl)?, Some(UndoCommand::of("reclaim"))))
    })
}
