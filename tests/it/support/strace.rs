//! What a command does to files, by its system calls (`KANBANCTL_TEST_TRACES=1`; needs strace).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Sandbox;
use super::sandbox::{KANBANCTL, Output};

/// Whether traces are wanted; a loud line when not.
pub(crate) fn wanted() -> bool {
    let wanted = std::env::var_os("KANBANCTL_TEST_TRACES").is_some();
    if !wanted {
        eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_TRACES=1 and strace");
    }
    wanted
}

/// One system call on a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A file was opened: its descriptor and the flags as strace prints them.
    Open { path: PathBuf, descriptor: i32, flags: String },
    /// A descriptor was closed.
    Close { descriptor: i32 },
    /// A name went away or changed.
    Unlink { line: String },
}

impl Call {
    /// SQLite opens with `O_NOFOLLOW`; a plain `File::open` does not.
    pub(crate) fn is_sqlite(flags: &str) -> bool {
        flags.contains("O_NOFOLLOW")
    }
}

/// Runs `kanbanctl ARGS` under strace; its output and the calls of all its threads in order.
pub(crate) fn run(sandbox: &Sandbox, args: &[&str]) -> (Output, Vec<Call>) {
    let log = sandbox.path().join("tmp/strace.log");
    let mut command = sandbox.program("strace");
    command
        .args([
            "-f",
            "-qq",
            "-s",
            "512",
            "-e",
            "trace=open,openat,close,unlink,unlinkat,rename,renameat,renameat2",
        ])
        .arg("-o")
        .arg(&log)
        .arg(KANBANCTL)
        .args(args);
    let output = sandbox.finish(command, b"");
    let text = std::fs::read_to_string(&log).unwrap();
    (output, parse(&text, &sandbox.work()))
}

/// Reads strace's log; calls that another thread interrupted are put together again.
fn parse(log: &str, directory: &Path) -> Vec<Call> {
    let mut pending = BTreeMap::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let (process, text) = line.trim_start().split_once(' ').unwrap_or(("", line));
        let text = text.trim_start();
        let whole = if let Some((start, _)) = text.split_once(" <unfinished ...>") {
            pending.insert(process, start.to_owned());
            continue;
        } else if let Some((_, end)) = text.split_once(" resumed>") {
            pending.remove(process).unwrap_or_default() + end
        } else {
            text.to_owned()
        };
        calls.extend(call(&whole, directory));
    }
    calls
}

fn call(line: &str, directory: &Path) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let result: i32 = result.split_whitespace().next()?.parse().ok()?;
    match name {
        _ if result < 0 => None,
        "open" | "openat" => {
            let mut quoted = arguments.split('"');
            let path = directory.join(quoted.nth(1)?);
            let flags = quoted.next()?.trim_start_matches(", ").to_owned();
            Some(Call::Open { path, descriptor: result, flags })
        }
        "close" => Some(Call::Close { descriptor: arguments.parse().ok()? }),
        _ => Some(Call::Unlink { line: line.to_owned() }),
    }
}

#[test]
fn strace_lines_are_read() {
    let log = "7 openat(AT_FDCWD, \"/b/kanban.db\", O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC, 0644) = 4\n\
               7 openat(AT_FDCWD, \"none\", O_RDONLY) = -1 ENOENT (No such file)\n\
               7 close(4 <unfinished ...>\n8 unlink(\"/x\") = 0\n7 <... close resumed>)         = 0\n";
    let calls = parse(log, Path::new("/w"));
    assert_eq!(calls.len(), 3, "{calls:?}");
    let Call::Open { path, descriptor: 4, flags } = &calls[0] else { panic!("{calls:?}") };
    assert!(path == Path::new("/b/kanban.db") && Call::is_sqlite(flags), "{calls:?}");
    assert_eq!(calls[2], Call::Close { descriptor: 4 });
}
