//! What verbs leave behind, by photographs; what they open, by system calls (`KANBANCTL_TEST_TRACES=1`).

use crate::support::Sandbox;
use crate::support::damage::{self, Shape, beside};
use crate::support::sandbox::Output;
use crate::support::strace::{self, Call};

/// Verbs that must leave everything as it was. `ID` is a task, `OUT` a directory of the test's own.
const READING: &[&[&str]] = &[
    &[],
    &["ready"],
    &["ready", "--explain"],
    &["board"],
    &["tree"],
    &["tree", "ID"],
    &["runs", "ID"],
    &["events"],
    &["attachments"],
    &["assignees"],
    &["search", "the"],
    &["diagnostics"],
    &["context", "ID"],
    &["list"],
    &["list", "--json"],
    &["show", "ID"],
    &["stats"],
    &["health"],
    &["health", "--depth", "full"],
    &["health", "--map"],
    &["journal-mode"],
    &["backups", "list"],
    &["recover", "--dry-run"],
    &["boards", "list"],
    &["boards", "show"],
    &["boards", "export", "default", "-"],
    &["backup", "OUT"],
    &["report"],
    &["report", "--output", "OUT/report.html"],
];

/// Verbs that may write to the board.
const WRITING: [&[&str]; 9] = [
    &["init"],
    &["boards", "create", "default"],
    &["create", "one more"],
    &["complete", "ID"],
    &["create", "dry", "--dry-run"],
    &["checkpoint"],
    &["checkpoint", "--mode", "truncate"],
    &["journal-mode", "delete"],
    &["recover", "--output", "OUT/new.db"],
];

/// A board of three tasks, cleanly closed: WAL in its header, nothing beside it.
fn clean_board() -> (Sandbox, String) {
    let sandbox = Sandbox::with_board();
    let id = sandbox.run(&["create", "the first"]).success().line().to_owned();
    for title in ["the second", "the third"] {
        sandbox.run(&["create", title]).success();
    }
    // The stock close checkpoints and takes the sidecars away.
    let plain = rusqlite::Connection::open(sandbox.board()).unwrap();
    plain.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    plain.close().unwrap();
    assert!(!beside(&sandbox.board(), "-wal").exists());
    (sandbox, id)
}

fn words(sandbox: &Sandbox, verb: &[&str], id: &str) -> Vec<String> {
    let out = sandbox.work().join("out");
    std::fs::create_dir_all(&out).unwrap();
    verb.iter().map(|word| word.replace("ID", id).replace("OUT", out.to_str().unwrap())).collect()
}

#[test]
fn reading_verbs_leave_every_byte_time_and_entry() {
    for &verb in READING {
        let (sandbox, id) = clean_board();
        let before = sandbox.photograph();
        let output = sandbox.run(&words(&sandbox, verb, &id));
        assert!(matches!(output.code(), 0 | 3), "{verb:?}\n{output}");
        assert_eq!(sandbox.photograph(), before, "{verb:?}\n{output}");
    }
}

/// Incidents F21, F22: SQLite unlinks the WAL beside an empty file, so nothing may hand it one.
#[test]
fn an_empty_board_beside_a_full_wal_is_left_alone_by_every_verb() {
    let (sandbox, id) = clean_board();
    let holder = rusqlite::Connection::open(sandbox.board()).unwrap();
    holder.execute_batch("PRAGMA wal_autocheckpoint=0; UPDATE tasks SET priority = 9").unwrap();
    let wal = std::fs::read(beside(&sandbox.board(), "-wal")).unwrap();
    holder.close().unwrap();
    for verb in READING.iter().copied().chain(WRITING) {
        let _ = std::fs::remove_file(beside(&sandbox.board(), "-shm"));
        std::fs::write(sandbox.board(), b"").unwrap();
        std::fs::write(beside(&sandbox.board(), "-wal"), &wal).unwrap();
        let before = sandbox.photograph();
        let output = sandbox.run(&words(&sandbox, verb, &id));
        // Recovering from the WAL alone is partial at best; everything else that needs the board says damaged.
        let harmless = matches!(verb.first(), Some(&("boards" | "backups" | "recover" | "report")) | None);
        assert!(harmless || output.code() == 4, "{verb:?}\n{output}");
        assert_eq!(sandbox.photograph(), before, "{verb:?}\n{output}");
    }
}

/// Exit 4 with the reason and the next command from every verb that needs the board, and nothing changed. Rescuing
/// verbs do their work, and leave the board as it was all the same.
#[test]
fn a_damaged_board_stops_every_verb_and_stays_as_it_is() {
    for shape in [Shape::TlsHeader, Shape::FirstPageZero, Shape::SchemaDuplicate] {
        let (sandbox, id) = clean_board();
        let good = sandbox.work().join("good.db");
        damage::board(&good, 40, 4);
        damage::injure(shape, 1, &good, &sandbox.board());
        let before = sandbox.photograph();
        for verb in READING.iter().copied().chain(WRITING) {
            let output = sandbox.run(&words(&sandbox, verb, &id));
            let rescues = matches!(verb.first(), Some(&("boards" | "backups" | "recover" | "report")));
            // A checkpoint of a cleanly closed board, and its journal mode, are told from the header alone.
            let header =
                matches!(verb, ["checkpoint", ..] | ["journal-mode"]) && shape == Shape::SchemaDuplicate;
            // Who cannot see every process is refused before the board is looked at.
            let unproven = output.code() == 12 && output.stderr.contains("cannot be proven");
            assert!(rescues || header || unproven || output.code() == 4, "{shape:?} {verb:?}\n{output}");
            if output.code() == 4 {
                let said = output.stdout.clone() + &output.stderr;
                let next = ["kanbanctl recover", "kanbanctl --board default recover"];
                assert!(next.iter().any(|next| said.contains(next)), "{shape:?} {verb:?}\n{output}");
            }
            if WRITING.contains(&verb) {
                // A handle that may write leaves SQLite's empty log and its index behind; neither holds anything.
                let wal = std::fs::read(beside(&sandbox.board(), "-wal")).unwrap_or_default();
                assert_eq!(wal.len(), 0, "{shape:?} {verb:?}\n{output}");
                let _ = std::fs::remove_file(beside(&sandbox.board(), "-wal"));
                let _ = std::fs::remove_file(beside(&sandbox.board(), "-shm"));
            }
            assert_eq!(sandbox.photograph(), before, "{shape:?} {verb:?}\n{output}");
            let _ = std::fs::remove_dir_all(sandbox.work().join("out"));
        }
    }
}

/// The order of the pool: plain reads first and closed, then one SQLite handle, and nothing beside it.
fn check_order(sandbox: &Sandbox, verb: &[&str], output: &Output, calls: &[Call], reading: bool) {
    let board = sandbox.board().canonicalize().unwrap();
    let mut handle = None;
    let mut plain = Vec::new();
    let mut opened = 0;
    for call in calls {
        match call {
            Call::Open { path, descriptor, flags } if *path == board => {
                assert!(handle.is_none(), "{verb:?} opened the board beside its handle: {flags}\n{output}");
                if Call::is_sqlite(flags) {
                    assert!(
                        plain.is_empty(),
                        "{verb:?} still reads the board's bytes when SQLite opens it\n{output}"
                    );
                    assert!(
                        !reading || !flags.contains("O_RDWR"),
                        "{verb:?} holds it read-write: {flags}\n{output}"
                    );
                    handle = Some(*descriptor);
                    opened += 1;
                } else {
                    plain.push(*descriptor);
                }
            }
            Call::Open { path, flags, .. } if *path == beside(&board, "-wal") => {
                assert!(!reading || !flags.contains("O_RDWR"), "{verb:?} holds the WAL read-write\n{output}");
            }
            Call::Close { descriptor } if handle == Some(*descriptor) => handle = None,
            Call::Close { descriptor } => plain.retain(|open| open != descriptor),
            Call::Unlink { line } => {
                let name = board.to_str().unwrap();
                let allowed = verb.starts_with(&["journal-mode"]) && line.contains("-wal")
                    || line.contains("-journal\"")
                    || verb.starts_with(&["journal-mode"]) && line.contains("-shm");
                assert!(!line.contains(name) || allowed, "{verb:?}: {line}\n{output}");
            }
            Call::Open { .. } => {}
        }
    }
    assert!(opened <= 1, "{verb:?} opened the board through SQLite {opened} times\n{output}");
    // These read bytes only: names, headers, and for recovery the pages themselves; a checkpoint sees in them that
    // nothing waits.
    let bytes = ["boards", "backups", "recover", "checkpoint"];
    let needs = verb != ["journal-mode"] && !verb.first().is_some_and(|first| bytes.contains(first));
    assert!(!needs || opened == 1, "{verb:?} did not open the board through SQLite at all\n{output}");
    assert!(handle.is_none() && plain.is_empty(), "{verb:?} left the board open\n{output}");
}

#[test]
fn every_verb_opens_the_board_once_and_alone() {
    if !strace::wanted() {
        return;
    }
    for (verbs, reading) in [(READING, true), (WRITING.as_slice(), false)] {
        for verb in verbs {
            let (sandbox, id) = clean_board();
            let args = words(&sandbox, verb, &id);
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let (output, calls) = strace::run(&sandbox, &args);
            assert!(matches!(output.code(), 0 | 3), "{verb:?}\n{output}");
            check_order(&sandbox, verb, &output, &calls, reading);
        }
    }
}
