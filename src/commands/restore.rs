//! `kanbanctl restore`: one verified copy, exactly, in the board's place.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::values::{self, Moment};
use super::{Context, after_install, backups, replicated};
use crate::board::files::with_suffix;
use crate::board::{Board, Inspection, Stamp, holders};
use crate::failure::count::counted;
use crate::failure::exit::Exit;
use crate::failure::hint;
use crate::failure::{Failure, Outcome};
use crate::install;
use crate::install::evidence::{About, Coming, InstallOperation};
use crate::install::target;
use crate::install::target::Space;
use crate::journal_mode;
use crate::newfile;
use crate::newfile::{OwnFile, RecordedMode, Sealed};
use crate::pool::Access;
use crate::process::clock;
use crate::salvage::source::replica::{self, ReplicaState};
use crate::store::audit::{self, Integrity};
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// How often a board that changes under the work is begun with.
const TRIES: usize = 2;

/// Put one copy in the board's place, exactly.
///
/// BACKUP is a backup of ours, a .corrupt copy, any other file with the log beside it, or the directory of a replica that
/// Litestream 0.3 wrote, which is read without Litestream. It is only read. A private
/// copy is checked whole, and only a sound one is written into the board's file, as one transaction, with copies of what
/// was there kept beside it: refused (12) while anybody has the board open, and asked for on a terminal. What the board
/// has and the backup has not is gone then, but for `recover --undo`; to keep both, use `kanbanctl recover BACKUP`.
///
/// Plain records: restore BOARD BACKUP EVIDENCE, then table NAME ROWS-BEFORE ROWS-AFTER.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A path, or how `backups list` calls it.
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// The state of a replica at this moment: a date, RFC 3339, @SECONDS, or how long ago, such as 2h.
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    at: Option<Moment>,
    /// Go on where it cannot be proven that no other process has the board open; never beside a process that was found.
    #[arg(long)]
    assume_unused: bool,
}

/// What was put in place.
#[derive(Debug, Serialize)]
struct Restored {
    board: String,
    path: String,
    dry_run: bool,
    state: RestoreState,
    installed: bool,
    source: String,
    sha256: String,
    bytes: u64,
    verified: bool,
    journal_mode: &'static str,
    tables: Vec<RestoredRows>,
    evidence: Option<String>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum RestoreState {
    /// The board has the backup's content already.
    Already,
    /// It would be put in place.
    Restorable,
    /// It is in place.
    Restored,
}

/// Rows of one table, before and after.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct RestoredRows {
    table: String,
    before: Option<i64>,
    after: Option<i64>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown backup, 4 for one that is not sound, 11 and 12 when nothing may be installed.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let board = context.board()?;
    let CopyToRestore { source, bytes, replica } = find(context, args)?;
    if let Some(state) = &replica {
        say_state(context, &args.backup, state);
    }
    // What was restored until a gap is not what was asked for.
    let exit =
        if replica.as_ref().is_some_and(|state| !state.gaps.is_empty()) { Exit::Partial } else { Exit::Ok };
    let mut confirmed = false;
    for _ in 0..TRIES {
        let before = counts(context, board.inspect()?);
        let seen = board.inspect()?;
        require_another_file(&source, &seen)?;
        newfile::clear_leftovers(&seen.resolved);
        target::require_installable(&seen)?;
        holders::require_none(&seen, "restoring over it", args.assume_unused)?;
        if !context.globals.dry_run {
            let question = format!("The board would be replaced by {}.", source.display());
            context.ui.require_answer(&question)?;
        }
        let (file, after) = verify(&bytes, &source, &seen)?;
        let mut restored = report(context, &board, &seen, &source, &file, rows(before, after))?;
        let is_same = is_same(&seen, &file.path()?)?;
        if is_same || context.globals.dry_run {
            restored.state = if is_same { RestoreState::Already } else { RestoreState::Restorable };
            if !context.globals.dry_run {
                install::close_interrupted(&seen, InstallOperation::Restore, context.clock)?;
            }
            context.ui.emit(&restored)?;
            let what = if is_same { "has the backup's content already" } else { "would be replaced" };
            context.ui.status(format_args!("The board {what}; nothing was changed."));
            return Ok(exit);
        }
        if !confirmed {
            replicated::warn(context, &seen.resolved, "restoring over it");
            confirm(context, &board, &restored)?;
            confirmed = true;
        }
        let about = About {
            operation: InstallOperation::Restore,
            reasons: vec![format!("{} was asked for", source.display())],
            installing: Some(Coming {
                sha256: restored.sha256.clone(),
                bytes: restored.bytes,
                from: vec![source.clone()],
            }),
        };
        let terms = context.terms(args.assume_unused)?;
        let Some(installed) = install::install(&seen, file, about, &source, &terms)? else { continue };
        restored.installed = true;
        restored.evidence = installed.evidence.as_ref().map(|evidence| evidence.folder.display().to_string());
        let shown = context.ui.emit(&restored);
        context.ui.status(format_args!("The board is {} now.", source.display()));
        after_install::say(context, &installed);
        return shown.map(|()| exit);
    }
    Err(Failure::busy("the board changed each time; nothing was restored.")
        .hint("Stop the processes that write to it (`kanbanctl health` names them), then run this again.")
        .at(&board.path))
}

/// What is put in the board's place.
struct CopyToRestore {
    /// What it is called.
    source: PathBuf,
    /// The file that is read.
    bytes: PathBuf,
    /// The replica's state that `bytes` is, which has to be kept.
    replica: Option<ReplicaState>,
}

/// A file that is there, the directory of a replica, else a copy that is called so.
fn find(context: &mut Context<'_>, args: &Args) -> Outcome<CopyToRestore> {
    let wanted = args.backup.as_path();
    if replica::is_replica(wanted) {
        let until = args.at.map(|at| at.at(context.clock.epoch()));
        let state = replica::newest(wanted, until, &context.scratch())?;
        return Ok(CopyToRestore {
            source: state.generation.clone(),
            bytes: state.path(),
            replica: Some(state),
        });
    }
    if args.at.is_some() {
        return Err(Failure::usage(format!(
            "--at is for the directory of a replica, and {} is none.",
            wanted.display()
        )));
    }
    let source = if std::fs::metadata(wanted).is_ok_and(|meta| meta.is_file()) {
        std::path::absolute(wanted)
            .map_err(|error| Failure::io(error, format!("resolving {}", wanted.display())))?
    } else {
        backups::find(context, &wanted.to_string_lossy())?
    };
    Ok(CopyToRestore { bytes: source.clone(), source, replica: None })
}

/// Say which state of a replica is read, and what is missing behind it.
fn say_state(context: &mut Context<'_>, root: &Path, state: &ReplicaState) {
    let written = clock::rfc3339(state.written).unwrap_or_default();
    let (index, end) = state.position;
    context.ui.status(format_args!(
        "The replica {} is read up to {written} (log {index:08x}, byte {end}).",
        root.display()
    ));
    for gap in &state.gaps {
        context.ui.warning(format_args!("{}: {gap}.", state.generation.display()));
    }
}

fn require_another_file(source: &Path, seen: &Inspection) -> Outcome<()> {
    let file = |stamp: Option<Stamp>| stamp.map(|stamp| (stamp.dev, stamp.ino));
    if file(Stamp::of(source)?) == file(seen.stamp) {
        return Err(Failure::refused("that is the board itself, not a copy of it.")
            .hint("See the copies with `kanbanctl backups list`.")
            .at(source));
    }
    Ok(())
}

/// Rows of the board as it is, where SQLite can read it. It is closed again before any byte is read by hand.
fn counts(context: &mut Context<'_>, seen: Inspection) -> Vec<(String, i64)> {
    let Ok(mut pool) = context.pool_for_long(seen, Access::Read) else { return Vec::new() };
    let counted = pool.connection(|connection, _| audit::counts(connection));
    // A board that cannot be counted is what a backup is there for.
    let _ = pool.close();
    counted.unwrap_or_default()
}

/// A private copy of the backup in the file `bytes`, found sound and sealed, and its rows.
fn verify(bytes: &Path, source: &Path, seen: &Inspection) -> Outcome<(Sealed, Vec<(String, i64)>)> {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    let wal = length(&with_suffix(bytes, "-wal"));
    Space::of(seen, length(bytes) + wal).require(seen, false)?;
    let recorded =
        if wal > 0 || journal_mode::records_wal(bytes)? { RecordedMode::Wal } else { RecordedMode::Delete };
    let examined = OwnFile::copy_of(bytes, &seen.resolved).and_then(|mut file| {
        let rows = examine(&mut file)?;
        Ok((file.seal(recorded)?, rows))
    });
    examined.map_err(|failure| {
        let hint =
            format!("Bring back what is left of it with `kanbanctl recover {}`.", hint::quoted(source));
        if failure.is_damage() { failure.hint(hint).at(source) } else { failure.at(source) }
    })
}

fn examine(file: &mut OwnFile) -> Outcome<Vec<(String, i64)>> {
    let connection = file.connection()?;
    if let Some(finding) = audit::integrity(connection, Integrity::Full)?.first() {
        return Err(Failure::damaged(format!("the backup is damaged ({finding}); nothing was restored.")));
    }
    let rows = audit::counts(connection)?;
    if rows.iter().all(|(table, _)| table != "tasks") {
        return Err(Failure::damaged("the backup holds no board; nothing was restored."));
    }
    Ok(rows)
}

fn rows(before: Vec<(String, i64)>, after: Vec<(String, i64)>) -> Vec<RestoredRows> {
    let mut tables: std::collections::BTreeMap<String, RestoredRows> = std::collections::BTreeMap::new();
    let mut entry = |table: String, before: Option<i64>, after: Option<i64>| {
        let rows = tables.entry(table.clone()).or_insert(RestoredRows { table, before: None, after: None });
        rows.before = rows.before.or(before);
        rows.after = rows.after.or(after);
    };
    for (table, count) in before {
        entry(table, Some(count), None);
    }
    for (table, count) in after {
        entry(table, None, Some(count));
    }
    tables.into_values().collect()
}

fn report(
    context: &Context<'_>,
    board: &Board,
    seen: &Inspection,
    source: &Path,
    file: &Sealed,
    tables: Vec<RestoredRows>,
) -> Outcome<Restored> {
    let (sha256, bytes) = file.digest()?;
    let journal_mode = if journal_mode::records_wal(&file.path()?)? { "wal" } else { "delete" };
    Ok(Restored {
        board: board.name(),
        path: seen.resolved.display().to_string(),
        dry_run: context.globals.dry_run,
        state: RestoreState::Restored,
        installed: false,
        source: source.display().to_string(),
        sha256,
        bytes,
        verified: true,
        journal_mode,
        tables,
        evidence: None,
    })
}

/// Whether the board at rest has the file's content: the same bytes but for SQLite's counters in the header.
fn is_same(seen: &Inspection, file: &Path) -> Outcome<bool> {
    if seen.sidecars.wal_has_bytes() || seen.sidecars.journal.is_some() || seen.stamp.is_none() {
        return Ok(false);
    }
    newfile::is_same_database(&seen.resolved, file)
}

fn confirm(context: &Context<'_>, board: &Board, restored: &Restored) -> Outcome<()> {
    let tasks = restored.tables.iter().find(|rows| rows.table == "tasks");
    let number = |count: Option<i64>| match count {
        Some(count) => counted(count.unsigned_abs(), "task", "tasks"),
        None => "an unknown number of tasks".to_owned(),
    };
    let (before, after) = (tasks.and_then(|rows| rows.before), tasks.and_then(|rows| rows.after));
    let written = std::fs::metadata(&restored.source).and_then(|meta| meta.modified()).ok();
    let written = written
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|age| clock::rfc3339(i64::try_from(age.as_secs()).ok()?));
    let warning = format!(
        "The board with {} will be replaced by {} of {} with {}.",
        number(before),
        restored.source,
        written.unwrap_or_else(|| "an unknown time".to_owned()),
        number(after)
    );
    context.ui.confirm_name(&warning, &board.name())
}

impl Report for Restored {
    fn kind(&self) -> &'static str {
        "restore"
    }

    fn human(&self, page: &mut Document<'_>) {
        let state = match self.state {
            RestoreState::Already => "the same already",
            RestoreState::Restorable => "would be restored",
            RestoreState::Restored => "restored",
        };
        let mut pairs = vec![
            ("board", self.path.as_str()),
            ("backup", &self.source),
            ("state", state),
            ("journal mode", self.journal_mode),
        ];
        if let Some(evidence) = &self.evidence {
            pairs.push(("evidence", evidence));
        }
        page.pairs(&pairs);
        page.blank();
        let mut table = TextTable::new([
            TextColumn::fixed("TABLE"),
            TextColumn::fixed("BEFORE").right(),
            TextColumn::fixed("AFTER").right(),
        ]);
        let number = |count: Option<i64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
        for rows in &self.tables {
            let less = rows.before > rows.after;
            table.row([
                (Label::Id, rows.table.clone()),
                (Label::Text, number(rows.before)),
                (if less { Label::Warning } else { Label::Text }, number(rows.after)),
            ]);
        }
        page.table(&table);
    }

    fn plain(&self, records: &mut Records<'_>) {
        let number = |count: Option<i64>| count.map_or_else(String::new, |count| count.to_string());
        records.record(&["restore", &self.path, &self.source, self.evidence.as_deref().unwrap_or_default()]);
        for rows in &self.tables {
            records.record(&["table", &rows.table, &number(rows.before), &number(rows.after)]);
        }
    }
}
