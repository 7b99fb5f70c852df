//! A board that Hermes itself writes, with copies of its moments: what happened in between is known, and so is the truth.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};

use super::damage::oracle::{self, Left, Possible};
use super::damage::{Dice, Score, beside, score_since, unreached};
use crate::support::hermes::Hermes;
use crate::support::sandbox::{Output, Sandbox};

/// What happens to the live board after its last moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hurt {
    /// Nothing.
    Nothing,
    /// The root page of an index is zero.
    IndexPage,
    /// One entry is missing from an index; every row is there.
    IndexEntry,
    /// One leaf of the comments is zero.
    Leaf,
    /// One in so many leaves of every table is zero.
    Leaves(usize),
    /// The same, and the first page too.
    FirstPageAndLeaves(usize),
    /// One overflow page of a task is zero.
    Chain,
}

/// A board in the making.
pub(crate) struct Story {
    pub(crate) sandbox: Sandbox,
    python: PathBuf,
    hermes: Option<Hermes>,
    /// Its tasks, in the order in which they were made.
    pub(crate) tasks: Vec<String>,
    versions: Vec<Vec<u8>>,
    pub(crate) dice: Dice,
}

impl Story {
    /// A board of `tasks` tasks with results, comments and links: a third is done, a third blocked, a third ready.
    pub(crate) fn begin(python: &Path, seed: u64, tasks: usize) -> Self {
        let sandbox = Sandbox::new().with_real_clock();
        let hermes = Some(Hermes::on(&sandbox, python));
        let dice = Dice::new(seed);
        let mut story =
            Self { sandbox, python: python.into(), hermes, tasks: Vec::new(), versions: Vec::new(), dice };
        for number in 0..tasks {
            story.task(number);
        }
        story
    }

    /// One more task.
    pub(crate) fn task(&mut self, number: usize) {
        let (title, body) = (self.dice.text(8, 40), self.dice.text(20, 900));
        let named = json!({ "title": title, "body": body, "assignee": "alice", "priority": -1, "created_by": "user" });
        let id = self.call("create_task", &json!([]), &named).as_str().unwrap().to_owned();
        let comment = self.dice.text(20, 400);
        self.call("add_comment", &json!([id, "bob", comment]), &json!({}));
        if let Some(parent) = self.tasks.last().filter(|_| number % 4 == 3).cloned() {
            self.call("link_tasks", &json!([parent, id]), &json!({}));
        }
        match number % 3 {
            0 => {
                self.call(
                    "complete_task",
                    &json!([id]),
                    &json!({ "result": format!("tests passed v2 of {number}") }),
                );
            }
            1 => {
                self.call("block_task", &json!([id]), &json!({ "reason": "waits" }));
            }
            _ => {}
        }
        self.tasks.push(id);
    }

    /// Calls a function of Hermes'.
    pub(crate) fn call(&mut self, function: &str, positional: &Value, named: &Value) -> Value {
        let hermes = self.hermes.get_or_insert_with(|| Hermes::on(&self.sandbox, &self.python));
        hermes.call(function, positional, named)
    }

    /// Brings everything into the file; Hermes waits meanwhile.
    pub(crate) fn rest(&mut self) {
        let connection = Connection::open(self.sandbox.board()).unwrap();
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        connection.close().unwrap();
    }

    /// Runs SQL on the resting board, as a tool of somebody's would.
    pub(crate) fn sql(&mut self, sql: &str) {
        self.rest();
        let connection = Connection::open(self.sandbox.board()).unwrap();
        connection.execute_batch(sql).unwrap();
        connection.close().unwrap();
    }

    /// Puts a copy of this moment aside, as Hermes does with a board that it finds corrupt.
    pub(crate) fn copy(&mut self) -> PathBuf {
        self.rest();
        let bytes = std::fs::read(self.sandbox.board()).unwrap();
        let name = format!(".corrupt.20260501_1010{:02}.bak", self.versions.len());
        let path = beside(&self.sandbox.board(), &name);
        std::fs::write(&path, &bytes).unwrap();
        self.versions.push(bytes);
        path
    }

    /// What people and workers do all day: half of it by Hermes, half in place and without an event. Every edit keeps the length of
    /// its text, and most change few bits.
    pub(crate) fn edit(&mut self) {
        let tasks = self.tasks.clone();
        for (number, id) in tasks.iter().enumerate() {
            match number % 6 {
                0 => {
                    let result = format!(
                        "tests {} of {number}",
                        if number % 12 == 0 { "passed v3" } else { "failed v2" }
                    );
                    self.call("edit_completed_task_result", &json!([id]), &json!({ "result": result }));
                }
                1 => {
                    if number % 12 == 1 {
                        self.call("unblock_task", &json!([id]), &json!({}));
                    }
                    self.call("assign_task", &json!([id, "coder"]), &json!({}));
                }
                2 => {
                    self.call("reassign_task", &json!([id, "alicd"]), &json!({}));
                }
                5 => {
                    self.call("block_task", &json!([id]), &json!({ "reason": "other" }));
                }
                _ => {}
            }
        }
        self.sql(
            "UPDATE tasks SET result = replace(result, 'passed v2', 'passed v3') WHERE rowid % 6 = 4;
             UPDATE tasks SET status = 'todo', priority = 0 WHERE rowid % 6 = 4 AND status = 'ready';
             UPDATE tasks SET completed_at = completed_at + 1 WHERE rowid % 6 = 4;
             UPDATE tasks SET title = substr(title, 1, 3) || 'X' || substr(title, 5) WHERE rowid % 6 = 3;
             UPDATE task_runs SET summary = replace(summary, 'v2', 'v3') WHERE rowid % 5 = 0;
             UPDATE task_runs SET ended_at = ended_at + 1 WHERE rowid % 5 = 1",
        );
    }

    /// Lets Hermes work: `steps` times something happens to some task.
    pub(crate) fn work(&mut self, steps: usize) {
        for step in 0..steps {
            let id = self.dice.pick(&self.tasks).clone();
            let (text, choice) = (self.dice.text(8, 200), self.dice.below(8));
            let (function, positional, named) = match choice {
                0 | 1 => ("complete_task", json!([id]), json!({ "result": text })),
                2 => ("block_task", json!([id]), json!({ "reason": text })),
                3 => ("unblock_task", json!([id]), json!({})),
                4 => ("assign_task", json!([id, if step % 2 == 0 { "coder" } else { "bob" }]), json!({})),
                5 => ("edit_completed_task_result", json!([id]), json!({ "result": text })),
                6 => ("archive_task", json!([id]), json!({})),
                _ => ("add_comment", json!([id, "bob", text]), json!({})),
            };
            let hermes = self.hermes.get_or_insert_with(|| Hermes::on(&self.sandbox, &self.python));
            hermes.try_call(function, &positional, &named);
            if step % 9 == 8 {
                self.task(step);
            }
        }
    }

    /// Ends Hermes; the next one looks at the board as for the first time.
    pub(crate) fn restart(&mut self) {
        if let Some(hermes) = self.hermes.take() {
            hermes.close();
        }
        self.hermes = Some(Hermes::on(&self.sandbox, &self.python));
    }

    /// The board as it is now is the truth; then it is hurt.
    pub(crate) fn end(mut self, hurt: Hurt) -> Ended {
        if let Some(hermes) = self.hermes.take() {
            hermes.close();
        }
        self.rest();
        let board = self.sandbox.board();
        let truth = self.sandbox.work().join("truth.db");
        std::fs::copy(&board, &truth).unwrap();
        let mut bytes = std::fs::read(&board).unwrap();
        let root = |name: &str| -> usize {
            let sql = "SELECT rootpage FROM sqlite_master WHERE name = ?1";
            let connection = Connection::open(&truth).unwrap();
            connection.query_row(sql, [name], |row| row.get::<_, u32>(0)).unwrap() as usize
        };
        let size = match u16::from_be_bytes([bytes[16], bytes[17]]) {
            1 => 65_536,
            size => usize::from(size),
        };
        let zero = |bytes: &mut Vec<u8>, page: usize| bytes[(page - 1) * size..page * size].fill(0);
        match hurt {
            Hurt::Nothing => {}
            Hurt::IndexPage => zero(&mut bytes, root("idx_events_task")),
            Hurt::IndexEntry => {
                // The last entry of the index's last leaf is no longer counted.
                let leaf = *oracle::leaves(&bytes, root("idx_events_task")).last().unwrap();
                let at = (leaf - 1) * size + 3;
                let count = u16::from_be_bytes([bytes[at], bytes[at + 1]]) - 1;
                bytes[at..at + 2].copy_from_slice(&count.to_be_bytes());
            }
            Hurt::Leaves(share) | Hurt::FirstPageAndLeaves(share) => {
                for table in super::damage::TABLES {
                    for leaf in oracle::leaves(&bytes.clone(), root(table)) {
                        if self.dice.below(share) == 0 {
                            zero(&mut bytes, leaf);
                        }
                    }
                }
                if matches!(hurt, Hurt::FirstPageAndLeaves(_)) {
                    zero(&mut bytes, 1);
                }
            }
            Hurt::Chain => {
                let pages: Vec<usize> = (2..=bytes.len() / size)
                    .filter(|page| {
                        let text = &bytes[(page - 1) * size + 4..page * size];
                        text.iter().all(u8::is_ascii_alphanumeric)
                    })
                    .collect();
                zero(&mut bytes, *self.dice.pick(&pages));
            }
            Hurt::Leaf => {
                let leaves = oracle::leaves(&bytes, root("task_comments"));
                zero(&mut bytes, *self.dice.pick(&leaves));
            }
        }
        std::fs::write(&board, bytes).unwrap();
        Ended { sandbox: self.sandbox, truth, versions: self.versions }
    }
}

/// A board that has been hurt, with its copies beside it.
pub(crate) struct Ended {
    pub(crate) sandbox: Sandbox,
    /// The sound board as it was.
    pub(crate) truth: PathBuf,
    /// Sound boards of earlier moments.
    pub(crate) versions: Vec<Vec<u8>>,
}

impl Ended {
    /// Which rows of the truth stand byte for byte in some file beside the board.
    pub(crate) fn possible(&self) -> Possible {
        let mut left = Vec::new();
        for entry in std::fs::read_dir(self.sandbox.root()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_file() && name.starts_with("kanban.db") && !name.ends_with("lock") {
                left.push(Left { bytes: std::fs::read(&path).unwrap(), is_wal: name.contains("-wal") });
            }
        }
        oracle::possible(&std::fs::read(&self.truth).unwrap(), &self.versions, &left)
    }

    /// Builds a new file of it all, and says how that compares with the truth.
    pub(crate) fn recover(&self, args: &[&str]) -> (Output, Score) {
        let new = self.sandbox.work().join("new.db");
        for name in ["new.db", "new.db.partial.jsonl"] {
            let _ = std::fs::remove_file(self.sandbox.work().join(name));
        }
        let all = [&["recover", "--output", new.to_str().unwrap(), "--json"], args].concat();
        let output = self.sandbox.run(&all);
        assert!([0, 5].contains(&output.code()), "{output}");
        let earlier: Vec<PathBuf> =
            self.versions.iter().enumerate().map(|(n, bytes)| self.earlier(n, bytes)).collect();
        let score = score_since(&self.truth, &earlier, &new);
        (output, score)
    }

    fn earlier(&self, number: usize, bytes: &[u8]) -> PathBuf {
        let path = self.sandbox.work().join(format!("earlier-{number}.db"));
        let mut bytes = bytes.to_vec();
        bytes[18..20].fill(1);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Holds the laws of every recovery: a row that is there comes back, and exit 0 says that all came back and nothing else.
    #[track_caller]
    pub(crate) fn holds(&self, scene: &str) -> (Output, Score) {
        let possible = self.possible();
        let (output, score) = self.recover(&[]);
        let new = self.sandbox.work().join("new.db");
        let missing = unreached(&self.truth, &new, &possible.rows);
        assert!(
            missing.is_empty(),
            "{scene}: {} rows are there and not right: {:?}\n{output}",
            missing.len(),
            missing.iter().take(9).collect::<Vec<_>>()
        );
        let exact = score.right == score.truth && score.older + score.wrong == 0;
        assert!(exact || output.code() == 5, "{scene}: exit 0, and {score:?}\n{output}");
        (output, score)
    }
}
