//! Takes copies away, and nothing else: by the names that copies have, in the folder where they lie, never through a link,
//! and only while the files are the ones that were looked at.
//!
//! The order within a copy is WAL index, main file, log. Whenever the process is killed, what is left is either a whole copy,
//! or a log alone, which every verb takes for the copy that it is. The other way round a main file without its log
//! would be left, which looks like a whole copy of another content.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, open, statat, unlinkat};
use rustix::io::Errno;

use crate::board::Stamp;
use crate::board::copies;
use crate::failure::{Failure, Outcome};
use crate::salvage::source::SourceKind;
use crate::salvage::source::discovery::Member;

/// The folder with one kind of a board's copies.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
    path: PathBuf,
    board: PathBuf,
    kind: SourceKind,
}

/// What became of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It has gone.
    Gone,
    /// It is not what it was when it was looked at, and was left as it is.
    Changed,
}

impl Folder {
    /// The folder in which the copies of this kind of the board at `board` (resolved) lie.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn of(kind: SourceKind, board: &Path) -> Outcome<Self> {
        let path = match kind {
            SourceKind::Own => copies::own_directory(board),
            _ => board.parent().unwrap_or(Path::new("/")).to_path_buf(),
        };
        Self::at(kind, &path, board)
    }

    /// A folder that was named, with copies of this kind of the board at `board` (resolved).
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn at(kind: SourceKind, path: &Path, board: &Path) -> Outcome<Self> {
        let path = path.to_path_buf();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = open(&path, flags, Mode::empty())
            .map_err(|error| Failure::io(error.into(), "opening the folder").at(&path))?;
        Ok(Self { fd, path, board: board.to_path_buf(), kind })
    }

    /// Removes one copy with its sidecars.
    ///
    /// # Errors
    /// What the filesystem says; what could not be removed is still there.
    pub fn remove(&self, member: &Member) -> Outcome<Removed> {
        let Some(main) = member.path.file_name().filter(|main| self.is_copy(main)) else {
            return Err(Failure::refused("it is not named as a copy of this board; nothing was removed.")
                .at(&member.path));
        };
        if member.path.parent() != Some(&self.path) || member.is_linked {
            return Ok(Removed::Changed);
        }
        let with = |suffix: &str| {
            let mut name = main.to_os_string();
            name.push(suffix);
            name
        };
        let parts =
            [(with("-shm"), member.shm), (main.to_os_string(), member.main), (with("-wal"), member.wal)];
        for (name, stamp) in &parts {
            if !self.is_unchanged(name, *stamp)? {
                return Ok(Removed::Changed);
            }
        }
        for (name, _) in parts.iter().filter(|(_, stamp)| stamp.is_some()) {
            match unlinkat(&self.fd, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => {
                    return Err(Failure::io(error.into(), "removing the copy").at(&self.path.join(name)));
                }
            }
        }
        Ok(Removed::Gone)
    }

    fn is_copy(&self, main: &OsStr) -> bool {
        match self.kind {
            SourceKind::Own => copies::is_own_name(&copies::own_prefix(&self.board), main),
            SourceKind::Backup => {
                self.board.file_name().is_some_and(|board| copies::is_backup_name(board, main))
            }
            _ => false,
        }
    }

    /// Whether the name belongs to the file that had it when it was looked at.
    fn is_unchanged(&self, name: &OsString, then: Option<Stamp>) -> Outcome<bool> {
        let now = match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(now) => now,
            Err(Errno::NOENT) => return Ok(then.is_none()),
            Err(error) => {
                return Err(Failure::io(error.into(), "looking at the file").at(&self.path.join(name)));
            }
        };
        let Some(then) = then else { return Ok(false) };
        let nanoseconds = |seconds: i64, rest: u64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        let size = u64::try_from(now.st_size).unwrap_or(u64::MAX);
        Ok(FileType::from_raw_mode(now.st_mode) == FileType::RegularFile
            && (now.st_dev, now.st_ino, size) == (then.dev, then.ino, then.len)
            && nanoseconds(now.st_mtime, now.st_mtime_nsec) == then.mtime_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::files::with_suffix;
    use std::fs;

    struct Scene {
        _dir: tempfile::TempDir,
        board: PathBuf,
        copy: PathBuf,
    }

    fn scene() -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let board = dir.path().canonicalize().unwrap().join("kanban.db");
        let copy = with_suffix(&board, ".corrupt.20260501_101010.bak");
        for suffix in ["", "-wal", "-shm"] {
            fs::write(with_suffix(&copy, suffix), suffix).unwrap();
        }
        Scene { _dir: dir, board, copy }
    }

    #[test]
    fn a_copy_goes_with_its_sidecars() {
        let scene = scene();
        fs::write(&scene.board, b"board").unwrap();
        fs::write(with_suffix(&scene.board, "-wal"), b"log").unwrap();
        let folder = Folder::of(SourceKind::Backup, &scene.board).unwrap();
        let member = Member::at(scene.copy.clone()).unwrap();
        assert_eq!(folder.remove(&member).unwrap(), Removed::Gone);
        let left: Vec<_> = fs::read_dir(scene.board.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }

    #[test]
    fn what_is_no_copy_is_refused() {
        let scene = scene();
        fs::write(&scene.board, b"board").unwrap();
        let folder = Folder::of(SourceKind::Backup, &scene.board).unwrap();
        assert!(folder.remove(&Member::at(scene.board.clone()).unwrap()).is_err());
        let folder = Folder::of(SourceKind::Live, &scene.board).unwrap();
        assert!(folder.remove(&Member::at(scene.copy.clone()).unwrap()).is_err());
        assert!(scene.board.exists() && scene.copy.exists());
    }

    #[test]
    fn what_has_changed_or_is_a_link_stays() {
        let scene = scene();
        let folder = Folder::of(SourceKind::Backup, &scene.board).unwrap();
        let member = Member::at(scene.copy.clone()).unwrap();
        fs::write(with_suffix(&scene.copy, "-wal"), b"more frames").unwrap();
        assert_eq!(folder.remove(&member).unwrap(), Removed::Changed);
        let member = Member::at(scene.copy.clone()).unwrap();
        fs::remove_file(&scene.copy).unwrap();
        std::os::unix::fs::symlink("kanban.db", &scene.copy).unwrap();
        assert_eq!(folder.remove(&member).unwrap(), Removed::Changed);
        assert!(with_suffix(&scene.copy, "-wal").exists());
    }
}
