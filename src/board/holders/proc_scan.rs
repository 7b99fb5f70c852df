//! `/proc`: who has which file open, and who holds which lock.
//!
//! Responsible for reading descriptors by device and inode, deleted ones too, and for saying when some processes could
//! not be read. Nothing here opens a file of the board: `stat` on `/proc/PID/fd/N` drops no locks.

use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Completeness, HeldFile, Holder, Holders, Role, Target};
use crate::failure::{Failure, Outcome};

/// The kernel's mark of its own threads in `/proc/PID/stat` (`PF_KTHREAD`); they open no files of ours.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// Clock ticks a second in `/proc` (`USER_HZ`, 100 on every Linux that Rust's standard library supports).
const TICKS: i64 = 100;

/// A command line is shown up to this many characters.
const COMMAND_LENGTH: usize = 200;

/// What the kernel adds to a link whose file has lost its name.
const DELETED: &[u8] = b" (deleted)";

/// Every other process with one of `targets` open.
pub(super) fn descriptors(targets: &[Target]) -> Outcome<Holders> {
    let entries = std::fs::read_dir("/proc").map_err(|error| Failure::io(error, "listing /proc"))?;
    let me = std::process::id();
    let mut found = Vec::new();
    let mut unread = Unread::default();
    let access = Access::of(targets);
    for entry in entries.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if pid == me {
            continue;
        }
        match held_by(pid, targets) {
            Ok(files) if files.is_empty() => {}
            Ok(files) => {
                found.push(Holder { pid: Some(pid), command: command(pid), files, since: started(pid) });
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                unread.count(pid, entry.metadata().ok(), &access);
            }
            // The process has ended meanwhile.
            Err(_) => {}
        }
    }
    found.sort_by_key(|holder| holder.pid);
    Ok(Holders { found, complete: unread.verdict() })
}

fn held_by(pid: u32, targets: &[Target]) -> std::io::Result<Vec<HeldFile>> {
    let mut held = Vec::new();
    let mut orphans = Vec::new();
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd"))? {
        let Ok(entry) = entry else { continue };
        let Ok(link) = std::fs::read_link(entry.path()) else { continue };
        if !link.is_absolute() {
            continue;
        }
        let Ok(meta) = std::fs::metadata(entry.path()) else { continue };
        let fd = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(target) = targets.iter().find(|target| target.identity == Some((meta.dev(), meta.ino())))
        {
            held.push(HeldFile { role: target.role, deleted: false, fd });
        } else if let Some(name) = link.as_os_str().as_bytes().strip_suffix(DELETED) {
            orphans.push((OsString::from(OsStr::from_bytes(name)), meta.dev(), fd));
        }
    }
    let holds_board = held.iter().any(|file| file.role.is_database());
    for (name, dev, fd) in orphans {
        if let Some(role) = orphan_role(&name, dev, targets, holds_board) {
            held.push(HeldFile { role, deleted: true, fd });
        }
    }
    Ok(held)
}

/// What a deleted file was to the board. Another mount namespace spells the path differently, so for a process that
/// holds a file of the board anyway, the last component on the same device is enough.
fn orphan_role(name: &OsStr, dev: u64, targets: &[Target], holds_board: bool) -> Option<Role> {
    let name = Path::new(name);
    let device = targets.iter().find_map(|target| target.identity).map(|(dev, _)| dev);
    targets
        .iter()
        .filter(|target| target.role.is_database())
        .find(|target| {
            target.path == name
                || (holds_board && device == Some(dev) && target.path.file_name() == name.file_name())
        })
        .map(|target| target.role)
}

/// The locks of other processes on `targets`, by `/proc/locks`. `device` is how mountinfo writes the filesystem's
/// number, which on some (btrfs, overlay) is another than `stat` gives.
pub(super) fn locks(targets: &[Target], device: Option<(u32, u32)>) -> Vec<(Role, Option<u32>)> {
    let table = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let me = i64::from(std::process::id());
    table
        .lines()
        .filter_map(Lock::parse)
        .filter(|lock| lock.pid != me)
        .filter_map(|lock| {
            let role = targets.iter().find(|target| lock.is_on(target, device))?.role;
            Some((role, u32::try_from(lock.pid).ok().filter(|&pid| pid != 0)))
        })
        .collect()
}

struct Lock {
    pid: i64,
    major: u32,
    minor: u32,
    ino: u64,
}

impl Lock {
    /// `1: POSIX  ADVISORY  READ 1234 fe:00:131077 128 128` (proc(5)); a waiter has `->` after the number.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace().filter(|field| *field != "->").skip(4);
        let pid = fields.next()?.parse().ok()?;
        let mut place = fields.next()?.split(':');
        let major = u32::from_str_radix(place.next()?, 16).ok()?;
        let minor = u32::from_str_radix(place.next()?, 16).ok()?;
        Some(Self { pid, major, minor, ino: place.next()?.parse().ok()? })
    }

    fn is_on(&self, target: &Target, device: Option<(u32, u32)>) -> bool {
        let here = Some((self.major, self.minor));
        target.identity.is_some_and(|(dev, ino)| {
            ino == self.ino
                && (here == device || here == Some((rustix::fs::major(dev), rustix::fs::minor(dev))))
        })
    }
}

/// Who may open the board: what decides whether a process that could not be read matters.
struct Access {
    owner: Option<u32>,
    others_may: bool,
}

impl Access {
    fn of(targets: &[Target]) -> Self {
        let database = targets.iter().find(|target| target.role == Role::Db);
        let file = database.and_then(|target| std::fs::metadata(&target.path).ok());
        let folder =
            database.and_then(|target| target.path.parent()).and_then(|path| std::fs::metadata(path).ok());
        let others = |meta: &Metadata, bits: u32| meta.mode() & bits != 0;
        Self {
            owner: file.as_ref().map(MetadataExt::uid),
            others_may: file.as_ref().is_none_or(|meta| others(meta, 0o066))
                && folder.as_ref().is_none_or(|meta| others(meta, 0o011)),
        }
    }

    fn allows(&self, uid: u32) -> bool {
        uid == 0 || self.owner.is_none_or(|owner| owner == uid) || self.others_may
    }
}

#[derive(Default)]
struct Unread {
    processes: usize,
    example: Option<String>,
}

impl Unread {
    fn count(&mut self, pid: u32, meta: Option<Metadata>, access: &Access) {
        if is_kernel_thread(pid) || meta.is_some_and(|meta| !access.allows(meta.uid())) {
            return;
        }
        self.processes += 1;
        self.example.get_or_insert_with(|| format!("{pid} ({})", command(pid)));
    }

    fn verdict(self) -> Completeness {
        if let Some(example) = self.example {
            let reason = format!(
                "{} processes of other users that could open it cannot be read, {example} among them",
                self.processes
            );
            return Completeness::Partial { reason };
        }
        if hides_processes() {
            return Completeness::Partial {
                reason: "/proc is mounted with hidepid, so processes of other users are out of sight"
                    .to_owned(),
            };
        }
        Completeness::Complete
    }
}

/// Whether `/proc` shows this process only its own user's processes. Root sees all of them in any case.
fn hides_processes() -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    !rustix::process::geteuid().is_root()
        && mounts.lines().filter(|line| line.split(' ').nth(4) == Some("/proc")).any(|line| {
            line.split([' ', ','])
                .filter_map(|option| option.strip_prefix("hidepid="))
                .any(|level| level != "0" && level != "off")
        })
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
    let ticks: i64 = stat_field(pid, 22)?.parse().ok()?;
    let boot = std::fs::read_to_string("/proc/stat").ok()?;
    let boot: i64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot + ticks / TICKS)
}

fn is_kernel_thread(pid: u32) -> bool {
    stat_field(pid, 9)
        .and_then(|flags| flags.parse::<u64>().ok())
        .is_some_and(|flags| flags & KERNEL_THREAD != 0)
}

/// Field `number` (proc(5) counts from 1, and from 3 on after the name in parentheses) of `/proc/PID/stat`.
fn stat_field(pid: u32, number: usize) -> Option<String> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_ascii_whitespace().nth(number.checked_sub(3)?).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_lines_are_read() {
        let lock = Lock::parse("7: POSIX  ADVISORY  READ 1234 fe:00:131077 128 128").unwrap();
        assert_eq!((lock.pid, lock.major, lock.minor, lock.ino), (1234, 0xfe, 0, 131_077));
        let waiter = Lock::parse("7: -> FLOCK  ADVISORY  WRITE 99 00:2a:5 0 EOF").unwrap();
        assert_eq!((waiter.pid, waiter.minor), (99, 0x2a));
        assert!(Lock::parse("").is_none());
        assert!(Lock::parse("7: POSIX ADVISORY READ x fe:00:1 0 EOF").is_none());
    }

    #[test]
    fn this_process_started_in_the_past() {
        let started = started(std::process::id()).unwrap();
        assert!(started > 0 && started <= crate::clock::Clock::Real.epoch() + 1);
    }
}
