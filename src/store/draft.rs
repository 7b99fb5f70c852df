//! What a new task is to be, before there is a board: texts in the form that Hermes stores, and what Hermes refuses.

use super::text;
use crate::failure::{Failure, Outcome};

/// Names of Hermes 0.19.0's toolsets: people confuse them with skills, and Hermes refuses them as such.
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
}

impl Draft {
    /// Checks what needs no board and brings every text into the form that Hermes stores.
    ///
    /// # Errors
    /// Exit 2 with Hermes' reason.
    pub fn normalise(mut self) -> Outcome<Self> {
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
        self.parents.retain(|parent| !parent.is_empty());
        self.skills = self.skills.map(skills).transpose()?;
        Ok(self)
    }

    pub(super) fn workspace_columns(&self) -> (&'static str, Option<String>) {
        match &self.workspace {
            Workspace::Scratch => ("scratch", None),
            Workspace::Worktree(path) => ("worktree", path.clone().or_else(|| self.default_workdir.clone())),
            Workspace::Dir(path) => ("dir", Some(path.clone())),
        }
    }
}

/// Stripped, each once, none empty, no comma, no toolset.
fn skills(given: Vec<String>) -> Outcome<Vec<String>> {
    let mut kept: Vec<String> = Vec::new();
    for skill in given {
        let name = text::strip(&skill);
        if name.contains(',') {
            return Err(Failure::usage(format!(
                "the skill name {name:?} contains a comma; give each skill a --skill of its own."
            )));
        }
        if TOOLSETS.contains(&name.to_lowercase().as_str()) {
            return Err(Failure::usage(format!(
                "{name:?} is the name of a toolset, not of a skill; toolsets belong into the profile's configuration."
            )));
        }
        if !name.is_empty() && !kept.iter().any(|known| known == name) {
            kept.push(name.to_owned());
        }
    }
    Ok(kept)
}
