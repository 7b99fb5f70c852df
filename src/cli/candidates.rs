//! Values that a shell completes: boards, task ids with titles, assignees, copies, findings, topics of help.
//!
//! Only reads, waits for no lock, and answers with nothing on any error: a shell's prompt is no place for a message.
//!
//! Not here: verbs, options and words of a fixed list, which the completion engine knows from the command line.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Command;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter};
use rusqlite::Connection;

use crate::board::location::{self, BoardRequest};
use crate::board::{Board, copies};
use crate::commands::help;
use crate::failure::Outcome;
use crate::health;
use crate::pool::{Access, Budget, Pool};
use crate::process::env::Env;
use crate::process::signals::Signals;
use crate::store::candidates;
use crate::ui::text::{self, TextGuard};

/// The most candidates of one kind: more than a screen helps nobody choose.
const MOST: usize = 200;

/// How long a lock is waited for.
const PATIENCE: Duration = Duration::from_millis(100);

/// Columns of the text beside a candidate.
const HELP_COLUMNS: usize = 60;

/// What the shell's line says about the board.
#[derive(Debug)]
struct Typed {
    env: Env,
    request: BoardRequest,
}

/// Return the command line with completers at every value that can be looked up.
pub(super) fn attach(
    command: Command,
    words: impl IntoIterator<Item = OsString>,
    vars: impl IntoIterator<Item = (OsString, OsString)>,
) -> Command {
    let typed = Arc::new(Typed { env: Env::from_vars(vars), request: request(words) });
    to_arguments(command, &typed)
}

/// `--board` and `--db` as far as they are typed.
fn request(words: impl IntoIterator<Item = OsString>) -> BoardRequest {
    let words: Vec<OsString> = words.into_iter().collect();
    let value = |option: &str| {
        words.iter().enumerate().find_map(|(at, word)| {
            if word == option {
                return words.get(at + 1).cloned();
            }
            let rest = word.to_str()?.strip_prefix(option)?.strip_prefix('=')?;
            Some(OsString::from(rest))
        })
    };
    BoardRequest {
        board: value("--board").and_then(|slug| slug.into_string().ok()),
        db: value("--db").map(PathBuf::from),
    }
}

fn to_arguments(command: Command, typed: &Arc<Typed>) -> Command {
    let verb = command.get_name().to_owned();
    let command = command.mut_args(|argument| {
        let Some(look_up) = source_of(&verb, &argument) else { return argument };
        let typed = Arc::clone(typed);
        let complete = move |current: &OsStr| look_up(&typed, &current.to_string_lossy());
        argument.add(ArgValueCompleter::new(complete))
    });
    let below: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    below
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, |verb| to_arguments(verb, typed)))
}

/// Looks up the candidates that begin with what is typed.
type LookUp = fn(&Typed, &str) -> Vec<CompletionCandidate>;

/// Which values an argument takes, by its name: a verb that is added later is completed as well.
fn source_of(verb: &str, argument: &clap::Arg) -> Option<LookUp> {
    let value = argument.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    match (argument.get_id().as_str(), value) {
        ("explain", _) => Some(findings),
        ("words", _) if verb == "help" => Some(topics),
        ("board", _) | (_, "SLUG" | "BOARD") => Some(boards),
        ("assignee" | "profile" | "assignees" | "author", _) | (_, "PROFILE" | "ASSIGNEE") => Some(assignees),
        ("session", _) => None,
        (_, "BACKUP" | "COPY" | "SOURCE") => Some(stored_copies),
        (_, "ID... PROFILE") => Some(tasks_and_assignees),
        (_, "ID") if verb == "complete" => Some(unfinished_tasks),
        (_, "ID" | "IDS" | "ID [REASON]" | "ID [MODEL]" | "TASK" | "PARENT" | "CHILD") => Some(tasks),
        _ => None,
    }
}

fn boards(typed: &Typed, current: &str) -> Vec<CompletionCandidate> {
    let found = location::discover(&typed.env).unwrap_or_default();
    matching(
        found.into_iter().filter_map(|board| {
            let name = location::metadata(board.path.parent()?).name.unwrap_or_default();
            Some((board.slug?, name))
        }),
        current,
    )
}

fn tasks(typed: &Typed, current: &str) -> Vec<CompletionCandidate> {
    of_tasks(typed, current, false)
}

/// Ids, and behind them the profile.
fn tasks_and_assignees(typed: &Typed, current: &str) -> Vec<CompletionCandidate> {
    let mut found = tasks(typed, current);
    found.extend(assignees(typed, current));
    found
}

fn unfinished_tasks(typed: &Typed, current: &str) -> Vec<CompletionCandidate> {
    of_tasks(typed, current, true)
}

fn of_tasks(typed: &Typed, current: &str, unfinished: bool) -> Vec<CompletionCandidate> {
    // An id is found with or without its `t_`; the shell replaces what was typed.
    let prefix = if "t_".starts_with(current) || current.starts_with("t_") {
        current.to_owned()
    } else {
        format!("t_{current}")
    };
    let found = read(typed, |connection| candidates::tasks(connection, &prefix, unfinished, MOST));
    found.into_iter().map(|task| candidate(task.id, &format!("{}: {}", task.status, task.title))).collect()
}

fn assignees(typed: &Typed, current: &str) -> Vec<CompletionCandidate> {
    let found = read(typed, |connection| candidates::assignees(connection, MOST));
    matching(found.into_iter().map(|name| (name, String::new())), current)
}

/// Copies beside the board by the digits of their content, which stand in their names.
fn stored_copies(typed: &Typed, current: &str) -> Vec<CompletionCandidate> {
    let Ok(seen) = board(typed).and_then(|board| board.inspect()) else { return Vec::new() };
    let board = seen.resolved;
    let folder = board.parent().map(PathBuf::from).unwrap_or_default();
    let prefix = copies::own_prefix(&board);
    let name = board.file_name().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for directory in [folder, copies::own_directory(&board)] {
        let Ok(entries) = std::fs::read_dir(directory) else { continue };
        for file in entries.flatten().map(|entry| entry.file_name()) {
            if copies::is_backup_name(&name, &file) || copies::is_own_name(&prefix, &file) {
                let file = file.to_string_lossy().into_owned();
                let digits = file
                    .split('.')
                    .find(|part| part.len() == 16 && part.bytes().all(|b| b.is_ascii_hexdigit()));
                found.extend(digits.map(|digits| (digits.to_owned(), file.clone())));
            }
        }
    }
    found.sort();
    found.dedup_by(|left, right| left.0 == right.0);
    let mut candidates = matching(found.into_iter(), current);
    candidates.extend(PathCompleter::file().complete(OsStr::new(current)));
    candidates
}

fn findings(_: &Typed, current: &str) -> Vec<CompletionCandidate> {
    let found = health::ids().filter_map(health::explain);
    let first = |text: &str| text.split(". ").next().unwrap_or_default().to_owned();
    matching(found.map(|known| (known.id.to_owned(), first(known.meaning))), current)
}

fn topics(_: &Typed, current: &str) -> Vec<CompletionCandidate> {
    let verbs = super::command();
    let verbs = verbs.get_subcommands().map(|verb| {
        (verb.get_name().to_owned(), verb.get_about().map(ToString::to_string).unwrap_or_default())
    });
    let topics = help::topics().map(|topic| (topic.to_owned(), "a topic".to_owned()));
    matching(topics.chain(verbs), current)
}

fn board(typed: &Typed) -> Outcome<Board> {
    location::locate(&typed.request, &typed.env)
}

/// Ask the board through the one connection; nothing on any error.
fn read<T>(typed: &Typed, ask: impl Fn(&Connection) -> Outcome<Vec<T>>) -> Vec<T> {
    let asked = || {
        let inspection = board(typed)?.inspect()?;
        let mut pool = Pool::new(inspection, Access::Read, Budget::new(PATIENCE), Signals::default())?;
        let found = pool.read(ask);
        let closed = pool.close();
        found.and_then(|found| closed.map(|()| found))
    };
    asked().unwrap_or_default()
}

/// The candidates that begin with what is typed.
fn matching(found: impl Iterator<Item = (String, String)>, current: &str) -> Vec<CompletionCandidate> {
    found
        .filter(|(value, _)| value.starts_with(current))
        .take(MOST)
        .map(|(value, help)| candidate(value, &help))
        .collect()
}

/// One candidate; text from a board is made safe for a terminal.
fn candidate(value: String, help: &str) -> CompletionCandidate {
    let help = text::guard(help, TextGuard::Terminal).into_owned();
    let help = text::truncate(&help, HELP_COLUMNS, false).into_owned();
    CompletionCandidate::new(value).help((!help.is_empty()).then(|| help.into()))
}
