//! The table of checks: one function each, bytes first, rows second.
//!
//! Responsible for the order and for what a check is given ([`Subject`]). A check returns findings and never acts on
//! them; one that cannot look returns a failure, which makes the verdict `unchecked`.

mod belonging;
mod file;
mod integrity;
mod neighbours;
mod rows;
mod wal;

use std::time::Duration;

use rusqlite::Connection;

use super::{Depth, Finding, Severity};
use crate::board::belonging::SidecarRelations;
use crate::board::dispatcher;
use crate::board::filesystem::Filesystem;
use crate::board::generation::{self, Generation, Stake};
use crate::board::holders::{self, Holders, ProcessTable, library};
use crate::board::litestream::{self, Replication};
use crate::board::log::{self, WaitingFrames};
use crate::board::namesakes::{self, Namesake};
use crate::board::rollback::{self, Rollback};
use crate::board::{Copies, Inspection, copies};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::salvage::source;
use crate::salvage::source::Digests;
use crate::store::audit::{self, Integrity};
use crate::work::progress::Unwatched;

use neighbours::DELETED_FILES;

pub use belonging::is_stray;
pub use integrity::compare_looks;
pub use wal::WAL_PENDING;

/// How long damage, and deleted files in a process's hands, rest before the second look.
const SECOND_LOOK: Duration = Duration::from_millis(100);
/// The most looks at bytes that seem damaged.
const LOOKS: usize = 5;

/// Everything that was found out about the board before SQLite opened it.
#[derive(Debug)]
pub struct Subject {
    /// Header, stamps and sidecars.
    pub inspection: Inspection,
    /// What the board lies on.
    pub filesystem: Filesystem,
    /// Who has it open.
    pub holders: Holders,
    /// Files of the board that only a process still has, and what is lost when it ends; nothing where that cannot be read.
    pub generations: Vec<Apart>,
    /// The copies that Hermes put aside.
    pub copies: Copies,
    /// How many contents those copies have; only where they were read ([`Subject::with_contents`]).
    pub contents: Option<usize>,
    /// What waits in the WAL.
    pub waiting: Option<WaitingFrames>,
    /// How log and journal are related to the board.
    pub belonging: SidecarRelations,
    /// Where the transaction of a rollback journal stands.
    pub rollback: Option<Rollback>,
    /// The copies under other names.
    pub namesakes: Vec<Namesake>,
    /// Each process that has the board open or dispatches it, with the SQLite versions that it has mapped and that can
    /// damage a log.
    pub old_libraries: Vec<(u32, String)>,
    /// When our newest backup beside the board was made, Unix seconds.
    pub newest_backup: Option<i64>,
    /// How far Litestream has followed the board, where it does.
    pub replication: Option<Replication>,
    /// How deep to look, when, and what counts as old.
    pub terms: CheckTerms,
}

/// How to look.
#[derive(Clone, Copy, Debug)]
pub struct CheckTerms {
    /// How deep.
    pub depth: Depth,
    /// The time to judge claims and ages by, Unix seconds.
    pub now: i64,
    /// How old the newest backup may be; nothing where it does not matter.
    pub max_backup_age: Option<Duration>,
}

impl CheckTerms {
    /// Look `depth` deep at the time `now`, whatever the age of backups.
    pub fn new(depth: Depth, now: i64) -> Self {
        Self { depth, now, max_backup_age: None }
    }
}

/// Files that only a process still has, and what is lost when it ends; nothing where that cannot be read.
pub type Apart = (Generation, Option<Stake>);

/// A check on the bytes.
type BytesCheck = fn(&Subject) -> Vec<Finding>;
/// A check on the rows.
type RowsCheck = fn(&Connection, &Subject) -> Outcome<Vec<Finding>>;

const BEFORE_OPENING: &[BytesCheck] = &[
    belonging::sidecars,
    file::state,
    file::header,
    file::page_count,
    file::goes_on,
    file::writable,
    file::hot_journal,
    file::hard_links,
    wal::frames,
    wal::torn,
    wal::stray,
    neighbours::filesystem,
    neighbours::space,
    neighbours::backups,
    neighbours::namesakes,
    neighbours::own_backups,
    neighbours::old_sqlite,
    neighbours::holders,
    neighbours::deleted_files,
];

const AFTER_OPENING: &[RowsCheck] = &[rows::schema, rows::left_out];
/// Asked only where reading the rows runs nothing that the board brings along.
const OF_ROWS: &[RowsCheck] = &[
    rows::sequences,
    rows::text,
    rows::storage_classes,
    rows::gone,
    rows::references,
    rows::words,
    rows::never_made,
    rows::done_by_hand,
    rows::stale_running,
    rows::cursors,
];

impl Subject {
    /// Looks at everything that can be seen without SQLite; every descriptor is closed on return. Holders are looked for in
    /// `processes`, or read here where there is none.
    ///
    /// # Errors
    /// When the board's surroundings cannot be read.
    pub fn look(
        inspection: Inspection,
        terms: CheckTerms,
        processes: Option<&ProcessTable>,
    ) -> Outcome<Self> {
        let directory = inspection.resolved.parent().unwrap_or(&inspection.resolved);
        let filesystem = crate::board::filesystem::of(directory)?;
        let (holders, generations) = hands(&inspection, processes)?;
        let copies = copies::count(&inspection.resolved);
        let namesakes = namesakes::find(&inspection.resolved);
        let newest_backup = copies::newest_own(&inspection.resolved);
        let old_libraries = if inspection.is_wal() {
            old_libraries(&holders, dispatcher::process_of(&inspection.resolved))
        } else {
            Vec::new()
        };
        let replication = litestream::replication(&inspection.resolved);
        let of = Self::of(inspection, filesystem, holders, terms)?;
        Ok(Self { generations, copies, namesakes, old_libraries, newest_backup, replication, ..of })
    }

    /// What the board's own files say, on `filesystem` and in the hands of `holders`, beside no copies.
    ///
    /// # Errors
    /// When log or journal cannot be read.
    pub fn of(
        inspection: Inspection,
        filesystem: Filesystem,
        holders: Holders,
        terms: CheckTerms,
    ) -> Outcome<Self> {
        Ok(Self {
            waiting: log::waiting(&inspection)?,
            belonging: crate::board::belonging::beside(&inspection.resolved)?,
            rollback: rollback::of(&inspection)?,
            generations: Vec::new(),
            copies: Copies::default(),
            contents: None,
            namesakes: Vec::new(),
            old_libraries: Vec::new(),
            newest_backup: None,
            replication: None,
            inspection,
            filesystem,
            holders,
            terms,
        })
    }

    /// False where the log seemed torn and never rested.
    fn is_settled(&self) -> bool {
        self.waiting.is_none_or(|waiting| waiting.settled)
    }

    /// Whether SQLite takes the header from the log, so that the one in the file does not matter.
    fn reads_header_in_log(&self) -> bool {
        self.inspection.is_wal() && self.waiting.is_some_and(|waiting| waiting.has_header)
    }

    /// With the number of contents that the copies have, for which they are read.
    ///
    /// # Errors
    /// When their directory cannot be listed.
    pub fn with_contents(mut self) -> Outcome<Self> {
        if self.copies.count > 0 {
            let found = source::backups(&self.inspection.resolved, Digests::WhereNeeded, &mut Unwatched)?;
            self.contents = Some(found.sources.len());
        }
        Ok(self)
    }
}

/// What the bytes said, and whether it may be believed.
#[derive(Debug)]
pub struct BytesLook {
    /// The board at the last look.
    pub subject: Subject,
    /// What was found then.
    pub findings: Vec<Finding>,
    /// False where damage was seen and no two looks in a row agreed on it.
    pub settled: bool,
}

/// Look at the bytes until nothing seems damaged or two looks in a row find the same damage: beside writers one look can
/// see the file, its log and its sidecars at different moments. What was read of `processes` before counts for the first look.
///
/// # Errors
/// When the board or its surroundings cannot be read.
pub fn look_at_bytes(
    inspection: Inspection,
    terms: CheckTerms,
    processes: Option<&ProcessTable>,
) -> Outcome<BytesLook> {
    let mut subject = Subject::look(inspection, terms, processes)?;
    let mut findings = before_opening(&subject);
    for _ in 1..LOOKS {
        if damage(&findings).next().is_none() && subject.is_settled() {
            return Ok(BytesLook { subject, findings, settled: true });
        }
        std::thread::sleep(SECOND_LOOK);
        let again = Subject::look(subject.inspection.board.inspect()?, terms, None)?;
        let found = before_opening(&again);
        let agrees = again.is_settled() && damage(&findings).eq(damage(&found));
        (subject, findings) = (again, found);
        if agrees {
            return Ok(BytesLook { subject, findings, settled: true });
        }
    }
    for finding in findings.iter_mut().filter(|finding| finding.severity == Severity::Error) {
        finding.severity = Severity::Warning;
        finding.message.push_str(" No two looks agreed on that: the board is changing under us.");
        "kanbanctl health".clone_into(&mut finding.next);
    }
    if !subject.is_settled() {
        let message =
            "the log seems torn, but it never rested while it was looked at: the board is changing under us.";
        let place = subject.inspection.resolved.display().to_string();
        findings.push(Finding::new("wal-torn", Severity::Warning, place, message).next("kanbanctl health"));
    }
    Ok(BytesLook { subject, findings, settled: false })
}

/// What must be found twice. How much a process has in a deleted log grows while it works on, and is no part of it.
fn damage(findings: &[Finding]) -> impl Iterator<Item = (&str, &str, &str)> {
    findings.iter().filter(|finding| finding.severity == Severity::Error).map(|finding| {
        let message = if finding.id == DELETED_FILES { "" } else { finding.message.as_str() };
        (finding.id, finding.subject.as_str(), message)
    })
}

/// Whose hands the board is in. A process that closes the board the ordinary way holds a deleted log for a moment, so
/// deleted files are looked at twice.
fn hands(inspection: &Inspection, processes: Option<&ProcessTable>) -> Outcome<(Holders, Vec<Apart>)> {
    let mut holders = match processes {
        Some(table) => holders::scan_in(table, inspection),
        None => holders::scan(inspection)?,
    };
    if holders.of_apart().next().is_some() {
        std::thread::sleep(SECOND_LOOK);
        holders = holders::scan(inspection)?;
    }
    let generations = generation::all(&holders).into_iter().map(|generation| {
        let stake = generation.stake(&inspection.resolved).ok();
        (generation, stake)
    });
    let generations = generations.collect();
    Ok((holders, generations))
}

/// The processes that have the board open, or dispatch it, through a SQLite that can damage a log, with what they have mapped.
fn old_libraries(holders: &Holders, dispatcher: Option<u32>) -> Vec<(u32, String)> {
    let of = |pid: u32| {
        let versions = library::sqlite_versions(pid);
        let old = versions.into_iter().filter(|version| library::can_break_wal(*version));
        old.map(|version| (pid, library::shown(version))).collect::<Vec<_>>()
    };
    let open = holders.of_database().filter_map(|holder| holder.pid);
    let mut pids: Vec<u32> = open.chain(dispatcher).collect();
    pids.sort_unstable();
    pids.dedup();
    pids.into_iter().flat_map(of).collect()
}

/// What the bytes say.
pub fn before_opening(subject: &Subject) -> Vec<Finding> {
    let mut findings: Vec<Finding> = BEFORE_OPENING.iter().flat_map(|check| check(subject)).collect();
    if findings.iter().any(is_stray) {
        // What the others say of a log or journal that does not belong sends to the wrong command.
        findings.retain(|finding| !belonging::MISLEADING.contains(&finding.id));
    }
    findings
}

/// What SQLite's own check says, one message per string.
///
/// # Errors
/// What SQLite says.
pub fn integrity(connection: &Connection, subject: &Subject) -> Outcome<Vec<String>> {
    let depth = match subject.terms.depth {
        Depth::First => return Ok(Vec::new()),
        Depth::Quick => Integrity::Quick,
        Depth::Full => Integrity::Full,
    };
    audit::integrity(connection, depth)
}

/// What the rows say.
///
/// # Errors
/// When a question could not be asked.
pub fn after_opening(connection: &Connection, subject: &Subject) -> Outcome<Vec<Finding>> {
    let mut findings = Vec::new();
    for check in AFTER_OPENING {
        findings.extend(check(connection, subject)?);
    }
    match crate::store::schema::require_board(connection) {
        Ok(()) if subject.terms.depth == Depth::First => audit::newest(connection)?,
        Ok(()) => {
            for check in OF_ROWS {
                findings.extend(check(connection, subject)?);
            }
        }
        // What is wrong with the schema is among the findings already.
        Err(failure) if matches!(failure.exit(), Exit::Refused | Exit::NoBoard) => {}
        Err(failure) => return Err(failure),
    }
    Ok(findings)
}
