//! `stress`: is this directory a place for boards? Found out on a scratch board there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::Access;
use serde::Serialize;

use super::{Context, init};
use crate::board::filesystem;
use crate::board::scratch::ScratchDir;
use crate::failure::count::counted;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::journal_mode::JournalMode;
use crate::pool::Budget;
use crate::stress::examine::{self, Findings};
use crate::stress::tally::{Latency, OperationTally};
use crate::stress::verdict::{self, StressEvidence, StressVerdict};
use crate::stress::worker::{self, WorkerOrder};
use crate::stress::{self, PURPOSE, StressPlan, crew};
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// Test whether a directory is safe for boards: real processes on a scratch board there.
///
/// Each worker has one connection and goes round: create a task, read it back, complete it, list what is ready. It
/// tells every commit before it goes on, so that a lost one is noticed. --timeout is what one operation may wait. The
/// scratch board lies in a fresh private folder in the directory, whose path is said on stderr; it can be used as a
/// Hermes root meanwhile. It is removed at the end, also after Ctrl-C. No other board is touched.
///
/// Plain records: name TAB value, then latency OPERATION COUNT P50 P95 P99 MAX in microseconds.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = EXITS)]
pub struct Args {
    /// Workers at the same time.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=512))]
    processes: u16,
    /// How long they work.
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// The directory to try.
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Kill workers at random moments and start new ones.
    #[arg(long)]
    crash: bool,
    /// Leave the scratch board there, to look at.
    #[arg(long)]
    keep: bool,
}

/// What the exit codes mean here.
const EXITS: &str = "\
Exit status:
  0 sound: boards can be kept there.
  3 usable: with what the verdict names, such as DELETE mode only, or locks not had within --timeout.
  4 unsound: acknowledged writes were lost, the board was corrupted, or operations failed. Keep no board there.
  6 unchecked: no operation was finished.
  12 no such directory, no room, or it may not be written. 128+N ended by signal N.";

/// Runs the verb.
///
/// # Errors
/// Exit 10 when the directory is not there, 12 when a board cannot be made in it.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    if let Some(milliseconds) = context.env.number(crew::WORKER) {
        let length = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
        return work(context, args, length);
    }
    let directory = std::fs::canonicalize(&args.dir)
        .map_err(|error| Failure::making(error, format!("resolving {}", args.dir.display())))?;
    let kind = filesystem::of(&directory)?.kind;
    let patience = context.budget().total;
    if !directory.is_dir() {
        return Err(Failure::refused(format!("{} is not a directory.", directory.display()))
            .hint("Name the directory that boards are to be kept in with --dir."));
    }
    if context.globals.dry_run {
        return rehearse(context, args, directory, kind);
    }
    let mut scratch =
        ScratchDir::create(&directory, PURPOSE).map_err(|failure| unusable(failure, &directory))?;
    if args.keep {
        scratch.keep();
    }
    let plan = StressPlan {
        folder: scratch.path().to_path_buf(),
        processes: usize::from(args.processes),
        length: Duration::from_secs(u64::from(args.seconds)),
        patience,
        crash: args.crash,
    };
    let board = plan.board();
    let obstacle = init::create(&board, &plan.folder).map_err(|failure| unusable(failure, &directory))?;
    context.ui.status(format_args!("Scratch board: {}", board.display()));
    let begun = Instant::now();
    let mut tally = {
        let bar = context.ui.progress("Working", 0);
        crew::run(&plan, &context.signals, &bar.callback())?
    };
    let took = begun.elapsed();
    let budget = Budget::new(patience).for_long_work();
    let findings = examine::examine(&board, &tally, budget, &context.signals)?;
    let evidence = StressEvidence {
        tally: &tally,
        findings: &findings,
        wal_obstacle: obstacle.as_deref(),
        patience_ms: patience.as_millis(),
    };
    let judged = verdict::judge(&evidence);
    let figures = StressFigures::of(&mut tally, findings, took);
    let report = Qualified {
        verdict: judged.0,
        sentences: judged.1,
        directory,
        filesystem: kind,
        journal_mode: if obstacle.is_none() { JournalMode::Wal } else { JournalMode::Delete },
        processes: args.processes,
        figures,
        board: args.keep.then(|| board.clone()),
    };
    context.ui.emit(&report)?;
    Ok(report.verdict.exit())
}

/// Refuses where the real run would, as far as that can be told without writing.
fn rehearse(context: &mut Context<'_>, args: &Args, directory: PathBuf, kind: String) -> Outcome<Exit> {
    rustix::fs::access(&directory, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        let failure = Failure::io(error.into(), format!("writing to {}", directory.display()));
        unusable(failure, &directory)
    })?;
    context.ui.status(format_args!("Dry run: would try {} ({kind}).", directory.display()));
    let (processes, seconds, crash) = (args.processes, args.seconds, args.crash);
    context.ui.emit(&StressDryRun {
        dry_run: true,
        directory,
        filesystem: kind,
        processes,
        seconds,
        crash,
    })?;
    Ok(Exit::Ok)
}

/// Lost tasks that are named.
const MOST_LOST: usize = 20;

fn per_second(operations: u64, took: Duration) -> f64 {
    let operations = f64::from(u32::try_from(operations).unwrap_or(u32::MAX));
    (operations / took.as_secs_f64().max(0.001) * 10.0).round() / 10.0
}

/// Why no board can be made there, as a verdict.
fn unusable(failure: Failure, directory: &Path) -> Failure {
    if failure.is_no_room() {
        return failure
            .context("There is no room for a board here")
            .hint(format!("Free space on the filesystem of {} and run it again.", directory.display()));
    }
    failure.context("No board can be made here")
}

/// A worker's side: the parent has said by a variable that this process is one.
fn work(context: &mut Context<'_>, args: &Args, length: Duration) -> Outcome<Exit> {
    crew::bind_to_parent()?;
    if !ScratchDir::is_lived_in(&args.dir, PURPOSE) {
        return Err(Failure::usage(
            "--as-worker is for `kanbanctl stress` itself, on its own scratch board.",
        ));
    }
    let board = examine::board(&args.dir.join("kanban.db"));
    let order = WorkerOrder { length, patience: context.budget().total, clock: context.clock };
    let (signals, ui) = (context.signals.clone(), &mut *context.ui);
    worker::work(|| board.inspect(), &order, &signals, &mut |line: &stress::wire::WireLine| {
        ui.raw(&format!("{line}\n"))
    })?;
    Ok(Exit::Ok)
}

/// What would be tried.
#[derive(Debug, Serialize)]
struct StressDryRun {
    dry_run: bool,
    directory: PathBuf,
    filesystem: String,
    processes: u16,
    seconds: u32,
    crash: bool,
}

impl Report for StressDryRun {
    fn kind(&self) -> &'static str {
        "stress"
    }

    fn human(&self, page: &mut Document<'_>) {
        let processes = counted(u64::from(self.processes), "process", "processes");
        page.pairs(&[
            ("directory", &format!("{} ({})", self.directory.display(), self.filesystem)),
            ("load", &format!("{processes}, {} s", self.seconds)),
        ]);
    }

    fn plain(&self, records: &mut Records<'_>) {
        records.record(&["directory", &self.directory.display().to_string()]);
        records.record(&["filesystem", &self.filesystem]);
        records.record(&["processes", &self.processes.to_string()]);
        records.record(&["seconds", &self.seconds.to_string()]);
    }
}

/// What was found out.
#[derive(Debug, Serialize)]
struct Qualified {
    verdict: StressVerdict,
    sentences: Vec<String>,
    directory: PathBuf,
    filesystem: String,
    journal_mode: JournalMode,
    processes: u16,
    #[serde(flatten)]
    figures: StressFigures,
    #[serde(skip_serializing_if = "Option::is_none")]
    board: Option<PathBuf>,
}

/// The load in numbers.
#[derive(Debug, Serialize)]
struct StressFigures {
    seconds: f64,
    killed: u64,
    operations: u64,
    operations_per_second: f64,
    errors: u64,
    errors_by_kind: BTreeMap<String, u64>,
    lost: usize,
    lost_tasks: Vec<String>,
    vanished: usize,
    corrupt_copies: usize,
    integrity: String,
    per_process: Share,
    latency_us: BTreeMap<&'static str, Latency>,
}

impl StressFigures {
    fn of(tally: &mut OperationTally, findings: Findings, took: Duration) -> Self {
        Self {
            seconds: (took.as_secs_f64() * 1_000.0).round() / 1_000.0,
            killed: tally.killed,
            operations: tally.operations(),
            operations_per_second: per_second(tally.operations(), took),
            errors: tally.failures(),
            errors_by_kind: std::mem::take(&mut tally.errors),
            lost: findings.lost.len(),
            lost_tasks: findings.lost.into_iter().take(MOST_LOST).collect(),
            vanished: tally.vanished.len(),
            corrupt_copies: findings.corrupt_copies,
            integrity: findings.integrity,
            per_process: Share::of(tally),
            latency_us: tally.latencies(),
        }
    }
}

/// How evenly the work fell on the workers that worked to the end.
#[derive(Debug, Serialize)]
struct Share {
    least: u64,
    most: u64,
}

impl Share {
    fn of(tally: &OperationTally) -> Self {
        let least = tally.shares.iter().copied().min().unwrap_or(0);
        Self { least, most: tally.shares.iter().copied().max().unwrap_or(0) }
    }
}

impl Qualified {
    fn label(&self) -> Label {
        match self.verdict {
            StressVerdict::Sound => Label::Good,
            StressVerdict::Unsound => Label::Bad,
            StressVerdict::Usable | StressVerdict::NoRoom | StressVerdict::Unchecked => Label::Warning,
        }
    }

    fn errors_in_words(&self) -> String {
        if self.figures.errors == 0 {
            return "0".to_owned();
        }
        let kinds: Vec<String> =
            self.figures.errors_by_kind.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        format!("{} ({})", self.figures.errors, kinds.join(", "))
    }
}

impl Report for Qualified {
    fn kind(&self) -> &'static str {
        "stress"
    }

    fn human(&self, page: &mut Document<'_>) {
        page.spans(&[(self.label(), self.verdict.name())]);
        for sentence in &self.sentences {
            page.paragraph(2, sentence);
        }
        page.blank();
        let place = format!("{} ({}, {} mode)", self.directory.display(), self.filesystem, self.journal_mode);
        let processes = counted(u64::from(self.processes), "process", "processes");
        let load = match self.figures.killed {
            0 => format!("{processes}, {:.1} s", self.figures.seconds),
            killed => format!("{processes}, {:.1} s, {killed} killed", self.figures.seconds),
        };
        let operations = format!(
            "{}, {:.0} a second; {} to {} per process",
            self.figures.operations,
            self.figures.operations_per_second,
            self.figures.per_process.least,
            self.figures.per_process.most
        );
        let mut pairs = vec![
            ("directory", place),
            ("load", load),
            ("operations", operations),
            ("errors", self.errors_in_words()),
            ("lost", self.figures.lost.to_string()),
            ("corrupt copies", self.figures.corrupt_copies.to_string()),
            ("integrity", self.figures.integrity.clone()),
        ];
        pairs.extend(self.board.iter().map(|board| ("board", board.display().to_string())));
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        page.pairs(&pairs);
        page.blank();
        let names = ["COUNT", "P50", "P95", "P99", "MAX"].map(|name| TextColumn::fixed(name).right());
        let mut table = TextTable::new([TextColumn::fixed("MICROSECONDS")].into_iter().chain(names));
        for (operation, times) in &self.figures.latency_us {
            let figures = [times.p50, times.p95, times.p99, times.max].map(|micros| micros.to_string());
            let cells = [(*operation).to_owned(), times.count.to_string()].into_iter().chain(figures);
            table.row(cells.map(|cell| (Label::Text, cell)));
        }
        page.table(&table);
    }

    fn plain(&self, records: &mut Records<'_>) {
        records.record(&["verdict", self.verdict.name()]);
        for sentence in &self.sentences {
            records.record(&["says", sentence]);
        }
        records.record(&["directory", &self.directory.display().to_string()]);
        records.record(&["filesystem", &self.filesystem]);
        records.record(&["journal_mode", self.journal_mode.name()]);
        records.record(&["processes", &self.processes.to_string()]);
        records.record(&["seconds", &format!("{:.1}", self.figures.seconds)]);
        records.record(&["killed", &self.figures.killed.to_string()]);
        records.record(&["operations", &self.figures.operations.to_string()]);
        records.record(&["operations_per_second", &format!("{:.1}", self.figures.operations_per_second)]);
        records.record(&["errors", &self.figures.errors.to_string()]);
        for (kind, count) in &self.figures.errors_by_kind {
            records.record(&["error", kind, &count.to_string()]);
        }
        records.record(&["lost", &self.figures.lost.to_string()]);
        records.record(&["corrupt_copies", &self.figures.corrupt_copies.to_string()]);
        records.record(&["integrity", &self.figures.integrity]);
        records.record(&[
            "per_process",
            &self.figures.per_process.least.to_string(),
            &self.figures.per_process.most.to_string(),
        ]);
        for (operation, times) in &self.figures.latency_us {
            let figures = [times.p50, times.p95, times.p99, times.max].map(|micros| micros.to_string());
            let [p50, p95, p99, max] = &figures;
            records.record(&["latency", operation, &times.count.to_string(), p50, p95, p99, max]);
        }
        if let Some(board) = &self.board {
            records.record(&["board", &board.display().to_string()]);
        }
    }
}
