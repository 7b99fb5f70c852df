//! Work on several threads whose results come back in order, whichever thread was faster.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::Builder;

use crate::failure::{Failure, Outcome};

/// How far, per thread, the work may be ahead of what has been taken.
const AHEAD: usize = 4;

/// As many threads as there are cores.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// How far the work has come.
#[derive(Default)]
struct Front {
    next: usize,
    taken: usize,
    stopped: bool,
}

/// Does `work` for every number below `count` on `threads` threads and gives the results to `take` on this one, in the
/// order of the numbers.
///
/// # Errors
/// The first error of `take`, which ends the work.
pub(crate) fn in_order<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T) -> Outcome<()>,
) -> Outcome<()> {
    let threads = threads.min(count);
    if threads < 2 {
        return (0..count).try_for_each(|number| take(number, work(number)));
    }
    let (front, moved) = (Mutex::new(Front::default()), Condvar::new());
    let lock = || front.lock().unwrap_or_else(PoisonError::into_inner);
    let claim = || -> Option<usize> {
        let far = |front: &mut Front| !front.stopped && front.next >= front.taken + AHEAD * threads;
        let mut front: MutexGuard<'_, Front> =
            moved.wait_while(lock(), far).unwrap_or_else(PoisonError::into_inner);
        let number = front.next;
        front.next += 1;
        (!front.stopped && number < count).then_some(number)
    };
    std::thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        let mut running = 0;
        for _ in 0..threads {
            let (send, work, claim) = (send.clone(), &work, &claim);
            let spawned = Builder::new().spawn_scoped(scope, move || {
                while let Some(number) = claim() {
                    if send.send((number, work(number))).is_err() {
                        return;
                    }
                }
            });
            running += usize::from(spawned.is_ok());
        }
        drop(send);
        if running == 0 {
            // The system gives no thread: the work is done on this one.
            return (0..count).try_for_each(|number| take(number, work(number)));
        }
        let mut early = BTreeMap::new();
        let mut expected = 0;
        let mut outcome = Ok(());
        while outcome.is_ok() && expected < count {
            let Ok((number, result)) = receive.recv() else {
                outcome = Err(Failure::failed("a worker ended before its work was done."));
                break;
            };
            early.insert(number, result);
            while let Some(result) = early.remove(&expected).filter(|_| outcome.is_ok()) {
                outcome = take(expected, result);
                expected += 1;
            }
            lock().taken = expected;
            moved.notify_all();
        }
        lock().stopped = true;
        moved.notify_all();
        outcome
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_an_error_ends_the_work() {
        let mut seen = Vec::new();
        in_order(
            100,
            3,
            |number| number * 2,
            |number, double| {
                seen.push((number, double));
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(seen, (0..100).map(|number| (number, number * 2)).collect::<Vec<_>>());
        let stop = |number, _| if number == 7 { Err(Failure::failed("enough")) } else { Ok(()) };
        assert!(in_order(100, 3, |number| number, stop).is_err());
    }
}
