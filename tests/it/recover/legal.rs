//! Rare but legal SQLite on a board: a recovery gives every row of it, as SQLite reads it.

use std::path::Path;

use rusqlite::Connection;

use crate::support::damage::{self, Dice};
use crate::support::sandbox::Sandbox;

/// A table of another program on a board: what makes it, and what fills it. `{n}` stands for a number of rows.
struct Rare {
    name: &'static str,
    before: &'static str,
    sql: &'static str,
}

const NUMBERS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n})";

const fn rare(name: &'static str, sql: &'static str) -> Rare {
    Rare { name, before: "", sql }
}

const RARE: [Rare; 15] = [
    rare(
        "generated columns",
        "CREATE TABLE odd(a INTEGER, twice AS (a * 2) VIRTUAL, b TEXT, next INTEGER AS (a + 1) STORED, c TEXT, \
         UNIQUE(next), UNIQUE(twice)); {numbers} INSERT INTO odd(a, b, c) SELECT i, 'b' || i, 'c' || i FROM n",
    ),
    rare(
        "INTEGER PRIMARY KEY DESC",
        "CREATE TABLE odd(id INTEGER PRIMARY KEY DESC, b TEXT); {numbers} INSERT INTO odd SELECT 7 * i, 'b' || i FROM n",
    ),
    rare(
        "a key column twice",
        "CREATE TABLE odd(a INTEGER, b, PRIMARY KEY(a, a)); {numbers} INSERT INTO odd SELECT i * 3, 'b' || i FROM n",
    ),
    rare(
        "a key column with two collations, without rowids",
        "CREATE TABLE odd(x, a TEXT, b, PRIMARY KEY(a COLLATE NOCASE, b, a COLLATE BINARY)) WITHOUT ROWID; \
         {numbers} INSERT INTO odd SELECT i / 2, 'Key' || i, zeroblob(i % 9) FROM n",
    ),
    rare(
        "computed columns without rowids",
        "CREATE TABLE odd(v AS (a || b), a TEXT, s TEXT AS (b || a) STORED, b TEXT, PRIMARY KEY(b, a)) WITHOUT ROWID; \
         {numbers} INSERT INTO odd(a, b) SELECT 'a' || i, 'b' || i FROM n",
    ),
    rare(
        "BLOBs that end in pages of zeros",
        "CREATE TABLE odd(id INTEGER PRIMARY KEY, v BLOB, t TEXT); {numbers} \
         INSERT INTO odd SELECT i, CAST(x'0102' || zeroblob(2500 + 517 * (i % 40)) AS BLOB), NULL FROM n; \
         {numbers} INSERT INTO odd SELECT i + 1000, zeroblob(3000 + 711 * (i % 40)), 'behind' FROM n",
    ),
    rare(
        "columns with every name of the rowid",
        "CREATE TABLE odd(rowid TEXT, oid TEXT, _rowid_ TEXT); {numbers} INSERT INTO odd SELECT 'r' || i, i, -i FROM n",
    ),
    rare(
        "columns with every name of the rowid, one of them the rowid",
        "CREATE TABLE odd(oid INTEGER PRIMARY KEY, rowid TEXT, _rowid_ TEXT); {numbers} \
         INSERT INTO odd SELECT i * 5, 'r' || i, -i FROM n",
    ),
    rare(
        "reserved serial types",
        "CREATE TABLE odd(a, marker TEXT, b); {numbers} INSERT INTO odd SELECT NULL, printf('marker%04d', i), NULL FROM n",
    ),
    Rare {
        name: "UTF-16 without rowids",
        before: "PRAGMA encoding='UTF-16le'",
        sql: "CREATE TABLE odd(a TEXT PRIMARY KEY, b) WITHOUT ROWID; {numbers} \
              INSERT INTO odd SELECT i, substr(replace(hex(zeroblob(1500)), '00', '0'), 1, (i * 37) % 3000) FROM n; \
              {numbers} INSERT INTO odd SELECT -i, replace(hex(zeroblob(i % 1500)), '00', '0') FROM n",
    },
    rare(
        "STRICT",
        "CREATE TABLE odd(a INT, b ANY, c REAL) STRICT; {numbers} INSERT INTO odd SELECT i, '0' || i, i FROM n",
    ),
    rare(
        "negative and huge rowids",
        "CREATE TABLE odd(a INTEGER PRIMARY KEY, b); {numbers} INSERT INTO odd SELECT -i, 'b' || i FROM n; \
         {numbers} INSERT INTO odd SELECT 9223372036854775807 - i, i * 1.5 FROM n",
    ),
    rare(
        "two rows that differ in case, by a collation",
        "CREATE TABLE odd(a TEXT COLLATE NOCASE, b TEXT, PRIMARY KEY(a, b)) WITHOUT ROWID; {numbers} \
         INSERT INTO odd SELECT 'k' || (i / 2), CASE i % 2 WHEN 0 THEN 'x' ELSE 'X' END FROM n",
    ),
    rare(
        "columns added later, with defaults",
        "CREATE TABLE odd(a); {numbers} INSERT INTO odd SELECT i FROM n; ALTER TABLE odd ADD COLUMN b TEXT DEFAULT 'late'; \
         ALTER TABLE odd ADD COLUMN c AS (a || b); {numbers} INSERT INTO odd(a, b) SELECT -i, 'b' FROM n",
    ),
    rare(
        "values that look like other types",
        "CREATE TABLE odd(a NUMERIC, b BLOB, c); {numbers} INSERT INTO odd SELECT i || 'x', '1e' || i, i * 1.0 FROM n",
    ),
];

/// Everything in the table `odd`, and what made it.
fn contents(board: &Path) -> (String, Vec<String>) {
    let connection = Connection::open_with_flags(board, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let made = connection.query_row("SELECT sql FROM sqlite_master WHERE name = 'odd'", [], |row| row.get(0));
    let mut statement = connection.prepare("SELECT * FROM odd").unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        Ok((0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect::<Vec<_>>().join("|"))
    });
    let mut rows: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
    rows.sort();
    (made.unwrap(), rows)
}

/// Gives every second NULL beside a marker one of the reserved serial types.
fn reserve_types(board: &Path) {
    let mut bytes = std::fs::read(board).unwrap();
    let mut changed = 0_usize;
    for at in 4..bytes.len() {
        // [header length 4, NULL, text of ten bytes, NULL] marker
        if bytes[at..].starts_with(b"marker") && bytes[at - 4..at] == [4, 0, 33, 0] {
            bytes[at - 3] = if changed.is_multiple_of(2) { 10 } else { 11 };
            changed += 1;
        }
    }
    assert!(changed > 0);
    std::fs::write(board, bytes).unwrap();
}

fn make(rare: &Rare, board: &Path, seed: u64) {
    let rows = 20 + Dice::new(seed).below(400);
    if rare.before.is_empty() {
        damage::board(board, 20, seed);
    } else {
        damage::board_in("UTF-16le", board, 20, seed);
    }
    let connection = Connection::open(board).unwrap();
    let sql = rare.sql.replace("{numbers}", NUMBERS).replace("{n}", &rows.to_string());
    connection.execute_batch(&format!("PRAGMA journal_mode=DELETE; {sql}")).unwrap();
    connection.close().unwrap();
    if rare.name == "reserved serial types" {
        reserve_types(board);
    }
}

#[test]
fn sound_board_with_rare_sqlite_loses_no_row() {
    for rare in &RARE {
        for seed in [3, 7, 11] {
            let sandbox = Sandbox::new();
            make(rare, &sandbox.board(), seed);
            let truth = contents(&sandbox.board());
            let good = sandbox.work().join("good.db");
            std::fs::copy(sandbox.board(), &good).unwrap();
            let new = sandbox.work().join("new.db");
            let output = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]);
            assert_eq!(output.code(), 0, "{} seed {seed}\n{output}", rare.name);
            assert!(contents(&new) == truth, "{} seed {seed}: --output", rare.name);
            let score = damage::score(&good, &new);
            assert_eq!((score.right, score.wrong), (score.truth, 0), "{} seed {seed}", rare.name);
            let output = sandbox.run(&["recover", "--yes", "--assume-unused", "--json"]);
            assert_eq!(output.code(), 0, "{} seed {seed}\n{output}", rare.name);
            assert!(contents(&sandbox.board()) == truth, "{} seed {seed}: --yes", rare.name);
        }
    }
}

#[test]
fn rare_sqlite_behind_a_damaged_header_is_installed_whole() {
    for rare in &RARE {
        for seed in [5, 13, 17] {
            let sandbox = Sandbox::new();
            make(rare, &sandbox.board(), seed);
            let truth = contents(&sandbox.board());
            let mut bytes = std::fs::read(sandbox.board()).unwrap();
            bytes[5..24].copy_from_slice(&[0x17, 3, 3, 1, 0x40, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 9, 8, 7, 6]);
            std::fs::write(sandbox.board(), bytes).unwrap();
            let output = sandbox.run(&["recover", "--yes", "--assume-unused", "--json"]);
            assert_eq!(output.code(), 0, "{} seed {seed}\n{output}", rare.name);
            assert!(contents(&sandbox.board()) == truth, "{} seed {seed}", rare.name);
        }
    }
}

/// The list that begins at page `first` of the sound board `bytes`, which holds nothing yet, names `pages`.
fn name_free(bytes: &mut Vec<u8>, pages: &[u32]) {
    let size = damage::PAGE;
    let trunk = u32::try_from(bytes.len() / size + 1).unwrap();
    let mut page = vec![0; size];
    page[4..8].copy_from_slice(&u32::try_from(pages.len()).unwrap().to_be_bytes());
    for (at, number) in pages.iter().enumerate() {
        page[8 + 4 * at..12 + 4 * at].copy_from_slice(&number.to_be_bytes());
    }
    bytes.extend(page);
    bytes[28..32].copy_from_slice(&trunk.to_be_bytes());
    bytes[32..36].copy_from_slice(&trunk.to_be_bytes());
    bytes[36..40].copy_from_slice(&u32::try_from(pages.len() + 1).unwrap().to_be_bytes());
}

/// Leaves, interior pages and overflow pages, each named by a freelist that is in order otherwise.
#[test]
fn page_that_a_tree_or_chain_reaches_is_live_whatever_the_freelist_names() {
    for seed in [3, 7, 11] {
        for kind in [13_u8, 5, 10, 0] {
            let sandbox = Sandbox::new();
            let good = sandbox.work().join("good.db");
            damage::board(&good, 120, seed);
            let mut bytes = std::fs::read(&good).unwrap();
            let numbers = 2..=u32::try_from(bytes.len() / damage::PAGE).unwrap();
            let of_kind: Vec<u32> =
                numbers.filter(|number| bytes[(*number as usize - 1) * damage::PAGE] == kind).collect();
            let mut dice = Dice::new(seed);
            let mut named: Vec<u32> = (0..4).map(|_| *dice.pick(&of_kind)).collect();
            named.sort_unstable();
            named.dedup();
            name_free(&mut bytes, &named);
            std::fs::write(sandbox.board(), bytes).unwrap();
            let new = sandbox.work().join("new.db");
            let output = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]);
            assert_eq!(output.code(), 0, "kind {kind} seed {seed}\n{output}");
            let score = damage::score(&good, &new);
            assert_eq!((score.right, score.wrong), (score.truth, 0), "kind {kind} seed {seed}: {score:?}");
        }
    }
}

/// The rightmost child of the schema's tree is a leaf of `tasks`.
#[test]
fn schema_pointer_to_another_tables_leaf_costs_no_row() {
    for seed in [3, 7, 11] {
        let sandbox = Sandbox::new();
        let good = sandbox.work().join("good.db");
        damage::board(&good, 120, seed);
        let mut bytes = std::fs::read(&good).unwrap();
        assert_eq!(bytes[100], 5, "the scene needs a schema of more than one page");
        let numbers = 2..=u32::try_from(bytes.len() / damage::PAGE).unwrap();
        let leaves: Vec<u32> = numbers
            .filter(|number| {
                let page = &bytes[(*number as usize - 1) * damage::PAGE..][..damage::PAGE];
                page[0] == 13 && !page.windows(6).any(|word| word == b"CREATE")
            })
            .collect();
        let leaf = *Dice::new(seed).pick(&leaves);
        bytes[108..112].copy_from_slice(&leaf.to_be_bytes());
        std::fs::write(sandbox.board(), bytes).unwrap();
        let new = sandbox.work().join("new.db");
        let output = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]);
        assert!([0, 5].contains(&output.code()), "seed {seed}\n{output}");
        let score = damage::score(&good, &new);
        assert_eq!((score.right, score.wrong), (score.truth, 0), "seed {seed}: {score:?}");
    }
}
