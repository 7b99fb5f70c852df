//! Boards that SQLite made, hurt, planned anew and judged by SQLite.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use rusqlite::Connection;

use super::header::Fields;
use super::plan::{PagePlan, Planner};
use super::schema;
use crate::ondisk::btree::{VisitedPages, walk_table};
use crate::ondisk::image::Image;
use crate::ondisk::page::Page;
use crate::salvage::rows::extras::RowExtras;
use crate::salvage::rows::row;
use crate::salvage::rows::row::Row;
use crate::salvage::rows::set::{MemoryBudget, RowSet};

/// A database with rows of many lengths in pages of `size`, an index on one of its tables, and a table of one leaf.
fn database(path: &Path, size: usize, rows: u32) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA page_size = {size}; PRAGMA synchronous = OFF; BEGIN;
             CREATE TABLE long(n INTEGER PRIMARY KEY, words TEXT);
             CREATE TABLE short(word TEXT UNIQUE, other TEXT);
             CREATE TABLE few(a);
             CREATE TABLE none(a);
             CREATE INDEX words ON short(other);
             INSERT INTO few VALUES (1), ('two');"
        ))
        .unwrap();
    // So that the schema has leaves of its own, and a text that overflows.
    let columns: Vec<String> = (0..150).map(|number| format!("column_{number}")).collect();
    connection.execute_batch(&format!("CREATE TABLE wide({})", columns.join(", "))).unwrap();
    for number in 0..rows {
        let words = "ab ".repeat((number as usize * 37) % 900);
        connection.execute("INSERT INTO long VALUES (?1, ?2)", (i64::from(number) * 3, &words)).unwrap();
        connection.execute("INSERT INTO short VALUES (?1, ?1)", [number]).unwrap();
    }
    connection.execute_batch("DELETE FROM long WHERE n % 7 = 0; COMMIT").unwrap();
}

/// The leaves' cells by rising rowid, as salvage would give them.
fn rows_of(image: &Image<'_>, root: u32) -> Vec<Row> {
    let mut rows = Vec::new();
    for place in walk_table(image, root, &mut VisitedPages::new(image)).leaves {
        let bytes = image.page(place.page).unwrap();
        let page = Page::read(place.page, &bytes, image.usable()).unwrap();
        for cell in page.cells() {
            let cell = cell.unwrap();
            let site = image.site(place.page).unwrap();
            let mut row = Row::new(cell.rowid, 0, place.page, site, cell.offset);
            row.mark(row::CHAINED, cell.payload.unwrap().overflow.is_some());
            rows.push(row);
        }
    }
    rows
}

fn write(plan: &PagePlan<'_, '_>, size: usize) -> Vec<u8> {
    let mut file = vec![0; plan.page_count() as usize * size];
    for (number, page) in (1..).zip(file.chunks_mut(size)) {
        plan.page(number, |number| plan.image.page(number), page).unwrap();
    }
    file
}

const FIELDS: Fields = Fields {
    page_size: 0,
    page_count: 0,
    freelist_trunk: 0,
    freelist_count: 0,
    change_counter: 9,
    schema_cookie: 9,
    user_version: 42,
    application_id: 7,
};

fn root(image: &Image<'_>, name: &str) -> u32 {
    schema::read(image).unwrap().entries.iter().find(|entry| entry.name == name).unwrap().root
}

/// Plans the database in `bytes` anew with the rows of `long` and `short` that `keep` wants; gives the new file and the
/// rowids of what was left out.
fn rebuilt(bytes: &[u8], size: usize, keep: impl Fn(&Row) -> bool) -> (Vec<u8>, Vec<i64>) {
    let image = Image::new(&bytes, size, size);
    let schema = schema::read(&image).unwrap();
    let roots: Vec<u32> = schema.entries.iter().map(|entry| entry.root).collect();
    let room = MemoryBudget::new(Path::new("."), usize::MAX);
    let wanted: Vec<RowSet> = schema
        .entries
        .iter()
        .map(|entry| {
            let mut rows = if entry.kind == "table" { rows_of(&image, entry.root) } else { Vec::new() };
            rows.retain(|row| entry.name == "few" || keep(row));
            RowSet::of(&room, rows)
        })
        .collect();
    let odds = RowExtras::default();
    let mut planner = Planner::new(&image, &odds, &schema.pages, &roots).unwrap();
    let mut left_out = Vec::new();
    for (entry, rows) in schema.entries.iter().zip(&wanted) {
        if entry.kind == "index" {
            planner.empty_index(entry.root).unwrap();
        } else {
            let apart = planner.table(entry.root, rows, HashSet::new()).unwrap();
            left_out.extend(apart.iter().map(|index| rows.get(*index).unwrap().rowid));
        }
    }
    let plan = planner.finish(Fields { page_size: size, ..FIELDS }).unwrap();
    (write(&plan, size), left_out)
}

/// What SQLite says of the file, and the keys of its two tables.
fn judged(path: &Path, bytes: &[u8]) -> (String, BTreeSet<i64>, BTreeSet<i64>) {
    std::fs::write(path, bytes).unwrap();
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("REINDEX").unwrap();
    let check = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    let keys = |sql: &str| -> BTreeSet<i64> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let few: i64 = connection.query_row("SELECT count(*) FROM few", [], |row| row.get(0)).unwrap();
    assert_eq!(few, 2);
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 42);
    (check, keys("SELECT n FROM long WHERE length(words) % 3 = 0"), keys("SELECT rowid FROM short"))
}

#[test]
fn a_whole_file_stays_whole() {
    let dir = tempfile::tempdir().unwrap();
    for (size, rows) in [(512, 3000), (4096, 3000), (65_536, 3000), (512, 0), (512, 1), (1024, 40)] {
        let path = dir.path().join(format!("{size}-{rows}.db"));
        database(&path, size, rows);
        let bytes = std::fs::read(&path).unwrap();
        let (file, left_out) = rebuilt(&bytes, size, |_| true);
        assert_eq!(left_out, [0; 0]);
        let (check, long, short) = judged(&path, &file);
        assert_eq!(check, "ok", "{size} {rows}");
        let expected: BTreeSet<i64> = (0..i64::from(rows)).map(|n| n * 3).filter(|n| n % 7 != 0).collect();
        assert_eq!(long, expected, "{size} {rows}");
        assert_eq!(short.len(), rows as usize);
    }
}

#[test]
fn rows_go_and_the_rest_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("board.db");
    database(&path, 512, 2000);
    let bytes = std::fs::read(&path).unwrap();
    for (what, keep) in [
        ("one in eleven", (|row: &Row| row.rowid % 11 != 0) as fn(&Row) -> bool),
        ("whole leaves", |row| row.page % 5 != 0),
        ("all but one leaf", |row| row.rowid < 6),
        ("all", |_| false),
    ] {
        let (file, left_out) = rebuilt(&bytes, 512, keep);
        assert_eq!(left_out, [0; 0]);
        let (check, long, short) = judged(&path, &file);
        assert_eq!(check, "ok", "{what}");
        let image = Image::new(&bytes, 512, 512);
        for (name, found) in [("long", long), ("short", short)] {
            let all = rows_of(&image, root(&image, name));
            let kept: BTreeSet<i64> = all.iter().filter(|row| keep(row)).map(|row| row.rowid).collect();
            assert_eq!(found, kept, "{what}: {name}");
        }
    }
}

#[test]
fn a_row_whose_chain_is_cut_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("board.db");
    database(&path, 512, 500);
    let mut bytes = std::fs::read(&path).unwrap();
    let image = Image::new(&bytes, 512, 512);
    let all = rows_of(&image, root(&image, "long"));
    let mut cut = BTreeSet::new();
    for row in all.iter().step_by(17) {
        let page = image.page(row.page).unwrap();
        let page = Page::read(row.page, &page, 512).unwrap();
        if let Some(first) = page.cell(usize::from(row.cell)).unwrap().payload.unwrap().overflow {
            cut.insert((row.rowid, first));
        }
    }
    assert!(cut.len() > 10);
    for (_, first) in &cut {
        bytes[(*first as usize - 1) * 512..][..512].fill(0xff);
    }
    let (file, left_out) = rebuilt(&bytes, 512, |_| true);
    let cut: BTreeSet<i64> = cut.into_iter().map(|(rowid, _)| rowid).collect();
    assert_eq!(left_out.into_iter().collect::<BTreeSet<_>>(), cut);
    let (check, long, _) = judged(&path, &file);
    assert_eq!(check, "ok");
    assert!(long.is_disjoint(&cut) && long.len() + cut.len() == all.len());
}

#[test]
fn a_schema_that_is_not_whole_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("board.db");
    database(&path, 512, 10);
    let bytes = std::fs::read(&path).unwrap();
    let image = Image::new(&bytes, 512, 512);
    let taken = schema::read(&image).unwrap().pages;
    assert!(taken.len() > 4, "the scene needs a schema of several pages");
    for number in taken {
        let mut hurt = bytes.clone();
        hurt[(number as usize - 1) * 512..][..512].fill(0);
        assert!(schema::read(&Image::new(&hurt, 512, 512)).is_none(), "page {number}");
    }
}

/// Files of pages are verified by the quick check: it has to see a tree that is not in order, a leaf that is empty or
/// comes twice, and an index without its entries.
#[test]
fn the_quick_check_sees_a_wrong_tree() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("board.db");
    database(&path, 512, 1000);
    let (file, _) = rebuilt(&std::fs::read(&path).unwrap(), 512, |_| true);
    let check = |bytes: &[u8]| -> String {
        std::fs::write(&path, bytes).unwrap();
        let connection = Connection::open(&path).unwrap();
        connection
            .query_row("PRAGMA quick_check", [], |row| row.get(0))
            .unwrap_or_else(|error| error.to_string())
    };
    assert_ne!(check(&file), "ok", "no index has an entry yet, and entries are counted");
    assert_eq!(judged(&path, &file).0, "ok");
    let file = std::fs::read(&path).unwrap();
    assert_eq!(check(&file), "ok");
    let image = Image::new(&file, 512, 512);
    let walk = walk_table(&image, root(&image, "long"), &mut VisitedPages::new(&image));
    let start = |page: u32| (page as usize - 1) * 512;
    // An interior page above leaves: its first two cells are child and key.
    let above = *walk.interiors.last().unwrap();
    let cell = |index: usize| {
        let pointer = start(above) + 12 + 2 * index;
        start(above) + usize::from(u16::from_be_bytes([file[pointer], file[pointer + 1]]))
    };
    let mut swapped = file.clone();
    for at in 0..4 {
        swapped.swap(cell(0) + at, cell(1) + at);
    }
    let mut twice = file.clone();
    twice.copy_within(cell(0)..cell(0) + 4, cell(1));
    let mut empty = file.clone();
    empty[start(walk.leaves[3].page) + 3..][..2].fill(0);
    for (what, bytes) in [("swapped", swapped), ("twice", twice), ("empty", empty)] {
        assert_ne!(check(&bytes), "ok", "{what}");
    }
}
