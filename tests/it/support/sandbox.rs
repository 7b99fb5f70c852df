//! A private home for one test: its own directories and environment, the clock stopped, nothing left behind.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{PoisonError, RwLock};

/// The moment at which every sandbox's clock stands: 2026-05-28T20:26:40Z.
pub(crate) const NOW: i64 = 1_780_000_000;

/// The binary under test.
pub(crate) const KANBANCTL: &str = env!("CARGO_BIN_EXE_kanbanctl");

/// Held while a child begins: until it is its own program it has open what this process has. Who opens a board that a
/// command under test looks at next holds it for reading.
pub(crate) static FORKS: RwLock<()> = RwLock::new(());

/// A temporary directory that stands in for a user's machine.
pub(crate) struct Sandbox {
    directory: tempfile::TempDir,
    now: Option<i64>,
}

impl Sandbox {
    /// An empty home with an empty Hermes root in it.
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("kanbanctl-it.").tempdir().unwrap();
        for name in ["home/.hermes", "tmp", "work"] {
            std::fs::create_dir_all(directory.path().join(name)).unwrap();
        }
        Self { directory, now: Some(NOW) }
    }

    /// The same with `kanbanctl init` run.
    pub(crate) fn with_board() -> Self {
        let sandbox = Self::new();
        sandbox.run(&["init"]).success();
        sandbox
    }

    /// Lets the real clock run: for what is timed against other processes.
    pub(crate) fn with_real_clock(mut self) -> Self {
        self.now = None;
        self
    }

    /// The temporary directory itself; `home`, `tmp` and `work` are in it.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The Hermes root.
    pub(crate) fn root(&self) -> PathBuf {
        self.path().join("home/.hermes")
    }

    /// The default board's file.
    pub(crate) fn board(&self) -> PathBuf {
        self.root().join("kanban.db")
    }

    /// The working directory of commands.
    pub(crate) fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    /// Any program with the sandbox's environment and nothing of ours but `PATH`.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path().join("home"))
            .env("TMPDIR", self.path().join("tmp"))
            .env("HERMES_KANBAN_HOME", self.root())
            .env("COLUMNS", "100")
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .current_dir(self.work());
        if let Some(now) = self.now {
            command.env("KANBANCTL_NOW", now.to_string());
        }
        command
    }

    /// `kanbanctl ARGS`, not yet started; add variables or a working directory before [`Sandbox::finish`].
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = self.program(KANBANCTL);
        command.args(args);
        command
    }

    /// Runs `kanbanctl ARGS` with nothing on stdin.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Output {
        self.finish(self.command(args), b"")
    }

    /// Runs `kanbanctl ARGS` with `input` on stdin.
    pub(crate) fn run_with<S: AsRef<OsStr>>(&self, args: &[S], input: impl AsRef<[u8]>) -> Output {
        self.finish(self.command(args), input.as_ref())
    }

    /// Runs a prepared command to its end.
    pub(crate) fn finish(&self, mut command: Command, input: &[u8]) -> Output {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let begun = {
            let _alone = FORKS.write().unwrap_or_else(PoisonError::into_inner);
            command.spawn()
        };
        let mut child = begun.unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        let mut stdin = child.stdin.take().unwrap();
        let output = std::thread::scope(|scope| {
            // A program that does not read its input closes the pipe: no concern of the sandbox.
            scope.spawn(move || drop(stdin.write_all(input)));
            child.wait_with_output().unwrap()
        });
        Output {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            bytes: output.stdout,
            status: output.status,
            sandbox: self.path().to_path_buf(),
        }
    }

    /// Every entry below the Hermes root with its size, modification time and contents: what must not change.
    pub(crate) fn photograph(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        photograph(&self.root(), &mut entries);
        entries.sort();
        entries
    }
}

/// One directory entry as it was at one moment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    path: PathBuf,
    modified: (i64, i64),
    inode: u64,
    contents: Vec<u8>,
}

/// Names and sizes; contents would drown the message of a failed comparison.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = self.contents.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        write!(
            f,
            "{} inode {} {} bytes {hash:016x} modified {:?}",
            self.path.display(),
            self.inode,
            self.contents.len(),
            self.modified
        )
    }
}

fn photograph(directory: &Path, entries: &mut Vec<Entry>) {
    use std::os::unix::fs::MetadataExt;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        let contents = if metadata.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        entries.push(Entry { path: path.clone(), modified, inode: metadata.ino(), contents });
        if metadata.is_dir() {
            photograph(&path, entries);
        }
    }
}

/// How a command ended. Shows itself as stdout, stderr and exit status in one text, with paths and ids replaced
/// by stable names, for one inline snapshot.
#[derive(Debug)]
pub(crate) struct Output {
    /// What it wrote to stdout, as text.
    pub(crate) stdout: String,
    /// What it wrote to stderr.
    pub(crate) stderr: String,
    /// What it wrote to stdout, byte for byte.
    pub(crate) bytes: Vec<u8>,
    status: ExitStatus,
    sandbox: PathBuf,
}

impl Output {
    /// The exit status as a shell shows it: 128 + N after a signal.
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| 128 + self.status.signal().unwrap_or(0))
    }

    /// Fails the test unless the command ended with 0.
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        self.exits(0)
    }

    /// Fails the test unless the command ended with `code`.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "unexpected exit status\n{self}");
        self
    }

    /// Fails the test unless stderr contains `text`.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "stderr does not say {text:?}\n{self}");
        self
    }

    /// stdout without its last newline: the id that `create` printed.
    #[track_caller]
    pub(crate) fn line(&self) -> &str {
        let line = self.stdout.strip_suffix('\n').unwrap_or(&self.stdout);
        assert!(!line.contains('\n'), "more than one line\n{self}");
        line
    }

    /// stdout as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not JSON: {error}\n{self}"))
    }

    /// The `data` of the JSON envelope on stdout.
    #[track_caller]
    pub(crate) fn data(&self) -> serde_json::Value {
        self.json().get("data").cloned().unwrap_or_else(|| panic!("no data\n{self}"))
    }

    /// The JSON error envelope, the last line of stderr.
    #[track_caller]
    pub(crate) fn error(&self) -> serde_json::Value {
        let last = self.stderr.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("no JSON error: {error}\n{self}"))
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Names::new(&self.sandbox);
        let (mut ids, stdout) = names.stable(&self.stdout, Vec::new());
        f.write_str(&stdout)?;
        if !self.stderr.is_empty() {
            let stderr;
            (ids, stderr) = names.stable(&self.stderr, ids);
            write!(f, "------- stderr -------\n{stderr}")?;
        }
        drop(ids);
        if self.code() != 0 {
            write!(f, "[exit status: {}]", self.code())?;
        }
        Ok(())
    }
}

/// Replaces what differs from run to run: the sandbox's path by `$SANDBOX`, task ids by `t_00000001` onwards in
/// order of appearance (the same width, so that tables keep their shape).
struct Names {
    paths: Vec<String>,
}

impl Names {
    fn new(sandbox: &Path) -> Self {
        let resolved = sandbox.canonicalize().unwrap_or_else(|_| sandbox.to_path_buf());
        Self { paths: vec![resolved.display().to_string(), sandbox.display().to_string()] }
    }

    fn stable(&self, text: &str, mut ids: Vec<String>) -> (Vec<String>, String) {
        use fmt::Write;
        let text = self.paths.iter().fold(text.to_owned(), |text, path| text.replace(path, "$SANDBOX"));
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find("t_") {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let Some(id) = from.get(..10).filter(|id| is_task_id(id)) else {
                out.push_str("t_");
                rest = &from[2..];
                continue;
            };
            let number = ids.iter().position(|known| known == id).unwrap_or_else(|| {
                ids.push(id.to_owned());
                ids.len() - 1
            });
            write!(out, "t_{:08}", number + 1).unwrap();
            rest = &from[10..];
        }
        out.push_str(rest);
        (ids, out)
    }
}

fn is_task_id(id: &str) -> bool {
    id[2..].bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[test]
fn output_is_normalised() {
    let sandbox = Sandbox::new();
    let names = Names::new(sandbox.path());
    let text = format!("{}/x t_deadbeef at_risk t_0badcafe t_deadbeef", sandbox.path().display());
    assert_eq!(names.stable(&text, Vec::new()).1, "$SANDBOX/x t_00000001 at_risk t_00000002 t_00000001");
}
