//! What `create` accepts for one task, as options and as a JSON line; both become a [`Draft`].

use std::path::PathBuf;

use serde::Deserialize;

use super::{Context, create};
use crate::board::home::expanded;
use crate::failure::{Failure, Outcome};
use crate::process::env::Env;
use crate::process::signals::Signals;
use crate::store::create::Created;
use crate::store::draft::{Draft, Start, Workspace};

/// The columns of a new task, under Hermes' option names (docs/board-format.md, 6).
#[derive(Clone, Debug, clap::Args)]
pub struct DraftOptions {
    /// Longer description.
    #[arg(long)]
    pub body: Option<String>,
    /// Read the description from this file, `-` for stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "body")]
    pub body_file: Option<PathBuf>,
    /// Profile that is to do it.
    #[arg(long)]
    pub assignee: Option<String>,
    /// Task that must be done first; can be repeated.
    #[arg(long, value_name = "ID")]
    pub parent: Vec<String>,
    /// scratch, worktree, worktree:PATH or dir:PATH [default: scratch].
    #[arg(long)]
    pub workspace: Option<String>,
    /// Branch of a worktree.
    #[arg(long)]
    pub branch: Option<String>,
    /// Project of the profile, by id or slug: the task gets a worktree in its repository.
    #[arg(long, value_name = "PROJECT")]
    pub project: Option<String>,
    /// Tenant.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Higher goes first.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub priority: i64,
    /// Park it in triage.
    #[arg(long)]
    pub triage: bool,
    /// A second create with the same key gives back the first task.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// Time a worker may take: seconds, or 30s, 5m, 2h, 1d.
    #[arg(long, value_name = "DUR", value_parser = optional_runtime, allow_negative_numbers = true)]
    pub max_runtime: Option<MaxRuntime>,
    /// Who made it.
    #[arg(long, value_name = "NAME", default_value = "user")]
    pub created_by: String,
    /// Skill for the worker; can be repeated.
    #[arg(long, value_name = "NAME")]
    pub skill: Vec<String>,
    /// Model that its worker uses.
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    /// Provider of the model.
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// What must be so before it is done: local-only, OWNER/REPO, or a pull request's address.
    #[arg(long, value_name = "CONTRACT")]
    pub completion_contract: Option<String>,
    /// Failures before it is blocked.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..), allow_negative_numbers = true)]
    pub max_retries: Option<i64>,
    /// Let the worker run in a goal loop.
    #[arg(long)]
    pub goal: bool,
    /// Turns of that loop.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub goal_max_turns: Option<i64>,
    /// Status to begin with; running means the usual one.
    #[arg(long, value_name = "STATUS", default_value = "running", value_parser = ["blocked", "running"])]
    pub initial_status: String,
}

impl DraftOptions {
    /// The draft without a title.
    ///
    /// # Errors
    /// Exit 2.
    pub(super) fn draft(&self, context: &Context<'_>) -> Outcome<Draft> {
        let env = context.env;
        let created_by = Some(&self.created_by).filter(|name| !name.is_empty());
        Ok(Draft {
            title: String::new(),
            body: self.body(&context.signals)?.or_else(|| self.body.clone()),
            assignee: self.assignee.clone(),
            created_by: Some(created_by.cloned().unwrap_or_else(|| context.own_profile())),
            workspace: workspace(self.workspace.as_deref().unwrap_or_default(), env)?,
            scratch_asked: self.workspace.as_deref().is_some_and(|text| text.trim() == "scratch"),
            default_workdir: None,
            branch: self.branch.as_deref().map(branch).transpose()?,
            tenant: self.tenant.clone(),
            priority: self.priority,
            parents: self.parent.clone(),
            start: start(self.triage, &self.initial_status)?,
            idempotency_key: self.idempotency_key.clone(),
            max_runtime_seconds: self.max_runtime.and_then(|limit| limit.0),
            skills: (!self.skill.is_empty()).then(|| self.skill.clone()),
            max_retries: self.max_retries,
            goal: self.goal,
            goal_max_turns: self.goal_max_turns,
            session_id: None,
            model: self.model.clone(),
            provider: self.provider.clone(),
            completion_contract: self.completion_contract.clone(),
            project: None,
            board_project: None,
            creator: creator(env),
        })
    }

    /// Read the description out of its file. A byte-order mark is no part of it.
    fn body(&self, signals: &Signals) -> Outcome<Option<String>> {
        let Some(path) = &self.body_file else { return Ok(None) };
        let bytes = create::read(path, signals)?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Failure::usage(format!("{} is not UTF-8, so it cannot be a description.", path.display()))
                .hint("Convert it first, for example with `iconv -t UTF-8`.")
        })?;
        Ok(Some(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned)))
    }
}

/// Seconds that a worker may take; nothing where the option is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxRuntime(Option<i64>);

impl MaxRuntime {
    /// In seconds.
    pub(super) fn seconds(self) -> Option<i64> {
        self.0
    }
}

pub(super) fn optional_runtime(text: &str) -> Result<MaxRuntime, String> {
    if text.is_empty() {
        Ok(MaxRuntime(None))
    } else {
        runtime(text).map(|seconds| MaxRuntime(Some(seconds)))
    }
}

/// Return the task whose worker this process is. A child that a worker delegated to is none.
fn creator(env: &Env) -> Option<String> {
    let set = |name: &str| env.get(name).and_then(|value| value.to_str()).filter(|value| !value.is_empty());
    if set("HERMES_DELEGATED_CHILD_CONTEXT").is_some() {
        return None;
    }
    set("HERMES_KANBAN_TASK").map(str::to_owned)
}

/// One task of a file: its line's number, from 1, and its draft.
#[derive(Debug)]
pub struct DraftLine {
    /// Number of the line; 0 for a task from the command line.
    pub number: usize,
    draft: Draft,
    /// The project that its line names.
    pub project: Option<String>,
    /// For each earlier task its line number, to find `#N`.
    place: Option<std::rc::Rc<Vec<usize>>>,
}

impl DraftLine {
    /// The one task of the command line.
    pub(super) fn single(draft: Draft) -> Self {
        Self { number: 0, draft, project: None, place: None }
    }

    /// The draft with every parent `#N` replaced by the id of line N's task.
    ///
    /// # Errors
    /// Exit 2 when N is not an earlier line with a task.
    pub(super) fn with_parents(mut self, created: &[Created]) -> Outcome<Draft> {
        let Some(places) = self.place else { return Ok(self.draft) };
        for parent in &mut self.draft.parents {
            let Some(number) = parent.strip_prefix('#').and_then(|number| number.parse::<usize>().ok())
            else {
                continue;
            };
            let task = places.binary_search(&number).ok().and_then(|index| created.get(index));
            let Some(task) = task else {
                return Err(at_line(
                    Failure::usage(format!("the parent {parent} is not an earlier line with a task.")),
                    self.number,
                ));
            };
            parent.clone_from(&task.id);
        }
        Ok(self.draft)
    }
}

/// The keys of a JSON line. `null` and an absent key are the same.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftKeys {
    title: String,
    body: Option<String>,
    assignee: Option<String>,
    #[serde(alias = "parent")]
    parents: Option<OneOrMany>,
    workspace: Option<String>,
    #[serde(alias = "branch_name")]
    branch: Option<String>,
    tenant: Option<String>,
    priority: Option<i64>,
    triage: Option<bool>,
    idempotency_key: Option<String>,
    #[serde(alias = "max_runtime_seconds")]
    max_runtime: Option<NumberOrText>,
    created_by: Option<String>,
    #[serde(alias = "skill")]
    skills: Option<OneOrMany>,
    max_retries: Option<i64>,
    #[serde(alias = "goal_mode")]
    goal: Option<bool>,
    goal_max_turns: Option<i64>,
    initial_status: Option<String>,
    session_id: Option<String>,
    project: Option<String>,
    #[serde(alias = "model_override")]
    model: Option<String>,
    #[serde(alias = "provider_override")]
    provider: Option<String>,
    completion_contract: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(i64),
    Text(String),
}

impl DraftKeys {
    fn over(self, base: &Draft, env: &Env) -> Outcome<Draft> {
        let start = match (self.triage, self.initial_status) {
            (None, None) => base.start,
            (triage, status) => start(triage.unwrap_or(false), status.as_deref().unwrap_or("running"))?,
        };
        let max_runtime_seconds = match self.max_runtime {
            None => base.max_runtime_seconds,
            Some(NumberOrText::Number(seconds)) => Some(seconds),
            Some(NumberOrText::Text(text)) => Some(runtime(&text).map_err(Failure::usage)?),
        };
        let scratch_asked =
            self.workspace.as_ref().map_or(base.scratch_asked, |text| text.trim() == "scratch");
        Draft {
            title: self.title,
            body: self.body.or_else(|| base.body.clone()),
            assignee: self.assignee.or_else(|| base.assignee.clone()),
            created_by: self.created_by.or_else(|| base.created_by.clone()),
            workspace: self
                .workspace
                .map_or_else(|| Ok(base.workspace.clone()), |text| workspace(&text, env))?,
            default_workdir: None,
            branch: self.branch.as_deref().map(branch).transpose()?.or_else(|| base.branch.clone()),
            tenant: self.tenant.or_else(|| base.tenant.clone()),
            priority: self.priority.unwrap_or(base.priority),
            parents: self.parents.map_or_else(|| base.parents.clone(), OneOrMany::into_vec),
            start,
            idempotency_key: self.idempotency_key,
            max_runtime_seconds,
            skills: self.skills.map(OneOrMany::into_vec).or_else(|| base.skills.clone()),
            max_retries: self.max_retries.or(base.max_retries),
            goal: self.goal.unwrap_or(base.goal),
            goal_max_turns: self.goal_max_turns.or(base.goal_max_turns),
            session_id: self.session_id,
            scratch_asked,
            model: self.model.or_else(|| base.model.clone()),
            provider: self.provider.or_else(|| base.provider.clone()),
            completion_contract: self.completion_contract.or_else(|| base.completion_contract.clone()),
            project: None,
            board_project: None,
            creator: base.creator.clone(),
        }
        .normalise()
    }
}

/// Every line of a file as a draft; blank lines are skipped.
///
/// # Errors
/// Exit 2, with the line's number.
pub fn parse(bytes: &[u8], base: &Draft, env: &Env) -> Outcome<Vec<DraftLine>> {
    let mut places = Vec::new();
    let (mut drafts, mut projects) = (Vec::new(), Vec::new());
    for (number, line) in numbered(bytes) {
        let keys: DraftKeys = serde_json::from_slice(line)
            .map_err(|error| at_line(Failure::usage(not_a_task(&error)), number))?;
        projects.push(keys.project.clone());
        drafts.push(keys.over(base, env).map_err(|failure| at_line(failure, number))?);
        places.push(number);
    }
    let place = std::rc::Rc::new(places);
    let lines = drafts.into_iter().enumerate().map(|(index, draft)| DraftLine {
        number: place.get(index).copied().unwrap_or(0),
        draft,
        project: projects.get(index).cloned().flatten(),
        place: Some(std::rc::Rc::clone(&place)),
    });
    Ok(lines.collect())
}

/// What is wrong with a line. The parser counts lines within it, which would contradict the number of the line itself.
fn not_a_task(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let said =
        said.split(" at line ").next().unwrap_or_default().replace("expected ident", "expected a value");
    if error.is_data() {
        return format!("not a task: {said}.");
    }
    format!("not valid JSON: {said} at column {}.", error.column())
}

/// The lines that are not blank, with their numbers from 1. A byte-order mark before the first one is no part of it.
pub(super) fn numbered(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).enumerate();
    lines.map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.is_empty())
}

/// Says in which line the failure lies; 0 is no line.
pub(super) fn at_line(failure: Failure, number: usize) -> Failure {
    if number == 0 { failure } else { failure.context(format!("line {number}")) }
}

fn start(triage: bool, status: &str) -> Outcome<Start> {
    match status {
        "blocked" => Ok(Start::Blocked),
        "running" if triage => Ok(Start::Triage),
        "running" => Ok(Start::Normal),
        _ => Err(Failure::usage(format!("initial_status is blocked or running, not {status:?}."))),
    }
}

fn workspace(text: &str, env: &Env) -> Outcome<Workspace> {
    let text = text.trim();
    let (kind, path) = text.split_once(':').map_or((text, None), |(kind, path)| (kind, Some(path.trim())));
    match (kind, path) {
        ("" | "scratch", None) => Ok(Workspace::Scratch),
        ("worktree", None) => Ok(Workspace::Worktree(None)),
        ("worktree", Some(path)) if !path.is_empty() => Ok(Workspace::Worktree(Some(expanded(path, env)))),
        ("dir", Some(path)) if !path.is_empty() => Ok(Workspace::Dir(expanded(path, env))),
        _ => Err(Failure::usage(format!(
            "the workspace {text:?} is none of scratch, worktree, worktree:PATH and dir:PATH."
        ))),
    }
}

pub(super) fn branch(given: &str) -> Outcome<String> {
    let name = given.trim();
    if name.is_empty() || name.starts_with('-') || name.contains(char::is_whitespace) {
        return Err(Failure::usage(format!(
            "the branch {given:?} is empty, begins with a dash or contains white space."
        )));
    }
    Ok(name.to_owned())
}

/// Seconds, or a number with s, m, h or d, as Hermes' `--max-runtime` reads it.
fn runtime(text: &str) -> Result<i64, String> {
    let text = text.trim().to_lowercase();
    let malformed =
        || format!("malformed duration {text:?}; expected 30s, 5m, 2h, 1d or a number of seconds");
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(seconds);
    }
    let unit = match text.chars().last() {
        Some('s') => 1.0,
        Some('m') => 60.0,
        Some('h') => 3_600.0,
        Some('d') => 86_400.0,
        _ => return Err(malformed()),
    };
    let number = text.get(..text.len() - 1).and_then(|number| number.trim().parse::<f64>().ok());
    let seconds = number.filter(|number| number.is_finite()).ok_or_else(malformed)? * unit;
    if seconds.abs() > 1e15 {
        return Err(malformed());
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded above; Hermes truncates as well")]
    Ok(seconds as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_read_as_hermes_reads_them() {
        for (text, seconds) in [("90", 90), ("30s", 30), ("1.5h", 5_400), ("1D", 86_400)] {
            assert_eq!(runtime(text), Ok(seconds));
        }
        for bad in ["", "x", "5w", "nans", "1e300d"] {
            assert!(runtime(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_line_overrides_the_options() {
        let env = Env::default();
        let base = Draft { assignee: Some("a".to_owned()), priority: 3, ..Draft::default() };
        let lines = parse(
            b"{\"title\": \"x\"}\n\n{\"title\":\"y\",\"assignee\":\"B\",\"max_runtime\":\"2m\"}",
            &base,
            &env,
        );
        let lines = lines.unwrap();
        assert_eq!((lines[0].number, lines[1].number), (1, 3));
        assert_eq!(lines[0].draft.assignee.as_deref(), Some("a"));
        assert_eq!(lines[1].draft.assignee.as_deref(), Some("b"));
        assert_eq!((lines[1].draft.priority, lines[1].draft.max_runtime_seconds), (3, Some(120)));
        let failure = parse(b"{\"title\":\"x\"}\n{\"title\":\"y\",\"colour\":1}", &base, &env).unwrap_err();
        assert!(
            failure.to_string().contains("line 2") && failure.to_string().contains("colour"),
            "{failure}"
        );
    }
}
