//! Which files there are: one directory read once, names compared, each file looked at with `stat` and not opened.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Unread;
use crate::board::Stamp;
use crate::board::copies::{self, CopyPart};
use crate::board::files::with_suffix;
use crate::board::namesakes;
use crate::board::trust;
use crate::failure::{Failure, Outcome};
use crate::newfile::directory;

/// One copy: a main file and what belongs to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// The main file's name. Where only its log was left behind there is no file of this name.
    pub path: PathBuf,
    /// The main file.
    pub main: Option<Stamp>,
    /// Its write-ahead log.
    pub wal: Option<Stamp>,
    /// Its WAL index, which holds no row.
    pub shm: Option<Stamp>,
    /// Whether one of the names is a symbolic link: read, but never removed.
    pub is_linked: bool,
    /// The log's own name, where it is not the main file's with `-wal` behind it.
    pub log: Option<PathBuf>,
}

impl Member {
    /// The copy at `path` with the sidecars beside it.
    ///
    /// # Errors
    /// When `stat` fails for another reason than absence.
    pub fn at(path: PathBuf) -> Outcome<Self> {
        let mut member = Self { path, ..Self::default() };
        for part in [CopyPart::Main, CopyPart::Wal, CopyPart::Shm] {
            member.look(part)?;
        }
        Ok(member)
    }

    /// What a process holds at `place`: the log at `wal` over the main file at `base`.
    ///
    /// # Errors
    /// When `stat` fails for another reason than absence.
    pub(crate) fn held(place: &Path, base: &Path, wal: Option<&Path>) -> Outcome<Self> {
        let log = wal.map_or(Ok(None), Stamp::of)?;
        let path = place.to_path_buf();
        Ok(Self { path, main: Stamp::of(base)?, wal: log, ..Self::default() })
    }

    /// Where its log lies, if it has one.
    pub(crate) fn wal_path(&self) -> PathBuf {
        self.log.clone().unwrap_or_else(|| with_suffix(&self.path, "-wal"))
    }

    fn look(&mut self, part: CopyPart) -> Outcome<()> {
        let path = match part {
            CopyPart::Main => self.path.clone(),
            CopyPart::Wal => self.wal_path(),
            CopyPart::Shm => with_suffix(&self.path, "-shm"),
        };
        let (stamp, is_link) = look(&path)?;
        self.is_linked |= is_link;
        match part {
            CopyPart::Main => self.main = stamp,
            CopyPart::Wal => self.wal = stamp,
            CopyPart::Shm => self.shm = stamp,
        }
        Ok(())
    }

    pub(crate) fn looked_at_again(&self) -> Outcome<Self> {
        let mut again = self.clone();
        again.look(CopyPart::Main)?;
        again.look(CopyPart::Wal)?;
        Ok(again)
    }

    /// Whether main file and log are the files that they were, unchanged.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.main == other.main && self.wal == other.wal
    }

    /// Whether there is anything that can hold a row.
    pub(crate) fn is_there(&self) -> bool {
        self.main.is_some() || self.wal.is_some()
    }

    /// Length of the main file in bytes.
    pub fn main_size(&self) -> u64 {
        self.main.map_or(0, |stamp| stamp.len)
    }

    /// Length of the log in bytes.
    pub fn wal_size(&self) -> u64 {
        self.wal.map_or(0, |stamp| stamp.len)
    }

    /// Bytes of main file and log.
    pub fn bytes(&self) -> u64 {
        self.main_size() + self.wal_size()
    }

    /// Bytes on the disk that are free again when its names are removed; files with other names stay.
    pub fn disk_bytes(&self) -> u64 {
        let own = |stamp: &Stamp| if stamp.nlink == 1 { stamp.len } else { 0 };
        [&self.main, &self.wal, &self.shm].into_iter().flatten().map(own).sum()
    }

    /// When the copy was last written, in nanoseconds since 1970. Hermes copies a board with its times.
    pub fn written_ns(&self) -> i128 {
        self.main.or(self.wal).map_or(0, |stamp| stamp.mtime_ns)
    }
}

/// The stamp of what `path` leads to, and whether it is a symbolic link.
fn look(path: &Path) -> Outcome<(Option<Stamp>, bool)> {
    let looking = |error| Failure::io(error, "looking at the file").at(path);
    let own = match fs::symlink_metadata(path) {
        Ok(own) => own,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((None, false)),
        Err(error) => return Err(looking(error)),
    };
    if !own.is_symlink() {
        return Ok((own.is_file().then(|| Stamp::from_metadata(&own)), false));
    }
    match fs::metadata(path) {
        Ok(meta) => Ok((meta.is_file().then(|| Stamp::from_metadata(&meta)), true)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok((None, true)),
        Err(error) => Err(looking(error)),
    }
}

/// The copies that Hermes put aside for `board`, from the newest to the oldest, and those that cannot be looked at.
///
/// # Errors
/// When the directory cannot be listed.
pub(crate) fn quarantined(board: &Path) -> Outcome<(Vec<Member>, Vec<Unread>)> {
    let Some(name) = board.file_name() else { return Ok((Vec::new(), Vec::new())) };
    listed(directory(board), board, &|file| copies::is_backup_name(name, file))
}

/// Our own backups of `board` in the folder where they go by themselves, from the newest to the oldest.
///
/// # Errors
/// When the folder is there and cannot be listed.
pub(crate) fn own(directory: &Path, board: &Path) -> Outcome<(Vec<Member>, Vec<Unread>)> {
    let prefix = copies::own_prefix(board);
    if let Some(why) = trust::objection(directory, trust::owner_of(board)) {
        return Ok((Vec::new(), vec![unasked(directory.to_path_buf(), &why)]));
    }
    listed(directory, board, &|file| copies::is_own_name(&prefix, file))
}

/// The copies of `board` under names that a synchronisation service, a person or a script gave them, with their logs.
/// Snapshots and archived boards are read when they are named.
pub(crate) fn namesakes(board: &Path) -> (Vec<Member>, Vec<Unread>) {
    let owner = trust::owner_of(board);
    let named = namesakes::find(board).into_iter().filter(|found| found.kind.is_source());
    let (logs, mains): (Vec<_>, Vec<_>) =
        named.map(|found| found.path).partition(|path| namesakes::log_of(board, path).is_some());
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    let sidecars = ["-wal", "-shm", "-journal"].map(OsStr::new);
    for path in mains {
        if sidecars.iter().any(|sidecar| path.as_os_str().as_bytes().ends_with(sidecar.as_bytes())) {
            continue;
        }
        let log = logs.iter().find(|log| namesakes::log_of(board, log).as_ref() == Some(&path)).cloned();
        let mut member = Member { path, log, ..Member::default() };
        let files = [member.path.clone(), member.wal_path(), with_suffix(&member.path, "-journal")];
        if let Some(why) = files.iter().find_map(|file| trust::objection(file, owner)) {
            unread.push(unasked(member.path, &why));
            continue;
        }
        match [CopyPart::Main, CopyPart::Wal].into_iter().try_for_each(|part| member.look(part)) {
            Ok(()) => found.push(member),
            Err(failure) => unread.push(Unread::new(member.path, &failure)),
        }
    }
    (found, unread)
}

/// A file or folder that is not read because of who made it.
fn unasked(path: PathBuf, why: &str) -> Unread {
    let reason = format!("not read unasked: {why}; name the file to read it");
    Unread { path, reason }
}

fn listed(dir: &Path, board: &Path, is_main: &dyn Fn(&OsStr) -> bool) -> Outcome<(Vec<Member>, Vec<Unread>)> {
    let owner = trust::owner_of(board);
    let listing = |error| Failure::io(error, "listing the directory").at(dir);
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok((Vec::new(), Vec::new()));
        }
        Err(error) => return Err(listing(error)),
    };
    let mut parts: BTreeMap<OsString, Vec<CopyPart>> = BTreeMap::new();
    for entry in entries {
        if let Some((main, part)) = copies::part(&entry.map_err(listing)?.file_name(), is_main) {
            parts.entry(main).or_default().push(part);
        }
    }
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    for (main, parts) in parts {
        let path = dir.join(main);
        // Links of the operator's own are followed, as before; whose file they lead to is asked.
        let is_stranger = |path: &Path| fs::metadata(path).is_ok_and(|meta| !trust::is_known(&meta, owner));
        let strange = ["", "-wal", "-journal"].iter().map(|suffix| with_suffix(&path, suffix));
        if let Some(found) =
            strange.into_iter().find(|path| is_stranger(path) || trust::is_strange_link(path, owner))
        {
            let why = trust::objection(&found, owner)
                .unwrap_or_else(|| "it leads to another user's file".to_owned());
            unread.push(unasked(found, &why));
            continue;
        }
        let mut member = Member { path, ..Member::default() };
        match parts.into_iter().try_for_each(|part| member.look(part)) {
            // A lone WAL index holds nothing; what is no file is nobody's copy.
            Ok(()) if member.is_there() => found.push(member),
            Ok(()) => {}
            Err(failure) => unread.push(Unread::new(member.path, &failure)),
        }
    }
    found.sort_by_cached_key(|member| {
        let number = copies::collision(member.path.file_name().unwrap_or_default());
        std::cmp::Reverse((member.written_ns(), number, member.path.clone()))
    });
    Ok((found, unread))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_as_a_copy_and_is_a_file_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let board = dir.path().join("kanban.db");
        let copy = |mark: &str| with_suffix(&board, &format!(".corrupt.{mark}"));
        fs::write(copy("20260101_000000.bak"), b"one").unwrap();
        fs::write(copy("20260101_000000.bak-wal"), b"log").unwrap();
        fs::write(copy("20260101_000000.bak-shm"), b"index").unwrap();
        fs::write(copy("20260102_000000.bak-wal"), b"only a log").unwrap();
        fs::write(copy("20260103_000000.bak-shm"), b"only an index").unwrap();
        fs::create_dir(copy("20260104_000000.bak")).unwrap();
        fs::write(dir.path().join("elsewhere"), b"linked").unwrap();
        std::os::unix::fs::symlink("elsewhere", copy("20260105_000000.bak")).unwrap();
        std::os::unix::fs::symlink("nowhere", copy("20260106_000000.bak")).unwrap();
        let (mut found, unread) = quarantined(&board).unwrap();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        let seen: Vec<_> = found
            .iter()
            .map(|one| (one.main_size(), one.wal_size(), one.shm.is_some(), one.is_linked))
            .collect();
        assert_eq!(seen, [(3, 3, true, false), (0, 10, false, false), (6, 0, false, true)]);
        assert!(unread.is_empty());
    }

    #[test]
    fn the_newest_come_first_and_names_decide_between_equal_times() {
        let dir = tempfile::tempdir().unwrap();
        let board = dir.path().join("kanban.db");
        let mut paths = Vec::new();
        for (mark, age) in [("20260101_000000", 5), ("20260101_000000.1", 5), ("20260101_000000.2", 9)] {
            let path = with_suffix(&board, &format!(".corrupt.{mark}.bak"));
            fs::write(&path, b"x").unwrap();
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000 - age);
            fs::File::open(&path).unwrap().set_modified(time).unwrap();
            paths.push(path);
        }
        let (found, _) = quarantined(&board).unwrap();
        let order: Vec<_> = found.into_iter().map(|member| member.path).collect();
        assert_eq!(order, [paths[1].clone(), paths[0].clone(), paths[2].clone()]);
    }
}
