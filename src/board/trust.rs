//! Whose files are read and written without being named. In a directory that others may write to, a name proves nothing.
//!
//! Not here: modes and owners of what this program makes ([`crate::newfile`]).

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::failure::hint;
use crate::failure::{Failure, Outcome};

/// Say why the file or folder at `path`, which lies beside a board of user `owner`, is not believed. None where it is,
/// and where nothing is there.
pub(crate) fn objection(path: &Path, owner: Option<u32>) -> Option<String> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    if meta.is_symlink() {
        return Some("it is a symbolic link".to_owned());
    }
    (!is_known(&meta, owner)).then(|| {
        format!("it belongs to user {}, who is neither the board's owner nor root nor this user", meta.uid())
    })
}

/// True if the file is the board's owner's, root's or this user's.
pub(crate) fn is_known(meta: &Metadata, owner: Option<u32>) -> bool {
    let me = rustix::process::geteuid().as_raw();
    meta.uid() == 0 || meta.uid() == me || owner == Some(meta.uid())
}

/// The owner of the board's file, or where there is none of its directory.
pub(crate) fn owner_of(board: &Path) -> Option<u32> {
    let directory = || std::fs::metadata(super::files::directory(board));
    std::fs::metadata(board).or_else(|_| directory()).ok().map(|meta| meta.uid())
}

/// Refuse the file or folder at `path` beside `board` where it is not believed.
///
/// # Errors
/// Exit 12, naming it.
pub(crate) fn require(path: &Path, board: &Path) -> Outcome<()> {
    match objection(path, owner_of(board)) {
        None => Ok(()),
        Some(why) => Err(Failure::refused(format!("{} is not used: {why}.", path.display()))
            .hint(format_args!("Look at it with `ls -ld {}`; find out who put it there.", hint::quoted(path)))
            .at(path)),
    }
}

/// True if `path` is a symbolic link that another user made.
pub(crate) fn is_strange_link(path: &Path, owner: Option<u32>) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink() && !is_known(&meta, owner))
}
