//! `kanbanctl health`: what is wrong with the board, without changing it. How that is shown is told by `report`.

mod report;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use self::report::{AllHealth, Checked, Measured, figures};
use super::context::PoolSettings;
use super::{Context, explain, page_map, values};
use crate::board::holders::{self, Identity, Onlooker, ProcessTable};
use crate::board::{Board, FileState, Inspection, copies};
use crate::copies::page_map::Map;
use crate::failure::exit::Exit;
use crate::failure::hint;
use crate::failure::{Failure, Outcome};
use crate::health::checks::{self, BytesLook, CheckTerms, Subject, compare_looks};
use crate::health::{Acknowledged, Depth, Finding, Severity, Verdict, weigh};
use crate::pool::{Lines, Pool};
use crate::ui::prom::MetricValues;
use crate::ui::{Format, nagios, prom};
use crate::work::threads;

/// Check a board without changing it.
///
/// Plain records, for each board: verdict WORD BOARD PATH, then one for each finding, the worst first: SEVERITY ID SUBJECT
/// MESSAGE NEXT-COMMAND, with error, warning or info for the severity; with --map also map USE FIRST-PAGE LAST-PAGE.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How deep to look.
    #[arg(long, value_enum, default_value = "quick", value_name = "DEPTH")]
    depth: Depth,
    /// Draw what every page of the file is for.
    #[arg(long)]
    map: bool,
    /// Say what a finding means instead of looking.
    #[arg(long, value_name = "ID")]
    explain: Option<String>,
    /// Take a finding, or the one about SUBJECT, for known: it is information and does not decide the verdict.
    #[arg(long, value_name = "ID[:SUBJECT]")]
    ignore: Vec<String>,
    /// Take every finding of this earlier report for known (the output of health --json).
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Warn where the newest backup beside the board is older than this, such as 26h or 7d, or where there is none.
    #[arg(long, value_name = "DUR", value_parser = values::duration, allow_negative_numbers = true)]
    max_backup_age: Option<Duration>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 10 where no board is, 6 when it could not be looked at at all.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    if let Some(id) = &args.explain {
        return explain::run(context, id);
    }
    if args.map && context.ui.format().is_monitoring() {
        return Err(Failure::usage("--map is for people and for --json, not for --format nagios or prom."));
    }
    let checked = match check_all(context, args) {
        Err(failure)
            if context.ui.format() == Format::Nagios && !matches!(failure.exit(), Exit::Interrupted(_)) =>
        {
            // A plug-in that cannot look is UNKNOWN, on stdout, whatever the reason.
            let line = nagios::render(failure.exit(), &[], Some(&failure.to_string()));
            context.ui.raw(&line)?;
            return Ok(Exit::Monitored(failure.exit().nagios()));
        }
        Err(failure)
            if context.ui.format() == Format::Prom && !matches!(failure.exit(), Exit::Interrupted(_)) =>
        {
            return without_board(context, &failure);
        }
        other => other?,
    };
    let exit = checked.iter().fold(Exit::Ok, |worst, board| worst.merge(board.exit));
    match context.ui.format() {
        Format::Nagios => {
            let figures: Vec<MetricValues> = checked.iter().map(figures).collect();
            let reason =
                checked.iter().flat_map(|board| &board.findings).max_by_key(|finding| finding.severity);
            let reason = reason.filter(|finding| finding.severity > Severity::Info);
            let line = nagios::render(exit, &figures, reason.map(|finding| finding.message.as_str()));
            context.ui.raw(&line)?;
            return Ok(Exit::Monitored(exit.nagios()));
        }
        Format::Prom => {
            let figures: Vec<MetricValues> = checked.iter().map(figures).collect();
            context.ui.raw(&prom::render(&figures, context.clock.epoch(), rusqlite::version()))?;
        }
        _ => emit(context, checked)?,
    }
    Ok(exit)
}

/// Write what was found: everything where it was asked for, else what asks for attention. A healthy board then leaves
/// stdout empty, so that cron sends no mail.
fn emit(context: &mut Context<'_>, mut checked: Vec<Checked>) -> Outcome<()> {
    let settings = context.ui.settings();
    let wants_all = settings.format_chosen || settings.output.is_some() || settings.verbose > 0;
    if !wants_all {
        for board in &mut checked {
            board.findings.retain(|finding| finding.severity > Severity::Info);
        }
        let (quiet, loud) = checked.into_iter().partition::<Vec<_>, _>(Checked::has_nothing_to_say);
        for board in quiet {
            context.ui.success(format_args!("{}: {}", board.path, board.verdict.word()));
        }
        checked = loud;
    }
    if context.globals.all_boards {
        return if checked.is_empty() && !wants_all { Ok(()) } else { context.ui.emit(&AllHealth(checked)) };
    }
    checked.iter().try_for_each(|board| context.ui.emit(board))
}

/// The metrics where no board could be looked at: that is said in them, or a file of them would keep what was true before.
fn without_board(context: &mut Context<'_>, failure: &Failure) -> Outcome<Exit> {
    let board = context.chosen.as_ref().map(Board::name);
    let gone = |board: String| MetricValues {
        board,
        verdict: Verdict::Unchecked.word().to_owned(),
        is_present: failure.exit() != Exit::NoBoard,
        ..MetricValues::default()
    };
    let figures: Vec<MetricValues> = board.clone().map(gone).into_iter().collect();
    context.ui.raw(&prom::render(&figures, context.clock.epoch(), rusqlite::version()))?;
    let root = || "under the root".to_owned();
    context.ui.setback(&board.unwrap_or_else(root), failure);
    Ok(failure.exit())
}

/// The named board, or every board under the root; there one that cannot be looked at does not hide the others.
fn check_all(context: &mut Context<'_>, args: &Args) -> Outcome<Vec<Checked>> {
    let known = acknowledged(args)?;
    let terms = CheckTerms {
        max_backup_age: args.max_backup_age,
        ..CheckTerms::new(args.depth, context.clock.epoch())
    };
    if !context.globals.all_boards {
        let board = context.board()?;
        let checked = board.inspect().and_then(|seen| check(context, &seen, terms, &known, args.map));
        return Ok(vec![checked.or_else(|failure| unchecked(&board, args.depth, failure))?]);
    }
    let boards = context.every_board()?;
    let processes = ProcessTable::read()?;
    if args.map {
        // The map is drawn from a reading of its own, which shows how far it is.
        let mut all = Vec::new();
        for board in &boards {
            let judged = board.inspect().and_then(|seen| {
                let bytes = bytes_of(&seen, terms, Some(&processes))?;
                let map = page_map::take(context, &bytes.subject.inspection.resolved)?;
                judge(&context.pool_settings(), bytes, &known, map)
            });
            all.push(answered(board, args.depth, judged)?);
        }
        return Ok(all);
    }
    on_every_core(context, &boards, terms, &known, &processes)
}

/// Checks many boards, as many at once as there are cores. Boards that are one file under several names come one after the
/// other: closing a file takes all locks of a process on it.
fn on_every_core(
    context: &mut Context<'_>,
    boards: &[Board],
    terms: CheckTerms,
    known: &Acknowledged,
    processes: &ProcessTable,
) -> Outcome<Vec<Checked>> {
    let files: HashSet<_> = boards.iter().filter_map(|board| Identity::of(&board.path)).map(place).collect();
    let there = boards.iter().filter(|board| board.path.exists()).count();
    let threads = if files.len() == there { threads::cores() } else { 1 };
    let (settings, signals) = (context.pool_settings(), context.signals.clone());
    let at_once = u64::try_from(threads).unwrap_or(1);
    let look = |number: usize| {
        // Each board's remarks stay together.
        let fresh = |lines: &Option<Lines>| lines.as_ref().map(|_| Lines::default());
        let pools = PoolSettings {
            statements: fresh(&settings.statements),
            details: fresh(&settings.details),
            notes: Lines::default(),
            onlooker: Onlooker::default(),
            at_once,
            ..settings.clone()
        };
        let Some(board) = boards.get(number) else {
            return (pools, Err(Failure::failed("there is no such board.")));
        };
        if let Some(signal) = signals.received() {
            return (pools, Err(Failure::new(Exit::Interrupted(signal), "ended.")));
        }
        let bytes = board.inspect().and_then(|seen| bytes_of(&seen, terms, Some(processes)));
        let judged = bytes.and_then(|bytes| judge(&pools, bytes, known, None));
        (pools, judged)
    };
    let progress = context.ui.progress("Checking boards", boards.len() as u64);
    let mut all = Vec::new();
    let done = threads::in_order(boards.len(), threads, look, |number, (pools, judged)| {
        settings.notes.extend(&pools.notes);
        for (to, from) in [(&settings.details, pools.details), (&settings.statements, pools.statements)] {
            if let (Some(to), Some(from)) = (to, from) {
                to.extend(&from);
            }
        }
        if let Some(board) = boards.get(number) {
            all.push(answered(board, terms.depth, judged)?);
        }
        progress.update(number as u64 + 1, boards.len() as u64);
        Ok(())
    });
    drop(progress);
    done.map(|()| all)
}

/// Which file it is, as a key.
fn place(identity: Identity) -> (u64, u64) {
    (identity.dev, identity.ino)
}

/// One of several boards: only a signal ends the look at the others.
fn answered(board: &Board, depth: Depth, judged: Outcome<Checked>) -> Outcome<Checked> {
    match judged {
        Ok(checked) => Ok(checked),
        Err(failure) if matches!(failure.exit(), Exit::Interrupted(_)) => Err(failure),
        Err(failure) => Ok(not_seen(board, depth, &failure)),
    }
}

/// What the operator knows of.
fn acknowledged(args: &Args) -> Outcome<Acknowledged> {
    let mut known = Acknowledged::default();
    for given in &args.ignore {
        known.add(given).map_err(|reason| {
            Failure::usage(format!("--ignore {given}: {reason}."))
                .hint("Name an id as health prints it, and the subject behind a colon.")
        })?;
    }
    if let Some(file) = &args.baseline {
        let report = std::fs::read_to_string(file).map_err(|error| {
            Failure::io(error, format!("reading {}", file.display())).with_exit(Exit::Usage)
        })?;
        known.add_report(&report).map_err(|reason| {
            Failure::usage(format!("--baseline {}: {reason}.", file.display()))
                .hint("Write one with `kanbanctl health --json -o FILE`.")
        })?;
    }
    Ok(known)
}

/// A board that could not be looked at; a missing one and a signal stay failures.
fn unchecked(board: &Board, depth: Depth, failure: Failure) -> Outcome<Checked> {
    if matches!(failure.exit(), Exit::NoBoard | Exit::Interrupted(_)) {
        return Err(failure);
    }
    Ok(not_seen(board, depth, &failure))
}

/// What kept us from looking, and where its cause is to be found.
fn out_of_reach(path: &Path, failure: &Failure) -> Finding {
    let next = match failure.exit() {
        Exit::Busy => "kanbanctl health".to_owned(),
        Exit::Failed => "dmesg".to_owned(),
        _ => format!("ls -ld {}*", hint::quoted(path)),
    };
    Finding::new("unreadable", Severity::Warning, path.display().to_string(), failure.to_string()).next(next)
}

/// The entry of a board that could not be looked at.
fn not_seen(board: &Board, depth: Depth, failure: &Failure) -> Checked {
    let path = board.path.display().to_string();
    let mut finding = out_of_reach(&board.path, failure);
    finding.next = board.aim().line(&finding.next);
    Checked {
        verdict: Verdict::Unchecked,
        exit: Exit::Unchecked,
        findings: vec![finding],
        board: board.name(),
        path,
        origin: board.origin.to_string(),
        depth,
        filesystem: String::new(),
        journal_mode: None,
        counts: serde_json::Map::new(),
        wal_frames_pending: 0,
        map: None,
        measured: Measured::default(),
    }
}

/// Up to this many bytes the overview reads the whole board; of a larger one it takes a first look.
const WHOLE_AT_A_GLANCE: u64 = 16 << 20;

/// What the overview needs of a check.
pub(super) struct Glance {
    /// The answer in one word.
    pub(super) verdict: Verdict,
    /// The worst finding, when it is worse than information.
    pub(super) finding: Option<Finding>,
    /// Rows by table.
    pub(super) counts: serde_json::Map<String, serde_json::Value>,
    /// False where only a first look was taken.
    pub(super) is_whole: bool,
}

/// A quick check for the overview.
pub(super) fn glance(context: &mut Context<'_>, inspection: &Inspection) -> Outcome<Glance> {
    let depth = if inspection.bytes_on_disk() > WHOLE_AT_A_GLANCE { Depth::First } else { Depth::Quick };
    let terms = CheckTerms::new(depth, context.clock.epoch());
    let checked = check(context, inspection, terms, &Acknowledged::default(), false)?;
    let finding = checked.findings.into_iter().next().filter(|finding| finding.severity > Severity::Info);
    let is_whole = depth == Depth::Quick;
    Ok(Glance { verdict: checked.verdict, finding, counts: checked.counts, is_whole })
}

/// Everything about one board: bytes first, then the rows on the one connection.
fn check(
    context: &mut Context<'_>,
    inspection: &Inspection,
    terms: CheckTerms,
    known: &Acknowledged,
    wants_map: bool,
) -> Outcome<Checked> {
    let bytes = bytes_of(inspection, terms, None)?;
    // Bytes come before SQLite: nothing opens the file while the connection is held.
    let map = if wants_map { page_map::take(context, &bytes.subject.inspection.resolved)? } else { None };
    let progress = context.ui.progress("Checking pages", 0);
    let judged = judge(&context.pool_settings(), bytes, known, map);
    drop(progress);
    judged
}

/// What can be seen of a board without SQLite.
fn bytes_of(
    inspection: &Inspection,
    terms: CheckTerms,
    processes: Option<&ProcessTable>,
) -> Outcome<BytesLook> {
    let nothing_there =
        matches!(inspection.state, FileState::Missing | FileState::Empty) && !inspection.leftovers();
    if nothing_there && !is_in_hands(inspection) {
        inspection.require_sqlite()?;
    }
    let mut bytes = checks::look_at_bytes(inspection.clone(), terms, processes)?;
    if terms.depth == Depth::Full && bytes.settled {
        bytes.subject = bytes.subject.with_contents()?;
        bytes.findings = checks::before_opening(&bytes.subject);
    }
    Ok(bytes)
}

/// The whole check of one board for a report: what kept it from being looked at is a finding.
///
/// # Errors
/// The signal's when one arrives.
pub(super) fn examine(
    context: &mut Context<'_>,
    inspection: &Inspection,
) -> Outcome<(Verdict, Vec<Finding>)> {
    let terms = CheckTerms::new(Depth::Full, context.clock.epoch());
    let checked = match check(context, inspection, terms, &Acknowledged::default(), false) {
        Err(failure) if matches!(failure.exit(), Exit::Interrupted(_)) => return Err(failure),
        Err(failure) => not_seen(&inspection.board, Depth::Full, &failure),
        Ok(checked) => checked,
    };
    Ok((checked.verdict, checked.findings))
}

/// Whether the whole of SQLite's check and every other find nothing that is an error; the copies beside the board are not
/// looked into.
///
/// # Errors
/// The signal's when one arrives, and when the board's surroundings cannot be read.
pub(super) fn is_sound(context: &mut Context<'_>, inspection: &Inspection) -> Outcome<bool> {
    let bytes =
        checks::look_at_bytes(inspection.clone(), CheckTerms::new(Depth::Full, context.clock.epoch()), None)?;
    let checked = judge(&context.pool_settings(), bytes, &Acknowledged::default(), None)?;
    Ok(matches!(checked.verdict, Verdict::Healthy | Verdict::Degraded))
}

fn judge(pools: &PoolSettings, bytes: BytesLook, known: &Acknowledged, map: Option<Map>) -> Outcome<Checked> {
    let BytesLook { subject, mut findings, settled } = bytes;
    let (inspection, depth, subject) = (&subject.inspection, subject.terms.depth, &subject);
    let mut seen = CheckedBoard { looked: settled, ..CheckedBoard::default() };
    // Beside a log that does not belong, SQLite would answer for another board.
    let is_readable = inspection.header().is_some() && !findings.iter().any(checks::is_stray);
    if is_readable {
        let looked = look(pools, inspection.clone(), subject, &mut seen, &mut findings);
        match looked {
            Ok(()) => {}
            Err(failure) if matches!(failure.exit(), Exit::Interrupted(_)) => return Err(failure),
            Err(failure) if failure.is_damage() => findings.push(
                Finding::new("unreadable", Severity::Error, shown(inspection), failure.to_string())
                    .next("kanbanctl recover --dry-run"),
            ),
            Err(failure) => {
                seen.looked = false;
                findings.push(out_of_reach(&inspection.resolved, &failure));
            }
        }
    }
    known.apply(&mut findings);
    weigh(&mut findings);
    let aim = inspection.board.aim();
    for finding in &mut findings {
        finding.next = aim.line(&finding.next);
    }
    let verdict = Verdict::of(&findings, seen.looked);
    Ok(Checked {
        verdict,
        exit: verdict.exit(),
        findings,
        board: inspection.board.name(),
        path: shown(inspection),
        origin: inspection.board.origin.to_string(),
        depth,
        filesystem: subject.filesystem.kind.clone(),
        journal_mode: seen.journal_mode,
        counts: seen.counts.into_iter().map(|(name, count)| (name, count.into())).collect(),
        wal_frames_pending: subject.waiting.map_or(0, |waiting| waiting.pending),
        map,
        measured: measured(subject, seen.tasks),
    })
}

/// What monitoring asks for besides findings.
fn measured(subject: &Subject, tasks: Vec<(String, i64)>) -> Measured {
    let inspection = &subject.inspection;
    let header = inspection.header();
    Measured {
        board_bytes: inspection.stamp.map(|stamp| stamp.len),
        wal_bytes: Some(inspection.sidecars.wal.as_ref().map_or(0, |wal| wal.stamp.len)),
        free_bytes: subject.filesystem.free_bytes,
        copies: u64::try_from(subject.copies.count).ok(),
        newest_backup: copies::newest_own(&inspection.resolved),
        user_version: header.map(|header| i64::from(header.user_version)),
        writer: header.map(|header| i64::from(header.sqlite_version)),
        tasks,
    }
}

/// Whether a living process still has a file of the board that is gone.
fn is_in_hands(inspection: &Inspection) -> bool {
    let found = holders::look(&inspection.board.path, &inspection.resolved);
    found.is_ok_and(|holders| holders.of_apart().next().is_some())
}

/// What the connection said besides findings.
#[derive(Debug)]
struct CheckedBoard {
    looked: bool,
    journal_mode: Option<String>,
    counts: Vec<(String, i64)>,
    tasks: Vec<(String, i64)>,
}

impl Default for CheckedBoard {
    fn default() -> Self {
        Self { looked: true, journal_mode: None, counts: Vec::new(), tasks: Vec::new() }
    }
}

fn look(
    pools: &PoolSettings,
    inspection: Inspection,
    subject: &Subject,
    seen: &mut CheckedBoard,
    findings: &mut Vec<Finding>,
) -> Outcome<()> {
    let mut pool = pools.reader_for_long(inspection)?;
    let outcome = questions(&mut pool, subject, seen, findings);
    let closed = pool.close();
    outcome.and(closed)
}

/// What has been found stays found when a later question cannot be answered.
fn questions(
    pool: &mut Pool,
    subject: &Subject,
    seen: &mut CheckedBoard,
    findings: &mut Vec<Finding>,
) -> Outcome<()> {
    let said = pool.read(crate::store::audit::journal_mode)?;
    // A file read as immutable answers `delete` whatever its header records.
    seen.journal_mode = Some(if subject.inspection.is_wal() { "wal".to_owned() } else { said });
    let ask = |connection: &Connection| checks::integrity(connection, subject);
    let first = pool.read(ask)?;
    let second = if first.is_empty() {
        Vec::new()
    } else {
        pool.rest();
        pool.read(ask)?
    };
    let (found, still) = compare_looks(&first, &second, &shown(&subject.inspection));
    findings.extend(found);
    if !still {
        seen.looked = false;
        findings.push(
            Finding::new(
                "integrity",
                Severity::Warning,
                shown(&subject.inspection),
                "two looks gave different answers: the board is changing under us.",
            )
            .next("kanbanctl health"),
        );
    }
    findings.extend(pool.read(|connection| checks::after_opening(connection, subject))?);
    if subject.terms.depth != Depth::First {
        seen.counts = pool.read(crate::store::audit::counts)?;
        seen.tasks = pool.read(crate::store::audit::tasks_by_status)?;
    }
    Ok(())
}

fn shown(inspection: &Inspection) -> String {
    inspection.resolved.display().to_string()
}
