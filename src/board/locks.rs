//! Hermes' two lock files beside a board: `<db>.init.lock` and `<db>.dispatch.lock`.
//!
//! Takes them with `flock` until a deadline and releases them on drop. They stop Hermes from opening a board for the first time
//! and from dispatching. They do not stop writers that have the board open (docs/board-format.md, 3.4). Not here: those
//! writers ([`super::holders`]).

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::files::lock_files;
use super::holders::Onlooker;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::process::signals::Signals;

/// Neither follow a link, which would have a file made anywhere, nor wait for the other end of a pipe.
const NEITHER: i32 = (OFlags::NOFOLLOW.bits() | OFlags::NONBLOCK.bits()).cast_signed();

/// How long to sleep between two tries.
const POLL: Duration = Duration::from_millis(50);

/// Both locks of a board, for the resolved and the unresolved spelling of its path; given back on drop.
#[derive(Debug)]
#[must_use = "the locks are given back when this is dropped"]
pub struct HermesLocks {
    held: Vec<File>,
}

impl HermesLocks {
    /// Takes the lock files of both spellings of a board's path before `deadline`.
    ///
    /// Hermes places them beside the path as it was given, so a board behind a symbolic link has two sets. Hermes
    /// walks through `.init.lock` after 10 seconds: hold them for the change alone.
    ///
    /// # Errors
    /// Exit 11 when one is held elsewhere until the deadline; 12 when one cannot be created; the signal's when one
    /// arrives while waiting.
    pub fn take(
        chosen: &Path,
        resolved: &Path,
        deadline: Instant,
        signals: &Signals,
        onlooker: &Onlooker,
    ) -> Outcome<Self> {
        let mut held = Vec::new();
        for path in lock_files(chosen, resolved) {
            let since = Instant::now();
            let taken =
                take_one(&path, resolved, deadline, signals, &mut || onlooker.waits(chosen, resolved, since));
            onlooker.over();
            held.push(taken?);
        }
        Ok(Self { held })
    }

    /// How many lock files are held: two, or four behind a symbolic link.
    pub fn count(&self) -> usize {
        self.held.len()
    }
}

fn take_one(
    path: &Path,
    board: &Path,
    deadline: Instant,
    signals: &Signals,
    waits: &mut dyn FnMut(),
) -> Outcome<File> {
    let new = OpenOptions::new().append(true).create_new(true).custom_flags(NEITHER).open(path);
    let opened = match new {
        Ok(file) => {
            give_to_owner(&file, board);
            Ok(file)
        }
        Err(_) => OpenOptions::new().append(true).create(true).custom_flags(NEITHER).open(path),
    };
    let file = opened.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::LOOP | Errno::NXIO) => {
            Failure::refused(format!("the lock file {} is a link or a pipe.", path.display()))
                .hint("Hermes makes plain files of that name; find out who put this one there and remove it.")
                .at(path)
        }
        _ => Failure::io(error, format!("opening the lock file {}", path.display())).at(path),
    })?;
    loop {
        if let Some(signal) = signals.received() {
            return Err(Failure::new(Exit::Interrupted(signal), "interrupted; nothing was changed.").at(path));
        }
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                waits();
                std::thread::sleep(POLL.min(deadline.saturating_duration_since(Instant::now())));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::busy(format!(
                    "another process holds {}; nothing was changed.",
                    path.display()
                ))
                .hint("Wait for it to finish, or give it longer with --timeout.")
                .at(path));
            }
            Err(TryLockError::Error(error)) => {
                return Err(Failure::io(error, format!("locking {}", path.display())).at(path));
            }
        }
    }
}

/// Give a lock file that this process made to the owner of the board, who has to open it later.
fn give_to_owner(file: &File, board: &Path) {
    if let Ok(meta) = std::fs::metadata(board).or_else(|_| std::fs::metadata(super::files::directory(board)))
    {
        // Only root can; for anybody else it is the same or stays.
        let _ = fchown(file, Some(meta.uid()), Some(meta.gid()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_is_busy_and_comes_free_on_drop() {
        let folder = tempfile::tempdir().unwrap();
        let board = folder.path().join("kanban.db");
        let now = Instant::now();
        let locks =
            HermesLocks::take(&board, &board, now, &Signals::default(), &Onlooker::default()).unwrap();
        assert_eq!(locks.count(), 2);
        let busy =
            HermesLocks::take(&board, &board, now, &Signals::default(), &Onlooker::default()).unwrap_err();
        assert_eq!(busy.exit(), crate::failure::exit::Exit::Busy);
        drop(locks);
        assert!(HermesLocks::take(&board, &board, now, &Signals::default(), &Onlooker::default()).is_ok());
    }
}
