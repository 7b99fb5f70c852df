//! Flipped bits in the ids of rows, told by the indexes that hold the same ids.
//!
//! A row's keys stand twice and more in its file: on its leaf and in its indexes. Where they differ in one byte, a bit or
//! a byte was altered in one of them. Most of them say what it was; of two, the one that other rows have, or that is easier to
//! believe; where nothing tells, the row is marked. Only the small indexes of keys and links are asked: ids are what other
//! rows hang on.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Merge;
use super::rank::Facts;
use crate::failure::Outcome;
use crate::ondisk::btree::{VisitedPages, walk_index};
use crate::ondisk::image::Image;
use crate::ondisk::page::Page;
use crate::ondisk::record::{Record, Value};
use crate::ondisk::text::Encoding;
use crate::salvage::image;
use crate::salvage::rows::row;
use crate::salvage::rows::row::Row;
use crate::salvage::schema::{Index, TableSchema};
use crate::salvage::source::cache::{PayloadReader, SourceCache};
use crate::work::progress::{Stage, Watch};

/// The indexes that are asked, and the columns that they hold (board-format.md 2.1, 2.2, 2.7, 2.8).
const ASKED: [(&str, &str, &[&str]); 6] = [
    ("sqlite_autoindex_tasks_1", "tasks", &["id"]),
    ("sqlite_autoindex_task_links_1", "task_links", &["parent_id", "child_id"]),
    ("idx_links_parent", "task_links", &["parent_id"]),
    ("idx_links_child", "task_links", &["child_id"]),
    (
        "sqlite_autoindex_kanban_notify_subs_1",
        "kanban_notify_subs",
        &["task_id", "platform", "chat_id", "thread_id"],
    ),
    ("idx_notify_task", "kanban_notify_subs", &["task_id"]),
];
/// Rows between two looks at the watch.
const STRIDE: usize = 4096;

/// Rows of a table on which indexes may differ: more, and it is an index of another moment.
const MOST: usize = 4096;

/// What the indexes have where a row differs from one of them: by column.
type Said = BTreeMap<usize, Vec<Vec<u8>>>;

/// Lets the indexes of the main line speak about its rows.
///
/// # Errors
/// When it cannot be read again, and whatever `watch` stops with.
pub(crate) fn hear(
    merge: &mut Merge,
    ranked: &[Facts],
    shelf: &SourceCache<'_>,
    watch: &mut dyn Watch,
) -> Outcome<()> {
    let Some(main) = ranked.first().filter(|main| main.encoding == Encoding::Utf8) else { return Ok(()) };
    let stores = shelf.stores(main.source)?;
    let Some(layout) = image::lay_out(&stores) else { return Ok(()) };
    for name in ["tasks", "task_links", "kanban_notify_subs"] {
        let Some(at) = merge.position(name) else { continue };
        let verdicts =
            Hearing { merge, source: main.source, image: &layout.image, shelf }.of_table(at, name, watch)?;
        for verdict in verdicts {
            match verdict {
                WitnessResult::Mended(place, payload) => merge.rewrite(at, place, &payload),
                WitnessResult::Doubted(mut row) => {
                    row.mark(row::SUSPECT, true);
                    merge.replace(at, row, None);
                }
            }
        }
    }
    Ok(())
}

enum WitnessResult {
    /// The row at this place has had another record.
    Mended(usize, Vec<u8>),
    Doubted(Row),
}

struct Hearing<'h, 'a> {
    merge: &'h Merge,
    source: u32,
    image: &'h Image<'a>,
    shelf: &'h SourceCache<'h>,
}

impl Hearing<'_, '_> {
    fn of_table(&self, at: usize, name: &str, watch: &mut dyn Watch) -> Outcome<Vec<WitnessResult>> {
        let Some(table) = self.merge.table(at) else { return Ok(Vec::new()) };
        let shape = table.shape_of(self.source);
        let mut asked = Vec::new();
        for index in self.merge.main_indexes() {
            let known = ASKED.iter().find(|(known, of, _)| *known == index.name && *of == name);
            let column = |name: &&str| shape.columns.iter().position(|column| column.name == **name);
            if let Some((.., names)) = known
                && let Some(columns) = names.iter().map(column).collect::<Option<Vec<_>>>()
            {
                asked.push((index, columns));
            }
        }
        let mut reader = PayloadReader::new(self.shelf, self.merge.odds());
        let mut differing: BTreeMap<usize, Row> = BTreeMap::new();
        for (index, columns) in &asked {
            let held = self.hashes(index, columns.len());
            for (place, row) in table.rows.iter().enumerate() {
                if place % STRIDE == 0 {
                    watch.step(Stage::Merge, place as u64, table.rows.len() as u64)?;
                }
                let own = row.source == self.source
                    && row.oddity(self.merge.odds()).is_none_or(|odd| odd.payload.is_none());
                let entry = held.binary_search_by_key(&row.rowid, |(rowid, _)| *rowid);
                let Some((_, entry)) = entry.ok().and_then(|at| held.get(at)).filter(|_| own) else {
                    continue;
                };
                let ours =
                    reader.beginning(&row, |bytes| texts_of(bytes, columns).map(|texts| hash(&texts)))?;
                if ours.is_some_and(|ours| ours != *entry) && differing.len() < MOST {
                    differing.insert(place, row);
                }
            }
        }
        if differing.is_empty() {
            return Ok(Vec::new());
        }
        // Every index is heard on those, also the ones that agree with the row.
        let wanted: HashSet<i64> = differing.values().map(|row| row.rowid).collect();
        let mut said: HashMap<i64, Said> = HashMap::new();
        for (index, columns) in &asked {
            self.each_entry(index, columns.len(), &mut |rowid, texts| {
                if wanted.contains(&rowid) {
                    let said = said.entry(rowid).or_default();
                    for (column, text) in columns.iter().zip(texts) {
                        said.entry(*column).or_default().push(text.to_vec());
                    }
                }
            });
        }
        // A task has an event at least: that it was created.
        let (of, column) = if name == "tasks" { ("task_events", 1) } else { ("tasks", 0) };
        let known = Some(self.ids(&mut reader, of, column)?).filter(|ids| !ids.is_empty());
        let mut verdicts = Vec::new();
        for (place, row) in differing {
            if let Some(said) = said.get(&row.rowid) {
                let payload = reader.payload(&row, <[u8]>::to_vec)?;
                verdicts.extend(judge(shape, place, row, payload, said, known.as_ref()));
            }
        }
        Ok(verdicts)
    }

    /// What stands for the texts that `index` has for each rowid, in order.
    fn hashes(&self, index: &Index, columns: usize) -> Vec<(i64, u64)> {
        let mut hashes = Vec::new();
        self.each_entry(index, columns, &mut |rowid, texts| hashes.push((rowid, hash(texts))));
        hashes.sort_unstable();
        hashes
    }

    /// Gives the entries of `index`, as far as its pages are sound, to `take`: the rowid and the texts in its `columns`.
    fn each_entry(&self, index: &Index, columns: usize, take: &mut dyn FnMut(i64, &[&[u8]])) {
        if index.root <= 1 {
            return;
        }
        for number in walk_index(self.image, index.root, &mut VisitedPages::new(self.image)).pages {
            let bytes = self.image.page(number).unwrap_or_default();
            let Ok(page) = Page::read(number, &bytes, self.image.usable()) else { continue };
            if !page.is_sound() {
                continue;
            }
            for payload in page.cells().flatten().filter_map(|cell| cell.payload) {
                let Ok(record) = Record::read(payload.local) else { continue };
                let texts: Vec<_> = record.values().map_while(text).collect();
                if let Some(Value::Integer(rowid)) = record.values().nth(columns)
                    && texts.len() == columns
                {
                    take(rowid, &texts);
                }
            }
        }
    }

    /// The ids of tasks that `table` has in `column`.
    fn ids(
        &self,
        reader: &mut PayloadReader<'_, '_>,
        table: &str,
        column: usize,
    ) -> Outcome<HashSet<Vec<u8>>> {
        let table = self.merge.table_named(table);
        let mut ids = HashSet::new();
        for row in table.iter().flat_map(|table| table.rows.iter()) {
            let id = |bytes: &[u8]| {
                let record = Record::prefix(bytes).ok()?;
                text(record.values().nth(column)?).map(<[u8]>::to_vec)
            };
            ids.extend(reader.beginning(&row, id)?);
        }
        Ok(ids)
    }
}

fn text(value: Value<'_>) -> Option<&[u8]> {
    if let Value::Text(bytes) = value { Some(bytes) } else { None }
}

/// The texts in `columns` of the record that begins with `payload`.
fn texts_of<'p>(payload: &'p [u8], columns: &[usize]) -> Option<Vec<&'p [u8]>> {
    let record = Record::prefix(payload).ok()?;
    columns.iter().map(|column| record.values().nth(*column).and_then(text)).collect()
}

fn hash(texts: &[&[u8]]) -> u64 {
    let mut hasher = DefaultHasher::new();
    texts.hash(&mut hasher);
    hasher.finish()
}

/// What is to become of `row`, which is at `place` and whose record is `payload`. `known` are ids that others have.
fn judge(
    table: &TableSchema,
    place: usize,
    row: Row,
    payload: Vec<u8>,
    said: &Said,
    known: Option<&HashSet<Vec<u8>>>,
) -> Option<WitnessResult> {
    let mut mended = payload;
    let (mut is_mended, mut is_doubted) = (false, false);
    for (&column, values) in said {
        let range = range_of(&mended, column)?;
        let ours = mended.get(range.clone())?.to_vec();
        let ayes = 1 + values.iter().filter(|value| **value == ours).count();
        let Some(other) = values.iter().find(|value| is_altered(&ours, value)) else { continue };
        let noes = values.iter().filter(|value| *value == other).count();
        if noes < ayes {
            continue;
        }
        let mut turned = mended.clone();
        turned.get_mut(range)?.copy_from_slice(other);
        let is_known = |id: &Vec<u8>| known.map(|known| known.contains(id));
        let doubt = |payload: &[u8]| {
            let fit = Record::read(payload).ok().and_then(|record| table.fit(&record, Encoding::Utf8));
            fit.map_or(u32::MAX, |fit| fit.strange)
        };
        let tells = (is_known(&ours).cmp(&is_known(other))).then(doubt(&turned).cmp(&doubt(&mended)));
        if noes > ayes || tells.is_lt() {
            (mended, is_mended) = (turned, true);
        } else {
            is_doubted |= tells.is_eq();
        }
    }
    if is_mended {
        Some(WitnessResult::Mended(place, mended))
    } else {
        is_doubted.then_some(WitnessResult::Doubted(row))
    }
}

/// Where the text of `column` lies in the record `payload`.
fn range_of(payload: &[u8], column: usize) -> Option<std::ops::Range<usize>> {
    let record = Record::read(payload).ok()?;
    let values: usize = record.fields().map(|(_, content)| content.len()).sum();
    let before: usize = record.fields().take(column).map(|(_, content)| content.len()).sum();
    let start = payload.len().checked_sub(values)? + before;
    let (_, content) = record.fields().nth(column)?;
    Some(start..start + content.len())
}

/// Whether the two differ in one byte.
fn is_altered(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).filter(|(one, other)| one != other).count() == 1
}
