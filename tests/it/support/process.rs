//! Another process on a board: a plain SQLite user that does, line by line, what a test tells it.
//!
//! It is this test binary, started again with only the `holder` test selected, so that nothing needs installing.
//! Its connection is as stock as SQLite gives it: no `NO_CKPT_ON_CLOSE`, no pragma that was not sent.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const ROLE: &str = "KANBANCTL_TEST_HOLDER";
const REPLY: &str = "@reply ";

/// A child process with at most one plain SQLite connection; killed when dropped.
pub(crate) struct Holder {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Holder {
    /// Starts the process; it holds nothing yet.
    pub(crate) fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "support::process::holder", "--nocapture", "--test-threads=1"])
            .env(ROLE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout }
    }

    /// Starts it with a connection to `board` that has read once, so that it holds its WAL-index lock.
    pub(crate) fn on(board: &Path) -> Self {
        let mut holder = Self::start();
        holder.open(board);
        holder.query("SELECT count(*) FROM sqlite_master");
        holder
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Opens the connection, read-write, without creating.
    pub(crate) fn open(&mut self, board: &Path) {
        self.must("open", board.to_str().unwrap());
    }

    /// Closes the connection the stock way: it may checkpoint and unlink the WAL.
    pub(crate) fn close(&mut self) {
        self.must("close", "");
    }

    /// Runs statements.
    pub(crate) fn execute(&mut self, sql: &str) {
        self.must("execute", sql);
    }

    /// Runs one query and gives its first value as text.
    pub(crate) fn query(&mut self, sql: &str) -> String {
        self.must("query", sql)
    }

    /// Opens a file plainly, reads one byte and closes it: all POSIX locks that the process had on it are gone
    /// (tests/incidents.md F11). This is how a Hermes 0.19.0 process loses them after each commit.
    pub(crate) fn lose_locks(&mut self, file: &Path) {
        self.must("touch", file.to_str().unwrap());
    }

    /// Sends a command and gives back what SQLite said, good or bad.
    pub(crate) fn ask(&mut self, verb: &str, text: &str) -> Result<String, String> {
        let line = serde_json::json!([verb, text]);
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
        loop {
            let mut line = String::new();
            assert_ne!(self.stdout.read_line(&mut line).unwrap(), 0, "the holder died at {verb} {text}");
            // libtest prints `test ... ` without a newline in front of the first reply.
            if let Some((_, reply)) = line.split_once(REPLY) {
                return serde_json::from_str(reply).unwrap();
            }
        }
    }

    fn must(&mut self, verb: &str, text: &str) -> String {
        self.ask(verb, text).unwrap_or_else(|error| panic!("the holder at {verb} {text}: {error}"))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // An open connection is abandoned as a crash would: closing it politely is `close`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child's side. A run of the whole suite passes here too and has nothing to do.
#[test]
fn holder() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let mut connection = None;
    for line in std::io::stdin().lines() {
        let (verb, text): (String, String) = serde_json::from_str(&line.unwrap()).unwrap();
        let reply = obey(&mut connection, &verb, &text);
        println!("{REPLY}{}", serde_json::to_string(&reply).unwrap());
        std::io::stdout().flush().unwrap();
    }
}

fn obey(connection: &mut Option<rusqlite::Connection>, verb: &str, text: &str) -> Result<String, String> {
    use rusqlite::OpenFlags;
    let said = |error: rusqlite::Error| error.to_string();
    let open = connection.as_ref().ok_or("no connection is open");
    match verb {
        "open" => {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            *connection = Some(rusqlite::Connection::open_with_flags(text, flags).map_err(said)?);
        }
        "close" => {
            if let Some(connection) = connection.take() {
                connection.close().map_err(|(_, error)| said(error))?;
            }
        }
        "execute" => open?.execute_batch(text).map_err(said)?,
        "query" => {
            let value = open?.query_row(text, [], |row| row.get::<_, rusqlite::types::Value>(0));
            return match value.map_err(said)? {
                rusqlite::types::Value::Null => Ok(String::new()),
                rusqlite::types::Value::Integer(number) => Ok(number.to_string()),
                rusqlite::types::Value::Real(number) => Ok(number.to_string()),
                rusqlite::types::Value::Text(text) => Ok(text),
                rusqlite::types::Value::Blob(bytes) => Ok(format!("{bytes:02x?}")),
            };
        }
        "touch" => {
            let mut byte = [0];
            std::io::Read::read(
                &mut std::fs::File::open(text).map_err(|error| error.to_string())?,
                &mut byte,
            )
            .map_err(|error| error.to_string())?;
        }
        _ => return Err(format!("unknown verb {verb}")),
    }
    Ok(String::new())
}

#[test]
fn a_holder_keeps_a_lock_and_loses_it() {
    let directory = tempfile::tempdir().unwrap();
    let board = directory.path().join("x.db");
    let owner = rusqlite::Connection::open(&board).unwrap();
    owner.execute_batch("PRAGMA journal_mode=DELETE; CREATE TABLE t(x)").unwrap();
    let mut holder = Holder::on(&board);
    holder.execute("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)");
    assert!(owner.execute_batch("BEGIN IMMEDIATE").is_err());
    holder.lose_locks(&board);
    owner.execute_batch("BEGIN IMMEDIATE; ROLLBACK").unwrap();
    assert_eq!(holder.query("SELECT count(*) FROM t"), "1");
    assert!(holder.ask("execute", "nonsense").is_err());
}
