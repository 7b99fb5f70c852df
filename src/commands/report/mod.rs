//! `kanbanctl report`: everything that is known of an incident, in one page that can be sent to somebody.
//!
//! Puts together what other verbs find: health's findings, a recovery that writes nothing, the copies, the page map, the
//! evidence. Not here: how the page is laid out (`page`).

mod next;
mod page;
mod timeline;

use std::fs::{File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use self::next::NextCommand;
use self::timeline::TimelineEntry;
use super::progress::Bars;
use super::{Context, health, page_map};
use crate::board::Inspection;
use crate::commands::recover::{self as recovery, Rehearsal, is_up_to_date};
use crate::copies::inspect::Inspector;
use crate::copies::page_map::Map;
use crate::copies::reach::{self, SourceEvent, SourceReach};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::health::{Finding, Verdict};
use crate::install::evidence::{self, Evidence, InstallOperation};
use crate::newfile;
use crate::process::clock;
use crate::recover;
use crate::salvage::source::{Member, Source, SourceKind, Unread};

/// Events of the board that a report has.
const EVENTS: usize = 20;

/// Write everything that is known of an incident into one page.
///
/// The page has a timeline of the board, its copies and its last events, what each source holds, what `recover` would
/// bring back and from where, what is lost by name, the map of the board's pages, the findings of `health --depth full`,
/// the evidence of earlier recoveries, and the commands to run next. It is one HTML file that needs nothing else, and can
/// be mailed or printed; it contains titles of tasks. The board is only read. The exit status is 0 whatever the page says.
///
/// Without --output a summary is printed. Plain records, by their first word: verdict WORD BOARD PATH, sentence TEXT,
/// moment UNIX-SECONDS KIND SUBJECT TEXT, source NUMBER KIND COPIES ROWS DAMAGED-PAGES PATH, holds NUMBER TABLE ROWS,
/// table NAME RECOVERED LOST STALE, from TABLE NUMBER ROWS, lost|missing|stale|partial|conflicting TABLE ROWID TASK TITLE,
/// error|warning|info ID SUBJECT MESSAGE, unread PATH REASON, evidence FOLDER VERB TIME, next COMMAND REASON.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// More files to take rows from, besides the board and its copies.
    #[arg(value_name = "SOURCE")]
    sources: Vec<PathBuf>,
    /// Write the page to this file, which must not exist; - for stdout.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it exists.
    #[arg(long, requires = "output")]
    force: bool,
}

/// All that is known.
#[derive(Debug, Serialize)]
struct Incident {
    board: String,
    path: String,
    origin: String,
    made_at: i64,
    made_at_utc: Option<String>,
    kanbanctl: &'static str,
    sqlite: &'static str,
    verdict: Verdict,
    /// The verdict of the recovery in one sentence; the reason where there can be none.
    sentence: String,
    /// True if the board already is what a recovery would make of it.
    up_to_date: bool,
    findings: Vec<Finding>,
    timeline: Vec<TimelineEntry>,
    /// The best first; those that no recovery reads last.
    sources: Vec<SourceEntry>,
    unread_sources: Vec<Unread>,
    recovery: Option<recover::Report>,
    map: Option<Map>,
    events: Vec<SourceEvent>,
    evidence: Vec<EvidenceEntry>,
    next: Vec<NextCommand>,
}

/// One distinct content.
#[derive(Debug, Serialize)]
struct SourceEntry {
    /// What the report calls it, from 1.
    number: usize,
    path: String,
    kind: SourceKind,
    copies: usize,
    bytes: u64,
    wal_bytes: u64,
    oldest: Option<i64>,
    newest: Option<i64>,
    newest_utc: Option<String>,
    /// Whole rows by table.
    rows: std::collections::BTreeMap<String, u64>,
    partial_rows: u64,
    damaged_pages: u64,
    schema: bool,
    newest_event: Option<SourceEvent>,
    /// Why it could not be looked into.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

/// What an earlier verb put aside.
#[derive(Debug, Serialize)]
struct EvidenceEntry {
    folder: String,
    operation: InstallOperation,
    kanbanctl: String,
    taken_at: String,
    outcome: &'static str,
    reasons: Vec<String>,
    installed_from: Vec<PathBuf>,
    files: usize,
    bytes: u64,
}

/// Runs the verb.
///
/// # Errors
/// Exit 10 where neither a board nor a copy is there, 12 where the page may not be written to the destination.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let destination = args.output.as_deref().filter(|output| *output != Path::new("-"));
    if args.output.is_some() && destination.is_none() && context.ui.settings().format.is_json() {
        return Err(Failure::usage("--output - writes the page to stdout, where --json would go."));
    }
    if let Some(destination) = destination {
        if context.globals.create_dirs && !context.globals.dry_run {
            newfile::create_directory_of(destination)?;
        }
        if !args.force {
            newfile::require_destination(destination)
                .map_err(|failure| failure.hint("--force replaces a page that was written before."))?;
        }
        context.ui.check_destination(destination)?;
    }
    let seen = context.inspection()?;
    let incident = gather(context, &seen, &args.sources)?;
    match destination {
        _ if args.output.is_none() => context.show(&incident)?,
        None => context.ui.raw(&page::render(&incident))?,
        Some(destination) => {
            if context.ui.settings().format_chosen {
                context.ui.emit(&incident)?;
            }
            if context.globals.dry_run {
                context.ui.status(format_args!("Dry run: {} was not written.", destination.display()));
            } else {
                let text = page::render(&incident);
                context.ui.save(destination, &text, args.force, |file| confine(file, &seen.resolved))?;
                context.ui.status(format_args!("The report is in {}.", destination.display()));
            }
        }
    }
    context.ui.status(&incident.sentence);
    if args.output.is_none() {
        context.hint("A page to send to somebody: `kanbanctl report --output incident.html`.");
    }
    Ok(Exit::Ok)
}

/// Give the page no more permissions than the board has.
fn confine(file: &File, board: &Path) -> std::io::Result<()> {
    let Ok(board) = std::fs::metadata(board) else {
        return file.set_permissions(Permissions::from_mode(0o600));
    };
    let own = file.metadata()?;
    let same_group = own.gid() == board.gid() && own.uid() == board.uid();
    let shared = if same_group { board.mode() & 0o044 } else { 0 };
    file.set_permissions(Permissions::from_mode(0o600 | (own.mode() & shared)))
}

/// Bytes come first: SQLite opens the board when every plain read of it is over.
fn gather(context: &mut Context<'_>, seen: &Inspection, named: &[PathBuf]) -> Outcome<Incident> {
    let Rehearsal { found, report } = recovery::rehearse(context, seen, named)?;
    let map = page_map::take(context, &seen.resolved)?;
    let (sources, events) = look_into(context, &found.sources, report.as_ref().ok())?;
    let folders = evidence::list(&seen.resolved).unwrap_or_default();
    let (verdict, findings) = health::examine(context, seen)?;
    let is_sound = matches!(verdict, Verdict::Healthy | Verdict::Degraded);
    let up_to_date = report.as_ref().is_ok_and(|report| is_up_to_date::is_known(seen, report, is_sound));
    let sentence = match &report {
        Ok(report) => recover::verdict(report, up_to_date),
        Err(failure) => format!("Nothing can be recovered: {failure}"),
    };
    let now = context.clock.epoch();
    Ok(Incident {
        board: seen.board.name(),
        path: seen.resolved.display().to_string(),
        origin: seen.board.origin.to_string(),
        made_at: now,
        made_at_utc: clock::rfc3339(now),
        kanbanctl: env!("CARGO_PKG_VERSION"),
        sqlite: rusqlite::version(),
        timeline: timeline::build(seen, &sources, &folders, &events),
        next: next::commands(verdict, up_to_date, report.as_ref().ok(), &findings, named, &seen.board.aim()),
        verdict,
        sentence,
        up_to_date,
        findings,
        sources,
        unread_sources: found.unread,
        recovery: report.ok(),
        map,
        events,
        evidence: folders.iter().map(EvidenceEntry::of).collect(),
    })
}

/// What each source holds, in the order in which the recovery ranks them, and the last events of the board: of the live one,
/// else of the best.
fn look_into(
    context: &mut Context<'_>,
    found: &[Source],
    report: Option<&recover::Report>,
) -> Outcome<(Vec<SourceEntry>, Vec<SourceEvent>)> {
    let viewer = Inspector::new(context.scratch())?;
    let mut bars = Bars::new(context.ui, context.signals.clone());
    let rank = |source: &Source| {
        let ranked = report.map_or(&[][..], |report| &report.sources);
        ranked.iter().position(|entry| entry.path == source.path).unwrap_or(usize::MAX)
    };
    let mut ordered: Vec<&Source> = found.iter().collect();
    ordered.sort_by_key(|source| rank(source));
    let (mut entries, mut events) = (Vec::new(), None::<(bool, Vec<SourceEvent>)>);
    for source in ordered {
        let looked = match reach::reach(source, EVENTS, &viewer, &mut bars) {
            Err(failure) if matches!(failure.exit(), Exit::Interrupted(_)) => return Err(failure),
            other => other,
        };
        let (reach, unreadable) = match looked {
            Ok(reach) => (reach, None),
            Err(failure) => (SourceReach::default(), Some(failure.to_string())),
        };
        entries.push(SourceEntry::of(entries.len() + 1, source, &reach, unreadable));
        let is_live = source.kind == SourceKind::Live && source.base.is_none();
        let is_better = events.as_ref().is_none_or(|(was_live, _)| is_live && !was_live);
        if is_better && !reach.events.is_empty() {
            events = Some((is_live, reach.events));
        }
    }
    Ok((entries, events.map(|(_, events)| events).unwrap_or_default()))
}

impl SourceEntry {
    fn of(number: usize, source: &Source, reach: &SourceReach, unreadable: Option<String>) -> Self {
        let seconds = |ns: i128| i64::try_from(ns.div_euclid(1_000_000_000)).ok();
        let written = || source.copies.iter().map(Member::written_ns);
        let newest = written().max().and_then(seconds);
        Self {
            number,
            path: source.path.display().to_string(),
            kind: source.kind,
            copies: source.copies.len(),
            bytes: source.size,
            wal_bytes: source.wal_size,
            oldest: written().min().and_then(seconds),
            newest,
            newest_utc: newest.and_then(clock::rfc3339),
            rows: reach.content.rows.clone(),
            partial_rows: reach.content.partial,
            damaged_pages: reach.content.damaged_pages,
            schema: reach.content.has_schema,
            newest_event: reach.events.last().cloned(),
            unreadable,
        }
    }

    /// What it is, for people.
    fn kind_word(&self) -> &'static str {
        match self.kind {
            SourceKind::Live => "board",
            SourceKind::Backup => "corrupt copy",
            SourceKind::Own => "backup",
            SourceKind::Named => "named file",
            SourceKind::Namesake => "copy under another name",
            SourceKind::Held => "held by a process",
            SourceKind::Replica => "log of Litestream",
        }
    }

    fn total_rows(&self) -> u64 {
        self.rows.values().sum()
    }
}

impl EvidenceEntry {
    fn of(evidence: &Evidence) -> Self {
        let manifest = &evidence.manifest;
        let outcome = match (evidence.finished, evidence.carried_out) {
            (true, true) => "carried out",
            (true, false) => "interrupted",
            (false, _) => "not finished",
        };
        Self {
            folder: evidence.folder.display().to_string(),
            operation: manifest.about.operation,
            kanbanctl: manifest.kanbanctl.clone(),
            taken_at: manifest.taken_at.clone(),
            outcome,
            reasons: manifest.about.reasons.clone(),
            installed_from: manifest
                .about
                .installing
                .as_ref()
                .map_or_else(Vec::new, |coming| coming.from.clone()),
            files: manifest.files.len(),
            bytes: manifest.files.iter().map(|file| file.bytes).sum(),
        }
    }

    /// The command that made it.
    fn command(&self) -> &'static str {
        match self.operation {
            InstallOperation::Recover => "kanbanctl recover",
            InstallOperation::Restore => "kanbanctl restore BACKUP",
            InstallOperation::Repair => "kanbanctl repair",
            InstallOperation::Undo => "kanbanctl recover --undo",
        }
    }
}
