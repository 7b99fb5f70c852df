//! `boards export` and `boards import`: a whole board with its `board.json` as JSON lines, and back as a new board.

use std::path::{Path, PathBuf};

use super::NamedBoard;
use super::create::{BoardLooks, NewBoard};
use crate::board::attached_files;
use crate::board::board_json::BoardJson;
use crate::commands::{Context, attach, create, export, import};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::newfile::{self, directory};
use crate::store::schema::{self, BoardVersion};
use crate::store::transfer::{self, Incoming};

/// What `boards export` was told.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ExportBoardArgs {
    /// The board.
    #[arg(value_name = "SLUG")]
    slug: String,
    /// The new file, `-` for stdout.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The files of attachments too.
    #[arg(long)]
    attachments: bool,
}

/// What `boards import` was told.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ImportBoardArgs {
    /// The export, `-` for stdin.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The new board's name [default: the one in the export].
    #[arg(long = "as", value_name = "NAME")]
    slug: Option<String>,
    /// Make it the current board.
    #[arg(long)]
    switch: bool,
    /// Create it although a board of that name was archived.
    #[arg(long)]
    again: bool,
}

/// Writes a board to a file that must not exist.
///
/// # Errors
/// Exit 12 for a file that exists, 10 for a board that does not.
pub(super) fn export(context: &mut Context<'_>, args: &ExportBoardArgs) -> Outcome<Exit> {
    let named = NamedBoard::of(context, &args.slug)?;
    named.require_exists(context)?;
    crate::board::location::require_unpinned(&named.slug, "the board ", context.env)?;
    let to_stdout = args.file == Path::new("-");
    if !to_stdout {
        newfile::require_destination(&args.file)?;
    }
    let head = |version: BoardVersion| {
        let file = BoardJson::read(&named.folder, &named.slug, version.has_board_project())?;
        Ok(transfer::board_line(file.fields()))
    };
    let inspection = named.board.inspect()?;
    let text = export::lines(context, inspection, &[], args.attachments, Some(&head))?;
    if to_stdout {
        context.ui.raw_bytes(&text)?;
        return Ok(Exit::Ok);
    }
    if context.globals.dry_run {
        context.ui.status(format_args!("Dry run: would write {}.", args.file.display()));
        return Ok(Exit::Ok);
    }
    newfile::small_file::put_new(&args.file, &text)?;
    context.ui.status(format_args!("Exported the board '{}' to {}.", named.slug, args.file.display()));
    context.ui.hint(format_args!(
        "Read it back with `kanbanctl boards import {} --as NAME`.",
        crate::failure::hint::quoted(&args.file)
    ));
    Ok(Exit::Ok)
}

/// Makes a new board of an export; a board that is there is never written to.
///
/// # Errors
/// Exit 2 for what is no whole export, 12 where a board has the name.
pub(super) fn import(context: &mut Context<'_>, args: &ImportBoardArgs) -> Outcome<Exit> {
    let bytes = create::read(&args.file, &context.signals)?;
    let mut incoming = Incoming::read(&bytes)?;
    drop(bytes);
    let mut board = incoming.board().clone();
    let said = board.get("slug").and_then(serde_json::Value::as_str).map(str::to_owned);
    let Some(given) = args.slug.clone().or(said) else {
        return Err(Failure::usage("the export does not say how its board is called.")
            .hint("Name the new board with --as NAME."));
    };
    let named = NamedBoard::of(context, &given)?;
    if !super::create::is_vacant(&named.board.inspect()?)? {
        return Err(Failure::refused(format!("the board '{}' is there; nothing was imported.", named.slug))
            .hint("Give another name with --as NAME.")
            .hint("To add tasks to a board that is there: `kanbanctl import FILE`.")
            .at(&named.board.path));
    }
    // Both name places on the machine of the export; the board is new here.
    for key in ["default_workdir", "project_id", "archived", "db_path"] {
        board.shift_remove(key);
    }
    let new =
        NewBoard { looks: BoardLooks::default(), again: args.again, switch: args.switch, fields: board };
    let files: Vec<(i64, String, String, Vec<u8>)> = incoming
        .files()
        .into_iter()
        .map(|(number, task, name, bytes)| (number, task, name, bytes.to_vec()))
        .collect();
    let root = if files.is_empty() { PathBuf::new() } else { attach::root_of(context.env, &named.board)? };
    let version = incoming.schema();
    let path = named.board.path.clone();
    let mut stored = Vec::new();
    let made = new.make(context, &named, "boards.import", version, |conn| {
        schema::create_as(conn, version)?;
        stored = import::store(&root, &mut incoming, &files)?;
        let report = schema::check(conn)?;
        transfer::import(conn, &report, &incoming, true).map(drop)
    });
    if made.is_err() && !path.exists() {
        for path in &stored {
            attached_files::remove(&root, path);
            // A folder that holds something else stays.
            let _ = std::fs::remove_dir(directory(path));
        }
    }
    made
}
