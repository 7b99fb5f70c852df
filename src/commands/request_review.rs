//! `request-review`: work handed to a reviewer.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, UndoCommand};
use super::complete::{MetadataOption, metadata};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::store::verbs::review::{self, ReviewRequest};

const VERB: BulkVerb = bulk::verb!("request-review", "put into review");

/// Move running or ready tasks to review, on boards of Hermes 0.20.1 and later.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ids, or unique beginnings of them.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// What was done, for the reviewer.
    #[arg(long)]
    pub summary: Option<String>,
    /// Profile that is to review; the task is assigned to it.
    #[arg(long, value_name = "PROFILE")]
    pub reviewer: Option<String>,
    /// JSON object with facts for the reviewer. Empty means none.
    #[arg(long, value_name = "JSON", value_parser = metadata)]
    pub metadata: Option<MetadataOption>,
    /// Take a running task out of its worker's hands.
    #[arg(long)]
    pub force: bool,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewKeys {
    summary: Option<String>,
    reviewer: Option<String>,
    metadata: Option<Map<String, Value>>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 for another state, open parents and a claim; 12 on a board without reviews.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let targets = BulkTargets::<ReviewKeys>::read(context, &args.ids, &args.bulk)?;
    let given = args.metadata.clone().unwrap_or_default().0;
    bulk::change(context, VERB, targets, |writer, id, keys| {
        let summary = keys.summary.as_deref().or(args.summary.as_deref()).map(str::trim);
        let what = ReviewRequest {
            summary: summary.filter(|summary| !summary.is_empty()).map(str::to_owned),
            metadata: keys.metadata.clone().map(Value::Object).or_else(|| given.clone()),
            reviewer: keys.reviewer.clone().or_else(|| args.reviewer.clone()),
            force: args.force,
        };
        Ok((review::request(writer, id, &what)?, Some(UndoCommand::of("reopen-review"))))
    })
}
