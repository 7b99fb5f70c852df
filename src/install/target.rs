//! The place of an install: whether it is allowed, whether there is room, whether the file is unchanged.
//!
//! All refusals here come before anything is touched. Not here: who has the board open ([`crate::board::holders`]).

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Access, access};
use rustix::io::Errno;

use crate::board::{Inspection, Sidecar, Sidecars, Stamp, filesystem};
use crate::failure::count::size;
use crate::failure::hint;
use crate::failure::{Failure, Outcome};
use crate::newfile::directory;

/// The permission bit without which a board's owner has taken it out of use (tests/incidents.md F33).
const OWNER_MAY_WRITE: u32 = 0o200;

/// Refuses places where writing over the board would reach another file, change who may use it, or end half way.
///
/// # Errors
/// Exit 12, with the way out.
pub fn require_installable(seen: &Inspection) -> Outcome<()> {
    let path = &seen.board.path;
    if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink()) {
        return Err(refused(
            seen,
            format_args!("{} is a symbolic link; only a board's own file is replaced", path.display()),
        )
        .hint(format_args!(
            "Stop Hermes, then name the file itself with `--db {}`.",
            hint::quoted(&seen.resolved)
        )));
    }
    for (name, sidecar) in [("-wal", &seen.sidecars.wal), ("-journal", &seen.sidecars.journal)] {
        let Some(sidecar) = sidecar else { continue };
        let plain =
            std::fs::symlink_metadata(&sidecar.path).is_ok_and(|meta| meta.is_file() && meta.nlink() == 1);
        if !plain {
            return Err(refused(seen, format_args!("the {name} beside the board is no file of its own"))
                .hint(format_args!("Look at it with `ls -l {}*`.", hint::quoted(&seen.resolved))));
        }
    }
    if let Some(stamp) = seen.stamp {
        require_own_file(seen, stamp)?;
    }
    let folder = directory(&seen.resolved);
    access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        refused(seen, format_args!("the directory {} cannot be written ({error})", folder.display()))
            .hint("Make it writable for the board's owner, or build a new file elsewhere with `kanbanctl recover --output NEW.db`.")
    })
}

fn require_own_file(seen: &Inspection, stamp: Stamp) -> Outcome<()> {
    if stamp.nlink > 1 {
        return Err(refused(seen, format_args!("the board's file has {} names (hard links)", stamp.nlink))
            .hint(hint::OF_SEVERAL_NAMES));
    }
    let me = rustix::process::geteuid();
    if stamp.uid != me.as_raw() && !me.is_root() {
        return Err(refused(
            seen,
            format_args!("the board belongs to user {}, and this is user {}", stamp.uid, me.as_raw()),
        )
        .hint(format_args!(
            "Run it as the board's owner, with `--db {}`; `sudo -u '#{}' -s` gives a shell.",
            hint::quoted(&seen.board.path),
            stamp.uid
        )));
    }
    let usable = access(&seen.resolved, Access::READ_OK | Access::WRITE_OK);
    if usable == Err(Errno::ROFS) {
        return Err(refused(seen, format_args!("the board is on a read-only filesystem"))
            .hint(format_args!("See why with `findmnt -T {}`.", hint::quoted(&seen.resolved)))
            .hint("Build a new file on another filesystem with `kanbanctl recover --output NEW.db`."));
    }
    if stamp.mode & OWNER_MAY_WRITE == 0 || usable.is_err() {
        return Err(refused(seen, format_args!("the board is read-only (mode {:04o})", stamp.mode & 0o7777))
            .hint(format_args!(
                "If it may be replaced, make it writable first: `chmod u+w {}`.",
                hint::quoted(&seen.resolved)
            )));
    }
    Ok(())
}

fn refused(seen: &Inspection, why: fmt::Arguments<'_>) -> Failure {
    Failure::refused(format_args!("{why}. Nothing was touched.")).at(&seen.resolved)
}

/// What an install takes on the board's filesystem, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// The new file, under its temporary name.
    pub new: u64,
    /// The copies of what is there now.
    pub evidence: u64,
    /// SQLite's log of the change, and what the board grows by.
    pub log: u64,
}

impl Space {
    /// For a new file of `new` bytes in the place of what was `seen`.
    pub fn of(seen: &Inspection, new: u64) -> Self {
        let length = |stamp: Option<Stamp>| stamp.map_or(0, |stamp| stamp.len);
        let old = length(seen.stamp);
        let sidecars = [&seen.sidecars.wal, &seen.sidecars.shm, &seen.sidecars.journal];
        let beside: u64 = sidecars.iter().map(|sidecar| length(sidecar.as_ref().map(|it| it.stamp))).sum();
        // Frames and journal records are some bytes longer than their pages.
        let log = old.max(new) / 64 * 65 + new.saturating_sub(old);
        Self { new, evidence: old + beside, log }
    }

    fn total(self) -> u64 {
        self.new + self.evidence + self.log
    }

    /// Refuses when the filesystem has less; `built` says that the new file is there already.
    ///
    /// # Errors
    /// Exit 12 with the figures; when the directory cannot be resolved.
    pub fn require(self, seen: &Inspection, built: bool) -> Outcome<()> {
        let folder = directory(&seen.resolved);
        let under = filesystem::of(folder)?;
        let needed = if built { self.total() - self.new } else { self.total() };
        let Some(free) = under.free_bytes.filter(|&free| free < needed) else { return Ok(()) };
        Err(refused(
            seen,
            format_args!(
                "there is not enough space on {}: {} are needed ({} for the new file, {} for copies of what is \
                 there now, {} for SQLite's log), {} are free",
                under.mount_point.display(),
                size(needed),
                size(self.new),
                size(self.evidence),
                size(self.log),
                size(free)
            ),
        )
        .hint(format_args!("Free space on {}.", under.mount_point.display()))
        .hint("Build a new file on another filesystem with `kanbanctl recover --output NEW.db`."))
    }
}

/// Whether database, WAL and rollback journal are the very files that were `seen`, and nobody wrote to them.
///
/// # Errors
/// When they cannot be looked at.
pub fn is_unchanged(seen: &Inspection) -> Outcome<bool> {
    let beside = Sidecars::beside(&seen.resolved)?;
    // A reader that is root gives the log its owner anew whenever it opens it, which moves ctime alone.
    let stamp = |sidecar: &Option<Sidecar>| sidecar.as_ref().map(|it| Stamp { ctime_ns: 0, ..it.stamp });
    Ok(Stamp::of(&seen.resolved)? == seen.stamp
        && stamp(&beside.wal) == stamp(&seen.sidecars.wal)
        && stamp(&beside.journal) == stamp(&seen.sidecars.journal)
        && !std::fs::symlink_metadata(&seen.resolved).is_ok_and(|meta| meta.is_symlink()))
}

/// Waits until the directory of `path` is on the disk: names that were added or removed there.
///
/// # Errors
/// When it cannot be synced.
pub fn sync_directory(path: &Path) -> Outcome<()> {
    let folder = directory(path);
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| Failure::io(error, format!("syncing {}", folder.display())).at(path))
}
