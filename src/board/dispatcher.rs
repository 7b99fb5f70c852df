//! Reports whether a Hermes gateway dispatches the boards under a root.
//!
//! A dispatching gateway holds `kanban/.dispatcher.lock` for its life. The lock is looked up in the kernel's list and never
//! tried: a try could make a gateway that starts at the same moment give up.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whether somebody holds the dispatcher's lock under `root`; nothing where the kernel's list cannot be read.
pub fn is_running(root: &Path) -> Option<bool> {
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let lock = std::fs::metadata(root.join("kanban/.dispatcher.lock"));
    Some(lock.is_ok_and(|lock| is_flocked(&locks, lock.ino())))
}

/// Whether the list has an `flock` on this inode. The device is left out: on btrfs and overlays `stat` and the list call
/// it differently.
fn is_flocked(locks: &str, inode: u64) -> bool {
    locks.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let holds = fields.next() == Some("FLOCK");
        let file = fields.nth(3).and_then(|file| file.rsplit(':').next()?.parse::<u64>().ok());
        holds && file == Some(inode)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_seen_while_it_is_held() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("kanban")).unwrap();
        assert_ne!(is_running(root.path()), Some(true));
        let lock = std::fs::File::create(root.path().join("kanban/.dispatcher.lock")).unwrap();
        assert_ne!(is_running(root.path()), Some(true));
        lock.lock().unwrap();
        assert_ne!(is_running(root.path()), Some(false));
    }

    #[test]
    fn waiters_and_other_locks_do_not_count() {
        let list = "1: FLOCK  ADVISORY  WRITE 77 fe:00:5 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 78 fe:00:6 0 EOF\n\
                    2: POSIX  ADVISORY  READ 79 fe:00:7 128 128\n";
        assert!(is_flocked(list, 5));
        assert!(!is_flocked(list, 6) && !is_flocked(list, 7));
    }
}
