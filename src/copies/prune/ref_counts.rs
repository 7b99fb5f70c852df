//! Who holds which row version: counts, never the rows.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::copies::row_version::Name;

/// How many versions are counted before copies are kept for being too many to compare: at some 80 bytes each, with the
/// rows, about 300 MB.
const MAX_VERSIONS: usize = 4_000_000;

/// What one content or the board holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowVersions {
    /// The tables, to which the versions point.
    pub(crate) tables: Vec<String>,
    /// Whole rows.
    pub(crate) versions: Vec<RowVersionId>,
    /// Rows of which only a part can be read.
    pub(crate) partial: Vec<Name>,
    /// Whether it has tables whose rows cannot be read, so that nothing is known of what else it holds.
    pub(crate) is_opaque: bool,
}

impl RowVersions {
    /// The rows without regard to what they say, each once. Events are left out.
    pub(crate) fn rows_only(mut self) -> Self {
        let events = self.tables.iter().position(|table| table == "task_events");
        self.versions.retain(|version| Some(usize::from(version.table)) != events);
        for version in &mut self.versions {
            version.says = version.key;
        }
        self.versions.sort_unstable_by_key(|version| version.says);
        self.versions.dedup_by_key(|version| version.says);
        self
    }

    /// The name of all that it holds: equal for two that hold just the same rows, and the same number `apart`.
    pub(crate) fn name(&self, apart: u64) -> Name {
        let mut says: Vec<Name> = self.versions.iter().map(|version| version.says).collect();
        let mut partial = self.partial.clone();
        says.sort_unstable();
        partial.sort_unstable();
        let mut hash = Sha256::new();
        for part in [&says, &partial] {
            hash.update((part.len() as u64).to_be_bytes());
            for name in part {
                hash.update(name.to_be_bytes());
            }
        }
        hash.update(apart.to_be_bytes());
        hash.finalize().iter().take(16).fold(0, |name, &byte| name << 8 | Name::from(byte))
    }
}

/// A whole row as it stands somewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowVersionId {
    /// Its table's place in [`RowVersions::tables`].
    pub(crate) table: u16,
    /// What it says.
    pub(crate) says: Name,
    /// Which row it is.
    pub(crate) row: Name,
    /// Which row it is by its key, wherever it stands.
    pub(crate) key: Name,
}

/// What goes for good from one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// Row versions that nothing holds any more.
    pub versions: u64,
    /// Rows of which no version is left at all.
    pub rows: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// Sets of contents that hold it and of which one stays.
    kept: u32,
    live: bool,
    /// The set of contents in which it was seen first.
    first: u32,
}

impl Count {
    fn is_elsewhere(self) -> bool {
        self.live || self.kept > 1
    }

    fn is_gone(self) -> bool {
        !self.live && self.kept == 0
    }
}

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    versions: HashMap<Name, Count>,
    rows: HashMap<Name, Count>,
    partial: HashMap<Name, Count>,
    /// Versions that only the board holds since a copy went.
    resting: HashSet<Name>,
    lost: BTreeMap<String, Loss>,
}

impl Ledger {
    /// Counts the board.
    pub(crate) fn add_live(&mut self, held: &RowVersions) {
        for version in &held.versions {
            self.versions.entry(version.says).or_default().live = true;
            self.rows.entry(version.row).or_default().live = true;
        }
        for row in &held.partial {
            self.partial.entry(*row).or_default().live = true;
        }
    }

    /// Counts what a set of contents holds; false when there is no room to count all of it.
    pub(crate) fn add(&mut self, set: u32, held: &RowVersions) -> bool {
        let mut fits = true;
        for version in &held.versions {
            let full = self.versions.len() >= MAX_VERSIONS;
            fits &= count(&mut self.versions, version.says, set, full);
            fits &= count(&mut self.rows, version.row, set, full);
        }
        for row in &held.partial {
            let full = self.partial.len() >= MAX_VERSIONS;
            fits &= count(&mut self.partial, *row, set, full);
        }
        fits
    }

    /// For each set that has some, how many versions are nowhere else.
    pub(crate) fn alone(&self) -> HashMap<u32, u64> {
        let mut alone = HashMap::new();
        let versions = self.versions.values().filter(|count| count.kept == 1 && !count.live);
        let partial = self.partial.iter().filter(|(row, count)| {
            count.kept == 1 && !count.live && self.rows.get(row).is_none_or(|row| row.is_gone())
        });
        for count in versions.chain(partial.map(|(_, count)| count)) {
            *alone.entry(count.first).or_default() += 1;
        }
        alone
    }

    /// How many of the versions in `held`, which is counted, would be gone with it.
    pub(crate) fn last_of(&self, held: &RowVersions) -> u64 {
        let elsewhere = |counts: &HashMap<Name, Count>, name: &Name| {
            counts.get(name).is_some_and(|count| count.is_elsewhere())
        };
        let versions = held.versions.iter().filter(|one| !elsewhere(&self.versions, &one.says)).count();
        let partial = held.partial.iter().filter(|row| {
            let whole = self.rows.get(row).is_some_and(|count| !count.is_gone());
            !whole && !elsewhere(&self.partial, row)
        });
        (versions + partial.count()) as u64
    }

    /// Takes the last of a set out, and notes what goes with it.
    pub(crate) fn remove(&mut self, held: &RowVersions) {
        for version in &held.versions {
            let row = take(&mut self.rows, version.row);
            let Some(count) = take(&mut self.versions, version.says) else { continue };
            if count.live && count.kept == 0 {
                self.resting.insert(version.says);
            }
            if count.is_gone() {
                let table = held.tables.get(usize::from(version.table)).cloned().unwrap_or_default();
                let loss = self.lost.entry(table).or_default();
                loss.versions += 1;
                loss.rows += u64::from(row.is_some_and(Count::is_gone));
            }
        }
        for row in &held.partial {
            take(&mut self.partial, *row);
        }
    }

    /// What is gone, by table, and what only the board still holds.
    pub(crate) fn into_losses(self) -> (BTreeMap<String, Loss>, HashSet<Name>) {
        (self.lost, self.resting)
    }
}

fn count(counts: &mut HashMap<Name, Count>, name: Name, set: u32, full: bool) -> bool {
    match counts.entry(name) {
        Entry::Occupied(mut known) => {
            let known = known.get_mut();
            if known.kept == 0 {
                known.first = set;
            }
            known.kept += 1;
        }
        Entry::Vacant(_) if full => return false,
        Entry::Vacant(place) => {
            place.insert(Count { kept: 1, live: false, first: set });
        }
    }
    true
}

/// One holder less; what is left.
fn take(counts: &mut HashMap<Name, Count>, name: Name) -> Option<Count> {
    let count = counts.get_mut(&name)?;
    count.kept = count.kept.saturating_sub(1);
    Some(*count)
}
