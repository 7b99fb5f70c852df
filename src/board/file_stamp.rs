//! What `stat` says of a file. Two equal stamps mean that the file was neither written nor replaced in between
//! (docs/architecture.md, rule 8).

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::failure::{Failure, Outcome};

/// What `stat` says of a file; two equal stamps mean that nobody wrote in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Device number.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
    /// Length in bytes.
    pub len: u64,
    /// Last modification, in nanoseconds since 1970.
    pub mtime_ns: i128,
    /// Last change of the inode, in nanoseconds since 1970.
    pub ctime_ns: i128,
    /// Number of names.
    pub nlink: u64,
    /// Type and permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
}

impl Stamp {
    /// The stamp of what `path` leads to; nothing when nothing is there.
    ///
    /// # Errors
    /// When `stat` fails for another reason than absence.
    pub fn of(path: &Path) -> Outcome<Option<Self>> {
        let looked = std::fs::metadata(path).and_then(|meta| {
            // A filesystem in user space answers from its cache: a name that went a moment ago still counts there.
            if meta.nlink() > 1 && asked_anew(path) { std::fs::metadata(path) } else { Ok(meta) }
        });
        match looked {
            Ok(meta) => Ok(Some(Self::from_metadata(&meta))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::io(error, format!("looking at {}", path.display())).at(path)),
        }
    }

    /// The stamp that `meta` gives.
    pub fn from_metadata(meta: &Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            dev: meta.dev(),
            ino: meta.ino(),
            len: meta.len(),
            mtime_ns: nanoseconds(meta.mtime(), meta.mtime_nsec()),
            ctime_ns: nanoseconds(meta.ctime(), meta.ctime_nsec()),
            nlink: meta.nlink(),
            mode: meta.mode(),
            uid: meta.uid(),
        }
    }
}

/// Has the kernel ask the filesystem itself; whether it did.
fn asked_anew(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    statx(CWD, path, AtFlags::STATX_FORCE_SYNC, StatxFlags::BASIC_STATS).is_ok()
}
