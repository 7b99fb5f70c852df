//! Reports whether a Hermes gateway dispatches the boards under a root.
//!
//! A dispatching gateway holds `kanban/.dispatcher.lock` for its life. The lock is looked up in the kernel's list and never
//! tried: a try could make a gateway that starts at the same moment give up.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The dispatcher's lock, in Hermes' root.
const LOCK: &str = "kanban/.dispatcher.lock";
/// How far above a board's file its root can be: `kanban/boards/SLUG/kanban.db`.
const LEVELS: usize = 4;

/// True if a process holds the dispatcher's lock under `root`; nothing where the kernel's list cannot be read.
pub fn is_running(root: &Path) -> Option<bool> {
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let lock = std::fs::metadata(root.join(LOCK));
    Some(lock.is_ok_and(|lock| holder(&locks, lock.ino()).is_some()))
}

/// The process that dispatches the board at `database`, if it can be seen. It opens the board for moments only, so that
/// the list of open files seldom names it.
pub fn process_of(database: &Path) -> Option<u32> {
    let mut roots = database.ancestors().skip(1).take(LEVELS);
    let lock = roots.find_map(|root| std::fs::metadata(root.join(LOCK)).ok())?;
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    holder(&locks, lock.ino()).filter(|pid| *pid > 0)
}

/// The process that has an `flock` on this inode, 0 where it is in another namespace. The device is left out: on btrfs and
/// overlays `stat` and the list call it differently.
fn holder(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let holds = fields.next() == Some("FLOCK");
        // Not every kind of lock has a process.
        let pid = fields.nth(2)?.parse().unwrap_or(0);
        let file = fields.next()?.rsplit(':').next()?.parse::<u64>().ok()?;
        (holds && file == inode).then_some(pid)
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
        let board = root.path().join("kanban/boards/one/kanban.db");
        assert!(process_of(&board).is_none_or(|pid| pid == std::process::id()));
    }

    #[test]
    fn waiters_and_other_locks_do_not_count() {
        let list = "1: FLOCK  ADVISORY  WRITE 77 fe:00:5 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 78 fe:00:6 0 EOF\n\
                    2: POSIX  ADVISORY  READ 79 fe:00:7 128 128\n";
        assert_eq!(holder(list, 5), Some(77));
        assert!(holder(list, 6).is_none() && holder(list, 7).is_none());
    }
}
