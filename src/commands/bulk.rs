//! Changing many tasks with one verb: ids and files, one transaction, what is asked before, what is said after.
//!
//! A writing verb parses its own options, builds [`BulkTargets`] and calls [`change`] with a closure over one task. The
//! closure returns the [`TaskChange`] and the command that takes it back. All tasks are changed, or none; with
//! `--keep-going` those that can be.
//! Not here: the SQL of a verb ([`crate::store`]).

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::Context;
use super::{create, draft};
use crate::failure::count::counted;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome, hint};
use crate::pool::{Access, Pool};
use crate::process::env::Env;
use crate::store::text;
use crate::store::writer::{Refusal, TaskChange, TaskWriter, WorkerScope};
use crate::ui::{Document, Records, Report};

/// Tasks that are changed without a question.
const TASKS_UNASKED: usize = 10;

/// Tasks between two looks at the signal flag.
const TASKS_PER_LOOK: usize = 1_000;

/// Ids that the line of the way back names.
const IDS_IN_UNDO: usize = 10;

/// The options of every verb that changes tasks.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct BulkOptions {
    /// Read ids or JSON lines from this file, `-` for stdin.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// TaskChange what can be changed, and go on behind a task that cannot.
    #[arg(long)]
    pub keep_going: bool,
}

/// Words of a verb with one id, a reason behind it, and more ids in `--ids`, as Hermes has it.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ReasonedIds {
    /// The id and the words of the reason; with --from the reason alone.
    #[arg(value_name = "ID [REASON]")]
    pub words: Vec<String>,
    /// More ids, with the same reason.
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub ids: Vec<String>,
}

impl ReasonedIds {
    /// Return the ids, and the reason where one was given.
    pub fn split(&self, options: &BulkOptions) -> (Vec<String>, Option<String>) {
        let (first, reason) = match self.words.split_first() {
            Some((first, reason)) if options.from.is_none() => (Some(first), reason),
            _ => (None, self.words.as_slice()),
        };
        let reason = (!reason.is_empty()).then(|| text::strip(&reason.join(" ")).to_owned());
        (first.into_iter().chain(&self.ids).cloned().collect(), reason)
    }
}

/// Return the ids and the last word, for a verb whose last word is no id.
///
/// # Errors
/// Exit 2 where there is no word.
pub fn ids_and_word(words: &[String]) -> Outcome<(Vec<String>, String)> {
    let Some((word, ids)) = words.split_last() else {
        return Err(Failure::usage("a word is missing behind the ids."));
    };
    Ok((ids.to_vec(), word.clone()))
}

/// A reason as a comment writes it: `WORD: reason`, where there is a reason.
///
/// # Errors
/// What SQLite says.
pub fn comment_reason(
    writer: &TaskWriter<'_>,
    id: &str,
    author: &str,
    word: &str,
    reason: Option<&str>,
) -> Outcome<()> {
    if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
        writer.comment(id, author, &format!("{word}: {reason}"))?;
    }
    Ok(())
}

/// One task that is to be changed.
#[derive(Clone, Debug)]
pub struct BulkItem<K> {
    /// Number of its line in the file; 0 for the command line.
    pub line: usize,
    /// Its id, or a unique beginning of it.
    pub typed: String,
    /// The keys of its line.
    pub keys: K,
}

/// The tasks that are to be changed.
#[derive(Clone, Debug)]
pub struct BulkTargets<K> {
    /// In the order in which they were given.
    pub items: Vec<BulkItem<K>>,
    /// True if a task that cannot be changed does not stop the others.
    pub keep_going: bool,
}

/// No keys beside the id.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoKeys {}

/// A reason beside the id.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonKeys {
    /// Why.
    pub reason: Option<String>,
}

impl<K: Default + DeserializeOwned> BulkTargets<K> {
    /// Read the tasks from the command line and from `--from`. A line is an id, or a JSON object with `id` and the verb's
    /// own keys.
    ///
    /// # Errors
    /// Exit 2 for a malformed line, for ids beside a file, and for neither.
    pub fn read(context: &Context<'_>, ids: &[String], options: &BulkOptions) -> Outcome<Self> {
        let keep_going = options.keep_going;
        let Some(path) = &options.from else {
            if ids.is_empty() {
                return Err(
                    Failure::usage("no task was named.").hint("Name ids, or a file of ids with --from.")
                );
            }
            let item = |id: &String| BulkItem { line: 0, typed: id.clone(), keys: K::default() };
            return Ok(Self { items: ids.iter().map(item).collect(), keep_going });
        };
        if !ids.is_empty() {
            return Err(Failure::usage("ids were given beside --from.").hint("Give one of them."));
        }
        let bytes = create::read(path, &context.signals)?;
        let lines = draft::numbered(&bytes);
        let items = lines
            .map(|(number, line)| from_line(line, number).map_err(|failure| draft::at_line(failure, number)));
        Ok(Self { items: items.collect::<Outcome<_>>()?, keep_going })
    }
}

fn from_line<K: Default + DeserializeOwned>(line: &[u8], number: usize) -> Outcome<BulkItem<K>> {
    if !line.starts_with(b"{") {
        let typed =
            std::str::from_utf8(line).map_err(|_| Failure::usage("this is no id: it is not UTF-8."))?;
        return Ok(BulkItem { line: number, typed: typed.to_owned(), keys: K::default() });
    }
    let malformed = |error: serde_json::Error| Failure::usage(format!("this line cannot be read: {error}."));
    let mut keys: Map<String, Value> = serde_json::from_slice(line).map_err(malformed)?;
    let id = ["id", "task_id"].into_iter().find_map(|key| keys.remove(key));
    let Some(Value::String(typed)) = id else {
        return Err(Failure::usage("this line has no id."));
    };
    let keys = serde_json::from_value(Value::Object(keys)).map_err(malformed)?;
    Ok(BulkItem { line: number, typed, keys })
}

/// The words of a verb.
#[derive(Clone, Copy, Debug)]
pub struct BulkVerb {
    /// As it is typed: `archive`.
    pub name: &'static str,
    /// What was done: `archived`.
    pub past: &'static str,
    /// The kind of one record in JSON: `task.archived`.
    pub record: &'static str,
    /// The kind of the whole list in JSON: `task.archived.list`.
    pub list: &'static str,
    /// True if nothing takes it back: many tasks need a confirmation even where no terminal is there to ask on.
    pub irrevocable: bool,
}

/// The words of a verb whose records are named after it.
macro_rules! verb {
    ($name:literal, $past:literal) => {
        $crate::commands::bulk::BulkVerb {
            name: $name,
            past: $past,
            record: concat!("task.", $name),
            list: concat!("task.", $name, ".list"),
            irrevocable: false,
        }
    };
    ($name:literal, $past:literal, irrevocable) => {
        $crate::commands::bulk::BulkVerb { irrevocable: true, ..$crate::commands::bulk::verb!($name, $past) }
    };
}
pub(crate) use verb;

/// The command that takes a change back: a verb, the id, and what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UndoCommand {
    /// The verb with its options.
    pub verb: String,
    /// Words behind the ids.
    pub tail: Vec<String>,
}

impl UndoCommand {
    /// A verb that takes ids only.
    pub fn of(verb: impl Into<String>) -> Self {
        Self { verb: verb.into(), tail: Vec::new() }
    }

    /// The same with a word behind the ids.
    #[must_use]
    pub fn with(mut self, word: impl Into<String>) -> Self {
        self.tail.push(word.into());
        self
    }

    fn line(&self, ids: &[&str]) -> String {
        let words = ids.iter().copied().chain(self.tail.iter().map(String::as_str)).map(hint::quoted);
        format!("kanbanctl {} {}", self.verb, words.collect::<Vec<_>>().join(" "))
    }
}

/// What one task's closure returns.
pub type BulkStep = Result<(TaskChange, Option<UndoCommand>), Refusal>;

/// One change that was made.
struct MadeChange {
    change: TaskChange,
    undo: Option<UndoCommand>,
}

/// Changes within one transaction.
#[derive(Default)]
struct BulkOutcome {
    made: Vec<MadeChange>,
    /// What was typed, and why it was not changed.
    failed: Vec<(String, Failure)>,
}

/// TaskChange tasks in one transaction, say what was done, and how to take it back.
///
/// # Errors
/// What the closure says of a task, in the words of its line; nothing is written then, but the record that Hermes keeps
/// of some refusals. With `--keep-going` exit 5 where some tasks were not changed.
pub fn change<K>(
    context: &mut Context<'_>,
    verb: BulkVerb,
    targets: BulkTargets<K>,
    step: impl FnMut(&mut TaskWriter<'_>, &str, &K) -> BulkStep,
) -> Outcome<Exit> {
    change_after(context, verb, targets, |_, items| Ok(items), |_, _| Ok(()), step)
}

/// As [`change`], with a look at the board before: `prepare` returns the tasks that are to be changed. `begin` does what
/// must be done outside of the transaction, once everything is confirmed. Others may write meanwhile, so `step` looks again.
///
/// # Errors
/// As [`change`], and what `prepare` and `begin` say.
pub fn change_after<K>(
    context: &mut Context<'_>,
    verb: BulkVerb,
    mut targets: BulkTargets<K>,
    prepare: impl FnOnce(&mut Pool, Vec<BulkItem<K>>) -> Outcome<Vec<BulkItem<K>>>,
    begin: impl FnOnce(&mut Pool, &[BulkItem<K>]) -> Outcome<()>,
    mut step: impl FnMut(&mut TaskWriter<'_>, &str, &K) -> BulkStep,
) -> Outcome<Exit> {
    let scope = worker_scope(context.env)?;
    let mut pool = context.pool(Access::Write)?;
    targets.items = prepare(&mut pool, targets.items)?;
    let total = targets.items.len();
    let asks = verb.irrevocable || context.ui.can_prompt();
    if total > TASKS_UNASKED && asks && !context.globals.dry_run {
        context.ui.confirm(&format!("{total} tasks will be {}. Go on?", verb.past))?;
    }
    if !context.globals.dry_run {
        begin(&mut pool, &targets.items)?;
    }
    let (now, signals) = (context.clock.epoch(), context.signals.clone());
    let bar = context.ui.progress(verb.name, total as u64);
    let outcome = pool.write(|txn, schema| {
        let mut writer = TaskWriter::new(txn, schema, now)?.for_worker(scope);
        let look = |done: usize| {
            if let Some(signal) = signals.received() {
                return Err(Failure::new(Exit::Interrupted(signal), "interrupted; nothing was changed."));
            }
            bar.update(done as u64, total as u64);
            Ok(())
        };
        apply(&mut writer, &targets, look, &mut step)
    });
    drop(bar);
    let mut outcome = outcome?;
    let closed = pool.close();
    if outcome.made.is_empty() && !outcome.failed.is_empty() {
        closed?;
        let (_, failure) = outcome.failed.remove(0);
        return Err(unchanged(failure, total));
    }
    let shown = tell(context, verb, &outcome);
    closed?;
    let done = counted(outcome.made.len() as u64, "task is", "tasks are");
    shown.map_err(|failure| failure.behind(format_args!("{done} {}", verb.past)))?;
    Ok(if outcome.failed.is_empty() { Exit::Ok } else { Exit::Partial })
}

/// Change the tasks one after the other within the caller's transaction. Without `--keep-going` the first that cannot be
/// changed takes all back; what Hermes records of its refusal stays.
fn apply<K>(
    writer: &mut TaskWriter<'_>,
    targets: &BulkTargets<K>,
    look: impl Fn(usize) -> Outcome<()>,
    step: &mut impl FnMut(&mut TaskWriter<'_>, &str, &K) -> BulkStep,
) -> Outcome<BulkOutcome> {
    let txn = writer.conn();
    let total = targets.items.len();
    let mut outcome = BulkOutcome::default();
    let mut seen = HashSet::new();
    txn.execute_batch("SAVEPOINT bulk")?;
    for (index, item) in targets.items.iter().enumerate() {
        if index % TASKS_PER_LOOK == 0 {
            look(index)?;
        }
        txn.execute_batch("SAVEPOINT item")?;
        let one = writer.resolve(&item.typed).map_err(Refusal::from).and_then(|id| {
            if !seen.insert(id.clone()) {
                return Err(Failure::conflict(format!("{id} is named twice.")).into());
            }
            step(writer, &id, &item.keys)
        });
        match one {
            Ok((change, undo)) => {
                txn.execute_batch("RELEASE item")?;
                outcome.made.push(MadeChange { change, undo });
            }
            Err(refusal) if is_about_the_task(&refusal.failure) => {
                let back = if targets.keep_going { "item" } else { "bulk" };
                txn.execute_batch(&format!("ROLLBACK TO {back}"))?;
                writer.rolled_back();
                let failure = draft::at_line(refusal.failure, item.line);
                match refusal.record {
                    Some(record) => record(writer)?,
                    None if !targets.keep_going => return Err(unchanged(failure, total)),
                    None => {}
                }
                outcome.failed.push((item.typed.clone(), failure));
                if !targets.keep_going {
                    outcome.made.clear();
                    break;
                }
                txn.execute_batch("RELEASE item")?;
            }
            Err(refusal) => return Err(draft::at_line(refusal.failure, item.line)),
        }
    }
    Ok(outcome)
}

/// True if the failure is about one task, so that others may still be changed.
fn is_about_the_task(failure: &Failure) -> bool {
    matches!(failure.exit(), Exit::NotFound | Exit::Conflict | Exit::Usage | Exit::Refused)
}

fn unchanged(failure: Failure, total: usize) -> Failure {
    if total > 1 {
        failure.hint("No task was changed; leave this one out, or add --keep-going.")
    } else {
        failure
    }
}

/// Return the worker that runs this process, as its variables name it.
///
/// # Errors
/// Exit 12 for a run that is no number: the guard that it stands for would be off.
pub fn worker_scope(env: &Env) -> Outcome<WorkerScope> {
    let text = |name: &str| {
        let value = env.get(name).map(std::ffi::OsStr::to_string_lossy)?;
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    let (task, run) = (text("HERMES_KANBAN_TASK"), text("HERMES_KANBAN_RUN_ID"));
    if task.is_none() {
        return Ok(WorkerScope::default());
    }
    let run = run.map(|run| {
        run.parse().map_err(|_| {
            Failure::refused(format!("the variable HERMES_KANBAN_RUN_ID is no number: {run:?}."))
                .hint("Unset HERMES_KANBAN_TASK and HERMES_KANBAN_RUN_ID if this is no worker.")
        })
    });
    Ok(WorkerScope { task, run: run.transpose()? })
}

fn tell(context: &mut Context<'_>, verb: BulkVerb, outcome: &BulkOutcome) -> Outcome<()> {
    let dry_run = context.globals.dry_run;
    let mut shown = Ok(());
    if !dry_run || context.ui.format().is_json() {
        shown = context.ui.emit_done(&BulkReport { verb, outcome, dry_run });
    }
    let made = outcome.made.len() as u64;
    if dry_run {
        context.ui.status(format_args!(
            "Dry run: {} {}; nothing was written.",
            counted(made, "task would be", "tasks would be"),
            verb.past
        ));
    } else {
        let what = match outcome.made.as_slice() {
            [] => "no task".to_owned(),
            [one] => one.change.id.clone(),
            many => counted(many.len() as u64, "task", "tasks"),
        };
        let promoted: usize = outcome.made.iter().map(|one| one.change.promoted.len()).sum();
        let ready = match promoted {
            0 => String::new(),
            some => format!("; {} ready", counted(some as u64, "task became", "tasks became")),
        };
        context.ui.status(format_args!("{} {what}{ready}.", capital(verb.past)));
    }
    for one in &outcome.made {
        for note in &one.change.notes {
            context.ui.warning(note);
        }
    }
    for (typed, failure) in &outcome.failed {
        context.ui.warning(format_args!("{typed} was not {}: {failure}", verb.past));
    }
    if !dry_run {
        say_the_way_back(context, &outcome.made);
    }
    shown
}

/// Say the commands that take the changes back, one for tasks that need the same.
fn say_the_way_back(context: &mut Context<'_>, made: &[MadeChange]) {
    let mut lines: BTreeMap<&UndoCommand, Vec<&str>> = BTreeMap::new();
    for one in made {
        if let Some(undo) = &one.undo {
            lines.entry(undo).or_default().push(&one.change.id);
        }
    }
    let several = lines.len();
    for (undo, ids) in lines.into_iter().take(IDS_IN_UNDO) {
        let shown = ids.get(..ids.len().min(IDS_IN_UNDO)).unwrap_or_default();
        let more = if ids.len() > shown.len() { " and so on" } else { "" };
        let line = context.aimed(format_args!("Undo with `{}`{more}.", undo.line(shown)));
        context.ui.status(line);
    }
    if several > IDS_IN_UNDO {
        context.ui.status("The other tasks need other values; --json has the former ones.");
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

struct BulkReport<'a> {
    verb: BulkVerb,
    outcome: &'a BulkOutcome,
    dry_run: bool,
}

impl Serialize for BulkReport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let made = self.outcome.made.iter().map(|one| {
            let mut keys = Map::new();
            keys.insert("id".to_owned(), json!(one.change.id));
            keys.insert("run_id".to_owned(), json!(one.change.run));
            keys.insert("status".to_owned(), json!(one.change.status));
            keys.insert("promoted".to_owned(), json!(one.change.promoted));
            keys.extend(one.change.details.clone());
            if let Some(undo) = one.undo.as_ref().filter(|_| !self.dry_run) {
                keys.insert("undo".to_owned(), json!(undo.line(&[&one.change.id])));
            }
            if self.dry_run {
                keys.insert("dry_run".to_owned(), json!(true));
            }
            Value::Object(keys)
        });
        let failed = self.outcome.failed.iter().map(|(typed, failure)| {
            let exit = failure.exit();
            json!({
                "id": typed,
                "error": { "code": exit.code(), "name": exit.name(), "message": failure.to_string() },
            })
        });
        serializer.collect_seq(made.chain(failed))
    }
}

impl Report for BulkReport<'_> {
    fn kind(&self) -> &'static str {
        self.verb.list
    }

    fn record_kind(&self) -> &'static str {
        self.verb.record
    }

    fn human(&self, page: &mut Document<'_>) {
        for one in &self.outcome.made {
            page.line(&one.change.id);
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for one in &self.outcome.made {
            records.record(&[&one.change.id]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_ids_or_objects() {
        let plain: BulkItem<NoKeys> = from_line(b"t_1", 3).unwrap();
        assert_eq!((plain.typed.as_str(), plain.line), ("t_1", 3));
        let object: BulkItem<NoKeys> = from_line(br#"{"task_id": "t_2"}"#, 1).unwrap();
        assert_eq!(object.typed, "t_2");
        for bad in [&br#"{"id": 7}"#[..], br#"{"id": "a", "colour": 1}"#, b"{", b"\xff"] {
            assert_eq!(from_line::<NoKeys>(bad, 1).unwrap_err().exit(), Exit::Usage);
        }
    }

    #[test]
    fn the_way_back_is_quoted() {
        let undo = UndoCommand::of("assign").with("two words");
        assert_eq!(undo.line(&["t_1", "t_2"]), "kanbanctl assign t_1 t_2 'two words'");
    }
}
