//! `create`: new tasks, one from the command line or many from JSON lines, in one transaction.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use serde_json::Value;

use super::Context;
use super::draft::{self, DraftLine};
use super::projects::Projects;
use crate::board::location::Metadata;
use crate::board::{Board, dispatcher, location};
use crate::failure::count::counted;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::Access;
use crate::process::signals::Signals;
use crate::store::create::{Created, Creator};
use crate::store::draft::Draft;
use crate::store::task::{self, Task};
use crate::ui::{Document, Records, Report};

/// Lines between two looks at the signal flag.
const LINES_PER_LOOK: usize = 1_000;

/// Create tasks; prints their ids once they are committed.
///
/// With --from, each line is a JSON object with the keys title, body, assignee, parents, workspace, branch, tenant,
/// priority, triage, idempotency_key, max_runtime, created_by, skills, max_retries, goal, goal_max_turns,
/// initial_status, session_id, project, model, provider and completion_contract. A parent `#3` is the task of line 3. Options given beside it are defaults for every
/// line. All tasks come into being in one transaction, or none.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Title of the task.
    #[arg(required_unless_present = "from")]
    pub title: Option<String>,
    /// Read tasks from JSON lines in this file, `-` for stdin.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["title", "idempotency_key"])]
    pub from: Option<PathBuf>,
    /// The columns.
    #[command(flatten)]
    pub draft: draft::DraftOptions,
}

/// Runs the verb.
///
/// # Errors
/// Exit 2 for a bad draft, 13 for an unknown parent, and what the pool says; nothing is created then.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let base = args.draft.draft(context)?;
    let lines = match &args.from {
        Some(path) => draft::parse(&read(path, &context.signals)?, &base, context.env)?,
        None => {
            vec![DraftLine::single(
                Draft { title: args.title.clone().unwrap_or_default(), ..base }.normalise()?,
            )]
        }
    };
    let board = context.board()?;
    let metadata = metadata(&board);
    let projects = Projects::of(context, args.draft.project.as_deref(), &lines, &metadata)?;
    let mut pool = context.pool(Access::Write)?;
    let (now, signals) = (context.clock.epoch(), context.signals.clone());
    let wants_tasks = context.ui.format().is_json();
    let (created, tasks, awaited) = pool.write(|txn, schema| {
        let mut creator = Creator::new(txn, schema, lines.len(), now)?;
        let mut created: Vec<Created> = Vec::with_capacity(lines.len());
        for (index, line) in lines.into_iter().enumerate() {
            if index % LINES_PER_LOOK == 0
                && let Some(signal) = signals.received()
            {
                return Err(Failure::new(Exit::Interrupted(signal), "interrupted; no task was created."));
            }
            let number = line.number;
            let project = line.project.clone();
            let mut draft = line.with_parents(&created)?;
            draft.default_workdir.clone_from(&metadata.default_workdir);
            projects.assign(project.as_deref(), &mut draft);
            created.push(creator.create(&draft).map_err(|failure| draft::at_line(failure, number))?);
        }
        let tasks = read_back(txn, &created, wants_tasks)?;
        let awaited = creator.awaits_dispatch();
        Ok((created, tasks, awaited))
    })?;
    let closed = pool.close();
    let mut shown = Ok(());
    if context.globals.dry_run {
        if wants_tasks {
            let tasks = created.iter().zip(&tasks).map(rehearsed).collect::<Outcome<Vec<_>>>()?;
            context.ui.emit(&CreateDryRun { tasks, many: args.from.is_some() })?;
        }
        let fresh = created.iter().filter(|one| !one.existed).count();
        context.ui.status(format_args!(
            "Dry run: {} would be created; nothing was written.",
            tasks_in_words(fresh)
        ));
    } else if args.from.is_some() {
        shown = context.ui.emit_done(&Many { created: &created, tasks });
    } else {
        shown = context.ui.emit_done(&CreatedTask { created: &created, task: tasks.into_iter().next() });
    }
    if !context.globals.dry_run {
        tell(context, &created, &board);
        if awaited {
            say_who_waits(context, &board);
        }
    }
    closed?;
    let done = |failure: Failure| match created.as_slice() {
        [one] => failure.behind(format_args!("{} is on the board", one.id)),
        many => failure.behind(format_args!("{} are on the board", tasks_in_words(many.len()))),
    };
    shown.map(|()| Exit::Ok).map_err(done)
}

/// Finds every task again before it is acknowledged: a damaged tree may take a row to where no reader looks for it. Whole
/// tasks if they are `wanted`, none otherwise.
fn read_back(txn: &Connection, created: &[Created], wanted: bool) -> Outcome<Vec<Task>> {
    let (mut tasks, mut reader) = (Vec::new(), task::TaskReader::default());
    for one in created {
        if !task::is_found(txn, &one.id)? {
            return Err(Failure::damaged(
                "what was written cannot be read back: the tree of the tasks is damaged. Nothing was created.",
            )
            .examined());
        }
        if wanted {
            tasks.extend(reader.get(txn, &one.id)?);
        }
    }
    Ok(tasks)
}

fn tell(context: &mut Context<'_>, created: &[Created], board: &Board) {
    let fresh: Vec<&Created> = created.iter().filter(|one| !one.existed).collect();
    for one in created.iter().filter(|one| one.existed) {
        context
            .ui
            .status(format_args!("{} exists already under this idempotency key; nothing was added.", one.id));
    }
    if let [one] = fresh.as_slice() {
        let said = context.aimed(format_args!(
            "Created {} on {}. Undo with `kanbanctl archive {}`.",
            one.id,
            board.name(),
            one.id
        ));
        context.ui.status(said);
    } else if created.is_empty() {
        context.ui.status("No task was given; nothing was created.");
    } else if !fresh.is_empty() {
        context.ui.status(format_args!(
            "Created {} on {} in one transaction.",
            tasks_in_words(fresh.len()),
            board.name()
        ));
    }
}

/// A ready task with an assignee goes nowhere without a gateway. Only for boards under the root, which is what a gateway
/// dispatches.
fn say_who_waits(context: &mut Context<'_>, board: &Board) {
    let root = board.slug.as_ref().and_then(|_| location::root(context.env).ok());
    if root.is_some_and(|root| dispatcher::is_running(&root) == Some(false)) {
        context.ui.hint(
            "No gateway dispatches these boards; assigned tasks wait until one does. Start it with `hermes gateway start`.",
        );
    }
}

fn tasks_in_words(number: usize) -> String {
    counted(number as u64, "task", "tasks")
}

/// The most that is taken from a file or from stdin, and the longest line in it, in bytes.
const MOST_INPUT: usize = 256 << 20;
const LONGEST_LINE: usize = 32 << 20;

/// What has been read, within its bounds.
#[derive(Default)]
struct BoundedInput {
    bytes: Vec<u8>,
    /// How long the line is that has not ended yet, and its number from 0.
    line: usize,
    number: usize,
}

impl BoundedInput {
    /// Add a piece.
    ///
    /// # Errors
    /// Exit 2 where a line or the whole is longer than its bound.
    fn add(&mut self, piece: &[u8]) -> Outcome<()> {
        let mut parts = piece.split(|byte| *byte == b'\n');
        self.line += parts.next().map_or(0, <[u8]>::len);
        for part in parts {
            self.require_short_line()?;
            self.number += 1;
            self.line = part.len();
        }
        self.require_short_line()?;
        if self.bytes.len() + piece.len() > MOST_INPUT {
            return Err(Failure::usage(format!("the input is longer than {} MiB.", MOST_INPUT >> 20))
                .hint("Split it, and run the command once for each part."));
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    fn require_short_line(&self) -> Outcome<()> {
        if self.line <= LONGEST_LINE {
            return Ok(());
        }
        let (number, most) = (self.number + 1, LONGEST_LINE >> 20);
        Err(Failure::usage(format!("line {number} of the input is longer than {most} MiB."))
            .hint("A line is one task as a JSON object; put long texts into files and attach them."))
    }
}

/// The whole of a file or of stdin, read in pieces.
pub(super) fn read(path: &Path, signals: &Signals) -> Outcome<Vec<u8>> {
    let reading = |error: std::io::Error| {
        Failure::io(error, format!("reading {}", path.display())).with_exit(Exit::Failed)
    };
    if path == Path::new("-") {
        return read_stdin(signals);
    }
    let mut file = std::fs::File::open(path).map_err(reading)?;
    let (mut input, mut piece) = (BoundedInput::default(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut piece).map_err(reading)? {
            0 => return Ok(input.bytes),
            read => input.add(piece.get(..read).unwrap_or_default())?,
        }
    }
}

/// Reads to the end, waking up now and then to hear a signal: a plain read would go on by itself after one.
fn read_stdin(signals: &Signals) -> Outcome<Vec<u8>> {
    let reading = |error: std::io::Error| Failure::io(error, "reading stdin").with_exit(Exit::Failed);
    let mut stdin = std::io::stdin().lock();
    let (mut input, mut piece) = (BoundedInput::default(), vec![0; 64 * 1024]);
    let pause = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
    loop {
        let ready = poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&pause));
        if let Some(signal) = signals.received() {
            return Err(Failure::new(Exit::Interrupted(signal), "interrupted; nothing was written."));
        }
        if !matches!(ready, Ok(1..)) {
            continue;
        }
        match stdin.read(&mut piece) {
            Ok(0) => return Ok(input.bytes),
            Ok(read) => input.add(piece.get(..read).unwrap_or_default())?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(reading(error)),
        }
    }
}

/// Return what the board's `board.json` gives to its tasks; nothing for a board that is no slug's.
fn metadata(board: &Board) -> Metadata {
    let folder = board.slug.as_deref().zip(board.path.parent()).map(|(slug, parent)| {
        if slug == location::DEFAULT_SLUG {
            location::metadata_folder(parent, slug)
        } else {
            parent.to_path_buf()
        }
    });
    folder.map(|folder| location::metadata(&folder)).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(transparent)]
struct CreatedTask<'a> {
    task: Option<Task>,
    #[serde(skip)]
    created: &'a [Created],
}

#[derive(Serialize)]
#[serde(transparent)]
struct Many<'a> {
    tasks: Vec<Task>,
    #[serde(skip)]
    created: &'a [Created],
}

/// The task as it would be. It gets its id when it comes into being; one that is there already has it.
fn rehearsed((created, task): (&Created, &Task)) -> Outcome<Value> {
    let unable = |error| Failure::failed(format!("the task cannot be shown: {error}."));
    let mut shown = serde_json::to_value(task).map_err(unable)?;
    if let Some(keys) = shown.as_object_mut() {
        keys.insert("dry_run".to_owned(), true.into());
        if !created.existed {
            keys.insert("id".to_owned(), Value::Null);
        }
    }
    Ok(shown)
}

/// Tasks that were not created; only for JSON, as there is no id to print.
struct CreateDryRun {
    tasks: Vec<Value>,
    many: bool,
}

impl Serialize for CreateDryRun {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.many { self.tasks.serialize(to) } else { self.tasks.first().serialize(to) }
    }
}

impl Report for CreateDryRun {
    fn kind(&self) -> &'static str {
        if self.many { "task.list" } else { "task" }
    }

    fn record_kind(&self) -> &'static str {
        "task"
    }

    fn human(&self, _: &mut Document<'_>) {}

    fn plain(&self, _: &mut Records<'_>) {}
}

fn ids_human(created: &[Created], page: &mut Document<'_>) {
    for one in created {
        page.line(&one.id);
    }
}

fn ids_plain(created: &[Created], records: &mut Records<'_>) {
    for one in created {
        records.record(&[&one.id]);
    }
}

impl Report for CreatedTask<'_> {
    fn kind(&self) -> &'static str {
        "task"
    }

    fn human(&self, page: &mut Document<'_>) {
        ids_human(self.created, page);
    }

    fn plain(&self, records: &mut Records<'_>) {
        ids_plain(self.created, records);
    }
}

impl Report for Many<'_> {
    fn kind(&self) -> &'static str {
        "task.list"
    }

    fn record_kind(&self) -> &'static str {
        "task"
    }

    fn human(&self, page: &mut Document<'_>) {
        ids_human(self.created, page);
    }

    fn plain(&self, records: &mut Records<'_>) {
        ids_plain(self.created, records);
    }
}
