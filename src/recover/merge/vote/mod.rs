//! Flipped bits that leave a row looking whole: only another copy of the row shows them (recovery.md, "What decides it", 9).
//!
//! Two versions of one row that differ in a single bit of a text are one version and a flip: nobody edits a text by one
//! bit, whatever happened to the row's other columns (`fields`). (Numbers are another matter, from 0 to 1 is one bit; only
//! where they never change do they count too.) If two other sources agree against the chosen row, it was flipped and
//! theirs comes in; if only one other source speaks, that one counts whose rows are likely where the other's are not, and
//! the row is marked. A newer version that gave way because flipped bits made it unlikely comes back without them.

mod fields;

use super::Merge;
use crate::failure::Outcome;
use crate::ondisk::record::Record;
use crate::ondisk::text::Encoding;
use crate::salvage::rows::row;
use crate::salvage::rows::row::Row;
use crate::salvage::schema::{TableSchema, odd_characters};
use crate::salvage::source::cache::{PayloadReader, SourceCache};
use crate::work::progress::{Stage, Watch};
pub(crate) use fields::is_settled;
use fields::turned;

/// Rows between two looks at the watch.
const STRIDE: usize = 1024;

/// Lets the sources decide about the rows of `merge` on which they differ.
///
/// # Errors
/// When a row can no longer be read, and whatever `watch` stops with.
pub(crate) fn vote(merge: &mut Merge, shelf: &SourceCache<'_>, watch: &mut dyn Watch) -> Outcome<()> {
    let disputes = merge.take_disputes();
    let yielded = merge.take_yielded();
    let total = (disputes.len() + yielded.len()) as u64;
    let mut verdicts = Vec::new();
    let mut reader = PayloadReader::new(shelf, merge.odds());
    for (done, (at, chosen, others)) in disputes.iter().enumerate() {
        if done % STRIDE == 0 {
            watch.step(Stage::Merge, done as u64, total)?;
        }
        let ours = reader.payload(chosen, <[u8]>::to_vec)?;
        let mut theirs = Vec::new();
        for other in others.iter().filter(|other| merge.are_alike(*at, chosen.source, other.source)) {
            theirs.push((other, reader.payload(other, <[u8]>::to_vec)?));
        }
        let Some(table) = merge.table(*at).map(|table| table.shape_of(chosen.source)) else { continue };
        let was_altered = |other: &Row| merge.was_altered(chosen.source, other.source);
        verdicts.extend(judge(*chosen, &ours, &theirs, table, &was_altered).map(|verdict| (*at, verdict)));
    }
    for (done, (at, chosen, newer)) in yielded.iter().enumerate() {
        if done % STRIDE == 0 {
            watch.step(Stage::Merge, (disputes.len() + done) as u64, total)?;
        }
        let Some(table) = merge.table(*at).map(|table| table.shape_of(newer.source)) else { continue };
        if merge.are_alike(*at, newer.source, chosen.source) {
            let bytes = reader.payload(newer, <[u8]>::to_vec)?;
            let other = reader.payload(chosen, <[u8]>::to_vec)?;
            verdicts.extend(reinstate(*newer, &bytes, &other, table).map(|verdict| (*at, verdict)));
        }
    }
    for (at, verdict) in verdicts {
        merge.replace(at, verdict.row, verdict.payload);
    }
    Ok(())
}

/// The row that comes in the place of another.
#[derive(Debug)]
struct VoteResult {
    row: Row,
    /// Its record, where that is not what its cell says.
    payload: Option<Vec<u8>>,
}

/// What becomes of `chosen`, a row of `table` whose bytes are `ours`; `None` if it stays as it is.
fn judge(
    chosen: Row,
    ours: &[u8],
    theirs: &[(&Row, Vec<u8>)],
    table: &TableSchema,
    was_altered: &dyn Fn(&Row) -> bool,
) -> Option<VoteResult> {
    let against: Vec<_> = theirs
        .iter()
        .filter_map(|(row, bytes)| {
            let mended = turned(table, ours, bytes)?;
            Some((**row, bytes, mended))
        })
        .collect();
    let instead = |(row, bytes, mended): &(Row, &Vec<u8>, Vec<u8>)| {
        let is_theirs = *bytes == mended;
        VoteResult {
            row: if is_theirs { *row } else { chosen },
            payload: (!is_theirs).then(|| mended.clone()),
        }
    };
    let agreed = against.iter().find(|(row, _, mended)| {
        against.iter().any(|(other, _, same)| other.source != row.source && same == mended)
    });
    if let Some(voice) = agreed {
        return Some(instead(voice));
    }
    // One that differs, and none that says the same as we do.
    let first = against.first()?;
    let (other, _, mended) = first;
    let seconds =
        |bytes: &[u8]| bytes == ours || turned(table, mended, bytes).is_some_and(|turned| turned == ours);
    if theirs.iter().any(|(_, bytes)| seconds(bytes)) {
        return None;
    }
    let mut verdict =
        if was_altered(other) { instead(first) } else { VoteResult { row: chosen, payload: None } };
    verdict.row.mark(row::SUSPECT, true);
    Some(verdict)
}

/// The row `newer`, which was unlikely and gave way to one with the bytes `other`, without the flipped bits that made it so;
/// `None` if they are not all of what is unlikely about it.
fn reinstate(mut newer: Row, bytes: &[u8], other: &[u8], table: &TableSchema) -> Option<VoteResult> {
    let payload = turned(table, bytes, other).filter(|payload| payload != other)?;
    let doubt = |payload: &[u8]| {
        let record = Record::read(payload).ok()?;
        Some((table.fit(&record, Encoding::Utf8)?.strange, odd_characters(&record, Encoding::Utf8)))
    };
    if doubt(&payload)? > doubt(other)? {
        return None;
    }
    newer.mark(row::SUSPECT, false);
    Some(VoteResult { row: newer, payload: Some(payload) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ondisk::image::Site;
    use crate::salvage::schema::Schemas;

    fn row(source: u32) -> Row {
        Row::new(1, source, 2, Site { in_log: false, offset: 4096 }, 100)
    }

    /// A record of texts and a number of one byte.
    fn record(texts: &[&str], number: u8) -> Vec<u8> {
        let size = u8::try_from(texts.len()).unwrap() + 2;
        let types = texts.iter().map(|text| 13 + 2 * u8::try_from(text.len()).unwrap());
        let header: Vec<u8> = std::iter::once(size).chain(types).chain([1]).collect();
        [header, texts.concat().into_bytes(), vec![number]].concat()
    }

    fn table(name: &str) -> std::sync::Arc<TableSchema> {
        let sql = format!("CREATE TABLE {name}(one TEXT, two TEXT, three TEXT, four INTEGER)");
        Schemas::new().unwrap().table(&sql).unwrap()
    }

    /// The source that is believed, whether the row is marked, and its record where it is none of theirs.
    type Believed = (u32, bool, Option<Vec<u8>>);

    fn verdict(name: &str, ours: &[u8], others: &[&[u8]], altered: bool) -> Option<Believed> {
        let rows: Vec<_> = (1..).take(others.len()).map(row).collect();
        let theirs: Vec<_> = rows.iter().zip(others.iter().map(|bytes| bytes.to_vec())).collect();
        let verdict = judge(row(0), ours, &theirs, &table(name), &|_| altered)?;
        Some((verdict.row.source, verdict.row.is_suspect(), verdict.payload))
    }

    #[test]
    fn two_that_agree_outvote_a_flip_but_not_an_edit() {
        let right = record(&["t_1", "the test"], 5);
        let others = [right.as_slice(), &right];
        assert_eq!(
            verdict("tasks", &record(&["t_1", "the tesp"], 5), &others, false),
            Some((1, false, None))
        );
        assert_eq!(verdict("tasks", &record(&["t_1", "the bess"], 5), &others, false), None);
        assert_eq!(verdict("tasks", &record(&["t_1", "the test"], 4), &others, false), None);
        assert_eq!(
            verdict("task_events", &record(&["t_1", "the test"], 4), &others, false),
            Some((1, false, None))
        );
    }

    #[test]
    fn one_against_one_is_marked_and_support_settles_it() {
        let (ours, theirs) = (record(&["t_1", "the tesp"], 5), record(&["t_1", "the test"], 5));
        assert_eq!(verdict("tasks", &ours, &[&theirs], false), Some((0, true, None)));
        assert_eq!(verdict("tasks", &ours, &[&theirs], true), Some((1, true, None)));
        assert_eq!(verdict("tasks", &ours, &[&theirs, &ours], false), None);
    }

    #[test]
    fn a_row_that_has_changed_keeps_its_changes_and_loses_the_flip() {
        let (ours, older) =
            (record(&["t_1", "the tesp", "done"], 9), record(&["t_1", "the test", "ready"], 5));
        let mended = record(&["t_1", "the test", "done"], 9);
        assert_eq!(verdict("tasks", &ours, &[&older], true), Some((0, true, Some(mended.clone()))));
        assert_eq!(verdict("tasks", &ours, &[&older, &older], false), Some((0, false, Some(mended))));
        // One of the others has what we have, in an older row.
        let second = record(&["t_1", "the tesp", "todo"], 4);
        assert_eq!(verdict("tasks", &ours, &[&older, &second], true), None);
        // The next number is often one bit away.
        let counted = record(&["t_1", "try 3 of it", "done"], 9);
        assert_eq!(verdict("tasks", &counted, &[&record(&["t_1", "try 2 of it", "ready"], 5)], true), None);
    }

    #[test]
    fn a_newer_row_that_gave_way_comes_back_without_its_flips() {
        let (older, whole) =
            (record(&["t_1", "the test", "ready"], 5), record(&["t_1", "the test", "in review"], 9));
        let mut newer = whole.clone();
        newer[12] ^= 0x80;
        let back = reinstate(row(0), &newer, &older, &table("tasks")).unwrap();
        assert_eq!(back.payload, Some(whole));
        // A flip in what the older one never had stays, so the older one does.
        let last = newer.len() - 3;
        newer[last] ^= 0x80;
        assert!(reinstate(row(0), &newer, &older, &table("tasks")).is_none());
    }
}
