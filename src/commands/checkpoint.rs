//! `checkpoint`: copies committed frames from the WAL into the board's file.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde::Serialize;

use super::{Context, replicated};
use crate::board::locks::HermesLocks;
use crate::board::{Board, Inspection, Stamp, files, holders, log};
use crate::failure::count::counted;
use crate::failure::count::size;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::journal_mode;
use crate::pool::Access;
use crate::ui::{Document, Records, Report};

/// How long one try waits for locks, and the pause before the next: writers get their turn in between.
const STEP: Duration = Duration::from_millis(50);
/// How long no frame may be copied before the checkpoint gives up: a reader that stays is not waited for.
const MAX_STALL: Duration = Duration::from_secs(5);

/// Copy committed frames from the WAL into the board's file.
///
/// A passive checkpoint waits for no process and disturbs none. Off WAL there is nothing to do (0).
///
/// Plain record, for each board: MODE STATE FRAMES-IN-WAL FRAMES-CHECKPOINTED WAL-BYTES-BEFORE WAL-BYTES-AFTER BOARD, the
/// state being done, busy or rehearsed.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// How hard to try: passive copies what it can; full waits for readers that hold old frames, in steps that let writers through; restart also makes the next
    /// writer begin at the front; truncate cuts the file to nothing and is refused while anybody has the board open, or when it is damaged.
    #[arg(long, value_enum, default_value = "passive")]
    mode: CheckpointMode,
    /// With --mode truncate: go on where it cannot be proven that no other process has the board open; never beside a process that
    /// was found.
    #[arg(long)]
    assume_unused: bool,
}

/// SQLite's checkpoint modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum CheckpointMode {
    Passive,
    Full,
    Restart,
    Truncate,
}

impl CheckpointMode {
    fn name(self) -> &'static str {
        match self {
            Self::Passive => "passive",
            Self::Full => "full",
            Self::Restart => "restart",
            Self::Truncate => "truncate",
        }
    }
}

/// What was done. Sizes in bytes.
#[derive(Debug, Serialize)]
struct Checkpoint {
    mode: CheckpointMode,
    dry_run: bool,
    busy: bool,
    frames_in_wal: i64,
    frames_checkpointed: i64,
    frames_left: i64,
    wal_bytes_before: u64,
    wal_bytes_after: u64,
    board: String,
    /// Who still needs frames that were not copied or not given up.
    held_by: Vec<String>,
}

impl Report for Checkpoint {
    fn kind(&self) -> &'static str {
        "checkpoint"
    }

    fn human(&self, page: &mut Document<'_>) {
        let frames = format!(
            "{} in the WAL, {} checkpointed, {} left",
            self.frames_in_wal, self.frames_checkpointed, self.frames_left
        );
        if self.dry_run {
            let bytes = size(self.wal_bytes_before);
            let pairs = [("mode", self.mode.name()), ("frames", &frames), ("WAL", &bytes)];
            page.pairs(&[&[("board", self.board.as_str())][..], &pairs].concat());
            return;
        }
        let bytes = format!("{} before, {} after", size(self.wal_bytes_before), size(self.wal_bytes_after));
        let busy = if self.busy { "yes: somebody was in the way" } else { "no" };
        page.pairs(&[
            ("board", &self.board),
            ("mode", self.mode.name()),
            ("frames", &frames),
            ("WAL", &bytes),
            ("busy", busy),
        ]);
    }

    fn plain(&self, records: &mut Records<'_>) {
        records.record(&[
            self.mode.name(),
            match (self.dry_run, self.busy) {
                (true, _) => "rehearsed",
                (false, true) => "busy",
                (false, false) => "done",
            },
            &self.frames_in_wal.to_string(),
            &self.frames_checkpointed.to_string(),
            &self.wal_bytes_before.to_string(),
            &self.wal_bytes_after.to_string(),
            &self.board,
        ]);
    }
}

/// Every board's checkpoint.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct AllCheckpoints(Vec<Checkpoint>);

impl Report for AllCheckpoints {
    fn kind(&self) -> &'static str {
        "checkpoint.list"
    }

    fn record_kind(&self) -> &'static str {
        "checkpoint"
    }

    fn human(&self, page: &mut Document<'_>) {
        for (at, board) in self.0.iter().enumerate() {
            if at > 0 {
                page.blank();
            }
            board.human(page);
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for board in &self.0 {
            board.plain(records);
        }
    }
}

/// Runs the verb.
///
/// # Errors
/// Exit 12 for truncate beside holders; 11 when somebody is in the way for the whole budget; 4 on damage. Over all
/// boards, the worst of them.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    if context.globals.all_boards {
        return every_board(context, args);
    }
    let inspection = context.inspection()?;
    let (report, outcome) = one_board(context, args, inspection)?;
    context.ui.emit(&report)?;
    outcome?;
    if report.frames_in_wal > 0 {
        say(context, &report);
    }
    Ok(Exit::Ok)
}

fn say(context: &mut Context<'_>, report: &Checkpoint) {
    if report.dry_run {
        context.ui.status(format_args!(
            "Dry run: {} would be copied into the board's file.",
            counted(report.frames_left.unsigned_abs(), "frame", "frames")
        ));
        return;
    }
    context.ui.status(format_args!(
        "{} of {} are in the board's file.",
        report.frames_checkpointed,
        counted(report.frames_in_wal.unsigned_abs(), "frame", "frames")
    ));
}

fn every_board(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let mut reports = Vec::new();
    let mut worst: Option<(Board, Failure)> = None;
    for board in context.every_board()? {
        let failure = match board.inspect().and_then(|inspection| one_board(context, args, inspection)) {
            Ok((report, outcome)) => {
                reports.push(report);
                outcome.err()
            }
            Err(failure) => Some(failure),
        };
        let Some(failure) = failure.map(|failure| board.blame(failure)) else { continue };
        let outranks =
            worst.as_ref().is_none_or(|(_, known)| known.exit().merge(failure.exit()) != known.exit());
        // The worst is the verb's own failure and is told last.
        let lesser = if outranks { worst.replace((board, failure)) } else { Some((board, failure)) };
        if let Some((board, failure)) = lesser {
            context.ui.setback(&board.name(), &failure);
        }
    }
    context.ui.emit(&AllCheckpoints(reports))?;
    worst.map_or(Ok(Exit::Ok), |(_, failure)| Err(failure))
}

/// What happened to one board, and whether that is what was asked for. An outer error means that nothing was done.
fn one_board(
    context: &mut Context<'_>,
    args: &Args,
    inspection: Inspection,
) -> Outcome<(Checkpoint, Outcome<()>)> {
    inspection.require_sqlite()?;
    let resolved = inspection.resolved.clone();
    let mut report = Checkpoint {
        mode: args.mode,
        dry_run: context.globals.dry_run,
        busy: false,
        frames_in_wal: 0,
        frames_checkpointed: 0,
        frames_left: 0,
        wal_bytes_before: wal_bytes(&resolved),
        wal_bytes_after: wal_bytes(&resolved),
        board: resolved.display().to_string(),
        held_by: Vec::new(),
    };
    if !inspection.is_wal() {
        context.ui.status("The board is not in WAL mode; there is nothing to checkpoint.");
        return Ok((report, Ok(())));
    }
    let _locks =
        if args.mode == CheckpointMode::Truncate { alone(context, &inspection, args)? } else { None };
    if !inspection.sidecars.wal_has_bytes() {
        context.ui.status("The WAL is empty; there is nothing to checkpoint.");
        return Ok((report, Ok(())));
    }
    if args.mode == CheckpointMode::Truncate {
        replicated::warn(context, &inspection.resolved, "cutting the log");
    }
    let dry_run = context.globals.dry_run;
    let mut pool = if args.mode == CheckpointMode::Truncate {
        context.pool_for_long(inspection, Access::Write)?
    } else {
        context.pool_for(inspection, Access::Write)?
    };
    let (deadline, signals) = (context.budget().deadline(), context.signals.clone());
    let goes_on = || Instant::now() < deadline && signals.received().is_none();
    let outcome = pool.connection(|connection, seen| {
        checkpoint(connection, &mut report, dry_run, &goes_on)?;
        if report.busy && report.mode != CheckpointMode::Passive {
            // The locks are gone with the connection.
            report.held_by = holders::frame_holders(&seen.board.path, &seen.resolved);
        }
        Ok(())
    });
    if !dry_run {
        report.wal_bytes_after = wal_bytes(&resolved);
    }
    outcome.and(pool.close())?;
    let finished = require_finished(&report, &resolved);
    Ok((report, finished))
}

fn require_finished(report: &Checkpoint, resolved: &Path) -> Outcome<()> {
    if !report.busy || report.mode == CheckpointMode::Passive {
        return Ok(());
    }
    let who = match report.held_by.as_slice() {
        [] => "a reader or writer was in the way".to_owned(),
        held_by => format!("the log is still read by {}", held_by.join(", ")),
    };
    Err(Failure::busy(format!(
        "the {} checkpoint did not finish: {who}. {} of {} are in the board's file.",
        report.mode.name(),
        report.frames_checkpointed,
        counted(report.frames_in_wal.unsigned_abs(), "frame", "frames")
    ))
    .hint("Nothing is lost; end the reader's transaction or its process, then try again.")
    .at(resolved))
}

/// Takes Hermes' locks and proves that no other process has the board open.
fn alone(context: &Context<'_>, inspection: &Inspection, args: &Args) -> Outcome<Option<HermesLocks>> {
    let scan = || {
        holders::require_none(inspection, "cutting the WAL", args.assume_unused).map_err(|failure| {
            failure.hint("`kanbanctl checkpoint` without --mode copies the frames beside them.")
        })
    };
    scan()?;
    log::require_writable(inspection)?;
    if context.globals.dry_run {
        return Ok(None);
    }
    let deadline = context.budget().deadline();
    let locks = HermesLocks::take(
        &inspection.board.path,
        &inspection.resolved,
        deadline,
        &context.signals,
        &context.onlooker(),
    )?;
    scan()?;
    Ok(Some(locks))
}

/// Counts first, because a checkpoint that empties the WAL reports zero frames.
fn checkpoint(
    connection: &Connection,
    report: &mut Checkpoint,
    dry_run: bool,
    goes_on: &dyn Fn() -> bool,
) -> Outcome<()> {
    if report.mode == CheckpointMode::Truncate {
        journal_mode::require_sound(connection, "its WAL was not cut")?;
    }
    let (_, frames, done) = pragma(connection, "noop")?;
    (report.frames_in_wal, report.frames_checkpointed) = (frames, done);
    if !dry_run {
        let (busy, frames, done) = insist(connection, report.mode, goes_on)?;
        report.busy = busy;
        report.frames_in_wal = report.frames_in_wal.max(frames);
        let emptied = !busy && report.mode != CheckpointMode::Passive;
        report.frames_checkpointed =
            if emptied { report.frames_in_wal } else { report.frames_checkpointed.max(done) };
    }
    report.frames_left = report.frames_in_wal - report.frames_checkpointed;
    Ok(())
}

/// Checkpoint until all is done, while the budget `goes_on` and frames are copied. SQLite's own waiting would keep every
/// writer out for as long as a reader stays; so the frames are copied without waiting first, and each try for the rest
/// is short.
fn insist(
    connection: &Connection,
    mode: CheckpointMode,
    goes_on: &dyn Fn() -> bool,
) -> Outcome<(bool, i64, i64)> {
    if mode == CheckpointMode::Passive {
        return pragma(connection, mode.name());
    }
    connection.busy_timeout(STEP)?;
    let mut most = 0;
    let mut moved = Instant::now();
    loop {
        let mut answer = pragma(connection, CheckpointMode::Passive.name())?;
        let (is_in_the_way, frames, done) = answer;
        if !is_in_the_way && frames == done {
            answer = pragma(connection, mode.name())?;
            if !answer.0 {
                return Ok(answer);
            }
        }
        if done > most {
            (most, moved) = (done, Instant::now());
        }
        if !goes_on() || moved.elapsed() >= MAX_STALL {
            return Ok((true, answer.1.max(frames), answer.2.max(done)));
        }
        sleep(STEP);
    }
}

/// Whether somebody was in the way, frames in the WAL, frames checkpointed.
fn pragma(connection: &Connection, mode: &str) -> Outcome<(bool, i64, i64)> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    let row = connection.query_row(&sql, [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    })?;
    Ok((row.0 != 0, row.1.max(0), row.2.max(0)))
}

fn wal_bytes(resolved: &Path) -> u64 {
    Stamp::of(&files::with_suffix(resolved, "-wal")).ok().flatten().map_or(0, |stamp| stamp.len)
}
