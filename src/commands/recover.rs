//! `kanbanctl recover`: every row that is left, from every place, into a verified new file.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Context;
use super::progress::Bars;
use crate::board::holders::{self, Completeness, Holders};
use crate::board::{Inspection, generation};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::recover::held::{self, Held};
use crate::recover::{self, sources};
use crate::ui::{Column, Label, Page, Records, Report, Table};

/// Bring back every row that is left into a new file.
///
/// Reads the board, its WAL, every .corrupt copy beside it and its own backups page by page, without opening any of them through
/// SQLite, merges what they hold, and builds a new file that is checked before it gets its name. The board itself is
/// not touched. With --dry-run it says what each source holds and what would come back.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// More files to take rows from, besides the board and its backups.
    #[arg(value_name = "SOURCE")]
    sources: Vec<PathBuf>,
    /// The file to build; it must not exist.
    #[arg(long, value_name = "NEW.db")]
    output: Option<PathBuf>,
    /// A process that holds a deleted log of this board; those that are found without being named are read too.
    #[arg(long, value_name = "PID")]
    from_pid: Vec<u32>,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Recovered {
    board: String,
    path: String,
    dry_run: bool,
    #[serde(flatten)]
    report: recover::Report,
    unread_sources: Vec<sources::Unread>,
    processes_seen: Completeness,
}

/// Runs the verb.
///
/// # Errors
/// Exit 12 when neither `--output` nor `--dry-run` says where to, 10 when there is nothing to read.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let dry_run = context.globals.dry_run;
    let board = context.board()?;
    if args.output.is_none() && !dry_run {
        return Err(Failure::refused(
            "recover does not install into a live board; say where the rows should go.",
        )
        .hint("Build a new file with `kanbanctl recover --output NEW.db`.")
        .hint("Only look with `kanbanctl recover --dry-run`.")
        .at(&board.path));
    }
    if let Some(output) = &args.output {
        crate::own::refuse_existing(output)?;
    }
    let output = if dry_run { None } else { args.output.as_deref() };
    let inspection = board.inspect()?;
    let holders = holders::scan(&inspection)?;
    let held = in_hands(&inspection, &holders, &args.from_pid)?;
    say_who_goes_on_writing(context, &holders);
    let mut bars = Bars::new(context.ui, context.signals.clone());
    let mut found = match sources::discover(&inspection.resolved, &args.sources, &mut bars) {
        Err(failure) if failure.exit() == Exit::NoBoard && !held.sources.is_empty() => {
            sources::Found::default()
        }
        other => other.map_err(|failure| super::chosen_by(failure, &board))?,
    };
    found.sources.extend(held.sources);
    found.unread.extend(held.unread);
    let options = recover::Options { scratch: scratch(output, context.scratch()) };
    let report = recover::recover(&found.sources, output, &options, &mut bars)?;
    drop(bars);
    let partial = report.is_partial();
    let rows = report.recovered();
    let unread = found.unread.len();
    let recovered = Recovered {
        board: board.name(),
        path: inspection.resolved.display().to_string(),
        dry_run,
        report,
        unread_sources: found.unread,
        processes_seen: holders.complete,
    };
    context.ui.emit(&recovered)?;
    match output {
        Some(output) => {
            context
                .ui
                .status(format_args!("{rows} rows are in {}; the board was not touched.", output.display()));
            context.ui.hint(format_args!(
                "Look at it with `kanbanctl --db {} health --depth full`.",
                output.display()
            ));
        }
        None => context.ui.hint("Build the new file with `kanbanctl recover --output NEW.db`."),
    }
    if partial {
        context
            .ui
            .warning("Some rows that were there could not be brought back whole; the table says which.");
    }
    if unread > 0 {
        context.ui.warning(format_args!(
            "{unread} sources could not be read and are named above; what only they hold is not in the result."
        ));
    }
    Ok(if partial || unread > 0 { Exit::Partial } else { Exit::Ok })
}

/// Where what does not fit memory goes: beside the result, which has to have room anyway.
fn scratch(output: Option<&Path>, otherwise: PathBuf) -> PathBuf {
    match output.and_then(Path::parent) {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_path_buf(),
        Some(_) => PathBuf::from("."),
        None => otherwise,
    }
}

/// What living processes hold of the board under no name of its own. A process that was named must hold something.
fn in_hands(inspection: &Inspection, holders: &Holders, named: &[u32]) -> Outcome<Held> {
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
    Ok(held::sources(&generations, &inspection.resolved))
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

impl Report for Recovered {
    fn kind(&self) -> &'static str {
        "recover"
    }

    fn human(&self, page: &mut Page<'_>) {
        let mut sources = Table::new([
            Column::fixed("SOURCE"),
            Column::fixed("COPIES").right(),
            Column::fixed("ROWS").right(),
            Column::fixed("DAMAGED PAGES").right(),
            Column::text("PATH").priority(1),
        ]);
        for source in &self.report.sources {
            let kind = match source.kind {
                sources::Kind::Live => "live",
                sources::Kind::Backup => "backup",
                sources::Kind::Own => "own",
                sources::Kind::Named => "named",
                sources::Kind::Held => "held",
            };
            sources.row([
                (Label::Id, kind.to_owned()),
                (Label::Text, source.copies.to_string()),
                (Label::Text, source.rows.to_string()),
                (Label::Text, source.damaged_pages.to_string()),
                (Label::Dim, source.path.display().to_string()),
            ]);
        }
        page.table(&sources);
        page.blank();
        let mut tables = Table::new([
            Column::fixed("TABLE"),
            Column::fixed("RECOVERED").right(),
            Column::fixed("LOST").right(),
            Column::fixed("SUSPECT").right().priority(1),
            Column::fixed("ONLY IN OLDER COPIES").right().priority(2),
        ]);
        for (name, table) in &self.report.tables {
            let lost = if table.lost > 0 { Label::Bad } else { Label::Text };
            tables.row([
                (Label::Id, name.clone()),
                (Label::Text, table.recovered.to_string()),
                (lost, table.lost.to_string()),
                (Label::Text, table.suspect.to_string()),
                (Label::Text, table.older_only.to_string()),
            ]);
        }
        page.table(&tables);
        if self.report.dangling > 0 {
            page.line(&format!("{} rows name a task that is not there.", self.report.dangling));
        }
        for dropped in &self.report.dropped {
            page.line(&format!("not carried over: {dropped}"));
        }
        for unread in &self.unread_sources {
            page.line(&format!("not read: {}: {}", unread.path.display(), unread.reason));
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for source in &self.report.sources {
            records.record(&[
                "source",
                &source.path.display().to_string(),
                &source.copies.to_string(),
                &source.rows.to_string(),
                &source.damaged_pages.to_string(),
            ]);
        }
        for (name, table) in &self.report.tables {
            records.record(&[
                "table",
                name,
                &table.recovered.to_string(),
                &table.lost.to_string(),
                &table.suspect.to_string(),
                &table.older_only.to_string(),
            ]);
        }
        for dropped in &self.report.dropped {
            records.record(&["dropped", dropped]);
        }
        for unread in &self.unread_sources {
            records.record(&["unread", &unread.path.display().to_string(), &unread.reason]);
        }
    }
}
