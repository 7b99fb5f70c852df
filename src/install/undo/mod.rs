//! Undo: the files that an install put aside, back in their place, byte for byte.
//!
//! What is put back may be anything but a database, so SQLite cannot carry it. It guards it all the same: the pages that
//! are overwritten go into a rollback journal first, in SQLite's own format, so that until the end whoever opens the board
//! finds the one that was there before, whole. Where a log goes back with the file, another log covers the exchange of both
//! (`cover`). Responsible for that write and for choosing the folder; locks, holders and
//! evidence of what is replaced are as for any install ([`super::install`]).

mod guard;

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, fcntl_lock};

use self::guard::JournalGuard;
use super::covering_wal::Cover;
use super::evidence::{self, About, Coming, Evidence, InstallOperation};
use super::installer::{self, Installed, Terms, remove_if_there};
use super::target;
use super::target::Space;
use crate::board::files::with_suffix;
use crate::board::{Inspection, Sidecars, Stamp};
use crate::failure::hint;
use crate::failure::{Failure, Outcome};
use crate::newfile::temporary_name;
use crate::work::holes;

/// How much is copied at a time.
const PIECE: usize = 1 << 20;

/// What undo would do.
#[derive(Clone, Debug)]
pub struct UndoPlan {
    /// The set that goes back.
    pub evidence: Evidence,
    /// Whether the board's files have its bytes already.
    pub is_in_place: bool,
}

/// The set that the last install put aside. An install that never began has replaced nothing, and sets of interrupted undos
/// hold what the next undo must not bring back.
///
/// # Errors
/// Exit 13 when there is none, 12 when nothing was there before.
pub fn plan(seen: &Inspection) -> Outcome<UndoPlan> {
    let sets = evidence::list(&seen.resolved)?;
    let is_open = |set: &Evidence| {
        !set.finished && set.has_begun() && set.manifest.about.operation != InstallOperation::Undo
    };
    let last = sets.into_iter().find(|set| set.carried_out || is_open(set));
    let Some(evidence) = last else {
        evidence::refuse_planted(&seen.resolved)?;
        return Err(Failure::not_found(format!(
            "there is no evidence folder beside {}: nothing was installed over it.",
            seen.resolved.display()
        ))
        .hint("List what else there is with `kanbanctl backups list`.")
        .at(&seen.resolved));
    };
    if evidence.piece("").is_none() {
        return Err(Failure::refused(format!(
            "there was no file before the board was brought back (see {}), and a board's file is never taken away.",
            evidence.folder.display()
        ))
        .at(&seen.resolved));
    }
    require_whole(&evidence)?;
    let is_in_place = evidence.is_in_place()?;
    Ok(UndoPlan { evidence, is_in_place })
}

/// The copies still are what the manifest says.
fn require_whole(evidence: &Evidence) -> Outcome<()> {
    for piece in &evidence.manifest.files {
        let Some(path) = evidence.copy_of(&piece.suffix) else { continue };
        if evidence::digest(&path)? != Some((piece.bytes, piece.sha256.clone())) {
            return Err(Failure::refused(format!(
                "{} is not what its manifest says; nothing was touched.",
                path.display()
            ))
            .hint(format_args!(
                "Look at what is left with `kanbanctl --db {} recover --dry-run`.",
                hint::quoted(&path)
            ))
            .at(&path));
        }
    }
    Ok(())
}

/// Puts the planned set back. Nothing comes back when somebody wrote to the board since it was `seen`.
///
/// # Errors
/// As [`installer::install`].
pub fn put_back(seen: &Inspection, plan: &UndoPlan, terms: &Terms) -> Outcome<Option<Installed>> {
    target::require_installable(seen)?;
    let set = &plan.evidence;
    let bytes = set.manifest.files.iter().map(|piece| piece.bytes).sum();
    Space::of(seen, bytes).require(seen, false)?;
    if !target::is_unchanged(seen)? {
        return Ok(None);
    }
    let Some(main) = set.piece("") else { return Ok(None) };
    let about = About {
        operation: InstallOperation::Undo,
        reasons: vec![format!("{} was put back", set.folder.display())],
        installing: Some(Coming {
            sha256: main.sha256.clone(),
            bytes: main.bytes,
            from: vec![set.folder.clone()],
        }),
    };
    let kept = evidence::take(seen, about, terms.clock)?;
    match installer::locked(seen, terms, "putting the earlier board back", Some(&kept), || write(seen, set)) {
        Ok(Some(())) => Ok(Some(installer::finish(seen, Some(kept), Vec::new(), terms.clock))),
        Ok(None) => {
            kept.discard();
            Ok(None)
        }
        Err(failure) => Err(installer::account(failure, Some(kept))),
    }
}

fn write(seen: &Inspection, set: &Evidence) -> Outcome<()> {
    let has_pages = seen.stamp.is_some_and(|stamp| stamp.len > 0);
    let cover = match (set.copy_of(""), set.copy_of("-wal"), set.copy_of("-journal")) {
        (Some(database), Some(log), None) if has_pages => Cover::of(&database, &log)?,
        _ => None,
    };
    match cover {
        Some(cover) => exchange(seen, set, &cover),
        None => overwrite(seen, set),
    }
}

/// Exchanges database and log at one moment: that at which the covering log gets its name. SQLite takes a log away that
/// lies beside a file without pages.
fn exchange(seen: &Inspection, set: &Evidence, cover: &Cover) -> Outcome<()> {
    let live = &seen.resolved;
    let wal = with_suffix(live, "-wal");
    let Some(log) = Ready::copy(set, "-wal", live)? else { return Ok(()) };
    let covering = Ready::make(&wal, |path| cover.write(path))?;
    log.lend_access(&covering)?;
    let file = open(live)?;
    lock(&file, live)?;
    require_at_rest(seen, false)?;
    remove_if_there(&with_suffix(live, "-shm"))?;
    covering.publish(&wal)?;
    target::sync_directory(live)?;
    remove_if_there(&with_suffix(live, "-journal"))?;
    target::sync_directory(live)?;
    copy_into(&file, set, live)?;
    log.publish(&wal)?;
    target::sync_directory(live)
}

/// Overwrites the database under a rollback journal of what it was. A log that goes back with it says nothing to SQLite, or
/// the board is closed to SQLite with or without it.
fn overwrite(seen: &Inspection, set: &Evidence) -> Outcome<()> {
    let live = &seen.resolved;
    let is_logged = seen.sidecars.wal_has_bytes() || seen.sidecars.journal.is_some();
    // Where SQLite cannot fold the log in, the file is no whole board with it either; the evidence has both.
    let is_folded = !is_logged || (seen.stamp.is_some_and(|stamp| stamp.len > 0) && can_fold(live)?);
    // From here to the end this descriptor is the only one on the board's file: closing any other would drop its lock.
    let file = open(live)?;
    lock(&file, live)?;
    require_at_rest(seen, is_folded)?;
    for suffix in ["-wal", "-shm", "-journal"] {
        remove_if_there(&with_suffix(live, suffix))?;
    }
    target::sync_directory(live)?;
    let log = Ready::copy(set, "-wal", live)?;
    let guard = JournalGuard::write(&file, live)?;
    copy_into(&file, set, live).map_err(|failure| {
        // The guard stays.
        failure.hint("The board is as it was before when it is opened next, by Hermes or by this command.")
    })?;
    guard.lift(set, live)?;
    if let Some(log) = log {
        log.publish(&with_suffix(live, "-wal"))?;
    }
    target::sync_directory(live)
}

/// Folds the log in; false where the file is no database or a damaged one. Whatever else is in the way ends the undo.
fn can_fold(live: &Path) -> Outcome<bool> {
    match fold(live) {
        Ok(()) => Ok(true),
        Err(failure) if failure.is_damage() => Ok(false),
        Err(failure) => Err(failure.at(live)),
    }
}

/// Brings what a log holds into the file, so that the file alone is the board that the guard keeps.
fn fold(live: &Path) -> Outcome<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(live, flags)?;
    connection.query_row("PRAGMA locking_mode=EXCLUSIVE", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA journal_size_limit=0")?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| Failure::from(error))?;
    let journal = with_suffix(live, "-journal");
    // What was rolled back is cut to nothing; an exclusive handle keeps the name.
    if fs::metadata(&journal).is_ok_and(|meta| meta.len() == 0) {
        remove_if_there(&journal)?;
    }
    Ok(())
}

fn open(live: &Path) -> Outcome<File> {
    let opened = OpenOptions::new().read(true).write(true).open(live);
    opened.map_err(|error| Failure::io(error, format!("opening {}", live.display())).at(live))
}

/// Locks every byte that SQLite's locks may lie on, so that it waits until this descriptor is closed.
fn lock(file: &File, live: &Path) -> Outcome<()> {
    let deadline = Instant::now() + installer::PATIENCE;
    loop {
        match fcntl_lock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) if Instant::now() < deadline => {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => {
                return Err(Failure::busy("another process has the board locked; nothing was changed.")
                    .hint("Stop it (`kanbanctl health` names it), then run this again.")
                    .at(live));
            }
            Err(error) => {
                return Err(Failure::io(error.into(), format!("locking {}", live.display())).at(live));
            }
        }
    }
}

/// Between the fold and the lock somebody may have written.
fn require_at_rest(seen: &Inspection, is_folded: bool) -> Outcome<()> {
    let live = &seen.resolved;
    let file = |stamp: Option<Stamp>| stamp.map(|stamp| (stamp.dev, stamp.ino));
    let beside = Sidecars::beside(live)?;
    let is_quiet = if is_folded {
        !beside.wal_has_bytes() && beside.journal.is_none()
    } else {
        target::is_unchanged(seen)?
    };
    if is_quiet && file(Stamp::of(live)?) == file(seen.stamp) {
        return Ok(());
    }
    Err(Failure::busy("the board was changed meanwhile by another process; nothing was put back.")
        .hint("Stop the processes that write to it, then run this again.")
        .at(live))
}

/// A sidecar under a temporary name beside the board, on the disk; gone again unless it gets its own.
struct Ready {
    path: PathBuf,
    published: bool,
    /// Its `flock` says that somebody is at work here.
    at_work: Option<File>,
}

impl Ready {
    /// What `write` makes under a name that is free, to become `destination`.
    fn make(destination: &Path, write: impl FnOnce(&Path) -> Outcome<()>) -> Outcome<Self> {
        let mut ready = Self { path: temporary_name(destination)?, published: false, at_work: None };
        write(&ready.path)?;
        ready.at_work = File::open(&ready.path).ok().filter(|file| file.try_lock().is_ok());
        Ok(ready)
    }

    /// The set's copy of a sidecar; nothing when it had none.
    fn copy(set: &Evidence, suffix: &str, live: &Path) -> Outcome<Option<Self>> {
        let Some(from) = set.copy_of(suffix) else { return Ok(None) };
        Self::make(&with_suffix(live, suffix), |path| place(&from, path)).map(Some)
    }

    /// Gives `other` the mode and owner of this one.
    fn lend_access(&self, other: &Self) -> Outcome<()> {
        let path = &other.path;
        let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
        let lending = |error| Failure::io(error, format!("setting the mode of {}", path.display())).at(path);
        let meta = fs::metadata(&self.path).map_err(lending)?;
        let file = OpenOptions::new().read(true).custom_flags(no_follow).open(path).map_err(lending)?;
        let _ = std::os::unix::fs::fchown(&file, Some(meta.uid()), Some(meta.gid()));
        file.set_permissions(meta.permissions()).map_err(lending)?;
        Ok(())
    }

    fn publish(mut self, to: &Path) -> Outcome<()> {
        fs::rename(&self.path, to)
            .map_err(|error| Failure::io(error, format!("writing {}", to.display())).at(to))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        if !self.published {
            let _ = fs::remove_file(&self.path);
        }
        self.at_work = None;
    }
}

/// A copy of `from` with its mode and owner under a name that nothing has, on the disk.
fn place(from: &Path, to: &Path) -> Outcome<()> {
    let copying =
        |error| Failure::io(error, format!("copying {} to {}", from.display(), to.display())).at(to);
    let source = File::open(from).map_err(copying)?;
    let meta = source.metadata().map_err(copying)?;
    let target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(copying)?;
    holes::copy(&source, &target, &mut vec![0; PIECE]).map_err(copying)?;
    target.set_permissions(meta.permissions()).map_err(copying)?;
    let _ = std::os::unix::fs::fchown(&target, Some(meta.uid()), Some(meta.gid()));
    target.sync_all().map_err(copying)
}

/// Overwrites the file with the set's main file, and syncs it.
fn copy_into(file: &File, set: &Evidence, live: &Path) -> Outcome<()> {
    let Some(from) = set.copy_of("") else { return Ok(()) };
    let copying = |error| Failure::io(error, format!("writing {}", live.display())).at(live);
    let mut source = File::open(&from).map_err(copying)?;
    let (mut at, mut piece) = (0, vec![0; PIECE]);
    loop {
        let read = source.read(&mut piece).map_err(copying)?;
        let Some(part) = piece.get(..read).filter(|part| !part.is_empty()) else { break };
        file.write_all_at(part, at).map_err(copying)?;
        at += u64::try_from(read).unwrap_or_default();
    }
    file.set_len(at).and_then(|()| file.sync_all()).map_err(copying)
}
