//! Backups of ours and the copies that Hermes put aside: made, verified, listed, grouped.

use crate::support::damage::{self, Shape};
use crate::support::process::Holder;
use crate::support::sandbox::{NOW, Sandbox};

#[test]
fn a_backup_holds_what_the_wal_holds_and_is_made_beside_a_writer() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 40, 1);
    let mut holder = Holder::on(&sandbox.board());
    holder
        .execute("INSERT INTO tasks(id,title,status,created_at) VALUES('t_0000beef','in the WAL','ready',1)");
    let data = sandbox.run(&["backup", "--json"]).success().data();
    assert_eq!(data["verified"], true);
    assert_eq!(data["tables"]["tasks"], 41);
    let copy = rusqlite::Connection::open(data["path"].as_str().unwrap()).unwrap();
    let title: String =
        copy.query_row("SELECT title FROM tasks WHERE id='t_0000beef'", [], |row| row.get(0)).unwrap();
    assert_eq!(title, "in the WAL");
    holder.execute("DELETE FROM tasks WHERE id='t_0000beef'");
    sandbox.run(&["list"]).success();
}

#[test]
fn an_unchanged_board_is_not_copied_twice_and_keep_removes_the_oldest() {
    let sandbox = Sandbox::with_board();
    let first = sandbox.run(&["backup", "--json"]).success().data();
    let again = sandbox.run(&["backup", "--json"]).success().data();
    assert_eq!(again["already"], true);
    assert_eq!(first["path"], again["path"]);
    sandbox.run(&["create", "one more"]).success();
    let mut command = sandbox.command(&["backup", "--keep", "1", "--json"]);
    command.env("KANBANCTL_NOW", "1780000100");
    let kept = sandbox.finish(command, b"").success().data();
    assert_eq!(kept["removed"], serde_json::json!([first["path"]]));
    let directory = damage::beside(&sandbox.board(), ".backups");
    assert_eq!(std::fs::read_dir(directory).unwrap().count(), 1);
}

#[test]
fn a_rehearsed_backup_leaves_nothing() {
    let sandbox = Sandbox::with_board();
    let before = sandbox.photograph();
    sandbox.run(&["backup", "--dry-run"]).success();
    sandbox.run(&["backup", "--dry-run", "--create-dirs", "elsewhere"]).success();
    assert_eq!(sandbox.photograph(), before);
    assert_eq!(std::fs::read_dir(sandbox.work()).unwrap().count(), 0);
}

#[test]
fn a_damaged_board_is_not_called_backed_up() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 2);
    damage::injure(Shape::ZeroPages, 1, &good, &sandbox.board());
    let before = sandbox.photograph();
    sandbox.run(&["backup"]).exits(4).says("kanbanctl recover --dry-run");
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn equal_copies_are_one_content() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 20, 1);
    let bytes = std::fs::read(sandbox.board()).unwrap();
    let name = |stamp: &str| damage::beside(&sandbox.board(), &format!(".corrupt.{stamp}.bak"));
    for stamp in ["20260501_101010", "20260501_101010.1", "20260501_101011"] {
        std::fs::write(name(stamp), &bytes).unwrap();
    }
    damage::quarantine(&[b"SQLite format 3\0".to_vec(), vec![7; 4080]].concat(), &sandbox.board());
    std::fs::write(damage::beside(&sandbox.board(), ".corrupt.notes.txt"), b"not a copy").unwrap();
    let before = sandbox.photograph();
    let data = sandbox.run(&["backups", "list", "--json"]).success().data();
    let mut copies: Vec<u64> =
        data.as_array().unwrap().iter().map(|one| one["copies"].as_u64().unwrap()).collect();
    copies.sort_unstable();
    assert_eq!(copies, [1, 3]);
    let three = data.as_array().unwrap().iter().find(|one| one["copies"] == 3).unwrap();
    let shown = sandbox.run(&["backups", "show", three["id"].as_str().unwrap(), "--json"]).success().data();
    assert_eq!(shown["paths"].as_array().unwrap().len(), 3);
    assert_eq!(shown["rows"]["tasks"], 20);
    sandbox.run(&["backups", "show", "ffffffffffff0"]).exits(13).says("kanbanctl backups list");
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn backups_of_several_boards_in_one_folder_are_kept_apart() {
    let sandbox = Sandbox::with_board();
    let side = sandbox.root().join("kanban/boards/side");
    std::fs::create_dir_all(&side).unwrap();
    std::fs::copy(sandbox.board(), side.join("kanban.db")).unwrap();
    sandbox.run(&["backup", "bk", "--keep", "1", "--create-dirs"]).success();
    sandbox.run(&["--board", "side", "backup", "bk", "--keep", "1"]).success();
    let folder = sandbox.work().join("bk");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    // A backup is a board, too; it is never removed as its own predecessor.
    let source = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    sandbox.run(&["--db", source.to_str().unwrap(), "backup", "bk", "--keep", "1"]).success();
    assert!(source.exists());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3);
}

#[test]
fn one_board_that_fails_does_not_keep_the_others_from_their_backup() {
    let sandbox = Sandbox::new();
    for name in ["good", "torn"] {
        std::fs::create_dir_all(sandbox.root().join(format!("kanban/boards/{name}"))).unwrap();
    }
    damage::board(&sandbox.root().join("kanban/boards/good/kanban.db"), 10, 1);
    std::fs::write(sandbox.root().join("kanban/boards/torn/kanban.db"), b"not a board".repeat(90)).unwrap();
    let output = sandbox.run(&["backup", "--all-boards", "bk", "--create-dirs", "--json"]).exits(4);
    assert_eq!(output.data().as_array().unwrap().len(), 1, "{output}");
    assert_eq!(std::fs::read_dir(sandbox.work().join("bk")).unwrap().count(), 1);
}

#[test]
fn a_copy_is_shown_and_compared_by_any_path() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "in the copies"]).success();
    sandbox.run(&["backup"]).success();
    let listed = sandbox.run(&["backups", "list", "--json"]).success().data();
    let known = listed[0]["paths"][0].as_str().unwrap();
    let elsewhere = sandbox.work().join("taken-along.db");
    std::fs::copy(known, &elsewhere).unwrap();
    std::os::unix::fs::symlink(known, sandbox.work().join("link.db")).unwrap();
    sandbox.run(&["create", "later"]).success();
    let relative = format!("../home/.hermes/{}", known.rsplit_once(".hermes/").unwrap().1);
    let absolute = elsewhere.to_str().unwrap();
    for (path, kind) in [
        (known, "backup"),
        (&relative, "backup"),
        ("link.db", "backup"),
        ("taken-along.db", "named"),
        ("./taken-along.db", "named"),
        (absolute, "named"),
    ] {
        let shown = sandbox.run(&["backups", "show", path, "--json"]).success().data();
        assert_eq!((&shown["kind"], &shown["rows"]["tasks"]), (&kind.into(), &1.into()), "{path}");
        assert_eq!(shown["sha256"], listed[0]["sha256"], "{path}");
        let compared = sandbox.run(&["backups", "diff", path, "--json"]).success().data();
        assert_eq!(
            (&compared["totals"]["same"], &compared["totals"]["only_on_board"]),
            (&1.into(), &1.into())
        );
    }
    for wrong in ["nowhere.db", "./nowhere.db", "."] {
        sandbox.run(&["backups", "show", wrong]).exits(13).says("backups list");
    }
}

#[test]
fn a_backup_that_rotted_is_no_reason_to_make_none() {
    let sandbox = Sandbox::with_board();
    let first = sandbox.run(&["backup", "--json"]).success().data();
    let rotten = first["path"].as_str().unwrap();
    let bytes = std::fs::read(rotten).unwrap();
    std::fs::write(rotten, &bytes[..4096]).unwrap();
    let mut command = sandbox.command(&["backup", "--json"]);
    command.env("KANBANCTL_NOW", "1780000100");
    let again = sandbox.finish(command, b"").success().says(rotten).data();
    assert_eq!(again["already"], false);
    assert_ne!(again["path"], first["path"]);
    assert_eq!(std::fs::read(again["path"].as_str().unwrap()).unwrap(), bytes);
}

/// Two that run at once choose the same name for the same content; the one that comes later has what it wanted.
#[test]
fn a_backup_that_another_has_just_made_is_as_good_as_ones_own() {
    let sandbox = Sandbox::with_board();
    let first = sandbox.run(&["backup", "--json"]).success().data();
    let made = std::path::Path::new(first["path"].as_str().unwrap());
    let name = made.file_name().unwrap().to_str().unwrap();
    let (stem, _) = name.rsplit_once('.').and_then(|(stem, _)| stem.rsplit_once('.')).unwrap();
    // The newest by its name is another one, so that the first is not looked for.
    std::fs::copy(made, made.with_file_name(format!("{stem}.ffffffffffffffff.db"))).unwrap();
    let again = sandbox.run(&["backup", "--json"]).success().data();
    assert_eq!((&again["path"], &again["already"]), (&first["path"], &serde_json::json!(true)));
}

/// A script takes the path from stdout; an unmounted disk is no reason to write beneath its mount point.
#[test]
fn a_backup_prints_its_path_and_makes_no_directory_unasked() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["backup", "nowhere"]).exits(12).says("--create-dirs");
    assert!(!sandbox.work().join("nowhere").exists());
    let made = sandbox.run(&["backup", "nowhere", "--create-dirs"]).success().says("was copied to");
    assert!(sandbox.work().join(made.line()).is_file(), "{made}");
    let quiet = sandbox.run(&["backup", "nowhere", "-q"]).success();
    assert_eq!((quiet.line(), quiet.stderr.as_str()), (made.line(), ""));
    let new = sandbox.work().join("missing/new.db");
    let new = new.to_str().unwrap();
    sandbox.run(&["--db", new, "init"]).exits(12).says("--create-dirs");
    sandbox.run(&["list", "-o", "missing/out.txt"]).exits(12).says("--create-dirs");
    sandbox.run(&["recover", "--output", new]).exits(12).says("--create-dirs");
    sandbox.run(&["--db", new, "init", "--create-dirs"]).success();
    sandbox.run(&["list", "-o", "absent/out.txt", "--create-dirs"]).success();
    assert!(sandbox.work().join("absent/out.txt").is_file());
}

/// Tasks that were deleted by mistake stay in the last backup that has them, however many come later.
#[test]
fn keep_never_removes_the_last_copy_of_a_row() {
    let sandbox = Sandbox::with_board();
    for title in ["one", "two"] {
        sandbox.run(&["create", title]).success();
    }
    let at = |seconds: i64| {
        let mut command = sandbox.command(&["backup", "bk", "--create-dirs", "--keep", "2", "--json"]);
        command.env("KANBANCTL_NOW", (NOW + seconds).to_string());
        sandbox.finish(command, b"").success().data()
    };
    let first = at(0)["path"].as_str().unwrap().to_owned();
    let connection = rusqlite::Connection::open(sandbox.board()).unwrap();
    connection.execute_batch("DELETE FROM tasks WHERE title = 'one'").unwrap();
    connection.close().unwrap();
    let mut kept = serde_json::Value::Null;
    for step in 1..5 {
        sandbox.run(&["create", &format!("later {step}")]).success();
        kept = at(step * 100);
    }
    assert!(sandbox.work().join(&first).is_file(), "the last copy of a deleted task is gone");
    assert!(kept["kept_for_rows"].to_string().contains(&first), "{kept}");
    let copies = std::fs::read_dir(sandbox.work().join("bk")).unwrap().count();
    assert_eq!(copies, 3, "what holds nothing of its own goes");
}

#[test]
fn retention_keeps_days_and_weeks_and_every_row() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "deleted later"]).success();
    let day = 86_400;
    let backup = |at: i64, rules: &[&str]| {
        let mut command = sandbox.command(&[&["backup", "--json"], rules].concat());
        command.env("KANBANCTL_NOW", at.to_string());
        let made = sandbox.finish(command, b"").success().data();
        // The time of a copy is what the rules look at.
        let path = std::path::PathBuf::from(made["path"].as_str().unwrap());
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(at.try_into().unwrap());
        std::fs::File::open(&path).unwrap().set_modified(time).unwrap();
        (path, made)
    };
    let (first, _) = backup(NOW - 40 * day, &[]);
    let connection = rusqlite::Connection::open(sandbox.board()).unwrap();
    connection.execute_batch("DELETE FROM tasks; DELETE FROM task_events").unwrap();
    connection.close().unwrap();
    for step in 0..60 {
        sandbox.run(&["create", &format!("task {step}")]).success();
        backup(NOW - 30 * day + step * day / 2, &[]);
    }
    sandbox.run(&["create", "last"]).success();
    let (_, made) = backup(NOW + day, &["--keep-last", "2", "--keep-daily", "7", "--keep-weekly", "4"]);
    assert!(first.is_file(), "an accidental deletion survives retention: {made}");
    assert!(made["kept_for_rows"].to_string().contains(first.to_str().unwrap()), "{made}");
    let left = std::fs::read_dir(first.parent().unwrap()).unwrap().count();
    assert!((8..=14).contains(&left), "{left} copies left: {made}");
}

#[test]
fn copies_in_a_named_directory_are_listed_and_removed() {
    let sandbox = Sandbox::with_board();
    std::fs::create_dir(sandbox.work().join("bk")).unwrap();
    for (step, title) in (1..).zip(["one", "two", "three"]) {
        sandbox.run(&["create", title]).success();
        let mut command = sandbox.command(&["backup", "bk"]);
        command.env("KANBANCTL_NOW", (NOW + step).to_string());
        sandbox.finish(command, b"").success();
    }
    let listed = sandbox.run(&["backups", "--dir", "bk", "list", "--json"]).success().data();
    let copies = listed.as_array().unwrap().len();
    assert!(copies >= 2, "{listed}");
    assert_eq!(sandbox.run(&["backups", "list", "--json"]).success().data(), serde_json::json!([]));
    let pruned =
        sandbox.run(&["backups", "--dir", "bk", "prune", "--keep", "1", "--yes", "--json"]).success().data();
    assert_eq!(pruned["removed"].as_array().unwrap().len(), copies - 1, "{pruned}");
    let nothing = sandbox.run(&["backups", "--dir", "bk", "prune", "--keep", "1", "--yes"]).success();
    nothing.says("Nothing to remove. To stay: 1 newest of its kind.");
    sandbox.run(&["backups", "--dir", "gone", "list"]).exits(12).says("there is no directory");
}
