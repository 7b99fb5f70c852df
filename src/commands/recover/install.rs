//! `recover` into the board's own place.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::report::Recovered;
use super::{Args, discover, exit, in_hands, is_up_to_date, named, say_already, say_verdict};
use crate::board::files::FileState;
use crate::board::holders::{self, Holders};
use crate::board::{Board, Inspection};
use crate::commands::progress::Bars;
use crate::commands::{Context, after_install, replicated};
use crate::failure::count::counted;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::install;
use crate::install::evidence::{About, Coming, InstallOperation};
use crate::install::target;
use crate::install::target::Space;
use crate::newfile;
use crate::newfile::OwnFile;
use crate::recover::{self, NamedRow, Rebuilt};
use crate::salvage::source::{Discovered, SourceKind};

/// What is left of rows that are only partly there, in the evidence folder.
const PARTIAL: &str = "partial-rows.jsonl";

/// What is lost or may be out of date, by name, in the evidence folder.
const LOSSES: &str = "losses.jsonl";

/// How often a board that changes under the work is begun with.
const TRIES: usize = 2;

/// Recovers and installs; begins once more when the board changed meanwhile.
pub(super) fn run(context: &mut Context<'_>, args: &Args, board: &Board) -> Outcome<Exit> {
    let mut confirmed = false;
    for _ in 0..TRIES {
        let seen = board.inspect()?;
        newfile::clear_leftovers(&seen.resolved);
        target::require_installable(&seen)?;
        context.ui.require_answer("The board would be replaced by what was recovered.").map_err(
            |refused| {
                refused
                    .hint(format_args!("Or leave the board alone: `{} --output NEW.db`.", args.again()))
                    .at(&seen.resolved)
            },
        )?;
        let holders = holders::scan(&seen)?;
        holders
            .require_none("installing the recovered board", args.assume_unused)
            .map_err(|failure| failure.at(&seen.resolved))?;
        let (rebuilt, found) = rebuild(context, args, &seen, &holders)?;
        if is_up_to_date::is_so(context, board, &rebuilt.report)? {
            if !target::is_unchanged(&seen)? {
                continue;
            }
            install::close_interrupted(&seen, InstallOperation::Recover, context.clock)?;
            let recovered = described(board, &seen, rebuilt.report, found, holders, true);
            context.ui.emit(&recovered)?;
            say_already(context, &recovered);
            let exit = exit(context, args, &recovered);
            say_verdict(context, &recovered);
            return Ok(exit);
        }
        if !confirmed {
            replicated::warn(context, &seen.resolved, "installing the recovered board");
            confirm(context, board, &rebuilt)?;
            confirmed = true;
        }
        let about = about(&seen, &rebuilt)?;
        let origin = found.sources.first().map_or(seen.resolved.as_path(), |source| &source.path);
        let terms = context.terms(args.assume_unused)?;
        let Some(mut installed) = install::install(&seen, rebuilt.file, about, origin, &terms)? else {
            continue;
        };
        let mut report = rebuilt.report;
        report.installed = true;
        report.evidence = installed.evidence.as_ref().map(|evidence| evidence.folder.clone());
        if let (Some(mut apart), Some(folder)) = (rebuilt.apart, &report.evidence) {
            let path = folder.join(PARTIAL);
            match apart.save(&path, 0o600.into()) {
                Ok(()) => report.partial_rows = Some(path),
                Err(failure) => {
                    installed.remarks.push(format!("what is left of partial rows is not kept: {failure}"));
                }
            }
        }
        if let Some(folder) = report.evidence.as_ref().filter(|_| !report.losses.is_empty())
            && let Err(failure) = keep_losses(&folder.join(LOSSES), &report.losses)
        {
            installed.remarks.push(format!("the names of lost rows are not kept: {failure}"));
        }
        let recovered = described(board, &seen, report, found, holders, false);
        // Whoever closed stdout is told all the same.
        let shown = context.ui.emit(&recovered);
        let rows = counted(recovered.report.recovered(), "row is", "rows are");
        context.ui.status(format_args!("{rows} on the board now: {}.", recovered.path));
        after_install::say(context, &installed);
        let exit = exit(context, args, &recovered);
        say_verdict(context, &recovered);
        return shown.map(|()| exit);
    }
    Err(Failure::busy("the board changed each time it was recovered; nothing was installed.")
        .hint("Stop the processes that write to it (`kanbanctl health` names them), then run this again.")
        .at(&board.path))
}

/// Writes what is lost, one JSON object a line, to the new file `path`.
fn keep_losses(path: &Path, losses: &[NamedRow]) -> Outcome<()> {
    let keeping = |error| Failure::making(error, "writing the names of lost rows").at(path);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(keeping)?;
    let mut out = BufWriter::new(file);
    for row in losses {
        serde_json::to_writer(&mut out, row).map_err(io::Error::from).map_err(keeping)?;
        out.write_all(b"\n").map_err(keeping)?;
    }
    let file = out.into_inner().map_err(|error| keeping(error.into_error()))?;
    file.sync_all().map_err(keeping)
}

/// What is shown. A new file that was not installed is not there any more, and nothing is said of it.
fn described(
    board: &Board,
    seen: &Inspection,
    report: recover::Report,
    found: Discovered,
    holders: Holders,
    already: bool,
) -> Recovered {
    Recovered {
        board: board.name(),
        path: seen.resolved.display().to_string(),
        dry_run: false,
        already,
        report: recover::Report { built: report.built.filter(|_| !already), ..report },
        unread_sources: found.unread,
        processes_seen: holders.complete,
        map: None,
    }
}

fn rebuild(
    context: &mut Context<'_>,
    args: &Args,
    seen: &Inspection,
    holders: &Holders,
) -> Outcome<(Rebuilt, Discovered)> {
    let held = in_hands(seen, holders, &args.from_pid)?;
    let named = named(context, args)?;
    let mut bars = Bars::new(context.ui, context.signals.clone());
    let found = discover(seen, named, held, &mut bars)?;
    // Nothing is known yet of the new file's size but that it is about that of the largest source.
    let largest = found.sources.iter().map(|source| source.size + source.wal_size).max().unwrap_or(0);
    Space::of(seen, largest).require(seen, false)?;
    let options = args.extent.options(newfile::directory(&seen.resolved).to_path_buf());
    let file = OwnFile::beside(&seen.resolved)?;
    let rebuilt = recover::rebuild(&found.sources, file, &options, &mut bars)
        .map_err(|failure| failure.at(&seen.resolved))?;
    Ok((rebuilt, found))
}

fn confirm(context: &mut Context<'_>, board: &Board, rebuilt: &Rebuilt) -> Outcome<()> {
    let lost: u64 = rebuilt.report.tables.values().map(|table| table.lost).sum();
    let tasks = rebuilt.report.tables.get("tasks").map_or(0, |table| table.recovered);
    let warning = format!(
        "The board will be replaced by {} ({}, {} lost).",
        counted(rebuilt.report.recovered(), "recovered row", "recovered rows"),
        counted(tasks, "task", "tasks"),
        counted(lost, "row", "rows")
    );
    context.ui.confirm_name(&warning, &board.name())
}

/// What the manifest says: what is wrong with the board as far as it shows, and what comes in its place.
fn about(seen: &Inspection, rebuilt: &Rebuilt) -> Outcome<About> {
    let (sha256, bytes) = rebuilt.file.digest()?;
    let mut reasons = Vec::new();
    match &seen.state {
        FileState::Missing => reasons.push("the file is missing".to_owned()),
        FileState::Empty => reasons.push("the file has zero bytes".to_owned()),
        FileState::NotSqlite { tls_at: Some(at), .. } => {
            reasons.push(format!("a TLS record starts at byte {at}"));
        }
        FileState::NotSqlite { .. } => reasons.push("the file does not start as SQLite files do".to_owned()),
        FileState::Sqlite(_) => {}
    }
    let live = rebuilt.report.sources.iter().find(|source| source.kind == SourceKind::Live);
    if let Some(live) = live.filter(|live| live.damaged_pages > 0) {
        reasons.push(format!(
            "{} damaged, lost or unreachable",
            counted(live.damaged_pages, "page is", "pages are")
        ));
    }
    if reasons.is_empty() {
        reasons.push("recover was asked for".to_owned());
    }
    let from: Vec<_> = rebuilt.report.sources.iter().map(|source| source.path.clone()).collect();
    Ok(About {
        operation: InstallOperation::Recover,
        reasons,
        installing: Some(Coming { sha256, bytes, from }),
    })
}
