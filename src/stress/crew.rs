//! The workers as processes: starts them, listens to them, kills them where wanted, leaves none behind.
//!
//! A worker is this binary again, in a process group of its own, so that Ctrl-C reaches the parent alone. It ends with its
//! parent ([`bind_to_parent`]).

use std::io::BufReader;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Signal, set_parent_process_death_signal};

use super::StressPlan;
use super::tally::OperationTally;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::process::signals::Signals;

/// The variable by which a worker knows that it is one, and for how many milliseconds.
pub const WORKER: &str = "KANBANCTL_STRESS_WORKER";

/// Between two looks at the workers.
const LOOK: Duration = Duration::from_millis(20);
/// In crash mode, the least and the most time between two kills.
const BETWEEN_KILLS: (u64, u64) = (40, 240);
/// What a worker may take over its time and patience before it counts as stuck.
const GRACE: Duration = Duration::from_secs(10);

/// Makes this process end with its parent, from a worker's first moment on.
///
/// # Errors
/// When the kernel refuses.
pub fn bind_to_parent() -> Outcome<()> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| Failure::io(error.into(), "binding the worker to its parent"))
}

/// Has the plan's workers work to the end of their time; what they told.
///
/// # Errors
/// When no worker can be started; the signal's when one arrives. No worker is left in either case.
pub fn run(plan: &StressPlan, signals: &Signals, progress: &dyn Fn(u64, u64)) -> Outcome<OperationTally> {
    let mut crew = Crew { plan, workers: Vec::new(), sum: OperationTally::default(), dice: Dice::new() };
    let begun = Instant::now();
    let end = begun + plan.length;
    for _ in 0..plan.processes {
        crew.hire(end)?;
    }
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let mut next_kill = begun + crew.dice.pause();
    let last = end + plan.patience + GRACE;
    while crew.anyone_works() {
        if let Some(signal) = signals.received() {
            return Err(Failure::new(
                Exit::Interrupted(signal),
                "interrupted; the workers and the scratch board are gone.",
            ));
        }
        let now = Instant::now();
        if plan.crash && now >= next_kill && now < end {
            crew.replace_one(end)?;
            next_kill = now + crew.dice.pause();
        }
        if now >= last {
            crew.give_up();
        }
        progress(milliseconds(begun.elapsed().min(plan.length)), milliseconds(plan.length));
        std::thread::sleep(LOOK);
    }
    Ok(crew.count())
}

struct CrewWorker {
    child: Child,
    listener: JoinHandle<OperationTally>,
    killed: bool,
}

struct Crew<'a> {
    plan: &'a StressPlan,
    workers: Vec<CrewWorker>,
    sum: OperationTally,
    dice: Dice,
}

impl Crew<'_> {
    fn hire(&mut self, end: Instant) -> Outcome<()> {
        let length = end.saturating_duration_since(Instant::now()).as_millis();
        // Its own image, even where the file was replaced or removed meanwhile.
        let mut child = Command::new("/proc/self/exe")
            .arg("stress")
            .env(WORKER, length.to_string())
            .args(["--timeout", &format!("{}ms", self.plan.patience.as_millis())])
            .arg("--dir")
            .arg(&self.plan.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| Failure::io(error, "starting a worker").hint("Try with fewer --processes."))?;
        let Some(stdout) = child.stdout.take() else {
            return Err(Failure::failed("a worker came without its pipe."));
        };
        let listen = move || OperationTally::listen(BufReader::new(stdout));
        let listener = match std::thread::Builder::new().spawn(listen) {
            Ok(listener) => listener,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                let failure = Failure::io(error, "starting a thread that listens to a worker");
                return Err(failure.hint("Try with fewer --processes."));
            }
        };
        self.workers.push(CrewWorker { child, listener, killed: false });
        Ok(())
    }

    fn anyone_works(&mut self) -> bool {
        self.workers.iter_mut().any(|worker| matches!(worker.child.try_wait(), Ok(None)))
    }

    /// Kills a worker at random, in whatever it is doing, and hires another.
    fn replace_one(&mut self, end: Instant) -> Outcome<()> {
        if self.workers.is_empty() {
            return Ok(());
        }
        let unlucky = self.dice.below(self.workers.len());
        let mut worker = self.workers.swap_remove(unlucky);
        worker.killed = matches!(worker.child.try_wait(), Ok(None)) && worker.child.kill().is_ok();
        self.pay(worker);
        self.hire(end)
    }

    /// Ends those that do not come to an end by themselves.
    fn give_up(&mut self) {
        for mut worker in std::mem::take(&mut self.workers) {
            if matches!(worker.child.try_wait(), Ok(None)) && worker.child.kill().is_ok() {
                worker.killed = true;
                self.sum
                    .fail("stuck", "a worker did not come to an end after its time and patience were over");
            }
            self.pay(worker);
        }
    }

    /// Waits for a worker that has ended or was killed, and adds what it told.
    fn pay(&mut self, mut worker: CrewWorker) {
        let status = worker.child.wait();
        let tally = worker.listener.join().unwrap_or_default();
        let told_end = tally.ended || tally.failures() > 0;
        self.sum.absorb(tally);
        if worker.killed {
            self.sum.killed += 1;
        } else if !told_end {
            let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            self.sum.fail("worker", &format!("a worker ended without a word: {how}"));
        }
    }

    fn count(mut self) -> OperationTally {
        for worker in std::mem::take(&mut self.workers) {
            self.pay(worker);
        }
        std::mem::take(&mut self.sum)
    }
}

/// On every way out: no worker outlives the crew.
impl Drop for Crew<'_> {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            let _ = worker.child.kill();
        }
        for worker in &mut self.workers {
            let _ = worker.child.wait();
        }
    }
}

/// Whom to kill, and when; any numbers will do.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let moment = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let seed = moment.map_or(1, |time| u64::from(time.subsec_nanos()));
        Self((seed << 16) | u64::from(std::process::id()) | 1)
    }

    /// Xorshift.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or_default() % limit.max(1)
    }

    fn pause(&mut self) -> Duration {
        let (least, most) = BETWEEN_KILLS;
        let spread = usize::try_from(most - least).unwrap_or(1);
        Duration::from_millis(least + u64::try_from(self.below(spread)).unwrap_or_default())
    }
}
