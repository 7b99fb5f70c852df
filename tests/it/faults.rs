//! A fault at every system call of every verb that writes: killed, no room, I/O error, interrupted, locked out
//! (`KANBANCTL_TEST_TRACES=1 KANBANCTL_TEST_SLOW=1`; needs strace). After each: the board is sound, what was acknowledged
//! is there, the exit status fits, and nothing is left that the next run does not clear.
//!
//! `cargo test --test it -- faults --nocapture` prints the table.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::support::Sandbox;
use crate::support::damage::{self, Shape};
use crate::support::sandbox::Output;
use crate::support::sweep::{self, Fault, Scene};

/// The task that every scene's board has beside its others.
const FIRST: &str = "t_00000001";

/// A board of ten tasks; the last commits wait in the WAL.
fn board(sandbox: &Sandbox) {
    sandbox.run(&["init"]).success();
    let lines: Vec<String> = (0..9).map(|number| format!("{{\"title\": \"task {number}\"}}")).collect();
    sandbox.run_with(&["create", "--from", "-"], lines.join("\n")).success();
    let plain = Connection::open(sandbox.board()).unwrap();
    plain.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    plain.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    let row = format!(
        "INSERT INTO tasks(id, title, status, created_at) VALUES('{FIRST}', 'first', 'ready', 1780000000)"
    );
    plain.execute_batch(&row).unwrap();
}

fn board_without_wal(sandbox: &Sandbox) {
    board(sandbox);
    sandbox.run(&["journal-mode", "delete", "--assume-unused"]).success();
}

/// The board as the next user opens it: sound, with the ten tasks.
fn sound(path: &Path) -> Result<Connection, String> {
    let said = |error: rusqlite::Error| error.to_string();
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(said)?;
    connection
        .set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(said)?;
    let integrity: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(said)?;
    if integrity != "ok" {
        return Err(format!("integrity: {integrity}"));
    }
    let tasks = count(&connection, "title LIKE 'task %' OR title LIKE 'first%'")?;
    if tasks < 10 { Err(format!("{tasks} of 10 tasks are left")) } else { Ok(connection) }
}

fn count(connection: &Connection, condition: &str) -> Result<i64, String> {
    let sql = format!("SELECT count(*) FROM tasks WHERE {condition}");
    connection.query_row(&sql, [], |row| row.get(0)).map_err(|error| error.to_string())
}

/// A run that says that it failed, and was not cut off.
fn failed(output: &Output) -> bool {
    !matches!(output.code(), 0 | 137)
}

fn is_sound(sandbox: &Sandbox, _: &Output) -> Result<(), String> {
    sound(&sandbox.board()).map(drop)
}

/// Each printed id is a row, and success has printed all of them.
fn created(sandbox: &Sandbox, output: &Output, wanted: usize) -> Result<(), String> {
    let connection = sound(&sandbox.board())?;
    let ids: Vec<&str> = output.stdout.lines().collect();
    for id in &ids {
        if count(&connection, &format!("id = '{id}'"))? != 1 {
            return Err(format!("{id} was acknowledged and is not there"));
        }
    }
    let new = count(&connection, "title LIKE 'new %'")?;
    if usize::try_from(new).unwrap() % wanted != 0 {
        return Err(format!("{new} tasks of a transaction of {wanted}"));
    }
    if output.code() == 0 && ids.len() != wanted {
        return Err(format!("success with {} ids", ids.len()));
    }
    Ok(())
}

fn completed(sandbox: &Sandbox, output: &Output) -> Result<(), String> {
    let connection = sound(&sandbox.board())?;
    let done = count(&connection, &format!("id = '{FIRST}' AND status = 'done'"))? == 1;
    let told = output.stdout.trim() == FIRST;
    if (told || output.code() == 0) && !done {
        return Err("an acknowledged completion is not there".to_owned());
    }
    Ok(())
}

#[test]
fn create() {
    if !sweep::wanted() {
        return;
    }
    sweep::run(&Scene {
        name: "create",
        build: board,
        args: &["create", "new one"],
        input: "",
        check: |sandbox, output| created(sandbox, output, 1),
        again: &[0],
        keeps: |_| false,
        also: &[],
    });
}

#[test]
fn create_in_delete_mode() {
    if !sweep::wanted() {
        return;
    }
    sweep::run(&Scene {
        name: "create, DELETE mode",
        build: board_without_wal,
        args: &["create", "new one"],
        input: "",
        check: |sandbox, output| created(sandbox, output, 1),
        again: &[0],
        keeps: |_| false,
        also: &[],
    });
}

#[test]
fn create_from() {
    if !sweep::wanted() {
        return;
    }
    sweep::run(&Scene {
        name: "create --from",
        build: board,
        args: &["create", "--from", "-"],
        input: "{\"title\": \"new 1\"}\n{\"title\": \"new 2\"}\n{\"title\": \"new 3\"}\n",
        check: |sandbox, output| created(sandbox, output, 3),
        again: &[0],
        keeps: |_| false,
        also: &[],
    });
}

#[test]
fn complete() {
    if !sweep::wanted() {
        return;
    }
    sweep::run(&Scene {
        name: "complete",
        build: board,
        args: &["complete", FIRST, "--result", "done"],
        input: "",
        check: completed,
        // 14: the first run had committed.
        again: &[0, 14],
        keeps: |_| false,
        also: &[],
    });
}

/// The verbs that change tasks share one machinery; this one writes a comment, a run, events and a row.
fn blocked(sandbox: &Sandbox, output: &Output) -> Result<(), String> {
    let connection = sound(&sandbox.board())?;
    let blocked = count(&connection, &format!("id = '{FIRST}' AND status = 'blocked'"))?;
    let rows = |sql: &str| {
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| error.to_string())
    };
    let comments = rows("SELECT count(*) FROM task_comments WHERE body = 'BLOCKED: why'")?;
    let events = rows("SELECT count(*) FROM task_events WHERE kind = 'blocked'")?;
    if (comments, events) != (blocked, blocked) {
        return Err(format!("{blocked} blocked, {comments} comments, {events} events"));
    }
    let told = output.stdout.trim() == FIRST;
    if (told || output.code() == 0) && blocked != 1 {
        return Err("an acknowledged block is not there".to_owned());
    }
    Ok(())
}

#[test]
fn block() {
    if !sweep::wanted() {
        return;
    }
    sweep::run(&Scene {
        name: "block",
        build: board,
        args: &["block", FIRST, "why"],
        input: "",
        check: blocked,
        // 14: the first run had committed.
        again: &[0, 14],
        keeps: |_| false,
        also: &[],
    });
}

#[test]
fn init() {
    if !sweep::wanted() {
        return;
    }
    sweep::run(&Scene {
        name: "init",
        build: |_| {},
        args: &["init"],
        input: "",
        check: |sandbox, output| {
            if !sandbox.board().exists() {
                let wrong = output.code() == 0;
                return if wrong { Err("success without a board".to_owned()) } else { Ok(()) };
            }
            let connection = Connection::open(sandbox.board()).map_err(|error| error.to_string())?;
            count(&connection, "1").map(drop)
        },
        again: &[0],
        keeps: |_| false,
        also: &[],
    });
}

#[test]
fn checkpoint() {
    if !sweep::wanted() {
        return;
    }
    sweep::run(&Scene {
        name: "checkpoint",
        build: board,
        args: &["checkpoint"],
        input: "",
        check: is_sound,
        again: &[0],
        keeps: |_| false,
        also: &[],
    });
}

#[test]
fn checkpoint_truncate() {
    if !sweep::wanted() {
        return;
    }
    sweep::run(&Scene {
        name: "checkpoint --mode truncate",
        build: board,
        args: &["checkpoint", "--mode", "truncate", "--assume-unused"],
        input: "",
        check: is_sound,
        again: &[0],
        keeps: |_| false,
        also: &[],
    });
}

/// Success means the mode that was asked for.
fn mode_is(sandbox: &Sandbox, output: &Output, wanted: &str) -> Result<(), String> {
    let connection = sound(&sandbox.board())?;
    let mode: String = connection
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .map_err(|error| error.to_string())?;
    if output.code() == 0 && mode != wanted { Err(format!("success in mode {mode}")) } else { Ok(()) }
}

#[test]
fn journal_mode_delete() {
    if !sweep::wanted() {
        return;
    }
    sweep::run(&Scene {
        name: "journal-mode delete",
        build: board,
        args: &["journal-mode", "delete", "--assume-unused"],
        input: "",
        check: |sandbox, output| mode_is(sandbox, output, "delete"),
        again: &[0],
        keeps: |_| false,
        also: &[],
    });
}

#[test]
fn journal_mode_wal() {
    if !sweep::wanted() {
        return;
    }
    sweep::run(&Scene {
        name: "journal-mode wal",
        build: board_without_wal,
        args: &["journal-mode", "wal", "--assume-unused"],
        input: "",
        check: |sandbox, output| mode_is(sandbox, output, "wal"),
        again: &[0],
        keeps: |_| false,
        also: &[],
    });
}

#[test]
fn backup() {
    if !sweep::wanted() {
        return;
    }
    sweep::run(&Scene {
        name: "backup",
        build: |sandbox| {
            board(sandbox);
            std::fs::create_dir(sandbox.work().join("saved")).unwrap();
        },
        args: &["backup", "saved"],
        input: "",
        check: |sandbox, output| {
            sound(&sandbox.board())?;
            let mut finished = 0;
            for entry in std::fs::read_dir(sandbox.work().join("saved")).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                if name.starts_with('.') {
                    if failed(output) || output.code() == 0 {
                        return Err(format!("left behind: {name}"));
                    }
                } else if path.extension().is_some_and(|is| is == "db") {
                    // Whatever has its final name is whole.
                    sound(&path)?;
                    finished += 1;
                }
            }
            if output.code() == 0 && finished == 0 {
                Err("success without a copy".to_owned())
            } else {
                Ok(())
            }
        },
        again: &[0],
        keeps: |name| name == "saved",
        also: &[],
    });
}

#[test]
fn recover_output() {
    if !sweep::wanted() {
        return;
    }
    sweep::run(&Scene {
        name: "recover --output",
        build: |sandbox| {
            let good = sandbox.path().join("tmp/good.db");
            damage::board(&good, 40, 7);
            damage::injure(Shape::TlsHeader, 1, &good, &sandbox.board());
            std::fs::remove_file(good).unwrap();
        },
        args: &["recover", "--output", "rescued.db"],
        input: "",
        check: |sandbox, output| {
            let rescued = sandbox.work().join("rescued.db");
            if !rescued.exists() {
                let wrong = output.code() == 0;
                return if wrong { Err("success without a file".to_owned()) } else { Ok(()) };
            }
            let connection = Connection::open(&rescued).map_err(|error| error.to_string())?;
            let integrity: String = connection
                .query_row("PRAGMA integrity_check", [], |row| row.get(0))
                .map_err(|error| error.to_string())?;
            let tasks = count(&connection, "1")?;
            let whole = integrity == "ok" && tasks == 40;
            if whole { Ok(()) } else { Err(format!("{tasks} tasks, integrity {integrity}")) }
        },
        // 12: the first run had finished, and nothing is ever overwritten.
        again: &[0, 12],
        keeps: |name| name.starts_with("rescued.db"),
        also: &[],
    });
}

#[test]
fn repair() {
    if !sweep::wanted() {
        return;
    }
    sweep::run(&Scene {
        name: "repair",
        build: |sandbox| {
            let good = sandbox.path().join("tmp/good.db");
            damage::board(&good, 40, 7);
            damage::injure(Shape::IndexDrift, 1, &good, &sandbox.board());
            std::fs::remove_file(good).unwrap();
        },
        args: &["repair", "--assume-unused", "--yes"],
        input: "",
        check: |sandbox, output| {
            let connection = Connection::open(sandbox.board()).map_err(|error| error.to_string())?;
            let tasks = count(&connection, "+rowid > 0")?;
            if tasks != 40 {
                return Err(format!("{tasks} of 40 tasks are left"));
            }
            let integrity: String = connection
                .query_row("PRAGMA integrity_check", [], |row| row.get(0))
                .map_err(|error| error.to_string())?;
            if output.code() == 0 && integrity != "ok" { Err(integrity) } else { Ok(()) }
        },
        again: &[0],
        keeps: |_| false,
        // The board is damaged, and not every second look can tell which damage it was.
        also: &[(Fault::Io, 4)],
    });
}

fn copies(sandbox: &Sandbox) -> usize {
    let entries = std::fs::read_dir(sandbox.root()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains(".corrupt.")).count()
}

#[test]
fn prune() {
    if !sweep::wanted() {
        return;
    }
    sweep::run(&Scene {
        name: "backups prune",
        build: |sandbox| {
            board(sandbox);
            let bytes = std::fs::read(sandbox.board()).unwrap();
            for number in 1..5 {
                let name = format!("kanban.db.corrupt.2026010{number}_000000.bak");
                std::fs::write(sandbox.root().join(name), &bytes).unwrap();
            }
        },
        args: &["backups", "prune", "--yes"],
        input: "",
        check: |sandbox, output| {
            sound(&sandbox.board())?;
            match copies(sandbox) {
                0 => Err("no copy is left of the one content".to_owned()),
                2.. if output.code() == 0 => Err("success with equal copies".to_owned()),
                _ => Ok(()),
            }
        },
        again: &[0],
        keeps: |_| false,
        // A copy that cannot be looked at stays, and is named.
        also: &[(Fault::Io, 5), (Fault::NoSpace, 5)],
    });
}

/// A board of Hermes 0.22.2 on which each verb of [`WHOLE`] has something to do.
fn varied(sandbox: &Sandbox) {
    board(sandbox);
    let connection = Connection::open(sandbox.board()).unwrap();
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    connection
        .execute_batch(
            "ALTER TABLE tasks ADD COLUMN provider_override TEXT; ALTER TABLE tasks ADD COLUMN reasoning_effort TEXT;
             ALTER TABLE tasks ADD COLUMN completion_contract TEXT; ALTER TABLE tasks ADD COLUMN worker_started_at INTEGER;
             INSERT INTO tasks (id, title, status, created_at) VALUES ('t_00000002', 'task two', 'blocked', 1),
               ('t_00000004', 'task four', 'archived', 1), ('t_00000005', 'task five', 'todo', 1),
               ('t_00000006', 'task six', 'todo', 1), ('t_00000008', 'task eight', 'ready', 1),
               ('t_00000009', 'task nine', 'done', 1);
             INSERT INTO tasks (id, title, status, created_at, claim_lock, claim_expires, current_run_id)
               VALUES ('t_00000003', 'task three', 'running', 1, 'h:1', 9999999999, 1);
             INSERT INTO task_runs (id, task_id, status, claim_lock, started_at)
               VALUES (1, 't_00000003', 'running', 'h:1', 1);
             INSERT INTO task_links (parent_id, child_id) VALUES ('t_00000001', 't_00000006');
             INSERT INTO task_events (task_id, kind, created_at) VALUES ('t_00000009', 'completed', 1);
             INSERT INTO task_attachments (id, task_id, filename, stored_path, created_at)
               VALUES (1, 't_00000001', 'gone', '/nowhere/gone', 1);
             INSERT INTO kanban_notify_subs (task_id, platform, chat_id, created_at)
               VALUES ('t_00000001', 'p', 'c', 1);",
        )
        .unwrap();
    drop(connection);
    sandbox.run(&["request-review", "t_00000008", "--summary", "s"]).success();
    std::fs::write(sandbox.work().join("a.txt"), "x").unwrap();
    let other = Sandbox::with_board();
    other.run_with(&["create", "--from", "-"], "{\"title\": \"task x\"}\n{\"title\": \"task y\"}").success();
    std::fs::write(sandbox.work().join("other.jsonl"), other.run(&["export"]).success().bytes).unwrap();
}

/// Every row of Hermes' tables; what names the process of a claim and the sandbox's own directory is left out.
fn rows(sandbox: &Sandbox) -> String {
    let Ok(connection) = sound(&sandbox.board()) else { return "damaged".to_owned() };
    let mut text = String::new();
    for table in damage::TABLES {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY rowid")).unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            text.push_str(table);
            let is_claim = table == "task_events" && row.get_ref("kind").unwrap().as_str() == Ok("claimed");
            for (at, name) in names.iter().enumerate() {
                if name == "claim_lock" || is_claim && name == "payload" {
                    continue;
                }
                let value: rusqlite::types::Value = row.get(at).unwrap();
                text.push_str(&format!(" {name}={value:?}").replace(sandbox.path().to_str().unwrap(), "$"));
            }
            text.push('\n');
        }
    }
    text
}

/// The verbs that change rows, each with a task for it on [`varied`].
const WHOLE: &[(&str, &[&str])] = &[
    ("archive", &["archive", FIRST]),
    ("assign", &["assign", FIRST, "coder"]),
    ("attach", &["attach", FIRST, "a.txt"]),
    ("attach-rm", &["attach-rm", "1"]),
    ("claim", &["claim", FIRST]),
    ("comment", &["comment", FIRST, "a remark"]),
    ("delete", &["delete", "t_00000004"]),
    ("edit", &["edit", FIRST, "--title", "first, edited"]),
    ("gc", &["gc", "--event-retention-days", "1"]),
    ("heartbeat", &["heartbeat", "t_00000003"]),
    ("import", &["import", "other.jsonl"]),
    ("link", &["link", FIRST, "t_00000005"]),
    ("promote", &["promote", "t_00000005"]),
    ("reassign", &["reassign", "--reclaim", "t_00000003", "coder"]),
    ("reclaim", &["reclaim", "t_00000003"]),
    ("reopen-review", &["reopen-review", "t_00000008"]),
    ("request-review", &["request-review", FIRST, "--summary", "s"]),
    ("schedule", &["schedule", FIRST, "later"]),
    ("set-model", &["set-model", FIRST, "m"]),
    ("subscriptions add", &["subscriptions", "add", "t_00000002", "--platform", "p", "--chat-id", "c"]),
    ("subscriptions remove", &["subscriptions", "remove", FIRST, "--platform", "p", "--chat-id", "c"]),
    ("unblock", &["unblock", "t_00000002"]),
    ("unlink", &["unlink", FIRST, "t_00000006"]),
];

/// Whatever fails at whatever call: the rows are those from before, or those of an undisturbed run.
#[test]
fn verbs_that_change_rows_are_done_or_not_done() {
    if !sweep::wanted() {
        return;
    }
    for (name, args) in WHOLE {
        sweep::run_whole(
            &Scene {
                name,
                build: varied,
                args,
                input: "",
                check: is_sound,
                // 13 and 14: the first run had committed.
                again: &[0, 13, 14],
                keeps: |name| matches!(name, "a.txt" | "other.jsonl" | "kanban"),
                also: &[],
            },
            rows,
        );
    }
}

/// `boards` and `notify-*` have scenes of their own or are other names; what else changes rows is in a table above.
#[test]
fn no_verb_that_changes_rows_is_left_out() {
    let swept: Vec<&str> = WHOLE.iter().map(|(_, args)| args[0]).collect();
    let lifecycle = crate::lifecycle::VERBS.iter().map(|(_, verb, _)| verb[0]);
    let editing = crate::editing::VERBS.iter().map(|(verb, _)| verb[0]);
    for verb in lifecycle.chain(editing) {
        // `request-changes` needs a claim that only Hermes' dispatcher makes.
        let apart = ["block", "request-changes", "notify-subscribe", "notify-unsubscribe"];
        assert!(swept.contains(&verb) || apart.contains(&verb), "{verb} is in no sweep");
    }
}

/// Two boards by name, one of them archived; the default one is current.
fn named(sandbox: &Sandbox) {
    board(sandbox);
    sandbox.run(&["boards", "create", "side"]).success();
    sandbox.run(&["--board", "side", "create", "task on side"]).success();
    sandbox.run(&["boards", "export", "side", "side.jsonl"]).success();
    sandbox.run(&["boards", "create", "old"]).success();
    sandbox.run(&["boards", "archive", "old", "--yes", "--assume-unused"]).success();
}

/// The files of boards by name, what each says, and the tasks on each; times, locks and logs left out.
fn boards(sandbox: &Sandbox) -> String {
    let mut lines = Vec::new();
    let mut folders = vec![sandbox.root().join("kanban")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(sandbox.root()).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("kanban.db") {
                let tasks = Connection::open(&path).and_then(|connection| {
                    connection.query_row("SELECT count(*) FROM tasks", [], |row| row.get::<_, i64>(0))
                });
                lines.push(format!("{name}: {tasks:?}"));
            } else if !name.contains("kanban.db") && !name.contains(".kanbanctl-") {
                lines.push(format!("{name}: {}", std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    lines.sort();
    lines.join("\n")
}

/// Nothing is torn: each board is whole where it lies, and so is each small file.
fn boards_are_whole(sandbox: &Sandbox, _: &Output) -> Result<(), String> {
    sound(&sandbox.board())?;
    let text = boards(sandbox);
    if text.contains("Err(") {
        return Err(text);
    }
    let side = text.matches("kanban.db: Ok(1)").count();
    if side == 0 { Err(format!("the board 'side' is gone:\n{text}")) } else { Ok(()) }
}

#[test]
fn boards_by_name() {
    if !sweep::wanted() {
        return;
    }
    for (name, args) in [
        ("boards create", &["boards", "create", "new", "--switch"][..]),
        ("boards switch", &["boards", "switch", "side"]),
        ("boards rename", &["boards", "rename", "side", "Another"]),
        ("boards archive", &["boards", "archive", "side", "--yes", "--assume-unused"]),
        ("boards unarchive", &["boards", "unarchive", "old-1780000000", "--assume-unused"]),
        ("boards import", &["boards", "import", "side.jsonl", "--as", "copy"]),
        ("boards export", &["boards", "export", "side", "out.jsonl"]),
    ] {
        sweep::run(&Scene {
            name,
            build: named,
            args,
            input: "",
            check: boards_are_whole,
            // 10 and 12: the first run had done it.
            again: &[0, 10, 12],
            keeps: |name| matches!(name, "kanban" | "side.jsonl" | "out.jsonl"),
            also: &[],
        });
    }
}
