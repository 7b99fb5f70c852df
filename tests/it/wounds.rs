//! Small wounds anywhere in a board's file or its log, and laws that hold whatever they hit. SQLite's word on a copy is the
//! measure. With `KANBANCTL_TEST_SLOW=1` there are many times as many.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::support::Sandbox;
use crate::support::damage::{self, Dice, PAGE, Shape, beside};
use crate::support::sandbox::Output;

/// Wounds for each state of a board.
const FEW: u64 = 8;
const MANY: u64 = 400;
/// Statuses that a command may end with, whatever lies before it; 12 and up only for those that write.
const READING: [i32; 5] = [0, 3, 4, 5, 6];
const WRITING: [i32; 7] = [0, 1, 4, 6, 11, 12, 14];
/// A frame of a log: its header and a page.
const FRAME: usize = 24 + PAGE;

/// A board's two files.
#[derive(Clone)]
struct Files {
    database: Vec<u8>,
    log: Option<Vec<u8>>,
}

impl Files {
    fn of(board: &Path) -> Self {
        Self { database: std::fs::read(board).unwrap(), log: std::fs::read(beside(board, "-wal")).ok() }
    }

    fn lay(&self, board: &Path) {
        std::fs::write(board, &self.database).unwrap();
        for suffix in ["-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(beside(board, suffix));
        }
        if let Some(log) = &self.log {
            std::fs::write(beside(board, "-wal"), log).unwrap();
        }
    }

    /// Equal to a file, an empty log being none.
    fn lie_at(&self, board: &Path) -> bool {
        let now = Self::of(board);
        self.database == now.database && self.log.clone().unwrap_or_default() == now.log.unwrap_or_default()
    }

    /// One to three wounds; what they were, for who looks into a failure.
    fn wound(&mut self, dice: &mut Dice) -> String {
        let mut told = Vec::new();
        for _ in 0..=dice.below(3) {
            let in_log = self.log.as_ref().is_some_and(|log| !log.is_empty()) && dice.chance(50);
            let bytes = if in_log { self.log.as_mut().unwrap() } else { &mut self.database };
            let at = place(bytes.len(), if in_log { FRAME } else { PAGE }, dice);
            let end = (at + [1, 2, 4, 8, 50, 200][dice.below(6)]).min(bytes.len());
            let from = dice.below(bytes.len() - (end - at));
            let done = match dice.below(7) {
                0 => {
                    bytes[at] ^= 1 << dice.below(8);
                    "a bit"
                }
                1 => {
                    bytes[at..end].fill(0);
                    "zeros"
                }
                2 => {
                    bytes[at..end].fill(0xff);
                    "ones"
                }
                3 => {
                    bytes[at..end].iter_mut().for_each(|byte| *byte = dice.below(256).to_le_bytes()[0]);
                    "noise"
                }
                4 => {
                    bytes.copy_within(from..from + (end - at), at);
                    "bytes of elsewhere"
                }
                5 => {
                    let [from, to] = [from, at].map(|place| place / PAGE * PAGE);
                    let len = PAGE.min(bytes.len() - from).min(bytes.len() - to);
                    bytes.copy_within(from..from + len, to);
                    "a page of elsewhere"
                }
                _ => {
                    bytes.truncate(at);
                    "an early end"
                }
            };
            told.push(format!("{done} at {at}..{end} of the {}", if in_log { "log" } else { "file" }));
        }
        told.join(", ")
    }
}

/// Headers of files, pages and frames are where most is at stake.
fn place(len: usize, unit: usize, dice: &mut Dice) -> usize {
    let at = match dice.below(4) {
        0 => dice.below(120),
        1 | 2 => dice.below(len / unit + 1) * unit + dice.below(140),
        _ => dice.below(len),
    };
    at.min(len.saturating_sub(1))
}

/// What SQLite makes of the files, on a copy that it may change.
struct Verdict {
    sound: bool,
    tasks: Option<usize>,
    /// Those that `list` shows.
    listed: Option<usize>,
    /// Every row, as far as it reads them.
    rows: BTreeSet<String>,
}

fn verdict(files: &Files) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("kanban.db");
    files.lay(&copy);
    let first = |sql: &str| -> rusqlite::Result<Vec<Value>> {
        let connection = Connection::open(&copy)?;
        let mut statement = connection.prepare(sql)?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    let sound = first("PRAGMA integrity_check").is_ok_and(|said| said == [Value::Text("ok".to_owned())]);
    let count = |condition: &str| {
        first(&format!("SELECT 1 FROM tasks NOT INDEXED WHERE {condition}")).ok().map(|rows| rows.len())
    };
    let (tasks, listed) = (count("1"), count("status <> 'archived'"));
    Verdict { sound, tasks, listed, rows: rows(&copy) }
}

/// Every row of every table of a board that SQLite reads before it meets something that it cannot.
fn rows(board: &Path) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for table in damage::TABLES {
        let _ = Connection::open(board).and_then(|connection| {
            let mut statement = connection.prepare(&format!("SELECT * FROM {table} NOT INDEXED"))?;
            let width = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let cells: Vec<_> = (0..width).map(|at| row.get::<_, Value>(at)).collect();
                all.insert(format!("{table}: {cells:?}"));
            }
            Ok(())
        });
    }
    all
}

/// One wounded board.
struct Trial<'t> {
    sandbox: Sandbox,
    files: Files,
    /// The rows as they were before it was wounded.
    truth: &'t BTreeSet<String>,
    seen: Verdict,
    /// Whether its log is.
    is_cut: bool,
    broken: Vec<String>,
}

impl Trial<'_> {
    fn law(&mut self, holds: bool, law: &str, output: &Output) {
        if !holds {
            self.broken.push(format!("{law} (exit status {})\n{}", output.code(), output.stderr));
        }
    }

    /// Runs a command: it ends with a status that is an answer, and never without a word.
    fn run(&mut self, args: &[&str], answers: &[i32]) -> Output {
        let output = self.sandbox.run(args);
        let code = output.code();
        self.law(answers.contains(&code), &format!("{args:?} ended with {code}"), &output);
        self.law(!output.stderr.contains("panicked"), "it panicked", &output);
        let silent = output.stderr.trim().is_empty() && output.stdout.trim().is_empty();
        self.law(code == 0 || !silent, "it failed without a word", &output);
        output
    }

    /// The same for a command that only reads.
    fn read(&mut self, args: &[&str]) -> Output {
        let output = self.run(args, &READING);
        self.law(self.files.lie_at(&self.sandbox.board()), &format!("{args:?} changed the board"), &output);
        output
    }

    fn examine(&mut self) {
        let health = self.read(&["health", "--depth", "full"]);
        let well = matches!(health.code(), 0 | 3);
        self.law(self.seen.sound || !well, "a damaged board was called healthy", &health);
        let list = self.read(&["list", "--json"]);
        if list.code() == 0 {
            let listed = list.data().as_array().unwrap().len();
            let law = format!("{listed} tasks are listed, SQLite reads {:?}", self.seen.listed);
            self.law(self.seen.listed == Some(listed), &law, &list);
        }
        self.recover();
        self.write(well);
    }

    fn recover(&mut self) {
        let rehearsed = self.read(&["recover", "--dry-run"]);
        let real = self.read(&["recover", "--output", "new.db"]);
        self.law(rehearsed.code() == real.code(), "the rehearsal ended otherwise", &real);
        let new = self.sandbox.work().join("new.db");
        if !matches!(real.code(), 0 | 5) {
            self.law(!new.exists(), "a failed recovery left a file", &real);
            self.law(self.seen.rows.is_disjoint(self.truth), "SQLite reads rows that were there", &real);
            return;
        }
        let made = verdict(&Files::of(&new));
        self.law(made.sound, "the new board is not sound", &real);
        let readable = self.seen.rows.intersection(self.truth);
        let lost: Vec<_> = readable.filter(|row| !made.rows.contains(*row)).take(2).collect();
        self.law(lost.is_empty(), &format!("SQLite reads what did not come: {lost:?}"), &real);
        // Of the end of a log alone nothing says that it was ever there.
        let gone = if self.is_cut { 0 } else { self.truth.len().saturating_sub(made.rows.len()) };
        self.law(real.code() == 5 || gone == 0, &format!("{gone} rows are gone without a word"), &real);
    }

    fn write(&mut self, well: bool) {
        let created = self.run(&["create", "one more"], &WRITING);
        if created.code() != 0 {
            self.law(!(self.seen.sound && well), "a healthy board was not written to", &created);
            return;
        }
        let board = self.sandbox.board();
        let after = verdict(&Files::of(&board));
        let found = Connection::open(&board).and_then(|connection| {
            let sql = "SELECT title FROM tasks WHERE id = ?1";
            connection.query_row(sql, [created.line()], |row| row.get::<_, String>(0))
        });
        self.law(found == Ok("one more".to_owned()), "its task is not there", &created);
        if self.seen.sound {
            let one_more = self.seen.tasks.map(|tasks| tasks + 1);
            self.law(after.sound && one_more == after.tasks, "writing did more than it said", &created);
        }
    }

    /// Installed into the board, and taken back.
    fn install(&mut self) {
        let board = self.sandbox.board();
        self.files.lay(&board);
        let installed = self.run(&["recover", "--yes", "--assume-unused"], &[0, 4, 5, 10]);
        let kept = std::fs::read_dir(self.sandbox.root()).unwrap();
        if !kept.flatten().any(|entry| entry.path().join("begun.json").exists()) {
            return;
        }
        self.law(verdict(&Files::of(&board)).sound, "the installed board is not sound", &installed);
        let undone = self.run(&["recover", "--undo", "--yes", "--assume-unused"], &[0]);
        self.law(self.files.lie_at(&board), "undo did not put it back", &undone);
    }
}

/// Every frame is in the file.
fn folded(sandbox: &Sandbox) {
    damage::board(&sandbox.board(), 40, 5);
}

/// Commits wait in the log.
fn waiting(sandbox: &Sandbox) {
    let good = sandbox.work().join("good.db");
    damage::board(&good, 40, 5);
    damage::injure(Shape::WalPending, 5, &good, &sandbox.board());
}

/// No log at all.
fn rolling(sandbox: &Sandbox) {
    folded(sandbox);
    sandbox.run(&["journal-mode", "delete", "--assume-unused"]).success();
}

fn hold(state: fn(&Sandbox)) {
    let whole = Sandbox::new();
    state(&whole);
    let whole = Files::of(&whole.board());
    let truth = verdict(&whole).rows;
    let rounds = if std::env::var_os("KANBANCTL_TEST_SLOW").is_some() { MANY } else { FEW };
    let mut broken = Vec::new();
    for seed in 0..rounds {
        let mut files = whole.clone();
        let told = files.wound(&mut Dice::new(seed));
        let sandbox = Sandbox::new();
        files.lay(&sandbox.board());
        let seen = verdict(&files);
        let len = |files: &Files| files.log.as_ref().map(Vec::len);
        let is_cut = len(&files) < len(&whole);
        let mut trial = Trial { sandbox, files, truth: &truth, seen, is_cut, broken: Vec::new() };
        trial.examine();
        if seed % 4 == 0 {
            trial.install();
        }
        broken.extend(trial.broken.into_iter().map(|law| format!("seed {seed}, {told}: {law}")));
    }
    assert!(broken.is_empty(), "{} of {rounds}:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn laws_hold_for_a_file() {
    hold(folded);
}

#[test]
fn laws_hold_for_a_file_and_its_log() {
    hold(waiting);
}

#[test]
fn laws_hold_for_a_file_with_a_rollback_journal() {
    hold(rolling);
}
