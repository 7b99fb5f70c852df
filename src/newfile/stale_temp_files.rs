//! Temporary files and folders that killed processes of kanbanctl left behind.
//!
//! Recognises them by name and leaves alone those whose process may still run. They never had a final name, so removing them
//! loses nothing.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use super::destination::{TEMPORARY, directory};

/// Removes what killed processes of ours left beside `database`: temporary files and folders under names of
/// `temporary_name`. What a living process may still be at work on stays.
pub fn clear_leftovers(database: &Path) {
    let (Some(name), Ok(entries)) = (database.file_name(), std::fs::read_dir(directory(database))) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if !is_temporary(name, &entry.file_name()) || is_at_work(&path, &entry.file_name()) {
            continue;
        }
        // Best effort: what cannot be removed carries our name and the number of a process that has gone.
        let _ = match entry.file_type() {
            Ok(kind) if kind.is_dir() => std::fs::remove_dir_all(&path),
            _ => std::fs::remove_file(&path),
        };
    }
}

fn is_temporary(database: &OsStr, name: &OsStr) -> bool {
    let rest = name.as_bytes().strip_prefix(b".").and_then(|rest| rest.strip_prefix(database.as_bytes()));
    rest.is_some_and(|rest| process_of(rest).is_some())
}

/// The process id in a temporary name.
fn process_of(name: &[u8]) -> Option<u32> {
    let at = name.windows(TEMPORARY.len()).rposition(|part| part == TEMPORARY.as_bytes())?;
    let (process, random) = std::str::from_utf8(name.get(at + TEMPORARY.len()..)?).ok()?.split_once('-')?;
    let random = random.get(..12)?;
    random.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| process.parse().ok())?
}

/// Whether a process may still be using a temporary file: its lock is held, or the process that the name states is one
/// of ours and the file is so young that its lock may not be taken yet.
fn is_at_work(path: &Path, name: &OsStr) -> bool {
    const YOUNG: Duration = Duration::from_mins(1);
    let Ok(file) = File::open(path) else { return true };
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return true;
    }
    let age = file.metadata().and_then(|meta| meta.modified()).ok().and_then(|time| time.elapsed().ok());
    process_of(name.as_bytes()).is_some_and(is_ours) && age.is_none_or(|age| age < YOUNG)
}

/// Whether the process runs a program of this one's name; another has been given the number since.
fn is_ours(pid: u32) -> bool {
    let called = |process: &str| std::fs::read(format!("/proc/{process}/comm")).ok();
    called(&pid.to_string()).is_some_and(|name| Some(name) == called("self"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::newfile::OwnFile;

    #[test]
    fn leftovers_of_the_dead_are_cleared_and_work_in_progress_stays() {
        let dir = tempfile::tempdir().unwrap();
        let board = dir.path().join("kanban.db");
        let at_work = OwnFile::beside(&board).unwrap();
        let dead =
            [".kanban.db.kanbanctl-4194305-0123456789ab", ".kanban.db.kanbanctl-4194305-0123456789ab-wal"];
        let others =
            [".kanban.db.swp", ".other.db.kanbanctl-4194305-0123456789ab", "kanban.db.kanbanctl-1-x"];
        for name in dead.iter().chain(&others) {
            std::fs::write(dir.path().join(name), b"x").unwrap();
        }
        std::fs::create_dir(dir.path().join(".kanban.db.evidence.kanbanctl-4194305-0123456789ab")).unwrap();
        clear_leftovers(&board);
        let left: Vec<String> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(left.len(), others.len() + 1, "{left:?}");
        assert!(others.iter().all(|name| left.contains(&(*name).to_owned())), "{left:?}");
        drop(at_work);
    }
}
