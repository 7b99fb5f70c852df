//! `link`: tasks that begin to wait for another one.

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, UndoCommand};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::store::verbs::link;

const VERB: BulkVerb = bulk::verb!("link", "linked");

/// The keys of a line.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkKeys {
    parent: Option<String>,
}

impl LinkKeys {
    /// Return the parent of this line, else the one of the command line.
    ///
    /// # Errors
    /// Exit 2 where there is neither.
    pub(super) fn parent<'a>(&'a self, given: Option<&'a String>) -> Outcome<&'a str> {
        let parent = self.parent.as_ref().or(given);
        parent.map(String::as_str).ok_or_else(|| Failure::usage("no parent was named."))
    }
}

/// Make tasks wait for another one: the first id is what they wait for.
///
/// With --from each line is a child, and may name its own parent.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What is waited for, and the tasks that wait.
    #[arg(value_name = "PARENT CHILD")]
    pub ids: Vec<String>,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 where the tasks would wait for each other.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let (parent, children) = split(&args.ids);
    let targets = BulkTargets::<LinkKeys>::read(context, &children, &args.bulk)?;
    bulk::change(context, VERB, targets, |writer, child, keys| {
        let parent = writer.resolve(keys.parent(parent.as_ref())?)?;
        let change = link::link(writer, &parent, child)?;
        let new = change.details.get("existed") == Some(&serde_json::json!(false));
        let undo = new.then(|| UndoCommand::of(format!("unlink {}", crate::failure::hint::quoted(&parent))));
        Ok((change, undo))
    })
}

/// The parent and the children of a command line.
pub(super) fn split(ids: &[String]) -> (Option<String>, Vec<String>) {
    match ids.split_first() {
        Some((parent, children)) => (Some(parent.clone()), children.to_vec()),
        None => (None, Vec::new()),
    }
}
