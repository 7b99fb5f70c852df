//! The page-level reader: total on any bytes, and right on what SQLite writes.

use kanbanctl::ondisk::btree::{self, VisitedPages};
use kanbanctl::ondisk::header::Header;
use kanbanctl::ondisk::image::Image;
use kanbanctl::ondisk::page::Page;
use kanbanctl::ondisk::record::{Record, Value};
use kanbanctl::ondisk::wal::Wal;
use kanbanctl::ondisk::{freelist, overflow, varint};
use proptest::prelude::*;
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, params};

const PAGE: usize = 512;

/// Reads everything that can be read from `bytes`; must come back.
fn read_all(bytes: &[u8]) {
    let _ = varint::read(bytes);
    let _ = Record::read(bytes);
    let _ = Wal::read(&bytes, Some(PAGE));
    let header = Header::read(bytes);
    let image = Image::new(&bytes, PAGE, PAGE);
    if let Some(header) = header {
        let _ = freelist::read(&image, header.freelist_trunk, header.freelist_count);
    }
    for number in 1..=image.count() {
        let _ = btree::walk_table(&image, number, &mut VisitedPages::new(&image));
        let _ = btree::walk_index(&image, number, &mut VisitedPages::new(&image));
        let bytes = image.page(number).unwrap_or_default();
        let Ok(page) = Page::read(number, &bytes, PAGE) else { continue };
        let _ = btree::index_rowids(&page, |_| {});
        let _ = page.is_sound();
        let cells: Vec<_> = page.cells().flatten().map(|cell| (cell.offset, cell.size)).collect();
        for cell in page.stray_cells(&cells, |_| true) {
            let Some(payload) = cell.payload else { continue };
            if let Some(first) = payload.overflow {
                let mut out = payload.local.to_vec();
                let need = payload.len.saturating_sub(out.len() as u64);
                let _ = overflow::follow(first, need, PAGE, &mut out, |_, page, _| image.page(page));
            }
        }
    }
}

/// A database of small pages with `rows` in it, as SQLite writes it, and its WAL where one is asked for.
fn board(rows: &[(i64, Vec<Stored>)], wal: bool) -> (Vec<u8>, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("board.db");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA page_size = 512; PRAGMA synchronous = OFF").unwrap();
    if wal {
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").unwrap();
    }
    connection.execute_batch("CREATE TABLE t(a, b, c); CREATE INDEX i ON t(a)").unwrap();
    for (rowid, values) in rows {
        let [a, b, c] = values.as_slice() else { panic!("three values") };
        connection
            .execute(
                "INSERT OR REPLACE INTO t(rowid, a, b, c) VALUES (?1, ?2, ?3, ?4)",
                params![rowid, a, b, c],
            )
            .unwrap();
    }
    let bytes = std::fs::read(&path).unwrap();
    let log = std::fs::read(dir.path().join("board.db-wal")).unwrap_or_default();
    (bytes, log)
}

fn stored() -> impl Strategy<Value = Stored> {
    prop_oneof![
        Just(Stored::Null),
        any::<i64>().prop_map(Stored::Integer),
        (-200_i64..200).prop_map(Stored::Integer),
        any::<f64>().prop_filter("NaN becomes NULL", |real| !real.is_nan()).prop_map(Stored::Real),
        ".{0,40}".prop_map(Stored::Text),
        "[a-z]{400,3000}".prop_map(Stored::Text),
        prop::collection::vec(any::<u8>(), 0..900).prop_map(Stored::Blob),
    ]
}

fn rows() -> impl Strategy<Value = Vec<(i64, Vec<Stored>)>> {
    prop::collection::vec((any::<i64>(), prop::collection::vec(stored(), 3)), 0..40)
}

/// Whether `read` is what `stored` went in as. SQLite stores whole reals as integers.
fn same(stored: &Stored, read: Value<'_>) -> bool {
    match (stored, read) {
        (Stored::Null, Value::Null) => true,
        (Stored::Integer(one), Value::Integer(other)) => *one == other,
        (Stored::Real(one), Value::Real(other)) => one.to_bits() == other.to_bits(),
        #[allow(clippy::cast_precision_loss, reason = "SQLite stores only exact ones so")]
        (Stored::Real(one), Value::Integer(other)) => (*one - other as f64).abs() == 0.0,
        (Stored::Text(one), Value::Text(other)) => one.as_bytes() == other,
        (Stored::Blob(one), Value::Blob(other)) => one == other,
        _ => false,
    }
}

/// The rows of the table whose root is page 2.
fn read_back(image: &Image<'_>) -> Vec<(i64, Vec<u8>)> {
    let walk = btree::walk_table(image, 2, &mut VisitedPages::new(image));
    assert!(walk.lost.is_empty());
    let mut rows = Vec::new();
    for leaf in walk.leaves {
        let bytes = image.page(leaf.page).unwrap();
        let page = Page::read(leaf.page, &bytes, image.usable()).unwrap();
        assert!(page.is_sound());
        for cell in page.cells() {
            let cell = cell.unwrap();
            assert!(leaf.range.contains(cell.rowid));
            let payload = cell.payload.unwrap();
            let mut bytes = payload.local.to_vec();
            if let Some(first) = payload.overflow {
                let need = payload.len - bytes.len() as u64;
                overflow::follow(first, need, image.usable(), &mut bytes, |_, page, _| image.page(page))
                    .unwrap();
            }
            rows.push((cell.rowid, bytes));
        }
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        read_all(&bytes);
    }

    #[test]
    fn damaged_boards_are_read_without_panic(
        rows in rows(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..60),
    ) {
        let (mut bytes, mut log) = board(&rows, true);
        for (at, byte) in &hits {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if !log.is_empty() {
                let at = at.index(log.len());
                log[at] = *byte;
            }
        }
        read_all(&bytes);
        read_all(&log);
    }

    #[test]
    fn what_sqlite_wrote_is_read_back(rows in rows(), wal in any::<bool>()) {
        let (bytes, log) = board(&rows, wal);
        let mut image = Image::new(&bytes, PAGE, PAGE).with_log(&log);
        if wal {
            let log = Wal::read(&log, None).unwrap();
            prop_assert!(log.frames.iter().all(|frame| frame.verified));
            log.committed().for_each(|frame| image.overlay(frame));
        }
        let mut expected: std::collections::BTreeMap<i64, &Vec<Stored>> = std::collections::BTreeMap::new();
        for (rowid, values) in &rows {
            expected.insert(*rowid, values);
        }
        let read = read_back(&image);
        prop_assert_eq!(read.len(), expected.len());
        for ((rowid, payload), (wanted, values)) in read.iter().zip(&expected) {
            prop_assert_eq!(rowid, wanted);
            let record = Record::read(payload).unwrap();
            for (value, stored) in record.values().zip(values.iter()) {
                prop_assert!(same(stored, value), "{:?} was stored, {:?} read", stored, value);
            }
        }
        let index = btree::walk_index(&image, 3, &mut VisitedPages::new(&image));
        prop_assert!(index.lost.is_empty());
        let mut rowids = Vec::new();
        let whole = index.pages.iter().all(|&number| {
            let bytes = image.page(number).unwrap();
            btree::index_rowids(&Page::read(number, &bytes, PAGE).unwrap(), |rowid| rowids.push(rowid))
        });
        if whole {
            prop_assert_eq!(rowids.len(), expected.len());
        }
    }

    #[test]
    fn a_log_without_its_header_is_still_a_log(rows in rows()) {
        let (_, mut log) = board(&rows, true);
        let whole = Wal::read(&log, None).unwrap();
        let count = whole.committed;
        log[..32].fill(0);
        let headless = Wal::read(&log, None).unwrap();
        prop_assert_eq!(headless.page_size, PAGE);
        prop_assert_eq!(headless.committed, count);
    }
}
