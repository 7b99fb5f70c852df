//! One worker: rounds of create, show, complete and list through one connection.
//!
//! It reports each outcome before the next operation begins. What it reported as done must be on the board in the end. It uses
//! the same pool and statements as the verbs.

use std::time::{Duration, Instant};

use super::wire::{StressOperation, WireLine};
use crate::board::Inspection;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::{Access, Budget, Pool};
use crate::process::clock::Clock;
use crate::process::signals::Signals;
use crate::store::complete::{self, Completion};
use crate::store::create::Creator;
use crate::store::draft::Draft;
use crate::store::query::{self, Filter};
use crate::store::task;
use crate::store::writer::TaskWriter;

/// The pause after a failure, so that a full disk is not asked a thousand times a second.
const AFTER_FAILURE: Duration = Duration::from_millis(50);
/// Tasks that a listing asks for.
const LISTED: u32 = 50;
/// The columns that `list` shows.
const COLUMNS: [&str; 4] = ["id", "status", "priority", "title"];

/// What a worker is told.
#[derive(Debug)]
pub struct WorkerOrder {
    /// How long to work.
    pub length: Duration,
    /// How long one operation may wait for locks.
    pub patience: Duration,
    /// The time that goes into rows.
    pub clock: Clock,
}

/// Works until the time is over, a signal comes or damage is met.
///
/// # Errors
/// Only when `tell` fails: nobody is there to listen any more. Everything else is told.
pub fn work(
    inspect: impl FnOnce() -> Outcome<Inspection>,
    order: &WorkerOrder,
    signals: &Signals,
    tell: &mut dyn FnMut(&WireLine) -> Outcome<()>,
) -> Outcome<()> {
    let until = Instant::now() + order.length;
    let begun = Instant::now();
    let opened = inspect().and_then(|inspection| {
        let mut pool = Pool::new(inspection, Access::Write, Budget::new(order.patience), signals.clone())?;
        pool.connection(|_, _| Ok(()))?;
        Ok(pool)
    });
    let mut pool = match opened {
        Ok(pool) => {
            tell(&done(StressOperation::Open, begun, "-"))?;
            pool
        }
        Err(failure) => return tell(&failed(StressOperation::Open, begun, &failure)),
    };
    let reader = task::TaskReader::default();
    let mut worker = Worker { pool: &mut pool, order, tell, reader, damaged: false };
    let mut number = 0_u64;
    while Instant::now() < until && signals.received().is_none() && !worker.damaged {
        number += 1;
        worker.round(number)?;
    }
    let begun = Instant::now();
    if let Err(failure) = pool.close() {
        tell(&failed(StressOperation::Open, begun, &failure))?;
    }
    tell(&WireLine::End)
}

struct Worker<'a> {
    pool: &'a mut Pool,
    order: &'a WorkerOrder,
    tell: &'a mut dyn FnMut(&WireLine) -> Outcome<()>,
    reader: task::TaskReader,
    damaged: bool,
}

impl Worker<'_> {
    fn round(&mut self, number: u64) -> Outcome<()> {
        let now = self.order.clock.epoch();
        let title = format!("Load {number} of process {}", std::process::id());
        let draft = Draft { title, ..Draft::default() };
        let created = self.timed(StressOperation::Create, None, |pool| {
            pool.write(|txn, schema| Ok(Creator::new(txn, schema, 1, now)?.create(&draft)?.id))
        })?;
        let Some(id) = created else { return Ok(()) };
        let mut reader = std::mem::take(&mut self.reader);
        let shown =
            self.timed(StressOperation::Show, Some(&id), |pool| pool.read(|conn| reader.get(conn, &id)))?;
        self.reader = reader;
        if matches!(shown, Some(None)) {
            (self.tell)(&WireLine::Vanished { task: id.clone() })?;
        }
        let completion = Completion { result: Some("done under load".to_owned()), ..Completion::default() };
        self.timed(StressOperation::Complete, Some(&id), |pool| {
            pool.write(|txn, schema| {
                let mut writer = TaskWriter::new(txn, schema, now)?;
                complete::complete(&mut writer, &id, &completion).map_err(|refusal| refusal.failure)
            })
        })?;
        let filter = Filter { statuses: vec!["ready".to_owned()], limit: Some(LISTED), ..Filter::default() };
        self.timed(StressOperation::List, None, |pool| {
            pool.read(|conn| query::list(conn, &filter, &COLUMNS))
        })?;
        Ok(())
    }

    /// Does one operation within a budget of its own and tells how it went; nothing when it failed.
    fn timed<T: Told>(
        &mut self,
        operation: StressOperation,
        task: Option<&str>,
        work: impl FnOnce(&mut Pool) -> Outcome<T>,
    ) -> Outcome<Option<T>> {
        let begun = Instant::now();
        let outcome = self.pool.renew(Budget::new(self.order.patience)).and_then(|()| work(self.pool));
        match outcome {
            Ok(value) => {
                let line = done(operation, begun, task.or(value.id()).unwrap_or("-"));
                (self.tell)(&line)?;
                Ok(Some(value))
            }
            Err(failure) if matches!(failure.exit(), Exit::Interrupted(_)) => Ok(None),
            Err(failure) => {
                self.damaged |= failure.is_damage();
                (self.tell)(&failed(operation, begun, &failure))?;
                std::thread::sleep(AFTER_FAILURE);
                Ok(None)
            }
        }
    }
}

/// A value that may be the id of the task that came into being.
trait Told {
    fn id(&self) -> Option<&str> {
        None
    }
}

impl Told for String {
    fn id(&self) -> Option<&str> {
        Some(self)
    }
}

impl Told for Option<task::Task> {}
impl Told for Vec<task::Task> {}
impl Told for crate::store::complete::Completed {}

fn done(operation: StressOperation, begun: Instant, task: &str) -> WireLine {
    WireLine::Done { operation, micros: micros(begun), task: task.to_owned() }
}

fn failed(operation: StressOperation, begun: Instant, failure: &Failure) -> WireLine {
    let kind = if failure.is_no_room() { "no-room" } else { failure.exit().name() };
    WireLine::Failed { operation, micros: micros(begun), kind: kind.to_owned(), message: failure.to_string() }
}

fn micros(begun: Instant) -> u32 {
    u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX)
}
