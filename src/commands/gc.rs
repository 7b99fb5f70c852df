//! `gc`: what is left of finished tasks.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use serde::Serialize;

use super::Context;
use crate::board::location;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::Access;
use crate::store::field::Field;
use crate::ui::{Document, Records, Report};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Remove scratch workspaces of archived tasks, old events of finished tasks, and old logs of workers.
///
/// A workspace is removed only strictly below the board's own folder of workspaces, and while no open task uses it.
/// Worktrees are left to `hermes kanban gc`. Nothing of it can be taken back; --dry-run counts first.
///
/// Plain record: WORKSPACES EVENTS LOGS.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Keep events of the last N days; with boards of Hermes 0.22 and later 0 keeps all.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(i64).range(0..=36_500))]
    pub event_retention_days: i64,
    /// Keep logs of the last N days; with boards of Hermes 0.22 and later 0 keeps all.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(i64).range(0..=36_500))]
    pub log_retention_days: i64,
}

/// Runs the verb.
///
/// # Errors
/// Exit 12 for a board whose folders are not known, and what the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let board = context.board()?;
    let Some(slug) = board.slug.clone() else {
        return Err(Failure::refused("the board does not lie under the root, so its folders are not known.")
            .hint("Name the board with --board.")
            .at(&board.path));
    };
    let root = location::root(context.env)?;
    let workspaces = match context.env.get("HERMES_KANBAN_WORKSPACES_ROOT").filter(|value| !value.is_empty())
    {
        Some(named) => PathBuf::from(named),
        None => location::files_folder(&root, &slug, "workspaces"),
    };
    let logs = location::files_folder(&root, &slug, "logs");
    let now = context.clock.epoch();
    let dry_run = context.globals.dry_run;
    let mut pool = context.pool(Access::Write)?;
    let (events, candidates, with_care) = pool.write(|txn, schema| {
        let with_care = schema.version.collects_with_care();
        let mut events = 0;
        if !(with_care && args.event_retention_days == 0) {
            let keeps = if with_care { " AND kind != 'decomposed'" } else { "" };
            let sql = format!(
                "DELETE FROM task_events WHERE created_at < ?1{keeps} AND task_id IN \
                 (SELECT id FROM tasks WHERE status IN ('done', 'archived'))"
            );
            events =
                txn.execute(&sql, [now.saturating_sub(args.event_retention_days.saturating_mul(DAY))])?;
        }
        Ok((events, workspaces_of(txn, &workspaces)?, with_care))
    })?;
    let closed = pool.close();
    let gone = |path: &&PathBuf| dry_run || std::fs::remove_dir_all(path).is_ok();
    let removed = candidates.iter().filter(gone).count();
    let sweeps_logs = !(with_care && args.log_retention_days == 0);
    let logs = if sweeps_logs {
        old_files(&logs, now.saturating_sub(args.log_retention_days.saturating_mul(DAY)))
    } else {
        Vec::new()
    };
    let logs = logs.iter().filter(|path| dry_run || std::fs::remove_file(path).is_ok()).count();
    let collected = Collected { workspaces: removed, events, logs, dry_run };
    context.ui.emit_done(&collected)?;
    let would = if dry_run { "Dry run: would remove" } else { "Removed" };
    context.ui.status(format_args!("{would} {removed} workspaces, {events} events, {logs} logs."));
    closed?;
    Ok(Exit::Ok)
}

/// The scratch workspaces of archived tasks that are there, strictly below `root` and not used by an open task.
fn workspaces_of(conn: &Connection, root: &Path) -> Outcome<Vec<PathBuf>> {
    let Ok(root) = std::fs::canonicalize(root) else { return Ok(Vec::new()) };
    let mut statement = conn.prepare("SELECT id, status, workspace_kind, workspace_path FROM tasks")?;
    let mut rows = statement.query([])?;
    let (mut used, mut finished) = (HashSet::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let [id, status, kind, path] =
            [0, 1, 2, 3].map(|at| row.get::<_, Field>(at).map(|field| field.show()));
        let (id, path) = (id?, path?);
        let path = if path.is_empty() { root.join(&id) } else { PathBuf::from(path) };
        if status? == "archived" {
            finished.extend((kind? == "scratch").then_some(path));
        } else {
            used.extend(std::fs::canonicalize(path));
        }
    }
    finished.retain(|path| {
        let plain = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
        plain
            && std::fs::canonicalize(path).is_ok_and(|path| {
                // Neither the root itself nor what an open task works in, above or below.
                path.starts_with(&root)
                    && path != root
                    && !used.iter().any(|open| open.starts_with(&path) || path.starts_with(open))
            })
    });
    Ok(finished)
}

/// The plain files of a directory that were last written before a moment.
fn old_files(folder: &Path, before: i64) -> Vec<PathBuf> {
    let before = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(before).unwrap_or(0));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let old = entries.filter(|entry| {
        entry.file_type().is_ok_and(|kind| kind.is_file())
            && entry.metadata().and_then(|found| found.modified()).is_ok_and(|at| at < before)
    });
    old.map(|entry| entry.path()).collect()
}

#[derive(Serialize)]
struct Collected {
    workspaces: usize,
    events: usize,
    logs: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

impl Report for Collected {
    fn kind(&self) -> &'static str {
        "gc"
    }

    fn human(&self, page: &mut Document<'_>) {
        page.pairs(&[
            ("workspaces", &self.workspaces.to_string()),
            ("events", &self.events.to_string()),
            ("logs", &self.logs.to_string()),
        ]);
    }

    fn plain(&self, records: &mut Records<'_>) {
        records.record(&[&self.workspaces.to_string(), &self.events.to_string(), &self.logs.to_string()]);
    }
}
