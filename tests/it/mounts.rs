//! Real filesystems where WAL cannot work (`KANBANCTL_TEST_MOUNTS=1`; needs root, bindfs and fuse3).

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Sandbox;

/// A `bindfs -o direct_io` mount over a sandbox's Hermes root: the shared-memory map fails there (incidents.md 6.5).
struct Mount {
    behind: PathBuf,
    point: PathBuf,
}

impl Mount {
    fn over(sandbox: &Sandbox) -> Option<Self> {
        if std::env::var_os("KANBANCTL_TEST_MOUNTS").is_none() {
            eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_MOUNTS=1, root, bindfs and fuse3");
            return None;
        }
        let (behind, point) = (sandbox.path().join("behind"), sandbox.root());
        std::fs::create_dir(&behind).unwrap();
        let mounted =
            Command::new("bindfs").args(["-o", "direct_io"]).arg(&behind).arg(&point).status().unwrap();
        assert!(mounted.success());
        Some(Self { behind, point })
    }

    /// The same files seen past the mount.
    fn behind(&self, name: &str) -> PathBuf {
        self.behind.join(name)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("fusermount3").args(["-u", "-z"]).arg(&self.point).status();
    }
}

fn journal_mode(board: &Path) -> String {
    let connection = rusqlite::Connection::open(board).unwrap();
    connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap()
}

#[test]
fn init_gives_a_working_board_and_one_warning() {
    let sandbox = Sandbox::new();
    let Some(mount) = Mount::over(&sandbox) else { return };
    let output = sandbox.run(&["init"]).success();
    assert_eq!(output.stderr.matches("warning: ").count(), 1, "{output}");
    let id = sandbox.run(&["create", "works here"]).success();
    sandbox.run(&["complete", id.line()]).success();
    assert_eq!(sandbox.run(&["list", "--json"]).success().data()[0]["status"], "done");
    assert_eq!(journal_mode(&mount.behind("kanban.db")), "delete");
}

#[test]
fn wal_is_refused_there() {
    let sandbox = Sandbox::new();
    let Some(mount) = Mount::over(&sandbox) else { return };
    let _ = sandbox.run(&["init"]).success();
    let _ = sandbox.run(&["journal-mode", "wal"]).exits(12);
    let _ = sandbox.run(&["journal-mode", "delete"]).success();
    assert_eq!(journal_mode(&mount.behind("kanban.db")), "delete");
}

#[test]
fn a_board_left_in_wal_mode_comes_back() {
    let sandbox = Sandbox::new();
    let Some(mount) = Mount::over(&sandbox) else { return };
    let _ = sandbox.run(&["init"]).success();
    let id = sandbox.run(&["create", "kept"]).success();
    let board = mount.behind("kanban.db");
    let plain = rusqlite::Connection::open(&board).unwrap();
    plain.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(())).unwrap();
    plain.execute_batch("UPDATE tasks SET priority = 3").unwrap();
    plain.close().unwrap();

    assert_eq!(journal_mode(&board), "wal");
    let _ = sandbox.run(&["create", "not possible now"]).exits(12).says("journal-mode delete");
    let _ = sandbox.run(&["journal-mode", "delete"]).success();
    assert_eq!(journal_mode(&board), "delete");
    let task = sandbox.run(&["show", id.line(), "--json"]).success().data();
    assert_eq!(task["task"]["priority"].as_i64().or(task["priority"].as_i64()), Some(3));
}

/// An overlay over a sandbox's Hermes root, as containers have: its device number is another than that of the files behind.
struct Overlay {
    upper: PathBuf,
    point: PathBuf,
}

impl Overlay {
    fn over(sandbox: &Sandbox) -> Option<Self> {
        if std::env::var_os("KANBANCTL_TEST_MOUNTS").is_none() {
            eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_MOUNTS=1 and root");
            return None;
        }
        let folder = |name: &str| {
            let path = sandbox.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let (lower, upper, work) = (folder("lower"), folder("upper"), folder("workdir"));
        let options =
            format!("lowerdir={},upperdir={},workdir={}", lower.display(), upper.display(), work.display());
        let point = sandbox.root();
        let mut mount = Command::new("mount");
        mount.args(["-t", "overlay", "overlay", "-o", &options]).arg(&point);
        assert!(mount.status().unwrap().success());
        Some(Self { upper, point })
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.point).status();
    }
}

#[test]
fn a_holder_is_named_from_either_side_of_an_overlay() {
    let sandbox = Sandbox::new();
    let Some(overlay) = Overlay::over(&sandbox) else { return };
    sandbox.run(&["init"]).success();
    let behind = overlay.upper.join("kanban.db");
    for (held, asked) in [(&sandbox.board(), &behind), (&behind, &sandbox.board())] {
        let holder = crate::support::process::Holder::on(held);
        let output = sandbox.run(&["--db", asked.to_str().unwrap(), "journal-mode", "delete"]).exits(12);
        output.says(&format!("process {}", holder.pid()));
    }
}
