//! A private folder beside a board, for trials on its filesystem.
//!
//! Only this user may enter it. It is removed with everything in it. The next folder of the same purpose also removes what a
//! killed process left. A living owner is recognised by its `flock` on the folder, never by a process id, which may belong to
//! another container.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::failure::{Failure, Outcome};

/// What every such folder's name begins with; its purpose follows.
const PREFIX: &str = ".kanbanctl-";

/// How often another name is tried when a sweep by another process took the folder before it was locked.
const TRIES: usize = 5;

/// The folder, removed with its contents when this goes out of scope.
#[derive(Debug)]
pub struct ScratchDir {
    path: PathBuf,
    keep: bool,
    // The lock that says that somebody lives here.
    _owner: File,
}

impl ScratchDir {
    /// A fresh folder in `directory` for `purpose`, a word that its name carries. Abandoned ones are removed first.
    ///
    /// # Errors
    /// Exit 12 when `directory` is not there, or nothing may or can be made in it.
    pub fn create(directory: &Path, purpose: &str) -> Outcome<Self> {
        let making = |error| {
            Failure::making(error, format!("making a scratch folder in {}", directory.display()))
                .at(directory)
        };
        sweep(directory, purpose);
        for _ in 0..TRIES {
            let moment = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
            let path = directory.join(format!("{PREFIX}{purpose}-{}-{moment:x}", std::process::id()));
            DirBuilder::new().mode(0o700).create(&path).map_err(making)?;
            let owner = match File::open(&path) {
                Ok(owner) => owner,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => {
                    let _ = std::fs::remove_dir(&path);
                    return Err(making(error));
                }
            };
            // Where folders cannot be locked nobody can lock it to sweep it either.
            let swept = matches!(owner.try_lock(), Err(TryLockError::WouldBlock)) || !path.exists();
            if !swept {
                return Ok(Self { path, keep: false, _owner: owner });
            }
            let _ = std::fs::remove_dir(&path);
        }
        Err(Failure::busy(format!("scratch folders in {} vanish as they are made.", directory.display()))
            .hint("Try again.")
            .at(directory))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the folder where it is when this goes out of scope.
    pub fn keep(&mut self) {
        self.keep = true;
    }

    /// Whether `path` is a folder for `purpose` whose owner lives.
    pub fn is_lived_in(path: &Path, purpose: &str) -> bool {
        let named = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(&format!("{PREFIX}{purpose}-")));
        named
            && File::open(path).is_ok_and(|folder| matches!(folder.try_lock(), Err(TryLockError::WouldBlock)))
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        if !self.keep {
            // A leftover is scratch under a name that says so, and the next folder's sweep takes it.
            let _ = std::fs::remove_dir_all(&self.path).or_else(|_| std::fs::remove_dir_all(&self.path));
        }
    }
}

/// Removes the folders of this user's that nobody lives in.
fn sweep(directory: &Path, purpose: &str) {
    let beginning = format!("{PREFIX}{purpose}-");
    let own = rustix::process::geteuid().as_raw();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(&beginning))
            && entry.metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == own);
        if !ours {
            continue;
        }
        let path = entry.path();
        if let Ok(folder) = File::open(&path)
            && folder.try_lock().is_ok()
        {
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_with_its_contents_and_abandoned_ones_go_first() {
        let home = tempfile::tempdir().unwrap();
        let abandoned = home.path().join(".kanbanctl-trial-1-2");
        std::fs::create_dir(&abandoned).unwrap();
        std::fs::write(abandoned.join("scratch.db"), b"x").unwrap();
        let other = home.path().join(".kanbanctl-stress-1-2");
        std::fs::create_dir(&other).unwrap();
        let first = ScratchDir::create(home.path(), "trial").unwrap();
        assert!(!abandoned.exists() && other.exists());
        std::fs::write(first.path().join("file"), b"x").unwrap();
        let second = ScratchDir::create(home.path(), "trial").unwrap();
        assert!(first.path().exists(), "a folder whose owner lives was swept");
        assert!(ScratchDir::is_lived_in(second.path(), "trial"));
        assert!(!ScratchDir::is_lived_in(&other, "stress"));
        drop((first, second));
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn it_can_be_kept() {
        let home = tempfile::tempdir().unwrap();
        let mut folder = ScratchDir::create(home.path(), "trial").unwrap();
        folder.keep();
        let path = folder.path().to_path_buf();
        drop(folder);
        assert!(path.exists());
    }
}
