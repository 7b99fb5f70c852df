//! A roll reads the same wherever it lies.

use super::*;
use crate::ondisk::image::Site;
use crate::salvage::rows::row;
use proptest::prelude::*;

fn row(rowid: i64, page: u32, in_log: bool, suspect: bool) -> Row {
    let mut row = Row::new(rowid, 0, page, Site { in_log, offset: u64::from(page) * 4096 }, 100);
    row.mark(row::SUSPECT, suspect);
    row
}

fn shown(rows: impl Iterator<Item = Row>) -> Vec<[u8; 32]> {
    rows.map(Row::to_bytes).collect()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (-50_i64..6000, 1_u32..9, any::<bool>(), any::<bool>())
        .prop_map(|(rowid, page, in_log, suspect)| row(rowid, page, in_log, suspect));
    prop::collection::vec(row, 0..6000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_roll_reads_the_same_wherever_it_lies(
        first in rows(), second in rows(), limit in 0_usize..100_000, log_counts in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (large, small) = (MemoryBudget::new(dir.path(), usize::MAX), MemoryBudget::new(dir.path(), limit));
        let mut here = RowSet::ordered(&large, log_counts);
        let mut away = RowSet::ordered(&small, log_counts);
        for batch in [&first, &second] {
            for row in batch {
                here.push(*row);
                away.push(*row);
            }
            prop_assert_eq!(here.settle(), away.settle());
        }
        for roll in [&mut here, &mut away] {
            roll.retain(|row| row.rowid % 7 != 0);
            roll.update(|mut row| { row.mark(row::STRAY, row.rowid % 2 == 0); row });
            if let Ok(at) = roll.find(5) {
                roll.set(at, row(5, 77, true, false));
            }
        }
        prop_assert_eq!(shown(here.iter()), shown(away.iter()));
        prop_assert_eq!(shown(here.iter_back()), shown(away.iter_back()));
        prop_assert_eq!(shown(here.range(3, 5000).iter().copied()), shown(away.range(3, 5000).iter().copied()));
        for rowid in (-60..6010).step_by(13) {
            prop_assert_eq!(here.find(rowid), away.find(rowid));
            prop_assert_eq!(here.up_to(rowid), away.up_to(rowid));
        }
        prop_assert!(small.require_whole().is_ok());
        drop((here, away));
        prop_assert_eq!(small.taken.load(std::sync::atomic::Ordering::Relaxed), 0);
        prop_assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

#[test]
fn what_is_over_the_limit_is_not_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let room = MemoryBudget::new(dir.path(), 64 << 10);
    let mut roll = RowSet::new(&room);
    for rowid in 0..100_000 {
        roll.push(row(rowid, 1, false, false));
        assert!(roll.memory() <= (64 << 10) + STRIDE * size_of::<Row>());
    }
    roll.settle();
    assert_eq!((roll.len(), roll.memory()), (100_000, 0));
}

#[test]
fn a_disk_without_room_is_an_error_and_not_a_shorter_roll() {
    let dir = tempfile::tempdir().unwrap();
    let room = MemoryBudget::new(&dir.path().join("absent"), 0);
    let mut roll = RowSet::new(&room);
    (0..1000).for_each(|rowid| roll.push(row(rowid, 1, false, false)));
    roll.settle();
    assert!(room.require_whole().is_err());
}
