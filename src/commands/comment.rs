//! `comment`: a remark on tasks.

use std::path::PathBuf;

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb};
use super::create;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::store::text;

const VERB: BulkVerb = bulk::verb!("comment", "commented on");

/// The keys of a line.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct CommentKeys {
    body: Option<String>,
    author: Option<String>,
}

/// Comment on a task, or on several with --ids.
///
/// With --from a line may have its own body and author.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The id and the words of the comment; with --from the comment alone.
    #[arg(value_name = "ID TEXT")]
    pub words: Vec<String>,
    /// More ids, with the same comment.
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub ids: Vec<String>,
    /// Read the comment from this file, `-` for stdin.
    #[arg(long, value_name = "FILE")]
    pub body_file: Option<PathBuf>,
    /// Who says it [default: the own profile].
    #[arg(long, value_name = "NAME")]
    pub author: Option<String>,
    /// Cut a longer comment to N characters and say so in it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_len: Option<u64>,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 2 for an empty comment, 13 for an unknown task.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let (first, rest) = match args.words.split_first() {
        Some((first, rest)) if args.bulk.from.is_none() => (Some(first), rest),
        _ => (None, args.words.as_slice()),
    };
    let ids: Vec<String> = first.into_iter().chain(&args.ids).cloned().collect();
    let typed = (!rest.is_empty()).then(|| text::strip(&rest.join(" ")).to_owned());
    let given = match &args.body_file {
        None => typed,
        Some(_) if typed.is_some() => {
            return Err(
                Failure::usage("the comment stands on the command line and in a file.").hint("Give one.")
            );
        }
        Some(path) => {
            let bytes = create::read(path, &context.signals)?;
            let text = String::from_utf8(bytes).map_err(|_| {
                Failure::usage(format!("{} is not UTF-8, so it cannot be a comment.", path.display()))
            })?;
            Some(text)
        }
    };
    let author = args.author.clone().unwrap_or_else(|| context.own_profile());
    let targets = BulkTargets::<CommentKeys>::read(context, &ids, &args.bulk)?;
    bulk::change(context, VERB, targets, |writer, id, keys| {
        let body = keys.body.as_ref().or(given.as_ref()).map(|body| shortened(body, args.max_len));
        let body = body.unwrap_or_default();
        let author = keys.author.as_ref().unwrap_or(&author);
        if text::strip(&body).is_empty() || text::strip(author).is_empty() {
            return Err(Failure::usage("a comment and its author cannot be empty.").into());
        }
        let number = writer.comment(id, author, &body)?;
        let mut change = writer.changed(id)?;
        change.details.insert("comment".to_owned(), serde_json::json!(number));
        Ok((change, None))
    })
}

/// The text as Hermes cuts it.
fn shortened(body: &str, limit: Option<u64>) -> String {
    let Some(limit) = limit else { return body.to_owned() };
    let count = usize::try_from(limit).unwrap_or(usize::MAX);
    match body.char_indices().nth(count) {
        None => body.to_owned(),
        Some((end, _)) => {
            let kept = body.get(..end).unwrap_or_default();
            format!("{kept}\n\n[trimmed to {limit} chars by --max-len]")
        }
    }
}
