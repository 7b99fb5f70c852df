//! The destination of a new file: whether a file can be made there, and its temporary name.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

pub(crate) use crate::board::files::directory;
use crate::failure::{Failure, Outcome};
use crate::process::random;

/// What stands between a file's own name and the process in a temporary name.
pub(crate) const TEMPORARY: &str = ".kanbanctl-";

/// Refuses a destination that exists, as a file, a link or anything else, or that nothing can be made at.
///
/// # Errors
/// Exit 12.
pub fn require_destination(destination: &Path) -> Outcome<()> {
    refuse_existing(destination)?;
    let place = directory(destination);
    access(place.join("."), Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        Failure::making(error.into(), format!("making a file in {}", place.display()))
            .hint("Make that directory first or add --create-dirs, or name a file in another that you may write to.")
    })
}

/// Make the directory that `destination` lies in.
///
/// # Errors
/// Exit 12 where that is not possible.
pub fn create_directory_of(destination: &Path) -> Outcome<()> {
    let place = directory(destination);
    std::fs::create_dir_all(place)
        .map_err(|error| Failure::making(error, format!("creating {}", place.display())))
}

/// Refuses a destination that exists, as a file, a link or anything else.
///
/// # Errors
/// Exit 12.
pub fn refuse_existing(destination: &Path) -> Outcome<()> {
    if std::fs::symlink_metadata(destination).is_ok() {
        return Err(Failure::refused(format!("{} exists already.", destination.display()))
            .hint("Name a file that does not exist yet; nothing is ever overwritten."));
    }
    Ok(())
}

/// `.NAME.kanbanctl-PID-RANDOM` beside the destination.
///
/// # Errors
/// Exit 2 when `destination` names no file.
pub(crate) fn temporary_name(destination: &Path) -> Outcome<PathBuf> {
    let name = destination
        .file_name()
        .ok_or_else(|| Failure::usage(format!("{} names no file.", destination.display())))?;
    let mut bytes = [0_u8; 6];
    random::fill(&mut bytes)?;
    let random = bytes.iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!("{TEMPORARY}{}-{random:012x}", std::process::id()));
    Ok(directory(destination).join(hidden))
}
