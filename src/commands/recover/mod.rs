//! `kanbanctl recover`: every row that is left, from every place, verified, into the board's place or a new file.

mod install;
pub(crate) mod is_up_to_date;
mod report;
mod undo;

use std::path::{Path, PathBuf};

use self::report::Recovered;
use super::progress::Bars;
use super::values::{self, Moment};
use super::{Context, page_map};
use crate::board::holders::{self, Completeness, Holders};
use crate::board::{Board, Inspection, generation};
use crate::failure::count::counted;
use crate::failure::exit::Exit;
use crate::failure::hint;
use crate::failure::{Failure, Outcome};
use crate::install::{evidence, target};
use crate::recover;
use crate::salvage::source;
use crate::salvage::source::deleted_wal;
use crate::salvage::source::deleted_wal::DeletedWal;
use crate::salvage::source::replica;

/// Bring back every row that is left.
///
/// Reads the board, its WAL, every .corrupt copy beside it and its own backups page by page, without opening any of them
/// through SQLite, merges what they hold, and builds a new file that is checked. That file is then written into the
/// board's own, as one transaction, with copies of what was there kept beside it: refused (12) while anybody has the
/// board open, and asked for on a terminal. A sound board is left unchanged when there is nothing to add (0). With --output it becomes a file of its own and the board is not touched;
/// with --dry-run nothing is written. --undo puts back what the last recover, restore or repair replaced.
///
/// Plain records, by their first word: source PATH COPIES ROWS DAMAGED-PAGES, read-as PATH HOW, table NAME RECOVERED LOST
/// SUSPECT ONLY-OLDER STALE, lost|missing|stale|partial|conflicting TABLE ROWID TASK TITLE, two-versions TABLE ROW,
/// partial-rows PATH, dropped NAME, foreign PATH ROWS, unread PATH REASON; with --dry-run also map USE FIRST-PAGE
/// LAST-PAGE. --undo: BOARD FROM TAKEN-AT EVIDENCE.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// More files to take rows from, besides the board and its backups, or the directory of a Litestream replica.
    #[arg(value_name = "SOURCE", conflicts_with = "undo")]
    sources: Vec<PathBuf>,
    /// Read replicas up to this moment: a date, RFC 3339, @SECONDS, or how long ago, such as 2h.
    #[arg(long, value_name = "TIME", value_parser = values::moment, requires = "sources", conflicts_with = "undo")]
    at: Option<Moment>,
    /// Build this file, which must not exist, and leave the board alone.
    #[arg(long, value_name = "NEW.db", conflicts_with = "undo")]
    output: Option<PathBuf>,
    /// A process that holds a deleted log of this board; those that are found without being named are read too.
    #[arg(long, value_name = "PID", conflicts_with = "undo")]
    from_pid: Vec<u32>,
    #[command(flatten)]
    extent: RecoverExtent,
    /// Put back what the last install replaced.
    #[arg(long)]
    undo: bool,
    /// Install where it cannot be proven that no other process has the board open; never beside a process that was found.
    #[arg(long, conflicts_with = "output")]
    assume_unused: bool,
}

/// How much comes back, and how much is told.
#[derive(Debug, clap::Args)]
struct RecoverExtent {
    /// Bring back also rows that only an older copy, an earlier frame of the log, or an unused part of a page has.
    #[arg(long, conflicts_with = "undo")]
    include_older: bool,
    /// Bring back also the rows of this file, which is another board's.
    #[arg(long, value_name = "FILE", conflicts_with = "undo")]
    include_foreign: Vec<PathBuf>,
    /// Say of every row where it is from, in JSON: source, page, cell, confidence.
    #[arg(long, conflicts_with = "undo")]
    provenance: bool,
}

/// The command that hints from below give to build a file instead.
const BUILD: &str = "`kanbanctl recover --output NEW.db`";

/// What was named on the command line.
struct NamedSources {
    /// Files, and directories of replicas.
    files: Vec<PathBuf>,
    /// Up to when replicas are read, Unix seconds.
    until: Option<i64>,
    /// Where replicas are restored to.
    scratch: PathBuf,
}

/// What `args` name; a moment only with a replica that it is for.
fn named(context: &Context<'_>, args: &Args) -> Outcome<NamedSources> {
    let files = args.named();
    if args.at.is_some() && !files.iter().any(|path| replica::is_replica(path)) {
        return Err(Failure::usage("--at is for the directory of a Litestream replica, and none is named."));
    }
    let until = args.at.map(|at| at.at(context.clock.epoch()));
    Ok(NamedSources { files, until, scratch: context.scratch() })
}

impl Args {
    /// Every file that was named.
    fn named(&self) -> Vec<PathBuf> {
        self.sources.iter().chain(&self.extent.include_foreign).cloned().collect()
    }

    /// The same recovery without its destination, to be pasted: without what it was told to read it would be another.
    fn again(&self) -> String {
        let mut words = vec!["kanbanctl recover".to_owned()];
        words.extend(self.extent.include_older.then(|| "--include-older".to_owned()));
        words.extend(
            self.extent
                .include_foreign
                .iter()
                .map(|file| format!("--include-foreign {}", hint::quoted(absolute(file)))),
        );
        words.extend(self.at.map(|at| match at {
            Moment::At(seconds) => format!("--at @{seconds}"),
            Moment::Ago(span) => format!("--at {}s", span.as_secs()),
        }));
        words.extend(self.from_pid.iter().map(|pid| format!("--from-pid {pid}")));
        words.extend(self.sources.iter().map(|source| hint::quoted(absolute(source))));
        words.join(" ")
    }
}

/// As it is found from any directory.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

impl RecoverExtent {
    fn options(&self, scratch: PathBuf) -> recover::RecoverOptions {
        let (include_older, provenance) = (self.include_older, self.provenance);
        recover::RecoverOptions { include_older, provenance, ..recover::RecoverOptions::new(scratch) }
    }
}

/// Runs the verb.
///
/// # Errors
/// Exit 10 when there is nothing to read, 11 and 12 when nothing may be installed, 4 when nothing can be read.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let board = context.board()?;
    if args.undo {
        return undo::run(context, args, &board);
    }
    source::require_there(&args.sources)?;
    source::require_there(&args.extent.include_foreign)?;
    match &args.output {
        Some(output) => {
            if context.globals.create_dirs && !context.globals.dry_run {
                crate::newfile::create_directory_of(output)?;
            }
            crate::newfile::require_destination(output)?;
            build(
                context,
                args,
                &board,
                Some(output).filter(|_| !context.globals.dry_run).map(PathBuf::as_path),
            )
        }
        None if context.globals.dry_run => build(context, args, &board, None),
        // Hints from below know nothing of what was named on the command line.
        None => install::run(context, args, &board)
            .map_err(|failure| failure.instead(BUILD, &format!("`{} --output NEW.db`", args.again()))),
    }
}

/// What a recovery would make of a board.
pub(super) struct Rehearsal {
    /// Every file that rows could come from.
    pub(super) found: source::Discovered,
    /// What would come back; the failure where nothing can be read.
    pub(super) report: Outcome<recover::Report>,
}

/// Recovers the board that was `seen`, with what `named` files and living processes hold, and writes nothing.
///
/// # Errors
/// Exit 10 where there is nothing to read, and the signal's when one arrives.
pub(super) fn rehearse(
    context: &mut Context<'_>,
    seen: &Inspection,
    named: &[PathBuf],
) -> Outcome<Rehearsal> {
    source::require_there(named)?;
    let held = in_hands(seen, &holders::scan(seen)?, &[])?;
    let mut bars = Bars::new(context.ui, context.signals.clone());
    let named = NamedSources { files: named.to_vec(), until: None, scratch: context.scratch() };
    let found = discover(seen, named, held, &mut bars)?;
    let options = recover::RecoverOptions::new(context.scratch());
    match recover::recover(&found.sources, None, &options, &mut bars) {
        Err(failure) if matches!(failure.exit(), Exit::Interrupted(_)) => Err(failure),
        report => Ok(Rehearsal { found, report }),
    }
}

/// Builds a file of its own, or only says what would come back.
fn build(context: &mut Context<'_>, args: &Args, board: &Board, output: Option<&Path>) -> Outcome<Exit> {
    let seen = board.inspect()?;
    let holders = holders::scan(&seen)?;
    let held = in_hands(&seen, &holders, &args.from_pid)?;
    say_who_goes_on_writing(context, &holders);
    let installable = args.output.is_some() || !say_what_stands_in_the_way(context, &seen);
    let named = named(context, args)?;
    let mut bars = Bars::new(context.ui, context.signals.clone());
    let found = discover(&seen, named, held, &mut bars)?;
    let options = args.extent.options(scratch(output, context.scratch()));
    let report = recover::recover(&found.sources, output, &options, &mut bars)?;
    drop(bars);
    let rehearsal = context.globals.dry_run;
    let map = if rehearsal { page_map::take(context, &seen.resolved)? } else { None };
    let already = args.output.is_none() && is_up_to_date::is_so(context, board, &report)?;
    let recovered = Recovered {
        board: board.name(),
        path: seen.resolved.display().to_string(),
        dry_run: context.globals.dry_run,
        already,
        report,
        unread_sources: found.unread,
        processes_seen: holders.complete,
        map,
    };
    context.ui.emit(&recovered)?;
    if let Some(output) = output {
        let rows = counted(recovered.report.recovered(), "row is", "rows are");
        context.ui.status(format_args!("{rows} in {}; the board was not touched.", output.display()));
    }
    let exit = exit(context, args, &recovered);
    match output {
        None if already => say_already(context, &recovered),
        Some(output) => {
            let path = hint::quoted(absolute(output));
            context.ui.hint(format_args!("Look at it with `kanbanctl --db {path} health --depth full`."));
            say_how_it_is_installed(context, args, &recovered, &path);
        }
        None if args.output.is_some() => context.ui.status("Dry run: nothing was written."),
        None if has_held(&recovered) => context.hint(format_args!(
            "Some of it ends with the processes that hold it: save it with `{} --output NEW.db` before they are stopped.",
            args.again()
        )),
        None if !installable => context.hint(format_args!(
            "Build a file of its own with `{} --output NEW.db`.",
            args.again()
        )),
        None => {
            let again = args.again();
            context.hint(format_args!(
                "Install it with `{again}`, or build a file of its own with `{again} --output NEW.db`."
            ));
        }
    }
    say_verdict(context, &recovered);
    Ok(exit)
}

/// End with one sentence, the same for a dry run and a real one.
fn say_verdict(context: &mut Context<'_>, recovered: &Recovered) {
    context.ui.status(recover::verdict(&recovered.report, recovered.already));
}

/// Whether some of it is only in the hands of living processes.
fn has_held(recovered: &Recovered) -> bool {
    recovered.report.sources.iter().any(|source| source.kind == source::SourceKind::Held)
}

/// The way from the new file, whose `path` is quoted, to the board's place. What processes held is only in that file once
/// they have ended; otherwise the sources still give the same.
fn say_how_it_is_installed(context: &mut Context<'_>, args: &Args, recovered: &Recovered, path: &str) {
    if has_held(recovered) {
        context.hint(format_args!(
            "Stop the processes that hold the board only now; then put the new file in its place with `kanbanctl restore \
             {path}`."
        ));
    } else if args.sources.is_empty() {
        context
            .hint("Put the same in the board's place with `kanbanctl recover`, when no process has it open.");
    }
}

fn say_already(context: &mut Context<'_>, recovered: &Recovered) {
    context.ui.status(format_args!("The board is as it was; nothing was changed: {}.", recovered.path));
}

/// Where what does not fit memory goes: beside the result, which has to have room anyway.
fn scratch(output: Option<&Path>, otherwise: PathBuf) -> PathBuf {
    output.map_or(otherwise, |output| crate::newfile::directory(output).to_path_buf())
}

/// The sources: with what living processes hold, and with the evidence of installs that did not end, which is what those
/// may have had in their hands.
fn discover(
    seen: &Inspection,
    named: NamedSources,
    held: DeletedWal,
    bars: &mut Bars<'_>,
) -> Outcome<source::Discovered> {
    let NamedSources { files, until, scratch } = named;
    let (replicas, mut named): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|path| replica::is_replica(path));
    let (mut more, mut unread) = (held.sources, held.unread);
    let mut restored = Vec::new();
    for root in replicas {
        let sources = replica::sources(&root, until, &scratch)?;
        unread.extend(sources.unread);
        for (source, state) in sources.found {
            more.push(source);
            restored.push(state);
        }
    }
    more.extend(replica::shadow_logs(&seen.resolved)?);
    let interrupted = evidence::list(&seen.resolved).unwrap_or_default();
    named.extend(
        interrupted.iter().filter(|set| !set.finished && set.has_begun()).filter_map(|set| set.copy_of("")),
    );
    let mut found = match source::discover(&seen.resolved, &named, bars) {
        Err(failure) if failure.exit() == Exit::NoBoard && !more.is_empty() => source::Discovered::default(),
        other => other?,
    };
    found.sources.extend(more);
    source::separate(&mut found)?;
    found.unread.extend(unread);
    found.restored = restored;
    Ok(found)
}

/// 5 when something is lost, with a word about it and about what may be altered.
fn exit(context: &mut Context<'_>, args: &Args, recovered: &Recovered) -> Exit {
    let (partial, unread) = (recovered.report.is_partial(), recovered.unread_sources.len());
    let uncounted = recovered.report.uncounted_pages();
    if uncounted > 0 {
        context.ui.warning(format_args!(
            "{} missing, and with them the schema that says what was there: lost rows could not be counted.",
            counted(uncounted, "page of the board is", "pages of the board are")
        ));
    } else if recovered.report.lost_frames() > 0 {
        context.ui.warning(format_args!(
            "{} not what the checksum says: what was written there is missing or may be altered, and could not be counted.",
            counted(recovered.report.lost_frames(), "frame of the log is", "frames of the log are")
        ));
    } else if partial {
        context.ui.warning("Some rows did not come back, or may be out of date; the report names them.");
    }
    if unread > 0 {
        context.ui.warning(format_args!(
            "{} named above; what only they hold is not in the result.",
            counted(unread as u64, "source could not be read and is", "sources could not be read and are")
        ));
    }
    let suspect: u64 = recovered.report.tables.values().map(|table| table.suspect).sum();
    if suspect > 0 {
        context.ui.warning(format_args!(
            "{} back with a value or in a place that is unlikely, and may have been altered.",
            counted(suspect, "row came", "rows came")
        ));
        // What was installed is on the board, whatever it came from.
        let again = if recovered.report.installed { "kanbanctl recover".to_owned() } else { args.again() };
        context.hint(format_args!(
            "`{again} --dry-run --provenance --json` names them under `suspects`, and says of every row where it is from."
        ));
    }
    if partial || unread > 0 { Exit::Partial } else { Exit::Ok }
}

/// A rehearsal runs where an install would be refused, and says so; returns whether it would be.
fn say_what_stands_in_the_way(context: &mut Context<'_>, seen: &Inspection) -> bool {
    let Err(failure) = target::require_installable(seen) else { return false };
    context.ui.warning(format_args!("It could not be installed: {failure}"));
    for hint in failure.hints() {
        context.hint(hint);
    }
    true
}

/// What living processes hold of the board under no name of its own. A process that was named must hold something.
fn in_hands(inspection: &Inspection, holders: &Holders, named: &[u32]) -> Outcome<DeletedWal> {
    let mut generations = generation::all(holders);
    for &pid in named {
        if generations.iter().any(|generation| generation.pid == pid) {
            continue;
        }
        let more = generation::of_process(pid, inspection)?;
        if more.is_empty() {
            return Err(Failure::not_found(format!("process {pid} holds no deleted file of this board."))
                .hint("`kanbanctl health` names the processes that do.")
                .at(&inspection.resolved));
        }
        generations.extend(more);
    }
    Ok(deleted_wal::sources(&generations, &inspection.resolved))
}

/// Later commits of processes that have the board open are not in the result; they should know.
fn say_who_goes_on_writing(context: &mut Context<'_>, holders: &Holders) {
    if let Completeness::Partial { reason } = &holders.complete {
        context.ui.warning(format_args!(
            "Not every process could be seen, and commits that only such a process has are not in the result: {reason}."
        ));
    }
    for holder in holders.of_database() {
        let who =
            holder.pid.map_or_else(|| "somebody".to_owned(), |pid| format!("pid {pid} ({})", holder.command));
        context.ui.warning(format_args!(
            "{who} has the board open; what it commits from now on is not in the result."
        ));
    }
}
