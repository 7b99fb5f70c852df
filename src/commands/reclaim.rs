//! `reclaim`: claims taken back.

use std::collections::HashMap;

use super::Context;
use super::bulk::{self, BulkItem, BulkOptions, BulkTargets, BulkVerb, ReasonKeys};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::Pool;
use crate::store::verbs::reclaim::{self, EndedWorker};
use crate::store::{schema, task};

const VERB: BulkVerb = bulk::verb!("reclaim", "reclaimed");

/// Take the claims of tasks back, so that they can be claimed again. No process is ended unless --terminate says so.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ids, or unique beginnings of them.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Why, for the record.
    #[arg(long)]
    pub reason: Option<String>,
    /// Every running task that no worker can be at: its claim has run out, and its worker is gone or silent.
    #[arg(long, conflicts_with_all = ["ids", "from"])]
    pub stale: bool,
    /// End the workers first, where they are this machine's: TERM, five seconds, KILL. A process that was given the number
    /// of a worker later gets no signal.
    #[arg(long)]
    pub terminate: bool,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 for a task without a claim.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let targets = if args.stale {
        BulkTargets { items: Vec::new(), keep_going: true }
    } else {
        BulkTargets::<ReasonKeys>::read(context, &args.ids, &args.bulk)?
    };
    let now = context.clock.epoch();
    let ended = std::cell::RefCell::new(HashMap::new());
    let prepare = |pool: &mut Pool, mut items: Vec<BulkItem<ReasonKeys>>| {
        if args.stale {
            items = pool.read(|conn| {
                schema::require_board(conn)?;
                let item = |typed| BulkItem { line: 0, typed, keys: ReasonKeys::default() };
                Ok(reclaim::stale(conn, now)?.into_iter().map(item).collect())
            })?;
        }
        Ok(items)
    };
    let begin = |pool: &mut Pool, items: &[BulkItem<ReasonKeys>]| {
        if args.terminate {
            *ended.borrow_mut() = end_workers(pool, items)?;
        }
        Ok(())
    };
    // A process that was ended does not come back.
    let verb = BulkVerb { irrevocable: args.terminate, ..VERB };
    bulk::change_after(context, verb, targets, prepare, begin, |writer, id, keys| {
        if args.stale && !args.terminate && !reclaim::is_stale(&writer.task(id)?, now) {
            return Err(Failure::conflict(format!("task {id} is worked on again.")).into());
        }
        let reason = keys.reason.as_deref().or(args.reason.as_deref());
        Ok((reclaim::reclaim(writer, id, reason, ended.borrow().get(id))?, None))
    })
}

/// End the workers of tasks whose claim can be taken back. No transaction is open meanwhile.
fn end_workers(pool: &mut Pool, items: &[BulkItem<ReasonKeys>]) -> Outcome<HashMap<String, EndedWorker>> {
    let claimed = pool.read(|conn| {
        let mut claimed = Vec::new();
        for item in items {
            let id = task::resolve(conn, &item.typed)?;
            claimed.extend(task::get(conn, &id)?.filter(|task| reclaim::require_claimed(task, &id).is_ok()));
        }
        Ok(claimed)
    })?;
    Ok(claimed.iter().map(|task| (task.id(), reclaim::end_worker(task))).collect())
}
