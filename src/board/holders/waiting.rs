//! Names the process that is in the way while a lock is waited for, about once a second.
//!
//! Reads `/proc` alone. This process has the board open by then, so closing a descriptor of it would drop its locks (F11).
//! Not here: where the words are shown.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::lock_table::{self, LockHolder};
use super::{HolderRole, process, targets};
use crate::board::filesystem;
use crate::ondisk::header;

/// A shorter wait is not worth a word.
const PATIENCE: Duration = Duration::from_millis(500);
const PERIOD: Duration = Duration::from_secs(1);

/// SQLite's lock bytes in a database file ("File Locking And Concurrency", os.h of its sources: `PENDING_BYTE` and the two
/// behind it) and in a WAL index ("WAL-mode file format", section 2.3).
const PENDING: u64 = header::LOCK_BYTES_AT;
const SHARED_LAST: u64 = PENDING + 2 + 509;
const WAL_WRITE: u64 = 120;
const WAL_CHECKPOINT: u64 = 121;
const WAL_RECOVER: u64 = 122;
const WAL_READ: std::ops::RangeInclusive<u64> = 123..=127;

/// Takes what is to be shown, and nothing when there is nothing to show any more.
type Show = dyn Fn(Option<&str>) + Send + Sync;

/// Somebody who is told who is in the way, or nobody.
#[derive(Clone, Default)]
pub struct Onlooker(Option<Arc<Inner>>);

struct Inner {
    show: Box<Show>,
    state: Mutex<WaitState>,
}

#[derive(Default)]
struct WaitState {
    looked: Option<Instant>,
    /// Who was in the way at the last look, and since when.
    seen: Option<(Option<u32>, Instant)>,
    shown: bool,
}

impl fmt::Debug for Onlooker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Onlooker").field(&self.0.is_some()).finish()
    }
}

impl Onlooker {
    /// Tells `show`.
    pub fn new(show: impl Fn(Option<&str>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Inner { show: Box::new(show), state: Mutex::default() })))
    }

    /// Says who is in the way of the board at `resolved`, which was chosen as `chosen`, to somebody who has waited since
    /// `since`. Cheap when called often.
    pub fn waits(&self, chosen: &Path, resolved: &Path, since: Instant) {
        let Some(inner) = &self.0 else { return };
        let mut state = inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let soon = state.looked.is_some_and(|looked| looked.elapsed() < PERIOD);
        if soon || since.elapsed() < PATIENCE {
            return;
        }
        let now = Instant::now();
        state.looked = Some(now);
        let blocker = blocker(chosen, resolved);
        let pid = blocker.and_then(|(_, pid)| pid);
        let first = match state.seen {
            None => since,
            Some((known, first)) if known == pid => first,
            Some(_) => now,
        };
        state.seen = Some((pid, first));
        state.shown = true;
        (inner.show)(Some(&words(blocker, now.saturating_duration_since(first))));
    }

    /// Says that the wait is over.
    pub fn over(&self) {
        let Some(inner) = &self.0 else { return };
        let mut state = inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut state.shown) {
            (inner.show)(None);
        }
        *state = WaitState::default();
    }
}

/// What the holder of a lock does; the first is most in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Writes,
    HoldsFile,
    Recovers,
    WritesBack,
    Reads,
}

impl Deed {
    fn of(held: &LockHolder) -> Option<Self> {
        let (first, last) = held.range;
        let covers = |byte: u64| (first..=last).contains(&byte);
        match held.role {
            HolderRole::Shm if held.exclusive && covers(WAL_WRITE) => Some(Self::Writes),
            HolderRole::Shm if held.exclusive && covers(WAL_RECOVER) => Some(Self::Recovers),
            HolderRole::Shm if held.exclusive && covers(WAL_CHECKPOINT) => Some(Self::WritesBack),
            HolderRole::Shm if WAL_READ.clone().any(covers) => Some(Self::Reads),
            HolderRole::Db
                if held.exclusive && (covers(PENDING) || covers(PENDING + 1) || covers(SHARED_LAST)) =>
            {
                Some(Self::Writes)
            }
            HolderRole::Db if covers(SHARED_LAST) => Some(Self::Reads),
            HolderRole::InitLock | HolderRole::DispatchLock => Some(Self::HoldsFile),
            _ => None,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Writes => "is writing",
            Self::HoldsFile => "holds its lock file",
            Self::Recovers => "is recovering its log",
            Self::WritesBack => "is writing its log back",
            Self::Reads => "is reading",
        }
    }
}

/// Name the processes whose snapshots still need frames of the log of the board at `resolved`. Reads `/proc` alone.
pub fn frame_holders(chosen: &Path, resolved: &Path) -> Vec<String> {
    let targets = targets(chosen, resolved);
    let device = filesystem::under(resolved).and_then(|filesystem| filesystem.device);
    let mut pids: Vec<Option<u32>> = lock_table::held(&lock_table::text(), &targets, device, process::me())
        .iter()
        .filter(|held| Deed::of(held) == Some(Deed::Reads) && held.role == HolderRole::Shm)
        .map(|held| held.pid)
        .collect();
    pids.sort_unstable();
    pids.dedup();
    pids.into_iter().map(who).collect()
}

fn who(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "a process out of sight".to_owned(),
        |pid| format!("process {pid} ({})", process::command(pid)),
    )
}

/// The process that most likely is in the way, nothing for one out of sight, and what it does.
fn blocker(chosen: &Path, resolved: &Path) -> Option<(Deed, Option<u32>)> {
    let targets = targets(chosen, resolved);
    let device = filesystem::under(resolved).and_then(|filesystem| filesystem.device);
    let held = lock_table::held(&lock_table::text(), &targets, device, process::me());
    held.iter().filter_map(|held| Some((Deed::of(held)?, held.pid))).min()
}

fn words(blocker: Option<(Deed, Option<u32>)>, waited: Duration) -> String {
    let seconds = waited.as_secs();
    let Some((deed, pid)) = blocker else { return format!("Waiting for the board for {seconds} s") };
    let who = who(pid);
    format!("Waiting for the board: {who} {} for at least {seconds} s", deed.words())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(role: HolderRole, exclusive: bool, first: u64, last: u64) -> LockHolder {
        LockHolder { role, pid: Some(1), exclusive, range: (first, last) }
    }

    #[test]
    fn locks_tell_what_their_holder_does() {
        for (role, exclusive, first, last, says) in [
            (HolderRole::Shm, true, 120, 120, Some(Deed::Writes)),
            (HolderRole::Shm, true, 121, 121, Some(Deed::WritesBack)),
            (HolderRole::Shm, true, 120, 127, Some(Deed::Writes)),
            (HolderRole::Shm, false, 124, 124, Some(Deed::Reads)),
            (HolderRole::Shm, false, 128, 128, None),
            (HolderRole::Db, true, PENDING + 1, PENDING + 1, Some(Deed::Writes)),
            (HolderRole::Db, true, PENDING, SHARED_LAST, Some(Deed::Writes)),
            (HolderRole::Db, false, PENDING + 2, SHARED_LAST, Some(Deed::Reads)),
            (HolderRole::InitLock, true, 0, u64::MAX, Some(Deed::HoldsFile)),
        ] {
            assert_eq!(Deed::of(&held(role, exclusive, first, last)), says, "{role:?} {first}");
        }
    }

    #[test]
    fn a_short_wait_is_not_worth_a_word() {
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let onlooker = Onlooker::new(move |text| heard.lock().unwrap().push(text.map(str::to_owned)));
        let board = Path::new("/nonexistent/kanban.db");
        onlooker.waits(board, board, Instant::now());
        onlooker.over();
        assert!(said.lock().unwrap().is_empty());
        onlooker.waits(board, board, Instant::now().checked_sub(PATIENCE * 2).unwrap());
        onlooker.waits(board, board, Instant::now().checked_sub(PATIENCE * 2).unwrap());
        onlooker.over();
        let said = said.lock().unwrap();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].as_ref().unwrap().starts_with("Waiting for the board") && said[1].is_none());
    }
}
