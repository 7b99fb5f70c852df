//! Where data goes: stdout, or a file that appears whole or not at all.
//!
//! The file is written in the destination's directory, synced and renamed. It never follows a symbolic link at the destination
//! and never replaces a database or a file that is not regular.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{
    Access, AtFlags, Mode, OFlags, RenameFlags, linkat, openat, renameat, renameat_with, unlinkat,
};
use rustix::io::Errno;

use crate::failure::{Failure, Outcome};
use crate::process::random;

/// The first bytes of every SQLite database (SQLite file format, section 1.3.1).
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// Where the kernel keeps an access control list.
const ACL: &str = "system.posix_acl_access";

/// Bytes that a device, such as a terminal or `/dev/null`, is given at once.
const CHUNK_OF_DEVICE: usize = 64 << 10;

/// A file under construction beside its destination; removed when dropped unfinished. Its directory is opened once: whatever
/// is put in the place of a part of the path meanwhile, the file appears in that directory.
pub(super) struct Replacement {
    destination: PathBuf,
    directory: OwnedFd,
    name: OsString,
    temporary: OsString,
    writer: Option<BufWriter<File>>,
}

/// Refuses a destination that must not be replaced. Called before any board is open, because it reads the file and a
/// closed descriptor would drop SQLite's locks (tests/incidents.md F11).
pub(super) fn check(destination: &Path) -> Outcome<()> {
    refuse_evidence(destination)?;
    rustix::fs::access(parent(destination), Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        let reason = io::Error::from(error);
        Failure::refused(format!("{} cannot be written: {reason}.", destination.display()))
            .hint("Name a file in a directory that exists and that you may write to, or add --create-dirs.")
    })?;
    let Some(metadata) = existing(destination)? else { return Ok(()) };
    refuse_special(destination, &metadata)?;
    let mut first = Vec::new();
    let read = File::open(destination).and_then(|file| file.take(16).read_to_end(&mut first));
    let database = first == SQLITE_MAGIC || first.starts_with(b"SQLit");
    if read.is_ok() && database {
        let message =
            format!("{} is a SQLite database and is not replaced by output.", destination.display());
        return Err(Failure::refused(message).hint("Name another file for the output."));
    }
    Ok(())
}

/// Refuses names that belong to a board: what lies under them may be the only copy of its rows, whatever it looks like.
fn refuse_evidence(destination: &Path) -> Outcome<()> {
    let name = destination.file_name().unwrap_or_default().as_encoded_bytes();
    let ends = ["-wal", "-shm", "-journal", ".init.lock", ".dispatch.lock", ".bak", ".db"];
    let taken = ends.iter().any(|end| name.ends_with(end.as_bytes()));
    if taken && fs::symlink_metadata(destination).is_ok() {
        let message = format!("{} belongs to a board and is not replaced by output.", destination.display());
        return Err(Failure::refused(message).hint("Name another file for the output."));
    }
    Ok(())
}

/// Return how many bytes a stream takes without waiting for its reader: as many as one likes where it is a file, else what
/// a pipe has room for.
pub(super) fn room(stream: &impl AsFd) -> usize {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::fs::{FileType, fstat};
    let kind = fstat(stream).map(|meta| FileType::from_raw_mode(meta.st_mode));
    if matches!(kind, Ok(FileType::RegularFile | FileType::BlockDevice)) {
        return usize::MAX;
    }
    let now = rustix::fs::Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut watched = [PollFd::new(stream, PollFlags::OUT)];
    if !poll(&mut watched, Some(&now)).is_ok_and(|ready| ready > 0) {
        return 0;
    }
    let is_empty = || rustix::io::ioctl_fionread(stream).is_ok_and(|unread| unread == 0);
    let size = || rustix::pipe::fcntl_getpipe_size(stream).ok();
    match kind {
        // A pipe that has been emptied takes as much as it can hold.
        Ok(FileType::Fifo) if is_empty() => size().unwrap_or(rustix::pipe::PIPE_BUF),
        Ok(FileType::CharacterDevice) => CHUNK_OF_DEVICE,
        _ => rustix::pipe::PIPE_BUF,
    }
}

impl Replacement {
    /// Begins a file that, where it is a new one, has no more permissions than `limit`.
    pub(super) fn create(destination: &Path, limit: u32) -> Outcome<Self> {
        let before = existing(destination)?;
        if let Some(metadata) = &before {
            refuse_special(destination, metadata)?;
        }
        let Some(name) = destination.file_name() else {
            let message = format!("{} does not name a file.", destination.display());
            return Err(Failure::usage(message));
        };
        let parent = parent(destination);
        let directory = open_directory(parent)
            .map_err(|error| Failure::making(error.into(), format!("opening {}", parent.display())))?;
        let mut temporary = OsString::from(".");
        temporary.push(name);
        let mut bytes = [0_u8; 8];
        random::fill(&mut bytes)?;
        let random = u64::from_ne_bytes(bytes);
        temporary.push(format!(".{}-{random:016x}.partial", std::process::id()));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666 & limit);
        let file = openat(&directory, &temporary, flags, mode).map_err(|error| {
            Failure::making(error.into(), format!("creating {}", parent.join(&temporary).display()))
        })?;
        let writer = Some(BufWriter::new(File::from(file)));
        let (destination, name) = (destination.to_path_buf(), name.to_owned());
        let replacement = Self { destination, directory, name, temporary, writer };
        if let Some(writer) = &replacement.writer {
            let file = writer.get_ref();
            let kept = match &before {
                Some(before) => keep_access(file, before),
                None if limit & 0o666 != 0o666 => without_list(file),
                None => Ok(()),
            };
            kept.map_err(|error| Failure::io(error, "setting the file's mode"))?;
        }
        Ok(replacement)
    }

    /// Makes the file appear under its name.
    pub(super) fn commit(mut self) -> Outcome<()> {
        let named = synced(self.writer.take())
            .and_then(|()| Ok(renameat(&self.directory, &self.temporary, &self.directory, &self.name)?));
        self.named(named)
    }

    /// Make the file appear under its name, which must be free: a file that came there meanwhile stays.
    pub(super) fn commit_new(mut self) -> Outcome<()> {
        let (directory, from, to) = (&self.directory, &self.temporary, &self.name);
        let rename = || {
            match renameat_with(directory, from, directory, to, RenameFlags::NOREPLACE) {
                // A hard link does not replace either.
                Err(Errno::INVAL | Errno::NOSYS) => {
                    Ok(linkat(directory, from, directory, to, AtFlags::empty())?)
                }
                other => other.map_err(io::Error::from),
            }
        };
        let named = synced(self.writer.take()).and_then(|()| rename());
        self.named(named)
    }

    /// Let `apply` set who may read the file.
    pub(super) fn set_access(&self, apply: impl FnOnce(&File) -> io::Result<()>) -> Outcome<()> {
        let applied = self.writer.as_ref().map_or(Ok(()), |writer| apply(writer.get_ref()));
        applied.map_err(|error| {
            Failure::io(error, format!("setting the mode of {}", self.destination.display()))
        })
    }

    fn named(&self, named: io::Result<()>) -> Outcome<()> {
        let done = named.and_then(|()| sync_directory(&self.directory));
        done.map_err(|error| Failure::making(error, format!("writing {}", self.destination.display())))
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.as_mut().map_or(Ok(bytes.len()), |writer| writer.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        // After a commit the name is gone already; otherwise the leftover is ours alone.
        let _ = unlinkat(&self.directory, &self.temporary, AtFlags::empty());
    }
}

fn synced(writer: Option<BufWriter<File>>) -> io::Result<()> {
    let Some(writer) = writer else { return Ok(()) };
    writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

fn existing(destination: &Path) -> Outcome<Option<fs::Metadata>> {
    match fs::symlink_metadata(destination) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::making(error, format!("looking at {}", destination.display()))),
    }
}

fn refuse_special(destination: &Path, metadata: &fs::Metadata) -> Outcome<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let kind = if metadata.is_symlink() {
        "a symbolic link"
    } else if metadata.is_dir() {
        "a directory"
    } else {
        "no plain file"
    };
    let message = format!("{} is {kind} and is not replaced by output.", destination.display());
    Err(Failure::refused(message).hint("Name a plain file for the output, or redirect stdout."))
}

/// The mode of the file that is replaced, and its owner where we may.
fn keep_access(file: &File, before: &fs::Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    let foreign = (now.uid(), now.gid()) != (before.uid(), before.gid());
    // Refused for everybody but root; then the mode must not open the file to a group it was not meant for.
    if foreign && fchown(file, Some(before.uid()), Some(before.gid())).is_err() {
        return file.set_permissions(fs::Permissions::from_mode(before.mode() & 0o700));
    }
    file.set_permissions(fs::Permissions::from_mode(before.mode() & 0o777))
}

/// Takes away what a directory's default access control list has let in: the mode alone says who may read.
fn without_list(file: &File) -> io::Result<()> {
    let mode = file.metadata()?.mode() & 0o777;
    let has_list = match rustix::fs::fgetxattr(file, ACL, &mut [0_u8; 1024]) {
        Ok(len) => len > 0,
        Err(error) => error == Errno::RANGE,
    };
    if !has_list {
        return Ok(());
    }
    rustix::fs::fremovexattr(file, ACL)?;
    // With a list the group's bits were its mask.
    file.set_permissions(fs::Permissions::from_mode(mode & 0o600))
}

fn parent(destination: &Path) -> &Path {
    destination.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Opens a directory, also one that may be written to but not listed.
fn open_directory(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags | OFlags::RDONLY, Mode::empty())
        .or_else(|_| rustix::fs::open(path, flags | OFlags::PATH, Mode::empty()))
}

fn sync_directory(directory: &OwnedFd) -> io::Result<()> {
    match rustix::fs::fsync(directory) {
        // A directory that cannot be listed cannot be synced either.
        Ok(()) | Err(rustix::io::Errno::BADF) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appears_whole_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let mut replacement = Replacement::create(&path, 0o777).unwrap();
        replacement.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        replacement.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_has_no_more_than_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        Replacement::create(&path, 0o600).unwrap().commit().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_directory_that_is_exchanged_gets_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (own, moved) = (folder.path().join("own"), folder.path().join("moved"));
        fs::create_dir(&own).unwrap();
        let mut replacement = Replacement::create(&own.join("out"), 0o777).unwrap();
        replacement.write_all(b"rows").unwrap();
        fs::rename(&own, &moved).unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &own).unwrap();
        replacement.commit().unwrap();
        assert_eq!(fs::read(moved.join("out")).unwrap(), b"rows");
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    }

    #[test]
    fn an_unfinished_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        drop(Replacement::create(&path, 0o777).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn links_directories_and_databases_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, b"SQLite format 3\0rest").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        for path in [&target, &link, &folder.path().to_path_buf()] {
            assert_eq!(
                check(path).unwrap_err().exit(),
                crate::failure::exit::Exit::Refused,
                "{}",
                path.display()
            );
        }
        assert!(check(&folder.path().join("missing")).is_ok());
    }
}
