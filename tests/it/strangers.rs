//! Directories of other users: what they plant there is not read, and nothing of ours is led elsewhere.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use crate::support::damage::{self, beside};
use crate::support::sandbox::Sandbox;
use crate::support::strace;

/// The owner of the board, and somebody else.
const OWNER: u32 = 65_534;
const STRANGER: u32 = 65_533;

/// A board of another user, seen by root; nothing, and a loud line, for anybody else.
fn of_another_user() -> Option<Sandbox> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("!!!! SKIPPED: needs root, to be two users");
        return None;
    }
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 20, 3);
    chown(sandbox.root(), Some(OWNER), Some(OWNER)).unwrap();
    chown(sandbox.board(), Some(OWNER), Some(OWNER)).unwrap();
    Some(sandbox)
}

fn plant(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    chown(path, Some(STRANGER), Some(STRANGER)).unwrap();
}

#[test]
fn sidecar_that_is_a_link_or_a_strangers_is_refused_by_every_verb() {
    for suffix in ["-wal", "-journal"] {
        for is_link in [true, false] {
            let Some(sandbox) = of_another_user() else { return };
            let path = beside(&sandbox.board(), suffix);
            if is_link {
                std::fs::write(sandbox.work().join("secret"), b"secret").unwrap();
                symlink(sandbox.work().join("secret"), &path).unwrap();
            } else {
                plant(&path, b"planted");
            }
            let before = sandbox.photograph();
            for args in [&["list"][..], &["create", "x"], &["checkpoint"], &["recover", "--yes"], &["repair"]]
            {
                let output = sandbox.run(args).exits(12);
                assert!(output.stderr.contains(&format!("kanban.db{suffix}")), "{output}");
            }
            assert_eq!(sandbox.photograph(), before);
        }
    }
}

#[test]
fn copy_of_a_stranger_is_named_and_not_read() {
    let Some(sandbox) = of_another_user() else { return };
    let other = sandbox.work().join("other.db");
    damage::board(&other, 30, 9);
    let copy = damage::quarantine(&std::fs::read(&other).unwrap(), &sandbox.board());
    chown(&copy, Some(STRANGER), Some(STRANGER)).unwrap();
    let new = sandbox.work().join("new.db");
    let data = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]).exits(5).data();
    assert_eq!(data["sources"].as_array().unwrap().len(), 1, "{data:#}");
    assert!(
        data["unread_sources"][0]["reason"].as_str().unwrap().contains("belongs to user 65533"),
        "{data:#}"
    );
}

/// A copy that was put aside is the owner's; the journal or the log beside it is not.
#[test]
fn put_aside_copy_with_a_strangers_sidecar_is_not_read() {
    for sidecar in ["kanban.db.old", "kanban.db.old-wal", "kanban.db-wal.old", "kanban.db.old-journal"] {
        let Some(sandbox) = of_another_user() else { return };
        let copy = beside(&sandbox.board(), ".old");
        damage::board(&copy, 30, 9);
        chown(&copy, Some(OWNER), Some(OWNER)).unwrap();
        let planted = sandbox.root().join(sidecar);
        plant(&planted, &std::fs::read(&planted).unwrap_or_else(|_| b"planted".to_vec()));
        let new = sandbox.work().join("new.db");
        let data = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]).exits(5).data();
        assert_eq!(data["sources"].as_array().unwrap().len(), 1, "{sidecar}: {data:#}");
        let reason = data["unread_sources"][0]["reason"].as_str().unwrap();
        assert!(reason.contains("belongs to user 65533"), "{sidecar}: {reason}");
    }
}

#[test]
fn planted_backup_folder_takes_no_backup() {
    let Some(sandbox) = of_another_user() else { return };
    let folder = beside(&sandbox.board(), ".backups");
    let elsewhere = sandbox.work().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, &folder).unwrap();
    sandbox.run(&["backup"]).exits(12);
    std::fs::remove_file(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    chown(&folder, Some(STRANGER), Some(STRANGER)).unwrap();
    sandbox.run(&["backup"]).exits(12);
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn planted_evidence_is_not_put_back() {
    let Some(sandbox) = of_another_user() else { return };
    let mut bytes = std::fs::read(sandbox.board()).unwrap();
    bytes[..100].fill(0);
    std::fs::write(sandbox.board(), bytes).unwrap();
    sandbox.run(&["recover", "--yes"]);
    let folders = || {
        let entries = std::fs::read_dir(sandbox.root()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.display().to_string().contains(".evidence.")).collect::<Vec<_>>()
    };
    assert!(!folders().is_empty(), "nothing was installed");
    for folder in folders() {
        chown(&folder, Some(STRANGER), Some(STRANGER)).unwrap();
    }
    let before = std::fs::read(sandbox.board()).unwrap();
    sandbox.run(&["recover", "--undo", "--yes"]).exits(12);
    assert!(std::fs::read(sandbox.board()).unwrap() == before);
}

#[test]
fn lock_files_and_evidence_belong_to_the_boards_owner() {
    let Some(sandbox) = of_another_user() else { return };
    sandbox.run(&["journal-mode", "delete"]).success();
    let mut bytes = std::fs::read(sandbox.board()).unwrap();
    bytes[..100].fill(0);
    std::fs::write(sandbox.board(), bytes).unwrap();
    let code = sandbox.run(&["recover", "--yes"]).code();
    assert!([0, 5].contains(&code));
    let mut seen = 0;
    let mut look = |path: &Path| {
        let meta = std::fs::symlink_metadata(path).unwrap();
        assert_eq!(meta.uid(), OWNER, "{}", path.display());
        seen += 1;
    };
    for entry in std::fs::read_dir(sandbox.root()).unwrap() {
        let path = entry.unwrap().path();
        look(&path);
        if path.is_dir() {
            for inner in std::fs::read_dir(&path).unwrap() {
                look(&inner.unwrap().path());
            }
        }
    }
    assert!(seen > 4, "{seen}");
}

/// An access control list with a right for the stranger, as the kernel keeps it.
fn list_for_stranger(path: &Path) -> bool {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, id) in [
        (1_u16, 6_u16, u32::MAX),
        (2, 6, STRANGER),
        (4, 0, u32::MAX),
        (0x10, 6, u32::MAX),
        (0x20, 0, u32::MAX),
    ] {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(rights.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    let done = rustix::fs::setxattr(path, "system.posix_acl_access", &bytes, rustix::fs::XattrFlags::empty());
    if done.is_err() {
        eprintln!("!!!! SKIPPED: the filesystem of {} keeps no access control lists", path.display());
    }
    done.is_ok()
}

#[test]
fn results_are_no_wider_than_a_board_with_an_access_control_list() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 20, 3);
    std::fs::set_permissions(sandbox.board(), std::fs::Permissions::from_mode(0o600)).unwrap();
    if !list_for_stranger(&sandbox.board()) {
        return;
    }
    let new = sandbox.work().join("new.db");
    sandbox.run(&["recover", "--output", new.to_str().unwrap()]).success();
    sandbox.run(&["backup", "--create-dirs"]).success();
    let folder = beside(&sandbox.board(), ".backups");
    let copies = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for path in copies.chain([new]) {
        let mode = std::fs::metadata(&path).unwrap().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
    }
}

/// The folder is exchanged for a link between the call that makes it and the call that opens it.
#[test]
fn evidence_folder_that_is_exchanged_leads_nowhere() {
    if !strace::wanted() {
        return;
    }
    let Some(sandbox) = of_another_user() else { return };
    let mut bytes = std::fs::read(sandbox.board()).unwrap();
    bytes[..100].fill(0);
    std::fs::write(sandbox.board(), bytes).unwrap();
    let elsewhere = sandbox.work().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let mut command = sandbox.program("strace");
    command
        .args([
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=openat2",
            "-e",
            "inject=openat2:delay_enter=400000",
        ])
        .arg(crate::support::sandbox::KANBANCTL)
        .args(["recover", "--yes"]);
    let root = sandbox.root();
    let swapped = std::thread::scope(|scope| {
        let running = scope.spawn(|| sandbox.finish(command, b""));
        let mut swapped = false;
        while !running.is_finished() {
            for entry in std::fs::read_dir(&root).unwrap().flatten() {
                let path = entry.path();
                let is_draft = path.display().to_string().contains(".evidence");
                if is_draft && path.is_dir() && !path.is_symlink() && !swapped {
                    std::fs::rename(&path, root.join("moved")).unwrap();
                    symlink(&elsewhere, &path).unwrap();
                    swapped = true;
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let output = running.join().unwrap();
        assert_ne!(output.code(), 0, "{output}");
        swapped
    });
    assert!(swapped, "the race was not won");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
}

/// A private board's rows stay private: also in a file of `-o`, and while it is written.
#[test]
fn output_of_a_private_board_is_private() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "secret"]).success();
    let mode = |path: &Path, bits| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits)).unwrap();
    };
    let of = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    for (board, verb, wanted) in [
        (0o600, &["list", "--json"][..], 0o600),
        (0o640, &["export"], 0o640),
        (0o600, &["show", "t_"], 0o600),
        (0o644, &["list"], 0o644),
    ] {
        mode(&sandbox.board(), board);
        let out = sandbox.work().join("out");
        let _ = std::fs::remove_file(&out);
        let id = sandbox.run(&["list", "--columns", "id"]).success().line().to_owned();
        let args: Vec<&str> = verb
            .iter()
            .map(|word| if *word == "t_" { id.as_str() } else { word })
            .chain(["-o", "out"])
            .collect();
        sandbox.run(&args).success();
        assert_eq!(of(&out), wanted, "{args:?}");
    }
    // A file that is there is its owner's choice, and metrics are for every monitor.
    mode(&sandbox.board(), 0o600);
    let out = sandbox.work().join("out");
    mode(&out, 0o644);
    sandbox.run(&["list", "-o", "out"]).success();
    assert_eq!(of(&out), 0o644);
    sandbox.run(&["health", "--format", "prom", "-o", "metrics"]);
    assert_eq!(of(&sandbox.work().join("metrics")), 0o644);
}
