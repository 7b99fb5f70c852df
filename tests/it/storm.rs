//! Many copies beside a board: found, grouped, one bad one not hiding the others.

use std::path::PathBuf;

use crate::support::damage;
use crate::support::process::Holder;
use crate::support::pty::Terminal;
use crate::support::sandbox::{KANBANCTL, Output, Sandbox};
use crate::support::strace;

/// The name of a copy that Hermes put aside.
fn copy(sandbox: &Sandbox, mark: &str) -> PathBuf {
    damage::beside(&sandbox.board(), &format!(".corrupt.{mark}.bak"))
}

#[test]
fn thousands_of_copies_are_a_few_contents() {
    let sandbox = Sandbox::with_board();
    let bytes = std::fs::read(sandbox.board()).unwrap();
    for number in 1..=2_000_u32 {
        let path = copy(&sandbox, &format!("20260501_101010.{number}"));
        // Equal lengths: only reading tells them apart.
        let mut bytes = bytes[..1024].to_vec();
        bytes[1000] = u8::try_from(number % 5).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let before = sandbox.photograph();
    let data = sandbox.run(&["backups", "list", "--json"]).success().data();
    let copies: Vec<u64> =
        data.as_array().unwrap().iter().map(|content| content["copies"].as_u64().unwrap()).collect();
    assert_eq!(copies, [400; 5]);
    let recovered = sandbox.run(&["recover", "--dry-run", "--json"]).success().data();
    assert_eq!(recovered["sources"].as_array().unwrap().len(), 6);
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn a_copy_that_cannot_be_read_is_named_and_hides_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 20, 1);
    // Of one length, so that both have to be read.
    let bytes = std::fs::read(sandbox.board()).unwrap();
    std::fs::write(copy(&sandbox, "20260501_101010"), &bytes).unwrap();
    let locked = copy(&sandbox, "20260501_101011");
    std::fs::write(&locked, &bytes).unwrap();
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::File::open(&locked).is_ok() {
        // Root reads everything; nothing to see for it here.
        return;
    }
    // Of a length that no other has, so that nothing would have to be read for telling it apart.
    let odd = copy(&sandbox, "20260501_101012");
    std::fs::write(&odd, b"odd").unwrap();
    std::fs::set_permissions(&odd, PermissionsExt::from_mode(0o000)).unwrap();
    let listed = sandbox.run(&["backups", "list", "--json"]).exits(5).says("20260501_101011");
    assert_eq!(listed.data().as_array().unwrap().len(), 1);
    let recovered =
        sandbox.run(&["recover", "--dry-run", "--json"]).exits(5).says("could not be read").data();
    assert_eq!(recovered["tables"]["tasks"]["recovered"], 20);
    let mut unread: Vec<&str> = recovered["unread_sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["path"].as_str().unwrap())
        .collect();
    unread.sort_unstable();
    assert_eq!(unread, [locked.to_str().unwrap(), odd.to_str().unwrap()]);
}

#[test]
fn a_log_that_lost_its_copy_is_still_a_source() {
    let sandbox = Sandbox::new();
    let whole = sandbox.work().join("whole.db");
    damage::board(&whole, 30, 1);
    damage::injure(damage::Shape::WalPending, 1, &whole, &sandbox.board());
    let log = damage::beside(&sandbox.board(), "-wal");
    std::fs::rename(&log, damage::beside(&copy(&sandbox, "20260501_101010"), "-wal")).unwrap();
    let listed = sandbox.run(&["backups", "list", "--json"]).success().data();
    assert_eq!(listed[0]["copies"], 1);
    assert_eq!(listed[0]["bytes"], listed[0]["wal_bytes"]);
    let id = listed[0]["id"].as_str().unwrap();
    let shown = sandbox.run(&["backups", "show", id, "--json"]).success().data();
    assert!(shown["rows"]["task_events"].as_u64().unwrap() > 0, "{shown}");
}

#[test]
fn our_own_backups_are_sources_too() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 20, 1);
    sandbox.run(&["backup"]).success();
    let bytes = std::fs::read(sandbox.board()).unwrap();
    std::fs::write(sandbox.board(), vec![0; bytes.len()]).unwrap();
    let data = sandbox.run(&["recover", "--dry-run", "--json"]).success().data();
    assert_eq!(data["tables"]["tasks"]["recovered"], 20);
    assert!(data["sources"].as_array().unwrap().iter().any(|source| source["kind"] == "own"), "{data}");
}

/// A storm over a board that goes on: each copy is a later state, written a minute after the one before. Gives their paths,
/// the oldest first.
fn storm(sandbox: &Sandbox, states: u32, equal: u32) -> Vec<PathBuf> {
    damage::board(&sandbox.board(), 12, 1);
    let connection = rusqlite::Connection::open(sandbox.board()).unwrap();
    connection.execute_batch("PRAGMA journal_mode=DELETE; PRAGMA synchronous=OFF").unwrap();
    let mut paths = Vec::new();
    for state in 0..states {
        connection
            .execute(
                "INSERT INTO task_events(task_id, kind, created_at) SELECT id, 'heartbeat', ?1 FROM tasks LIMIT 1",
                [1_790_000_000 + state],
            )
            .unwrap();
        let bytes = std::fs::read(sandbox.board()).unwrap();
        for number in 0..equal {
            let minute = state * equal + number;
            let path = copy(sandbox, &format!("20260501_{:02}{:02}00", minute / 60, minute % 60));
            std::fs::write(&path, &bytes).unwrap();
            let time = std::time::UNIX_EPOCH
                + std::time::Duration::from_secs(1_777_600_000 + u64::from(minute) * 60);
            std::fs::File::open(&path).unwrap().set_modified(time).unwrap();
            paths.push(path);
        }
    }
    paths
}

/// Those of `paths` that are there.
fn there(paths: &[PathBuf]) -> Vec<usize> {
    (0..paths.len()).filter(|&number| paths[number].exists()).collect()
}

#[test]
fn a_storm_shrinks_to_its_first_and_last_copy() {
    let sandbox = Sandbox::new();
    let paths = storm(&sandbox, 20, 3);
    let before = sandbox.photograph();
    let rehearsed = sandbox.run(&["backups", "prune", "--keep", "1", "-n", "--json"]).success().data();
    assert_eq!(rehearsed["removed"].as_array().unwrap().len(), 58);
    assert_eq!(rehearsed["lost"], serde_json::json!({}));
    sandbox.run(&["backups", "prune", "--keep", "1"]).exits(12).says("--yes");
    assert_eq!(sandbox.photograph(), before);
    let pruned = sandbox.run(&["backups", "prune", "--keep", "1", "--yes", "--json"]).success().data();
    assert_eq!(pruned["removed"], rehearsed["removed"]);
    assert_eq!(pruned["freed_bytes"], rehearsed["freed_bytes"]);
    // Of equal copies the newest stays, also of the oldest content of the incident.
    assert_eq!(there(&paths), [2, 59]);
    let again = sandbox.run(&["backups", "prune", "--keep", "1", "--yes"]).success();
    again.says("Nothing to remove. To stay: 1 newest of its kind, 1 oldest of an incident.");
}

#[test]
fn without_a_rule_only_equal_copies_go() {
    let sandbox = Sandbox::new();
    let paths = storm(&sandbox, 3, 4);
    let output = sandbox.run(&["backups", "prune", "--yes"]).success();
    output.says("9 copies were removed");
    assert_eq!(there(&paths), [3, 7, 11]);
    sandbox.run(&["backups", "prune", "--yes", "-q"]).success();
    assert_eq!(there(&paths).len(), 3);
}

#[test]
fn a_copy_that_alone_holds_a_row_version_stays_unless_it_is_given_up() {
    let sandbox = Sandbox::new();
    let paths = storm(&sandbox, 9, 1);
    // The states in the middle of the storm were of a task that went again.
    let hurt = rusqlite::Connection::open(&paths[4]).unwrap();
    hurt.execute_batch(
        "INSERT INTO tasks(id, title, status, created_at) VALUES ('t_0000beef', 'only here', 'ready', 1780000000)",
    )
    .unwrap();
    hurt.close().unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_777_600_240);
    std::fs::File::open(&paths[4]).unwrap().set_modified(time).unwrap();
    let kept = sandbox.run(&["backups", "prune", "--keep", "1", "--yes", "--json"]).success().data();
    assert_eq!(there(&paths), [0, 4, 8]);
    let stays = kept["kept"].as_array().unwrap().iter().find(|one| one["reason"] == "holds-rows").unwrap();
    assert_eq!(stays["only_here"], 1, "{kept}");
    let diff = sandbox.run(&["backups", "diff", stays["id"].as_str().unwrap(), "--json"]).success().data();
    assert_eq!(diff["totals"]["only_in_copy"], 1);
    assert_eq!(diff["tasks"][0]["id"], "t_0000beef");
    assert_eq!(diff["tasks"][0]["title"], "only here");
    let forced = ["backups", "prune", "--keep", "1", "--force-lossy", "--yes", "--json"];
    let lost = sandbox.run(&forced).success().says("gone for good").data();
    assert_eq!(lost["lost"]["tasks"], serde_json::json!({"versions": 1, "rows": 1}));
    assert_eq!(there(&paths), [0, 8]);
}

#[test]
fn rows_that_the_board_has_lost_keep_their_copies() {
    let sandbox = Sandbox::new();
    let paths = storm(&sandbox, 6, 1);
    // Every later copy and the board have lost the pages of the tasks' texts.
    let bytes = std::fs::read(&paths[2]).unwrap();
    for path in paths[3..].iter().chain([&sandbox.board()]) {
        let mut bytes = std::fs::read(path).unwrap();
        for page in bytes.chunks_exact_mut(damage::PAGE).skip(1) {
            page.fill(0);
        }
        std::fs::write(path, bytes).unwrap();
    }
    sandbox.run(&["backups", "prune", "--keep", "1", "--older-than", "0s", "--yes"]).success();
    assert!(paths[2].exists());
    assert_eq!(std::fs::read(&paths[2]).unwrap(), bytes);
    let data = sandbox.run(&["recover", "--dry-run", "--json"]).data();
    assert_eq!(data["tables"]["tasks"]["recovered"], 12, "{data}");
}

#[test]
fn sidecars_go_with_their_copy_and_other_files_stay() {
    let sandbox = Sandbox::new();
    let paths = storm(&sandbox, 4, 1);
    for suffix in ["-wal", "-shm"] {
        std::fs::write(damage::beside(&paths[1], suffix), b"").unwrap();
    }
    let others = [".recovered", ".corrupt.notes", ".corrupt.20260501_000100.bak.gz", ".evidence"]
        .map(|suffix| damage::beside(&sandbox.board(), suffix));
    for other in &others {
        std::fs::write(other, b"mine").unwrap();
    }
    let target = sandbox.work().join("elsewhere.bak");
    std::fs::rename(&paths[2], &target).unwrap();
    std::os::unix::fs::symlink(&target, &paths[2]).unwrap();
    sandbox.run(&["backups", "prune", "--keep", "1", "--yes"]).success();
    assert_eq!(there(&paths), [0, 2, 3]);
    assert!(target.exists() && others.iter().all(|other| other.exists()));
    assert!(!damage::beside(&paths[1], "-shm").exists() && !damage::beside(&paths[1], "-wal").exists());
}

#[test]
fn a_copy_that_is_open_elsewhere_is_not_removed() {
    let sandbox = Sandbox::new();
    let paths = storm(&sandbox, 4, 1);
    let holder = Holder::on(&paths[1]);
    let before = there(&paths);
    let pid = holder.pid().to_string();
    sandbox.run(&["backups", "prune", "--keep", "1", "--yes"]).exits(12).says(&pid);
    assert_eq!(there(&paths), before);
    drop(holder);
    sandbox.run(&["backups", "prune", "--keep", "1", "--yes"]).success();
    assert_eq!(there(&paths), [0, 3]);
}

#[test]
fn a_person_who_says_no_keeps_everything() {
    let sandbox = Sandbox::new();
    let paths = storm(&sandbox, 4, 1);
    let mut terminal = Terminal::start(&sandbox, &["backups", "prune", "--keep", "1"], 100);
    terminal.expect("for good?");
    terminal.type_text("n");
    let (_, code) = terminal.finish();
    assert_eq!((code, there(&paths).len()), (12, 4));
    let mut terminal = Terminal::start(&sandbox, &["backups", "prune", "--keep", "1"], 100);
    terminal.expect("for good?");
    terminal.type_text("y");
    let (seen, code) = terminal.finish();
    assert_eq!((code, there(&paths)), (0, vec![0, 3]), "{seen}");
}

#[test]
fn our_own_backups_are_thinned_out_like_hermes_copies() {
    let sandbox = Sandbox::with_board();
    for moment in 1..=4 {
        let mut command = sandbox.command(&["create", "one more"]);
        command.env("KANBANCTL_NOW", (1_780_000_000 + moment * 100).to_string());
        sandbox.finish(command, b"").success();
        let mut command = sandbox.command(&["backup"]);
        command.env("KANBANCTL_NOW", (1_780_000_000 + moment * 100).to_string());
        sandbox.finish(command, b"").success();
    }
    let pruned = sandbox.run(&["backups", "prune", "--keep", "2", "--yes", "--json"]).success().data();
    assert_eq!(pruned["removed"].as_array().unwrap().len(), 2, "{pruned}");
    let listed = sandbox.run(&["backups", "list", "--json"]).success().data();
    assert!(listed.as_array().unwrap().iter().all(|one| one["kind"] == "backup"));
    assert_eq!(listed.as_array().unwrap().len(), 2);
}

#[test]
fn a_diff_says_task_by_task_which_side_knows_more() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 12, 1);
    let path = copy(&sandbox, "20260501_000000");
    std::fs::copy(sandbox.board(), &path).unwrap();
    let change = |file: &std::path::Path, sql: &str| {
        let connection = rusqlite::Connection::open(file).unwrap();
        connection.execute_batch("PRAGMA journal_mode=DELETE").unwrap();
        connection.execute_batch(sql).unwrap();
    };
    change(
        &sandbox.board(),
        "UPDATE tasks SET status='done', completed_at=1799999999 WHERE rowid=1; \
         INSERT INTO tasks(id,title,status,created_at) VALUES('t_0000aaaa','new on the board','todo',1790000000); \
         DELETE FROM tasks WHERE rowid=3; UPDATE tasks SET title='retitled' WHERE rowid=4",
    );
    change(
        &path,
        "INSERT INTO task_comments(task_id,author,body,created_at) SELECT id,'alice','hi',1799999998 FROM tasks \
         WHERE rowid=2",
    );
    let name = path.file_name().unwrap().to_str().unwrap();
    let data = sandbox.run(&["backups", "diff", name, "--json"]).success().data();
    let id = |rowid: u32| -> String {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.query_row("SELECT id FROM tasks WHERE rowid=?1", [rowid], |row| row.get(0)).unwrap()
    };
    let task =
        |id: &str| data["tasks"].as_array().unwrap().iter().find(|task| task["id"] == id).unwrap().clone();
    let done = task(&id(1));
    assert_eq!((&done["state"], &done["newer"]), (&"differs".into(), &"board".into()), "{done}");
    assert_eq!(done["board_status"], "done");
    assert!(done["columns"].as_array().unwrap().contains(&"completed_at".into()), "{done}");
    let commented = task(&id(2));
    assert_eq!(commented["newer"], "copy");
    assert_eq!(commented["rows"]["task_comments"]["only_in_copy"], 1);
    assert_eq!(task(&id(4))["newer"], "unknown");
    assert_eq!(task(&id(4))["columns"], serde_json::json!(["title"]));
    assert_eq!(task(&id(3))["state"], "only-in-copy");
    assert_eq!(task("t_0000aaaa")["state"], "only-on-board");
    assert_eq!(data["equal"], false);
    let short = sandbox.run(&["backups", "diff", name, "--limit", "1", "--json"]).success().data();
    assert_eq!(short["tasks"].as_array().unwrap().len(), 1);
    assert_eq!(short["omitted"].as_u64().unwrap() + 1, data["tasks"].as_array().unwrap().len() as u64);
    assert_eq!(short["totals"], data["totals"]);
    sandbox.run(&["backups", "diff", "ffffffffff"]).exits(13);
    std::fs::copy(&path, sandbox.board()).unwrap();
    let equal = sandbox.run(&["backups", "diff", name, "--json"]).success().data();
    assert_eq!(equal["equal"], true, "{equal}");
}

#[test]
fn a_crash_leaves_no_copy_without_its_log() {
    if !strace::wanted() {
        return;
    }
    for call in 1..=3 {
        let sandbox = Sandbox::new();
        let paths = storm(&sandbox, 3, 1);
        for suffix in ["-wal", "-shm"] {
            std::fs::write(damage::beside(&paths[1], suffix), b"not empty").unwrap();
        }
        assert_ne!(pruned_with(&sandbox, &format!("signal=KILL:when={call}")).code(), 0);
        assert!(!paths[1].exists() || damage::beside(&paths[1], "-wal").exists(), "killed at call {call}");
        sandbox.run(&["recover", "--dry-run"]).success();
        sandbox.run(&["backups", "prune", "--keep", "1", "--yes"]).success();
        assert_eq!(there(&paths), [0, 2]);
        assert!(["-wal", "-shm"].iter().all(|suffix| !damage::beside(&paths[1], suffix).exists()), "{call}");
    }
}

/// `backups prune --keep 1 --yes` with something done to it at a call of unlinkat.
fn pruned_with(sandbox: &Sandbox, inject: &str) -> Output {
    let mut command = sandbox.program("strace");
    let inject = format!("inject=unlinkat:{inject}");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=unlinkat", "-e", &inject]);
    command.args([KANBANCTL, "backups", "prune", "--keep", "1", "--yes"]);
    sandbox.finish(command, b"")
}

#[test]
fn a_prune_that_is_stopped_says_how_far_it_came() {
    if !strace::wanted() {
        return;
    }
    let sandbox = Sandbox::new();
    let paths = storm(&sandbox, 9, 1);
    pruned_with(&sandbox, "signal=TERM:when=3").exits(143).says("3 copies are removed");
    assert_eq!(there(&paths), [0, 4, 5, 6, 7, 8]);
    pruned_with(&sandbox, "error=EACCES:when=2").exits(12).says("One copy is removed");
    assert_eq!(there(&paths), [0, 5, 6, 7, 8]);
    pruned_with(&sandbox, "error=EIO:when=1").exits(1).says(paths[5].to_str().unwrap());
    assert_eq!(there(&paths), [0, 5, 6, 7, 8]);
    pruned_with(&sandbox, "error=ENOENT:when=1").success();
    assert_eq!(there(&paths), [0, 5, 8], "what somebody else removed is no error");
}

#[test]
fn copies_that_help_to_recover_a_damaged_board_stay() {
    let sandbox = Sandbox::new();
    let whole = sandbox.work().join("whole.db");
    damage::board(&whole, 12, 1);
    let connection = rusqlite::Connection::open(&whole).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode=DELETE; INSERT INTO tasks(id, title, body, status, created_at) \
             VALUES ('t_0000beef', 'look for this title', '{}', 'todo', 1780000000)",
            "long ".repeat(4_000)
        ))
        .unwrap();
    connection.close().unwrap();
    let bytes = std::fs::read(&whole).unwrap();
    let holds = |page: &&[u8], text: &[u8]| page.windows(text.len()).any(|window| window == text);
    let pages = || bytes.chunks_exact(damage::PAGE);
    let title = b"look for this title";
    // The row's cell is here, and a page of its text; each is lost where the other is left.
    let leaf = pages().position(|page| holds(&page, title)).unwrap();
    let chain = pages().position(|page| holds(&page, &b"long ".repeat(100)) && !holds(&page, title)).unwrap();
    let without = |page: usize, number: u8| {
        let mut bytes = bytes.clone();
        bytes[page * damage::PAGE..(page + 1) * damage::PAGE].fill(0);
        bytes[63] = number;
        bytes
    };
    for (minute, page) in [(0, chain), (1, leaf), (2, chain)] {
        let path = copy(&sandbox, &format!("20260501_000{minute}00"));
        std::fs::write(&path, without(page, minute)).unwrap();
        let time =
            std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_777_600_000 + u64::from(minute) * 60);
        std::fs::File::open(&path).unwrap().set_modified(time).unwrap();
    }
    std::fs::write(sandbox.board(), without(chain, 9)).unwrap();
    let recovered =
        || sandbox.run(&["recover", "--dry-run", "--json"]).data()["tables"]["tasks"]["recovered"].clone();
    assert_eq!(recovered(), 13);
    let before = sandbox.photograph();
    for rehearsal in [&[][..], &["-n"]] {
        let args = [&["backups", "prune", "--keep", "1", "--yes"], rehearsal].concat();
        sandbox.run(&args).exits(12).says("kanbanctl recover");
    }
    assert_eq!(sandbox.photograph(), before);
    std::fs::write(sandbox.board(), &bytes).unwrap();
    sandbox.run(&["backups", "prune", "--keep", "1", "--yes"]).success();
    assert!(!copy(&sandbox, "20260501_000100").exists());
    assert_eq!(recovered(), 13);
}
