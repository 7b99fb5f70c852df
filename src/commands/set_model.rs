//! `set-model`: the model that the next worker uses.

use serde::Deserialize;

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, UndoCommand};
use crate::failure::exit::Exit;
use crate::failure::{Outcome, hint};
use crate::store::verbs::set_model;

const VERB: BulkVerb = bulk::verb!("set-model", "set");

/// Set the model of tasks, or clear it (none, - or null), on boards of Hermes 0.20.1 and later. It holds from the next
/// worker on.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Id, or a unique beginning of it, and the model; with --from the model alone.
    #[arg(value_name = "ID [MODEL]", num_args = 0..=2)]
    pub words: Vec<String>,
    /// More ids, with the same model.
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub ids: Vec<String>,
    /// Provider of the model.
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelKeys {
    model: Option<String>,
    provider: Option<String>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 14 for an archived task; 12 on a board without the columns.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let (first, rest) = match args.words.split_first() {
        Some((first, rest)) if args.bulk.from.is_none() => (Some(first.clone()), rest),
        _ => (None, args.words.as_slice()),
    };
    let typed = rest.first();
    let ids: Vec<String> = first.into_iter().chain(args.ids.iter().cloned()).collect();
    let targets = BulkTargets::<ModelKeys>::read(context, &ids, &args.bulk)?;
    bulk::change(context, VERB, targets, |writer, id, keys| {
        let clears = |model: &&str| ["none", "-", "null"].iter().any(|word| model.eq_ignore_ascii_case(word));
        let model = keys.model.as_deref().or(typed.map(String::as_str)).filter(|model| !clears(model));
        let provider = keys.provider.as_deref().or(args.provider.as_deref());
        let change = set_model::set_model(writer, id, model, provider)?;
        let former = |key: &str| change.details.get(key).and_then(serde_json::Value::as_str);
        let provider = former("former_provider");
        let option = provider.map_or_else(String::new, |name| format!(" --provider {}", hint::quoted(name)));
        let model = former("former_model").unwrap_or("none");
        let undo = UndoCommand::of(format!("set-model{option}")).with(model);
        Ok((change, Some(undo)))
    })
}
