//! Which process has which file open, by descriptor or by memory map, from `/proc`.
//!
//! Visits every process and every thread with a file table of its own, and says when some could not be read. It opens no file
//! of the board: `stat` on `/proc/PID/fd/N` drops no locks.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::belonging::{self, Files, Open, View};
use super::coverage::{ProcAccess, ProcView, UnseenProcess};
use super::{Holder, Holders, Identity, Target, lock_table, process};
use crate::board::filesystem::Filesystem;
use crate::failure::{Failure, Outcome};

/// What the kernel adds to a link whose file has lost its name.
const DELETED: &[u8] = b" (deleted)";

/// What an overlay calls itself (statfs(2): `OVERLAYFS_SUPER_MAGIC`).
const OVERLAY: rustix::fs::FsWord = 0x794c_7630;

/// How often the list of processes is read again because new ones have appeared: a child that was forked while its parent
/// was looked at holds what its parent held.
const ROUNDS: usize = 16;

/// What every other process has open: read once, asked about any number of boards.
#[derive(Debug)]
pub struct ProcessTable {
    processes: Vec<OpenProcess>,
    /// The processes that have a file with this inode number, on whatever device.
    by_inode: HashMap<u64, Vec<usize>>,
    /// The processes that have a file of this name, in whatever directory.
    by_name: HashMap<OsString, Vec<usize>>,
    unseen: Vec<UnseenProcess>,
    view_of_proc: ProcView,
    /// The text of `/proc/locks`.
    locks: String,
}

/// One process with all that it has open.
#[derive(Debug)]
struct OpenProcess {
    pid: u32,
    descriptors: Vec<Open>,
    maps: Vec<MappedFile>,
}

/// A file in a process's memory. The device is the filesystem's own, as in `/proc/locks`.
#[derive(Debug, PartialEq, Eq, Hash, Clone)]
struct MappedFile {
    device: (u32, u32),
    ino: u64,
    name: PathBuf,
    deleted: bool,
}

impl ProcessTable {
    /// Reads `/proc`. No file of any board is opened.
    ///
    /// # Errors
    /// When `/proc` cannot be listed.
    pub fn read() -> Outcome<Self> {
        let mut table = Self {
            processes: Vec::new(),
            by_inode: HashMap::new(),
            by_name: HashMap::new(),
            unseen: Vec::new(),
            view_of_proc: ProcView::look(),
            locks: String::new(),
        };
        let mut looked_at: HashSet<u32> = process::me().into_iter().collect();
        for round in 1.. {
            let new: Vec<u32> = processes()?.into_iter().filter(|pid| looked_at.insert(*pid)).collect();
            if new.is_empty() {
                break;
            }
            if round > ROUNDS {
                table.view_of_proc.unsettled();
                break;
            }
            for pid in new {
                match open_files(pid) {
                    Ok(process) => table.add(process),
                    Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                        table.unseen.extend(UnseenProcess::of(pid));
                    }
                    // The process has ended meanwhile.
                    Err(_) => {}
                }
            }
        }
        table.locks = lock_table::text();
        Ok(table)
    }

    fn add(&mut self, process: OpenProcess) {
        let number = self.processes.len();
        let files = process.descriptors.iter().map(|open| (open.identity.ino, &open.name));
        for (ino, name) in files.chain(process.maps.iter().map(|map| (map.ino, &map.name))) {
            self.by_inode.entry(ino).or_default().push(number);
            if let Some(name) = name.file_name() {
                self.by_name.entry(name.to_owned()).or_default().push(number);
            }
        }
        self.processes.push(process);
    }

    /// The text of `/proc/locks` behind the look at the processes.
    pub(super) fn locks(&self) -> &str {
        &self.locks
    }

    /// The processes with one of `targets` open, by process id.
    pub(super) fn holders(&self, targets: &[Target], filesystem: Option<&Filesystem>) -> Holders {
        let of_inode = |target: &Target| self.by_inode.get(&target.identity?.ino);
        let of_name = |target: &Target| self.by_name.get(target.path.file_name()?);
        let candidates: BTreeSet<usize> = targets
            .iter()
            .flat_map(|target| of_inode(target).into_iter().chain(of_name(target)))
            .flatten()
            .copied()
            .collect();
        let candidates = candidates.into_iter().filter_map(|number| self.processes.get(number));
        let mut found: Vec<Holder> =
            candidates.filter_map(|process| holder(process, targets, filesystem)).collect();
        found.sort_by_key(|holder| holder.pid);
        let complete = self.view_of_proc.verdict(&self.unseen, &ProcAccess::of(targets), filesystem);
        Holders { found, complete }
    }
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
    match open_files(pid) {
        Ok(process) => {
            Ok(judged(pid, &Files { open: process.open(targets, None), view: View::Named }, targets))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Failure::not_found(format!("there is no process {pid}."))
                .hint("`kanbanctl health` names the processes that hold files of this board."))
        }
        Err(error) => Err(Failure::io(error, format!("looking at the files of process {pid}"))
            .hint("Run it as root or as the user of that process.")),
    }
}

fn holder(process: &OpenProcess, targets: &[Target], filesystem: Option<&Filesystem>) -> Option<Holder> {
    let view = if process::same_mounts(process.pid) { View::Ours } else { View::Foreign };
    judged(process.pid, &Files { open: process.open(targets, filesystem), view }, targets)
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

/// What `pid` has open.
fn open_files(pid: u32) -> std::io::Result<OpenProcess> {
    let table = PathBuf::from(format!("/proc/{pid}/fd"));
    let mut open = descriptors(&table)?;
    let mut sizes = vec![size(&table)];
    for entry in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        // Threads share one table unless they were told otherwise; a table of its own is told by its size. The first
        // thread has none any more once it has ended.
        let table = entry.path().join("fd");
        let own = size(&table);
        if number(&entry.file_name()) != Some(pid) && (own == 0 || !sizes.contains(&own)) {
            sizes.push(own);
            open.extend(descriptors(&table).unwrap_or_default());
        }
    }
    let text = std::fs::read(format!("/proc/{pid}/maps")).unwrap_or_default();
    let mut seen = HashSet::new();
    let maps = text.split(|&byte| byte == b'\n').filter_map(mapping);
    let maps = maps.filter(|map| seen.insert(map.clone())).collect();
    Ok(OpenProcess { pid, descriptors: open, maps })
}

impl OpenProcess {
    /// What it has open, so far as it can be the board's.
    fn open(&self, targets: &[Target], filesystem: Option<&Filesystem>) -> Vec<Open> {
        let known = |open: &Open| {
            let identity = match &open.place {
                Some(place) => known(open.identity, place, &open.name, targets),
                None => open.identity,
            };
            Open { identity, ..open.clone() }
        };
        let mapped = self.maps.iter().filter_map(|map| map.of_board(targets, filesystem));
        self.descriptors.iter().map(known).chain(mapped).collect()
    }
}

/// How many descriptors a table has, since Linux 6.2; 0 before, or for a thread that has ended.
fn size(table: &Path) -> u64 {
    std::fs::metadata(table).map_or(0, |meta| meta.size())
}

fn descriptors(table: &Path) -> std::io::Result<Vec<Open>> {
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
        let identity = Identity { dev: meta.dev(), ino: meta.ino(), birth: None };
        let (name, deleted) = parted(link.as_os_str().as_bytes());
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
/// when its descriptor is closed.
fn mapping(line: &[u8]) -> Option<MappedFile> {
    let mut fields = line.splitn(6, |&byte| byte == b' ');
    let device = std::str::from_utf8(fields.nth(3)?).ok()?;
    let ino: u64 = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let (name, deleted) = parted(fields.next()?.trim_ascii_start());
    if ino == 0 || !name.is_absolute() {
        return None;
    }
    let (major, minor) = device.split_once(':')?;
    let device = (u32::from_str_radix(major, 16).ok()?, u32::from_str_radix(minor, 16).ok()?);
    Some(MappedFile { device, ino, name, deleted })
}

impl MappedFile {
    /// The file as one that can be the board's; nothing where it lies on another filesystem.
    fn of_board(&self, targets: &[Target], filesystem: Option<&Filesystem>) -> Option<Open> {
        let on_board = |dev: u64| {
            self.device == (rustix::fs::major(dev), rustix::fs::minor(dev))
                || filesystem.is_some_and(|filesystem| filesystem.device == Some(self.device))
        };
        let mut same_device =
            targets.iter().filter_map(|target| target.identity).filter(|id| on_board(id.dev));
        let first = same_device.next()?;
        let identity = std::iter::once(first)
            .chain(same_device)
            .find(|identity| identity.ino == self.ino)
            .unwrap_or(Identity { dev: first.dev, ino: self.ino, birth: None });
        Some(Open { fd: None, place: None, name: self.name.clone(), deleted: self.deleted, identity })
    }
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
        let read = |line: &str| mapping(line.as_bytes())?.of_board(&targets, None);
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
