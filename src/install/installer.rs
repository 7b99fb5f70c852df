//! Writes a verified file into a board without ever removing the board's file.
//!
//! The steps: evidence, Hermes' locks, the proof that no process has the board open, the write, the check. The rows go into
//! the live inode through SQLite, so the next process that opens the board finds the old one or the new one whole, and owner,
//! mode and links stay (docs/architecture.md, "Install"). Not here: which file is installed (the caller) and keeping what was
//! there ([`super::evidence`]).

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::evidence::{self, About, Evidence, InstallOperation};
use super::target;
use super::target::Space;
use crate::board::Inspection;
use crate::board::files::{FileState, with_suffix};
use crate::board::holders::{self, Onlooker};
use crate::board::locks::HermesLocks;
use crate::failure::{Failure, Outcome};
use crate::newfile::{Audience, Sealed};
use crate::ondisk::wal;
use crate::pool::{immutable_uri, protect};
use crate::process::clock::Clock;
use crate::process::signals::Signals;
use crate::store::audit::{self, Integrity, Running};

/// How long SQLite's own lock is waited for once Hermes' locks are held: Hermes walks past those after 10 seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// SQLite's page cache during the write, in KiB: each time it overflows the log is synced once.
const CACHE_KIB: u32 = 32 * 1024;

/// What decides how an install goes about it.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Go on where processes of other users cannot be looked at; never beside a process that was found.
    pub assume_unused: bool,
    /// How long Hermes' locks are waited for.
    pub patience: Duration,
    /// Heard until the write begins.
    pub signals: Signals,
    /// Reports which process is in the way.
    pub onlooker: Onlooker,
    /// For names and records.
    pub clock: Clock,
}

/// What came of an install.
#[derive(Debug)]
pub struct Installed {
    /// What was there before; nothing where nothing was.
    pub evidence: Option<Evidence>,
    /// The tasks that say they are being worked on.
    pub running: Vec<Running>,
    /// What went wrong besides, when the board was in place already.
    pub remarks: Vec<String>,
}

/// Puts `file` in the place of the board that was `seen`. `origin` is whose owner and mode a board gets that has no file.
/// Nothing comes back when somebody wrote to the board since it was `seen`, so that the file may lack rows.
///
/// # Errors
/// Exit 11 and 12 before anything is touched; afterwards what SQLite or the disk say, with the evidence named where the
/// board is not as it was.
pub fn install(
    seen: &Inspection,
    file: Sealed,
    about: About,
    origin: &Path,
    terms: &Terms,
) -> Outcome<Option<Installed>> {
    target::require_installable(seen)?;
    let path = file.path()?;
    let bytes = fs::metadata(&path)
        .map_err(|error| Failure::io(error, format!("looking at {}", path.display())).at(&path))?
        .len();
    Space::of(seen, bytes).require(seen, true)?;
    let evidence = if is_anything(seen) {
        if !target::is_unchanged(seen)? {
            return Ok(None);
        }
        Some(evidence::take(seen, about, terms.clock)?)
    } else {
        None
    };
    match locked(seen, terms, "installing over it", evidence.as_ref(), || put(seen, file, origin)) {
        Ok(Some(running)) => Ok(Some(finish(seen, evidence, running, terms.clock))),
        Ok(None) => {
            if let Some(evidence) = evidence {
                evidence.discard();
            }
            Ok(None)
        }
        Err(failure) => Err(account(failure, evidence)),
    }
}

/// Runs `write` under Hermes' locks, where no process has the board open and no process wrote to it since it was `seen`; nothing
/// when somebody did. The `evidence` has it first that the board begins to change.
///
/// # Errors
/// Exit 11 when a lock is not had, 12 beside holders, and what `write` says.
pub fn locked<T>(
    seen: &Inspection,
    terms: &Terms,
    doing: &str,
    evidence: Option<&Evidence>,
    write: impl FnOnce() -> Outcome<T>,
) -> Outcome<Option<T>> {
    let _locks = HermesLocks::take(
        &seen.board.path,
        &seen.resolved,
        Instant::now() + terms.patience,
        &terms.signals,
        &terms.onlooker,
    )?;
    holders::require_none(seen, doing, terms.assume_unused)?;
    if !target::is_unchanged(seen)? {
        return Ok(None);
    }
    evidence.map_or(Ok(()), Evidence::begin)?;
    write().map(Some)
}

/// Whether there is anything to be kept as evidence.
fn is_anything(seen: &Inspection) -> bool {
    seen.stamp.is_some() || seen.sidecars.any_log()
}

/// Writes the outcome down; folders of interrupted attempts that hold the same are removed, the others closed: their rows
/// were among the sources. The board is in place, so nothing here is a failure any more.
pub fn finish(
    seen: &Inspection,
    mut evidence: Option<Evidence>,
    running: Vec<Running>,
    clock: Clock,
) -> Installed {
    let recorded = match &mut evidence {
        Some(evidence) => {
            evidence.finish("installed", clock).and_then(|()| close_earlier(seen, evidence, clock))
        }
        None => Ok(()),
    };
    let remarks = recorded.err().map(|failure| format!("the evidence is not marked as finished: {failure}"));
    Installed { evidence, running, remarks: remarks.into_iter().collect() }
}

/// Closes the folders of attempts at `operation` that were interrupted behind their last change, once the board is found to
/// be what they were to make of it.
///
/// # Errors
/// When the directory cannot be listed or written.
pub fn close_interrupted(seen: &Inspection, operation: InstallOperation, clock: Clock) -> Outcome<()> {
    let sets = evidence::list(&seen.resolved)?;
    let is_open = |set: &Evidence| !set.finished && set.manifest.about.operation == operation;
    sets.into_iter().filter(is_open).try_for_each(|mut set| {
        // What never began to change the board is nothing that could be taken back.
        if set.has_begun() { set.finish(operation.past(), clock) } else { set.give_up(clock) }
    })
}

fn close_earlier(seen: &Inspection, evidence: &Evidence, clock: Clock) -> Outcome<()> {
    for mut earlier in evidence::list(&seen.resolved)?.into_iter().filter(|earlier| !earlier.finished) {
        if earlier.is_equal(evidence) {
            earlier.discard();
        } else {
            earlier.give_up(clock)?;
        }
    }
    Ok(())
}

/// Removes the evidence when nothing was begun or the board is as it was after all, and names it where it is not.
pub fn account(failure: Failure, evidence: Option<Evidence>) -> Failure {
    let Some(evidence) = evidence else { return failure };
    if !evidence.has_begun() || matches!(evidence.is_in_place(), Ok(true)) {
        evidence.discard();
        return failure;
    }
    failure
        .hint("The board is whole: as it was, or as it was to become.")
        .hint(format_args!("What was there before is in {}.", evidence.folder.display()))
        .hint("Run the same command again: it takes up where this one was stopped.")
}

fn put(seen: &Inspection, file: Sealed, origin: &Path) -> Outcome<Vec<Running>> {
    let live = &seen.resolved;
    let placed = if matches!(seen.state, FileState::Missing) {
        publish(live, file, origin)
    } else {
        let path = file.path()?;
        write_over(live, &path)
    };
    placed.map_err(|failure| failure.at(live))
}

/// Gives the file the board's name, which nothing has. A log that was left there belongs to a board that is gone: SQLite
/// would replay it over the new rows (tests/incidents.md F35). The evidence has it.
fn publish(live: &Path, file: Sealed, origin: &Path) -> Outcome<Vec<Running>> {
    let running = InstallSource::open(&file.path()?)?.running();
    for suffix in ["-wal", "-shm", "-journal"] {
        remove_if_there(&with_suffix(live, suffix))?;
    }
    target::sync_directory(live)?;
    file.publish(Audience::of(origin))?;
    Ok(running)
}

/// The verified file, read through SQLite. Nobody else knows it, so it is as good as immutable, and nothing is made
/// beside it.
struct InstallSource {
    connection: Connection,
    page_size: u32,
    mode: String,
}

impl InstallSource {
    fn open(path: &Path) -> Outcome<Self> {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(immutable_uri(path), flags)?;
        let page_size = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let wal = crate::journal_mode::records_wal(path)?;
        Ok(Self { connection, page_size, mode: if wal { "wal" } else { "delete" }.to_owned() })
    }

    /// A board with other columns has nothing to say here.
    fn running(&self) -> Vec<Running> {
        audit::running(&self.connection).unwrap_or_default()
    }
}

/// Writes the pages of the file at `from` over those of the board at `live` in one transaction of SQLite's, looks at
/// them, and leaves the recorded journal mode of `from` and nothing beside the board.
///
/// `RESET_DATABASE` has SQLite take the board for one without pages: whatever its first page holds is not read, but is
/// logged and comes back if this is interrupted. Where a WAL lies there, the pages go through it; otherwise through a
/// rollback journal. `EXCLUSIVE` keeps everybody out from the first lock to the close, and needs no shared memory.
fn write_over(live: &Path, from: &Path) -> Outcome<Vec<Running>> {
    let source = InstallSource::open(from)?;
    let running = source.running();
    leave_foreign_wal(live, source.page_size)?;
    let mut connection = open(live)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, true)?;
    connection.execute_batch(&format!(
        "PRAGMA page_size={}; PRAGMA cache_size=-{CACHE_KIB}; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=0;",
        source.page_size
    ))?;
    let step = Backup::new(&source.connection, &mut connection).and_then(|backup| backup.step(-1));
    match step? {
        StepResult::Done => {}
        _ => {
            return Err(Failure::busy("another process has the board locked; nothing was changed.")
                .hint("Stop it (`kanbanctl health` names it), then run this again."));
        }
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    let settled = check(&connection, &source).and_then(|()| settle(&connection, live, &source.mode));
    let closed = connection.close().map_err(|(_, error)| Failure::from(error));
    // Only the exclusive handle had a log; the index of an earlier one belongs to nobody any more.
    let cleared = remove_if_there(&with_suffix(live, "-shm")).and_then(|()| target::sync_directory(live));
    settled.and(closed).and(cleared).map_err(|failure| {
        failure
            .context("the new board is in place, but what followed failed")
            .hint("Look at it with `kanbanctl health --depth full`.")
    })?;
    Ok(running)
}

/// A WAL with pages of another size cannot take the new ones. The old board is brought back from it first, whole.
fn leave_foreign_wal(live: &Path, page_size: u32) -> Outcome<()> {
    let wal = with_suffix(live, "-wal");
    let size = wal::WalHeader::read(&head(&wal)?).map(|header| header.page_size);
    let is_empty = fs::metadata(live).is_ok_and(|meta| meta.len() == 0);
    if is_empty || size.is_none_or(|size| u32::try_from(size) == Ok(page_size)) {
        return Ok(());
    }
    let connection = open(live)?;
    let row = audit::set_journal_mode(&connection, "delete");
    let closed = connection.close();
    match (row, closed) {
        (Ok(row), Ok(())) if row == "delete" => Ok(()),
        _ => Err(Failure::refused(format!(
            "the board's WAL has pages of {} bytes, the new file pages of {page_size}, and SQLite cannot part the board \
             from its WAL. Nothing was installed.",
            size.unwrap_or_default()
        ))
        .hint("Build a new file with `kanbanctl recover --output NEW.db`.")),
    }
}

fn head(path: &Path) -> Outcome<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    match fs::File::open(path) {
        Ok(file) => {
            file.take(wal::HEADER_LEN as u64)
                .read_to_end(&mut bytes)
                .map_err(|error| Failure::io(error, format!("reading {}", path.display())))?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::io(error, format!("reading {}", path.display()))),
    }
    Ok(bytes)
}

/// A handle that keeps everybody else out. `EXCLUSIVE` is said before anything reads the file.
fn open(live: &Path) -> Outcome<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(live, flags)?;
    protect(&connection)?;
    connection.busy_timeout(PATIENCE)?;
    connection.query_row("PRAGMA locking_mode=EXCLUSIVE", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;")?;
    Ok(connection)
}

/// The pages were checked whole before; now they are looked at where they lie, and every table counted.
fn check(connection: &Connection, source: &InstallSource) -> Outcome<()> {
    if let Some(fault) = audit::integrity(connection, Integrity::Quick)?.first() {
        return Err(Failure::failed(format!("SQLite finds fault with the installed board: {fault}.")));
    }
    if audit::counts(connection)? != audit::counts(&source.connection)? {
        return Err(Failure::failed("the installed board has other numbers of rows than the verified file."));
    }
    Ok(())
}

/// Writes the log back, records the journal mode, and removes what the exclusive handle leaves beside the board.
fn settle(connection: &Connection, live: &Path, mode: &str) -> Outcome<()> {
    let now = audit::journal_mode(connection)?;
    if now != mode {
        let set = audit::set_journal_mode(connection, mode)?;
        if set != mode {
            return Err(Failure::failed(format!("the board took journal mode {set}, not {mode}.")));
        }
    }
    if mode == "wal" {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        // Nobody else can have the board open, so the close may write back and take the log away.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    }
    let journal = with_suffix(live, "-journal");
    // Committed by cutting it to nothing; an exclusive handle keeps the name for its next transaction.
    if fs::metadata(&journal).is_ok_and(|meta| meta.len() == 0) {
        remove_if_there(&journal)?;
    }
    Ok(())
}

/// Removes a file of the board's that may not be there.
pub(super) fn remove_if_there(path: &Path) -> Outcome<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::io(error, format!("removing {}", path.display())).at(path))
        }
        _ => Ok(()),
    }
}
