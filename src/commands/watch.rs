//! `watch`: events as they happen, on one connection that is held.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::Context;
use super::events::record;
use super::runs::compact;
use super::times::utc;
use crate::board::change_notice::ChangeNotice;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::{Access, Budget, Pool};
use crate::store::feed::{self, BoardEvent, EventFilter};
use crate::store::field::Field;
use crate::store::{schema, task, text};
use crate::ui::{Document, Label, Records, Report};

/// Events that are read at once.
const EVENTS_PER_READ: u32 = 500;

/// Follow the board: every event once, in order, as it is committed.
///
/// The board is opened once and held open; nothing is written. Without --since it begins with what comes next. It goes
/// on over checkpoints, a change of the journal mode and a board that is restored, and says so. Ctrl-C ends it.
///
/// Plain record: EVENT TIME TASK KIND RUN PAYLOAD.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Only of this task: its id, or a unique beginning of one.
    pub id: Option<String>,
    /// Only events of these kinds, apart by commas.
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub kinds: Vec<String>,
    /// Only of tasks of this profile; several are a union.
    #[arg(long, value_name = "PROFILE")]
    pub assignee: Vec<String>,
    /// Only of tasks of this tenant.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Begin behind this event; 0 is the beginning.
    #[arg(long, value_name = "EVENT")]
    pub since: Option<i64>,
    /// Run this command with `sh -c` for each event, which it gets as a JSON line on stdin; KANBANCTL_EVENT,
    /// KANBANCTL_TASK and KANBANCTL_KIND name it.
    #[arg(long, value_name = "COMMAND")]
    pub exec: Option<String>,
    /// End after N events.
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Longest pause between two looks where the filesystem gives no notice.
    #[arg(long, value_name = "DUR", value_parser = super::values::duration, default_value = "1s")]
    pub interval: Duration,
}

/// Runs the verb.
///
/// # Errors
/// Exit 12 where another file takes the board's place, and what the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let inspection = context.inspection()?;
    let path = inspection.resolved.clone();
    let notice = ChangeNotice::about(&path);
    let mut pool = context.pool_for(inspection, Access::Read)?.held();
    let place = FilePlace::of(&path);
    let assignee = |name: &String| text::canonical_assignee(name).unwrap_or_default();
    let mut filter = EventFilter {
        kinds: args.kinds.clone(),
        assignees: args.assignee.iter().map(assignee).collect(),
        tenant: args.tenant.clone(),
        limit: Some(EVENTS_PER_READ),
        ..EventFilter::default()
    };
    let (mut seen, task) = pool.read(|conn| {
        schema::require_board(conn)?;
        let task = args.id.as_deref().map(|typed| task::resolve(conn, typed)).transpose()?;
        Ok((Seen::now(conn, args.since)?, task))
    })?;
    filter.task = task;
    let mut left = args.limit.unwrap_or(u64::MAX);
    context.ui.detail(format_args!("Following {} from event {}.", path.display(), seen.last));
    while left > 0 {
        if let Some(signal) = context.signals.received() {
            pool.close()?;
            return Err(Failure::new(Exit::Interrupted(signal), "ended."));
        }
        if FilePlace::of(&path) != place {
            return Err(Failure::refused(format!(
                "{} is another file now; what follows is not seen here.",
                path.display()
            ))
            .hint("Follow the new one with `kanbanctl watch`.")
            .at(&path));
        }
        pool.renew(Budget::new(context.budget().total))?;
        let look = look(&mut pool, &seen, &mut filter)?;
        let more = look.more;
        for event in look.events {
            if left == 0 {
                break;
            }
            left -= 1;
            tell(context, event, args.exec.as_deref())?;
        }
        if let Some(what) = look.changed {
            context.ui.warning(what);
        }
        seen = look.seen;
        if !more && left > 0 {
            notice.wait(args.interval);
        }
    }
    pool.close()?;
    Ok(Exit::Ok)
}

/// The file under the board's name.
#[derive(PartialEq, Eq)]
struct FilePlace(Option<(u64, u64)>);

impl FilePlace {
    /// Looked at without being opened.
    fn of(path: &Path) -> Self {
        Self(std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino())))
    }
}

/// How far the board has been followed.
#[derive(Clone, Debug)]
struct Seen {
    version: i64,
    journal: String,
    last: i64,
    /// Task, kind and time of that event.
    event: Option<(String, String, String)>,
}

impl Seen {
    fn now(conn: &Connection, since: Option<i64>) -> Outcome<Self> {
        let last = match since {
            Some(since) => since,
            None => feed::last(conn)?,
        };
        Ok(Self { version: -1, journal: journal(conn)?, last, event: event_at(conn, last)? })
    }
}

fn journal(conn: &Connection) -> Outcome<String> {
    Ok(conn.prepare_cached("PRAGMA journal_mode")?.query_row([], |row| row.get(0))?)
}

fn event_at(conn: &Connection, id: i64) -> Outcome<Option<(String, String, String)>> {
    let mut statement =
        conn.prepare_cached("SELECT task_id, kind, created_at FROM task_events WHERE id = ?1")?;
    Ok(statement
        .query_row([id], |row| {
            let field = |at| row.get::<_, Field>(at).map(|field| field.show());
            Ok((field(0)?, field(1)?, field(2)?))
        })
        .optional()?)
}

/// What one look found.
struct WatchLook {
    seen: Seen,
    events: Vec<BoardEvent>,
    more: bool,
    changed: Option<String>,
}

/// Look once, in one read transaction; nothing is read where nobody has committed.
fn look(pool: &mut Pool, seen: &Seen, filter: &mut EventFilter) -> Outcome<WatchLook> {
    pool.read(|conn| {
        let version: i64 = conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        let mut next = Seen { version, ..seen.clone() };
        if version == seen.version {
            return Ok(WatchLook { seen: next, events: Vec::new(), more: false, changed: None });
        }
        let snapshot = conn.unchecked_transaction()?;
        let mut changed = None;
        next.journal = journal(conn)?;
        if next.journal != seen.journal {
            changed = Some(format!("The journal mode is {} now.", next.journal));
        }
        let newest = feed::last(conn)?;
        let there = event_at(conn, seen.last)?;
        let other = there.is_some() && seen.event.is_some() && there != seen.event;
        if newest.max(sequence(conn)?) < seen.last || other {
            changed = Some(format!(
                "The board was restored: event {} is gone and the newest one is {newest}. Following from there.",
                seen.last
            ));
            next.last = newest;
            next.event = event_at(conn, newest)?;
            return Ok(WatchLook { seen: next, events: Vec::new(), more: false, changed });
        }
        filter.after = Some(seen.last);
        let events = feed::events(conn, filter)?;
        let more = events.len() >= usize::try_from(EVENTS_PER_READ).unwrap_or(usize::MAX);
        // Events that the filter leaves out are seen too.
        let read_to = events.last().filter(|_| more).and_then(|event| event.id.integer());
        next.last = read_to.unwrap_or(newest).max(seen.last);
        next.event = event_at(conn, next.last)?;
        if more {
            next.version = -1;
        }
        drop(snapshot);
        Ok(WatchLook { seen: next, events, more, changed })
    })
}

/// The highest number that was ever given to an event.
fn sequence(conn: &Connection) -> Outcome<i64> {
    let mut statement =
        conn.prepare_cached("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'task_events'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

fn tell(context: &mut Context<'_>, event: BoardEvent, exec: Option<&str>) -> Outcome<()> {
    let shown = WatchedEvent(event);
    context.ui.emit_streamed(&shown)?;
    let Some(command) = exec else { return Ok(()) };
    let line = serde_json::json!({ "schema_version": 1, "kind": shown.kind(), "data": shown });
    let line = format!("{line}\n");
    let event = &shown.0;
    let begun = Command::new("/bin/sh")
        .args(["-c", command])
        .env("KANBANCTL_EVENT", event.id.show())
        .env("KANBANCTL_TASK", event.task_id.show())
        .env("KANBANCTL_KIND", event.kind.show())
        .stdin(Stdio::piped())
        .spawn();
    let ended = begun.and_then(|mut child| {
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read its input closes the pipe.
            let _ = stdin.write_all(line.as_bytes());
        }
        child.wait()
    });
    match ended {
        Ok(status) if status.success() => {}
        Ok(status) => {
            context.ui.warning(format_args!("The command for event {} failed: {status}.", event.id.show()));
        }
        Err(error) => context
            .ui
            .warning(format_args!("The command for event {} did not start: {error}.", event.id.show())),
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(transparent)]
struct WatchedEvent(BoardEvent);

impl Report for WatchedEvent {
    fn kind(&self) -> &'static str {
        "event"
    }

    fn human(&self, page: &mut Document<'_>) {
        let event = &self.0;
        page.cut_spans(&[
            (Label::Dim, &utc(&event.created_at)),
            (Label::Text, "  "),
            (Label::Id, &event.task_id.show()),
            (Label::Text, &format!("  {}", event.kind.show())),
            (Label::Dim, &format!("  {}", event.assignee.show())),
            (Label::Dim, &format!("  {}", compact(&event.payload))),
        ]);
    }

    fn plain(&self, records: &mut Records<'_>) {
        record(&self.0, records);
    }
}
