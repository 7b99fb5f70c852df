//! Whether the process that a task names as its worker lives, and ending it.
//!
//! A number alone names no process for long. Hermes 0.22.2 records when the worker began, as `BOOT:START|START`; with that
//! a process that was given the number later is told apart. Everything is read from `/proc`.
//! Not here: which task names which worker ([`crate::store`]).

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// What Hermes writes where it could not read when a worker began.
const UNVERIFIED: &str = "unverified";
/// How long a worker may take to end by itself, and how often it is looked at.
const GRACE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// What a row records about when the worker began.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkerStart {
    /// Nothing: the row is older than the record.
    Unrecorded,
    /// Hermes could not read it.
    Unverified,
    /// The boot, the start of process 1, and the worker's own start.
    Identity(String),
    /// The worker's start in clock ticks since the boot.
    Ticks(f64),
}

impl WorkerStart {
    /// Read the value of the column as text, where it is text.
    pub fn of_text(text: &str) -> Self {
        match text {
            UNVERIFIED => Self::Unverified,
            _ if text.contains('|') => Self::Identity(text.to_owned()),
            _ => Self::Ticks(text.parse().unwrap_or(0.0)),
        }
    }
}

/// True if the process exists and is no zombie.
pub fn exists(pid: i64) -> bool {
    stat(pid).is_some_and(|stat| stat.state != 'Z')
}

/// True if the process exists and is the one that the row names, as far as the row tells.
pub fn is_alive(pid: i64, start: &WorkerStart) -> bool {
    exists(pid) && (*start == WorkerStart::Unverified || !is_recycled(pid, start))
}

/// True if the number has been given to another process since.
pub fn is_recycled(pid: i64, start: &WorkerStart) -> bool {
    match start {
        WorkerStart::Unrecorded => false,
        WorkerStart::Unverified => true,
        WorkerStart::Identity(identity) => identity_of(pid).as_ref() != Some(identity),
        WorkerStart::Ticks(then) => stat(pid)
            .and_then(|stat| stat.start.parse::<f64>().ok())
            .is_none_or(|now| now <= 0.0 || *then <= 0.0 || (now - then).abs() > 0.001),
    }
}

/// What ending a worker came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "Hermes keeps each of these facts under a key of its own")]
pub struct Ending {
    /// True if a signal was sent, or would have been.
    pub attempted: bool,
    /// True if the worker is gone.
    pub gone: bool,
    /// True if it had to be killed.
    pub killed: bool,
    /// True if the number belongs to another process.
    pub recycled: bool,
    /// True if the record does not allow a signal.
    pub refused: bool,
}

/// End a worker: TERM, some seconds, KILL. A process that is not known to be the worker gets no signal.
pub fn end(pid: i64, start: &WorkerStart) -> Ending {
    let mut ending = Ending::default();
    if *start == WorkerStart::Unverified {
        return Ending { refused: true, gone: !exists(pid), ..ending };
    }
    if exists(pid) && is_recycled(pid, start) {
        return Ending { gone: true, recycled: true, ..ending };
    }
    let Some(process) = i32::try_from(pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw) else {
        return ending;
    };
    ending.attempted = true;
    match kill_process(process, Signal::TERM) {
        Ok(()) => {}
        Err(error) => return Ending { gone: error == rustix::io::Errno::SRCH, ..ending },
    }
    let begun = Instant::now();
    while begun.elapsed() < GRACE {
        if !is_alive(pid, start) {
            return Ending { gone: true, ..ending };
        }
        std::thread::sleep(PAUSE);
    }
    if is_alive(pid, start) {
        ending.killed = kill_process(process, Signal::KILL).is_ok();
        std::thread::sleep(PAUSE);
    }
    ending.gone = !is_alive(pid, start);
    ending
}

/// The name of this machine, as a claim begins with it.
pub fn host() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "unknown".to_owned() } else { name }
}

/// The process that runs this program for somebody: it lives on when this one has ended.
pub fn caller() -> i32 {
    rustix::process::getppid()
        .map_or_else(|| Pid::as_raw(Some(rustix::process::getpid())), |pid| Pid::as_raw(Some(pid)))
}

/// The two fields of `/proc/PID/stat` that matter.
struct Stat {
    state: char,
    start: String,
}

/// Read what the kernel says of a process; nothing where there is none. The name in it may hold blanks and parentheses.
fn stat(pid: i64) -> Option<Stat> {
    if pid <= 0 {
        return None;
    }
    let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some(Stat { state, start: fields.nth(18)?.to_owned() })
}

/// The boot, the start of process 1 and the start of the process, as Hermes joins them.
fn identity_of(pid: i64) -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let first = stat(1).map(|stat| stat.start).unwrap_or_default();
    Some(format!("{}:{first}|{}", boot.trim(), stat(pid)?.start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_with_another_start_is_another_process() {
        let own = i64::from(std::process::id());
        let identity = WorkerStart::of_text(&identity_of(own).unwrap());
        assert!(is_alive(own, &identity) && is_alive(own, &WorkerStart::Unrecorded));
        assert!(is_alive(own, &WorkerStart::Unverified));
        assert!(
            !is_alive(own, &WorkerStart::of_text("boot:24|1")) && !is_alive(own, &WorkerStart::Ticks(1.0))
        );
        assert!(!exists(0) && !exists(-1) && !exists(i64::MAX));
    }

    #[test]
    fn process_that_is_not_the_worker_gets_no_signal() {
        let own = i64::from(std::process::id());
        let foreign = end(own, &WorkerStart::of_text("boot:24|1"));
        assert!(foreign.recycled && foreign.gone && !foreign.attempted);
        let unverified = end(own, &WorkerStart::Unverified);
        assert!(unverified.refused && !unverified.gone && !unverified.attempted);
    }
}
