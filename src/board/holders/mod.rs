//! Who else has this board open, and how sure that is.
//!
//! Responsible for the question before anything that must not happen under another process: shrinking or leaving the
//! WAL, installing a rebuilt file. SQLite's own refusal is no answer: a process whose locks were lost (incidents.md
//! F11, F13) still writes, and only its descriptors show it. It leaves taking locks to [`super::locks`].
//!
//! Three sources: descriptors under `/proc/*/fd` by device and inode ([`proc_scan`]), `/proc/locks`, and `F_GETLK` on
//! SQLite's lock bytes ([`super::getlk`]), which tells without taking a lock. The last one opens and closes the files
//! and with that would drop this process's own locks on them, so it belongs before SQLite opens the board.

pub mod proc_scan;

use std::fmt;
use std::path::{Path, PathBuf};

use super::Inspection;
use super::files::with_suffix;
use super::getlk;
use crate::failure::{Failure, Outcome};

/// What a held file is to the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The database file.
    Db,
    /// The write-ahead log.
    Wal,
    /// The WAL index.
    Shm,
    /// The rollback journal.
    Journal,
    /// Hermes' `.init.lock`.
    InitLock,
    /// Hermes' `.dispatch.lock`.
    DispatchLock,
}

impl Role {
    /// Whether the file is part of the database, not only a lock file beside it.
    pub fn is_database(self) -> bool {
        !matches!(self, Self::InitLock | Self::DispatchLock)
    }
}

/// One file of the board in another process's hands.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HeldFile {
    /// What it is to the board.
    pub role: Role,
    /// Whether its name is gone, or belongs to another file by now: what is written there nobody else sees (F13).
    pub deleted: bool,
    /// The descriptor's number in that process; nothing when only a lock gave it away.
    pub fd: Option<u32>,
}

/// Another process that has the board open.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Holder {
    /// Its process id; nothing when it lives where this process cannot see (another pid namespace or machine).
    pub pid: Option<u32>,
    /// Its command line, as it calls itself: untrusted text.
    pub command: String,
    /// What it holds.
    pub files: Vec<HeldFile>,
    /// Since when the process runs, in Unix seconds. The board was opened then or later.
    pub since: Option<i64>,
}

/// Whether everybody who could hold the board was looked at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Completeness {
    /// Nobody can have been missed.
    Complete,
    /// Somebody may have been missed.
    Partial {
        /// Why, as a clause.
        reason: String,
    },
}

/// The answer of a scan.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Holders {
    /// Who was found, by process id.
    pub found: Vec<Holder>,
    /// Whether that is everybody.
    pub complete: Completeness,
}

/// One file to look for.
#[derive(Clone, Debug)]
pub struct Target {
    /// What it is to the board.
    pub role: Role,
    /// Its path beside the resolved database.
    pub path: PathBuf,
    /// Device and inode of the file that has this name now.
    pub identity: Option<(u64, u64)>,
}

/// Looks for holders in every way there is. Only before SQLite opens the board (see the module's head).
///
/// # Errors
/// When `/proc` or the board's own files cannot be read.
pub fn scan(inspection: &Inspection) -> Outcome<Holders> {
    scan_path(&inspection.board.path, &inspection.resolved)
}

/// [`scan`] for a board's path as chosen and as resolved.
///
/// # Errors
/// When `/proc` or the board's own files cannot be read.
pub fn scan_path(chosen: &Path, resolved: &Path) -> Outcome<Holders> {
    let mut holders = look(chosen, resolved)?;
    for (role, suffix) in [(Role::Db, ""), (Role::Shm, "-shm")] {
        if let Some(pid) = getlk::lock_holder(&with_suffix(resolved, suffix)) {
            holders.add_lock(role, u32::try_from(pid).ok().filter(|&pid| pid != 0));
        }
    }
    Ok(holders)
}

/// Looks for holders without opening any of the board's files: safe beside an open connection.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn look(chosen: &Path, resolved: &Path) -> Outcome<Holders> {
    let targets = targets(chosen, resolved);
    let mut holders = proc_scan::descriptors(&targets)?;
    let device =
        resolved.parent().and_then(|parent| super::filesystem::of(parent).ok()).and_then(|fs| fs.device);
    for (role, owner) in proc_scan::locks(&targets, device) {
        holders.add_lock(role, owner);
    }
    Ok(holders)
}

impl Holders {
    /// Whether it is proven that nobody else has a file of the database open.
    pub fn proof_of_none(&self) -> bool {
        self.complete == Completeness::Complete && self.of_database().next().is_none()
    }

    /// Those who hold the database or a sidecar, not only a lock file.
    pub fn of_database(&self) -> impl Iterator<Item = &Holder> {
        self.found.iter().filter(|holder| holder.files.iter().any(|file| file.role.is_database()))
    }

    /// Those who hold a file of the database whose name is gone.
    pub fn of_deleted(&self) -> impl Iterator<Item = &Holder> {
        self.found
            .iter()
            .filter(|holder| holder.files.iter().any(|file| file.deleted && file.role.is_database()))
    }

    /// Refuses (12), naming every holder, unless nobody holds the database. `unproven_is_fine` waives completeness,
    /// never a holder that was found.
    ///
    /// # Errors
    /// Exit 12.
    pub fn require_none(&self, doing: &str, unproven_is_fine: bool) -> Outcome<()> {
        let names: Vec<String> = self.of_database().map(ToString::to_string).collect();
        if !names.is_empty() {
            return Err(Failure::refused(format!(
                "the board is open elsewhere, so {doing} is refused: {}. Nothing was changed.",
                names.join("; ")
            ))
            .hint(
                "Stop these processes first (a gateway with `hermes gateway stop`), then run this again.",
            ));
        }
        match &self.complete {
            Completeness::Partial { reason } if !unproven_is_fine => Err(Failure::refused(format!(
                "it cannot be proven that nobody else has the board open, so {doing} is refused: {reason}. Nothing \
                 was changed."
            ))
            .hint("Run it as root, or, when every Hermes process is known to be stopped, add --assume-unused.")),
            _ => Ok(()),
        }
    }

    fn add_lock(&mut self, role: Role, owner: Option<u32>) {
        let file = HeldFile { role, deleted: false, fd: None };
        let known = self.found.iter_mut().find(|holder| match owner {
            Some(pid) => holder.pid == Some(pid),
            None => holder.files.iter().any(|held| held.role == role),
        });
        if let Some(holder) = known {
            if !holder.files.iter().any(|held| held.role == role) {
                holder.files.push(file);
            }
            return;
        }
        if owner == Some(std::process::id()) {
            return;
        }
        let (command, since) = owner.map_or_else(
            || ("unseen: another machine, container or pid namespace".to_owned(), None),
            |pid| (proc_scan::command(pid), proc_scan::started(pid)),
        );
        self.found.push(Holder { pid: owner, command, files: vec![file], since });
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid} ({})", self.command)?,
            None => write!(f, "a process ({})", self.command)?,
        }
        if self.files.iter().any(|file| file.deleted) {
            f.write_str(" with files that are deleted")?;
        }
        Ok(())
    }
}

fn targets(chosen: &Path, resolved: &Path) -> Vec<Target> {
    let database = [(Role::Db, ""), (Role::Wal, "-wal"), (Role::Shm, "-shm"), (Role::Journal, "-journal")];
    let beside = database.map(|(role, suffix)| (role, with_suffix(resolved, suffix)));
    let locks = super::locks::lock_files(chosen, resolved).into_iter().map(|path| {
        let init = path.as_os_str().as_encoded_bytes().ends_with(super::locks::SUFFIXES[0].as_bytes());
        (if init { Role::InitLock } else { Role::DispatchLock }, path)
    });
    beside
        .into_iter()
        .chain(locks)
        .map(|(role, path)| {
            use std::os::unix::fs::MetadataExt;
            let identity = std::fs::metadata(&path).ok().map(|meta| (meta.dev(), meta.ino()));
            Target { role, path, identity }
        })
        .collect()
}
