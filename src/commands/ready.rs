//! `ready`: what Hermes' dispatcher would pick up, and why not the rest.

use serde::Serialize;

use super::Context;
use super::times::Times;
use crate::board::{location, profiles};
use crate::failure::Outcome;
use crate::failure::count::counted;
use crate::failure::exit::Exit;
use crate::pool::Access;
use crate::store::field::Field;
use crate::store::pickup::{self, Pickup, PickupContext, PickupReason};
use crate::store::{schema, task};
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// Seconds for which a quota wall keeps a task back, where the environment does not say otherwise.
const RATE_LIMIT_COOLDOWN: i64 = 300;

/// List the ready tasks in the order in which the dispatcher takes them.
///
/// With --explain, every task that is not done or archived, each with what keeps it from being picked up: its status,
/// open parents, a claim, its failures, the dispatcher's guard against starting a task again, no assignee, no such
/// profile. What only a running gateway knows, such as how many tasks may run at once, is not considered.
///
/// Plain record: TASK STATUS PRIORITY ASSIGNEE ANSWER TITLE, with yes or the kinds of reasons, apart by commas, for the
/// answer; with --explain one record more for each reason: reason, TASK KIND MESSAGE NEXT.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Only these tasks: ids, or unique beginnings of them.
    pub ids: Vec<String>,
    /// Say why, for waiting tasks too.
    #[arg(long)]
    pub explain: bool,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown task, 14 for an ambiguous beginning, and what the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let root = location::hermes_root(context.env)?;
    let known = std::cell::RefCell::new(std::collections::HashMap::new());
    let has_profile = |name: &str| {
        *known.borrow_mut().entry(name.to_owned()).or_insert_with(|| profiles::exists(&root, name))
    };
    let cooldown = context
        .env
        .number("HERMES_KANBAN_RATE_LIMIT_COOLDOWN_SECONDS")
        .filter(|seconds| *seconds >= 0)
        .unwrap_or(RATE_LIMIT_COOLDOWN);
    let explain = args.explain || !args.ids.is_empty();
    let around = PickupContext {
        now: context.clock.epoch(),
        rate_limit_cooldown: cooldown,
        has_profile: &has_profile,
        with_words: explain || context.ui.format().is_json(),
    };
    let mut pool = context.pool(Access::Read)?;
    let found = pool.read(|conn| {
        schema::require_board(conn)?;
        if args.ids.is_empty() {
            return pickup::board(conn, &around, args.explain);
        }
        let mut found = Vec::with_capacity(args.ids.len());
        for typed in &args.ids {
            found.extend(pickup::of_task(conn, &around, &task::resolve(conn, typed)?)?);
        }
        Ok(found)
    })?;
    pool.close()?;
    let taken = found.iter().filter(|one| one.reasons.is_empty()).count() as u64;
    let times = Times::of(context);
    context.ui.emit(&ReadyList { tasks: found.iter().map(ReadyTask::of).collect(), explain, times })?;
    let would = counted(taken, "task would be picked up", "tasks would be picked up");
    context.ui.status(format_args!("{would}."));
    if !explain && (found.len() as u64) > taken {
        context.hint("`kanbanctl ready --explain` says why not the others.");
    }
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct ReadyTask<'a> {
    id: String,
    title: &'a Field,
    status: &'a Field,
    assignee: &'a Field,
    priority: &'a Field,
    created_at: &'a Field,
    picked_up: bool,
    reasons: &'a [PickupReason],
}

impl<'a> ReadyTask<'a> {
    fn of(one: &'a Pickup) -> Self {
        Self {
            id: one.task.id(),
            title: one.task.field("title"),
            status: one.task.field("status"),
            assignee: one.task.field("assignee"),
            priority: one.task.field("priority"),
            created_at: one.task.field("created_at"),
            picked_up: one.reasons.is_empty(),
            reasons: &one.reasons,
        }
    }

    fn answer(&self) -> String {
        if self.picked_up {
            return "yes".to_owned();
        }
        self.reasons.iter().map(|reason| reason.kind).collect::<Vec<_>>().join(",")
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct ReadyList<'a> {
    tasks: Vec<ReadyTask<'a>>,
    #[serde(skip)]
    explain: bool,
    #[serde(skip)]
    times: Times,
}

impl Report for ReadyList<'_> {
    fn kind(&self) -> &'static str {
        "ready"
    }

    fn record_kind(&self) -> &'static str {
        "ready.task"
    }

    fn human(&self, page: &mut Document<'_>) {
        if self.explain {
            for task in &self.tasks {
                explain(task, page);
            }
            return;
        }
        let mut table = TextTable::new([
            TextColumn::fixed("ID"),
            TextColumn::text("PICKED UP"),
            TextColumn::fixed("PRI").right().priority(2),
            TextColumn::text("ASSIGNEE").priority(1),
            TextColumn::fixed("AGE").right().priority(3),
            TextColumn::text("TITLE").least(20),
        ]);
        for task in &self.tasks {
            let label = if task.picked_up { Label::Good } else { Label::Warning };
            table.row([
                (Label::Id, task.id.clone()),
                (label, task.answer()),
                (Label::Text, task.priority.show()),
                (Label::Text, task.assignee.show()),
                (Label::Dim, self.times.age(task.created_at)),
                (Label::Text, task.title.show()),
            ]);
        }
        page.table(&table);
    }

    fn plain(&self, records: &mut Records<'_>) {
        for task in &self.tasks {
            records.record(&[
                &task.id,
                &task.status.show(),
                &task.priority.show(),
                &task.assignee.show(),
                &task.answer(),
                &task.title.show(),
            ]);
            for reason in task.reasons.iter().filter(|_| self.explain) {
                let next = reason.next.as_deref().unwrap_or_default();
                records.record(&["reason", &task.id, reason.kind, &reason.message, next]);
            }
        }
    }
}

fn explain(task: &ReadyTask<'_>, page: &mut Document<'_>) {
    let status = task.status.show();
    let (label, answer) = if task.picked_up { (Label::Good, "yes") } else { (Label::Warning, "no") };
    page.cut_spans(&[
        (Label::Id, &task.id),
        (Label::Text, "  "),
        (label, answer),
        (Label::Text, "  "),
        (Label::of_status(&status), &status),
        (Label::Text, "  "),
        (Label::Text, &task.title.show()),
    ]);
    for reason in task.reasons {
        page.paragraph(4, &format!("{}.", reason.message));
        if let Some(next) = &reason.next {
            page.spans(&[(Label::Hint, "    "), (Label::Hint, next)]);
        }
    }
}
