//! Places that are not what they seem: links, pipes, names that climb, directories that anybody may write to. Results keep
//! owner and mode; nothing is followed at a destination and nobody may see more than before.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::support::Sandbox;
use crate::support::pty::Terminal;
use crate::support::rows::{change, create};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn pipe(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn names_of_boards_do_not_climb() {
    let sandbox = Sandbox::with_board();
    let before = sandbox.photograph();
    for name in ["../x", "..", "/etc/passwd", "a/b", "_archived", "x\0y", "a\nb", ".hidden", &"a".repeat(65)]
    {
        if name.contains('\0') {
            continue;
        }
        for verb in ["list", "init", "health"] {
            let refused = sandbox.run(&["--board", name, verb]);
            assert_eq!(refused.code(), 2, "{name:?} {verb}\n{refused}");
        }
        let mut command = sandbox.command(&["list"]);
        command.env("HERMES_KANBAN_BOARD", name);
        let code = sandbox.finish(command, b"").code();
        assert!(matches!(code, 2 | 12), "{name:?}: {code}");
        std::fs::create_dir_all(sandbox.root().join("kanban")).unwrap();
        std::fs::write(sandbox.root().join("kanban/current"), name).unwrap();
        let code = sandbox.run(&["list"]).code();
        assert!(matches!(code, 2 | 12), "{name:?} as the current board: {code}");
        std::fs::remove_dir_all(sandbox.root().join("kanban")).unwrap();
    }
    assert_eq!(sandbox.photograph(), before);
}

/// Whoever opens a pipe waits for its other end; a device does something. Neither is opened.
#[test]
fn pipes_and_devices_in_a_boards_place_are_not_opened() {
    let sandbox = Sandbox::with_board();
    create(&sandbox, &["x"]);
    let names = ["-wal", "-shm", "-journal", ".corrupt.0123456789abcdef.bak", ".init.lock"];
    for name in names {
        let path = PathBuf::from(format!("{}{name}", sandbox.board().display()));
        let _ = std::fs::remove_file(&path);
        pipe(&path);
        for verb in
            [&["list"][..], &["health"], &["create", "y"], &["recover", "--dry-run"], &["backups", "list"]]
        {
            let output = sandbox.run(verb);
            let unused = matches!(name, ".init.lock" | ".corrupt.0123456789abcdef.bak");
            assert!(output.code() == 12 || output.code() == 6 || unused, "{name} {verb:?}\n{output}");
        }
        assert!(path.symlink_metadata().unwrap().file_type().is_fifo());
        std::fs::remove_file(&path).unwrap();
    }
    let (folder, pointer) = (sandbox.root().join("kanban"), sandbox.root().join("kanban/current"));
    std::fs::create_dir_all(&folder).unwrap();
    pipe(&pointer);
    sandbox.run(&["list"]).exits(12);
    std::fs::remove_file(&pointer).unwrap();
    let metadata = folder.join("boards/default");
    std::fs::create_dir_all(&metadata).unwrap();
    pipe(&metadata.join("board.json"));
    let output = sandbox.run(&["create", "z", "--workspace", "worktree"]);
    assert!(matches!(output.code(), 0 | 12), "{output}");
    for path in ["/dev/zero", "/dev/null", "/dev/tty", "/proc/self/mem"] {
        let code = sandbox.run(&["--db", path, "list"]).code();
        assert!(matches!(code, 4 | 10 | 12), "{path}: {code}");
    }
}

#[test]
fn a_board_behind_a_link_is_one_board_and_stays_behind_it() {
    let sandbox = Sandbox::with_board();
    let link = sandbox.work().join("link.db");
    symlink(sandbox.board(), &link).unwrap();
    let link_name = link.to_str().unwrap();
    let id = sandbox.run(&["--db", link_name, "create", "through the link"]).success().line().to_owned();
    sandbox.run(&["show", &id]).success();
    sandbox.run(&["--db", link_name, "complete", &id]).success();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    // What SQLite keeps beside a board lies beside the file, not beside the link.
    assert!(!sandbox.work().join("link.db-wal").exists());
    let loops = sandbox.work().join("loop.db");
    symlink(&loops, &loops).unwrap();
    let output = sandbox.run(&["--db", loops.to_str().unwrap(), "list"]);
    assert!(matches!(output.code(), 1 | 10 | 12) && output.stderr.contains("loop.db"), "{output}");
}

/// A link that waits at a destination, dangling or not, is never written through.
#[test]
fn destinations_are_not_followed() {
    let sandbox = Sandbox::with_board();
    create(&sandbox, &["x"]);
    let (victim, nowhere) = (sandbox.work().join("victim"), sandbox.work().join("nowhere"));
    std::fs::write(&victim, "precious").unwrap();
    for (name, target) in [("to-victim", &victim), ("dangling", &nowhere)] {
        let link = sandbox.work().join(name);
        symlink(target, &link).unwrap();
        let at = link.to_str().unwrap();
        for args in [&["list", "-o", at][..], &["recover", "--output", at], &["--db", at, "init"]] {
            let output = sandbox.run(args);
            assert!(matches!(output.code(), 4 | 10 | 12), "{args:?}\n{output}");
        }
        assert!(link.symlink_metadata().unwrap().is_symlink());
    }
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
    assert!(!nowhere.exists());
    // The lock files of Hermes are empty and stay so; a link in their place would have one made anywhere.
    let lock = PathBuf::from(format!("{}.init.lock", sandbox.board().display()));
    let _ = std::fs::remove_file(&lock);
    symlink(&nowhere, &lock).unwrap();
    let waiver = if rustix::process::geteuid().is_root() { &[][..] } else { &["--assume-unused"] };
    sandbox.run(&[&["journal-mode", "delete"][..], waiver].concat()).exits(12);
    assert!(!nowhere.exists());
}

#[test]
fn results_are_no_more_open_than_their_board() {
    let sandbox = Sandbox::with_board();
    create(&sandbox, &["secret"]);
    set_mode(&sandbox.board(), 0o600);
    let out = sandbox.work().join("saved");
    std::fs::create_dir(&out).unwrap();
    sandbox.run(&["backup", out.to_str().unwrap()]).success();
    sandbox.run(&["recover", "--output", "new.db"]).success();
    let saved = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
    for path in saved.chain([sandbox.work().join("new.db")]) {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    set_mode(&sandbox.board(), 0o640);
    sandbox.run(&["recover", "--output", "wider.db"]).success();
    assert_eq!(mode(&sandbox.work().join("wider.db")), 0o640);
    // Sidecars that SQLite makes follow the board's mode, whatever the umask. The old ones go with a plain close.
    change(&sandbox, "PRAGMA wal_checkpoint(TRUNCATE)");
    sandbox.run(&["create", "y"]).success();
    let wal = PathBuf::from(format!("{}-wal", sandbox.board().display()));
    assert_eq!(mode(&wal), 0o640);
}

/// Root works on somebody's board: what comes of it belongs to them, or to nobody else.
#[test]
fn results_belong_to_the_boards_owner() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::with_board();
    create(&sandbox, &["x"]);
    let owner = (Some(rustix::fs::Uid::from_raw(65534)), Some(rustix::fs::Gid::from_raw(65534)));
    rustix::fs::chown(sandbox.board(), owner.0, owner.1).unwrap();
    set_mode(&sandbox.board(), 0o660);
    let out = sandbox.work().join("saved");
    std::fs::create_dir(&out).unwrap();
    sandbox.run(&["backup", out.to_str().unwrap()]).success();
    sandbox.run(&["recover", "--output", "new.db"]).success();
    let saved = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
    for path in saved.chain([sandbox.work().join("new.db")]) {
        let meta = path.metadata().unwrap();
        let same = (meta.uid(), meta.gid()) == (65534, 65534);
        assert!(same || mode(&path).trailing_zeros() >= 6, "{} is {meta:?}", path.display());
    }
}

/// In a directory where anybody can put files, a name of ours that is taken already neither stops nor misleads.
#[test]
fn a_scratch_place_that_others_write_to_is_no_trap() {
    let sandbox = Sandbox::with_board();
    create(&sandbox, &["x"]);
    let shared = sandbox.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    set_mode(&shared, 0o1777);
    std::fs::write(shared.join("list"), "old").unwrap();
    set_mode(&shared.join("list"), 0o600);
    let out = shared.join("list");
    sandbox.run(&["list", "-o", out.to_str().unwrap()]).success();
    assert_eq!(mode(&out), 0o600);
    assert_eq!(std::fs::read_dir(&shared).unwrap().count(), 1);
}

#[test]
fn paths_are_shown_escaped() {
    let sandbox = Sandbox::new();
    let folder = sandbox.work().join("a\u{1b}[2Jb\nerror: forged\u{202e}");
    std::fs::create_dir(&folder).unwrap();
    let board = folder.join("kanban.db");
    let board = board.to_str().unwrap();
    let harmless = |text: &str| {
        assert!(!text.lines().any(|line| line.starts_with("error: forged")), "{text:?}");
        let text = text.replace("\r\n", "\n");
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    };
    for verb in [
        &["init"][..],
        &["health"],
        &["list"],
        &["journal-mode"],
        &["backups", "list"],
        &["show", "t_1"],
        &[],
    ] {
        let args = [&["--color", "never", "--db", board, "-v"][..], verb].concat();
        let (text, _) = Terminal::start(&sandbox, &args, 200).finish();
        harmless(&text);
    }
    for format in ["nagios", "prom"] {
        let output = sandbox.run(&["--db", board, "health", "--format", format]);
        assert!(!output.stdout.lines().any(|line| line.starts_with("error: forged")), "{output}");
    }
}

#[test]
fn a_destination_without_its_directory_is_refused_and_named() {
    let sandbox = Sandbox::with_board();
    create(&sandbox, &["x"]);
    std::fs::write(sandbox.work().join("file"), b"").unwrap();
    let before = sandbox.photograph();
    for (args, place) in [
        (&["recover", "--output", "nowhere/x.db"][..], "nowhere"),
        (&["recover", "--output", "nowhere/x.db", "-n"], "nowhere"),
        (&["recover", "--output", "file/x.db"], "file"),
        (&["backup", "file/saved"], "file/saved"),
        (&["man", "file/man"], "file/man"),
        (&["list", "-o", "nowhere/list"], "nowhere"),
        (&["stress", "--dir", "nowhere"], "nowhere"),
    ] {
        sandbox.run(args).exits(12).says(place);
    }
    assert_eq!(sandbox.photograph(), before);
    let left: Vec<_> = std::fs::read_dir(sandbox.work()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// What was typed is not there, and nobody is asked about replacing the board.
#[test]
fn a_source_that_is_not_there_is_named_before_anything_is_asked() {
    let sandbox = Sandbox::with_board();
    std::fs::write(sandbox.work().join("file"), b"").unwrap();
    for source in ["nowhere.db", "nowhere/x.db", "file/x.db"] {
        for args in
            [&["recover", source][..], &["recover", source, "-n"], &["recover", source, "--output", "new.db"]]
        {
            let output = sandbox.run(args).exits(10).says(source);
            assert!(!output.stderr.contains("--yes"), "{output}");
        }
    }
    sandbox.run(&["--db", "file/kanban.db", "list"]).exits(10).says("chosen by --db");
}

/// A circle leads to no file, as a link to nowhere does.
#[test]
fn links_that_go_in_a_circle_are_no_board() {
    let sandbox = Sandbox::new();
    let [one, other] = ["one.db", "other.db"].map(|name| sandbox.work().join(name));
    symlink(&one, &other).unwrap();
    symlink(&other, &one).unwrap();
    for verb in [&["list"][..], &["create", "x"], &["init"], &["recover", "--dry-run"], &["checkpoint"]] {
        let output = sandbox.run(&[&["--db", "one.db"][..], verb].concat()).exits(10).says("go in a circle");
        assert!(output.stderr.contains("hint: Repair the link"), "{output}");
    }
}
