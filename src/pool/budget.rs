//! How long an invocation waits for locks and how long it works (docs/architecture.md, rule 6).
//!
//! Has the deadlines and SQLite's two handlers: the busy handler and the progress handler. Both stop on signals.

use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::failure::Outcome;
use crate::process::signals::Signals;

/// Virtual-machine steps between two looks at the deadline and the signal flag; some tens of microseconds.
const STEPS_PER_LOOK: i32 = 20_000;
/// Bytes that even a very slow disk gives in a second.
const SLOWEST_DISK: u64 = 1 << 20;

/// How long the command may wait and work.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// The whole of what may be waited for locks.
    pub total: Duration,
    lock_deadline: Instant,
    work_deadline: Option<Instant>,
}

impl Budget {
    /// `total` for locks and statements together, counted from now.
    pub fn new(total: Duration) -> Self {
        let deadline = Instant::now() + total;
        Self { total, lock_deadline: deadline, work_deadline: Some(deadline) }
    }

    /// The same lock budget, but statements may take as long as the board's size asks for.
    #[must_use]
    pub fn for_long_work(self) -> Self {
        Self { work_deadline: None, ..self }
    }

    /// The same lock budget, and for statements besides the time that `bytes` of a board take on a very slow disk: what
    /// goes on longer will not end (trees that loop, schemas made to be endless).
    #[must_use]
    pub fn for_bytes(self, bytes: u64) -> Self {
        let slow = Duration::from_secs(bytes / SLOWEST_DISK);
        Self { work_deadline: Some(self.lock_deadline + slow), ..self }
    }

    /// When waiting for locks ends.
    pub fn deadline(&self) -> Instant {
        self.lock_deadline
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.lock_deadline
    }

    /// Begins a transaction that may write, trying until the deadline.
    ///
    /// # Errors
    /// Exit 11 when the lock is not had; what else SQLite says.
    pub(super) fn begin<'c>(
        &self,
        connection: &'c Connection,
        signals: &Signals,
    ) -> Outcome<Transaction<'c>> {
        self.keep_trying(signals, || {
            Ok(Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?)
        })
    }

    /// Does what has no effect but its value again while it finds locks in the way, until the deadline. The busy handler
    /// waits for locks that somebody holds; a try that failed for another reason (a race, an interrupted system call)
    /// does not ask it.
    ///
    /// # Errors
    /// The last try's.
    pub(super) fn keep_trying<T>(
        &self,
        signals: &Signals,
        mut attempt: impl FnMut() -> Outcome<T>,
    ) -> Outcome<T> {
        let since = Instant::now();
        loop {
            match attempt() {
                Err(failure)
                    if failure.is_sqlite_busy() && !self.is_over() && signals.received().is_none() =>
                {
                    sleep(pause(since.elapsed()));
                }
                outcome => return outcome,
            }
        }
    }

    /// Gives the connection its deadline busy handler, which says `waits` since when it is waiting, and the progress handler
    /// that hears signals.
    pub(super) fn arm(
        self,
        connection: &mut Connection,
        signals: &Signals,
        mut waits: impl FnMut(Instant) + Send + 'static,
    ) -> Outcome<()> {
        let (deadline, heard) = (self.lock_deadline, signals.clone());
        let mut since = Instant::now();
        connection.busy_handler(Some(move |tries: i32| {
            let now = Instant::now();
            if tries == 0 {
                since = now;
            }
            let left = deadline.saturating_duration_since(now);
            if left.is_zero() || heard.received().is_some() {
                return false;
            }
            waits(since);
            sleep(pause(now.saturating_duration_since(since)).min(left));
            true
        }))?;
        let (deadline, heard) = (self.work_deadline, signals.clone());
        connection.progress_handler(
            STEPS_PER_LOOK,
            Some(move || {
                heard.received().is_some() || deadline.is_some_and(|deadline| Instant::now() >= deadline)
            }),
        )?;
        Ok(())
    }
}

/// The pause before the next try for a lock, by how long it has been waited for. A try takes a core from who has the lock,
/// so that a crowd gets more done when it steps back. Nobody queues at SQLite's locks: who tries more often gets them
/// sooner. So the newcomer steps back and the one that has waited longest tries most often, until the wait is so long that
/// it is one holder that it is for, and no queue.
fn pause(waited: Duration) -> Duration {
    let waited = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
    Duration::from_micros(match waited {
        0..10 => 1_000 + 500 * waited,
        10..100 => 60_000,
        100..3_000 => (6_000_000 / waited).max(2_000),
        _ => 5_000,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_waited_longer_tries_more_often() {
        let pauses: Vec<Duration> = (20..3_000).map(|waited| pause(Duration::from_millis(waited))).collect();
        assert!(pauses.windows(2).all(|pair| pair[0] >= pair[1]));
        assert!(pauses.first() > pauses.last());
        for waited in [0, 1, 9, 10, 99, 100, 2_999, 3_000, 100_000] {
            let pause = pause(Duration::from_millis(waited));
            assert!(
                (Duration::from_millis(1)..=Duration::from_millis(60)).contains(&pause),
                "{waited}: {pause:?}"
            );
        }
    }
}
