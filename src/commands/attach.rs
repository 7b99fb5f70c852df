//! `attach`: a file for tasks.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, NoKeys, UndoCommand};
use crate::board::{Board, attached_files, location};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::process::env::Env;
use crate::store::verbs::attach::{self, StoredFile};

const VERB: BulkVerb = bulk::verb!("attach", "given the file");

/// Attach a file to tasks: it is copied to where Hermes keeps attachments.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ids, or unique beginnings of them, and the file behind them; with --from the file alone.
    #[arg(required = true, value_name = "ID... FILE")]
    pub words: Vec<String>,
    /// Another name for it.
    #[arg(long)]
    pub name: Option<String>,
    /// Its type [default: by the end of its name].
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,
    /// Who adds it [default: the own profile].
    #[arg(long, value_name = "NAME")]
    pub author: Option<String>,
    /// The tasks of a file, and what happens to the others where one fails.
    #[command(flatten)]
    pub bulk: BulkOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 12 for a file that Hermes does not take, 13 for an unknown task.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let (ids, path) = bulk::ids_and_word(&args.words)?;
    let path = PathBuf::from(path);
    let given = args.name.clone().unwrap_or_else(|| {
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    });
    let Some(name) = attached_files::safe_name(&given) else {
        return Err(
            Failure::usage(format!("{given:?} cannot be the name of a file.")).hint("Give one with --name.")
        );
    };
    let bytes = attached_files::read(&path)?;
    let content_type =
        args.content_type.clone().or_else(|| attached_files::content_type(&given).map(str::to_owned));
    let by = args.author.clone().unwrap_or_else(|| context.own_profile());
    let root = root(context)?;
    let mode = board_mode(context)?;
    let targets = BulkTargets::<NoKeys>::read(context, &ids, &args.bulk)?;
    let dry_run = context.globals.dry_run;
    let mut stored: Vec<PathBuf> = Vec::new();
    let done = bulk::change(context, VERB, targets, |writer, id, _| {
        // The row names the file, so the file comes first.
        let path = if dry_run {
            root.join(id).join(&name)
        } else {
            let path = attached_files::store(&root, id, &name, &bytes, mode)?;
            stored.push(path.clone());
            path
        };
        let filename = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let file = StoredFile {
            filename,
            path: path.display().to_string(),
            content_type: content_type.clone(),
            size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            by: by.clone(),
        };
        let change = attach::attach(writer, id, &file)?;
        let number = change.details.get("attachment").and_then(serde_json::Value::as_i64);
        Ok((change, number.map(|number| UndoCommand::of(format!("attach-rm {number} --of")))))
    });
    if done.as_ref().err().is_some_and(|failure| is_before_commit(failure.exit())) {
        for path in &stored {
            attached_files::remove(&root, path);
        }
    }
    done
}

/// True for failures that come before the commit; behind it the rows name the files.
fn is_before_commit(exit: Exit) -> bool {
    matches!(
        exit,
        Exit::Usage | Exit::NotFound | Exit::Conflict | Exit::Refused | Exit::Busy | Exit::Interrupted(_)
    )
}

/// Where Hermes keeps the attachments of the chosen board.
///
/// # Errors
/// Exit 12 for a board whose place is not known.
pub(super) fn root(context: &mut Context<'_>) -> Outcome<PathBuf> {
    let board = context.board()?;
    root_of(context.env, &board)
}

/// Where Hermes keeps the attachments of a board.
///
/// # Errors
/// As [`root`].
pub(super) fn root_of(env: &Env, board: &Board) -> Outcome<PathBuf> {
    if let Some(named) = env.get("HERMES_KANBAN_ATTACHMENTS_ROOT").filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(crate::board::home::expanded(&named.to_string_lossy(), env)));
    }
    let Some(slug) = &board.slug else {
        return Err(Failure::refused(
            "the board does not lie under the root, so the place of its attachments is not known.",
        )
        .hint("Name the board with --board, or set HERMES_KANBAN_ATTACHMENTS_ROOT.")
        .at(&board.path));
    };
    Ok(location::files_folder(&location::root(env)?, slug, "attachments"))
}

/// A file of the board is no wider than the board.
fn board_mode(context: &mut Context<'_>) -> Outcome<u32> {
    let board = context.board()?;
    let mode = std::fs::metadata(&board.path).map(|found| found.permissions().mode());
    Ok(mode.unwrap_or(0o600) & 0o666)
}
