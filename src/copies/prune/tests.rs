//! The choice on made-up contents: each rule where breaking it shows, and the law that no row version is lost.

use std::collections::HashSet;

use proptest::prelude::*;

use super::{
    Copied, INCIDENT_GAP_NS, PruneCandidate, PruneChoice, RowVersionId, RowVersions, Rules, Stays, choose,
};
use crate::salvage::source::SourceKind;

const MINUTE: i128 = 60 * 1_000_000_000;

/// A content with copies written at these minutes, the newest first, of 100 bytes each.
fn content(kind: SourceKind, minutes: &[i128]) -> PruneCandidate {
    let copy = |minute: &i128| Copied {
        written_ns: minute * MINUTE,
        bytes: 100,
        is_removable: true,
        is_whole: true,
    };
    PruneCandidate { kind, copies: minutes.iter().map(copy).collect() }
}

fn held(versions: &[u128]) -> RowVersions {
    let versions =
        versions.iter().map(|&says| RowVersionId { table: 0, says, row: says / 10, key: says / 10 });
    RowVersions { tables: vec!["tasks".to_owned()], versions: versions.collect(), ..RowVersions::default() }
}

fn chosen(contents: &[PruneCandidate], live: &[u128], holds: &[Vec<u128>], rules: Rules) -> PruneChoice {
    choose_from(contents, live, &rules, |number| Some(held(&holds[number])))
}

fn choose_from(
    contents: &[PruneCandidate],
    live: &[u128],
    rules: &Rules,
    of: impl Fn(usize) -> Option<RowVersions>,
) -> PruneChoice {
    choose(contents, &held(live), rules, &mut |numbers, take| {
        for &number in numbers {
            take(number, of(number));
        }
        Ok(())
    })
    .unwrap()
}

/// The contents of which no copy is left.
fn gone(contents: &[PruneCandidate], choice: &PruneChoice) -> HashSet<usize> {
    let removed = |number: usize| choice.removed.iter().filter(|(other, _)| *other == number).count();
    (0..contents.len()).filter(|&number| removed(number) == contents[number].copies.len()).collect()
}

#[test]
fn without_a_rule_only_equal_copies_go_and_the_newest_of_them_stays() {
    let contents = [content(SourceKind::Backup, &[30, 20, 10]), content(SourceKind::Backup, &[25])];
    let choice = chosen(&contents, &[], &[vec![1], vec![1]], Rules::default());
    assert_eq!(choice.removed, [(0, 2), (0, 1)]);
}

#[test]
fn contents_with_nothing_of_their_own_go_from_the_oldest_on() {
    let minutes = [50, 40, 30, 20, 10];
    let contents = minutes.map(|minute| content(SourceKind::Backup, &[minute]));
    let holds = [vec![10, 20], vec![10, 20], vec![10, 31], vec![10], vec![10]];
    let choice = chosen(&contents, &[10], &holds, Rules { keep: Some(1), ..Rules::default() });
    assert_eq!(choice.removed, [(3, 0), (1, 0)]);
    assert_eq!(choice.stays[&0], Stays::Newest);
    assert_eq!(choice.stays[&2], Stays::HoldsRows);
    assert_eq!(choice.alone[&2], 1);
    assert_eq!(choice.stays[&4], Stays::OldestOfIncident);
    assert!(choice.lost.is_empty());
}

#[test]
fn two_copies_do_not_vouch_for_each_other() {
    let contents = [40, 30, 20, 10].map(|minute| content(SourceKind::Backup, &[minute]));
    let holds = [vec![], vec![7], vec![7], vec![]];
    let choice = chosen(&contents, &[], &holds, Rules { keep: Some(1), ..Rules::default() });
    assert_eq!(choice.removed, [(2, 0)]);
    assert_eq!(choice.stays[&1], Stays::HoldsRows);
}

#[test]
fn losses_that_are_allowed_are_counted() {
    let contents = [40, 30, 20, 10].map(|minute| content(SourceKind::Backup, &[minute]));
    // Version 11 is a state of the row that 12 is one of; 21 is the only state of its row.
    let holds = [vec![12], vec![11], vec![21], vec![]];
    let rules = Rules { keep: Some(1), lossy: true, ..Rules::default() };
    let choice = chosen(&contents, &[], &holds, rules);
    assert_eq!(choice.removed, [(2, 0), (1, 0)]);
    let lost = choice.lost["tasks"];
    assert_eq!((lost.versions, lost.rows), (2, 1));
}

#[test]
fn what_only_the_board_holds_afterwards_is_noted() {
    let contents = [40, 30, 20, 10].map(|minute| content(SourceKind::Backup, &[minute]));
    let holds = [vec![1], vec![1, 2], vec![1], vec![1]];
    let choice = chosen(&contents, &[1, 2], &holds, Rules { keep: Some(1), ..Rules::default() });
    assert_eq!(choice.resting, HashSet::from([2]));
}

#[test]
fn a_part_of_a_row_counts_where_the_whole_is_nowhere() {
    let contents = [40, 30, 20, 10].map(|minute| content(SourceKind::Backup, &[minute]));
    let part = |row: u128| RowVersions { partial: vec![row], ..held(&[]) };
    let holds = [held(&[30]), part(2), part(3), held(&[])];
    let rules = Rules { keep: Some(1), ..Rules::default() };
    let choice = choose_from(&contents, &[], &rules, |number| Some(holds[number].clone()));
    assert_eq!(choice.removed, [(2, 0)]);
    assert_eq!(choice.stays[&1], Stays::HoldsRows);
}

#[test]
fn what_cannot_be_read_stays_whatever_is_asked() {
    let contents = [40, 30, 20, 10].map(|minute| content(SourceKind::Backup, &[minute]));
    let opaque = RowVersions { is_opaque: true, ..held(&[]) };
    let holds = [Some(held(&[])), None, Some(opaque), Some(held(&[]))];
    let with = |lossy| {
        let rules = Rules { keep: Some(1), lossy, ..Rules::default() };
        choose_from(&contents, &[], &rules, |number| holds[number].clone())
    };
    let choice = with(false);
    assert!(choice.removed.is_empty());
    assert_eq!((choice.stays[&1], choice.stays[&2]), (Stays::Unknown, Stays::Unknown));
    let choice = with(true);
    assert_eq!(choice.removed, [(2, 0)]);
}

#[test]
fn rules_bound_what_goes() {
    let contents = [50, 40, 30, 20, 10].map(|minute| content(SourceKind::Backup, &[minute]));
    let holds = vec![vec![]; 5];
    let with = |rules: Rules| chosen(&contents, &[], &holds, rules).removed;
    assert_eq!(with(Rules { before_ns: Some(25 * MINUTE), ..Rules::default() }), [(3, 0)]);
    assert_eq!(with(Rules { max_bytes: Some(399), ..Rules::default() }), [(3, 0), (2, 0)]);
    assert_eq!(with(Rules { max_bytes: Some(500), ..Rules::default() }), []);
    assert_eq!(with(Rules { keep: Some(3), ..Rules::default() }), [(3, 0)]);
    let both = Rules { keep: Some(2), max_bytes: Some(400), ..Rules::default() };
    assert_eq!(with(both), [(3, 0)]);
}

#[test]
fn incidents_are_apart_by_time_and_our_backups_have_none() {
    let gap = INCIDENT_GAP_NS / MINUTE + 1;
    let mut contents = vec![];
    for start in [0, 2 * gap] {
        contents.extend([2, 1, 0].map(|minute| content(SourceKind::Backup, &[start + minute])));
    }
    contents.extend([9, 8, 7].map(|minute| content(SourceKind::Own, &[minute])));
    let holds = vec![vec![]; contents.len()];
    let choice = chosen(&contents, &[], &holds, Rules { keep: Some(1), ..Rules::default() });
    assert_eq!(gone(&contents, &choice), HashSet::from([0, 1, 4, 7, 8]));
}

#[test]
fn a_log_alone_is_no_newest_copy_and_takes_no_place_of_those_that_are_kept() {
    let mut contents = [50, 40, 30, 20].map(|minute| content(SourceKind::Backup, &[minute]));
    contents[0].copies[0].is_whole = false;
    let choice = chosen(&contents, &[], &vec![vec![]; 4], Rules { keep: Some(1), ..Rules::default() });
    assert_eq!(gone(&contents, &choice), HashSet::from([0, 2]));
    let choice = chosen(&contents, &[], &[vec![1], vec![], vec![], vec![]], Rules::default());
    assert!(choice.removed.is_empty());
}

#[test]
fn links_are_left_alone() {
    let mut contents = [40, 30, 20, 10].map(|minute| content(SourceKind::Backup, &[minute, minute]));
    contents[1].copies[0].is_removable = false;
    let holds = vec![vec![]; 4];
    let choice = chosen(&contents, &[], &holds, Rules { keep: Some(1), ..Rules::default() });
    assert_eq!(choice.stays[&1], Stays::Linked);
    assert!(!choice.removed.iter().any(|(content, place)| *content == 1 && *place == 0));
}

fn any_content() -> impl Strategy<Value = (PruneCandidate, Vec<u128>)> {
    let kind = prop_oneof![3 => Just(SourceKind::Backup), 1 => Just(SourceKind::Own)];
    let copies = prop::collection::vec((0_i128..500, 1_u64..50, prop::bool::weighted(0.9)), 1..4);
    let versions = prop::collection::hash_set(0_u128..24, 0..6);
    (kind, copies, versions).prop_map(|(kind, mut copies, versions)| {
        copies.sort_by_key(|(minute, ..)| std::cmp::Reverse(*minute));
        let one = |(minute, bytes, is_removable)| Copied {
            written_ns: minute * MINUTE,
            bytes,
            is_removable,
            is_whole: true,
        };
        let copies = copies.into_iter().map(one).collect();
        (PruneCandidate { kind, copies }, versions.into_iter().collect())
    })
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let keep = prop::option::of(1_usize..6);
    (keep, prop::option::of(0_i128..500), prop::option::of(0_u64..600)).prop_map(
        |(keep, before, max_bytes)| Rules {
            keep,
            before_ns: before.map(|minute| minute * MINUTE),
            max_bytes,
            lossy: false,
            ..Rules::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_row_version_is_lost(
        made in prop::collection::vec(any_content(), 0..12),
        live in prop::collection::hash_set(0_u128..24, 0..8),
        rules in any_rules(),
    ) {
        let (contents, holds): (Vec<PruneCandidate>, Vec<Vec<u128>>) = made.into_iter().unzip();
        let live: Vec<u128> = live.into_iter().collect();
        let choice = chosen(&contents, &live, &holds, rules);
        let gone = gone(&contents, &choice);

        let before: HashSet<u128> = holds.iter().flatten().chain(&live).copied().collect();
        let stay = (0..contents.len()).filter(|number| !gone.contains(number));
        let after: HashSet<u128> = stay.flat_map(|number| &holds[number]).chain(&live).copied().collect();
        prop_assert_eq!(before, after);
        prop_assert!(choice.lost.is_empty());

        let kept = (0..contents.len()).filter(|number| !gone.contains(number)).collect::<HashSet<_>>();
        prop_assert_eq!(&kept, &choice.stays.keys().copied().collect::<HashSet<_>>());
        for kind in [SourceKind::Backup, SourceKind::Own] {
            let copies = || contents.iter().enumerate().filter(|(_, content)| content.kind == kind);
            let newest = copies().map(|(_, content)| content.copies[0].written_ns).max();
            let stays = copies().any(|(number, content)| {
                Some(content.copies[0].written_ns) == newest && !gone.contains(&number)
            });
            prop_assert!(newest.is_none() || stays);
            let left = copies().filter(|(number, _)| !gone.contains(number)).count();
            prop_assert!(left >= rules.keep.unwrap_or(0).min(copies().count()));
        }
        let mut twice = HashSet::new();
        for &(content, place) in &choice.removed {
            let copy = &contents[content].copies[place];
            prop_assert!(copy.is_removable && twice.insert((content, place)));
            prop_assert!(rules.before_ns.is_none_or(|moment| copy.written_ns < moment));
        }
        if let (Some(most), Some(&(content, place))) = (rules.max_bytes, choice.removed.last()) {
            // Before the last content or equal copy went, all together took more than was allowed.
            let bytes = |(content, place): (usize, usize)| contents[content].copies[place].bytes;
            let all: u64 = contents.iter().flat_map(|content| &content.copies).map(|copy| copy.bytes).sum();
            let rest: u64 = choice.removed.iter().filter(|one| one.0 != content || !gone.contains(&content))
                .filter(|one| **one != (content, place)).copied().map(bytes).sum();
            prop_assert!(all - rest > most);
        }
    }
}
