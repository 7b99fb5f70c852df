//! Real filesystems (`KANBANCTL_TEST_MOUNTS=1`; needs root): WAL where it works, a rollback journal where it does not.
//!
//! bindfs needs fuse3; btrfs and xfs need their mkfs, a loop device and the kernel's driver. What this machine does not
//! have is skipped with a loud line.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::Sandbox;
use crate::support::process::Holder;

/// A filesystem over a sandbox's Hermes root.
struct Mount {
    behind: PathBuf,
    point: PathBuf,
}

fn wanted() -> bool {
    let wanted = std::env::var_os("KANBANCTL_TEST_MOUNTS").is_some();
    if !wanted {
        eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_MOUNTS=1, root, bindfs and fuse3");
    }
    wanted
}

fn quietly(program: &str, args: &[&std::ffi::OsStr]) -> bool {
    let status = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

impl Mount {
    /// A `bindfs -o direct_io` mount: the shared-memory map fails there (tests/incidents.md F16).
    fn over(sandbox: &Sandbox) -> Option<Self> {
        if !wanted() {
            return None;
        }
        let mount = Self::new(sandbox);
        let options =
            ["-o".as_ref(), "direct_io".as_ref(), mount.behind.as_os_str(), mount.point.as_os_str()];
        assert!(quietly("bindfs", &options), "bindfs");
        Some(mount)
    }

    fn new(sandbox: &Sandbox) -> Self {
        let (behind, point) = (sandbox.path().join("behind"), sandbox.root());
        std::fs::create_dir(&behind).unwrap();
        Self { behind, point }
    }

    /// A filesystem by its name; nothing, and a loud line, where this machine does not have it.
    fn of(sandbox: &Sandbox, kind: &str) -> Option<Self> {
        if !wanted() {
            return None;
        }
        let mount = Self::new(sandbox);
        let (behind, point) = (mount.behind.clone(), mount.point.clone());
        let mounted = match kind {
            "tmpfs" => quietly(
                "mount",
                &[
                    "-t".as_ref(),
                    "tmpfs".as_ref(),
                    "-o".as_ref(),
                    "size=64m".as_ref(),
                    "tmpfs".as_ref(),
                    point.as_ref(),
                ],
            ),
            "bindfs" => quietly("bindfs", &[behind.as_ref(), point.as_ref()]),
            "overlay" => mount.overlay(sandbox),
            other => mount.loop_device(sandbox, other),
        };
        if !mounted {
            eprintln!("!!!! SKIPPED: {kind} cannot be made or mounted on this machine");
            return None;
        }
        Some(mount)
    }

    /// Both layers on a tmpfs: an overlay does not take another overlay, which containers run on.
    fn overlay(&self, sandbox: &Sandbox) -> bool {
        let base = sandbox.path().join("layers");
        std::fs::create_dir(&base).unwrap();
        let tmpfs: [&std::ffi::OsStr; 4] =
            ["-t".as_ref(), "tmpfs".as_ref(), "layers".as_ref(), base.as_ref()];
        if !quietly("mount", &tmpfs) {
            return false;
        }
        for layer in ["lower", "upper", "work"] {
            std::fs::create_dir(base.join(layer)).unwrap();
        }
        let base = base.display();
        let options = format!("lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work");
        let args = ["-t", "overlay", "-o", &options, "overlay"];
        let mut args: Vec<&std::ffi::OsStr> = args.iter().map(AsRef::as_ref).collect();
        args.push(self.point.as_os_str());
        quietly("mount", &args)
    }

    fn loop_device(&self, sandbox: &Sandbox, kind: &str) -> bool {
        // xfs takes no less than 300 MB; the file is sparse.
        let image = sandbox.path().join("image");
        std::fs::File::create(&image).unwrap().set_len(400 << 20).unwrap();
        quietly(&format!("mkfs.{kind}"), &[image.as_os_str()])
            && quietly(
                "mount",
                &[
                    "-o".as_ref(),
                    "loop".as_ref(),
                    "-t".as_ref(),
                    kind.as_ref(),
                    image.as_ref(),
                    self.point.as_ref(),
                ],
            )
    }

    /// The same files seen past a bindfs.
    fn behind(&self, name: &str) -> PathBuf {
        self.behind.join(name)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let point = self.point.as_os_str();
        let gone = quietly("fusermount3", &["-u".as_ref(), "-z".as_ref(), point]);
        if !gone {
            let _ = quietly("umount", &["-l".as_ref(), point]);
        }
        let layers = self.behind.with_file_name("layers");
        if layers.exists() {
            let _ = quietly("umount", &["-l".as_ref(), layers.as_ref()]);
        }
    }
}

fn journal_mode(board: &Path) -> String {
    let connection = rusqlite::Connection::open(board).unwrap();
    connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap()
}

/// Every filesystem on which processes of one machine share memory.
#[test]
fn wal_is_used_where_it_works() {
    for kind in ["tmpfs", "ext4", "xfs", "btrfs", "overlay", "bindfs"] {
        let sandbox = Sandbox::new();
        let Some(_mount) = Mount::of(&sandbox, kind) else { continue };
        let made = sandbox.run(&["init"]).success();
        assert!(!made.stderr.contains("warning: "), "{kind}: {made}");
        let id = sandbox.run(&["create", "works here"]).success();
        sandbox.run(&["complete", id.line()]).success();
        let shown = sandbox.run(&["journal-mode", "--json"]).success().data();
        assert_eq!(shown["before"], "wal", "{kind}: {shown}");
        let called = shown["filesystem"].as_str().unwrap();
        let name = if kind == "bindfs" { "fuse" } else { kind };
        assert!(called.starts_with(name), "{kind} is called {called}");
        // Past a FUSE nobody can be proven absent.
        let waiver = if kind == "bindfs" { &["--assume-unused"][..] } else { &[] };
        sandbox.run(&[&["journal-mode", "delete"], waiver].concat()).success();
        sandbox.run(&[&["journal-mode", "wal"], waiver].concat()).success();
        sandbox.run(&["backup"]).success();
        sandbox.run(&["recover", "--output", "rescued.db"]).success();
        let root = sandbox.root();
        let args =
            ["stress", "--processes", "3", "--seconds", "1", "--json", "--dir", root.to_str().unwrap()];
        let data = sandbox.run(&args).success().data();
        assert_eq!(
            (&data["verdict"], &data["journal_mode"]),
            (&"sound".into(), &"wal".into()),
            "{kind}: {data}"
        );
        eprintln!("{kind}: {} operations/s", data["operations_per_second"]);
        assert_eq!(sandbox.run(&["list", "--json"]).success().data()[0]["status"], "done", "{kind}");
    }
}

/// `stress` tells a sound directory, one without shared memory and a full one apart.
#[test]
fn stress_tells_places_apart() {
    let (sandbox, full) = (Sandbox::new(), Sandbox::new());
    let Some(mount) = Mount::over(&sandbox) else { return };
    let args = ["stress", "--processes", "3", "--seconds", "1", "--json", "--dir"];
    let at = |place: &Path| sandbox.run(&[&args[..], &[place.to_str().unwrap()]].concat());
    assert_eq!(at(&sandbox.work()).success().data()["verdict"], "sound");
    let without = at(&mount.point).exits(3).data();
    assert_eq!((&without["verdict"], &without["journal_mode"]), (&"usable".into(), &"delete".into()));
    assert!(without["sentences"].to_string().contains("WAL cannot work here"), "{without}");
    assert_eq!((&without["lost"], &without["errors"]), (&0.into(), &0.into()), "{without}");
    let Some(disk) = Mount::of(&full, "tmpfs") else { return };
    let filler = disk.point.join("filler");
    let room = rustix::fs::statvfs(&disk.point).unwrap();
    let bytes = usize::try_from(room.f_bavail * room.f_frsize).unwrap();
    std::fs::write(&filler, vec![0; bytes]).unwrap();
    let output = at(&disk.point).exits(12);
    assert!(output.error()["message"].as_str().unwrap().contains("no room"), "{output}");
    // Room for the board and not for the work: found out on the way, and nothing that was acknowledged is lost.
    std::fs::OpenOptions::new()
        .write(true)
        .open(&filler)
        .unwrap()
        .set_len(u64::try_from(bytes - (700 << 10)).unwrap())
        .unwrap();
    let data = at(&disk.point).exits(12).data();
    assert_eq!((&data["verdict"], &data["lost"]), (&"no-room".into(), &0.into()), "{data}");
    assert_eq!(data["integrity"], "ok");
    let left: Vec<_> =
        std::fs::read_dir(&disk.point).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["filler"]);
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
    let _ = sandbox.run(&["journal-mode", "wal", "--assume-unused"]).exits(12).says("WAL does not work here");
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
    let _ = sandbox.run(&["journal-mode", "delete", "--assume-unused"]).success();
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
    /// `fill` puts what it likes into the lower layer.
    fn over(sandbox: &Sandbox, fill: impl FnOnce(&Path)) -> Option<Self> {
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
        fill(&lower);
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
    let Some(overlay) = Overlay::over(&sandbox, |_| ()) else { return };
    sandbox.run(&["init"]).success();
    let behind = overlay.upper.join("kanban.db");
    for (held, asked) in [(&sandbox.board(), &behind), (&behind, &sandbox.board())] {
        let holder = Holder::on(held);
        let output = sandbox.run(&["--db", asked.to_str().unwrap(), "journal-mode", "delete"]).exits(12);
        output.says(&format!("process {}", holder.pid()));
    }
}

/// A board of an image that was written to has the inode number of the image's file, and its own in the upper layer.
#[test]
fn a_board_that_was_copied_up_is_known_from_either_side() {
    let sandbox = Sandbox::new();
    let image = Sandbox::new();
    image.run(&["init"]).success();
    let fill = |lower: &Path| assert_ne!(std::fs::copy(image.board(), lower.join("kanban.db")).unwrap(), 0);
    let Some(overlay) = Overlay::over(&sandbox, fill) else { return };
    sandbox.run(&["create", "copies it up"]).success();
    let behind = overlay.upper.join("kanban.db");
    for (held, asked) in [(&sandbox.board(), &behind), (&behind, &sandbox.board())] {
        let holder = Holder::on(held);
        let output = sandbox.run(&["--db", asked.to_str().unwrap(), "journal-mode", "delete"]).exits(12);
        output.says(&format!("process {}", holder.pid()));
    }
}

/// Who came by the path underneath has another device and inode number, and locks that are not seen here.
#[test]
fn nobody_is_proven_absent_past_a_fuse() {
    let sandbox = Sandbox::new();
    let Some(mount) = Mount::of(&sandbox, "bindfs") else { return };
    sandbox.run(&["init"]).success();
    sandbox.run(&["create", "first"]).success();
    let copy = sandbox.run(&["backup", "saved", "--create-dirs", "--json"]).success().data();
    let copy = copy["path"].as_str().unwrap().to_owned();
    let behind = mount.behind("kanban.db");
    let mut holder = Holder::on(&behind);
    let verbs: [&[&str]; 3] =
        [&["journal-mode", "delete"], &["checkpoint", "--mode", "truncate"], &["restore", &copy, "--yes"]];
    for verb in verbs {
        let refused = sandbox.run(verb).exits(12);
        let refused =
            refused.says("it cannot be proven that no other process").says("fuse").says("--assume-unused");
        refused.says(&format!("mounted at {}", mount.point.display()));
        // Where it is in sight it is named.
        let plain = [&["--db", behind.to_str().unwrap()], verb].concat();
        sandbox.run(&plain).exits(12).says(&format!("process {}", holder.pid()));
    }
    let findings = sandbox.run(&["health", "--json"]).data();
    assert!(
        findings["findings"].to_string().contains("not every process could be seen: it lies on fuse"),
        "{findings}"
    );
    holder.execute("UPDATE tasks SET priority = 7");
    drop(holder);
    sandbox.run(&["journal-mode", "delete", "--assume-unused"]).success();
    assert_eq!(sandbox.run(&["list", "--json"]).success().data()[0]["priority"], 7);
}

/// A full disk and a read-only mount are named as what they are: advice for another cause changes a board for nothing.
#[test]
fn a_full_and_a_read_only_filesystem_are_called_that() {
    let sandbox = Sandbox::new();
    let Some(disk) = Mount::of(&sandbox, "tmpfs") else { return };
    let path = disk.point.join("kanban.db");
    let board = path.to_str().unwrap();
    sandbox.run(&["--db", board, "init"]).success();
    for left in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{board}{left}"));
    }
    let room = rustix::fs::statvfs(&disk.point).unwrap();
    let filler = disk.point.join("filler");
    std::fs::write(&filler, vec![0; usize::try_from(room.f_bavail * room.f_frsize).unwrap()]).unwrap();
    let output = sandbox.run(&["--db", board, "create", "x"]).exits(12);
    assert!(output.stderr.contains("full") && !output.stderr.contains("journal-mode"), "{output}");
    std::fs::remove_file(filler).unwrap();
    let remounted = quietly("mount", &["-o".as_ref(), "remount,ro".as_ref(), disk.point.as_os_str()]);
    assert!(remounted);
    let output = sandbox.run(&["--db", board, "recover", "--yes"]).exits(12).says("read-only filesystem");
    assert!(!output.stderr.contains("chmod"), "{output}");
    sandbox.run(&["--db", board, "list"]).success();
}
