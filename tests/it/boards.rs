//! The life of a board: created, made current, renamed, archived, put back, exported and imported. Files are compared with
//! those that Hermes 0.19.0, 0.20.1 and 0.22.2 make, where they are installed.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::symlink;
use std::path::Path;

use rusqlite::Connection;
use serde_json::json;

use crate::support::Sandbox;
use crate::support::hermes;
use crate::support::process::Holder;
use crate::support::rows::create;
use crate::transfer::{dump_of, oddities};

/// Command lines as Hermes knows them, and as they are typed here where that differs.
const STEPS: &[(&[&str], &[&str])] = &[
    (&["create", "work"], &[]),
    (
        &[
            "create",
            " Side_2 ",
            "--name",
            "The Side",
            "--description",
            "d \u{e9}",
            "--icon",
            "\u{1f980}",
            "--color",
            "#fff",
            "--default-workdir",
            "/srv/x",
            "--switch",
        ],
        &[
            "create",
            " Side_2 ",
            "--name",
            "The Side",
            "--description",
            "d \u{e9}",
            "--icon",
            "\u{1f980}",
            "--board-color",
            "#fff",
            "--default-workdir",
            "/srv/x",
            "--switch",
        ],
    ),
    (&["create", "work", "--name", "Again", "--description", "more"], &[]),
    (&["create", "work"], &[]),
    (&["rename", "work", "  Two words "], &[]),
    (&["rename", "work", " "], &[]),
    (&["set-default-workdir", "work", "/srv/y"], &[]),
    (&["switch", "work"], &[]),
    (&["rm", "side_2"], &["archive", "side_2", "--yes", "--assume-unused"]),
    (&["create", "side_2"], &["create", "side_2", "--again"]),
    (&["switch", "side_2"], &[]),
    (&["rm", "side_2"], &["archive", "side_2", "--yes", "--assume-unused"]),
    (&["create", "default", "--name", "Main"], &[]),
    (&["switch", "default"], &[]),
    // Refused by both.
    (&["create", "-x"], &["create", "--", "-x"]),
    (&["create", "a b"], &[]),
    (&["rm", "default"], &["archive", "default", "--yes"]),
    (&["rm", "nothing"], &["archive", "nothing", "--yes"]),
    (&["switch", "nothing"], &[]),
    (&["rename", "nothing", "x"], &[]),
];

/// The first of the steps that are refused.
const REFUSED: usize = 14;

/// Runs each line of stdin as `hermes kanban boards ...` and copies what it leaves.
const SCRIPT: &str = r#"
import contextlib, io, json, os, shutil, sys
from hermes_cli import main
root = os.environ["HERMES_HOME"]
steps = json.load(sys.stdin)
for number, words in enumerate([None] + steps):
    sys.argv = ["hermes", "kanban"] + (["init"] if words is None else ["boards"] + words)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            main.main()
        except SystemExit:
            pass
    shutil.copytree(root, os.path.join(os.environ["SAVED"], str(number)))
"#;

/// What boards consist of below a root: every file with what it says. Times are no part of it, nor are locks and logs.
fn files(root: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut folders = vec![root.join("kanban")];
    let mut paths = vec![root.join("kanban.db")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            paths.push(path);
        }
    }
    for path in paths {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let said = if path.is_dir() {
            "directory".to_owned()
        } else if [".lock", "-wal", "-shm"].iter().any(|end| name.ends_with(end)) {
            continue;
        } else if path.ends_with("kanban.db") {
            columns(&path)
        } else {
            without_times(&std::fs::read_to_string(&path).unwrap())
        };
        found.entry(without_times(&name)).or_default().insert(said);
    }
    found
}

/// Numbers of nine digits and more are times.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for char in text.chars().chain(['\0']) {
        if char.is_ascii_digit() {
            digits.push(char);
            continue;
        }
        out.push_str(if digits.len() > 8 { "TIME" } else { &digits });
        digits.clear();
        out.push(char);
    }
    out.pop();
    // Two archives in one second have a number behind the time.
    out.replace("TIME-1", "TIME")
}

fn columns(board: &Path) -> String {
    let connection = Connection::open(board).unwrap();
    let sql = "SELECT m.type, m.name, p.cid, p.name, p.type, p.\"notnull\", p.dflt_value, p.pk
               FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) p ORDER BY m.name, p.cid";
    let mut statement = connection.prepare(sql).unwrap();
    let width = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells: Vec<String> = (0..width).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect();
        Ok(cells.join(" "))
    });
    rows.unwrap().map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

#[test]
fn files_are_those_that_each_version_of_hermes_makes() {
    for (version, python) in hermes::versions() {
        let (ours, theirs) = (Sandbox::new().with_real_clock(), Sandbox::new());
        let saved = theirs.path().join("saved");
        std::fs::create_dir(&saved).unwrap();
        let mut script = hermes::in_home(&theirs, &python);
        script.args(["-c", SCRIPT]).env("SAVED", &saved);
        let steps: Vec<&[&str]> = STEPS.iter().map(|(words, _)| *words).collect();
        theirs.finish(script, json!(steps).to_string().as_bytes()).success();
        // The default board says which Hermes is at home here.
        let made = saved.join("0/kanban.db");
        std::fs::copy(&made, ours.board()).unwrap();
        for (number, (words, here)) in STEPS.iter().enumerate() {
            let here = if here.is_empty() { words } else { here };
            let output = ours.run(&[&["boards"], *here].concat());
            assert_eq!(output.code() != 0, number >= REFUSED, "{version} {here:?}\n{output}");
            let (mut left, mut right) = (files(&ours.root()), files(&saved.join((number + 1).to_string())));
            let equal: Vec<String> =
                left.keys().filter(|name| left.get(*name) == right.get(*name)).cloned().collect();
            for name in equal {
                left.remove(&name);
                right.remove(&name);
            }
            assert_eq!(left, right, "{version} {here:?}\n{output}");
        }
    }
}

fn folder(sandbox: &Sandbox, slug: &str) -> std::path::PathBuf {
    sandbox.root().join("kanban/boards").join(slug)
}

#[test]
fn board_that_was_lost_or_archived_or_is_a_link_is_not_created() {
    for leftover in ["kanban.db-wal", "kanban.db-journal", "kanban.db.corrupt.20260101_000000.bak"] {
        let sandbox = Sandbox::new();
        std::fs::create_dir_all(folder(&sandbox, "work")).unwrap();
        std::fs::write(folder(&sandbox, "work").join(leftover), "x").unwrap();
        let before = sandbox.photograph();
        sandbox.run(&["boards", "create", "work"]).exits(4).says("recover");
        assert_eq!(sandbox.photograph(), before, "{leftover}");
    }
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(folder(&sandbox, "gone")).unwrap();
    std::fs::write(folder(&sandbox, "gone/board.json"), "{\"archived\": true}").unwrap();
    std::fs::create_dir_all(folder(&sandbox, "torn")).unwrap();
    std::fs::write(folder(&sandbox, "torn/board.json"), "{\"name\": NaN}").unwrap();
    symlink(sandbox.work(), folder(&sandbox, "led")).unwrap();
    let before = sandbox.photograph();
    sandbox.run(&["boards", "create", "gone"]).exits(12).says("--again");
    sandbox.run(&["boards", "switch", "gone"]).exits(12).says("archived");
    sandbox.run(&["boards", "create", "torn"]).exits(12).says("overwritten");
    sandbox.run(&["boards", "create", "led"]).exits(12).says("is a link");
    sandbox.run(&["boards", "archive", "led", "--yes"]).exits(12);
    sandbox.run(&["boards", "create", "work", "--board", "other"]).exits(2);
    let mut pinned = sandbox.command(&["boards", "create", "work"]);
    pinned.env("HERMES_KANBAN_DB", sandbox.work().join("x.db"));
    sandbox.finish(pinned, b"").exits(12).says("HERMES_KANBAN_DB");
    let mut child = sandbox.command(&["boards", "create", "work"]);
    child.env("HERMES_DELEGATED_CHILD_CONTEXT", "1");
    sandbox.finish(child, b"").exits(12).says("delegated");
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn current_file_that_is_a_link_is_not_followed() {
    let sandbox = Sandbox::new();
    sandbox.run(&["boards", "create", "work"]).success();
    let aim = sandbox.work().join("aim");
    std::fs::write(&aim, "default\n").unwrap();
    symlink(&aim, sandbox.root().join("kanban/current")).unwrap();
    sandbox.run(&["boards", "switch", "work"]).exits(12).says("is a link");
    assert_eq!(std::fs::read_to_string(aim).unwrap(), "default\n");
}

#[test]
fn switching_says_the_way_back_and_what_comes_first() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["boards", "create", "work"]).success();
    let said = sandbox.run(&["boards", "switch", "work"]).success();
    said.says("Undo with `kanbanctl boards switch default`");
    let id = create(&sandbox, &["on work"]);
    assert!(sandbox.run(&["--board", "work", "show", &id]).code() == 0);
    let mut other = sandbox.command(&["boards", "switch", "work"]);
    other.env("HERMES_KANBAN_BOARD", "default");
    sandbox.finish(other, b"").success().says("HERMES_KANBAN_BOARD names a board here");
    sandbox.run(&["boards", "switch", "wrok"]).exits(10).says("Did you mean 'work'");
}

#[test]
fn archive_needs_a_confirmation_and_nobody_who_has_the_board_open() {
    let sandbox = Sandbox::new();
    sandbox.run(&["boards", "create", "work", "--switch"]).success();
    let id = create(&sandbox, &["kept"]);
    sandbox.run(&["boards", "archive", "work", "--assume-unused"]).exits(12).says("--yes");
    assert!(folder(&sandbox, "work/kanban.db").exists());
    let holder = Holder::on(&folder(&sandbox, "work/kanban.db"));
    let args = ["boards", "archive", "work", "--yes", "--assume-unused"];
    sandbox.run(&args).exits(12).says(&holder.pid().to_string());
    assert!(folder(&sandbox, "work/kanban.db").exists());
    drop(holder);
    let said = sandbox.run(&args).success();
    said.says("Undo with `kanbanctl boards unarchive work-1780000000`");
    assert!(!folder(&sandbox, "work").exists() && !sandbox.root().join("kanban/current").exists());
    sandbox.run(&["boards", "unarchive", "work-1780000000", "--assume-unused"]).success();
    sandbox.run(&["--board", "work", "show", &id]).success();
    sandbox.run(&["boards", "unarchive", "work-1780000000"]).exits(10);
    sandbox.run(&args).success();
    sandbox.run(&["boards", "create", "work"]).exits(12).says("was archived");
    sandbox.run(&["boards", "create", "work", "--again"]).success();
    sandbox.run(&["boards", "unarchive", "work-1780000000", "--assume-unused"]).exits(12).says("is there");
}

#[test]
fn archived_board_of_a_newer_hermes_is_put_back_over_its_tombstone_only() {
    let sandbox = Sandbox::new();
    sandbox.run(&["boards", "create", "work"]).success();
    let connection = Connection::open(folder(&sandbox, "work/kanban.db")).unwrap();
    for column in ["provider_override TEXT", "completion_contract TEXT", "worker_started_at INTEGER"] {
        connection.execute_batch(&format!("ALTER TABLE tasks ADD COLUMN {column}")).unwrap();
    }
    drop(connection);
    let args = ["boards", "archive", "work", "--yes", "--assume-unused"];
    sandbox.run(&args).success();
    let tombstone = std::fs::read_to_string(folder(&sandbox, "work/board.json")).unwrap();
    assert!(tombstone.contains("\"archived\": true"), "{tombstone}");
    let back = ["boards", "unarchive", "work-1780000000", "--assume-unused"];
    std::fs::write(folder(&sandbox, "work/kanban.db"), "something").unwrap();
    sandbox.run(&back).exits(12).says("is there");
    std::fs::remove_file(folder(&sandbox, "work/kanban.db")).unwrap();
    sandbox.run(&back).success();
    let file = std::fs::read_to_string(folder(&sandbox, "work/board.json")).unwrap();
    assert!(file.contains("\"archived\": false"), "{file}");
    assert!(folder(&sandbox, "work/kanban.db").exists());
}

#[test]
fn export_of_a_board_with_every_oddity_becomes_an_equal_board() {
    let sandbox = oddities();
    sandbox
        .run(&["boards", "create", "default", "--name", "Main \u{1f980}", "--board-color", "red"])
        .success();
    sandbox.run(&["boards", "export", "default", "out.jsonl"]).success();
    sandbox.run(&["boards", "export", "default", "out.jsonl"]).exits(12).says("exists already");
    sandbox.run(&["boards", "import", "out.jsonl"]).exits(12).says("--as NAME");
    sandbox.run(&["boards", "import", "out.jsonl", "--as", "copy", "--switch"]).success();
    let copy = folder(&sandbox, "copy/kanban.db");
    assert_eq!(dump_of(&copy, |_| true), dump_of(&sandbox.board(), |_| true));
    let shown = sandbox.run(&["boards", "show", "copy", "--json"]).success().data();
    assert_eq!(shown["name"], "Main \u{1f980}");
    assert_eq!(std::fs::read_to_string(sandbox.root().join("kanban/current")).unwrap(), "copy\n");
    let piped = sandbox.run(&["boards", "export", "copy", "-"]).success();
    sandbox.run_with(&["boards", "import", "-", "--as", "third"], &piped.bytes).success();
    // One that was cut short leaves nothing.
    let cut = &piped.bytes[..piped.bytes.len() / 2];
    sandbox.run_with(&["boards", "import", "-", "--as", "fourth"], cut).exits(2);
    assert!(!folder(&sandbox, "fourth").exists());
    // What one board's verb wrote, the other reads.
    let into = Sandbox::with_board();
    into.run_with(&["import"], &piped.bytes).success();
    assert_eq!(dump_of(&into.board(), |_| true), dump_of(&copy, |_| true));
    sandbox
        .run_with(&["boards", "import", "-"], &into.run(&["export"]).success().bytes)
        .exits(2)
        .says("--as");
}

#[test]
fn attachments_travel_with_their_board() {
    let sandbox = Sandbox::new();
    sandbox.run(&["boards", "create", "work"]).success();
    let id = sandbox.run(&["--board", "work", "create", "x"]).success().line().to_owned();
    std::fs::write(sandbox.work().join("a.txt"), "text").unwrap();
    sandbox.run(&["--board", "work", "attach", &id, "a.txt"]).success();
    sandbox.run(&["boards", "export", "work", "out.jsonl", "--attachments"]).success();
    sandbox.run(&["boards", "import", "out.jsonl", "--as", "copy"]).success();
    let stored = folder(&sandbox, "copy/attachments").join(&id).join("a.txt");
    assert_eq!(std::fs::read_to_string(&stored).unwrap(), "text");
    let listed = sandbox.run(&["--board", "copy", "attachments", &id, "--json"]).success().data();
    assert_eq!(Path::new(listed[0]["stored_path"].as_str().unwrap()), stored.canonicalize().unwrap());
}
