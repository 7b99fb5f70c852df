//! The log and the journal that lie beside a file, read in place and in one moment.
//!
//! Not here: before or beside an open connection this must not be asked. Closing a descriptor drops the locks.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::{Relation, of_journal, of_log};
use crate::board::Stamp;
use crate::board::files::with_suffix;
use crate::board::getlk;
use crate::board::log::{LogBytes, is_countable};
use crate::failure::Outcome;
use crate::ondisk::journal::Journal;
use crate::ondisk::store::Store;

/// Looks at files that a writer changes meanwhile, or that seem not to belong.
const MAX_LOOKS: usize = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

/// How what lies beside a file is related to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SidecarRelations {
    /// The `-wal`.
    pub wal: Relation,
    /// The `-journal`.
    pub journal: Relation,
    /// Records of the `-journal` that are not whole, where it belongs to the file.
    pub torn_records: u64,
}

impl SidecarRelations {
    const LAWFUL: Self = Self { wal: Relation::SameMoment, journal: Relation::SameMoment, torn_records: 0 };

    /// The suffix and the relation of the first that does not belong.
    pub fn stray(self) -> Option<(&'static str, Relation)> {
        [("-wal", self.wal), ("-journal", self.journal)]
            .into_iter()
            .find(|(_, relation)| !relation.is_same_moment())
    }
}

/// Say how the log and the journal beside `main` are related to it. Files that never rest, and a log that is too long to be
/// counted, are taken for lawful.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn beside(main: &Path) -> Outcome<SidecarRelations> {
    let mut before = None;
    for _ in 0..MAX_LOOKS {
        let seen = stamps(main)?;
        let found = look(main, &seen)?;
        let rested = seen == stamps(main)?;
        if rested && (found == SidecarRelations::LAWFUL || before == Some((seen, found))) {
            return Ok(found);
        }
        before = rested.then_some((seen, found));
        sleep(BETWEEN_LOOKS);
    }
    Ok(SidecarRelations::LAWFUL)
}

/// How the log at `log` is related to the file at `main`, which it does not lie beside. Both rest.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn of_log_at(main: &Path, log: &Path) -> Outcome<Relation> {
    match (LogBytes::at(main)?, LogBytes::at(log)?) {
        (Some(main), Some(log)) if is_countable(log.size()) => Ok(of_log(&main, &log)),
        _ => Ok(Relation::SameMoment),
    }
}

type Stamps = [Option<Stamp>; 3];

fn stamps(main: &Path) -> Outcome<Stamps> {
    let beside = |suffix| Stamp::of(&with_suffix(main, suffix));
    // A reader that is root gives the log its owner again, which moves its ctime.
    let still = |stamp: Option<Stamp>| stamp.map(|stamp| Stamp { ctime_ns: 0, ..stamp });
    Ok([Stamp::of(main)?, beside("-wal")?, beside("-journal")?].map(still))
}

fn look(main: &Path, stamps: &Stamps) -> Outcome<SidecarRelations> {
    let mut found = SidecarRelations::LAWFUL;
    let has_bytes = |stamp: &Option<Stamp>| stamp.is_some_and(|stamp| stamp.len > 0);
    let [file, wal, journal] = stamps;
    if !has_bytes(file) || !(has_bytes(wal) || has_bytes(journal)) {
        return Ok(found);
    }
    let Some(bytes) = LogBytes::at(main)? else { return Ok(found) };
    // No verb writes beside a log that is too long to be counted, so that nothing is lost where it is not looked at.
    if has_bytes(wal)
        && let Some(log) = LogBytes::at(&with_suffix(main, "-wal"))?
        && is_countable(log.size())
    {
        found.wal = of_log(&bytes, &log);
    }
    // The journal of a living writer is between two moments.
    if has_bytes(journal)
        && !getlk::is_written_to(main)
        && let Some(records) = LogBytes::at(&with_suffix(main, "-journal"))?
    {
        found.journal = of_journal(&bytes, &records);
        let torn = Journal::read(&records).map_or(0, |journal| journal.torn().count());
        found.torn_records = torn as u64;
    }
    Ok(found)
}
