//! Flipped bits that leave a row looking whole: only another copy of the row shows them (recovery.md, "What decides it", 9).
//!
//! Two versions of one row that differ in a single bit of a text are one version and a flip: nobody edits a text by one
//! bit. (Numbers are another matter, from 0 to 1 is one bit; only where rows never change do they count too.) If two other
//! sources agree against the chosen row, it was flipped and theirs comes in; if only one other source speaks, the row
//! comes from the one whose rows are likely where the other's are not, and is marked.

use super::merge::Merge;
use super::row::{self, Row};
use super::shelf::{Reader, Shelf};
use super::{Stage, Watch};
use crate::failure::Outcome;
use crate::ondisk::record::Record;

/// Tables whose rows Hermes never changes once they are there (board-format.md 4).
pub(crate) const FIXED: [&str; 2] = ["task_comments", "task_events"];
/// Rows between two looks at the watch.
const STRIDE: usize = 1024;

/// Lets the sources decide about the rows of `merge` on which they differ.
///
/// # Errors
/// When a row can no longer be read, and whatever `watch` stops with.
pub(crate) fn vote(merge: &mut Merge, shelf: &Shelf<'_>, watch: &mut dyn Watch) -> Outcome<()> {
    let disputes = merge.take_disputes();
    let mut verdicts = Vec::new();
    let mut reader = Reader::new(shelf, merge.odds());
    for (done, (table, chosen, others)) in disputes.iter().enumerate() {
        if done % STRIDE == 0 {
            watch.step(Stage::Merge, done as u64, disputes.len() as u64)?;
        }
        let fixed = merge.table(*table).is_some_and(|table| FIXED.contains(&table.table.name.as_str()));
        let ours = reader.payload(chosen, <[u8]>::to_vec)?;
        let mut theirs = Vec::new();
        for other in others {
            theirs.push((other, reader.payload(other, <[u8]>::to_vec)?));
        }
        let was_altered = |other: &Row| merge.was_altered(chosen.source, other.source);
        verdicts.extend(judge(*chosen, &ours, &theirs, fixed, &was_altered).map(|row| (*table, row)));
    }
    for (table, row) in verdicts {
        merge.replace(table, row);
    }
    Ok(())
}

/// The row that comes in the place of `chosen`, whose bytes are `ours`; `None` if it stays as it is.
fn judge(
    chosen: Row,
    ours: &[u8],
    theirs: &[(&Row, Vec<u8>)],
    fixed: bool,
    was_altered: &dyn Fn(&Row) -> bool,
) -> Option<Row> {
    let flipped = |bytes: &[u8]| flip(ours, bytes).is_some_and(|at| fixed || is_in_text(ours, at));
    let against: Vec<_> = theirs.iter().filter(|(_, bytes)| flipped(bytes)).collect();
    let agreed = against
        .iter()
        .find(|(row, bytes)| against.iter().any(|(other, same)| other.source != row.source && same == bytes));
    if let Some((row, _)) = agreed {
        return Some(**row);
    }
    // One that differs, and none that says the same as we do.
    let first = against.first().filter(|_| theirs.iter().all(|(_, bytes)| bytes != ours));
    first.map(|(other, _)| {
        let mut marked = if was_altered(other) { **other } else { chosen };
        marked.mark(row::SUSPECT, true);
        marked
    })
}

/// Where `one` and `other` differ, if that is in one bit.
fn flip(one: &[u8], other: &[u8]) -> Option<usize> {
    if one.len() != other.len() {
        return None;
    }
    let mut differing = one.iter().zip(other).enumerate().filter(|(_, (one, other))| one != other);
    let (at, (one, other)) = differing.next()?;
    ((one ^ other).is_power_of_two() && differing.next().is_none()).then_some(at)
}

/// Whether the byte `at` of the record that is `payload` belongs to a text.
pub(crate) fn is_in_text(payload: &[u8], at: usize) -> bool {
    let Ok(record) = Record::read(payload) else { return false };
    let values: usize = record.fields().map(|(_, content)| content.len()).sum();
    let mut start = payload.len() - values;
    for (serial, content) in record.fields() {
        if (start..start + content.len()).contains(&at) {
            return serial >= 13 && serial % 2 == 1;
        }
        start += content.len();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ondisk::image::Site;

    fn row(source: u32) -> Row {
        Row::new(1, source, 2, Site { in_log: false, offset: 4096 }, 100)
    }

    /// A record of a text and a number.
    fn record(text: &str, number: u8) -> Vec<u8> {
        let types = [3, 13 + 2 * u8::try_from(text.len()).unwrap(), 1];
        [&types[..], text.as_bytes(), &[number]].concat()
    }

    #[test]
    fn two_that_agree_outvote_a_flip_but_not_an_edit() {
        let (flipped, right) = (record("tesp", 5), record("test", 5));
        let (one, two) = (row(1), row(2));
        let verdict =
            judge(row(0), &flipped, &[(&one, right.clone()), (&two, right.clone())], false, &|_| false);
        assert_eq!(verdict.map(|row| row.source), Some(1));
        let edited = record("best", 5);
        assert!(
            judge(row(0), &edited, &[(&one, right.clone()), (&two, right.clone())], false, &|_| false)
                .is_none()
        );
        let counted = record("test", 4);
        assert!(
            judge(row(0), &counted, &[(&one, right.clone()), (&two, right.clone())], false, &|_| false)
                .is_none()
        );
        let verdict = judge(row(0), &counted, &[(&one, right.clone()), (&two, right)], true, &|_| false);
        assert_eq!(verdict.map(|row| row.source), Some(1));
    }

    #[test]
    fn one_against_one_is_marked_and_support_settles_it() {
        let (ours, theirs) = (record("tesp", 5), record("test", 5));
        let (one, two) = (row(1), row(2));
        let verdict = judge(row(0), &ours, &[(&one, theirs.clone())], false, &|_| false).unwrap();
        assert!(verdict.source == 0 && verdict.is_suspect());
        let verdict = judge(row(0), &ours, &[(&one, theirs.clone())], false, &|_| true).unwrap();
        assert!(verdict.source == 1 && verdict.is_suspect());
        assert!(judge(row(0), &ours, &[(&one, theirs), (&two, ours.clone())], false, &|_| false).is_none());
    }
}
