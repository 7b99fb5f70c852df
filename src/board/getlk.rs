//! POSIX record locks: asks for them with `F_GETLK` and never takes one.
//!
//! Asking makes no other process wait. Opening and closing the file drops this process's own locks on it (F11), so the
//! question is asked before SQLite opens the board.

use std::fs::File;
use std::path::Path;

use rustix::process::{Flock, FlockType, fcntl_getlk};

use crate::ondisk::header::LOCK_BYTES_AT;

/// The lock byte behind PENDING ("File Locking And Concurrency", `os.h`).
const RESERVED_BYTE: u64 = LOCK_BYTES_AT + 1;

/// The process that holds a lock on `path`, as the kernel numbers it here; 0 when it cannot be seen from here.
/// Nothing when nobody holds one or the file cannot be read.
pub fn lock_holder(path: &Path) -> Option<i32> {
    let file = File::open(path).ok()?;
    // A lock of a file description has no process: the kernel says -1, on which rustix would assert in debug builds
    // (Cargo.toml keeps it from that).
    let found = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock)).ok()??;
    Some(found.pid.map_or(0, |pid| pid.as_raw_nonzero().get().max(0)))
}

/// Whether a process is in the middle of a writing transaction on the database: from its first change to its end it has
/// SQLite's RESERVED lock.
pub fn is_written_to(database: &Path) -> bool {
    let Ok(file) = File::open(database) else { return false };
    let reserved = Flock { start: RESERVED_BYTE, length: 1, ..Flock::from(FlockType::WriteLock) };
    fcntl_getlk(&file, &reserved).is_ok_and(|holder| holder.is_some())
}

/// Whether any process has a POSIX lock on the database or its `-shm`: an idle WAL connection holds one on both, and
/// one whose database locks were lost still holds the one on `-shm` (docs/board-format.md, 9.1).
pub fn anyone_locked(database: &Path) -> bool {
    let shm = super::files::with_suffix(database, "-shm");
    lock_holder(database).is_some() || lock_holder(&shm).is_some()
}
