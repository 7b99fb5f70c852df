//! What was possible: of the rows of the truth, which are still whole in the bytes that were left.
//!
//! Reads sound files only, with a reader of its own that believes everything: it must not share a mistake with the
//! program that it judges. A row counts as there when its cell, byte for byte, is anywhere in any file, and each page of
//! its overflow chain begins some page of some file.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::Connection;

/// The rows of the truth that are physically there.
#[derive(Debug, Default)]
pub(crate) struct Possible {
    /// How many.
    pub(crate) count: usize,
    /// Table and rowid of each that has a rowid.
    pub(crate) rows: Vec<(String, i64)>,
}

/// A row as it lies in a sound file.
struct Laid {
    table: String,
    rowid: Option<i64>,
    payload: Vec<u8>,
    cell: Vec<u8>,
    chain: Vec<Vec<u8>>,
}

/// A file that was left: its bytes, and where its pages begin.
pub(crate) struct Left {
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_wal: bool,
}

/// Counts the rows of the sound file `truth` that are in `left`. `versions` are other sound files, from before the injury,
/// that have rows of it at other places.
pub(crate) fn possible(truth: &[u8], versions: &[Vec<u8>], left: &[Left]) -> Possible {
    let wanted = rows(truth);
    let mut laid: HashMap<(String, Option<i64>, Vec<u8>), Vec<Laid>> = HashMap::new();
    for row in versions.iter().flat_map(|version| rows(version)).chain(rows(truth)) {
        laid.entry((row.table.clone(), row.rowid, row.payload.clone())).or_default().push(row);
    }
    let cells = Cells::find(laid.values().flatten().map(|row| row.cell.as_slice()), left);
    let size = page_size(truth);
    let pages = pages(left, size);
    // Of a file that lost or gained bytes the pages begin anywhere.
    let torn: Vec<&Left> = left.iter().filter(|left| !left.is_wal && left.bytes.len() % size != 0).collect();
    let links = laid.values().flatten().flat_map(|row| &row.chain).filter(|link| link.len() >= KEY);
    let links = Cells::find(links.map(Vec::as_slice), &torn);
    let mut possible = Possible::default();
    for row in &wanted {
        let places = &laid[&(row.table.clone(), row.rowid, row.payload.clone())];
        let there = places.iter().any(|place| {
            cells.0.contains(place.cell.as_slice())
                && place.chain.iter().all(|link| {
                    pages.iter().any(|page| page.starts_with(link)) || links.0.contains(link.as_slice())
                })
        });
        if there {
            possible.count += 1;
            possible.rows.extend(row.rowid.map(|rowid| (row.table.clone(), rowid)));
        }
    }
    possible
}

/// Bytes by which cells are looked for.
const KEY: usize = 8;

/// The cells that were found somewhere.
struct Cells<'a>(BTreeSet<&'a [u8]>);

impl<'a> Cells<'a> {
    /// Looks for each of `cells` at every byte of `left`.
    fn find(cells: impl Iterator<Item = &'a [u8]>, left: &[impl std::borrow::Borrow<Left>]) -> Self {
        let mut by_start: BTreeMap<[u8; KEY], Vec<&[u8]>> = BTreeMap::new();
        let mut likely = vec![false; 1 << 16];
        for cell in cells {
            let key: [u8; KEY] = cell[..KEY].try_into().unwrap();
            likely[usize::from(u16::from_be_bytes([key[0], key[1]]))] = true;
            by_start.entry(key).or_default().push(cell);
        }
        let mut found = BTreeSet::new();
        for left in left {
            let left = left.borrow();
            for (at, key) in left.bytes.windows(KEY).enumerate() {
                if !likely[usize::from(u16::from_be_bytes([key[0], key[1]]))] {
                    continue;
                }
                let same = by_start.get(key).into_iter().flatten();
                found.extend(same.filter(|cell| left.bytes[at..].starts_with(cell)));
            }
        }
        Self(found)
    }
}

fn pages(left: &[Left], size: usize) -> Vec<&[u8]> {
    let mut pages = Vec::new();
    for left in left {
        if left.is_wal {
            pages.extend(
                left.bytes.get(32..).unwrap_or_default().chunks(24 + size).filter_map(|f| f.get(24..)),
            );
        } else {
            pages.extend(left.bytes.chunks(size));
        }
    }
    pages
}

fn page_size(bytes: &[u8]) -> usize {
    match u16::from_be_bytes([bytes[16], bytes[17]]) {
        1 => 65_536,
        size => usize::from(size),
    }
}

/// Every row of every table of the sound file in `bytes`.
fn rows(bytes: &[u8]) -> Vec<Laid> {
    let file = tempfile::NamedTempFile::new().unwrap();
    // The copy is not in WAL mode: nothing may come to lie beside it.
    let mut copy = bytes.to_vec();
    copy[18..20].fill(1);
    std::fs::write(file.path(), copy).unwrap();
    let connection = Connection::open(file.path()).unwrap();
    let sql = "SELECT m.name, m.rootpage, l.wr FROM sqlite_master m JOIN pragma_table_list l ON l.name = m.name \
               WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'";
    let mut statement = connection.prepare(sql).unwrap();
    let tables = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let tables: Vec<(String, u32, bool)> = tables.map(Result::unwrap).collect();
    let file = Sound { bytes, size: page_size(bytes), usable: page_size(bytes) - usize::from(bytes[20]) };
    let mut rows = Vec::new();
    for (table, root, without_rowid) in tables {
        file.walk(root as usize, &mut |laid| {
            rows.push(Laid { table: table.clone(), rowid: laid.rowid.filter(|_| !without_rowid), ..laid });
        });
    }
    rows
}

/// The leaves of the tree at `root` of the sound file in `bytes`, in order.
pub(crate) fn leaves(bytes: &[u8], root: usize) -> Vec<usize> {
    let file = Sound { bytes, size: page_size(bytes), usable: page_size(bytes) - usize::from(bytes[20]) };
    let mut leaves = Vec::new();
    file.descend(root, &mut leaves);
    leaves
}

struct Sound<'a> {
    bytes: &'a [u8],
    size: usize,
    usable: usize,
}

impl<'a> Sound<'a> {
    fn page(&self, number: usize) -> &'a [u8] {
        &self.bytes[(number - 1) * self.size..number * self.size]
    }

    fn descend(&self, number: usize, leaves: &mut Vec<usize>) {
        let page = self.page(number);
        let start = if number == 1 { 100 } else { 0 };
        if page[start] >= 8 {
            leaves.push(number);
            return;
        }
        for cell in 0..u16_at(page, start + 3) {
            self.descend(u32_at(page, u16_at(page, start + 12 + 2 * cell)), leaves);
        }
        self.descend(u32_at(page, start + 8), leaves);
    }

    fn walk(&self, number: usize, found: &mut dyn FnMut(Laid)) {
        let page = self.page(number);
        let start = if number == 1 { 100 } else { 0 };
        let kind = page[start];
        let interior = kind < 8;
        let pointers = start + if interior { 12 } else { 8 };
        for cell in 0..u16_at(page, start + 3) {
            let mut at = u16_at(page, pointers + 2 * cell);
            if interior {
                self.walk(u32_at(page, at), found);
                at += 4;
            }
            if kind != 5 {
                found(self.row(page, at, kind));
            }
        }
        if interior {
            self.walk(u32_at(page, start + 8), found);
        }
    }

    /// The row in the cell that begins at `start`, behind the pointer to a child.
    fn row(&self, page: &[u8], start: usize, kind: u8) -> Laid {
        let (len, mut at) = varint(page, start);
        let mut rowid = None;
        if kind == 13 {
            let (value, next) = varint(page, at);
            rowid = Some(i64::try_from(value).unwrap());
            at = next;
        }
        let len = usize::try_from(len).unwrap();
        let local = self.local(len, kind);
        let mut payload = page[at..at + local].to_vec();
        let mut end = at + local;
        let mut chain = Vec::new();
        if local < len {
            let mut next = u32_at(page, end);
            end += 4;
            while payload.len() < len {
                let take = (len - payload.len()).min(self.usable - 4);
                let link = &self.page(next)[..4 + take];
                payload.extend_from_slice(&link[4..]);
                chain.push(link.to_vec());
                next = u32_at(link, 0);
            }
        }
        Laid { table: String::new(), rowid, payload, cell: page[start..end].to_vec(), chain }
    }

    /// How much of a payload stays in its cell ("Database File Format", section 1.6).
    fn local(&self, len: usize, kind: u8) -> usize {
        let most = if kind == 13 { self.usable - 35 } else { (self.usable - 12) * 64 / 255 - 23 };
        let least = (self.usable - 12) * 32 / 255 - 23;
        if len <= most {
            return len;
        }
        let fitting = least + (len - least) % (self.usable - 4);
        if fitting <= most { fitting } else { least }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap()))
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    usize::try_from(u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap()
}

fn varint(bytes: &[u8], at: usize) -> (u64, usize) {
    let mut value = 0;
    for (index, byte) in bytes[at..at + 8].iter().enumerate() {
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return (value, at + index + 1);
        }
    }
    (value << 8 | u64::from(bytes[at + 8]), at + 9)
}
