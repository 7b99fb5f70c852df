//! `edit`, `comment`, `link`, `unlink`, `attach`, `attach-rm`, `subscriptions` and `gc`: what they change and say, and that
//! the way back leads back. Whether rows equal Hermes' is for `differential`.

use serde_json::json;

use crate::support::Sandbox;
use crate::support::rows::{change, count, create, data, status};
use crate::support::sandbox::{NOW, Output};

/// Each verb and the kind of its JSON, on a board of [`linked`]. `A` and `B` are tasks, `FILE` is an export of another board.
pub(crate) const VERBS: [(&[&str], &str); 12] = [
    (&["edit", "A", "--title", "y"], "task.edit.list"),
    (&["comment", "A", "y"], "task.comment.list"),
    (&["link", "B", "A"], "task.link.list"),
    (&["unlink", "A", "B"], "task.unlink.list"),
    (&["attach", "A", "a.txt"], "task.attach.list"),
    (&["attach-rm", "1"], "attachment.removed.list"),
    (&["subscriptions", "add", "B", "--platform", "p", "--chat-id", "c"], "subscription.add.list"),
    (&["subscriptions", "remove", "A", "--platform", "p", "--chat-id", "c"], "subscription.remove.list"),
    (&["notify-subscribe", "B", "--platform", "p", "--chat-id", "c"], "subscription.add.list"),
    (&["notify-unsubscribe", "A", "--platform", "p", "--chat-id", "c"], "subscription.remove.list"),
    (&["gc", "--event-retention-days", "0"], "gc"),
    (&["import", "FILE"], "import"),
];

/// How many files attachments have.
fn attached(sandbox: &Sandbox) -> usize {
    let folders = std::fs::read_dir(sandbox.root().join("kanban/attachments")).into_iter().flatten();
    folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
}

/// Two tasks, one waiting for the other until `link B A` turns that round, with an attachment and a subscription.
fn linked(verb: &[&str]) -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::with_board();
    let [a, b] = [create(&sandbox, &["a"]), create(&sandbox, &["b"])];
    if verb[0] != "link" {
        sandbox.run(&["link", &a, &b]).success();
    }
    std::fs::write(sandbox.work().join("a.txt"), "x").unwrap();
    sandbox.run(&["attach", &a, "a.txt"]).success();
    sandbox.run(&["subscriptions", "add", &a, "--platform", "p", "--chat-id", "c"]).success();
    let done = create(&sandbox, &["c"]);
    sandbox.run(&["complete", &done]).success();
    change(&sandbox, "UPDATE task_events SET created_at = 1");
    let other = Sandbox::with_board();
    create(&other, &["elsewhere"]);
    std::fs::write(sandbox.work().join("other.jsonl"), other.run(&["export"]).success().bytes).unwrap();
    let word = |word: &&str| match *word {
        "A" => a.clone(),
        "B" => b.clone(),
        "FILE" => "other.jsonl".to_owned(),
        other => other.to_owned(),
    };
    let words = verb.iter().map(word).collect();
    (sandbox, words)
}

#[test]
fn dry_run_of_every_editing_verb_says_so_and_changes_nothing() {
    for (verb, kind) in VERBS {
        let (sandbox, words) = linked(verb);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let state = || {
            // A short text for the message of a failed comparison.
            let rows = sandbox.run(&["export"]).success().stdout;
            let hash =
                rows.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
            (hash, attached(&sandbox))
        };
        let before = state();
        let dry = sandbox.run(&[&words[..], &["-n", "--json"]].concat()).success().says("Dry run");
        let one =
            |output: &Output| if output.data().is_array() { output.data()[0].clone() } else { output.data() };
        assert_eq!(
            (&dry.json()["kind"], &one(&dry)["dry_run"]),
            (&json!(kind), &json!(true)),
            "{verb:?}\n{dry}"
        );
        assert_eq!(state(), before, "{verb:?}");
        let done = sandbox.run(&[&words[..], &["--yes", "--json"]].concat()).success();
        assert_eq!(done.json()["kind"], kind, "{verb:?}\n{done}");
        assert_ne!(one(&done)["dry_run"], true, "{verb:?}\n{done}");
        assert_ne!(state(), before, "{verb:?} changed nothing");
    }
}

/// Runs the command that a verb said takes it back.
fn take_back(sandbox: &Sandbox, said: &Output) {
    let line = said
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("Undo with `"))
        .unwrap_or_else(|| panic!("{said}"));
    let command = line.split_once('`').unwrap().0.strip_prefix("kanbanctl ").unwrap();
    let mut shell = sandbox.program("/bin/sh");
    shell.args(["-c", &format!("\"$0\" {command}")]).arg(crate::support::sandbox::KANBANCTL);
    sandbox.finish(shell, b"").success();
}

fn task(sandbox: &Sandbox, id: &str) -> serde_json::Value {
    data(&sandbox.run(&["show", id, "--json"]).success())["task"].clone()
}

#[test]
fn edit_changes_fields_and_the_way_back_restores_them() {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["old title", "--tenant", "acme", "--skill", "one", "--assignee", "ann"]);
    let before = task(&sandbox, &id);
    let said = sandbox
        .run(&[
            "edit",
            &id,
            "--title",
            "it's new",
            "--body",
            "a\nb",
            "--priority",
            "-3",
            "--assignee",
            "bob",
            "--skill",
            "x",
            "--clear",
            "tenant",
            "--max-retries",
            "4",
            "--goal",
            "yes",
        ])
        .success();
    let after = task(&sandbox, &id);
    assert_eq!(
        [
            &after["title"],
            &after["body"],
            &after["priority"],
            &after["assignee"],
            &after["skills"],
            &after["tenant"]
        ],
        [&json!("it's new"), &json!("a\nb"), &json!(-3), &json!("bob"), &json!(["x"]), &json!(null)]
    );
    take_back(&sandbox, &said);
    assert_eq!(task(&sandbox, &id), before);
}

#[test]
fn edit_refuses_what_makes_no_sense_and_writes_nothing() {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["x"]);
    let events = count(&sandbox, "SELECT count(*) FROM task_events");
    for (args, code) in [
        (&["edit", &id][..], 2),
        (&["edit", &id, "--title", "  "], 2),
        (&["edit", &id, "--summary", "x"], 2),
        (&["edit", &id, "--body", "x", "--clear", "body"], 2),
        (&["edit", &id, "--assignee", " "], 2),
        (&["edit", &id, "--result", "x"], 14),
        (&["edit", "t_ffffffff", "--title", "x"], 13),
    ] {
        sandbox.run(args).exits(code);
    }
    assert_eq!(count(&sandbox, "SELECT count(*) FROM task_events"), events);
    sandbox.run(&["complete", &id, "--result", "first"]).success();
    let said = sandbox.run(&["edit", &id, "--result", "second", "--summary", "s"]).success();
    assert_eq!(task(&sandbox, &id)["result"], "second");
    take_back(&sandbox, &said);
    assert_eq!(task(&sandbox, &id)["result"], "first");
}

#[test]
fn many_tasks_are_edited_from_a_file_or_none() {
    let sandbox = Sandbox::with_board();
    let ids = [create(&sandbox, &["a"]), create(&sandbox, &["b"])];
    let lines = format!("{{\"id\": \"{}\", \"title\": \"A\"}}\n{}\n", ids[0], ids[1]);
    sandbox.run_with(&["edit", "--from", "-", "--priority", "7"], &lines).success();
    assert_eq!(
        (&task(&sandbox, &ids[0])["title"], &task(&sandbox, &ids[1])["priority"]),
        (&json!("A"), &json!(7))
    );
    sandbox
        .run_with(&["edit", "--from", "-", "--priority", "8"], format!("{}\nt_ffffffff\n", ids[0]))
        .exits(13);
    assert_eq!(task(&sandbox, &ids[0])["priority"], 7);
}

#[test]
fn comments_are_added_cut_and_refused() {
    let sandbox = Sandbox::with_board();
    let ids = [create(&sandbox, &["a"]), create(&sandbox, &["b"])];
    sandbox.run(&["comment", &ids[0], "two", "words", "--ids", &ids[1], "--author", "me"]).success();
    assert_eq!(
        count(&sandbox, "SELECT count(*) FROM task_comments WHERE body = 'two words' AND author = 'me'"),
        2
    );
    sandbox.run(&["comment", &ids[0], "äöü", "--max-len", "2"]).success();
    let cut = "SELECT count(*) FROM task_comments WHERE body = 'äö' || char(10,10) || '[trimmed to 2 chars by --max-len]'";
    assert_eq!(count(&sandbox, cut), 1);
    sandbox.run_with(&["comment", &ids[0], "--body-file", "-"], "from stdin\n").success();
    sandbox.run(&["comment", &ids[0]]).exits(2);
    sandbox.run(&["comment", &ids[0], " "]).exits(2);
    sandbox.run(&["comment", "t_ffffffff", "x"]).exits(13);
    assert_eq!(count(&sandbox, "SELECT count(*) FROM task_comments"), 4);
}

#[test]
fn links_hold_children_back_and_never_make_a_cycle() {
    let sandbox = Sandbox::with_board();
    let [a, b, c] = [create(&sandbox, &["a"]), create(&sandbox, &["b"]), create(&sandbox, &["c"])];
    let said = sandbox.run(&["link", &a, &b, &c]).success();
    assert_eq!((status(&sandbox, &b), status(&sandbox, &c)), ("todo".into(), "todo".into()));
    sandbox.run(&["link", &b, &a]).exits(14).says("wait for each other");
    sandbox.run(&["link", &a, &a]).exits(14);
    sandbox.run(&["link", &a, "t_ffffffff"]).exits(13);
    take_back(&sandbox, &said);
    assert_eq!((status(&sandbox, &b), status(&sandbox, &c)), ("ready".into(), "ready".into()));
    sandbox.run(&["unlink", &a, &b]).exits(13);
    // A parent that is gone can be unlinked.
    change(&sandbox, &format!("INSERT INTO task_links VALUES ('t_gone', '{b}')"));
    sandbox.run(&["unlink", "t_gone", &b]).success();
    assert_eq!(count(&sandbox, "SELECT count(*) FROM task_links"), 0);
}

#[test]
fn attached_file_is_copied_recorded_and_taken_back() {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["x"]);
    std::fs::write(sandbox.work().join("a.pdf"), b"pdf").unwrap();
    let said = sandbox.run(&["attach", &id, "a.pdf"]).success();
    sandbox.run(&["attach", &id, "a.pdf"]).success();
    let listed = data(&sandbox.run(&["attachments", &id, "--json"]).success());
    assert_eq!((&listed[0]["filename"], &listed[1]["filename"]), (&json!("a.pdf"), &json!("a (1).pdf")));
    assert_eq!((&listed[0]["content_type"], &listed[0]["size"]), (&json!("application/pdf"), &json!(3)));
    let stored = listed[0]["stored_path"].as_str().unwrap();
    assert_eq!(std::fs::read(stored).unwrap(), b"pdf");
    assert!(stored.contains(&format!("kanban/attachments/{id}/")), "{stored}");
    sandbox.run(&["attach-rm", "2", "--of", "t_ffffffff"]).exits(13);
    take_back(&sandbox, &said);
    assert!(!std::path::Path::new(stored).exists());
    assert_eq!(count(&sandbox, "SELECT count(*) FROM task_attachments"), 1);
    assert_eq!(attached(&sandbox), 1);
    sandbox.run(&["attach", &id, "a.pdf", "-n"]).success();
    sandbox.run(&["attach", "t_ffffffff", "a.pdf"]).exits(13);
    sandbox.run(&["attach", &id, "missing"]).exits(10);
    assert_eq!(attached(&sandbox), 1, "a dry run and a refusal leave no file");
}

#[test]
fn subscriptions_are_added_listed_and_removed() {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["x"]);
    let chat = ["--platform", "telegram", "--chat-id", "7"];
    let said = sandbox.run(&[&["subscriptions", "add", &id][..], &chat].concat()).success();
    let listed = data(&sandbox.run(&["notify-list", &id, "--json"]).success());
    assert_eq!((&listed[0]["chat_id"], &listed[0]["last_event_id"]), (&json!("7"), &json!(0)));
    sandbox.run(&[&["subscriptions", "add", &id, "--delivery-mode", "wake"][..], &chat].concat()).exits(12);
    take_back(&sandbox, &said);
    sandbox.run(&[&["notify-unsubscribe", &id][..], &chat].concat()).exits(13);
    sandbox.run(&[&["notify-subscribe", &id][..], &chat].concat()).success();
    assert_eq!(count(&sandbox, "SELECT count(*) FROM kanban_notify_subs"), 1);
}

#[test]
fn gc_removes_old_events_and_only_workspaces_of_its_own() {
    let sandbox = Sandbox::with_board();
    let [gone, open, root] = [create(&sandbox, &["a"]), create(&sandbox, &["b"]), create(&sandbox, &["c"])];
    let spaces = sandbox.root().join("kanban/workspaces");
    for id in [&gone, &open, &root] {
        std::fs::create_dir_all(spaces.join(id)).unwrap();
    }
    std::fs::create_dir_all(sandbox.root().join("kanban/logs")).unwrap();
    std::fs::write(sandbox.root().join("kanban/logs/old.log"), "x").unwrap();
    sandbox.run(&["archive", &gone, &root]).success();
    // A row that claims the folder of all workspaces must not take them along.
    change(
        &sandbox,
        &format!(
            "UPDATE tasks SET workspace_path = '{}' WHERE id = '{root}';
             UPDATE task_events SET created_at = {NOW} - 40 * 86400",
            spaces.display()
        ),
    );
    let dry = data(&sandbox.run(&["gc", "-n", "--json"]).success());
    assert_eq!((&dry["workspaces"], &dry["events"]), (&json!(1), &json!(4)));
    assert!(spaces.join(&gone).exists() && count(&sandbox, "SELECT count(*) FROM task_events") == 5);
    sandbox.run(&["gc"]).success();
    assert!(!spaces.join(&gone).exists() && spaces.join(&open).exists() && spaces.join(&root).exists());
    assert_eq!(count(&sandbox, "SELECT count(*) FROM task_events"), 1);
}
