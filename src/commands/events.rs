//! `events`: what happened, to one task or on the whole board.

use serde::Serialize;

use super::Context;
use super::runs::compact;
use super::times::{Times, utc};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::pool::Access;
use crate::store::feed::{self, BoardEvent, EventFilter};
use crate::store::{schema, task, text};
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// List events in the order of their numbers.
///
/// Plain record: EVENT TIME TASK KIND RUN PAYLOAD.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Only of this task: its id, or a unique beginning of one.
    pub id: Option<String>,
    /// Only of these kinds, apart by commas.
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub kinds: Vec<String>,
    /// Only of tasks of this profile; several are a union.
    #[arg(long, value_name = "PROFILE")]
    pub assignee: Vec<String>,
    /// Only of tasks of this tenant.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Only with a number above this.
    #[arg(long, value_name = "EVENT")]
    pub since: Option<i64>,
    /// Only the newest N.
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown task, 14 for an ambiguous beginning, and what the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let mut filter = filter(args);
    let mut pool = context.pool(Access::Read)?;
    if context.ui.format().is_json() {
        let mut rows = context.ui.json_rows("event.list", "event", context.scratch());
        pool.read_rows(|conn, still| {
            rows.restart();
            schema::require_board(conn)?;
            filter.task = args.id.as_deref().map(|id| task::resolve(conn, id)).transpose()?;
            feed::each(conn, &filter, |event| {
                rows.push(&event)?;
                if rows.is_due() && still.holds() { rows.release(context.ui) } else { Ok(()) }
            })
        })?;
        pool.close()?;
        let none = rows.count() == 0;
        rows.finish(context.ui)?;
        say_none(context, none);
        return Ok(Exit::Ok);
    }
    let events = pool.read(|conn| {
        schema::require_board(conn)?;
        filter.task = args.id.as_deref().map(|id| task::resolve(conn, id)).transpose()?;
        feed::events(conn, &filter)
    })?;
    pool.close()?;
    let (none, times) = (events.is_empty(), Times::of(context));
    context.ui.emit(&EventList { events, times })?;
    say_none(context, none);
    Ok(Exit::Ok)
}

fn say_none(context: &mut Context<'_>, none: bool) {
    if none {
        context.ui.status("No event matches.");
    }
}

fn filter(args: &Args) -> EventFilter {
    let assignee = |name: &String| text::canonical_assignee(name).unwrap_or_default();
    EventFilter {
        task: None,
        kinds: args.kinds.clone(),
        assignees: args.assignee.iter().map(assignee).collect(),
        tenant: args.tenant.clone(),
        after: args.since,
        limit: args.limit,
        newest: true,
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct EventList {
    events: Vec<BoardEvent>,
    #[serde(skip)]
    times: Times,
}

/// Write one event as a record.
pub(super) fn record(event: &BoardEvent, records: &mut Records<'_>) {
    records.record(&[
        &event.id.show(),
        &utc(&event.created_at),
        &event.task_id.show(),
        &event.kind.show(),
        &event.run_id.show(),
        &compact(&event.payload),
    ]);
}

impl Report for EventList {
    fn kind(&self) -> &'static str {
        "event.list"
    }

    fn record_kind(&self) -> &'static str {
        "event"
    }

    fn human(&self, page: &mut Document<'_>) {
        let mut table = TextTable::new([
            TextColumn::fixed("EVENT").right(),
            TextColumn::fixed("TIME"),
            TextColumn::fixed("TASK"),
            TextColumn::fixed("KIND"),
            TextColumn::fixed("RUN").right().priority(1),
            TextColumn::text("PAYLOAD").priority(2),
        ]);
        for event in &self.events {
            table.row([
                (Label::Id, event.id.show()),
                (Label::Dim, self.times.show(&event.created_at)),
                (Label::Id, event.task_id.show()),
                (Label::Text, event.kind.show()),
                (Label::Dim, event.run_id.show()),
                (Label::Dim, compact(&event.payload)),
            ]);
        }
        page.table(&table);
    }

    fn plain(&self, records: &mut Records<'_>) {
        for event in &self.events {
            record(event, records);
        }
    }
}
