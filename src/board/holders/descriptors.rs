//! Which process has which file open, by descriptor or by memory map, from `/proc`.
//!
//! Visits every process and every thread with a file table of its own, and says when some could not be read. It opens no file
//! of the board: `stat` on `/proc/PID/fd/N` drops no locks.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::belonging::{self, Files, Open, View};
use super::coverage::{ProcAccess, Unseen};
use super::{Holder, Holders, Identity, Target, process};
use crate::board::filesystem::Filesystem;
use crate::failure::{Failure, Outcome};

/// What the kernel adds to a link whose file has lost its name.
const DELETED: &[u8] = b" (deleted)";

/// What an overlay calls itself (statfs(2): `OVERLAYFS_SUPER_MAGIC`).
const OVERLAY: rustix::fs::FsWord = 0x794c_7630;

/// How often the list of processes is read again because new ones have appeared: a child that was forked while its parent
/// was looked at holds what its parent held.
const ROUNDS: usize = 16;

/// Every other process with one of `targets` open.
pub(super) fn scan(targets: &[Target], filesystem: Option<&Filesystem>) -> Outcome<Holders> {
    let access = ProcAccess::of(targets);
    let mut unseen = Unseen::default();
    let mut found = Vec::new();
    let mut looked_at: HashSet<u32> = process::me().into_iter().collect();
    for round in 1.. {
        let new: Vec<u32> = processes()?.into_iter().filter(|pid| looked_at.insert(*pid)).collect();
        if new.is_empty() {
            break;
        }
        if round > ROUNDS {
            unseen.unsettled();
            break;
        }
        for pid in new {
            match open_files(pid, targets, filesystem) {
                Ok(open) => found.extend(holder(pid, open, targets)),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => unseen.count(pid, &access),
                // The process has ended meanwhile.
                Err(_) => {}
            }
        }
    }
    found.sort_by_key(|holder| holder.pid);
    Ok(Holders { found, complete: unseen.verdict(filesystem) })
}

fn processes() -> Outcome<Vec<u32>> {
    let entries = std::fs::read_dir("/proc").map_err(|error| Failure::io(error, "listing /proc"))?;
    Ok(entries.flatten().filter_map(|entry| number(&entry.file_name())).collect())
}

fn number(name: &OsStr) -> Option<u32> {
    name.to_str()?.parse().ok()
}

/// What `pid` has open of `targets`, believing the names of deleted files wherever they lie.
pub(super) fn of_process(pid: u32, targets: &[Target]) -> Outcome<Option<Holder>> {
    match open_files(pid, targets, None) {
        Ok(open) => Ok(judged(pid, &Files { open, view: View::Named }, targets)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Failure::not_found(format!("there is no process {pid}."))
                .hint("`kanbanctl health` names the processes that hold files of this board."))
        }
        Err(error) => Err(Failure::io(error, format!("looking at the files of process {pid}"))
            .hint("Run it as root or as the user of that process.")),
    }
}

fn holder(pid: u32, open: Vec<Open>, targets: &[Target]) -> Option<Holder> {
    let view = if process::same_mounts(pid) { View::Ours } else { View::Foreign };
    judged(pid, &Files { open, view }, targets)
}

fn judged(pid: u32, files: &Files, targets: &[Target]) -> Option<Holder> {
    let files = belonging::of_board(files, targets, Identity::of);
    let held = !files.is_empty();
    held.then(|| Holder {
        pid: Some(pid),
        command: process::command(pid),
        files,
        since: process::started(pid),
    })
}

/// What `pid` has open, so far as it can be the board's.
fn open_files(pid: u32, targets: &[Target], filesystem: Option<&Filesystem>) -> std::io::Result<Vec<Open>> {
    let table = PathBuf::from(format!("/proc/{pid}/fd"));
    let mut open = descriptors(&table, targets)?;
    let mut sizes = vec![size(&table)];
    for entry in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        // Threads share one table unless they were told otherwise; a table of its own is told by its size. The first
        // thread has none any more once it has ended.
        let table = entry.path().join("fd");
        let own = size(&table);
        if number(&entry.file_name()) != Some(pid) && (own == 0 || !sizes.contains(&own)) {
            sizes.push(own);
            open.extend(descriptors(&table, targets).unwrap_or_default());
        }
    }
    let maps = std::fs::read(format!("/proc/{pid}/maps")).unwrap_or_default();
    open.extend(maps.split(|&byte| byte == b'\n').filter_map(|line| mapping(line, targets, filesystem)));
    Ok(open)
}

/// How many descriptors a table has, since Linux 6.2; 0 before, or for a thread that has ended.
fn size(table: &Path) -> u64 {
    std::fs::metadata(table).map_or(0, |meta| meta.size())
}

fn descriptors(table: &Path, targets: &[Target]) -> std::io::Result<Vec<Open>> {
    let mut open = Vec::new();
    for entry in std::fs::read_dir(table)?.flatten() {
        let place = entry.path();
        let Ok(link) = std::fs::read_link(&place) else { continue };
        if !link.is_absolute() {
            continue;
        }
        let Ok(meta) = std::fs::metadata(&place) else { continue };
        if !meta.is_file() {
            continue;
        }
        let seen = Identity { dev: meta.dev(), ino: meta.ino(), birth: None };
        let (name, deleted) = parted(link.as_os_str().as_bytes());
        let identity = known(seen, &place, &name, targets);
        open.push(Open { fd: number(&entry.file_name()), place: Some(place), name, deleted, identity });
    }
    Ok(open)
}

/// The identity that the board's file has here where another mount gives it another device number: a file of an overlay and
/// the one in the layer behind it have the moment of their birth in common, and their inode number unless it was copied up.
/// Elsewhere a name and a moment in common are an accident: the kernel's clock for them stands still for milliseconds.
fn known(seen: Identity, place: &Path, name: &Path, targets: &[Target]) -> Identity {
    let alike = |target: &&Target| {
        target.identity.is_some_and(|identity| {
            identity.dev != seen.dev
                && identity.birth.is_some()
                && (identity.ino == seen.ino
                    || (target.path.file_name() == name.file_name()
                        && (is_on_overlay(place) || is_on_overlay(&target.path))))
        })
    };
    let mut candidates = targets.iter().filter(alike).filter_map(|target| target.identity).peekable();
    if candidates.peek().is_none() {
        return seen;
    }
    let birth = Identity::birth(place);
    candidates.find(|identity| identity.birth == birth).unwrap_or(seen)
}

/// Whether `path` is on an overlay; where that cannot be found out, it may be.
fn is_on_overlay(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|seen| seen.f_type == OVERLAY) || !path.exists()
}

/// A link's name, and whether the kernel has marked it as gone.
fn parted(link: &[u8]) -> (PathBuf, bool) {
    match link.strip_suffix(DELETED) {
        Some(name) => (PathBuf::from(OsStr::from_bytes(name)), true),
        None => (PathBuf::from(OsStr::from_bytes(link)), false),
    }
}

/// A line of `/proc/PID/maps`: `7f01-7f02 rw-s 00000000 fe:00 131077   /b/kanban.db-shm (deleted)`. A file can stay mapped
/// when its descriptor is closed. The device is the filesystem's own, as in `/proc/locks`.
fn mapping(line: &[u8], targets: &[Target], filesystem: Option<&Filesystem>) -> Option<Open> {
    let mut fields = line.splitn(6, |&byte| byte == b' ');
    let device = std::str::from_utf8(fields.nth(3)?).ok()?;
    let ino: u64 = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let (name, deleted) = parted(fields.next()?.trim_ascii_start());
    if ino == 0 || !name.is_absolute() {
        return None;
    }
    let (major, minor) = device.split_once(':')?;
    let device = (u32::from_str_radix(major, 16).ok()?, u32::from_str_radix(minor, 16).ok()?);
    let on_board = |dev: u64| {
        device == (rustix::fs::major(dev), rustix::fs::minor(dev))
            || filesystem.is_some_and(|filesystem| filesystem.device == Some(device))
    };
    let mut same_device = targets.iter().filter_map(|target| target.identity).filter(|id| on_board(id.dev));
    let first = same_device.next()?;
    let identity = std::iter::once(first)
        .chain(same_device)
        .find(|identity| identity.ino == ino)
        .unwrap_or(Identity { dev: first.dev, ino, birth: None });
    Some(Open { fd: None, place: None, name, deleted, identity })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::holders::HolderRole;

    #[test]
    fn a_name_and_a_moment_in_common_make_one_file_on_an_overlay_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("kanban.db");
        std::fs::write(&place, b"").unwrap();
        let seen = Identity { dev: 1, ino: 1, birth: None };
        let identity = Identity { dev: 2, ino: 2, birth: Identity::birth(&place) };
        let targets = [Target {
            role: HolderRole::Shm,
            path: folder.path().join("kanban.db"),
            identity: Some(identity),
        }];
        let is_taken = known(seen, &place, &place, &targets) == identity;
        assert_eq!(is_taken, identity.birth.is_some() && is_on_overlay(&place));
    }

    #[test]
    fn maps_are_read() {
        let dev = rustix::fs::makedev(0xfe, 0);
        let shm = Identity { dev, ino: 131_077, birth: None };
        let targets =
            [Target { role: HolderRole::Shm, path: "/b/kanban.db-shm".into(), identity: Some(shm) }];
        let read = |line: &str| mapping(line.as_bytes(), &targets, None);
        let held = read("7f01-7f02 rw-s 00000000 fe:00 131077                     /b/kanban.db-shm").unwrap();
        assert_eq!((held.identity, held.deleted, held.fd), (shm, false, None));
        let gone = read("7f01-7f02 rw-s 00000000 fe:00 9 /b/kanban.db-shm (deleted)").unwrap();
        assert_eq!(
            (gone.identity.ino, gone.deleted, gone.name.as_path()),
            (9, true, Path::new("/b/kanban.db-shm"))
        );
        assert!(read("7f01-7f02 rw-p 00000000 00:00 0 ").is_none());
        assert!(read("7f01-7f02 r-xp 00000000 08:01 131077 /usr/lib/libc.so.6").is_none());
        assert!(read("").is_none());
    }
}
