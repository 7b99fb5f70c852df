//! Realistic boards, and the ways in which they arrive injured. Deterministic by seed; no Hermes, no shell needed.
//!
//! `board` makes them, the shapes here and the `cases` hurt them, the `oracle` knows what survived, `score` compares what
//! came back, and `peer` is `sqlite3 .recover` on the same files.

mod board;
pub(crate) mod cases;
pub(crate) mod oracle;
pub(crate) mod peer;
mod score;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

pub(crate) use board::{board, board_in, fill};
pub(crate) use score::{Score, score, score_since, unreached};

/// SQLite's default page size, which Hermes' boards have.
pub(crate) const PAGE: usize = 4096;

/// The tables that are compared, as a board has them.
pub(crate) const TABLES: [&str; 7] = [
    "tasks",
    "task_links",
    "task_comments",
    "task_events",
    "task_runs",
    "task_attachments",
    "kanban_notify_subs",
];

/// A shape in which boards arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Untouched.
    Healthy,
    /// A TLS record over the first pages' start (tests/incidents.md F10).
    TlsHeader,
    /// The first page all zeros.
    FirstPageZero,
    /// One page in sixty zeroed (F14).
    ZeroPages,
    /// Every interior page overwritten by noise.
    InteriorsGone,
    /// The last quarter cut off within a page (F06).
    Truncated,
    /// One bit in 20,000 bytes turned.
    BitFlips,
    /// A table twice in the schema (F32).
    SchemaDuplicate,
    /// An index that misses rows (F04).
    IndexDrift,
    /// The last third of the history only in the WAL.
    WalPending,
    /// The same, with the WAL's header zeroed.
    WalHeaderGone,
    /// Three `.corrupt.*.bak` copies hurt in three places, and the board hurt in a fourth (F02).
    ManyCopies,
}

impl Shape {
    /// All of them.
    pub(crate) const ALL: [Self; 12] = [
        Self::Healthy,
        Self::TlsHeader,
        Self::FirstPageZero,
        Self::ZeroPages,
        Self::InteriorsGone,
        Self::Truncated,
        Self::BitFlips,
        Self::SchemaDuplicate,
        Self::IndexDrift,
        Self::WalPending,
        Self::WalHeaderGone,
        Self::ManyCopies,
    ];
}

/// A small, fast, repeatable source of numbers (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    /// The same seed gives the same numbers.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    /// Whether something of `percent` chance happens.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of `from`.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Overwrites `bytes`.
    pub(crate) fn noise(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.next().to_le_bytes()[0];
        }
    }

    /// Words of `low` to `high` bytes.
    pub(crate) fn text(&mut self, low: usize, high: usize) -> String {
        const WORDS: [&str; 12] = [
            "queue",
            "парсер",
            "rollback",
            "café",
            "看板",
            "übung",
            "deploy",
            "fix",
            "γραμμή",
            "✓",
            "retry",
            "👩‍🔧",
        ];
        let length = low + self.below(high - low + 1);
        let mut text = String::new();
        while text.len() < length {
            text.push_str(self.pick::<&str>(&WORDS));
            text.push(' ');
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// Writes `out` (and for some shapes a `-wal` or `.corrupt.*.bak` beside it) as `good` injured in this way.
pub(crate) fn injure(shape: Shape, seed: u64, good: &Path, out: &Path) {
    let mut dice = Dice::new(seed.wrapping_mul(31).wrapping_add(shape as u64));
    let mut bytes = std::fs::read(good).unwrap();
    let pages = bytes.len() / PAGE;
    match shape {
        Shape::Healthy => {}
        Shape::TlsHeader => {
            let mut record = vec![0x17, 3, 3, 1, 0x40];
            record.resize(0x145, 0);
            dice.noise(&mut record[5..]);
            bytes[5..5 + record.len()].copy_from_slice(&record);
        }
        Shape::FirstPageZero => bytes[..PAGE].fill(0),
        Shape::ZeroPages => {
            for _ in 0..(pages / 60).max(1) {
                let page = 1 + dice.below(pages - 1);
                bytes[page * PAGE..(page + 1) * PAGE].fill(0);
            }
        }
        Shape::InteriorsGone => {
            for page in bytes.chunks_exact_mut(PAGE).skip(1).filter(|page| matches!(page[0], 2 | 5)) {
                dice.noise(page);
            }
        }
        Shape::Truncated => bytes.truncate(pages * 3 / 4 * PAGE + 1234),
        Shape::BitFlips => {
            for _ in 0..bytes.len() / 20_000 {
                let at = 100 + dice.below(bytes.len() - 100);
                bytes[at] ^= 1 << dice.below(8);
            }
        }
        Shape::SchemaDuplicate => return by_sql(good, out, duplicate_schema),
        Shape::IndexDrift => return by_sql(good, out, drift_index),
        Shape::WalPending | Shape::WalHeaderGone => {
            return split_wal(good, out, shape == Shape::WalHeaderGone);
        }
        Shape::ManyCopies => bytes = scatter(&bytes, &mut dice, out),
    }
    std::fs::write(out, bytes).unwrap();
}

fn scatter(good: &[u8], dice: &mut Dice, out: &Path) -> Vec<u8> {
    for third in 0..3 {
        let mut copy = good.to_vec();
        for (number, page) in copy.chunks_exact_mut(PAGE).enumerate().skip(1) {
            if number % 3 == third && dice.chance(20) {
                dice.noise(page);
            }
        }
        quarantine(&copy, out);
    }
    let mut bytes = good.to_vec();
    for page in bytes.chunks_exact_mut(PAGE).skip(1) {
        if dice.chance(10) {
            page.fill(0);
        }
    }
    bytes
}

/// Writes a copy beside `board` under the name that Hermes gives it (docs/board-format.md, 3.6).
pub(crate) fn quarantine(bytes: &[u8], board: &Path) -> PathBuf {
    let digest = Sha256::digest(bytes);
    let hash = format!("{:016x}", u64::from_be_bytes(digest[..8].try_into().unwrap()));
    let path = beside(board, &format!(".corrupt.{hash}.bak"));
    std::fs::write(&path, bytes).unwrap();
    path
}

/// `path` with `suffix` put behind its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn by_sql(good: &Path, out: &Path, hurt: fn(&Path)) {
    std::fs::copy(good, out).unwrap();
    hurt(out);
}

fn duplicate_schema(board: &Path) {
    let connection = Connection::open(board).unwrap();
    connection
        .execute_batch(
            "PRAGMA writable_schema=ON; \
             INSERT INTO sqlite_master SELECT * FROM sqlite_master WHERE name='task_events'",
        )
        .unwrap();
    // Closing reads the schema for the checkpoint's sake no more: the row is in the file.
    connection.close().unwrap();
}

/// Takes the index out of the schema, writes fifty rows past it, and puts it back.
fn drift_index(board: &Path) {
    let hide = "PRAGMA writable_schema=ON; CREATE TEMP TABLE kept AS SELECT * FROM sqlite_master WHERE \
                name='idx_events_run'; DELETE FROM sqlite_master WHERE name='idx_events_run'; \
                CREATE TABLE drift AS SELECT * FROM kept";
    let connection = Connection::open(board).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE late AS SELECT * FROM task_events ORDER BY id DESC LIMIT 50; \
                              DELETE FROM task_events WHERE id IN (SELECT id FROM late)",
        )
        .unwrap();
    connection.execute_batch(hide).unwrap();
    connection.close().unwrap();
    let connection = Connection::open(board).unwrap();
    connection
        .execute_batch("INSERT INTO task_events SELECT * FROM late ORDER BY id; DROP TABLE late")
        .unwrap();
    connection
        .execute_batch(
            "PRAGMA writable_schema=ON; INSERT INTO sqlite_master SELECT * FROM drift; \
             DROP TABLE drift",
        )
        .unwrap();
    connection.close().unwrap();
}

fn split_wal(good: &Path, out: &Path, headless: bool) {
    let work = beside(out, ".making");
    std::fs::copy(good, &work).unwrap();
    let connection = Connection::open(&work).unwrap();
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let late = count("SELECT max(id) * 7 / 10 FROM task_events");
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; ATTACH ':memory:' AS kept; \
             CREATE TABLE kept.late AS SELECT * FROM task_events WHERE id > {late}; \
             DELETE FROM task_events WHERE id > {late}; PRAGMA wal_checkpoint(TRUNCATE)"
        ))
        .unwrap();
    let last = count("SELECT max(id) FROM kept.late");
    for first in (late + 1..=last).step_by(20) {
        let move_back = "INSERT INTO task_events SELECT * FROM kept.late WHERE id BETWEEN ? AND ?";
        connection.execute(move_back, params![first, first + 19]).unwrap();
    }
    std::fs::copy(&work, out).unwrap();
    let mut wal = std::fs::read(beside(&work, "-wal")).unwrap();
    if headless {
        wal[..32].fill(0);
    }
    std::fs::write(beside(out, "-wal"), wal).unwrap();
    connection.close().unwrap();
    std::fs::remove_file(work).unwrap();
}

#[test]
fn shapes_are_what_they_say() {
    let directory = tempfile::tempdir().unwrap();
    let good = directory.path().join("good.db");
    board(&good, 120, 1);
    for shape in Shape::ALL {
        let out = directory.path().join(format!("{shape:?}.db"));
        injure(shape, 1, &good, &out);
        let check = Connection::open(&out)
            .unwrap()
            .query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))
            .unwrap_or_else(|error| error.to_string());
        let sound = matches!(shape, Shape::Healthy | Shape::WalPending | Shape::WalHeaderGone);
        assert_eq!(check == "ok", sound, "{shape:?}: {check}");
        if matches!(shape, Shape::Healthy | Shape::WalPending | Shape::IndexDrift) {
            let score = score(&good, &out);
            assert_eq!((score.right, score.wrong), (score.truth, 0), "{shape:?}");
        }
    }
}
