//! Boards of every Hermes whose schema is lost, in part or all of it: every row, value and column comes back, alone and
//! beside a sound copy.
//!
//! `KANBANCTL_TEST_LONG` tries every page and every sector of boards of 900 tasks.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use crate::support::damage::{self, quarantine};
use crate::support::hermes;
use crate::support::sandbox::Sandbox;

const SECTOR: usize = 512;

/// Who makes a board, and who opens it afterwards.
const LIVES: [&[&str]; 6] = [
    &["0.19.0"],
    &["0.20.1"],
    &["0.22.2"],
    &["0.19.0", "0.20.1"],
    &["0.19.0", "0.22.2"],
    &["0.19.0", "0.20.1", "0.22.2"],
];

/// Has each Hermes of `life` open the board at `path`, which then gets tasks with values in all its columns.
fn live(sandbox: &Sandbox, path: &Path, life: &[&Path], tasks: usize) {
    for (turn, python) in life.iter().enumerate() {
        let mut command = sandbox.program(python);
        command.env("HERMES_HOME", sandbox.work()).env("PYTHONDONTWRITEBYTECODE", "1");
        command.args(["-c", "import sys; from pathlib import Path; from hermes_cli import kanban_db as kb; kb.init_db(db_path=Path(sys.argv[1]))"]);
        command.arg(path);
        sandbox.finish(command, b"").success();
        let connection = Connection::open(path).unwrap();
        damage::fill(&connection, if turn == 0 { tasks } else { tasks / 10 }, 7 + turn as u64);
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        connection.close().unwrap();
    }
}

/// The pages of the schema, with the overflow pages of its texts.
fn schema_pages(path: &Path) -> Vec<usize> {
    let connection = Connection::open(path).unwrap();
    let mut statement =
        connection.prepare("SELECT pageno FROM dbstat WHERE name = 'sqlite_schema' ORDER BY pageno").unwrap();
    statement.query_map([], |row| row.get::<_, u32>(0)).unwrap().map(|page| page.unwrap() as usize).collect()
}

/// The tables of a board with their columns in order.
fn shape(path: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid",
        )
        .unwrap();
    let mut shape: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        shape.entry(row.get(0).unwrap()).or_default().push(row.get(1).unwrap());
    }
    shape
}

/// Recovers `bytes`, beside `copy` if there is one, and says how the result differs from `truth`.
fn faults(sandbox: &Sandbox, bytes: &[u8], copy: Option<&[u8]>, truth: &Path) -> Vec<String> {
    let dir = sandbox.board().parent().unwrap().to_path_buf();
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::remove_file(path).unwrap();
        }
    }
    std::fs::write(sandbox.board(), bytes).unwrap();
    if let Some(copy) = copy {
        quarantine(copy, &sandbox.board());
    }
    let new = sandbox.work().join("new.db");
    let _ = std::fs::remove_file(&new);
    let output = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]);
    let mut faults = Vec::new();
    if output.code() != 0 {
        faults.push(format!("exit {}", output.code()));
    }
    if !new.exists() {
        return faults;
    }
    let score = damage::score(truth, &new);
    if score.right != score.truth || score.wrong > 0 {
        faults.push(format!("{score:?}"));
    }
    if shape(truth) != shape(&new) {
        faults.push(format!("columns differ: {:?}", shape(&new)));
    }
    let suspects = output.data()["suspects"].as_array().map_or(0, Vec::len);
    if suspects > 0 {
        faults.push(format!("{suspects} suspects"));
    }
    faults
}

/// The fillings of the sector `at` of `bytes`.
fn fillings(bytes: &[u8], at: usize) -> Vec<(&'static str, Vec<u8>)> {
    let repeated = |marker: &[u8]| marker.iter().copied().cycle().take(SECTOR).collect();
    vec![
        ("zeros", repeated(b"\0")),
        ("0xff", repeated(b"\xff")),
        ("spaces", repeated(b" ")),
        ("marker", repeated(b"BAD SECTOR ")),
        ("previous", bytes[at - SECTOR..at].to_vec()),
    ]
}

#[test]
fn lost_schema_of_any_version_costs_no_row_and_no_column() {
    let versions: BTreeMap<&str, _> = hermes::versions().into_iter().collect();
    let is_slow = std::env::var_os("KANBANCTL_TEST_LONG").is_some();
    let mut all = Vec::new();
    for life in LIVES {
        let pythons: Option<Vec<&Path>> =
            life.iter().map(|version| versions.get(version).map(std::path::PathBuf::as_path)).collect();
        let Some(pythons) = pythons else {
            eprintln!("!!!! SKIPPED: needs Hermes {}", life.join(" and "));
            continue;
        };
        let sandbox = Sandbox::new();
        let truth = sandbox.work().join("truth.db");
        live(&sandbox, &truth, &pythons, if is_slow { 900 } else { 90 });
        let bytes = std::fs::read(&truth).unwrap();
        let pages = schema_pages(&truth);
        let mut losses: Vec<(String, Vec<u8>)> = Vec::new();
        let single = pages.iter().map(|page| vec![*page]).filter(|_| is_slow);
        for lost in single.chain([pages.clone()]) {
            let mut hurt = bytes.clone();
            for page in &lost {
                hurt[(page - 1) * damage::PAGE..page * damage::PAGE].fill(0);
            }
            losses.push((format!("pages {lost:?}"), hurt));
        }
        let word = b"consecutive_failures";
        let text = bytes.windows(word.len()).position(|window| window == word).unwrap() / SECTOR;
        let sectors: Vec<usize> = if is_slow {
            let of_page = |page: &usize| (page - 1) * damage::PAGE / SECTOR..page * damage::PAGE / SECTOR;
            let used = |sector: &usize| bytes[sector * SECTOR..][..SECTOR].iter().any(|byte| *byte != 0);
            pages.iter().flat_map(of_page).filter(|sector| *sector > 0).filter(used).collect()
        } else {
            vec![text]
        };
        for sector in sectors {
            for (name, filling) in fillings(&bytes, sector * SECTOR) {
                let mut hurt = bytes.clone();
                hurt[sector * SECTOR..][..SECTOR].copy_from_slice(&filling);
                losses.push((format!("sector {sector} {name}"), hurt));
            }
        }
        for (name, hurt) in losses {
            for copy in [None, Some(bytes.as_slice())] {
                let faults = faults(&sandbox, &hurt, copy, &truth);
                if !faults.is_empty() {
                    all.push(format!("{life:?} {name} copy {}: {faults:?}", copy.is_some()));
                }
            }
        }
    }
    assert!(all.is_empty(), "{}\n{}", all.len(), all.join("\n"));
}
