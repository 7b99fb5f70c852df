//! What `health` and the bare `kanbanctl` say of healthy, lost and damaged boards, and that they change nothing.

use std::path::Path;

use rusqlite::Connection;

use crate::support::damage::{self, Shape};
use crate::support::process::Holder;
use crate::support::sandbox::Sandbox;

/// A sandbox with a realistic board.
fn healthy() -> Sandbox {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 40, 1);
    sandbox
}

/// The same board, injured.
fn injured(shape: Shape) -> Sandbox {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 2);
    damage::injure(shape, 1, &good, &sandbox.board());
    sandbox
}

/// Runs SQL on the board through a plain handle, as a foreign program would.
fn with_plain_handle(board: &Path, sql: &str) {
    let connection = Connection::open(board).unwrap();
    connection.execute_batch(sql).unwrap();
}

fn finding_ids(data: &serde_json::Value) -> Vec<&str> {
    let findings = data["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["id"].as_str().unwrap()).collect()
}

#[test]
fn a_healthy_board_is_healthy_and_stays_as_it_is() {
    let sandbox = healthy();
    let before = sandbox.photograph();
    for args in [&["health"][..], &["health", "--depth", "full"], &[], &["health", "--format", "nagios"]] {
        sandbox.run(args);
        assert_eq!(sandbox.photograph(), before, "{args:?}");
    }
    let data = sandbox.run(&["health", "--json", "--depth", "full"]).data();
    assert_eq!(data["depth"], "full");
    assert_eq!(data["counts"]["tasks"], 40);
    let severe = data["findings"].as_array().unwrap().iter().any(|finding| finding["severity"] == "error");
    assert!(!severe, "{data}");
}

#[test]
fn missing_empty_foreign_and_lost_are_four_answers() {
    let sandbox = Sandbox::new();
    sandbox.run(&["health"]).exits(10).says("there is no board at");
    std::fs::write(sandbox.board(), b"").unwrap();
    sandbox.run(&["health"]).exits(10).says("zero bytes");
    std::fs::write(damage::beside(&sandbox.board(), "-wal"), b"frames").unwrap();
    let data = sandbox.run(&["health", "--json"]).exits(4).data();
    assert_eq!(finding_ids(&data)[0], "file-empty");
    std::fs::write(sandbox.board(), b"a letter, not a board".repeat(40)).unwrap();
    let data = sandbox.run(&["health", "--json"]).exits(4).data();
    // Without root the processes of others cannot be seen, which is a finding of its own.
    assert_eq!(finding_ids(&data)[0], "not-sqlite");
}

#[test]
fn damage_is_named_with_the_next_command() {
    for (shape, id) in [
        (Shape::TlsHeader, "tls-record"),
        (Shape::FirstPageZero, "not-sqlite"),
        (Shape::Truncated, "page-count"),
        (Shape::SchemaDuplicate, "unreadable"),
        (Shape::IndexDrift, "index-drift"),
    ] {
        let sandbox = injured(shape);
        let before = sandbox.photograph();
        let data = sandbox.run(&["health", "--json"]).exits(4).data();
        assert_eq!(data["verdict"], "damaged", "{shape:?}");
        assert!(finding_ids(&data).contains(&id), "{shape:?}: {data}");
        let found = data["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == id).unwrap();
        assert!(found["next"].as_str().unwrap().starts_with("kanbanctl "), "{found}");
        assert_eq!(sandbox.photograph(), before, "{shape:?}");
    }
}

#[test]
fn a_board_repaired_between_the_two_looks_is_not_called_damaged() {
    // The looks are 250 ms apart; a busy machine may miss the moment, so there are several tries.
    let hit = (0..6).any(|attempt| {
        let sandbox = healthy();
        let good = std::fs::read(sandbox.board()).unwrap();
        let mut bad = good.clone();
        bad[4096 * 3..4096 * 4].fill(0);
        std::fs::write(sandbox.board(), &bad).unwrap();
        let mut command = sandbox.command(&["health", "--json"]);
        let child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(60 + 30 * attempt));
        std::fs::write(sandbox.board(), &good).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        !text.contains("\"verdict\":\"damaged\"")
    });
    assert!(hit, "every try called a repaired board damaged");
}

#[test]
fn holders_and_their_deleted_files_are_named() {
    let sandbox = healthy();
    let mut holder = Holder::on(&sandbox.board());
    holder.execute("UPDATE tasks SET priority = priority + 1");
    let data = sandbox.run(&["health", "--json"]).data();
    let named = data["findings"].to_string();
    assert!(named.contains(&format!("pid {}", holder.pid())), "{named}");
    let wal = damage::beside(&sandbox.board(), "-wal");
    std::fs::remove_file(&wal).unwrap();
    let data = sandbox.run(&["health", "--json"]).exits(4).data();
    assert!(finding_ids(&data).contains(&"deleted-files"), "{data}");
}

#[test]
fn code_that_a_board_brings_along_is_reported_and_never_run() {
    let sandbox = healthy();
    with_plain_handle(
        &sandbox.board(),
        "CREATE TRIGGER t AFTER INSERT ON tasks BEGIN DELETE FROM task_events; END;",
    );
    let before = std::fs::read(sandbox.board()).unwrap();
    let data = sandbox.run(&["health", "--json"]).exits(4).data();
    assert!(finding_ids(&data).contains(&"schema"), "{data}");
    sandbox.run(&["create", "x"]).exits(12).says("trigger");
    assert_eq!(std::fs::read(sandbox.board()).unwrap(), before);
}

#[test]
fn claims_that_ran_out_and_references_to_nothing_are_warnings() {
    let sandbox = healthy();
    with_plain_handle(
        &sandbox.board(),
        "UPDATE tasks SET status='running', claim_lock='host:1', claim_expires=5
         WHERE id=(SELECT min(id) FROM tasks);
         UPDATE tasks SET status='todo' WHERE status='running' AND claim_lock IS NULL;
         INSERT INTO task_links VALUES('t_00000000','t_00000001');",
    );
    let data = sandbox.run(&["health", "--json"]).exits(3).data();
    let ids = finding_ids(&data);
    assert!(ids.contains(&"stale-running") && ids.contains(&"references"), "{data}");
}

#[test]
fn references_to_nothing_name_their_rows_and_what_to_do() {
    let sandbox = healthy();
    with_plain_handle(
        &sandbox.board(),
        "INSERT INTO task_links VALUES('t_00000000', (SELECT min(id) FROM tasks));
         INSERT INTO task_comments(id, task_id, author, body, created_at) VALUES(4711, 't_0000dead', 'a', 'b', 5);
         UPDATE kanban_notify_subs SET last_event_id = 1 << 40;
         INSERT INTO kanban_notify_subs(task_id, platform, chat_id, thread_id, created_at, last_event_id)
         VALUES('t_0000beef', 'telegram', '1', '', 5, 1 << 40);",
    );
    let data = sandbox.run(&["health", "--json"]).exits(3).data();
    let found = |subject: &str| -> serde_json::Value {
        let findings = data["findings"].as_array().unwrap();
        let of =
            |finding: &&serde_json::Value| finding["id"] == "references" && finding["subject"] == subject;
        findings.iter().find(of).unwrap_or_else(|| panic!("{subject}: {data}")).clone()
    };
    for (subject, named) in [
        ("task_links.parent_id", "to t_00000000"),
        ("task_comments.task_id", "4711 to t_0000dead"),
        ("kanban_notify_subs.task_id", "telegram to t_0000beef"),
        ("kanban_notify_subs.last_event_id", "t_0000beef"),
    ] {
        let finding = found(subject);
        assert!(finding["message"].as_str().unwrap().contains(named), "{finding}");
        assert!(finding["next"].as_str().unwrap().starts_with("kanbanctl "), "{finding}");
    }
}

/// Hermes passes over what it does not know: such a row is lost to it though it is there.
#[test]
fn words_that_hermes_does_not_write_are_named() {
    let sandbox = healthy();
    with_plain_handle(
        &sandbox.board(),
        "UPDATE tasks SET status='todo' WHERE status='running';
         UPDATE tasks SET status='tri!ge' WHERE id=(SELECT min(id) FROM tasks);
         UPDATE tasks SET workspace_kind=x'ff' WHERE id=(SELECT max(id) FROM tasks);
         UPDATE task_events SET kind='levitated' WHERE id=3;",
    );
    let before = sandbox.photograph();
    let data = sandbox.run(&["health", "--json"]).exits(3).data();
    let found = |data: &serde_json::Value, subject: &str| -> serde_json::Value {
        let findings = data["findings"].as_array().unwrap();
        let is_it =
            |finding: &&serde_json::Value| finding["id"] == "unknown-value" && finding["subject"] == subject;
        findings.iter().find(is_it).unwrap().clone()
    };
    let first = sandbox.run(&["list", "--json"]).success().data();
    let first =
        first.as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap()).min().unwrap().to_owned();
    let status = found(&data, "tasks.status");
    assert_eq!(
        (&status["id"], &status["severity"]),
        (&"unknown-value".into(), &"warning".into()),
        "{status}"
    );
    assert!(status["message"].as_str().unwrap().contains(&format!("{first} is \"tri!ge\"")), "{status}");
    assert!(found(&data, "tasks.workspace_kind")["message"].as_str().unwrap().contains("x:ff"), "{data}");
    assert!(found(&data, "task_events.kind")["message"].as_str().unwrap().contains("3 is \"levitated\""));
    assert_eq!(sandbox.photograph(), before);

    // A newer Hermes may have words of its own, if they are words.
    with_plain_handle(&sandbox.board(), "ALTER TABLE tasks ADD COLUMN worker_scope TEXT");
    let data = sandbox.run(&["health", "--json"]).exits(3).data();
    assert_eq!(found(&data, "task_events.kind")["severity"], "info", "{data}");
    assert_eq!(found(&data, "tasks.status")["severity"], "warning", "{data}");
}

/// One title that cannot be decoded, and Hermes lists nothing any more.
#[test]
fn text_that_hermes_cannot_decode_is_damage() {
    let sandbox = healthy();
    with_plain_handle(
        &sandbox.board(),
        "UPDATE tasks SET title = CAST(x'61ff62' AS TEXT) WHERE id = (SELECT min(id) FROM tasks);
         UPDATE task_comments SET body = CAST(x'fe' AS TEXT) WHERE id = 3;",
    );
    let subjects = |depth: &str| -> Vec<String> {
        let data = sandbox.run(&["health", "--json", "--depth", depth]).exits(4).data();
        let findings = data["findings"].as_array().unwrap().clone();
        let found = findings.into_iter().filter(|finding| finding["id"] == "not-utf8");
        found
            .map(|finding| {
                assert!(finding["next"].as_str().unwrap().ends_with("repair --text"), "{finding}");
                finding["subject"].as_str().unwrap().to_owned()
            })
            .collect()
    };
    assert_eq!(subjects("quick"), ["tasks.title"]);
    assert_eq!(subjects("full"), ["task_comments.body", "tasks.title"]);
    with_plain_handle(&sandbox.board(), "UPDATE tasks SET title = 'text again' WHERE typeof(title) = 'text'");
    let data = sandbox.run(&["health", "--json"]).data();
    assert!(!finding_ids(&data).contains(&"not-utf8"), "{data}");
}

#[test]
fn monitoring_formats_carry_the_verdict() {
    let sandbox = injured(Shape::TlsHeader);
    let nagios = sandbox.run(&["health", "--format", "nagios"]).exits(2);
    assert!(nagios.stdout.starts_with("KANBAN CRITICAL - "), "{nagios}");
    assert_eq!(nagios.stdout.lines().count(), 1);
    let prom = sandbox.run(&["health", "--format", "prom"]).exits(4);
    assert!(prom.stdout.contains("verdict=\"damaged\"} 1"), "{prom}");
    sandbox.run(&["list", "--format", "prom"]).exits(2);
}

#[test]
fn every_finding_can_be_explained() {
    let sandbox = Sandbox::new();
    let unknown = sandbox.run(&["health", "--explain", "nothing"]).exits(13);
    let list = unknown.stderr.split("The findings are ").nth(1).unwrap().trim_end().trim_end_matches('.');
    for id in list.split(", ") {
        let said = sandbox.run(&["health", "--explain", id, "--format", "table"]).success();
        assert!(said.stdout.starts_with(&format!("{id}: ")), "{said}");
        let named = sandbox.run(&["health", "--explain", id, "--board", "default", "--json"]).success();
        assert_eq!(named.json()["kind"], "health.explanation");
        let data = named.data();
        assert_eq!((&data["id"], &data["section"]), (&id.into(), &id.into()), "{data}");
        let next = data["next"].as_str().unwrap();
        // Whoever was sent here from a finding is not sent back.
        assert!(!next.is_empty() && !next.contains(" health"), "{data}");
        assert!(said.stdout.contains(&format!("next: {}\n", next.replace(" --board default", ""))), "{said}");
        assert_eq!(next.starts_with("kanbanctl"), next.starts_with("kanbanctl --board default "), "{data}");
    }
}

#[test]
fn the_bare_command_says_which_board_and_what_next() {
    let sandbox = Sandbox::new();
    sandbox.run::<&str>(&[]).exits(10).says("kanbanctl init");
    let sandbox = Sandbox::with_board();
    let said = sandbox.run::<&str>(&[]).success();
    assert!(said.stdout.contains("verdict\thealthy"), "{said}");
    assert_eq!(said.stdout.matches("next\t").count(), 3, "{said}");
}

#[test]
fn frames_that_are_written_back_do_not_wait() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "x"]).success();
    // A reader that comes and goes makes the index forget how far the log was written back.
    sandbox.run(&["list"]).success();
    let data = sandbox.run(&["health", "--json"]).success().data();
    assert_eq!(data["wal_frames_pending"], 0, "{data}");
    let mut holder = Holder::on(&sandbox.board());
    holder.execute("PRAGMA wal_autocheckpoint=0");
    holder.execute("UPDATE tasks SET priority = 7");
    let data = sandbox.run(&["health", "--json"]).success().data();
    assert!(data["wal_frames_pending"].as_u64().unwrap() > 0, "{data}");
}

#[test]
fn one_board_that_cannot_be_looked_at_does_not_hide_the_others() {
    let sandbox = Sandbox::new();
    let folder = |name: &str| sandbox.root().join("kanban/boards").join(name);
    std::fs::create_dir_all(folder("good")).unwrap();
    damage::board(&folder("good").join("kanban.db"), 5, 1);
    std::fs::create_dir_all(folder("odd").join("kanban.db")).unwrap();
    let data = sandbox.run(&["health", "--all-boards", "--json"]).exits(6).data();
    assert_eq!(data.as_array().unwrap().len(), 2, "{data}");
    let nagios = sandbox.run(&["health", "--all-boards", "--format", "nagios"]).exits(3);
    assert!(nagios.stdout.starts_with("KANBAN UNKNOWN - "), "{nagios}");
    let none = sandbox.run(&["health", "--format", "nagios"]).exits(3);
    assert!(none.stdout.starts_with("KANBAN UNKNOWN - "), "{none}");
}

#[test]
fn a_board_that_cannot_be_read_hides_no_other_from_any_list() {
    let sandbox = Sandbox::new();
    let folder = |name: &str| sandbox.root().join("kanban/boards").join(name);
    for name in ["empty", "good", "odd"] {
        std::fs::create_dir_all(folder(name)).unwrap();
    }
    damage::board(&folder("good").join("kanban.db"), 5, 1);
    std::fs::write(folder("empty").join("kanban.db"), b"").unwrap();
    std::fs::create_dir_all(folder("odd").join("kanban.db")).unwrap();
    let data = sandbox.run(&["health", "--all-boards", "--json"]).exits(6).data();
    assert_eq!(data.as_array().unwrap().len(), 3, "{data}");
    for verb in ["list", "stats"] {
        let output = sandbox.run(&[verb, "--all-boards", "--format", "plain"]);
        assert!(output.stdout.contains("good"), "{output}");
        assert!(output.stderr.contains("odd"), "{output}");
    }
    let output = sandbox.run(&["backups", "list", "--all-boards", "--json"]);
    assert!(output.data().is_array() && output.stderr.contains("odd"), "{output}");
}

#[test]
fn a_finding_about_the_file_says_its_path_once() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.board().parent().unwrap()).unwrap();
    std::fs::write(sandbox.board(), b"not a board".repeat(90)).unwrap();
    let output = sandbox.run(&["health", "--format", "table"]).exits(4);
    // In the verdict, and in the finding once. Who may not see every process is told so behind it.
    let told = output.stdout.split("info ").next().unwrap();
    assert_eq!(told.matches("/kanban.db").count(), 2, "{output}");
}

#[test]
fn numbers_that_may_be_given_out_twice_are_told_and_counted_on_again() {
    let sandbox = healthy();
    let highest: i64 = Connection::open(sandbox.board())
        .unwrap()
        .query_row("SELECT max(id) FROM task_events", [], |row| row.get(0))
        .unwrap();
    let told = |sandbox: &Sandbox| {
        let data = sandbox.run(&["health", "--json"]).data();
        data["findings"].as_array().unwrap().iter().any(|finding| {
            finding["message"].as_str().unwrap().contains("may be given out again")
                && finding["message"].as_str().unwrap().contains("task_events")
        })
    };
    assert!(!told(&sandbox));
    // The last events are gone, and with them all that was counted; a subscription has seen them.
    with_plain_handle(
        &sandbox.board(),
        &format!(
            "UPDATE kanban_notify_subs SET last_event_id = {highest} \
             WHERE rowid = (SELECT min(rowid) FROM kanban_notify_subs); \
             DELETE FROM task_events WHERE id > {highest} - 5; UPDATE sqlite_sequence SET seq = 0"
        ),
    );
    assert!(told(&sandbox));
    let new = sandbox.work().join("new.db");
    sandbox.run(&["recover", "--output", new.to_str().unwrap()]);
    let connection = Connection::open(new).unwrap();
    let count = |name: &str| -> i64 {
        connection
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = ?1", [name], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(count("task_events"), highest);
    for table in ["task_comments", "task_runs"] {
        let sql = format!("SELECT ifnull(max(id), 0) FROM {table}");
        let highest: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert!(count(table) >= highest, "{table}");
    }
}

#[test]
fn a_healthy_board_leaves_stdout_and_stderr_empty_for_cron() {
    let sandbox = Sandbox::with_board();
    let output = sandbox.run(&["health"]).success();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    assert!(sandbox.run(&["health", "-v"]).success().stdout.starts_with("verdict\thealthy\t"));
    assert!(sandbox.run(&["health", "--format", "plain"]).success().stdout.starts_with("verdict\thealthy\t"));
    assert_eq!(sandbox.run(&["health", "--all-boards"]).success().stdout, "");
    with_plain_handle(&sandbox.board(), "INSERT INTO task_links VALUES('t_00000000','t_00000001')");
    let output = sandbox.run(&["health"]).exits(3);
    assert!(output.stdout.contains("warning\treferences\t") && !output.stdout.contains("info\t"), "{output}");
}

/// A wrong HERMES_HOME must not look like health.
#[test]
fn all_boards_without_a_board_is_no_board_in_every_format() {
    let sandbox = Sandbox::new();
    for format in ["table", "plain", "json", "jsonl", "prom"] {
        for verb in
            [&["health"][..], &["list"], &["stats"], &["backup"], &["checkpoint"], &["backups", "list"]]
        {
            if format == "prom" && verb != ["health"] {
                continue;
            }
            let args = [verb, &["--all-boards", "--format", format]].concat();
            sandbox.run(&args).exits(10).says("no board");
        }
    }
    let nagios = sandbox.run(&["health", "--all-boards", "--format", "nagios"]).exits(3);
    assert!(nagios.stdout.starts_with("KANBAN UNKNOWN - there is no board under"), "{nagios}");
}

#[test]
fn a_metrics_file_says_when_it_was_written_and_that_the_board_is_gone() {
    let sandbox = Sandbox::with_board();
    let args = ["health", "--format", "prom", "-o", "kanban.prom"];
    let read = || std::fs::read_to_string(sandbox.work().join("kanban.prom")).unwrap();
    sandbox.run(&args).success();
    assert!(read().contains("kanbanctl_check_timestamp_seconds 1780000000\n"), "{}", read());
    assert!(read().contains("kanbanctl_board_present{board=\"default\"} 1\n"), "{}", read());
    std::fs::remove_file(sandbox.board()).unwrap();
    sandbox.run(&args).exits(10);
    assert!(read().contains("kanbanctl_board_present{board=\"default\"} 0\n"), "{}", read());
    assert!(read().contains("verdict=\"healthy\"} 0\n"), "{}", read());
    let args = ["health", "--all-boards", "--format", "prom", "-o", "kanban.prom"];
    sandbox.run(&args).exits(10);
    assert!(read().contains("kanbanctl_boards 0\n"), "{}", read());
}
