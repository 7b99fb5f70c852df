//! `assign`: who is to do a task.

use serde::Deserialize;

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, UndoCommand};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::store::verbs::assign;
use crate::store::writer::{TaskChange, TaskWriter};

const VERB: BulkVerb = bulk::verb!("assign", "assigned");

/// Assign tasks to a profile, or to none (none, - or null).
///
/// With --from a line may name its own profile under the key assignee.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ids, or unique beginnings of them, and the profile behind them; with --from the profile alone.
    #[arg(value_name = "ID... PROFILE")]
    pub words: Vec<String>,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// The keys of a line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AssignKeys {
    #[serde(alias = "profile")]
    assignee: Option<String>,
}

impl AssignKeys {
    /// Return the profile of this line, else the one of the command line.
    ///
    /// # Errors
    /// Exit 2 where there is neither, and for a blank one.
    pub(super) fn profile(&self, given: Option<&str>) -> Outcome<Option<String>> {
        let typed =
            self.assignee.as_deref().or(given).ok_or_else(|| Failure::usage("no profile was named."))?;
        if ["none", "-", "null"].iter().any(|nobody| typed.eq_ignore_ascii_case(nobody)) {
            return Ok(None);
        }
        TaskWriter::profile(typed).map(Some)
    }
}

/// Return the ids and the profile of a command line.
///
/// # Errors
/// Exit 2 where the profile is missing.
pub(super) fn ids_and_profile(
    words: &[String],
    bulk: &BulkOptions,
) -> Outcome<(Vec<String>, Option<String>)> {
    if bulk.from.is_some() && words.is_empty() {
        return Ok((Vec::new(), None));
    }
    bulk::ids_and_word(words).map(|(ids, profile)| (ids, Some(profile)))
}

/// Return the command that gives the task back to whoever had it.
pub(super) fn undo(change: &TaskChange) -> UndoCommand {
    let former = change.details.get("former_assignee").and_then(serde_json::Value::as_str);
    UndoCommand::of("assign").with(former.unwrap_or("none"))
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 for a task that a worker has.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let (ids, profile) = ids_and_profile(&args.words, &args.bulk)?;
    let targets = BulkTargets::<AssignKeys>::read(context, &ids, &args.bulk)?;
    bulk::change(context, VERB, targets, |writer, id, keys| {
        let change = assign::assign(writer, id, keys.profile(profile.as_deref())?.as_deref())?;
        let undo = undo(&change);
        Ok((change, Some(undo)))
    })
}
