//! `init`: a board where none is, in the best journal mode that its filesystem can do.
//!
//! The file is made under a name that nobody knows and appears whole, already in its journal mode (docs/architecture.md
//! rules 5 and 11). An existing board is never touched, not even in its journal mode.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, OFlags};
use rustix::io::Errno;
use serde::Serialize;

use super::Context;
use crate::board::locks::HermesLocks;
use crate::board::{Board, FileState, Inspection, Origin, Sidecars, filesystem, location};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::journal_mode;
use crate::journal_mode::JournalMode;
use crate::newfile;
use crate::newfile::{OwnFile, RecordedMode};
use crate::pool;
use crate::store::schema;
use crate::ui::{Document, Records, Report};

/// Create the board if it is missing.
///
/// WAL is used where a trial in the same directory shows that it works, a rollback journal otherwise. Where a -wal, a
/// -journal or a .bak says that a board was lost, nothing is created.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {}

/// Runs the verb.
///
/// # Errors
/// Exit 4 where a board was lost or something else lies in its place, 11 while Hermes opens the board.
pub fn run(context: &mut Context<'_>, _args: &Args) -> Outcome<Exit> {
    let inspection = context.inspection()?;
    if !is_free(&inspection)? {
        return already_there(context, inspection);
    }
    require_no_tombstone(&inspection.board)?;
    if context.globals.dry_run {
        require_directory(context, &inspection.board, newfile::directory(&inspection.resolved))?;
        let place = rehearse(newfile::directory(&inspection.resolved))?;
        context.ui.status(format_args!("Dry run: would create {}.", inspection.resolved.display()));
        let filesystem = filesystem::of(&place)?.kind;
        let path = inspection.resolved;
        context.ui.emit(&Init { path, dry_run: true, created: true, journal_mode: None, filesystem })?;
        return Ok(Exit::Ok);
    }
    context.require_unfenced(&inspection.resolved)?;
    let board = inspection.board.clone();
    let directory = newfile::directory(&inspection.resolved).to_path_buf();
    require_directory(context, &board, &directory)?;
    std::fs::create_dir_all(&directory)
        .map_err(|error| Failure::making(error, format!("making the directory {}", directory.display())))?;
    let locks = HermesLocks::take(
        &board.path,
        &inspection.resolved,
        context.budget().deadline(),
        &context.signals,
        &context.onlooker(),
    )?;
    // Somebody may have made it while we waited; the directory may also resolve differently now that it exists.
    let inspection = board.inspect()?;
    if !is_free(&inspection)? {
        drop(locks);
        return already_there(context, inspection);
    }
    let path = inspection.resolved;
    let obstacle = create(&path, &directory)?;
    drop(locks);
    let journal_mode = if obstacle.is_none() { JournalMode::Wal } else { JournalMode::Delete };
    context.ui.status(format_args!("Created the board {}.", path.display()));
    if let Some(why) = obstacle {
        context.ui.warning(format_args!("The board uses a rollback journal, not WAL: {why}."));
    }
    let filesystem = filesystem::of(&directory)?.kind;
    let journal_mode = Some(journal_mode);
    context.ui.emit(&Init { path, dry_run: false, created: true, journal_mode, filesystem })?;
    Ok(Exit::Ok)
}

/// Refuse to create a board again whose `board.json` says that it was archived: newer versions of Hermes leave that file behind
/// and refuse it too.
fn require_no_tombstone(board: &Board) -> Outcome<()> {
    let folder = newfile::directory(&board.path);
    if board.slug.is_none() || !location::metadata(folder).archived {
        return Ok(());
    }
    let kept = folder.with_file_name("_archived");
    Err(Failure::refused(format!(
        "the board '{}' was archived; its board.json says so. No board was created.",
        board.name()
    ))
    .hint(format!("What it held lies below {}.", kept.display()))
    .hint("To begin again under the same name, set \"archived\" to false in the board.json, or create it with Hermes.")
    .at(&folder.join("board.json")))
}

/// Refuse a directory that is not there where the board's file was named: an unmounted disk would have a new board beneath
/// its mount point. Hermes' own root is made.
fn require_directory(context: &Context<'_>, board: &Board, directory: &Path) -> Outcome<()> {
    let is_named = matches!(board.origin, Origin::DbOption | Origin::DbVariable) && board.slug.is_none();
    if !is_named || directory.is_dir() || context.globals.create_dirs {
        return Ok(());
    }
    Err(Failure::refused(format!("there is no directory {}; no board was created.", directory.display()))
        .hint("Mount or make it, or add --create-dirs.")
        .at(directory))
}

/// The directory in which the first new name would be made. Refuses where the real run would: a file without a name is made in the nearest directory that exists, which leaves no
/// trace. Filesystems that have none of those are asked for the right to write.
fn rehearse(directory: &Path) -> Outcome<PathBuf> {
    let place = directory.ancestors().find(|place| place.exists()).unwrap_or(Path::new("/"));
    let unnamed = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let made = match rustix::fs::open(place, unnamed, rustix::fs::Mode::RUSR) {
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => {
            rustix::fs::access(place, Access::WRITE_OK | Access::EXEC_OK)
        }
        other => other.map(drop),
    };
    made.map(|()| place.to_path_buf()).map_err(|error| {
        Failure::making(error.into(), format!("writing to the directory {}", place.display()))
            .hint("Name a board in a directory that you may write to with --db, or run it as the directory's owner.")
            .at(directory)
    })
}

/// Whether nothing is there and nothing was; everything but a board in its place is a failure.
pub(super) fn is_free(inspection: &Inspection) -> Outcome<bool> {
    if matches!(inspection.state, FileState::Missing) && !inspection.leftovers() {
        return Ok(true);
    }
    inspection.require_sqlite()?;
    Ok(false)
}

fn already_there(context: &mut Context<'_>, inspection: Inspection) -> Outcome<Exit> {
    let path = inspection.resolved.clone();
    if !context.globals.dry_run {
        // Who was killed right after the board had appeared has left its sidecars under another name.
        newfile::clear_leftovers(&path);
    }
    let journal_mode = if inspection.is_wal() { JournalMode::Wal } else { JournalMode::Delete };
    let mut pool = context.pool_for(inspection, pool::Access::Read)?;
    pool.read(schema::require_board)?;
    pool.close()?;
    context.ui.status(format_args!("The board {} is there already; nothing was changed.", path.display()));
    let filesystem = filesystem::of(newfile::directory(&path))?.kind;
    let (journal_mode, dry_run) = (Some(journal_mode), context.globals.dry_run);
    context.ui.emit(&Init { path, dry_run, created: false, journal_mode, filesystem })?;
    Ok(Exit::Ok)
}

/// Makes the board and gives it its name; says why it is not in WAL mode, where it is not.
pub(super) fn create(path: &Path, directory: &Path) -> Outcome<Option<String>> {
    create_with(path, directory, schema::create)
}

/// Make the board with the tables and rows that `rows` puts into it.
pub(super) fn create_with(
    path: &Path,
    directory: &Path,
    rows: impl FnOnce(&rusqlite::Connection) -> Outcome<()>,
) -> Outcome<Option<String>> {
    let mut file = OwnFile::create(path)?;
    let transaction = file.connection()?.transaction()?;
    rows(&transaction)?;
    transaction.commit()?;
    let sealed = file.seal(RecordedMode::Delete)?;
    let mut obstacle = journal_mode::wal_obstacle(directory)?;
    if obstacle.is_none() {
        let unnamed = sealed.path()?;
        if let Err(failure) = journal_mode::turn_wal_on(&unnamed) {
            obstacle = Some(failure.to_string());
        }
        if Sidecars::beside(&unnamed)?.wal_has_bytes() {
            return Err(Failure::failed(
                "the new board's first frames were not checkpointed; it was not created.",
            ));
        }
    }
    sealed.publish(0o666 & !umask())?;
    Ok(obstacle)
}

/// The process's umask; without `/proc` the strictest usual one.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let octal = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    octal.and_then(|digits| u32::from_str_radix(digits.trim(), 8).ok()).unwrap_or(0o077)
}

#[derive(Serialize)]
struct Init {
    path: PathBuf,
    dry_run: bool,
    /// Whether the board was created, or would be.
    created: bool,
    /// Nothing where only a trial in the board's directory could tell, which a rehearsal does not make.
    journal_mode: Option<JournalMode>,
    filesystem: String,
}

impl Report for Init {
    fn kind(&self) -> &'static str {
        "init"
    }

    fn human(&self, page: &mut Document<'_>) {
        page.pairs(&[
            ("board", &self.path.display().to_string()),
            ("journal mode", self.journal_mode.map_or("wal where it works, else delete", JournalMode::name)),
            ("filesystem", &self.filesystem),
        ]);
    }

    fn plain(&self, records: &mut Records<'_>) {
        let made = match (self.created, self.dry_run) {
            (true, true) => "would-create",
            (true, false) => "created",
            (false, _) => "exists",
        };
        let path = self.path.display().to_string();
        records.record(&[&path, made, self.journal_mode.map_or("", JournalMode::name), &self.filesystem]);
    }
}
