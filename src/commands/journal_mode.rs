//! `journal-mode`: shows the recorded journal mode, or changes it when no other process has the board open.

use serde::Serialize;

use super::{Context, replicated};
use crate::board::filesystem;
use crate::board::holders;
use crate::board::locks::HermesLocks;
use crate::board::log;
use crate::board::{Board, Inspection};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::journal_mode;
use crate::journal_mode::JournalMode;
use crate::newfile::directory;
use crate::pool::Access;
use crate::ui::{Document, Records, Report};

/// Show or change how the board is journaled.
///
/// Without a mode: which one the file records, on which filesystem, and what Hermes makes of it at its next open.
/// With one: refused (12) while anybody else has the board open, and WAL also where it does not work. The file records
/// only WAL (wal) or not (delete); truncate and persist mean delete here, because they are choices of each connection
/// that no file keeps.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The mode to change to.
    #[arg(value_enum)]
    mode: Option<JournalMode>,
    /// Go on where it cannot be proven that no other process has the board open; never beside a process that was found.
    #[arg(long, requires = "mode")]
    assume_unused: bool,
}

/// The mode that the file recorded and records.
#[derive(Debug, Serialize)]
struct JournalModeReport {
    dry_run: bool,
    before: JournalMode,
    /// With `dry_run`, what it would be.
    after: JournalMode,
    filesystem: String,
    board: String,
    hermes_next_open: &'static str,
}

impl Report for JournalModeReport {
    fn kind(&self) -> &'static str {
        "journal-mode"
    }

    fn human(&self, page: &mut Document<'_>) {
        let mode = match (self.before == self.after, self.dry_run) {
            (true, _) => self.after.to_string(),
            (false, true) => format!("{} (it would be {})", self.before, self.after),
            (false, false) => format!("{} (before: {})", self.after, self.before),
        };
        page.pairs(&[
            ("board", &self.board),
            ("journal mode", &mode),
            ("filesystem", &self.filesystem),
            ("Hermes", self.hermes_next_open),
        ]);
    }

    fn plain(&self, records: &mut Records<'_>) {
        records.record(&[self.before.name(), self.after.name(), &self.filesystem, &self.board]);
    }
}

/// Runs the verb.
///
/// # Errors
/// Exit 12 beside holders and on unsuitable filesystems; 11 when a lock is not had; as [`Context::inspection`].
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let inspection = context.inspection()?;
    inspection.require_sqlite()?;
    let Some(asked) = args.mode else {
        let recorded = recorded(&inspection);
        let report = report(&inspection, recorded, recorded, false)?;
        context.ui.emit(&report)?;
        return Ok(Exit::Ok);
    };
    let target = asked.stored();
    if target == JournalMode::Wal {
        require_wal_works(&inspection)?;
    }
    let before = recorded(&inspection);
    if asked != target {
        context.ui.warning(format_args!(
            "{asked} is a choice of each connection and is not stored; the file can only record {target}."
        ));
    }
    let there = before == target;
    if there {
        context.ui.status(format_args!("The board's journal mode is {before} already; nothing was changed."));
    } else {
        change(context, &inspection, target, args.assume_unused)?;
    }
    let report = report(&inspection, before, target, context.globals.dry_run)?;
    context.ui.emit(&report)?;
    if !there && !context.globals.dry_run {
        let said = context.aimed(format_args!(
            "Changed the journal mode from {before} to {target}. Undo it with `kanbanctl journal-mode {before}`."
        ));
        context.ui.status(said);
        context.ui.status(report.hermes_next_open);
    }
    Ok(Exit::Ok)
}

fn change(
    context: &mut Context<'_>,
    seen: &Inspection,
    target: JournalMode,
    assume_unused: bool,
) -> Outcome<()> {
    context.require_unfenced(&seen.resolved)?;
    let doing = format!("changing the journal mode to {target}");
    log::require_writable(seen)?;
    // First, because it only looks: the check of the board opens it, which brings an old WAL index up to date.
    let alone = || holders::require_none(seen, &doing, assume_unused);
    alone()?;
    replicated::warn(context, &seen.resolved, &doing);
    match context.pool_for_long(seen.clone(), Access::Write)?.require_undamaged() {
        // Where the WAL index cannot be shared, only the exclusive connection that changes the mode can check the board.
        Err(failure) if failure.is_shared_map() => (),
        other => other?,
    }
    if context.globals.dry_run {
        rehearse(context, seen)?;
        context.ui.status(format_args!("Dry run: the journal mode would be changed to {target}."));
        return Ok(());
    }
    let _locks = HermesLocks::take(
        &seen.board.path,
        &seen.resolved,
        context.budget().deadline(),
        &context.signals,
        &context.onlooker(),
    )?;
    alone()?;
    require_unchanged(&seen.board, seen)?;
    let changed = if target == JournalMode::Wal {
        journal_mode::turn_wal_on(&seen.resolved)
    } else {
        journal_mode::turn_wal_off(&seen.resolved)
    };
    changed.map_err(|failure| failure.advised().at(&seen.resolved))
}

/// Refuses the damaged board that the real run refuses. One whose WAL cannot be shared here can only be read by the real
/// run, which has it to itself.
fn rehearse(context: &mut Context<'_>, seen: &Inspection) -> Outcome<()> {
    let mut pool = context.pool_for_long(seen.clone(), Access::Read)?;
    let sound =
        pool.connection(|connection, _| journal_mode::require_sound(connection, journal_mode::MODE_KEPT));
    let closed = pool.close();
    match sound {
        Err(failure) if failure.is_shared_map() => Ok(()),
        other => other.and(closed),
    }
}

/// Refuses where a board changed its file or mode while the locks were waited for, or where SQLite's first read would
/// replay a log that does not belong to the file (tests/incidents.md F35).
fn require_unchanged(board: &Board, seen: &Inspection) -> Outcome<()> {
    let now = board.inspect()?;
    now.require_sqlite()?;
    let file = |inspection: &Inspection| inspection.stamp.map(|stamp| (stamp.dev, stamp.ino));
    if file(&now) != file(seen) || now.is_wal() != seen.is_wal() {
        return Err(Failure::busy("the board was changed meanwhile by another process; nothing was done.")
            .hint("Run the command again.")
            .at(&seen.resolved));
    }
    if !now.is_wal() && now.sidecars.wal_has_bytes() {
        return Err(Failure::refused(
            "a -wal lies beside a board that records a rollback journal; SQLite would replay it over the board.",
        )
        .hint("Look with `kanbanctl health`; see what both hold with `kanbanctl recover --dry-run`.")
        .at(&seen.resolved));
    }
    Ok(())
}

fn require_wal_works(inspection: &Inspection) -> Outcome<()> {
    let Some(obstacle) = journal_mode::wal_obstacle(directory(&inspection.resolved))? else { return Ok(()) };
    let failure = Failure::refused(format!("WAL does not work here: {obstacle}. The board was not touched."));
    let failure = if inspection.is_wal() {
        failure.hint("Bring the board back with `kanbanctl journal-mode delete`.")
    } else {
        failure.hint("Leave the board in its mode, or move it to a local filesystem.")
    };
    Err(failure.at(&inspection.resolved))
}

fn report(
    inspection: &Inspection,
    before: JournalMode,
    after: JournalMode,
    dry_run: bool,
) -> Outcome<JournalModeReport> {
    let filesystem = filesystem::of(directory(&inspection.resolved))?.kind;
    Ok(JournalModeReport {
        dry_run,
        before,
        after,
        filesystem,
        board: inspection.resolved.display().to_string(),
        hermes_next_open: hermes_next_open(after),
    })
}

/// What each version of Hermes does to the mode when it opens the board next. Which SQLite that Hermes has decides too: the
/// fault that makes a log restart too early is in all before 3.51.3 but 3.50.7 and 3.44.6.
fn hermes_next_open(mode: JournalMode) -> &'static str {
    match mode {
        JournalMode::Wal => {
            "Every version of Hermes keeps WAL at its next open. 0.22.2 warns at each start where its SQLite is older \
             than 3.51.3 (but 3.50.7 and 3.44.6), whatever database.journal_mode says."
        }
        _ => {
            "Hermes 0.19.0 turns WAL on again at its next open where it can. 0.20.1 and 0.22.2 keep this mode where \
             their SQLite is older than 3.51.3 (but 3.50.7 and 3.44.6); otherwise they follow database.journal_mode in \
             their configuration: set it to delete to keep this."
        }
    }
}

fn recorded(inspection: &Inspection) -> JournalMode {
    inspection.header().map_or(JournalMode::Delete, JournalMode::recorded)
}
