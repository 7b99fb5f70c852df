//! Which copies of a board may go without a row being lost.
//!
//! In a storm nearly every copy is the only one of its content (tests/incidents.md F03) and still holds nothing of its own, so
//! contents are compared by the row versions in them. Two passes over the copies keep memory bounded: the first counts who
//! holds what, the second takes the candidates one by one. What is held are counts, some 80 bytes for each distinct row
//! version, and the rows of a few copies at a time. Removing is [`super::remove`]'s.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::row_version::Name;
use crate::copies::inspect::Inspector;
use crate::failure::count::counted;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::recover::RecoverOptions;
use crate::salvage::source::{Member, Source};
use crate::work::progress::{Stage, Watch};
use crate::work::threads;
use crate::work::threads::in_order;

pub(crate) use self::policy::{Copied, PruneCandidate, PruneChoice, choose};
pub use self::policy::{INCIDENT_GAP_NS, Rules, Stays};
pub use self::ref_counts::Loss;
pub(crate) use self::ref_counts::{RowVersionId, RowVersions};

pub(crate) mod policy;
pub(crate) mod ref_counts;
#[cfg(test)]
mod tests;

/// What would be done.
#[derive(Debug, Clone, Default)]
pub struct PrunePlan {
    /// The copies that go, in that order: place of the content among those given, and place among its copies.
    pub removed: Vec<(usize, usize)>,
    /// Each content that stays, with the reason.
    pub stays: BTreeMap<usize, Stays>,
    /// How many row versions of a content that stays for its rows are nowhere else.
    pub alone: HashMap<usize, u64>,
    /// What goes for good, by table; empty unless the rules allow losses.
    pub lost: BTreeMap<String, Loss>,
    /// What the board alone holds once the copies have gone, and the board as it was when that was found.
    resting: HashSet<Name>,
    live: Option<Member>,
}

/// Chooses among the copies of one board, each content once. `live` is the board.
///
/// # Errors
/// The reading error of the board, and what `watch` stops with. A copy that cannot be read stays.
pub fn plan(
    live: Option<&Source>,
    contents: &[Source],
    rules: &Rules,
    viewer: &Inspector,
    watch: &mut dyn Watch,
) -> Outcome<PrunePlan> {
    let guarded = |held: RowVersions| if rules.by_row { held.rows_only() } else { held };
    let held = guarded(live.map(|live| viewer.held(live)).transpose()?.unwrap_or_default());
    let described: Vec<PruneCandidate> = contents.iter().map(describe).collect();
    let (mut done, total) = (0, 2 * contents.len() as u64);
    let choice = choose(&described, &held, rules, &mut |numbers, take| {
        let view = |place: usize| {
            let source = contents.get(*numbers.get(place)?)?;
            viewer.held(source).ok().map(guarded)
        };
        in_order(numbers.len(), threads::cores(), view, |place, held| {
            watch.step(Stage::Compare, done, total)?;
            done += 1;
            if let Some(number) = numbers.get(place) {
                take(*number, held);
            }
            Ok(())
        })
    })?;
    let PruneChoice { removed, stays, alone, lost, resting } = choice;
    Ok(PrunePlan {
        removed,
        stays,
        alone,
        lost,
        resting,
        live: live.and_then(|live| live.copies.first().cloned()),
    })
}

impl PrunePlan {
    /// Makes sure that the board still holds what only it will hold: a person may have thought about the question for long.
    ///
    /// # Errors
    /// Exit 11 when the board has lost some of it meanwhile, and the reading error of the board.
    pub fn recheck(&self, live: Option<&Source>, viewer: &Inspector) -> Outcome<()> {
        let now = live.and_then(|live| live.copies.first());
        if self.resting.is_empty() || (now.is_some() && now == self.live.as_ref()) {
            return Ok(());
        }
        let held = live.map(|live| viewer.held(live)).transpose()?.unwrap_or_default();
        let versions: HashSet<Name> = held.versions.iter().map(|version| version.says).collect();
        if self.resting.is_subset(&versions) {
            return Ok(());
        }
        Err(Failure::busy(
            "the board changed meanwhile and no longer holds rows that copies were to be removed for.",
        )
        .hint("Nothing was removed. Run the command again."))
    }
}

/// Makes sure that a recovery from what stays brings back as many rows as one from all: sources help each other out, with
/// pages of a row that is cut and with votes on altered bytes, which no list of rows tells. Where the board is whole nothing
/// has to be recovered, and it is not asked.
///
/// # Errors
/// Exit 12 when fewer rows would come back, the reading errors of the sources, and what `watch` stops with.
pub fn require_same_recovery(
    plan: &PrunePlan,
    live: Option<&Source>,
    contents: &[Source],
    viewer: &Inspector,
    watch: &mut dyn Watch,
) -> Outcome<()> {
    let gone: HashSet<(usize, usize)> = plan.removed.iter().copied().collect();
    let whole = live.map(|live| viewer.holdings(live)).transpose()?;
    let is_needed = (0..contents.len()).any(|number| !plan.stays.contains_key(&number));
    if !is_needed || whole.is_some_and(|board| board.is_whole()) {
        return Ok(());
    }
    let left = contents.iter().enumerate().filter_map(|(number, source)| {
        let copies = source.copies.iter().enumerate();
        let copies: Vec<Member> = copies
            .filter(|(place, _)| !gone.contains(&(number, *place)))
            .map(|(_, member)| member.clone())
            .collect();
        Some(Source { path: copies.first()?.path.clone(), copies, ..source.clone() })
    });
    let with = |sources: Vec<Source>| live.cloned().into_iter().chain(sources).collect::<Vec<_>>();
    let left = with(left.collect());
    let options = RecoverOptions::new(viewer.scratch().to_path_buf());
    let before = match crate::recover::survey(&with(contents.to_vec()), &options, watch) {
        Err(failure) if matches!(failure.exit(), Exit::Damaged | Exit::NoBoard) => return Ok(()),
        other => other?,
    };
    let after = crate::recover::survey(&left, &options, watch)?;
    for (name, table) in &before.tables {
        let recovered = after.tables.get(name).map_or(0, |table| table.recovered);
        if recovered < table.recovered {
            return Err(Failure::refused(format!(
                "the board is damaged, and without these copies {} of {name} could not be recovered any more.",
                counted(table.recovered - recovered, "row", "rows")
            ))
            .hint("Recover first, with `kanbanctl recover`, then thin out the copies.")
            .hint("`--force-lossy` removes them all the same."));
        }
    }
    Ok(())
}

fn describe(source: &Source) -> PruneCandidate {
    let copied = |member: &Member| Copied {
        written_ns: member.written_ns(),
        bytes: member.disk_bytes(),
        is_removable: !member.is_linked,
        is_whole: member.main_size() > 0,
    };
    PruneCandidate { kind: source.kind, copies: source.copies.iter().map(copied).collect() }
}
