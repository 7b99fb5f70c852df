//! Database files that only this process knows: rebuilt boards, backups, new boards, scratch (docs/architecture.md, rule 11).
//!
//! A temporary name in the destination's directory, exclusive locking, no sidecar, fsync, the recorded journal mode as the last
//! step, and one atomic publication that never replaces a file. Not here: boards that others can open ([`crate::pool`]).

mod destination;
pub(crate) mod file_mode;
pub(crate) mod same_content;
pub mod small_file;
pub(crate) mod stale_temp_files;

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use sha2::{Digest, Sha256};

use crate::board::files::with_suffix;
use crate::board::snapshot_copy::copy_set;
use crate::failure::{Failure, Outcome};
use crate::store::audit;
use crate::work::holes;

pub use destination::{create_directory_of, refuse_existing, require_destination};
pub(crate) use destination::{directory, temporary_name};
pub(crate) use file_mode::has_acl;
pub use file_mode::{Audience, permissions};
pub use same_content::is_same_database;
pub use stale_temp_files::clear_leftovers;

/// The sidecars that SQLite may leave beside a file of ours when it is killed.
const SIDECARS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// How much of a file is read at a time.
const PIECE: usize = 1 << 20;

/// A database under a temporary name, removed again unless it is published.
#[derive(Debug)]
pub struct OwnFile {
    destination: PathBuf,
    temporary: Temporary,
    connection: Option<Connection>,
    reader: Option<Connection>,
    /// Brings to the disk what [`OwnFile::fill`] wrote, while SQLite goes on with the file.
    flush: Option<JoinHandle<std::io::Result<()>>>,
}

/// A finished file: closed, on disk, still under its temporary name.
#[derive(Debug)]
pub struct Sealed {
    destination: PathBuf,
    temporary: Temporary,
}

/// A path that is unlinked with its sidecars when it goes out of scope.
#[derive(Debug)]
struct Temporary {
    path: Option<PathBuf>,
    /// Open from the first to the last moment: its `flock` tells [`clear_leftovers`] that somebody is at work here, and
    /// closing it sooner would drop SQLite's locks on the file (tests/incidents.md F11).
    at_work: Arc<File>,
}

/// The journal mode that a finished file records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordedMode {
    /// A rollback journal.
    Delete,
    /// The write-ahead log: header bytes 18 and 19 are 2.
    Wal,
}

impl OwnFile {
    /// An empty database that will become `destination`, which must not exist.
    ///
    /// # Errors
    /// Exit 12 when `destination` exists (a symbolic link counts) or its directory cannot be written.
    pub fn create(destination: &Path) -> Outcome<Self> {
        refuse_existing(destination)?;
        Self::beside(destination)
    }

    /// An empty database in the directory of `destination`, which may exist: then it cannot be published under that name,
    /// only read from. What killed processes left of the same file is cleared first.
    ///
    /// # Errors
    /// Exit 12 when the directory cannot be written.
    pub fn beside(destination: &Path) -> Outcome<Self> {
        clear_leftovers(destination);
        let temporary = temporary_name(destination)?;
        let creating = |error| {
            Failure::making(error, format!("creating a file in {}", directory(destination).display()))
                .hint("Name another destination, on a filesystem with room that you may write to.")
        };
        // 0600 until it is published: rows of a board are nobody else's business.
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary).map_err(creating)?;
        let temporary_guard = Temporary::claim(temporary.clone(), file);
        let connection = open(&temporary)?;
        Ok(Self {
            destination: destination.to_path_buf(),
            temporary: temporary_guard,
            connection: Some(connection),
            reader: None,
            flush: None,
        })
    }

    /// A copy of the database at `from` with what its log and journal hold, in the directory of `destination`. The
    /// original is only read; what SQLite makes of it, it makes of the copy.
    ///
    /// # Errors
    /// Exit 11 when it is written to meanwhile, 12 when there is no room or no permission; reading errors.
    pub fn copy_of(from: &Path, destination: &Path) -> Outcome<Self> {
        let path = temporary_name(destination)?;
        let copying = |error| Failure::io(error, format!("copying {}", from.display())).at(from);
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(copying)?;
        let temporary = Temporary::claim(path.clone(), file);
        copy_set(from, &path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        crate::pool::protect(&connection)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        connection.query_row("PRAGMA locking_mode=EXCLUSIVE", [], |_| Ok(()))?;
        connection.execute_batch("PRAGMA synchronous=OFF; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;")?;
        Ok(Self {
            destination: destination.to_path_buf(),
            temporary,
            connection: Some(connection),
            reader: None,
            flush: None,
        })
    }

    /// The connection to the unfinished file.
    ///
    /// # Errors
    /// Never before [`OwnFile::seal`].
    pub fn connection(&mut self) -> Outcome<&mut Connection> {
        self.connection.as_mut().ok_or_else(|| Failure::failed("the file is closed already."))
    }

    /// The connection, and a second one for reading while nobody writes. That one takes no locks, and lives as long as the
    /// first, whose locks would go with it.
    ///
    /// # Errors
    /// When SQLite cannot open the file once more.
    pub fn pair(&mut self) -> Outcome<(&mut Connection, &mut Connection)> {
        if self.reader.is_none() {
            let path = self.temporary.path()?;
            let path =
                std::path::absolute(&path).map_err(|error| Failure::io(error, "finding the new file"))?;
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
                | OpenFlags::SQLITE_OPEN_NO_MUTEX
                | OpenFlags::SQLITE_OPEN_URI;
            let reader = Connection::open_with_flags(crate::pool::immutable_uri(&path), flags)?;
            reader.execute_batch("PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0;")?;
            self.reader = Some(reader);
        }
        let pair = self.connection.as_mut().zip(self.reader.as_mut());
        pair.ok_or_else(|| Failure::failed("the file is closed already."))
    }

    /// Has `write` put a finished database of its own making into the file, which is empty and closed meanwhile.
    ///
    /// # Errors
    /// Whatever `write` fails with; then the file is empty again.
    pub fn fill(&mut self, write: impl FnOnce(&File) -> Outcome<()>) -> Outcome<()> {
        let path = self.temporary.path()?;
        if let Some(connection) = self.connection.take() {
            connection.close().map_err(|(_, error)| Failure::from(error))?;
        }
        self.reader = None;
        let writing = |error| Failure::io(error, format!("writing {}", path.display()));
        self.flushed().map_err(writing)?;
        let file = Arc::clone(&self.temporary.at_work);
        file.set_len(0).map_err(writing)?;
        let outcome = write(&file);
        match outcome {
            Ok(()) => {
                let flushed = Arc::clone(&file);
                match std::thread::Builder::new().spawn(move || flushed.sync_data()) {
                    Ok(beside) => self.flush = Some(beside),
                    // The system gives no thread: the disk is waited for here.
                    Err(_) => file.sync_data().map_err(writing)?,
                }
            }
            Err(_) => file.set_len(0).map_err(writing)?,
        }
        self.connection = Some(open(&path)?);
        outcome
    }

    /// Waits for what was on its way to the disk.
    fn flushed(&mut self) -> std::io::Result<()> {
        let flush = self.flush.take().map_or(Ok(Ok(())), JoinHandle::join);
        flush.unwrap_or_else(|_| Err(std::io::Error::other("the thread that waits for the disk has ended")))
    }

    /// Records the journal mode, closes with SQLite's own checkpoint and waits until the disk has it.
    ///
    /// # Errors
    /// When SQLite, the disk or the recorded mode says otherwise; the temporary file is removed then.
    pub fn seal(mut self, mode: RecordedMode) -> Outcome<Sealed> {
        let path = self.temporary.path()?;
        if let Some(connection) = self.connection.take() {
            let expected = match mode {
                RecordedMode::Delete => "delete",
                RecordedMode::Wal => "wal",
            };
            let row = audit::set_journal_mode(&connection, expected)?;
            if row != expected {
                return Err(Failure::refused(format!(
                    "the new file did not take journal mode {expected}, it stayed in {row}."
                )));
            }
            // Leaving WAL and EXCLUSIVE is finished by the next access to the file.
            connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
            connection.close().map_err(|(_, error)| Failure::from(error))?;
        }
        self.reader = None;
        let syncing = |error| Failure::io(error, format!("writing {} to the disk", path.display()));
        self.flushed().and_then(|()| self.temporary.at_work.sync_all()).map_err(syncing)?;
        for suffix in SIDECARS {
            let sidecar = with_suffix(&path, suffix);
            if std::fs::metadata(&sidecar).is_ok_and(|meta| meta.len() > 0) {
                return Err(Failure::failed(format!(
                    "{} was left behind: the new file is not whole.",
                    sidecar.display()
                )));
            }
        }
        Ok(Sealed { destination: self.destination, temporary: self.temporary })
    }
}

/// SHA-256 of a file that nobody has open through SQLite here, in hex, and its length in bytes.
///
/// # Errors
/// When it cannot be read.
pub fn digest(path: &Path) -> Outcome<(String, u64)> {
    let reading = |error| Failure::io(error, format!("reading {}", path.display()));
    let file = File::open(path).map_err(reading)?;
    let (mut hash, mut behind) = (Sha256::new(), 0);
    let length = holes::each_piece(&file, &mut vec![0; PIECE], |at, bytes| {
        holes::zeros(at - behind, |zeros| hash.update(zeros));
        hash.update(bytes);
        behind = at + bytes.len() as u64;
        Ok(())
    })
    .map_err(reading)?;
    holes::zeros(length - behind, |zeros| hash.update(zeros));
    Ok((hex(&hash.finalize()), length))
}

impl Sealed {
    /// The finished file, still under its temporary name; nobody else knows it.
    ///
    /// # Errors
    /// Never.
    pub fn path(&self) -> Outcome<PathBuf> {
        self.temporary.path()
    }

    /// SHA-256 of the finished file, in hex, and its length in bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn digest(&self) -> Outcome<(String, u64)> {
        digest(&self.path()?)
    }

    /// Chooses another final name in the same directory, for names that carry the content's hash.
    #[must_use]
    pub fn named(mut self, destination: PathBuf) -> Self {
        self.destination = destination;
        self
    }

    /// Gives the file its final name, open to those whom `audience` names, never replacing anything.
    ///
    /// # Errors
    /// Exit 12 when the name was taken meanwhile.
    pub fn publish(mut self, audience: impl Into<Audience>) -> Outcome<PathBuf> {
        let path = self.path()?;
        let publishing = |error| {
            Failure::making(error, format!("giving the new file its name {}", self.destination.display()))
        };
        File::open(&path).and_then(|file| audience.into().apply(&file)).map_err(publishing)?;
        renameat_with(CWD, &path, CWD, &self.destination, RenameFlags::NOREPLACE)
            .or_else(|error| link_instead(&path, &self.destination, error))
            .map_err(publishing)?;
        self.temporary.path = None;
        for suffix in SIDECARS {
            // Empty leftovers under a name that nobody knows.
            let _ = std::fs::remove_file(with_suffix(&path, suffix));
        }
        File::open(directory(&self.destination)).and_then(|dir| dir.sync_all()).map_err(publishing)?;
        Ok(self.destination.clone())
    }
}

impl Temporary {
    fn claim(path: PathBuf, file: File) -> Self {
        // A filesystem without flock leaves the process id in the name to tell.
        let _ = file.try_lock();
        Self { path: Some(path), at_work: Arc::new(file) }
    }

    fn path(&self) -> Outcome<PathBuf> {
        self.path.clone().ok_or_else(|| Failure::failed("the temporary file has gone already."))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            for suffix in SIDECARS {
                let _ = std::fs::remove_file(with_suffix(&path, suffix));
            }
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A connection to a file of ours, which nobody else knows.
fn open(path: &Path) -> Outcome<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch(
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF;
         PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;",
    )?;
    Ok(connection)
}

/// A hard link where the filesystem has no `RENAME_NOREPLACE`; it does not replace either.
fn link_instead(from: &Path, to: &Path, error: rustix::io::Errno) -> std::io::Result<()> {
    if error != rustix::io::Errno::INVAL && error != rustix::io::Errno::NOSYS {
        return Err(error.into());
    }
    std::fs::hard_link(from, to)?;
    std::fs::remove_file(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_published_file_is_alone_and_records_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        for (name, mode, version) in
            [("wal.db", RecordedMode::Wal, 2), ("delete.db", RecordedMode::Delete, 1)]
        {
            let destination = dir.path().join(name);
            let mut file = OwnFile::create(&destination).unwrap();
            file.connection().unwrap().execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES(1);").unwrap();
            let published = file.seal(mode).unwrap().publish(0o640).unwrap();
            let bytes = std::fs::read(published).unwrap();
            assert_eq!((bytes[18], bytes[19]), (version, version));
        }
        assert_eq!(entries(dir.path()), ["delete.db", "wal.db"]);
    }

    #[test]
    fn nothing_is_left_of_an_abandoned_file_and_nothing_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let destination = dir.path().join("new.db");
        let file = OwnFile::create(&destination).unwrap();
        std::fs::write(&destination, b"mine").unwrap();
        let failure = file.seal(RecordedMode::Wal).unwrap().publish(0o600).unwrap_err();
        assert_eq!(failure.exit(), crate::failure::exit::Exit::Refused);
        assert_eq!(std::fs::read(&destination).unwrap(), b"mine");
        assert_eq!(entries(dir.path()), ["new.db"]);
        assert!(OwnFile::create(&destination).is_err());
    }
}
