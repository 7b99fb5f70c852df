//! `promote`: waiting tasks become ready.

use super::Context;
use super::bulk::{self, BulkItem, BulkOptions, BulkTargets, BulkVerb, ReasonKeys, ReasonedIds, UndoCommand};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::pool::Pool;
use crate::store::schema;
use crate::store::verbs::promote;
use crate::store::{cascade, writer};

const VERB: BulkVerb = bulk::verb!("promote", "promoted");

/// Promote tasks that are todo or blocked to ready.
///
/// --due promotes what `hermes kanban list` would promote by looking: every task whose parents are finished and which
/// nothing holds.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The tasks and the reason.
    #[command(flatten)]
    pub tasks: ReasonedIds,
    /// Pass over open parents, where the board's version of Hermes can.
    #[arg(long)]
    pub force: bool,
    /// Promote everything that is due.
    #[arg(long, conflicts_with_all = ["words", "ids", "from", "force"])]
    pub due: bool,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 for a task in another state, and for open parents.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    if args.due {
        return due(context);
    }
    let (ids, reason) = args.tasks.split(&args.bulk);
    let targets = BulkTargets::<ReasonKeys>::read(context, &ids, &args.bulk)?;
    let actor = context.own_profile();
    bulk::change(context, VERB, targets, |writer, id, keys| {
        let reason = keys.reason.as_deref().or(reason.as_deref());
        let change = promote::promote(writer, id, &actor, reason, args.force)?;
        let blocked = change.details.get("former_status").is_some_and(|status| status == "blocked");
        Ok((change, blocked.then(|| UndoCommand::of("block --ids"))))
    })
}

fn due(context: &mut Context<'_>) -> Outcome<Exit> {
    let find = |pool: &mut Pool, _| {
        pool.read(|conn| {
            schema::require_board(conn)?;
            let schema = schema::check(conn)?;
            let item = |typed| BulkItem { line: 0, typed, keys: ReasonKeys::default() };
            Ok(cascade::due_ids(conn, &schema)?.into_iter().map(item).collect())
        })
    };
    let targets = BulkTargets { items: Vec::new(), keep_going: true };
    bulk::change_after(
        context,
        VERB,
        targets,
        find,
        |_, _| Ok(()),
        |writer, id, _| {
            let promoted = writer.promote_again(id)?;
            if promoted {
                return Ok((writer.changed(id)?, None));
            }
            Err(writer::not_in_state(id, &writer.task(id)?, "promoted", "due").into())
        },
    )
}
