//! What `/proc/PID` says of one process: its command, its age and its kind.
//!
//! Reads the fields of proc(5) by which a holder is named and judged. All users may read them unless `/proc` is mounted with
//! `hidepid`. Not here: the files that it has open ([`super::descriptors`]).

/// The kernel's mark of its own threads in `/proc/PID/stat` (`PF_KTHREAD`); they open no files of ours.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// Clock ticks a second in `/proc` (`USER_HZ`, 100 on every Linux that Rust's standard library supports).
const TICKS: i64 = 100;

/// A command line is shown up to this many characters.
const COMMAND_LENGTH: usize = 200;

/// The field numbers of `/proc/PID/stat` (proc(5) counts from 1).
const STATE: usize = 3;
const FLAGS: usize = 9;
const THREADS: usize = 20;
const STARTED: usize = 22;

/// The kernel's parent of its own threads. It is in sight exactly where `/proc` shows the first pid namespace.
const KTHREADD: u32 = 2;

/// The process that `/proc` takes this one for; nothing where `/proc` belongs to a pid namespace that does not have it.
pub(super) fn me() -> Option<u32> {
    std::fs::read_link("/proc/self").ok()?.to_str()?.parse().ok()
}

/// The command line of a process, arguments parted by spaces; its short name in brackets when it has none.
pub(super) fn command(pid: u32) -> String {
    let read = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let line = read("cmdline");
    let words: Vec<_> =
        line.split(|&byte| byte == 0).filter(|word| !word.is_empty()).map(String::from_utf8_lossy).collect();
    let text = if words.is_empty() {
        format!("[{}]", String::from_utf8_lossy(&read("comm")).trim())
    } else {
        words.join(" ")
    };
    text.chars().take(COMMAND_LENGTH).collect()
}

/// When a process started, in Unix seconds.
pub(super) fn started(pid: u32) -> Option<i64> {
    let ticks: i64 = stat_field(pid, STARTED)?.parse().ok()?;
    let boot = std::fs::read_to_string("/proc/stat").ok()?;
    let boot: i64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot + ticks / TICKS)
}

/// Whether `pid` cannot hold a file: a thread of the kernel's, or a zombie whose last thread has ended. A zombie with
/// threads left is a process whose first thread has ended; the others may hold what they like.
pub(super) fn holds_nothing(pid: u32) -> bool {
    let Some(stat) = stat(pid) else { return false };
    let dead = field(&stat, STATE).is_some_and(|state| matches!(state, "Z" | "X"));
    let alone = field(&stat, THREADS).is_some_and(|threads| matches!(threads, "0" | "1"));
    is_kernel_thread(&stat) || (dead && alone)
}

/// Whether `/proc` shows every process of the machine, not only those of a container.
pub(super) fn sees_whole_machine() -> bool {
    stat(KTHREADD).is_some_and(|stat| is_kernel_thread(&stat))
}

/// Whether the process sees the same mounts as this one, so that its paths mean the same files. Where that cannot be
/// read, they are taken to.
pub(super) fn same_mounts(pid: u32) -> bool {
    let theirs = std::fs::read_link(format!("/proc/{pid}/ns/mnt"));
    let ours = std::fs::read_link("/proc/self/ns/mnt");
    !matches!((theirs, ours), (Ok(theirs), Ok(ours)) if theirs != ours)
}

fn is_kernel_thread(stat: &str) -> bool {
    field(stat, FLAGS)
        .and_then(|flags| flags.parse::<u64>().ok())
        .is_some_and(|flags| flags & KERNEL_THREAD != 0)
}

fn stat_field(pid: u32, number: usize) -> Option<String> {
    field(&stat(pid)?, number).map(str::to_owned)
}

fn stat(pid: u32) -> Option<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Field `number`, from 3 on: the second is the name in parentheses, which may hold spaces and parentheses itself.
fn field(stat: &str, number: usize) -> Option<&str> {
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_ascii_whitespace().nth(number.checked_sub(3)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_started_in_the_past_and_may_hold_files() {
        let me = me().unwrap();
        let started = started(me).unwrap();
        assert!(started > 0 && started <= crate::process::clock::Clock::Real.epoch() + 1);
        assert!(!holds_nothing(me) && same_mounts(me));
    }

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "12 (a) Z (b)) S 1 12 12 0 -1 2097216 0 0 0 0 0 0 0 0 20 0 1 0 77 0";
        assert_eq!(field(stat, STATE), Some("S"));
        assert_eq!(field(stat, STARTED), Some("77"));
        assert_eq!(field(stat, THREADS), Some("1"));
        assert!(is_kernel_thread(stat));
    }
}
