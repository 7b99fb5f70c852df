//! Boards that were made to harm: nothing that one brings along runs, nothing hangs, nothing outgrows its memory.

use std::os::unix::fs::FileExt;

use rusqlite::Connection;

use crate::support::Sandbox;
use crate::support::rows::{change, count, create};
use crate::support::sandbox::{KANBANCTL, Output};

/// An expression that cannot be evaluated within a connection's limits: whoever runs it says so.
const BOMB: &str = "hex(zeroblob(100000000))";
/// What is said then.
const BLASTS: [&str; 2] = ["longer than is read at once", "more memory than"];

/// More than any verb needs and less than a bomb takes: 1 GB of address space.
const CAGE: &str = "ulimit -v 1000000; exec \"$0\" \"$@\"";

fn caged(sandbox: &Sandbox, args: &[&str]) -> Output {
    let mut command = sandbox.program("sh");
    command.args(["-c", CAGE, KANBANCTL, "--timeout", "5s"]).args(args);
    sandbox.finish(command, b"")
}

/// Changes the `CREATE` text of a table behind SQLite's back.
fn retext(table: &str, from: &str, to: &str) -> String {
    format!(
        "PRAGMA writable_schema=ON; UPDATE sqlite_master SET sql = replace(sql, '{from}', '{}') WHERE name = '{table}';",
        to.replace('\'', "''")
    )
}

fn schema_row(kind: &str, name: &str, root: &str, sql: &str) -> String {
    let sql = sql.replace('\'', "''");
    format!(
        "PRAGMA writable_schema=ON; INSERT INTO sqlite_master VALUES('{kind}', '{name}', '{name}', {root}, '{sql}');"
    )
}

/// A board that brings something along: what SQL makes it so, how reading, writing and health may end.
struct Board {
    name: &'static str,
    sql: String,
    reading: i32,
    writing: i32,
    health: i32,
}

fn board(name: &'static str, sql: String, reading: i32, writing: i32, health: i32) -> Board {
    Board { name, sql, reading, writing, health }
}

fn boards() -> Vec<Board> {
    let mut all = boards_with_code();
    all.extend(boards_with_lies());
    all
}

/// Expressions in every place where SQLite takes one.
fn boards_with_code() -> Vec<Board> {
    let title = "title TEXT NOT NULL";
    let tasks = |to: &str| retext("tasks", title, to);
    vec![
        board(
            "trigger",
            format!("CREATE TRIGGER evil AFTER INSERT ON tasks BEGIN SELECT {BOMB}; END"),
            0,
            12,
            4,
        ),
        board("generated column", tasks(&format!("{title}, evil TEXT AS ({BOMB})")), 12, 12, 4),
        board("generated title", tasks(&format!("title TEXT AS ({BOMB}) NOT NULL")), 12, 12, 4),
        board("check", tasks(&format!("{title} CHECK (length({BOMB}) > 0)")), 0, 12, 4),
        board("default", retext("tasks", "body TEXT", &format!("body TEXT DEFAULT ({BOMB})")), 0, 12, 4),
        board("collation", tasks("title TEXT NOT NULL COLLATE mine"), 12, 12, 4),
        board(
            "index on an expression",
            "CREATE INDEX evil ON tasks(body);".to_owned() + &retext("evil", "(body)", &format!("({BOMB})")),
            0,
            12,
            4,
        ),
        board(
            "index under a condition",
            format!("CREATE INDEX evil ON tasks(body) WHERE title LIKE '{}'", "%a".repeat(40)),
            0,
            12,
            4,
        ),
        board(
            "somebody's generated column",
            format!("CREATE TABLE other(a, b AS ({BOMB})); INSERT INTO other VALUES (1)"),
            0,
            0,
            3,
        ),
        board(
            "somebody's check",
            format!("CREATE TABLE other(a CHECK (a IS NULL OR length({BOMB}) > 0))"),
            0,
            0,
            0,
        ),
    ]
}

/// Schemas, names and numbers that are not what they say.
fn boards_with_lies() -> Vec<Board> {
    vec![
        board(
            "endless view",
            "ALTER TABLE tasks RENAME TO hidden; CREATE VIEW tasks AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL \
             SELECT x + 1 FROM r) SELECT x AS id, x AS title, 'ready' AS status FROM r"
                .to_owned(),
            12,
            12,
            4,
        ),
        board(
            "virtual table",
            "DROP TABLE task_comments;".to_owned()
                + &schema_row("table", "task_comments", "0", "CREATE VIRTUAL TABLE task_comments USING fts5(a)"),
            12,
            12,
            4,
        ),
        board(
            "unknown module",
            schema_row("table", "other", "0", "CREATE VIRTUAL TABLE other USING nobody(a)"),
            0,
            0,
            3,
        ),
        board(
            "names of several lines",
            "CREATE TABLE \"a\nerror: forged\t1\"(x); CREATE INDEX \"i\nj\" ON tasks(body)".to_owned(),
            0,
            0,
            0,
        ),
        board(
            "end of numbers",
            "UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'task_events'".to_owned(),
            0,
            4,
            4,
        ),
        board(
            "flood of numbers",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
             INSERT INTO sqlite_sequence SELECT 'x' || i, i FROM n"
                .to_owned(),
            0,
            0,
            0,
        ),
        board(
            "statistics that lie",
            format!("ANALYZE; UPDATE sqlite_stat1 SET stat = '{} 1 1'", "9".repeat(4000)),
            0,
            0,
            0,
        ),
    ]
}

/// Every verb on every board: it ends with the code that it should, nothing that was brought along is evaluated, and
/// reading changes no byte.
#[test]
fn nothing_that_a_board_brings_along_runs() {
    for Board { name, sql, reading, writing, health } in boards() {
        let sandbox = Sandbox::with_board();
        let id = create(&sandbox, &["x"]);
        change(&sandbox, "PRAGMA journal_mode=DELETE");
        change(&sandbox, &sql);
        let before = sandbox.photograph();
        let verbs: [(&[&str], &[i32]); 15] = [
            (&[], &[health]),
            (&["list"], &[reading]),
            (&["list", "--json"], &[reading]),
            (&["show", &id], &[reading]),
            (&["stats"], &[reading]),
            (&["health"], &[health]),
            // What the full check alone would evaluate is named, which is a warning.
            (&["health", "--depth", "full"], &[health, health.max(3)]),
            (&["journal-mode"], &[0]),
            (&["checkpoint"], &[0]),
            (&["backup", "-n"], &[0]),
            (&["backups", "list"], &[0]),
            (&["recover", "--dry-run"], &[0, 5]),
            (&["report", "--json"], &[0]),
            (&["report", "--output", "-"], &[0]),
            (&["boards", "list"], &[0]),
        ];
        for (verb, codes) in verbs {
            let output = caged(&sandbox, verb);
            assert!(codes.contains(&output.code()), "{name}: {verb:?} should end with {codes:?}\n{output}");
            harmless(name, verb, &output);
            assert_eq!(sandbox.photograph(), before, "{name}: {verb:?}");
        }
        for verb in [&["create", "y"][..], &["complete", &id]] {
            let output = caged(&sandbox, verb);
            assert_eq!(output.code(), writing, "{name}: {verb:?}\n{output}");
            harmless(name, verb, &output);
            if writing != 0 {
                assert_eq!(sandbox.photograph(), before, "{name}: {verb:?}");
            }
        }
    }
}

fn harmless(name: &str, verb: &[&str], output: &Output) {
    let said = output.stdout.clone() + &output.stderr;
    assert!(
        !BLASTS.iter().any(|blast| said.contains(blast)),
        "{name}: {verb:?} evaluated something\n{output}"
    );
    assert!(!said.lines().any(|line| line.starts_with("error: forged")), "{name}: {verb:?}\n{output}");
}

/// The result of a recovery runs nothing either, and takes tasks.
#[test]
fn a_rescued_board_is_free_of_what_the_old_one_brought_along() {
    for Board { name, sql, .. } in boards() {
        let sandbox = Sandbox::with_board();
        create(&sandbox, &["kept"]);
        change(&sandbox, "PRAGMA journal_mode=DELETE");
        change(&sandbox, &sql);
        let output = caged(&sandbox, &["recover", "--output", "new.db"]);
        assert!(matches!(output.code(), 0 | 5), "{name}\n{output}");
        harmless(name, &["recover"], &output);
        let tasks: i64 = Connection::open(sandbox.work().join("new.db"))
            .unwrap()
            .query_row("SELECT count(*) FROM tasks WHERE title = 'kept'", [], |row| row.get(0))
            .unwrap();
        // Under another name they are another table's.
        assert_eq!(tasks, i64::from(name != "endless view"), "{name}\n{output}");
        let made = caged(&sandbox, &["--db", "new.db", "create", "more"]);
        assert_eq!(made.code(), 0, "{name}\n{made}");
    }
}

#[test]
fn a_boards_trigger_does_not_run_and_writing_is_refused() {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["x"]);
    change(&sandbox, "CREATE TRIGGER evil AFTER UPDATE ON tasks BEGIN DELETE FROM task_events; END");
    sandbox.run(&["complete", &id]).exits(12).says("trigger evil");
    sandbox.run(&["create", "y"]).exits(12);
    sandbox.run(&["list"]).success();
    assert_eq!(count(&sandbox, "SELECT count(*) FROM task_events"), 1);
}

/// The page size of the boards that are written by hand below.
const PAGE: usize = 4096;

/// A board whose `tasks` are a tree without end: each interior page leads hundreds of times to the next one.
fn endless(sandbox: &Sandbox) {
    change(
        sandbox,
        "PRAGMA journal_mode=DELETE; INSERT INTO tasks(id, title, status, created_at) VALUES('a', 'b', 'ready', 1)",
    );
    let number = |sql: &str| usize::try_from(count(sandbox, sql)).unwrap();
    let (root, pages) = (
        number("SELECT rootpage FROM sqlite_master WHERE name = 'tasks'"),
        number("SELECT * FROM pragma_page_count"),
    );
    let depth = 12;
    let file = std::fs::OpenOptions::new().read(true).write(true).open(sandbox.board()).unwrap();
    let mut leaf = vec![0; PAGE];
    file.read_exact_at(&mut leaf, ((root - 1) * PAGE) as u64).unwrap();
    for level in 0..depth {
        let number = if level == 0 { root } else { pages + level };
        let next = u32::try_from(pages + level + 1).unwrap();
        file.write_all_at(&interior(next), ((number - 1) * PAGE) as u64).unwrap();
    }
    file.write_all_at(&leaf, ((pages + depth - 1) * PAGE) as u64).unwrap();
    let count = u32::try_from(pages + depth).unwrap().to_be_bytes();
    file.write_all_at(&count, 28).unwrap();
}

/// An interior page of a table whose every child is `next` ("Database File Format", section 1.6).
fn interior(next: u32) -> Vec<u8> {
    let cells = 400_usize;
    let mut page = vec![0; PAGE];
    page[0] = 5;
    let start = PAGE - cells * 7;
    page[3..5].copy_from_slice(&u16::try_from(cells).unwrap().to_be_bytes());
    page[5..7].copy_from_slice(&u16::try_from(start).unwrap().to_be_bytes());
    page[8..12].copy_from_slice(&next.to_be_bytes());
    for cell in 0..cells {
        let at = start + cell * 7;
        page[12 + cell * 2..14 + cell * 2].copy_from_slice(&u16::try_from(at).unwrap().to_be_bytes());
        page[at..at + 4].copy_from_slice(&next.to_be_bytes());
        let key = u8::try_from(cell % 128).unwrap();
        page[at + 4..at + 7].copy_from_slice(&[0x80 | u8::try_from(cell / 128).unwrap(), key, 0]);
    }
    page
}

#[test]
fn a_tree_without_end_is_given_up() {
    let sandbox = Sandbox::with_board();
    endless(&sandbox);
    let before = sandbox.photograph();
    for verb in [&["list"][..], &["list", "--json"], &["list", "--sort", "title"]] {
        let output = sandbox.run(&[&["--timeout", "1s"][..], verb].concat());
        assert!(matches!(output.code(), 4 | 11), "{verb:?}\n{output}");
        assert!(output.code() == 4 || output.stderr.contains("was not done within"), "{verb:?}\n{output}");
    }
    // The check itself goes on without end; that is no verdict.
    let checked = sandbox.run(&["--timeout", "1s", "health"]).exits(6);
    assert!(checked.stdout.contains("was not done within"), "{checked}");
    let code = sandbox.run(&["--timeout", "1s", "recover", "--dry-run"]).code();
    assert!(matches!(code, 0 | 5), "{code}");
    assert_eq!(sandbox.photograph(), before);
}

/// A row that claims a gigabyte in its header, in a file that has one to spare: a hole.
#[test]
fn a_claim_of_a_gigabyte_is_not_believed() {
    let sandbox = Sandbox::with_board();
    change(&sandbox, "PRAGMA journal_mode=DELETE");
    let id = create(&sandbox, &["x", "--body", &"long ".repeat(4000)]);
    let file = std::fs::OpenOptions::new().read(true).write(true).open(sandbox.board()).unwrap();
    let root = count(&sandbox, "SELECT rootpage FROM sqlite_master WHERE name = 'tasks'");
    let at = u64::try_from(root - 1).unwrap() * PAGE as u64;
    let mut page = vec![0; PAGE];
    file.read_exact_at(&mut page, at).unwrap();
    let cell = usize::from(u16::from_be_bytes([page[8], page[9]]));
    // The payload's length is a varint of three bytes; as four of them it would push the row out of its place, so the row
    // number, which is 1, gives up its byte and takes the record's first.
    assert!(page[cell] & 0x80 != 0 && page[cell + 1] & 0x80 != 0);
    page[cell..cell + 4].copy_from_slice(&[0x83, 0xdc, 0xd6, 0x00]);
    file.write_all_at(&page, at).unwrap();
    let pages = 300_000_u32;
    file.write_all_at(&pages.to_be_bytes(), 28).unwrap();
    file.set_len(u64::from(pages) * PAGE as u64).unwrap();
    for verb in [&["list", "--json"][..], &["show", &id], &["health"], &["complete", &id]] {
        let output = caged(&sandbox, verb);
        assert!(matches!(output.code(), 4 | 6 | 11 | 12 | 13), "{verb:?}\n{output}");
    }
}

#[test]
fn a_log_of_a_terabyte_is_not_read() {
    let sandbox = Sandbox::with_board();
    let log = std::fs::File::create(sandbox.root().join("kanban.db-wal")).unwrap();
    log.set_len(1 << 40).unwrap();
    for verb in [&["create", "x"][..], &["checkpoint"], &["complete", "t_1"]] {
        caged(&sandbox, verb).exits(12).says("1099511627776 bytes");
    }
    for verb in [&["list"][..], &["stats"]] {
        caged(&sandbox, verb).success();
    }
    caged(&sandbox, &["health"]).exits(6);
}

/// A schema that takes more memory than a board is given, and longer than a verb may take: with `KANBANCTL_TEST_SLOW=1`
/// a million tables, otherwise enough to see that every verb copes.
#[test]
fn a_million_tables_end_in_an_answer() {
    let tables = if std::env::var_os("KANBANCTL_TEST_SLOW").is_some() { 1_000_000 } else { 5_000 };
    let sandbox = Sandbox::with_board();
    change(&sandbox, "PRAGMA journal_mode=DELETE");
    let sql = format!(
        "CREATE TABLE leaf(a); PRAGMA writable_schema=ON;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {tables})
         INSERT INTO sqlite_master SELECT 'table', 'x' || i, 'x' || i,
         (SELECT rootpage FROM sqlite_master WHERE name = 'leaf'), 'CREATE TABLE x' || i || '(a, b, c)' FROM n"
    );
    change(&sandbox, &sql);
    for verb in [&["list"][..], &["stats"], &["create", "x"], &["health"]] {
        let output = caged(&sandbox, verb);
        assert!(matches!(output.code(), 0 | 3 | 4 | 6 | 11 | 12), "{verb:?}\n{output}");
    }
}
