//! A folder beside a board, held by a descriptor: what is made, given away or removed in it is in that very folder.
//!
//! In a directory of another user, a name can be led elsewhere between two calls. A descriptor cannot.
//!
//! Not here: whose folders are believed ([`super::trust`]).

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::Errno;

/// A folder and the directory that it lies in.
#[derive(Debug)]
pub(crate) struct OpenFolder {
    parent: File,
    held: File,
    path: PathBuf,
}

impl OpenFolder {
    /// Make the folder `path`, for this user alone.
    ///
    /// # Errors
    /// When it cannot be made, or when its name leads to another folder a moment later.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let parent = File::open(super::files::directory(path))?;
        rustix::fs::mkdirat(&parent, name(path)?, Mode::RWXU)?;
        let held = open_in(&parent, name(path)?)?;
        let meta = held.metadata()?;
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "another user put a folder in its place",
            ));
        }
        Ok(Self { parent, held, path: path.to_path_buf() })
    }

    /// Open the folder `path`, without following a link at its name.
    ///
    /// # Errors
    /// When it is not there, or no folder.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let parent = File::open(super::files::directory(path))?;
        let held = open_in(&parent, name(path)?)?;
        Ok(Self { parent, held, path: path.to_path_buf() })
    }

    /// Its path as it was given.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its descriptor.
    pub(crate) fn file(&self) -> &File {
        &self.held
    }

    /// Make a file in it that this user alone may use.
    ///
    /// # Errors
    /// When something has that name, or the file cannot be made.
    pub(crate) fn create_file(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.held, name, flags, Mode::RUSR | Mode::WUSR)?))
    }

    /// Remove the file `name` in it.
    pub(crate) fn remove_file(&self, name: &OsStr) {
        // One that is not there needs no removing.
        let _ = rustix::fs::unlinkat(&self.held, name, AtFlags::empty());
    }

    /// Give it to another owner, where this process may: only root can, and for anybody else it is the same.
    pub(crate) fn give(&self, uid: u32, gid: u32) {
        let _ = fchown(&self.held, Some(uid), Some(gid));
    }

    /// Give it the name `path` in the same directory, which must be free.
    ///
    /// # Errors
    /// `EXIST` where something has that name; when another folder got the name.
    pub(crate) fn rename(&mut self, path: &Path) -> Result<(), Errno> {
        let from = name(&self.path).map_err(|_| Errno::INVAL)?;
        let to = name(path).map_err(|_| Errno::INVAL)?;
        match rustix::fs::renameat_with(&self.parent, from, &self.parent, to, RenameFlags::NOREPLACE) {
            // Without such a rename: one that fails on anything but an empty folder.
            Err(Errno::INVAL | Errno::NOSYS)
                if rustix::fs::statat(&self.parent, to, AtFlags::SYMLINK_NOFOLLOW).is_err() =>
            {
                rustix::fs::renameat(&self.parent, from, &self.parent, to)?;
            }
            other => other?,
        }
        let named = rustix::fs::statat(&self.parent, to, AtFlags::SYMLINK_NOFOLLOW)?;
        let held = rustix::fs::fstat(&self.held)?;
        if (named.st_dev, named.st_ino) != (held.st_dev, held.st_ino) {
            return Err(Errno::STALE);
        }
        self.path = path.to_path_buf();
        Ok(())
    }

    /// Remove the folder and the files in it.
    pub(crate) fn remove(&self) {
        let entries = rustix::fs::Dir::read_from(&self.held).into_iter().flatten().flatten();
        let names: Vec<_> = entries.map(|entry| entry.file_name().to_owned()).collect();
        for file in names {
            let _ = rustix::fs::unlinkat(&self.held, file.as_c_str(), AtFlags::empty());
        }
        if let Ok(name) = name(&self.path) {
            // A folder that is not empty stays: it is another's.
            let _ = rustix::fs::unlinkat(&self.parent, name, AtFlags::REMOVEDIR);
        }
    }
}

fn name(path: &Path) -> io::Result<&OsStr> {
    path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}

fn open_in(parent: &File, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
    match rustix::fs::openat2(parent, name, flags, Mode::empty(), resolve) {
        Ok(held) => Ok(File::from(held)),
        // Kernels before 5.6, and sandboxes that do not know the call.
        Err(Errno::NOSYS | Errno::PERM) => {
            Ok(File::from(rustix::fs::openat(parent, name, flags, Mode::empty())?))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_is_made_in_the_folder_whatever_its_name_leads_to_by_then() {
        let dir = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (dir.path().join("evidence"), dir.path().join("elsewhere"));
        std::fs::create_dir(&elsewhere).unwrap();
        let folder = OpenFolder::create(&path).unwrap();
        std::fs::rename(&path, dir.path().join("moved")).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        folder.create_file(OsStr::new("kanban.db")).unwrap();
        assert!(dir.path().join("moved/kanban.db").exists());
        assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
        assert!(OpenFolder::open(&path).is_err(), "a link is no folder");
    }
}
