//! A real Hermes Agent 0.19.0 process on a sandbox's board, where one is installed (`KANBANCTL_TEST_HERMES`).
//!
//! At most one at a time may write to a board: two stock writers corrupt it by themselves (docs/board-format.md, 9.1).

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::Sandbox;

/// The Python that has Hermes, or a loud line and nothing.
pub(crate) fn python() -> Option<PathBuf> {
    let python = std::env::var_os("KANBANCTL_TEST_HERMES").map(PathBuf::from);
    if python.is_none() {
        eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_HERMES=<python with hermes-agent==0.19.0>");
    }
    python
}

/// Every version of Hermes that is installed, with its Python; a loud line for each that is not.
pub(crate) fn versions() -> Vec<(&'static str, PathBuf)> {
    let named = [
        ("0.19.0", "KANBANCTL_TEST_HERMES"),
        ("0.20.1", "KANBANCTL_TEST_HERMES_0_20"),
        ("0.22.2", "KANBANCTL_TEST_HERMES_0_22"),
    ];
    let mut found = Vec::new();
    for (version, variable) in named {
        match std::env::var_os(variable) {
            Some(python) => found.push((version, PathBuf::from(python))),
            None => eprintln!("!!!! SKIPPED: needs {variable}=<python with Hermes {version}>"),
        }
    }
    found
}

/// `hermes kanban ARGS`, run to its end; its stdout.
pub(crate) fn command_line(sandbox: &Sandbox, python: &Path, args: &[&str]) -> String {
    let mut command = in_home(sandbox, python);
    command.args(["-m", "hermes_cli.main", "kanban"]).args(args);
    let output = sandbox.finish(command, b"").success();
    output.stdout
}

/// A program in the sandbox's Hermes home.
pub(crate) fn in_home(sandbox: &Sandbox, program: &Path) -> Command {
    let mut command = sandbox.program(program);
    command
        .env("HERMES_HOME", sandbox.root())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env_remove("KANBANCTL_NOW");
    command
}

/// One Hermes process with one connection; killed when dropped.
pub(crate) struct Hermes {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Hermes {
    /// Starts Hermes on the sandbox's default board, which it creates when there is none.
    pub(crate) fn on(sandbox: &Sandbox, python: &Path) -> Self {
        Self::in_root(sandbox, python, &sandbox.root())
    }

    /// Starts Hermes on the default board of another root.
    pub(crate) fn in_root(sandbox: &Sandbox, python: &Path, root: &Path) -> Self {
        let mut child = in_home(sandbox, python)
            .env("HERMES_HOME", root)
            .env("HERMES_KANBAN_HOME", root)
            .args(["-c", include_str!("hermes.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut hermes = Self { child, stdin, stdout };
        hermes.must(&json!(["open"]));
        hermes
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Calls a function of Hermes' own on its connection.
    pub(crate) fn call(&mut self, function: &str, positional: &Value, named: &Value) -> Value {
        self.must(&json!([function, positional, named]))
    }

    /// A task of Hermes' making; its id.
    pub(crate) fn create(&mut self, title: &str) -> String {
        self.call("create_task", &json!([]), &json!({ "title": title })).as_str().unwrap().to_owned()
    }

    /// As [`Hermes::create`] beside writers who extend the file meanwhile: Hermes' own check after the commit can then read
    /// a header that is ahead of the file, and takes the board for torn (docs/board-format.md, 9.1). Nothing in that case.
    pub(crate) fn create_among_others(&mut self, title: &str) -> Option<String> {
        match self.ask(&json!(["create_task", [], { "title": title }])) {
            Ok(id) => Some(id.as_str().unwrap().to_owned()),
            Err(error) if error.contains("torn-extend detected") => None,
            Err(error) => panic!("Hermes at create_task: {error}"),
        }
    }

    /// Opens and closes a file plainly, which drops the process's locks on it.
    pub(crate) fn lose_locks(&mut self, file: &Path) {
        self.must(&json!(["touch", file]));
    }

    /// Closes the connection and opens one to the board at `board`.
    pub(crate) fn turn_to(&mut self, board: &Path) {
        self.must(&json!(["at", board]));
    }

    /// As [`Hermes::call`]; what Hermes refuses is no failure.
    pub(crate) fn try_call(&mut self, function: &str, positional: &Value, named: &Value) -> Option<Value> {
        self.ask(&json!([function, positional, named])).ok()
    }

    /// Closes the connection and ends the process.
    pub(crate) fn close(mut self) {
        self.must(&json!(["close"]));
        drop(self.stdin.take());
        self.child.wait().unwrap();
    }

    /// The files that the process has open and that have lost their name.
    pub(crate) fn unlinked(&self) -> Vec<String> {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid()))
            .unwrap()
            .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
            .map(|path| path.display().to_string())
            .filter(|path| path.ends_with(" (deleted)"))
            .collect()
    }

    fn must(&mut self, line: &Value) -> Value {
        self.ask(line).unwrap_or_else(|error| panic!("Hermes at {line}: {error}"))
    }

    fn ask(&mut self, line: &Value) -> Result<Value, String> {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut reply = String::new();
        let read = self.stdout.read_line(&mut reply).unwrap();
        assert!(read > 0, "Hermes died at {line}: {:?}", self.child.wait());
        serde_json::from_str(&reply).unwrap()
    }
}

impl Drop for Hermes {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
