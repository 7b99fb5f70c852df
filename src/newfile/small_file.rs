//! A small file put in its place whole: written beside it, brought to the disk, renamed.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::destination::{directory, temporary_name};
use super::{Audience, Temporary, clear_leftovers};
use crate::failure::{Failure, Outcome};

/// Put `bytes` in the place of the file `path`, which may be missing. One that is there keeps its mode and owner; a new one
/// gets its directory's owner.
///
/// # Errors
/// Exit 12 where a link or something else that is no file has the name; the file is as it was then.
pub fn put(path: &Path, bytes: &[u8]) -> Outcome<()> {
    let writing = |error| Failure::making(error, format!("writing {}", path.display())).at(path);
    let audience = match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => Some(Audience::of(path)),
        Ok(_) => {
            return Err(Failure::refused(format!(
                "{} is a link or no file; nothing was written.",
                path.display()
            ))
            .hint("Move it away; a plain file is put there then.")
            .at(path));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(writing(error)),
    };
    clear_leftovers(path);
    let unnamed = temporary_name(path)?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o666).open(&unnamed).map_err(writing)?;
    let mut temporary = Temporary::claim(unnamed.clone(), file);
    let mut file: &File = &temporary.at_work;
    file.write_all(bytes).map_err(writing)?;
    match audience {
        Some(audience) => audience.apply(file).map_err(writing)?,
        None => give_to_owner(file, directory(path)),
    }
    file.sync_all().and_then(|()| std::fs::rename(&unnamed, path)).map_err(writing)?;
    temporary.path = None;
    sync(directory(path)).map_err(writing)
}

/// Write a new file, whole or not at all.
///
/// # Errors
/// Exit 12 where something has the name.
pub fn put_new(path: &Path, bytes: &[u8]) -> Outcome<()> {
    let writing = |error| Failure::making(error, format!("writing {}", path.display())).at(path);
    super::refuse_existing(path)?;
    clear_leftovers(path);
    let unnamed = temporary_name(path)?;
    // Rows of a board are for its owner alone.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unnamed).map_err(writing)?;
    let mut temporary = Temporary::claim(unnamed.clone(), file);
    let mut file: &File = &temporary.at_work;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(writing)?;
    renameat_with(CWD, &unnamed, CWD, path, RenameFlags::NOREPLACE)
        .or_else(|error| super::link_instead(&unnamed, path, error))
        .map_err(writing)?;
    temporary.path = None;
    sync(directory(path)).map_err(writing)
}

/// Make a directory and those above it that are missing, each for the owner of the one it lies in.
///
/// # Errors
/// When one cannot be made.
pub fn make_directory(path: &Path) -> Outcome<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = directory(path);
    if above != path {
        make_directory(above)?;
    }
    let making = |error| Failure::making(error, format!("making the directory {}", path.display())).at(path);
    match std::fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => return Ok(()),
        other => other.map_err(making)?,
    }
    give_to_owner(&File::open(path).map_err(making)?, above);
    sync(above).map_err(making)
}

/// Bring a directory's names to the disk.
///
/// # Errors
/// When it cannot be opened, or the disk fails.
pub fn sync(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

fn give_to_owner(file: &File, directory: &Path) {
    if let Ok(meta) = std::fs::metadata(directory) {
        // Only root can; for anybody else it is the same or stays.
        let _ = fchown(file, Some(meta.uid()), Some(meta.gid()));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn file_is_replaced_with_its_mode_and_a_link_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("current");
        put(&path, b"a\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        put(&path, b"b\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"b\n");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(put(&link, b"c\n").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"b\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
