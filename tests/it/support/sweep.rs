//! Faults injected at every system call of a command, one at a time (`strace -e inject`), and what must hold after each.
//!
//! A scene is built once and copied for each point. The loader's own calls are left out: they end before the program
//! begins. Where there are more points than wanted they are taken evenly, and the table says how many of how many;
//! `KANBANCTL_TEST_EVERY_POINT=1` takes them all.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::Sandbox;
use super::sandbox::{self, KANBANCTL, Output};

/// A fault, and the calls at which it can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Kill,
    NoSpace,
    Io,
    Interrupted,
    Again,
    CtrlC,
    Terminate,
}

impl Fault {
    pub(crate) const ALL: [Self; 6] =
        [Self::Kill, Self::NoSpace, Self::Io, Self::Interrupted, Self::Again, Self::CtrlC];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kill => "KILL",
            Self::NoSpace => "ENOSPC",
            Self::Io => "EIO",
            Self::Interrupted => "EINTR",
            Self::Again => "EAGAIN",
            Self::CtrlC => "INT",
            Self::Terminate => "TERM",
        }
    }

    /// As strace wants to be told.
    fn injection(self) -> String {
        match self {
            Self::Kill | Self::CtrlC | Self::Terminate => format!("signal={}", self.name()),
            other => format!("error={}", other.name()),
        }
    }

    /// Where the kernel can answer so.
    fn calls(self) -> impl Iterator<Item = &'static str> {
        let calls = match self {
            Self::Kill | Self::CtrlC | Self::Terminate => {
                "openat close read pread64 write pwrite64 fsync fdatasync ftruncate fallocate unlink unlinkat rmdir \
                 rename renameat2 linkat mkdir chmod fchmod fcntl flock copy_file_range mmap"
            }
            Self::NoSpace => {
                "openat write pwrite64 ftruncate fallocate mkdir rename renameat2 linkat copy_file_range"
            }
            Self::Io => {
                "openat read pread64 write pwrite64 fsync fdatasync ftruncate fallocate unlink unlinkat rename \
                 renameat2 linkat mkdir statx newfstatat getdents64 copy_file_range"
            }
            Self::Interrupted => "openat read pread64 write pwrite64 fcntl flock ftruncate fallocate fsync",
            Self::Again => "fcntl flock",
        };
        calls.split_ascii_whitespace()
    }

    /// Whether a temporary file may stay until the next run: nobody was left to remove it, or removing it failed.
    fn keeps_files(self, call: &str) -> bool {
        let removing = matches!(call, "unlink" | "unlinkat" | "rmdir" | "statx" | "newfstatat");
        self == Self::Kill || self == Self::Io && removing
    }

    /// Whether the exit code is an answer to this fault at this call.
    fn allows(self, call: &str, code: i32) -> bool {
        // SQLite answers some calls' failure in its own way: what cannot be opened for writing is opened for reading,
        // what cannot be looked at counts as not openable, and the WAL index is grown by writing to it.
        let refusable =
            matches!(call, "openat" | "newfstatat" | "statx" | "mkdir" | "pwrite64" | "ftruncate");
        match self {
            Self::Kill => matches!(code, 0 | 137),
            // Neither opening what exists nor cutting a file short needs room; SQLite does not ask why they failed. What is
            // committed and could not be told is not to be run again.
            Self::NoSpace => {
                matches!(code, 0 | 12) || code == 1 && matches!(call, "openat" | "ftruncate" | "write")
            }
            Self::Io => matches!(code, 0 | 1 | 6) || code == 12 && refusable,
            Self::Interrupted => matches!(code, 0 | 1) || code == 11 && call == "fcntl",
            // A lock that cannot be given back is an I/O error.
            Self::Again => matches!(code, 0 | 1 | 11),
            // Also when it came after the work.
            Self::CtrlC => code == 130,
            Self::Terminate => code == 143,
        }
    }
}

/// What is done to a board, and what must be true of it afterwards.
pub(crate) struct Scene {
    /// Its line in the table.
    pub(crate) name: &'static str,
    /// Builds the board in a sandbox.
    pub(crate) build: fn(&Sandbox),
    /// The command.
    pub(crate) args: &'static [&'static str],
    /// What it reads from stdin.
    pub(crate) input: &'static str,
    /// What is wrong after a run with this output, if anything is. The run may have been cut off anywhere.
    pub(crate) check: fn(&Sandbox, &Output) -> Result<(), String>,
    /// Exit codes of the same command run again without a fault.
    pub(crate) again: &'static [i32],
    /// Names that may be left in the work and board directories when everything has ended well.
    pub(crate) keeps: fn(&str) -> bool,
    /// Exit codes that are an answer here and not everywhere.
    pub(crate) also: &'static [(Fault, i32)],
}

/// One fault at one call.
#[derive(Clone, Debug)]
struct Point {
    fault: Fault,
    call: &'static str,
    number: usize,
}

/// Points tried at most for one fault of one scene, unless every one is wanted.
const MOST_POINTS: usize = 36;

/// The same for verbs that share one machinery.
const FEW_POINTS: usize = 8;

/// Whether a sweep takes every point there is: an hour's work.
pub(crate) fn every_point() -> bool {
    std::env::var_os("KANBANCTL_TEST_EVERY_POINT").is_some()
}

/// Runs every fault at every call of the scene; the lines of the table. Fails when anything is wrong at any point.
pub(crate) fn run(scene: &Scene) -> String {
    run_faults(scene, &Fault::ALL)
}

/// The same for some faults.
pub(crate) fn run_faults(scene: &Scene, faults: &[Fault]) -> String {
    run_points(scene, faults, MOST_POINTS, None)
}

/// The same at fewer points for a verb that is done or not done: what `state` says is then what it was before, or what it is
/// after an undisturbed run, and after success the latter.
pub(crate) fn run_whole(scene: &Scene, state: fn(&Sandbox) -> String) -> String {
    run_points(scene, &Fault::ALL, FEW_POINTS, Some(state))
}

/// What a board holds before a command and after it.
struct States {
    read: fn(&Sandbox) -> String,
    before: String,
    after: String,
}

impl States {
    fn of(scene: &Scene, template: &Sandbox, read: fn(&Sandbox) -> String) -> Self {
        let (untouched, changed) = (copy(template), copy(template));
        changed.run_with(scene.args, scene.input).success();
        let states = Self { read, before: read(&untouched), after: read(&changed) };
        assert_ne!(states.before, states.after, "{} changes nothing", scene.name);
        states
    }

    fn check(&self, sandbox: &Sandbox, output: &Output) -> Result<(), String> {
        let _open = sandbox::FORKS.read().unwrap_or_else(PoisonError::into_inner);
        let state = (self.read)(sandbox);
        if state == self.after || state == self.before && output.code() != 0 {
            return Ok(());
        }
        let known: Vec<&str> = self.before.lines().chain(self.after.lines()).collect();
        let strange: Vec<&str> = state.lines().filter(|line| !known.contains(line)).collect();
        Err(format!("it is neither done nor undone: {strange:?}"))
    }
}

fn run_points(scene: &Scene, faults: &[Fault], most: usize, state: Option<fn(&Sandbox) -> String>) -> String {
    let template = Sandbox::new();
    (scene.build)(&template);
    let calls = baseline(scene, &template);
    let states = state.map(|read| States::of(scene, &template, read));
    let mut table = String::new();
    let mut wrong = Vec::new();
    for &fault in faults {
        let points = points(fault, &calls);
        let most = if every_point() { points.len().max(1) } else { most };
        let step = points.len().div_ceil(most).max(1);
        let chosen: Vec<&Point> = points.iter().step_by(step).collect();
        let Swept { failures, missed } = sweep(scene, &template, states.as_ref(), &chosen);
        writeln!(
            table,
            "{:<28} {:<7} {:>4} of {:>4} points, {missed} not reached, {} failures",
            scene.name,
            fault.name(),
            chosen.len(),
            points.len(),
            failures.len()
        )
        .unwrap();
        wrong.extend(failures);
        if missed * 4 > chosen.len() {
            wrong.push(format!("{} {}: {missed} points were not reached", scene.name, fault.name()));
        }
    }
    eprint!("{table}");
    note(scene.name, &table);
    assert!(wrong.is_empty(), "{table}{} failures:\n{}", wrong.len(), wrong.join("\n\n"));
    table
}

/// Keeps the table where `.ci/run` finds it.
fn note(name: &str, table: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fault-sweeps");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name.replace([' ', '/'], "-")), table).unwrap();
}

/// How often the undisturbed command's first thread makes each call, and how many of those the loader makes.
fn baseline(scene: &Scene, template: &Sandbox) -> BTreeMap<String, (usize, usize)> {
    let sandbox = copy(template);
    let log = sandbox.path().join("tmp/strace.log");
    let mut command = strace(&sandbox);
    command.args(["-f", "-qq", "-o"]).arg(&log).arg(KANBANCTL).args(scene.args);
    let output = sandbox.finish(command, scene.input.as_bytes()).success();
    (scene.check)(&sandbox, &output).unwrap_or_else(|wrong| panic!("{} undisturbed: {wrong}", scene.name));
    let text = std::fs::read_to_string(&log).unwrap();
    let mut calls: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let (mut loading, mut first) = (true, None);
    for line in text.lines() {
        let Some((thread, call)) = line.trim_start().split_once(' ') else { continue };
        let Some((name, _)) = call.trim_start().split_once('(') else { continue };
        // strace counts for each thread by itself; what the first one never reaches would be no point at all.
        if *first.get_or_insert(thread) != thread {
            continue;
        }
        // The runtime's first own call.
        loading &= name != "sigaltstack";
        let (total, loaders) = calls.entry(name.to_owned()).or_default();
        *total += 1;
        *loaders += usize::from(loading);
    }
    assert!(!loading, "no beginning was found in the trace of {}", scene.name);
    calls
}

/// strace, where that can be had in a process namespace of its own: the holder scan then reads a `/proc` of two processes,
/// always the same.
fn strace(sandbox: &Sandbox) -> Command {
    static APART: OnceLock<bool> = OnceLock::new();
    let apart = ["--pid", "--fork", "--mount-proc", "--kill-child"];
    let possible = *APART.get_or_init(|| {
        let tried = Command::new("unshare").args(apart).arg("true").stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    });
    if !possible {
        return sandbox.program("strace");
    }
    let mut command = sandbox.program("unshare");
    command.args(apart).arg("strace");
    command
}

fn points(fault: Fault, calls: &BTreeMap<String, (usize, usize)>) -> Vec<Point> {
    let mut points = Vec::new();
    for call in fault.calls() {
        let (total, loaders) = calls.get(call).copied().unwrap_or_default();
        points.extend((loaders + 1..=total).map(|number| Point { fault, call, number }));
    }
    points
}

/// What came of the points of one fault.
struct Swept {
    failures: Vec<String>,
    /// Points that the run did not reach: how often a command waits and looks again depends on the machine's load.
    missed: usize,
}

/// Tries the points on two threads.
fn sweep(scene: &Scene, template: &Sandbox, states: Option<&States>, points: &[&Point]) -> Swept {
    let (next, missed, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match attempt(scene, template, states, point) {
                        Ok(true) => (),
                        Ok(false) => _ = missed.fetch_add(1, Ordering::Relaxed),
                        Err(text) => wrong.lock().unwrap().push(text),
                    }
                }
            });
        }
    });
    Swept { failures: wrong.into_inner().unwrap(), missed: missed.into_inner() }
}

/// False if the run made fewer of these calls than the undisturbed one, so that nothing was injected.
fn attempt(
    scene: &Scene,
    template: &Sandbox,
    states: Option<&States>,
    point: &Point,
) -> Result<bool, String> {
    let sandbox = copy(template);
    let log = sandbox.path().join("strace.log");
    let inject = format!("inject={}:{}:when={}", point.call, point.fault.injection(), point.number);
    let mut command = strace(&sandbox);
    command.args(["-f", "-qq", "-e", &format!("trace={}", point.call), "-e", &inject, "-o"]).arg(&log);
    command.arg(KANBANCTL).args(scene.args);
    let output = sandbox.finish(command, scene.input.as_bytes());
    let trace = std::fs::read_to_string(&log).unwrap_or_default();
    if !["(INJECTED)", "--- SIG", "+++ killed by"].iter().any(|sign| trace.contains(sign)) {
        return Ok(false);
    }
    let said = |wrong: String| {
        Err(format!(
            "{} {}: strace -f -e {inject} kanbanctl {}: {wrong}\n{output}",
            scene.name,
            point.fault.name(),
            scene.args.join(" ")
        ))
    };
    if let Err(wrong) = judge(scene, point, &output).and_then(|()| check(scene, &sandbox, &output)) {
        return said(wrong);
    }
    if let Some(Err(wrong)) = states.map(|states| states.check(&sandbox, &output)) {
        return said(wrong);
    }
    let left = leftovers(scene, &sandbox);
    if !left.is_empty() && !point.fault.keeps_files(point.call) {
        return said(format!("left behind: {left:?}"));
    }
    let second = sandbox.run_with(scene.args, scene.input);
    if !scene.again.contains(&second.code()) {
        return said(format!("the next run ended with {}\n{second}", second.code()));
    }
    if let Err(wrong) = check(scene, &sandbox, &second) {
        return said(format!("after the next run: {wrong}\n{second}"));
    }
    let left = leftovers(scene, &sandbox);
    if left.is_empty() { Ok(true) } else { said(format!("left behind by the next run: {left:?}")) }
}

/// No child begins meanwhile: it would have the board open, and the next run would find it.
fn check(scene: &Scene, sandbox: &Sandbox, output: &Output) -> Result<(), String> {
    let _open = sandbox::FORKS.read().unwrap_or_else(PoisonError::into_inner);
    (scene.check)(sandbox, output)
}

/// The exit code fits the fault, and there is a message that is no panic.
fn judge(scene: &Scene, point: &Point, output: &Output) -> Result<(), String> {
    let code = output.code();
    if output.stderr.contains("panicked") || matches!(code, 101 | 134 | 139) {
        return Err(format!("it panicked ({code})"));
    }
    if !point.fault.allows(point.call, code) && !scene.also.contains(&(point.fault, code)) {
        return Err(format!("exit status {code} is no answer to {}", point.fault.name()));
    }
    let silent = output.stderr.trim().is_empty();
    // Before its handlers stand a signal ends the process as it ends any other.
    if silent && !matches!(code, 0 | 130 | 137 | 143) {
        Err(format!("exit status {code} without a word"))
    } else {
        Ok(())
    }
}

fn leftovers(scene: &Scene, sandbox: &Sandbox) -> Vec<String> {
    let mut left = Vec::new();
    for folder in [sandbox.root(), sandbox.work(), sandbox.path().join("tmp")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let ours = name.starts_with("kanban.db") && !name.contains(".tmp");
            if !ours && !(scene.keeps)(&name) {
                left.push(name);
            }
        }
    }
    left
}

/// The scene in a sandbox of its own.
fn copy(template: &Sandbox) -> Sandbox {
    let sandbox = Sandbox::new();
    for (from, to) in [(template.root(), sandbox.root()), (template.work(), sandbox.work())] {
        copy_into(&from, &to);
    }
    sandbox
}

fn copy_into(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_into(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// Whether sweeps are wanted; a loud line when not.
pub(crate) fn wanted() -> bool {
    static SAID: OnceLock<bool> = OnceLock::new();
    *SAID.get_or_init(|| {
        let set = |name: &str| std::env::var_os(name).is_some();
        let wanted = set("KANBANCTL_TEST_TRACES") && set("KANBANCTL_TEST_SLOW");
        if !wanted {
            eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_TRACES=1, KANBANCTL_TEST_SLOW=1 and strace");
        }
        wanted
    })
}
