//! Transactions of a rollback-journal board that a crash cut short: read around, rolled back by whoever writes, told.

use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;

use crate::support::damage::{self, beside};
use crate::support::process::Holder;
use crate::support::sandbox::{KANBANCTL, Sandbox};

/// What the transaction of these scenes does to every task.
const HALF: &str = "UPDATE tasks SET title = 'half done'";

/// A board in DELETE mode as it was, and the same one as a writer leaves it that is killed in the middle of a transaction.
fn scene() -> (Sandbox, Sandbox) {
    let (whole, torn) = (Sandbox::new(), Sandbox::new());
    damage::board(&whole.board(), 120, 5);
    let rest = "PRAGMA journal_mode=DELETE; UPDATE tasks SET status='todo' WHERE status='running'";
    Connection::open(whole.board()).unwrap().execute_batch(rest).unwrap();
    let busy = torn.work().join("busy.db");
    std::fs::copy(whole.board(), &busy).unwrap();
    let writer = Connection::open(&busy).unwrap();
    writer.execute_batch(&format!("PRAGMA cache_size=5; BEGIN; {HALF}")).unwrap();
    std::fs::copy(&busy, torn.board()).unwrap();
    std::fs::copy(beside(&busy, "-journal"), journal(&torn)).unwrap();
    drop(writer);
    assert!(is_half_done(&torn), "nothing was written");
    (whole, torn)
}

fn journal(sandbox: &Sandbox) -> std::path::PathBuf {
    beside(&sandbox.board(), "-journal")
}

/// Whether the file itself has rows of the transaction.
fn is_half_done(sandbox: &Sandbox) -> bool {
    let bytes = std::fs::read(sandbox.board()).unwrap();
    bytes.windows(9).any(|window| window == b"half done")
}

/// The board and its journal, not what lies beside them.
fn set(sandbox: &Sandbox) -> (Vec<u8>, Option<Vec<u8>>) {
    (std::fs::read(sandbox.board()).unwrap(), std::fs::read(journal(sandbox)).ok())
}

fn first_id(sandbox: &Sandbox) -> String {
    sandbox.run(&["list", "--format", "plain"]).success().stdout.split('\t').next().unwrap().to_owned()
}

fn finding(data: &serde_json::Value, id: &str) -> Option<serde_json::Value> {
    data["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == id).cloned()
}

fn open_to_all(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn reading_verbs_see_the_board_as_it_was_before_and_leave_it() {
    let (whole, torn) = scene();
    let id = first_id(&whole);
    let before = torn.photograph();
    for verb in [&["list", "--json"][..], &["list", "--format", "plain"], &["show", &id, "--json"]] {
        let said = torn.run(verb).success();
        assert_eq!(said.stdout, whole.run(verb).success().stdout, "{verb:?}");
        said.says("interrupted transaction").says("private copy");
        assert_eq!(torn.photograph(), before, "{verb:?}");
    }
    torn.run(&["stats"]).success();
    torn.run(&["backup", "--create-dirs", torn.work().join("saved").to_str().unwrap()]).success();
    assert_eq!(torn.photograph(), before);
}

/// Whoever may only read gets the same answers as the owner.
#[test]
fn who_may_not_write_reads_it_too() {
    if !rustix::process::geteuid().is_root()
        || Command::new("setpriv").arg("true").stderr(Stdio::null()).status().is_err()
    {
        eprintln!("!!!! SKIPPED: needs root and setpriv");
        return;
    }
    let (whole, torn) = scene();
    for path in [torn.path(), &torn.path().join("home"), &torn.root(), &torn.work()] {
        open_to_all(path, 0o755);
    }
    open_to_all(&torn.path().join("tmp"), 0o1777);
    open_to_all(&torn.board(), 0o444);
    open_to_all(&journal(&torn), 0o444);
    let program = torn.path().join("kanbanctl");
    std::fs::copy(KANBANCTL, &program).unwrap();
    let as_nobody = |verb: &[&str]| {
        let mut command = torn.program("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program).args(verb);
        torn.finish(command, b"")
    };
    let before = torn.photograph();
    let listed = as_nobody(&["list", "--json"]).success();
    assert_eq!(listed.stdout, whole.run(&["list", "--json"]).success().stdout);
    let data = as_nobody(&["health", "--json"]).exits(3).data();
    assert_eq!(data["counts"]["tasks"], 120, "{data}");
    as_nobody(&["create", "x"]).exits(12).says("interrupted transaction");
    as_nobody(&["repair"]).exits(12);
    assert_eq!(torn.photograph(), before);
}

#[test]
fn health_says_what_it_saw_and_repair_ends_it() {
    let (whole, torn) = scene();
    let before = torn.photograph();
    let data = torn.run(&["health", "--json", "--depth", "full"]).exits(3).data();
    let seen = finding(&data, "hot-journal").unwrap();
    assert_eq!((&seen["severity"], &data["verdict"]), (&"warning".into(), &"degraded".into()), "{data}");
    assert!(seen["next"].as_str().unwrap().ends_with("repair"), "{seen}");
    assert_eq!(data["counts"]["tasks"], 120);
    torn.run::<&str>(&[]).exits(3);
    let rehearsed = torn.run(&["repair", "-n", "--json", "--assume-unused"]).success().data();
    assert_eq!((&rehearsed["status"], &rehearsed["rolled_back"]), (&"repairable".into(), &true.into()));
    assert_eq!(torn.photograph(), before);

    let torn_set = set(&torn);
    let repaired = torn.run(&["repair", "--json", "--assume-unused"]).success().data();
    assert_eq!((&repaired["status"], &repaired["rolled_back"]), (&"repaired".into(), &true.into()));
    let evidence = Path::new(repaired["evidence"].as_str().unwrap()).join("kanban.db");
    assert_eq!(
        (std::fs::read(&evidence).unwrap(), std::fs::read(beside(&evidence, "-journal")).ok()),
        torn_set
    );
    assert_eq!(set(&torn), set(&whole));
    let data = torn.run(&["health", "--json"]).data();
    assert_eq!(finding(&data, "hot-journal"), None, "{data}");
    torn.run(&["repair", "--assume-unused"]).success();
    torn.run(&["recover", "--undo", "--yes", "--assume-unused"]).success();
    assert_eq!(set(&torn), torn_set);
}

/// Indexes that disagree and an interrupted transaction end in one go.
#[test]
fn repair_rolls_back_before_it_makes_indexes_anew() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    let drifted = sandbox.work().join("drifted.db");
    damage::board(&good, 120, 3);
    damage::injure(damage::Shape::IndexDrift, 1, &good, &drifted);
    let writer = Connection::open(&drifted).unwrap();
    writer.execute_batch(&format!("PRAGMA journal_mode=DELETE; PRAGMA cache_size=5; BEGIN; {HALF}")).unwrap();
    std::fs::copy(&drifted, sandbox.board()).unwrap();
    std::fs::copy(beside(&drifted, "-journal"), journal(&sandbox)).unwrap();
    drop(writer);
    sandbox.run(&["health"]).exits(4);
    let data = sandbox.run(&["repair", "--json", "--assume-unused"]).success().data();
    assert!(data["rolled_back"] == true && !data["indexes"].as_array().unwrap().is_empty(), "{data}");
    let score = damage::score(&good, &sandbox.board());
    assert_eq!((score.right, score.wrong), (score.truth, 0));
}

#[test]
fn a_writer_rolls_it_back_and_says_so_and_a_rehearsal_does_not() {
    let (_, torn) = scene();
    let before = torn.photograph();
    torn.run(&["create", "rehearsed", "-n"]).success();
    assert_eq!(torn.photograph(), before);
    torn.run(&["create", "written"]).success().says("interrupted transaction");
    assert!(!journal(&torn).exists() && !is_half_done(&torn));
    let listed = torn.run(&["list", "--json"]).success();
    assert!(listed.stdout.contains("written") && listed.stderr.is_empty(), "{listed}");
}

/// A journal that a finished transaction left is none, and one whose writer lives is no damage.
#[test]
fn only_an_interrupted_transaction_is_a_warning() {
    let (whole, torn) = scene();
    let mut ended = std::fs::read(journal(&torn)).unwrap();
    ended[..28].fill(0);
    std::fs::write(journal(&whole), &ended).unwrap();
    let data = whole.run(&["health", "--json", "--ignore", "done-by-hand"]).success().data();
    assert_eq!(finding(&data, "hot-journal"), None, "{data}");
    assert!(whole.run(&["list"]).success().stderr.is_empty());

    let mut holder = Holder::on(&whole.board());
    holder.execute("PRAGMA cache_size=5; BEGIN");
    holder.execute(HALF);
    let data = whole.run(&["health", "--json", "--timeout", "100ms"]).exits(6).data();
    let seen = finding(&data, "hot-journal").unwrap();
    assert!(seen["severity"] == "info" && seen["message"].as_str().unwrap().contains("under way"), "{seen}");
    holder.execute("ROLLBACK");
}

/// A rollback journal with every page of the database in `bytes`.
fn journal_of(bytes: &[u8]) -> Vec<u8> {
    let (nonce, pages) = (7_u32, u32::try_from(bytes.len() / damage::PAGE).unwrap());
    let mut log = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7].to_vec();
    for field in [pages, nonce, pages, 512, 4096] {
        log.extend(field.to_be_bytes());
    }
    log.resize(512, 0);
    for (number, page) in (1_u32..).zip(bytes.chunks(damage::PAGE)) {
        let summed = (1..=(damage::PAGE - 1) / 200).map(|step| u32::from(page[damage::PAGE - 200 * step]));
        log.extend(number.to_be_bytes());
        log.extend(page);
        log.extend(summed.fold(nonce, u32::wrapping_add).to_be_bytes());
    }
    log
}

/// A commit writes the first page, with the new number of pages, before the pages that it adds: killed in between, the file
/// is short of what its header counts, and the journal takes that back.
#[test]
fn a_header_that_the_journal_takes_back_is_no_damage() {
    let (whole, _) = scene();
    let before = std::fs::read(whole.board()).unwrap();
    let pages = u32::try_from(before.len() / damage::PAGE).unwrap();
    let mut bytes = before.clone();
    bytes[28..32].copy_from_slice(&(pages + 10).to_be_bytes());
    std::fs::write(whole.board(), &bytes).unwrap();
    let data = whole.run(&["health", "--json"]).exits(4).data();
    assert!(finding(&data, "page-count").is_some(), "{data}");
    std::fs::write(journal(&whole), journal_of(&before)).unwrap();
    whole.run(&["health"]).exits(3);
    whole.run(&["repair", "--assume-unused"]).success();
    assert_eq!(set(&whole), (before, None));
}

/// An undo that was killed leaves a board in WAL mode with a rollback journal beside it; the next one ends the work.
#[test]
fn an_undo_that_was_killed_is_finished_by_the_next() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 2);
    damage::injure(damage::Shape::ZeroPages, 1, &good, &sandbox.board());
    let before = set(&sandbox);
    let output = sandbox.run(&["recover", "--yes", "--assume-unused"]);
    assert!([0, 5].contains(&output.code()), "{output}");
    let recovered = std::fs::read(sandbox.board()).unwrap();
    let mut half = before.0.clone();
    half[damage::PAGE..].copy_from_slice(&recovered[damage::PAGE..before.0.len()]);
    std::fs::write(sandbox.board(), half).unwrap();
    std::fs::write(journal(&sandbox), journal_of(&recovered)).unwrap();
    sandbox.run(&["recover", "--undo", "--yes", "--assume-unused"]).success();
    assert_eq!(set(&sandbox), before);
}

/// SQLite ends its playback at the first record with a wrong checksum, and removes the journal.
#[test]
fn journal_with_a_damaged_record_is_not_played_back() {
    let (whole, torn) = scene();
    let mut journal_bytes = std::fs::read(journal(&torn)).unwrap();
    // Within the first record, behind its page's number.
    journal_bytes[1024..1536].fill(0);
    std::fs::write(journal(&torn), journal_bytes).unwrap();
    let before = torn.photograph();
    let looked = torn.run(&["health"]).exits(4);
    assert!(
        looked.stdout.contains("journal are damaged") && looked.stdout.contains("recover --dry-run"),
        "{looked}"
    );
    assert_eq!(torn.photograph(), before);
    for verb in [&["create", "more"][..], &["list"], &["archive", "t_1"], &["repair", "--assume-unused"]] {
        let output = torn.run(verb);
        assert_eq!(output.code(), 4, "{verb:?}: {output}");
        assert!(output.stderr.contains("of the -journal"), "{verb:?}: {output}");
        assert_eq!(torn.photograph(), before, "{verb:?}");
    }
    let new = torn.work().join("new.db");
    let output = torn.run(&["recover", "--output", new.to_str().unwrap(), "--json"]);
    assert_eq!(output.code(), 5, "{output}");
    let score = damage::score(&whole.board(), &new);
    // What the transaction changed in the lost sector is gone.
    assert!(score.wrong == 0 && score.right + 4 >= score.truth, "{score:?}");
}
