//! Sums of what the workers reported: counts, exact percentiles, acknowledged tasks.
//!
//! Not here: what they mean ([`super::verdict`]).

use std::collections::{BTreeMap, HashSet};
use std::io::BufRead;

use serde::Serialize;

use super::wire::{StressOperation, WireLine};

/// One worker's, or all workers', operations.
#[derive(Debug, Default)]
pub struct OperationTally {
    /// Microseconds of each successful operation.
    pub times: BTreeMap<StressOperation, Vec<u32>>,
    /// Failures by kind: the name of an exit code, `no-room`, `worker` or `stuck`.
    pub errors: BTreeMap<String, u64>,
    /// What the first failure of each kind said.
    pub messages: BTreeMap<String, String>,
    /// Tasks whose creation was told.
    pub created: HashSet<String>,
    /// Tasks whose completion was told.
    pub completed: HashSet<String>,
    /// Tasks that their own worker could not read back.
    pub vanished: HashSet<String>,
    /// Successful operations of each worker that worked to the end.
    pub shares: Vec<u64>,
    /// Workers that were killed on purpose.
    pub killed: u64,
    /// Whether the worker said that it ends.
    pub ended: bool,
}

/// Latencies of one operation, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// How many operations.
    pub count: usize,
    /// Half of them took no longer.
    pub p50: u32,
    /// 95 in a hundred took no longer.
    pub p95: u32,
    /// 99 in a hundred took no longer.
    pub p99: u32,
    /// The longest.
    pub max: u32,
}

impl OperationTally {
    /// Reads what one worker tells until it ends or is gone.
    pub fn listen(from: impl BufRead) -> Self {
        let mut tally = Self::default();
        for line in from.lines().map_while(Result::ok) {
            match WireLine::parse(&line) {
                Some(line) => tally.add(line),
                None => tally.fail("worker", &format!("a worker said {line:?}")),
            }
        }
        tally
    }

    fn add(&mut self, line: WireLine) {
        match line {
            WireLine::Done { operation, micros, task } => {
                self.times.entry(operation).or_default().push(micros);
                match operation {
                    StressOperation::Create => drop(self.created.insert(task)),
                    StressOperation::Complete => drop(self.completed.insert(task)),
                    StressOperation::Open | StressOperation::Show | StressOperation::List => {}
                }
            }
            WireLine::Failed { operation, kind, message, .. } => {
                self.fail(&kind, &format!("{}: {message}", operation.name()));
            }
            WireLine::Vanished { task } => drop(self.vanished.insert(task)),
            WireLine::End => self.ended = true,
        }
    }

    /// Counts one failure.
    pub fn fail(&mut self, kind: &str, message: &str) {
        *self.errors.entry(kind.to_owned()).or_default() += 1;
        self.messages.entry(kind.to_owned()).or_insert_with(|| message.to_owned());
    }

    /// Adds another worker's.
    pub fn absorb(&mut self, other: Self) {
        if other.ended {
            self.shares.push(other.operations());
        }
        for (operation, times) in other.times {
            self.times.entry(operation).or_default().extend(times);
        }
        for (kind, count) in other.errors {
            *self.errors.entry(kind).or_default() += count;
        }
        for (kind, message) in other.messages {
            self.messages.entry(kind).or_insert(message);
        }
        self.created.extend(other.created);
        self.completed.extend(other.completed);
        self.vanished.extend(other.vanished);
        self.killed += other.killed;
    }

    /// Successful operations, opening aside.
    pub fn operations(&self) -> u64 {
        let count = |(operation, times): (&StressOperation, &Vec<u32>)| {
            if *operation == StressOperation::Open {
                0
            } else {
                u64::try_from(times.len()).unwrap_or(u64::MAX)
            }
        };
        self.times.iter().map(count).sum()
    }

    /// Failures of every kind.
    pub fn failures(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Latencies of each operation that happened.
    pub fn latencies(&mut self) -> BTreeMap<&'static str, Latency> {
        let one =
            |(operation, times): (&StressOperation, &mut Vec<u32>)| (operation.name(), Latency::of(times));
        self.times.iter_mut().map(one).collect()
    }
}

impl Latency {
    /// Sorts the times and takes the nearest ranks.
    fn of(times: &mut [u32]) -> Self {
        times.sort_unstable();
        let rank = |percent: usize| {
            let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(place).copied().unwrap_or_default()
        };
        Self { count: times.len(), p50: rank(50), p95: rank(95), p99: rank(99), max: rank(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_sorted_times() {
        let mut times: Vec<u32> = (1..=200).rev().collect();
        let latency = Latency::of(&mut times);
        assert_eq!(latency, Latency { count: 200, p50: 100, p95: 190, p99: 198, max: 200 });
        assert_eq!(Latency::of(&mut [7]), Latency { count: 1, p50: 7, p95: 7, p99: 7, max: 7 });
        assert_eq!(Latency::of(&mut []), Latency::default());
    }

    #[test]
    fn a_worker_that_is_cut_off_has_told_what_it_told() {
        let told = b"open 9 -\ncreate 5 t_1\nshow 1 t_1\ncomplete 7 t_1\nfailed list 3 busy locked\nend\n";
        let tally = OperationTally::listen(&told[..]);
        assert!(tally.ended && tally.completed.contains("t_1"));
        assert_eq!((tally.operations(), tally.failures()), (3, 1));
        let cut = OperationTally::listen(&b"open 9 -\ncreate 5 t_1\n"[..]);
        assert!(!cut.ended && cut.created.contains("t_1"));
        let mut sum = OperationTally::default();
        sum.absorb(tally);
        sum.absorb(cut);
        assert_eq!((sum.operations(), sum.shares.as_slice()), (4, &[3][..]));
    }
}
