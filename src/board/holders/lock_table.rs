//! Which process holds which lock on the board's files, and on which bytes, from `/proc/locks`.
//!
//! A lock in the table is certain. A missing one proves nothing: a process can lose its locks and go on writing (F11).

use super::{HolderRole, Target};

/// One lock on one of the board's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LockHolder {
    pub(super) role: HolderRole,
    /// Nothing when the process is out of sight.
    pub(super) pid: Option<u32>,
    /// Whether it keeps everybody else out.
    pub(super) exclusive: bool,
    /// The first and the last locked byte.
    pub(super) range: (u64, u64),
}

/// The locks of other processes than `me` on `targets`. `device` is how mountinfo writes the filesystem's number, which
/// on some (btrfs, overlay) is another than `stat` gives.
pub(super) fn held(
    table: &str,
    targets: &[Target],
    device: Option<(u32, u32)>,
    me: Option<u32>,
) -> Vec<LockHolder> {
    table
        .lines()
        .filter_map(Lock::parse)
        .filter(|lock| !lock.waits && me.map(i64::from) != Some(lock.pid))
        .filter_map(|lock| {
            let role = targets.iter().find(|target| lock.is_on(target, device))?.role;
            let pid = u32::try_from(lock.pid).ok().filter(|&pid| pid != 0);
            Some(LockHolder { role, pid, exclusive: lock.exclusive, range: lock.range })
        })
        .collect()
}

/// The table as it is now.
pub(super) fn text() -> String {
    std::fs::read_to_string("/proc/locks").unwrap_or_default()
}

#[derive(Debug)]
struct Lock {
    waits: bool,
    exclusive: bool,
    pid: i64,
    major: u32,
    minor: u32,
    ino: u64,
    range: (u64, u64),
}

impl Lock {
    /// `1: POSIX  ADVISORY  READ 1234 fe:00:131077 128 128` (proc(5)); a waiter has `->` after the number.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace().skip(1).peekable();
        let waits = fields.next_if_eq(&"->").is_some();
        let exclusive = fields.nth(2)? == "WRITE";
        let pid = fields.next()?.parse().ok()?;
        let mut place = fields.next()?.split(':');
        let major = u32::from_str_radix(place.next()?, 16).ok()?;
        let minor = u32::from_str_radix(place.next()?, 16).ok()?;
        let ino = place.next()?.parse().ok()?;
        let first = fields.next()?.parse().ok()?;
        let last = fields.next().and_then(|last| last.parse().ok()).unwrap_or(u64::MAX);
        Some(Self { waits, exclusive, pid, major, minor, ino, range: (first, last) })
    }

    fn is_on(&self, target: &Target, device: Option<(u32, u32)>) -> bool {
        let here = Some((self.major, self.minor));
        target.identity.is_some_and(|identity| {
            identity.ino == self.ino
                && (here == device
                    || here == Some((rustix::fs::major(identity.dev), rustix::fs::minor(identity.dev))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_lines_are_read() {
        let lock = Lock::parse("7: POSIX  ADVISORY  READ 1234 fe:00:131077 128 128").unwrap();
        assert_eq!((lock.pid, lock.major, lock.minor, lock.ino), (1234, 0xfe, 0, 131_077));
        assert!(!lock.waits && !lock.exclusive && lock.range == (128, 128));
        let waiter = Lock::parse("7: -> FLOCK  ADVISORY  WRITE 99 00:2a:5 0 EOF").unwrap();
        assert!(waiter.waits && waiter.exclusive);
        assert_eq!((waiter.pid, waiter.minor, waiter.range), (99, 0x2a, (0, u64::MAX)));
        assert!(Lock::parse("").is_none());
        assert!(Lock::parse("7: POSIX ADVISORY READ x fe:00:1 0 EOF").is_none());
    }
}
