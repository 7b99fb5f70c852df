//! What a file that a process has open is to the board.
//!
//! ```text
//!   same device and inode as a name of the board          it is that file, whatever the process calls it
//!   named like a database that the process holds + -wal   its log; deleted, or under another name (hard link, bind mount)
//!   named like the board's own file, and deleted          an earlier generation of it
//! ```
//!
//! Responsible for that judgement over values alone. Who has what open is found out by [`super::descriptors`].

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{HeldFile, HolderRole, Identity, Target};

/// What SQLite appends to a database's name.
const SIDECARS: [(HolderRole, &[u8]); 3] =
    [(HolderRole::Wal, b"-wal"), (HolderRole::Shm, b"-shm"), (HolderRole::Journal, b"-journal")];

/// One file that a process has open.
#[derive(Clone, Debug)]
pub(super) struct Open {
    /// The descriptor; nothing when it is only mapped into memory.
    pub(super) fd: Option<u32>,
    /// Where `/proc` leads to it, when that can be followed.
    pub(super) place: Option<PathBuf>,
    /// What the process calls it.
    pub(super) name: PathBuf,
    /// Whether that name is gone.
    pub(super) deleted: bool,
    pub(super) identity: Identity,
}

/// What one process has open.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) open: Vec<Open>,
    pub(super) view: View,
}

/// What a path of the process's means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// The same as here.
    Ours,
    /// Something else: it has mounts of its own.
    Foreign,
    /// The operator has said that a file of the board's name is the board's.
    Named,
}

/// The files in `files` that belong to the board of `targets`, each once. `now` looks at a path again: a log can have been
/// made since the targets were looked at.
pub(super) fn of_board(
    files: &Files,
    targets: &[Target],
    now: impl Fn(&Path) -> Option<Identity>,
) -> Vec<HeldFile> {
    let mut held: Vec<HeldFile> = Vec::new();
    let mut rest = Vec::new();
    let mut databases = Vec::new();
    for open in &files.open {
        match targets.iter().find(|target| target.identity == Some(open.identity)) {
            Some(target) => {
                if target.role == HolderRole::Db {
                    databases.push(open.name.as_path());
                }
                add(&mut held, open, target.role, false, None);
            }
            None => rest.push(open),
        }
    }
    let device = targets.iter().find_map(|target| target.identity).map(|identity| identity.dev);
    let on_device = |open: &Open| device.is_none_or(|device| device == open.identity.dev);
    let is_earlier = |open: &Open, target: &Target| {
        let named_so = match files.view {
            View::Ours => target.path == open.name && on_device(open),
            View::Foreign => false,
            View::Named => target.path.file_name() == open.name.file_name(),
        };
        open.deleted && named_so && target.role.is_database()
    };
    for open in &rest {
        if let Some(target) = targets.iter().find(|target| is_earlier(open, target)) {
            if target.role == HolderRole::Db {
                databases.push(open.name.as_path());
            }
            add(&mut held, open, target.role, true, None);
        }
    }
    let names: HashSet<&Path> = files.open.iter().map(|open| open.name.as_path()).collect();
    let has_log = held.iter().any(|file| file.role == HolderRole::Wal);
    for open in rest {
        let Some((role, database)) = sidecar(&open.name) else { continue };
        // A log that was renamed keeps its database's descriptor as company, and no database of its own.
        let renamed =
            role == HolderRole::Wal && !has_log && !databases.is_empty() && !names.contains(database);
        if !databases.contains(&database) && !renamed {
            continue;
        }
        let target = targets.iter().find(|target| target.role == role);
        let is_current = || target.and_then(|target| now(&target.path)) == Some(open.identity);
        if open.deleted {
            add(&mut held, open, role, true, None);
        } else if is_current() {
            add(&mut held, open, role, false, None);
        } else {
            add(&mut held, open, role, false, Some(open.name.clone()));
        }
    }
    held
}

fn add(held: &mut Vec<HeldFile>, open: &Open, role: HolderRole, deleted: bool, other_name: Option<PathBuf>) {
    let mapped = open.fd.is_none();
    let same = |file: &&mut HeldFile| file.role == role && file.identity == Some(open.identity);
    if let Some(known) = held.iter_mut().find(same) {
        known.mapped |= mapped;
        return;
    }
    held.push(HeldFile {
        role,
        deleted,
        other_name,
        mapped,
        fd: open.fd,
        place: open.place.clone(),
        identity: Some(open.identity),
    });
}

/// The role that a name's end gives, and the database's name before it.
fn sidecar(name: &Path) -> Option<(HolderRole, &Path)> {
    let bytes = name.as_os_str().as_bytes();
    SIDECARS.iter().find_map(|(role, suffix)| {
        let database = bytes.strip_suffix(*suffix).filter(|name| !name.is_empty())?;
        Some((*role, Path::new(OsStr::from_bytes(database))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(ino: u64) -> Identity {
        Identity { dev: 1, ino, birth: None }
    }

    fn open(name: &str, ino: u64) -> Open {
        let (name, deleted) = name.strip_suffix(" (deleted)").map_or((name, false), |name| (name, true));
        Open { fd: Some(3), place: None, name: name.into(), deleted, identity: identity(ino) }
    }

    fn board() -> Vec<Target> {
        [
            (HolderRole::Db, "/b/kanban.db", 10),
            (HolderRole::Wal, "/b/kanban.db-wal", 11),
            (HolderRole::Shm, "/b/kanban.db-shm", 12),
        ]
        .map(|(role, path, ino)| Target { role, path: path.into(), identity: Some(identity(ino)) })
        .into()
    }

    /// Role, whether deleted, other name of what belongs to the board.
    fn judged(open: Vec<Open>, view: View) -> Vec<(HolderRole, bool, Option<PathBuf>)> {
        let files = Files { open, view };
        of_board(&files, &board(), |_| None)
            .into_iter()
            .map(|file| (file.role, file.deleted, file.other_name))
            .collect()
    }

    #[test]
    fn a_file_is_known_by_its_inode_whatever_it_is_called() {
        let found = judged(vec![open("/x/else.db", 10), open("/b/kanban.db-shm", 12)], View::Ours);
        assert_eq!(found, [(HolderRole::Db, false, None), (HolderRole::Shm, false, None)]);
        // One of two names of the file has been deleted: the file is there all the same.
        assert_eq!(
            judged(vec![open("/x/else.db (deleted)", 10)], View::Ours),
            [(HolderRole::Db, false, None)]
        );
    }

    #[test]
    fn a_deleted_log_beside_a_held_database_is_the_boards_in_any_mount_namespace() {
        let files = || vec![open("/data/k.db", 10), open("/data/k.db-wal (deleted)", 99)];
        for view in [View::Ours, View::Foreign] {
            assert_eq!(judged(files(), view), [(HolderRole::Db, false, None), (HolderRole::Wal, true, None)]);
        }
    }

    #[test]
    fn an_earlier_generation_is_known_by_its_name_where_names_mean_the_same() {
        let files = || vec![open("/b/kanban.db (deleted)", 98), open("/b/kanban.db-wal (deleted)", 99)];
        assert_eq!(
            judged(files(), View::Ours),
            [(HolderRole::Db, true, None), (HolderRole::Wal, true, None)]
        );
        assert_eq!(judged(files(), View::Foreign), []);
        let mut elsewhere = files();
        for file in &mut elsewhere {
            file.identity.dev = 7;
        }
        assert_eq!(judged(elsewhere.clone(), View::Ours), []);
        assert_eq!(judged(elsewhere, View::Named).len(), 2);
    }

    #[test]
    fn a_log_under_another_name_of_the_database_is_told_apart() {
        let found = judged(vec![open("/x/else.db", 10), open("/x/else.db-wal", 99)], View::Ours);
        assert_eq!(
            found,
            [(HolderRole::Db, false, None), (HolderRole::Wal, false, Some("/x/else.db-wal".into()))]
        );
    }

    #[test]
    fn a_log_that_was_made_just_now_is_the_current_one() {
        let files =
            Files { open: vec![open("/b/kanban.db", 10), open("/b/kanban.db-wal", 99)], view: View::Ours };
        let found = of_board(&files, &board(), |_| Some(identity(99)));
        assert!(found.iter().all(|file| !file.deleted && file.other_name.is_none()));
    }

    #[test]
    fn a_renamed_log_is_found_and_another_boards_is_not() {
        let found = judged(vec![open("/b/kanban.db", 10), open("/tmp/saved-wal", 99)], View::Ours);
        assert_eq!(found[1], (HolderRole::Wal, false, Some("/tmp/saved-wal".into())));
        let other = vec![open("/b/kanban.db", 10), open("/c/o.db", 50), open("/c/o.db-wal (deleted)", 51)];
        assert_eq!(judged(other, View::Ours), [(HolderRole::Db, false, None)]);
    }

    #[test]
    fn many_descriptors_of_one_file_are_one() {
        let many = (0..900).map(|_| open("/b/kanban.db", 10)).collect();
        assert_eq!(judged(many, View::Ours).len(), 1);
    }
}
