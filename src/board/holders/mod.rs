//! Who else has this board open, and how sure that is.
//!
//! Responsible for the question before anything that must not happen under another process: shrinking or leaving the
//! WAL, installing a rebuilt file. SQLite's own refusal is no answer: a process whose locks were lost (tests/incidents.md
//! F11, F13) still writes, and only its descriptors show it. It leaves taking locks to [`super::locks`], and
//! what is in a file that has lost its name to [`super::generation`].
//!
//! ```text
//!   descriptors    /proc/*/fd, /proc/*/task/*/fd, /proc/*/maps         who has what open
//!   belonging      inode, name, company                                what that is to the board
//!   lock_table     /proc/locks                                         who holds which lock
//!   waiting        /proc/locks, while a lock is waited for              who is in the way, for people
//!   coverage       users, pid namespaces, filesystems                  whether somebody can have been missed
//!   library        the libraries that a process has mapped              which SQLite it uses
//!   many           /proc/*/fd for any of thousands of files              whether a copy is in use
//! ```
//!
//! One more source opens and closes the board's files and with that would drop this process's own locks on them:
//! `F_GETLK` on SQLite's lock bytes ([`super::getlk`]). [`scan`] asks it and belongs before SQLite opens the board;
//! [`look`] does not and is safe at any time.

mod belonging;
mod coverage;
mod descriptors;
pub mod library;
mod lock_table;
pub mod many;
mod process;
mod waiting;

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Inspection;
use super::files::{LOCK_SUFFIXES, lock_files, with_suffix};
use super::getlk;
use crate::failure::{Failure, Outcome};

pub use descriptors::ProcessTable;
pub use waiting::{Onlooker, frame_holders};

/// What a held file is to the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HolderRole {
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

impl HolderRole {
    /// Whether the file is part of the database, not only a lock file beside it.
    pub fn is_database(self) -> bool {
        !matches!(self, Self::InitLock | Self::DispatchLock)
    }
}

/// One file of the board in another process's hands.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HeldFile {
    /// What it is to the board.
    pub role: HolderRole,
    /// Whether its name is gone, or belongs to another file by now: what is written there nobody else sees (F13).
    pub deleted: bool,
    /// Its name where that is none of the board's: a log beside a hard link or a bind mount, or one that was renamed.
    /// What is written there is not seen through the board's name either.
    pub other_name: Option<PathBuf>,
    /// Whether the process has it mapped into memory: cut under it, the process dies.
    #[serde(skip)]
    pub mapped: bool,
    /// The descriptor's number in that process; nothing when only a lock or a memory map gave it away.
    pub fd: Option<u32>,
    /// Where `/proc` leads to the file.
    #[serde(skip)]
    pub place: Option<PathBuf>,
    /// Which file it is.
    #[serde(skip)]
    pub identity: Option<Identity>,
}

impl HeldFile {
    /// Whether what is written to it is seen by nobody who opens the board by its name.
    pub fn is_apart(&self) -> bool {
        self.role.is_database()
            && self.role != HolderRole::Journal
            && (self.deleted || self.other_name.is_some())
    }
}

/// Which file something is: the same under every name that it has.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// Device number.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
    /// When the file was made, in seconds and nanoseconds, where the filesystem knows.
    pub birth: Option<(i64, u32)>,
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        (self.dev, self.ino) == (other.dev, other.ino)
    }
}

impl Eq for Identity {}

impl Identity {
    /// The file that `path` leads to now.
    pub fn of(path: &Path) -> Option<Self> {
        let meta = std::fs::metadata(path).ok()?;
        Some(Self { dev: meta.dev(), ino: meta.ino(), birth: None })
    }

    fn born(self, path: &Path) -> Self {
        Self { birth: Self::birth(path), ..self }
    }

    fn birth(path: &Path) -> Option<(i64, u32)> {
        use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
        let looked = statx(CWD, path, AtFlags::empty(), StatxFlags::BTIME).ok()?;
        let known = StatxFlags::from_bits_retain(looked.stx_mask).contains(StatxFlags::BTIME);
        known.then_some((looked.stx_btime.tv_sec, looked.stx_btime.tv_nsec))
    }
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
    pub role: HolderRole,
    /// Its path beside the resolved database.
    pub path: PathBuf,
    /// The file that has this name now.
    pub identity: Option<Identity>,
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
    holders.ask_locks(resolved);
    Ok(holders)
}

/// [`scan`] in what was read of the processes before. Who opened the board since is missing, and who has a log that was
/// replaced since seems to have it apart: such an answer is to be asked for again with [`scan`].
pub fn scan_in(table: &ProcessTable, inspection: &Inspection) -> Holders {
    let resolved = &inspection.resolved;
    let mut holders = look_in(table, &targets(&inspection.board.path, resolved), resolved);
    holders.ask_locks(resolved);
    holders
}

/// Looks for holders without opening any of the board's files: safe beside an open connection.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn look(chosen: &Path, resolved: &Path) -> Outcome<Holders> {
    let targets = targets(chosen, resolved);
    Ok(look_in(&ProcessTable::read()?, &targets, resolved))
}

fn look_in(table: &ProcessTable, targets: &[Target], resolved: &Path) -> Holders {
    let filesystem = super::filesystem::under(resolved);
    let mut holders = table.holders(targets, filesystem.as_ref());
    let device = filesystem.and_then(|filesystem| filesystem.device);
    for lock in lock_table::held(table.locks(), targets, device, process::me()) {
        holders.add_lock(lock.role, lock.pid);
    }
    holders
}

/// What process `pid` has open of the board, where a deleted file counts by its last name alone; nothing when it has nothing.
///
/// # Errors
/// Exit 13 when there is no such process, 12 when its files may not be looked at.
pub fn of_process(pid: u32, chosen: &Path, resolved: &Path) -> Outcome<Option<Holder>> {
    descriptors::of_process(pid, &targets(chosen, resolved))
}

/// Refuses (12), naming every holder, unless it is proven that no other process has the board open; `unproven_is_fine` waives
/// the proof, never a holder that was found. Only before SQLite opens the board.
///
/// # Errors
/// Exit 12; when `/proc` cannot be read.
pub fn require_none(inspection: &Inspection, doing: &str, unproven_is_fine: bool) -> Outcome<()> {
    let refusal = scan(inspection)?.require_none(doing, unproven_is_fine);
    refusal.map_err(|failure| failure.at(&inspection.resolved))
}

impl Holders {
    /// Those who hold the database or a sidecar, not only a lock file.
    pub fn of_database(&self) -> impl Iterator<Item = &Holder> {
        self.found.iter().filter(|holder| holder.files.iter().any(|file| file.role.is_database()))
    }

    /// Those who hold a file of the database whose name is gone or another than the board's.
    pub fn of_apart(&self) -> impl Iterator<Item = &Holder> {
        self.found.iter().filter(|holder| holder.files.iter().any(HeldFile::is_apart))
    }

    /// Refuses (12), naming every holder, unless nobody holds the database. `unproven_is_fine` waives completeness,
    /// never a holder that was found.
    ///
    /// # Errors
    /// Exit 12.
    pub fn require_none(&self, doing: &str, unproven_is_fine: bool) -> Outcome<()> {
        let names: Vec<String> = self.of_database().map(ToString::to_string).collect();
        if !names.is_empty() {
            let refused = Failure::refused(format!(
                "the board is open elsewhere, so {doing} is refused: {}. Nothing was changed.",
                names.join("; ")
            ));
            if self.of_apart().next().is_some() {
                // What only they have ends with them.
                return Err(refused
                    .hint("Do not stop them yet: save what only they have with `kanbanctl recover --output NEW.db`.")
                    .hint("Then stop them, and put that file in the board's place with `kanbanctl restore NEW.db`."));
            }
            return Err(refused.hint(
                "Stop these processes first (a gateway with `hermes gateway stop`), then run this again.",
            ));
        }
        match &self.complete {
            Completeness::Partial { reason } if !unproven_is_fine => Err(Failure::refused(format!(
                "it cannot be proven that no other process has the board open, so {doing} is refused: {reason}. Nothing \
                 was changed."
            ))
            .hint(
                "Run it where nobody is out of sight (as root, outside of the container, on the disk's own machine and path), \
                 or, when every Hermes process is known to be stopped, add --assume-unused.",
            )),
            _ => Ok(()),
        }
    }

    /// Adds who has locks that `F_GETLK` tells of.
    fn ask_locks(&mut self, resolved: &Path) {
        for (role, suffix) in [(HolderRole::Db, ""), (HolderRole::Shm, "-shm")] {
            if let Some(pid) = getlk::lock_holder(&with_suffix(resolved, suffix)) {
                self.add_lock(role, u32::try_from(pid).ok().filter(|&pid| pid != 0));
            }
        }
    }

    fn add_lock(&mut self, role: HolderRole, owner: Option<u32>) {
        let file = HeldFile {
            role,
            deleted: false,
            other_name: None,
            mapped: false,
            fd: None,
            place: None,
            identity: None,
        };
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
        let (command, since) = owner.map_or_else(
            || ("unseen: another machine, container or pid namespace".to_owned(), None),
            |pid| (process::command(pid), process::started(pid)),
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
        if self.files.iter().any(|file| file.other_name.is_some()) {
            f.write_str(" with a log under another name")?;
        }
        Ok(())
    }
}

fn targets(chosen: &Path, resolved: &Path) -> Vec<Target> {
    let database = [
        (HolderRole::Db, ""),
        (HolderRole::Wal, "-wal"),
        (HolderRole::Shm, "-shm"),
        (HolderRole::Journal, "-journal"),
    ];
    let beside = database.map(|(role, suffix)| (role, with_suffix(resolved, suffix)));
    let locks = lock_files(chosen, resolved).into_iter().map(|path| {
        let init = path.as_os_str().as_encoded_bytes().ends_with(LOCK_SUFFIXES[0].as_bytes());
        (if init { HolderRole::InitLock } else { HolderRole::DispatchLock }, path)
    });
    beside
        .into_iter()
        .chain(locks)
        .map(|(role, path)| {
            let identity = Identity::of(&path).map(|identity| identity.born(&path));
            Target { role, path, identity }
        })
        .collect()
}
