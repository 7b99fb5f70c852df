//! `kanbanctl backup`: a verified copy of the board as of one moment, made while others go on writing.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use serde::Serialize;

use super::Context;
use super::progress::Bars;
use super::retention::RetentionArgs;
use crate::board::Board;
use crate::board::copies;
use crate::copies::inspect::Inspector;
use crate::copies::prune::{self, Stays};
use crate::failure::count::size;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::newfile;
use crate::newfile::{Audience, OwnFile, RecordedMode, Sealed};
use crate::pool::{Access, Pool, rest_between_looks};
use crate::process::clock;
use crate::salvage::source::{self, SourceKind};
use crate::store::audit::{self, Integrity};
use crate::ui::{Document, Progress, Records, Report};

/// Pages per step; between two steps the bar moves and signals are heard.
const PAGES_PER_STEP: i32 = 1_024;

/// Copy a board as of one moment, verified.
///
/// The copy is made through SQLite's online backup interface and holds what the WAL holds. It is checked before it
/// gets its name, which carries the moment and the content. An unchanged board is not copied twice.
///
/// Prints the path of the copy; with --format plain PATH BYTES SHA256, for each board.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to put it, a directory that exists [default: a folder beside the board, named after it with .backups, which is
    /// made].
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    retention: RetentionArgs,
}

/// What was made.
#[derive(Debug, Serialize)]
struct Made {
    board: String,
    path: String,
    dry_run: bool,
    already: bool,
    bytes: u64,
    sha256: String,
    verified: bool,
    tables: serde_json::Map<String, serde_json::Value>,
    removed: Vec<String>,
    /// What no rule keeps and what is the last copy of a row.
    kept_for_rows: Vec<String>,
}

/// What was made of several boards.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct AllBackups(Vec<Made>);

/// Runs the verb.
///
/// # Errors
/// Exit 4 when the copy is not sound, 12 when the destination cannot take it.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    if !context.globals.all_boards {
        let board = context.board()?;
        let made = one(context, args, &board)?;
        emit(context, AllBackups(vec![made]))?;
        return Ok(Exit::Ok);
    }
    let (mut all, mut exit) = (Vec::new(), Exit::Ok);
    for board in context.every_board()? {
        match one(context, args, &board) {
            Ok(made) => all.push(made),
            Err(failure) if matches!(failure.exit(), Exit::Interrupted(_)) => return Err(failure),
            Err(failure) => {
                exit = exit.merge(failure.exit());
                context.ui.setback(&board.name(), &board.blame(failure));
            }
        }
    }
    emit(context, AllBackups(all))?;
    Ok(exit)
}

/// Write the paths alone, so that `copy=$(kanbanctl backup)` works, unless a format was asked for.
fn emit(context: &mut Context<'_>, mut all: AllBackups) -> Outcome<()> {
    if context.ui.settings().format_chosen {
        let single = !context.globals.all_boards;
        match all.0.pop_if(|_| single) {
            Some(made) => {
                context.ui.emit(&made)?;
                all.0.push(made);
            }
            None => context.ui.emit(&all)?,
        }
    } else {
        context.ui.emit(&BackupPaths(&all.0))?;
    }
    for made in &all.0 {
        say(context, made);
    }
    Ok(())
}

fn say(context: &mut Context<'_>, made: &Made) {
    let what = match (made.already, made.dry_run) {
        (true, _) => "is unchanged since",
        (false, true) => "would be copied to",
        (false, false) => "was copied to",
    };
    context.ui.status(format_args!("The board {} {what} {}.", made.board, made.path));
    let verb = if made.dry_run { "would be removed" } else { "was removed" };
    for removed in &made.removed {
        context.ui.status(format_args!("{removed} {verb}."));
    }
    for kept in &made.kept_for_rows {
        context.ui.warning(format_args!(
            "{kept} stays although no rule keeps it: it holds rows that are neither on the board nor in a backup that stays."
        ));
    }
}

fn one(context: &mut Context<'_>, args: &Args, board: &Board) -> Outcome<Made> {
    let inspection = board.inspect()?;
    let mut pool = context.pool_for_long(inspection, Access::Read)?;
    let resolved = pool.inspection().resolved.clone();
    let directory = args.directory.clone().unwrap_or_else(|| copies::own_directory(&resolved));
    if args.directory.is_none() {
        crate::board::trust::require(&directory, &resolved)?;
    }
    if args.directory.is_some() {
        require_directory(context, &directory)?;
    }
    let fresh = !context.globals.dry_run && create_directory(&directory)?;
    let outcome = copy(context, &mut pool, &directory);
    let closed = pool.close();
    if outcome.is_err() && fresh {
        // Ours and empty, or somebody has used it meanwhile and it stays.
        let _ = std::fs::remove_dir(&directory);
    }
    let mut made = outcome?;
    closed?;
    if args.retention.is_given() {
        remove_surplus(context, &directory, &resolved, &args.retention, &mut made)?;
    }
    made.board = board.name();
    Ok(made)
}

/// Refuse a directory that is not there: an unmounted disk would have its backups written beneath the mount point.
fn require_directory(context: &Context<'_>, directory: &Path) -> Outcome<()> {
    if directory.is_dir() || context.globals.create_dirs {
        return Ok(());
    }
    Err(Failure::refused(format!("there is no directory {}; nothing was copied.", directory.display()))
        .hint("Mount or make it, or add --create-dirs.")
        .at(directory))
}

fn create_directory(directory: &Path) -> Outcome<bool> {
    if directory.is_dir() {
        return Ok(false);
    }
    std::fs::create_dir_all(directory)
        .map(|()| true)
        .map_err(|error| Failure::making(error, format!("creating {}", directory.display())))
}

fn copy(context: &mut Context<'_>, pool: &mut Pool, directory: &Path) -> Outcome<Made> {
    let resolved = pool.inspection().resolved.clone();
    let audience = Audience::of(&resolved);
    let recorded = if pool.inspection().is_wal() { RecordedMode::Wal } else { RecordedMode::Delete };
    let named = |rest: String| {
        let mut name = copies::own_prefix(&resolved);
        name.push(rest);
        name
    };
    let moment = clock::compact(context.clock.epoch());
    let place = if directory.is_dir() { directory.to_path_buf() } else { nearest(directory) };
    let mut file = OwnFile::create(&place.join(named("new.db".to_owned())))?;
    let progress = context.ui.progress("Copying pages", 0);
    let deadline = pool.budget().deadline();
    let tables = pool.connection(|source, _| {
        let tables = pinned(source, file.connection()?, &progress, deadline)?;
        verify(file.connection()?, &tables)?;
        Ok(tables)
    })?;
    drop(progress);
    let sealed = file.seal(recorded)?;
    let (sha256, bytes) = sealed.digest()?;
    let short = sha256.get(..16).unwrap_or(&sha256).to_owned();
    let is_whole = |path: &Path| newfile::digest(path).is_ok_and(|(found, _)| found == sha256);
    let newest = copies::own(directory, &resolved).into_iter().next_back();
    let already = newest.filter(|path| path.to_string_lossy().ends_with(&format!(".{short}.db")));
    let already = already.filter(|path| {
        let whole = is_whole(path);
        if !whole {
            context.ui.warning(format_args!(
                "{} does not hold any more what its name says; the board is copied again.",
                path.display()
            ));
        }
        whole
    });
    let (path, already) = if let Some(path) = already {
        if !context.globals.dry_run {
            mark_current(&path, context.clock.epoch());
        }
        (path, true)
    } else {
        let path = directory.join(named(format!("{moment}.{short}.db")));
        match publish(context, sealed, path.clone(), audience) {
            // Another backup of the same moment and content came first.
            Err(_) if is_whole(&path) => (path, true),
            published => (published?, false),
        }
    };
    Ok(Made {
        board: String::new(),
        path: path.display().to_string(),
        dry_run: context.globals.dry_run,
        already,
        bytes,
        sha256,
        verified: true,
        tables: tables.into_iter().map(|(table, rows)| (table, rows.into())).collect(),
        removed: Vec::new(),
        kept_for_rows: Vec::new(),
    })
}

/// Note in a backup's time that the board still has its content, so that its age is that of the newest look. Best effort: the
/// copy is whole in any case.
fn mark_current(path: &Path, epoch: i64) {
    let now = u64::try_from(epoch).map(|epoch| std::time::UNIX_EPOCH + Duration::from_secs(epoch));
    if let (Ok(file), Ok(now)) = (std::fs::File::open(path), now) {
        let _ = file.set_modified(now);
    }
}

fn publish(context: &Context<'_>, sealed: Sealed, path: PathBuf, audience: Audience) -> Outcome<PathBuf> {
    if context.globals.dry_run { Ok(path) } else { sealed.named(path).publish(audience) }
}

/// The closest directory above that exists, for the rehearsal of a backup into one that does not.
fn nearest(directory: &Path) -> PathBuf {
    // Above a relative path there is the working directory, not the root.
    directory.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new(".")).to_path_buf()
}

/// Copies under one read transaction, so that a busy writer cannot make the copy start again.
fn pinned(
    source: &Connection,
    target: &mut Connection,
    progress: &Progress,
    deadline: Instant,
) -> Outcome<Vec<(String, i64)>> {
    source.execute_batch("BEGIN")?;
    let copied = audit::counts(source).and_then(|tables| {
        let backup = Backup::new(source, target)?;
        loop {
            match backup.step(PAGES_PER_STEP)? {
                StepResult::Done => return Ok(tables),
                StepResult::More => {}
                _ if Instant::now() >= deadline => {
                    return Err(Failure::busy("the board stayed locked; nothing was copied."));
                }
                _ => sleep(Duration::from_millis(20)),
            }
            let total = u64::try_from(backup.progress().pagecount).unwrap_or(0);
            let left = u64::try_from(backup.progress().remaining).unwrap_or(0);
            progress.update(total.saturating_sub(left), total);
        }
    });
    // Ends the snapshot; the reading transaction has nothing to lose.
    let _ = source.execute_batch("ROLLBACK");
    copied
}

/// A copy counts when SQLite finds nothing wrong with it, at the second look at the latest, and every table has the rows
/// of the original.
fn verify(copy: &Connection, tables: &[(String, i64)]) -> Outcome<()> {
    let look = || audit::integrity(copy, Integrity::Full);
    let said = match look() {
        Ok(said) if said.is_empty() => said,
        Err(failure) if !failure.is_damage() => return Err(failure),
        _ => {
            rest_between_looks(copy);
            look()?
        }
    };
    if let Some(first) = said.first() {
        return Err(Failure::damaged(format!(
            "the copy is as damaged as the board ({first}); it was not kept."
        ))
        .hint("See what can be brought back with `kanbanctl recover --dry-run`."));
    }
    if audit::counts(copy)? != tables {
        return Err(Failure::failed("the copy has other rows than the board; it was not kept.")
            .hint("Run the command again."));
    }
    Ok(())
}

/// Remove the backups that no rule keeps, never the one just made, the board itself, or the last copy of a row.
fn remove_surplus(
    context: &Context<'_>,
    directory: &Path,
    resolved: &Path,
    retention: &RetentionArgs,
    made: &mut Made,
) -> Outcome<()> {
    let made_path = PathBuf::from(&made.path);
    let mut found = copies::own(directory, resolved);
    found.retain(|path| path.canonicalize().is_ok_and(|path| path != resolved));
    let mut bars = Bars::new(context.ui, context.signals.clone());
    let mut contents = Vec::new();
    for path in &found {
        let named = source::named(path, &mut bars)?;
        contents.extend(named.map(|named| source::Source { kind: SourceKind::Own, ..named }));
    }
    let mut rules = retention.rules();
    rules.by_row = true;
    if !found.contains(&made_path) {
        // A dry run: the backup that would be made takes a place.
        rules.keep = rules.keep.map(|keep| keep.saturating_sub(1));
    }
    let viewer = Inspector::new(context.scratch())?;
    let plan = prune::plan(source::live(resolved)?.as_ref(), &contents, &rules, &viewer, &mut bars)?;
    drop(bars);
    for (number, _) in &plan.removed {
        let Some(path) = contents.get(*number).map(|content| &content.path) else { continue };
        if *path == made_path {
            continue;
        }
        if !context.globals.dry_run {
            std::fs::remove_file(path)
                .map_err(|error| Failure::io(error, format!("removing {}", path.display())))?;
        }
        made.removed.push(path.display().to_string());
    }
    let held = plan.stays.iter().filter(|(_, reason)| matches!(reason, Stays::HoldsRows | Stays::Unknown));
    let held = held.filter_map(|(number, _)| contents.get(*number));
    made.kept_for_rows = held.map(|content| content.path.display().to_string()).collect();
    Ok(())
}

/// The paths alone.
#[derive(Serialize)]
#[serde(transparent)]
struct BackupPaths<'a>(&'a [Made]);

impl Report for BackupPaths<'_> {
    fn kind(&self) -> &'static str {
        "backup.list"
    }

    fn human(&self, page: &mut Document<'_>) {
        for made in self.0 {
            page.line(&made.path);
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for made in self.0 {
            records.record(&[&made.path]);
        }
    }
}

impl Report for Made {
    fn kind(&self) -> &'static str {
        "backup"
    }

    fn human(&self, page: &mut Document<'_>) {
        let bytes = size(self.bytes);
        page.pairs(&[("backup", &self.path), ("size", &bytes), ("sha256", &self.sha256)]);
        for removed in &self.removed {
            let verb = if self.dry_run { "to remove" } else { "removed" };
            page.line(&format!("{verb} {removed}"));
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        records.record(&[&self.path, &self.bytes.to_string(), &self.sha256]);
    }
}

impl Report for AllBackups {
    fn kind(&self) -> &'static str {
        "backup.list"
    }

    fn record_kind(&self) -> &'static str {
        "backup"
    }

    fn human(&self, page: &mut Document<'_>) {
        for made in &self.0 {
            made.human(page);
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for made in &self.0 {
            made.plain(records);
        }
    }
}
