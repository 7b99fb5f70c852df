//! What a new task is to be, before there is a board: texts in the form that Hermes stores, and what Hermes refuses.

use super::text;
use crate::failure::{Failure, Outcome};
use crate::hermes::SchemaVersion;

/// The longest description of a new task, in bytes: every worker gets it whole.
const LONGEST_BODY: usize = 16 << 20;

/// Names of Hermes' toolsets: people confuse them with skills, and Hermes refuses them as such.
const TOOLSETS: &[&str] = &[
    "browser",
    "clarify",
    "code_execution",
    "coding",
    "computer_use",
    "context_engine",
    "cronjob",
    "debugging",
    "delegation",
    "discord",
    "discord_admin",
    "feishu_doc",
    "feishu_drive",
    "file",
    "hermes-acp",
    "hermes-api-server",
    "hermes-bluebubbles",
    "hermes-cli",
    "hermes-cron",
    "hermes-dingtalk",
    "hermes-discord",
    "hermes-email",
    "hermes-feishu",
    "hermes-gateway",
    "hermes-homeassistant",
    "hermes-matrix",
    "hermes-mattermost",
    "hermes-qqbot",
    "hermes-signal",
    "hermes-slack",
    "hermes-sms",
    "hermes-telegram",
    "hermes-webhook",
    "hermes-wecom",
    "hermes-wecom-callback",
    "hermes-weixin",
    "hermes-whatsapp",
    "hermes-yuanbao",
    "homeassistant",
    "image_gen",
    "kanban",
    "memory",
    "project",
    "safe",
    "search",
    "session_search",
    "skills",
    "spotify",
    "terminal",
    "todo",
    "tts",
    "video",
    "video_gen",
    "vision",
    "web",
    "x_search",
    "yuanbao",
];

/// Toolsets that came with a version, and those that are gone since one.
const TOOLSETS_SINCE: &[(&str, SchemaVersion)] = &[
    ("desktop_ui", SchemaVersion::V0_20),
    ("bfl", SchemaVersion::V0_20),
    ("bot_room", SchemaVersion::V0_22),
    ("catalog", SchemaVersion::V0_22),
    ("connections", SchemaVersion::V0_22),
    ("mqtt", SchemaVersion::V0_22),
    ("onboarding", SchemaVersion::V0_22),
];
const TOOLSETS_UNTIL: &[(&str, SchemaVersion)] = &[
    ("bfl", SchemaVersion::V0_22),
    ("hermes-homeassistant", SchemaVersion::V0_22),
    ("homeassistant", SchemaVersion::V0_22),
    ("spotify", SchemaVersion::V0_22),
];

/// True if the name is one of that version's toolsets, in any case.
fn is_toolset(name: &str, release: SchemaVersion) -> bool {
    let name = text::folded(name);
    let is = |(known, _): &&(&str, SchemaVersion)| *known == name;
    let came = TOOLSETS_SINCE.iter().find(is).map(|(_, since)| *since <= release);
    let gone = TOOLSETS_UNTIL.iter().find(is).is_some_and(|(_, until)| *until <= release);
    came.unwrap_or_else(|| TOOLSETS.contains(&name.as_str())) && !gone
}

/// Where a task's worker works.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Workspace {
    /// A directory that Hermes makes and deletes.
    #[default]
    Scratch,
    /// A git worktree, at the path or where Hermes decides.
    Worktree(Option<String>),
    /// A directory of the user's.
    Dir(String),
}

/// A project of the profile, to whose repository a task belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// Its slug, with which its branches begin.
    pub slug: String,
    /// Its repository.
    pub primary_path: Option<String>,
}

/// A status that the caller may ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// `ready`, or `todo` while a parent is not done.
    #[default]
    Normal,
    /// `triage`.
    Triage,
    /// `blocked`.
    Blocked,
}

/// What a new task is to be. Text is as typed; [`Draft::normalise`] makes it what Hermes stores.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Title; not blank.
    pub title: String,
    /// Body as given.
    pub body: Option<String>,
    /// Profile that is to do it.
    pub assignee: Option<String>,
    /// Who made it.
    pub created_by: Option<String>,
    /// Where it is worked on.
    pub workspace: Workspace,
    /// The board's own directory for worktrees and directories without a path.
    pub default_workdir: Option<String>,
    /// Branch; only with a worktree.
    pub branch: Option<String>,
    /// Tenant.
    pub tenant: Option<String>,
    /// Higher goes first.
    pub priority: i64,
    /// Ids (or unique prefixes) of tasks that come first.
    pub parents: Vec<String>,
    /// The wanted status.
    pub start: Start,
    /// A second create with the same key gives back the first task.
    pub idempotency_key: Option<String>,
    /// Seconds a worker may take.
    pub max_runtime_seconds: Option<i64>,
    /// Names of skills.
    pub skills: Option<Vec<String>>,
    /// Failures before the task is blocked; at least 1.
    pub max_retries: Option<i64>,
    /// Whether the worker runs in a goal loop.
    pub goal: bool,
    /// Turns of that loop.
    pub goal_max_turns: Option<i64>,
    /// The session that made it.
    pub session_id: Option<String>,
    /// The project that it belongs to.
    pub project: Option<Project>,
    /// The board's own project, for a task that names none.
    pub board_project: Option<Project>,
    /// True if a scratch workspace was asked for, and not only taken for want of another.
    pub scratch_asked: bool,
    /// The model that its worker uses.
    pub model: Option<String>,
    /// The provider of that model.
    pub provider: Option<String>,
    /// What must be so before it is done; `local-only` where not given.
    pub completion_contract: Option<String>,
    /// The task whose worker creates it.
    pub creator: Option<String>,
}

impl Draft {
    /// Checks what needs no board and brings every text into the form that Hermes stores.
    ///
    /// # Errors
    /// Exit 2 with Hermes' reason.
    pub fn normalise(mut self) -> Outcome<Self> {
        if self.body.as_ref().is_some_and(|body| body.len() > LONGEST_BODY) {
            let most = LONGEST_BODY >> 20;
            return Err(Failure::usage(format!("the description is longer than {most} MiB."))
                .hint("Put it into a file, and name that in the description."));
        }
        self.title = text::strip(&self.title).to_owned();
        if self.title.is_empty() {
            return Err(Failure::usage("a title is required."));
        }
        if let Some(name) = &self.assignee {
            let canonical = text::canonical_assignee(name);
            self.assignee = Some(canonical.ok_or_else(|| Failure::usage("the assignee cannot be empty."))?);
        }
        if self.branch.is_some() && !matches!(self.workspace, Workspace::Worktree(_)) {
            return Err(Failure::usage("a branch is only valid with the workspace `worktree`."));
        }
        if self.max_retries.is_some_and(|retries| retries < 1) {
            return Err(Failure::usage("max_retries must be at least 1, which blocks on the first failure."));
        }
        for value in [&mut self.model, &mut self.provider] {
            *value = value.take().map(|text| text::strip(&text).to_owned()).filter(|text| !text.is_empty());
        }
        if self.provider.is_some() && self.model.is_none() {
            return Err(Failure::usage("a provider needs a model: give --model too."));
        }
        if let Some(contract) = &self.completion_contract {
            super::acceptance::validate(contract)?;
        }
        self.parents.retain(|parent| !parent.is_empty());
        self.skills = self.skills.map(skills).transpose()?;
        Ok(self)
    }

    /// Refuse the name of a toolset among the skills, as that version of Hermes does.
    ///
    /// # Errors
    /// Exit 2.
    pub(super) fn require_skills(&self, release: SchemaVersion) -> Outcome<()> {
        let mut names = self.skills.iter().flatten();
        match names.find(|name| is_toolset(name, release)) {
            Some(name) => Err(Failure::usage(format!(
                "{name:?} is the name of a toolset, not of a skill; toolsets belong into the profile's configuration."
            ))),
            None => Ok(()),
        }
    }

    /// Take the workspace and the branch from the project: a worktree below its repository, named after the task.
    pub(super) fn in_project(mut self, id: &str) -> Self {
        let Some(project) = &self.project else { return self };
        if let Some(repository) = project.primary_path.as_deref().filter(|path| !path.is_empty()) {
            let place = || Some(format!("{}/.worktrees/{id}", repository.trim_end_matches('/')));
            match &mut self.workspace {
                Workspace::Scratch => self.workspace = Workspace::Worktree(place()),
                Workspace::Worktree(path @ None) => *path = place(),
                _ => {}
            }
        }
        if self.branch.is_none() && matches!(self.workspace, Workspace::Worktree(_)) {
            let title = branch_part(&self.title);
            let dash = if title.is_empty() { "" } else { "-" };
            self.branch = Some(format!("{}/{id}{dash}{title}", project.slug));
        }
        self
    }

    pub(super) fn workspace_columns(&self) -> (&'static str, Option<String>) {
        match &self.workspace {
            Workspace::Scratch => ("scratch", None),
            Workspace::Worktree(path) => ("worktree", path.clone().or_else(|| self.default_workdir.clone())),
            Workspace::Dir(path) => ("dir", Some(path.clone())),
        }
    }
}

/// Return a title as a part of a branch's name: lower case, everything else one dash, at most 40 characters.
fn branch_part(title: &str) -> String {
    let mut part = String::new();
    for c in text::strip(title).to_lowercase().chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c) {
            part.push(c);
        } else if !part.ends_with('\u{0}') {
            part.push('\u{0}');
        }
    }
    let part = part.replace('\u{0}', "-");
    let part: String = part.trim_matches('-').chars().take(40).collect();
    part.trim_matches('-').to_owned()
}

/// Strip, each once, none empty, no comma.
pub fn skills(given: Vec<String>) -> Outcome<Vec<String>> {
    let mut kept: Vec<String> = Vec::new();
    for skill in given {
        let name = text::strip(&skill);
        if name.contains(',') {
            return Err(Failure::usage(format!(
                "the skill name {name:?} contains a comma; give each skill a --skill of its own."
            )));
        }
        if !name.is_empty() && !kept.iter().any(|known| known == name) {
            kept.push(name.to_owned());
        }
    }
    Ok(kept)
}
