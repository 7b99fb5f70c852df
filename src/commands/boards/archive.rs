//! `boards archive` and `boards unarchive`: a board's whole directory moved away and back.
//!
//! A process that has the board open would go on writing to the moved file, so both refuse beside one.

use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde::Serialize;
use serde_json::json;

use super::NamedBoard;
use crate::board::board_json::BoardJson;
use crate::board::holders;
use crate::board::locks::HermesLocks;
use crate::board::{files, location};
use crate::commands::Context;
use crate::failure::exit::Exit;
use crate::failure::hint::quoted;
use crate::failure::{Failure, Outcome};
use crate::newfile::{directory, small_file};
use crate::store::schema::BoardVersion;
use crate::ui::{Document, Records, Report};

/// What `boards archive` was told.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ArchiveBoardArgs {
    /// The board.
    #[arg(value_name = "SLUG")]
    slug: String,
    /// Go on where it cannot be proven that no other process has the board open; never beside a process that was found.
    #[arg(long)]
    assume_unused: bool,
}

/// What `boards unarchive` was told.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct UnarchiveBoardArgs {
    /// The folder's name below `kanban/boards/_archived`.
    #[arg(value_name = "FOLDER")]
    folder: String,
    /// Go on where it cannot be proven that no other process has the board open; never beside a process that was found.
    #[arg(long)]
    assume_unused: bool,
}

/// A board that was moved.
#[derive(Debug, Serialize)]
struct MovedBoard {
    #[serde(skip)]
    kind: &'static str,
    slug: String,
    from: PathBuf,
    to: PathBuf,
    /// True if a `board.json` that says archived stays behind.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tombstone: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

/// Moves the board away, with the name and the tombstone of the Hermes that it belongs to.
///
/// # Errors
/// Exit 12 for the default board, beside holders, and without a confirmation; 10 for a board that does not exist.
pub(super) fn run(context: &mut Context<'_>, args: &ArchiveBoardArgs) -> Outcome<Exit> {
    let named = NamedBoard::of(context, &args.slug)?;
    if named.slug == location::DEFAULT_SLUG {
        return Err(Failure::refused("the 'default' board cannot be archived: Hermes always has it.")
            .hint("Archive its tasks with `kanbanctl archive`.")
            .at(&named.board.path));
    }
    named.require_exists(context)?;
    require_plain(&named)?;
    let version = named.version(context);
    let file =
        BoardJson::read(&named.folder, &named.slug, version.is_none_or(BoardVersion::has_board_project))?;
    // Where the version cannot be told, a tombstone does no harm.
    let tombstone = version.is_none_or(BoardVersion::wants_metadata);
    let now = context.clock.epoch();
    let archive = named.folder.with_file_name("_archived");
    let target = free_name(&archive, &named.slug, now)?;
    let moved = MovedBoard {
        kind: "boards.archive",
        slug: named.slug.clone(),
        from: named.folder.clone(),
        to: target.clone(),
        tombstone,
        dry_run: context.globals.dry_run,
    };
    let doing = "archiving it";
    alone(&named.board.path, doing, args.assume_unused)?;
    if context.globals.dry_run {
        context.ui.status(format_args!(
            "Dry run: would move {} to {}.",
            named.folder.display(),
            target.display()
        ));
        context.ui.emit(&moved)?;
        return Ok(Exit::Ok);
    }
    context.require_unfenced(&named.board.path)?;
    context.ui.confirm(&format!(
        "The board '{}' will be moved to {}. Go on?",
        named.slug,
        target.display()
    ))?;
    small_file::make_directory(&archive)?;
    take_away(context, &named, &target, doing, args.assume_unused)?;
    if tombstone {
        leave_tombstone(&named, &file, now)?;
    }
    let was_current = location::current(context.env).ok().flatten().as_ref() == Some(&named.slug);
    if was_current {
        let path = location::current_path(context.env)?;
        std::fs::remove_file(&path)
            .map_err(|error| Failure::io(error, format!("removing {}", path.display())).at(&path))?;
    }
    context.ui.emit_done(&moved).map_err(|failure| failure.behind("the board is archived"))?;
    context.ui.status(format_args!("Archived the board '{}' at {}.", named.slug, target.display()));
    if was_current {
        context.ui.status("The current board is 'default' now.");
    }
    let name = target.file_name().unwrap_or_default();
    context.ui.status(format_args!("Undo with `kanbanctl boards unarchive {}`.", quoted(name)));
    Ok(Exit::Ok)
}

/// Puts an archived board back to where it was, unless something is there.
///
/// # Errors
/// Exit 10 for a folder that is not there, 12 where a board has its name.
pub(super) fn undo(context: &mut Context<'_>, args: &UnarchiveBoardArgs) -> Outcome<Exit> {
    let slug = slug_of(&args.folder)?;
    let named = NamedBoard::of(context, &slug)?;
    let source = named.folder.with_file_name("_archived").join(&args.folder);
    let is_there = match std::fs::symlink_metadata(&source) {
        Ok(meta) => meta.is_dir(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(Failure::io(error, "looking at the archived board").at(&source)),
    };
    if !is_there {
        return Err(Failure::no_board(format!("there is no directory {}.", source.display()))
            .hint(format!("See what is there with `ls {}`.", quoted(directory(&source))))
            .at(&source));
    }
    let file = BoardJson::read(&named.folder, &named.slug, true)?;
    let is_tombstone = file.is_archived() && holds_only_tombstone(&named.folder)?;
    if std::fs::symlink_metadata(&named.folder).is_ok() && !is_tombstone {
        return Err(Failure::refused(format!("{} is there; nothing was moved.", named.folder.display()))
            .hint("Archive that board first, or move the directory by hand to another name.")
            .at(&named.folder));
    }
    let moved = MovedBoard {
        kind: "boards.unarchive",
        slug: named.slug.clone(),
        from: source.clone(),
        to: named.folder.clone(),
        tombstone: false,
        dry_run: context.globals.dry_run,
    };
    alone(&source.join("kanban.db"), "putting it back", args.assume_unused)?;
    if context.globals.dry_run {
        context.ui.status(format_args!(
            "Dry run: would move {} to {}.",
            source.display(),
            named.folder.display()
        ));
        context.ui.emit(&moved)?;
        return Ok(Exit::Ok);
    }
    context.require_unfenced(&named.board.path)?;
    if is_tombstone {
        for entry in entries(&named.folder)? {
            std::fs::remove_file(&entry)
                .map_err(|error| Failure::io(error, format!("removing {}", entry.display())).at(&entry))?;
        }
        std::fs::remove_dir(&named.folder)
            .map_err(|error| Failure::io(error, format!("removing {}", named.folder.display())))?;
    }
    rename(&source, &named.folder)?;
    context.ui.emit_done(&moved).map_err(|failure| failure.behind("the board is back"))?;
    context.ui.status(format_args!("The board '{}' is back at {}.", named.slug, named.folder.display()));
    context.ui.status(format_args!("Undo with `kanbanctl boards archive {}`.", named.slug));
    Ok(Exit::Ok)
}

/// Refuses what a rename would tear apart: a link would lead elsewhere from its new place.
fn require_plain(named: &NamedBoard) -> Outcome<()> {
    for path in [&named.folder, &named.board.path] {
        if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink()) {
            return Err(Failure::refused(format!(
                "{} is a symbolic link; the board is not moved.",
                path.display()
            ))
            .hint("Move it by hand: what the link leads to would stay where it is.")
            .at(path));
        }
    }
    Ok(())
}

fn alone(database: &Path, doing: &str, unproven_is_fine: bool) -> Outcome<()> {
    let found = holders::scan_path(database, database)?;
    found.require_none(doing, unproven_is_fine).map_err(|failure| failure.at(database))
}

/// Moves the directory while Hermes can neither open nor dispatch; back where somebody has opened the board meanwhile.
fn take_away(
    context: &mut Context<'_>,
    named: &NamedBoard,
    target: &Path,
    doing: &str,
    unproven_is_fine: bool,
) -> Outcome<()> {
    let database = &named.board.path;
    let locks = HermesLocks::take(
        database,
        database,
        context.budget().deadline(),
        &context.signals,
        &context.onlooker(),
    )?;
    alone(database, doing, unproven_is_fine)?;
    rename(&named.folder, target)?;
    if let Err(failure) = alone(&target.join("kanban.db"), doing, unproven_is_fine) {
        rename(target, &named.folder)?;
        return Err(failure);
    }
    drop(locks);
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Outcome<()> {
    let moving = |error: std::io::Error| {
        let failure = match Errno::from_io_error(&error) {
            Some(Errno::EXIST | Errno::NOTEMPTY) => {
                Failure::refused(format!("{} is there; nothing was moved.", to.display()))
            }
            _ => Failure::making(error, format!("moving {} to {}", from.display(), to.display())),
        };
        failure.hint("Move the directory by hand while no process has the board open.").at(from)
    };
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Without such a rename: one that fails on anything but an empty directory.
        Err(Errno::INVAL | Errno::NOSYS) if std::fs::symlink_metadata(to).is_err() => {
            std::fs::rename(from, to).map_err(moving)?;
        }
        other => other.map_err(|error| moving(error.into()))?,
    }
    small_file::sync(directory(from)).and_then(|()| small_file::sync(directory(to))).map_err(moving)
}

/// `SLUG-EPOCH`, with a number behind it where that is taken.
fn free_name(archive: &Path, slug: &str, now: i64) -> Outcome<PathBuf> {
    let is_free = |path: &PathBuf| std::fs::symlink_metadata(path).is_err();
    let first = archive.join(format!("{slug}-{now}"));
    let mut names = std::iter::once(first)
        .chain((1..10_000).map(|number| archive.join(format!("{slug}-{now}-{number}"))));
    names.find(is_free).ok_or_else(|| {
        Failure::refused(format!("{} has no free name for the board.", archive.display()))
            .hint("Run this again in a second.")
    })
}

/// The slug in the name of an archived board's folder.
fn slug_of(folder: &str) -> Outcome<String> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_time = |text: &str| is_number(text) && text.len() >= 9;
    let slug = folder.rsplit_once('-').and_then(|(before, last)| {
        if is_time(last) {
            return Some(before);
        }
        let (slug, time) = before.rsplit_once('-')?;
        (is_number(last) && is_time(time)).then_some(slug)
    });
    let slug = slug.and_then(|slug| location::normalise(slug).ok());
    slug.ok_or_else(|| {
        Failure::usage(format!("{folder:?} is no name of an archived board, such as work-1780000000."))
            .hint("Give the folder's name below kanban/boards/_archived.")
    })
}

/// What Hermes 0.22.2 leaves in the board's place, so that no command creates an empty one there.
fn leave_tombstone(named: &NamedBoard, file: &BoardJson, now: i64) -> Outcome<()> {
    let mut tombstone = BoardJson::new(&named.folder, &named.slug, true);
    tombstone.rename(file.text("name"));
    for key in ["description", "icon", "color"] {
        tombstone.set(key, json!(file.text(key)));
    }
    for key in ["default_workdir", "project_id"] {
        tombstone.set(key, json!(Some(file.text(key)).filter(|text| !text.is_empty())));
    }
    tombstone.set("archived", json!(true));
    tombstone.stamp(now);
    small_file::make_directory(&named.folder)?;
    match tombstone.changed()? {
        Some(bytes) => small_file::put(tombstone.path(), &bytes),
        None => Ok(()),
    }
}

fn entries(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let failed = |error| Failure::io(error, format!("listing {}", folder.display())).at(folder);
    std::fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()).map_err(failed))
        .collect()
}

/// True if nothing is there but a `board.json` and Hermes' empty lock files.
fn holds_only_tombstone(folder: &Path) -> Outcome<bool> {
    let known = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_lock = files::LOCK_SUFFIXES.iter().any(|suffix| name == format!("kanban.db{suffix}"));
        let meta = std::fs::symlink_metadata(path);
        meta.is_ok_and(|meta| meta.is_file() && (name == "board.json" || (is_lock && meta.len() == 0)))
    };
    Ok(entries(folder)?.iter().all(known))
}

impl Report for MovedBoard {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn human(&self, page: &mut Document<'_>) {
        let (from, to) = (self.from.display().to_string(), self.to.display().to_string());
        page.pairs(&[("board", self.slug.as_str()), ("from", &from), ("to", &to)]);
    }

    fn plain(&self, records: &mut Records<'_>) {
        let (from, to) = (self.from.display().to_string(), self.to.display().to_string());
        records.record(&[&self.slug, &from, &to]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slug_is_read_from_the_name_of_an_archived_folder() {
        for (folder, slug) in [
            ("work-1780000000", "work"),
            ("work-1780000000-3", "work"),
            ("a-2-1780000000", "a-2"),
            ("a-2-1780000000-1", "a-2"),
        ] {
            assert_eq!(slug_of(folder).unwrap(), slug);
        }
        for folder in ["work", "work-1", "-1780000000", "../x-1780000000", ""] {
            assert!(slug_of(folder).is_err(), "{folder}");
        }
    }
}
