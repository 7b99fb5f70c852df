//! Which copies may go: rules and protections, decided on names, times and counts alone.
//!
//! Equal copies beyond one go first; then whole contents from the oldest to the newest. Never the newest of its kind, the
//! oldest of an incident, one that cannot be read, or one that holds a row version found neither on the board nor in a copy
//! that stays. Each removal is decided with the earlier ones counted out, so that two copies cannot vouch for each other.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::ref_counts::{Ledger, Loss, RowVersions};
use crate::copies::row_version::Name;
use crate::failure::Outcome;
use crate::salvage::source::SourceKind;

/// Copies that are further apart than this belong to different incidents.
pub const INCIDENT_GAP_NS: i128 = 3_600 * 1_000_000_000;

/// What the operator wants to go.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// So many of the newest contents of each kind stay.
    pub keep: Option<usize>,
    /// Only what was last written before this moment (nanoseconds since 1970) goes.
    pub before_ns: Option<i128>,
    /// The newest content of each of this many days (UTC) that have one stays.
    pub daily: Option<usize>,
    /// The same for weeks, which begin on Monday.
    pub weekly: Option<usize>,
    /// Copies of Hermes' that are further apart than this belong to different incidents; [`INCIDENT_GAP_NS`] by default.
    pub incident_gap_ns: Option<i128>,
    /// A content may go when each of its rows is elsewhere in some version; otherwise each version has to be. Events are not
    /// compared then: Hermes collects old ones, and each collection would hold a copy for good.
    pub by_row: bool,
    /// Nothing more goes once all copies together take no more than this many bytes.
    pub max_bytes: Option<u64>,
    /// Copies go although they hold row versions that are nowhere else.
    pub lossy: bool,
}

impl Rules {
    /// Whether contents are to go, not only equal copies.
    fn takes_contents(&self) -> bool {
        self.keep.is_some()
            || self.daily.is_some()
            || self.weekly.is_some()
            || self.before_ns.is_some()
            || self.max_bytes.is_some()
    }
}

/// What the choice knows of one content.
#[derive(Debug, Clone)]
pub(crate) struct PruneCandidate {
    pub(crate) kind: SourceKind,
    /// Its copies from the newest to the oldest.
    pub(crate) copies: Vec<Copied>,
}

impl PruneCandidate {
    fn is_whole(&self) -> bool {
        self.copies.iter().any(|copy| copy.is_whole)
    }
}

/// What the choice knows of one copy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Copied {
    pub(crate) written_ns: i128,
    /// Bytes on the disk that go with it.
    pub(crate) bytes: u64,
    /// Whether it may be removed at all: links are left alone.
    pub(crate) is_removable: bool,
    /// Whether it is more than a log that lost its main file, which is no newest and no oldest of anything.
    pub(crate) is_whole: bool,
}

/// Why a content stays although the rules name it, or why no rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stays {
    /// It is the newest of its kind.
    Newest,
    /// It is the oldest of an incident.
    OldestOfIncident,
    /// It holds row versions that are nowhere else.
    HoldsRows,
    /// It, or a table in it, cannot be read, or there are too many rows to compare.
    Unknown,
    /// One of its names is a symbolic link.
    Linked,
    /// It is the newest of a day or week that is to be kept.
    Retained,
    /// No rule asks for it to go.
    NotAsked,
}

/// What is to be done.
#[derive(Debug, Clone, Default)]
pub(crate) struct PruneChoice {
    /// Content and copy, in the order in which they go.
    pub(crate) removed: Vec<(usize, usize)>,
    /// Each content that stays.
    pub(crate) stays: BTreeMap<usize, Stays>,
    /// How many versions of each content that stays for its rows are nowhere else.
    pub(crate) alone: HashMap<usize, u64>,
    /// What goes for good, by table.
    pub(crate) lost: BTreeMap<String, Loss>,
    /// Versions that only the board holds once the removed copies have gone.
    pub(crate) resting: HashSet<Name>,
}

/// Reads what contents hold and gives that to the second argument, in the order of the first; `None` is one that cannot be
/// read.
pub(crate) type Read<'r> =
    dyn FnMut(&[usize], &mut dyn FnMut(usize, Option<RowVersions>)) -> Outcome<()> + 'r;

/// How many candidates are read before it is asked again whether enough has gone.
const BATCH: usize = 64;

/// Chooses among `contents`; what the board holds, `live` vouches for.
///
/// # Errors
/// What `read` stops with.
pub(crate) fn choose(
    contents: &[PruneCandidate],
    live: &RowVersions,
    rules: &Rules,
    read: &mut Read<'_>,
) -> Outcome<PruneChoice> {
    let mut work = PolicyState::new(contents, rules);
    work.drop_equal_copies();
    work.protect();
    let candidates = work.candidates();
    if !candidates.is_empty() {
        work.drop_contents(&candidates, live, read)?;
    }
    for (number, left) in work.left.iter().enumerate() {
        if !left.is_empty() {
            work.choice.stays.entry(number).or_insert(Stays::NotAsked);
        }
    }
    Ok(work.choice)
}

struct PolicyState<'a> {
    contents: &'a [PruneCandidate],
    rules: &'a Rules,
    /// What all copies that stay take, in bytes.
    total: u64,
    /// The copies of each content that stay, by their places.
    left: Vec<Vec<usize>>,
    choice: PruneChoice,
}

impl<'a> PolicyState<'a> {
    fn new(contents: &'a [PruneCandidate], rules: &'a Rules) -> Self {
        let copies = || contents.iter().flat_map(|content| &content.copies);
        let left = contents.iter().map(|content| (0..content.copies.len()).collect()).collect();
        Self {
            contents,
            rules,
            total: copies().map(|copy| copy.bytes).sum(),
            left,
            choice: PruneChoice::default(),
        }
    }

    fn is_full(&self) -> bool {
        self.rules.max_bytes.is_none_or(|most| self.total > most)
    }

    fn is_old(&self, copy: &Copied) -> bool {
        self.rules.before_ns.is_none_or(|moment| copy.written_ns < moment)
    }

    fn remove(&mut self, number: usize, place: usize, bytes: u64) {
        self.choice.removed.push((number, place));
        self.total = self.total.saturating_sub(bytes);
        if let Some(left) = self.left.get_mut(number) {
            left.retain(|&other| other != place);
        }
    }

    /// All but one copy of each content, the oldest first. The one that stays is the newest that is a file of its own.
    fn drop_equal_copies(&mut self) {
        let mut surplus = Vec::new();
        for (number, content) in self.contents.iter().enumerate() {
            let stays = content.copies.iter().position(|copy| copy.is_removable);
            for (place, copy) in content.copies.iter().enumerate() {
                if copy.is_removable && Some(place) != stays && self.is_old(copy) {
                    surplus.push((copy.written_ns, number, place, copy.bytes));
                }
            }
        }
        surplus.sort_unstable();
        for (_, content, place, bytes) in surplus {
            if !self.is_full() {
                break;
            }
            self.remove(content, place, bytes);
        }
    }

    /// The newest of each kind, and of Hermes' copies the oldest of each incident.
    fn protect(&mut self) {
        for kind in [SourceKind::Backup, SourceKind::Own] {
            let mut times: Vec<(i128, usize)> = self
                .contents
                .iter()
                .enumerate()
                .filter(|(_, content)| content.kind == kind && content.is_whole())
                .flat_map(|(number, content)| {
                    content.copies.iter().map(move |copy| (copy.written_ns, number))
                })
                .collect();
            times.sort_unstable();
            if let Some((_, newest)) = times.last() {
                self.choice.stays.insert(*newest, Stays::Newest);
            }
            let gap = self.rules.incident_gap_ns.unwrap_or(INCIDENT_GAP_NS);
            let mut before: Option<i128> = None;
            for &(time, content) in times.iter().filter(|_| kind == SourceKind::Backup) {
                if before.is_none_or(|before| time - before > gap) {
                    self.choice.stays.entry(content).or_insert(Stays::OldestOfIncident);
                }
                before = Some(time);
            }
        }
    }

    /// Contents that the rules name and nothing protects yet, from the oldest to the newest.
    fn candidates(&mut self) -> Vec<usize> {
        if !self.rules.takes_contents() {
            return Vec::new();
        }
        let newest = |content: &PruneCandidate| content.copies.iter().map(|copy| copy.written_ns).max();
        let (mut candidates, mut retained) = (Vec::new(), Vec::new());
        for kind in [SourceKind::Backup, SourceKind::Own] {
            let of_kind = |&number: &usize| self.contents.get(number).is_some_and(|one| one.kind == kind);
            let is_whole = |&number: &usize| self.contents.get(number).is_some_and(PruneCandidate::is_whole);
            let (mut series, logs): (Vec<usize>, Vec<usize>) =
                (0..self.contents.len()).filter(of_kind).partition(is_whole);
            series.sort_by_key(|&number| std::cmp::Reverse(self.contents.get(number).and_then(newest)));
            let written = |number: usize| self.contents.get(number).and_then(newest);
            let dated: Vec<(usize, i128)> =
                series.iter().filter_map(|&number| Some((number, written(number)?))).collect();
            retained.extend(newest_of_spans(&dated, self.rules.daily, 0, DAY_NS));
            retained.extend(newest_of_spans(&dated, self.rules.weekly, MONDAY_NS, 7 * DAY_NS));
            candidates.extend(series.into_iter().skip(self.rules.keep.unwrap_or(0)).chain(logs));
        }
        for number in retained {
            self.choice.stays.entry(number).or_insert(Stays::Retained);
        }
        candidates.sort_by_key(|&number| self.contents.get(number).and_then(newest));
        candidates.retain(|&number| {
            let Some(content) = self.contents.get(number) else { return false };
            content.copies.iter().all(|copy| self.is_old(copy)) && !self.choice.stays.contains_key(&number)
        });
        for &number in &candidates {
            let linked = |content: &PruneCandidate| content.copies.iter().any(|copy| !copy.is_removable);
            if self.contents.get(number).is_some_and(linked) {
                self.choice.stays.insert(number, Stays::Linked);
            }
        }
        candidates.retain(|number| !self.choice.stays.contains_key(number));
        candidates
    }

    /// Counts what everything holds; then takes the candidates whose rows another content has just so, and then the others
    /// one by one.
    fn drop_contents(
        &mut self,
        candidates: &[usize],
        live: &RowVersions,
        read: &mut Read<'_>,
    ) -> Outcome<()> {
        let mut ledger = Ledger::default();
        ledger.add_live(live);
        let mut sets = Sets::default();
        let all: Vec<usize> = (0..self.contents.len()).collect();
        read(&all, &mut |number, held| {
            if let Some(held) = held.filter(|held| self.rules.lossy || !held.is_opaque) {
                sets.add(number, &held, &mut ledger);
            }
        })?;
        let alone = ledger.alone();
        let mut last = Vec::new();
        for &number in candidates {
            if !self.is_full() {
                return Ok(());
            }
            match sets.of.get(&number).copied() {
                // Not even when losses are fine: nobody could say which.
                None => {
                    self.choice.stays.insert(number, Stays::Unknown);
                }
                Some(set) if sets.leave(set) => self.remove_content(number),
                Some(set) => last.push((number, alone.get(&set).copied().unwrap_or(0))),
            }
        }
        let mut left = Vec::new();
        for (number, rows) in last {
            if rows > 0 && !self.rules.lossy {
                self.hold(number, rows);
            } else {
                left.push(number);
            }
        }
        for numbers in left.chunks(BATCH) {
            if !self.is_full() {
                break;
            }
            read(numbers, &mut |number, held| self.judge(number, held, &mut ledger))?;
        }
        (self.choice.lost, self.choice.resting) = ledger.into_losses();
        Ok(())
    }

    fn judge(&mut self, number: usize, held: Option<RowVersions>, ledger: &mut Ledger) {
        if !self.is_full() {
            return;
        }
        let Some(held) = held else {
            self.choice.stays.insert(number, Stays::Unknown);
            return;
        };
        let last = ledger.last_of(&held);
        if last > 0 && !self.rules.lossy {
            self.hold(number, last);
            return;
        }
        ledger.remove(&held);
        self.remove_content(number);
    }

    fn remove_content(&mut self, number: usize) {
        let Some(content) = self.contents.get(number) else { return };
        let left = self.left.get(number).cloned().unwrap_or_default();
        for place in left {
            let bytes = content.copies.get(place).map_or(0, |copy| copy.bytes);
            self.remove(number, place, bytes);
        }
    }

    fn hold(&mut self, number: usize, rows: u64) {
        self.choice.stays.insert(number, Stays::HoldsRows);
        self.choice.alone.insert(number, rows);
    }
}

/// One day.
const DAY_NS: i128 = 86_400 * 1_000_000_000;
/// From the beginning of a week to 1970-01-01, which was a Thursday.
const MONDAY_NS: i128 = 3 * DAY_NS;

/// The newest content of each of the `most` newest spans of time that have one; `dated` begins with the newest.
fn newest_of_spans(
    dated: &[(usize, i128)],
    most: Option<usize>,
    shift_ns: i128,
    span_ns: i128,
) -> Vec<usize> {
    let mut before = None;
    let mut found = Vec::new();
    for &(number, written_ns) in dated {
        let span = (written_ns + shift_ns).div_euclid(span_ns);
        if before != Some(span) && found.len() < most.unwrap_or(0) {
            found.push(number);
        }
        before = Some(span);
    }
    found
}

/// Contents that hold just the same rows: they differ in nothing that counts, and are counted once.
#[derive(Default)]
struct Sets {
    numbers: HashMap<Name, u32>,
    /// How many contents of each are left.
    left: Vec<u32>,
    /// The set of each content that is known.
    of: HashMap<usize, u32>,
    /// Sets with too many rows to count.
    uncounted: HashSet<u32>,
}

impl Sets {
    fn add(&mut self, content: usize, held: &RowVersions, ledger: &mut Ledger) {
        // What else an opaque one holds is not in its name.
        let apart = if held.is_opaque { content as u64 + 1 } else { 0 };
        let next = u32::try_from(self.left.len()).unwrap_or(u32::MAX);
        let set = *self.numbers.entry(held.name(apart)).or_insert(next);
        if set == next {
            self.left.push(0);
            if !ledger.add(set, held) {
                self.uncounted.insert(set);
            }
        }
        if let Some(left) = self.left.get_mut(set as usize).filter(|_| !self.uncounted.contains(&set)) {
            *left += 1;
            self.of.insert(content, set);
        }
    }

    /// Takes one content out of a set; false when it is the last.
    fn leave(&mut self, set: u32) -> bool {
        match self.left.get_mut(set as usize) {
            Some(left) if *left > 1 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DAY_NS, MONDAY_NS, newest_of_spans};

    #[test]
    fn each_day_and_week_keeps_its_newest() {
        let hour = DAY_NS / 24;
        // From Monday 2026-11-30 12:00 UTC back, every six hours.
        let monday = 20_787 * DAY_NS + 12 * hour;
        let dated: Vec<(usize, i128)> = (0..60).map(|at| (at, monday - at as i128 * 6 * hour)).collect();
        assert_eq!(newest_of_spans(&dated, Some(3), 0, DAY_NS), [0, 3, 7]);
        assert_eq!(newest_of_spans(&dated, Some(3), MONDAY_NS, 7 * DAY_NS), [0, 3, 31]);
        assert!(newest_of_spans(&dated, None, 0, DAY_NS).is_empty());
    }
}
