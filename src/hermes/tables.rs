//! Hermes' tables and indexes.

use super::SchemaVersion::{self, Early, V0_13, V0_15, V0_16, V0_18, V0_20, V0_22};

/// A column of one of Hermes' tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnFacts {
    /// Its name.
    pub name: &'static str,
    /// Its type and constraints.
    pub declaration: &'static str,
    /// The first release that has it.
    pub since: SchemaVersion,
}

/// One of Hermes' tables.
#[derive(Debug)]
pub struct TableFacts {
    /// Its name.
    pub name: &'static str,
    /// The first release that has it.
    pub since: SchemaVersion,
    /// All its columns, in the order in which the newest release creates them. A release creates those that it knows,
    /// in this order.
    pub columns: &'static [ColumnFacts],
    /// Columns of a primary key over several columns.
    pub primary_key: Option<&'static str>,
    /// The columns that a release appends to an older table, in the order in which it appends them.
    pub appended: &'static [&'static str],
    /// Columns that only boards from before 0.13 have. Newer releases leave them where they are.
    pub dropped: &'static [ColumnFacts],
}

const fn column(name: &'static str, declaration: &'static str) -> ColumnFacts {
    ColumnFacts { name, declaration, since: V0_13 }
}

impl ColumnFacts {
    const fn since(self, since: SchemaVersion) -> Self {
        Self { since, ..self }
    }
}

impl TableFacts {
    /// Return the columns that `release` creates, in its order.
    pub fn created(&self, release: SchemaVersion) -> impl Iterator<Item = &'static ColumnFacts> {
        self.columns.iter().filter(move |column| column.since <= release)
    }

    /// Return the facts of the column `name`, in any case.
    pub fn column(&self, name: &str) -> Option<&'static ColumnFacts> {
        self.columns.iter().chain(self.dropped).find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// True if no release adds the column `name` to a table that lacks it.
    pub fn is_base(&self, name: &str) -> bool {
        self.column(name).is_some() && !self.appended.contains(&name)
    }
}

/// Return the facts of Hermes' table `name`, in any case.
pub fn table(name: &str) -> Option<&'static TableFacts> {
    TABLES.iter().find(|facts| facts.name.eq_ignore_ascii_case(name))
}

/// Tables whose rows Hermes never changes after it wrote them.
pub const APPEND_ONLY_TABLES: [&str; 2] = ["task_comments", "task_events"];

/// Columns that Hermes' own source names and no release has: table and column.
pub const UNRELEASED_COLUMNS: &[(&str, &str)] = &[
    ("tasks", "worker_scope"),
    ("tasks", "worker_pid_started_at"),
    ("kanban_notify_subs", "notify_progress"),
];

/// Hermes' tables in the order in which it creates them.
pub const TABLES: &[TableFacts] = &[
    TableFacts {
        name: "tasks",
        since: Early,
        columns: &[
            column("id", "TEXT PRIMARY KEY"),
            column("title", "TEXT NOT NULL"),
            column("body", "TEXT"),
            column("assignee", "TEXT"),
            column("status", "TEXT NOT NULL"),
            column("priority", "INTEGER DEFAULT 0"),
            column("created_by", "TEXT"),
            column("created_at", "INTEGER NOT NULL"),
            column("started_at", "INTEGER"),
            column("completed_at", "INTEGER"),
            column("workspace_kind", "TEXT NOT NULL DEFAULT 'scratch'"),
            column("workspace_path", "TEXT"),
            column("branch_name", "TEXT").since(V0_15),
            column("project_id", "TEXT").since(V0_18),
            column("claim_lock", "TEXT"),
            column("claim_expires", "INTEGER"),
            column("tenant", "TEXT"),
            column("result", "TEXT"),
            column("idempotency_key", "TEXT"),
            column("consecutive_failures", "INTEGER NOT NULL DEFAULT 0"),
            column("worker_pid", "INTEGER"),
            column("worker_started_at", "INTEGER").since(V0_22),
            column("last_failure_error", "TEXT"),
            column("max_runtime_seconds", "INTEGER"),
            column("last_heartbeat_at", "INTEGER"),
            column("current_run_id", "INTEGER"),
            column("workflow_template_id", "TEXT"),
            column("current_step_key", "TEXT"),
            column("skills", "TEXT"),
            column("model_override", "TEXT").since(V0_15),
            column("provider_override", "TEXT").since(V0_20),
            column("reasoning_effort", "TEXT").since(V0_20),
            column("max_retries", "INTEGER"),
            column("goal_mode", "INTEGER NOT NULL DEFAULT 0").since(V0_16),
            column("goal_max_turns", "INTEGER").since(V0_16),
            column("session_id", "TEXT").since(V0_15),
            column("block_kind", "TEXT").since(V0_18),
            column("block_recurrences", "INTEGER NOT NULL DEFAULT 0").since(V0_18),
            column("completion_contract", "TEXT").since(V0_22),
        ],
        primary_key: None,
        appended: &[
            "tenant",
            "result",
            "branch_name",
            "project_id",
            "idempotency_key",
            "consecutive_failures",
            "worker_pid",
            "last_failure_error",
            "max_runtime_seconds",
            "last_heartbeat_at",
            "current_run_id",
            "workflow_template_id",
            "current_step_key",
            "skills",
            "max_retries",
            "model_override",
            "provider_override",
            "reasoning_effort",
            "goal_mode",
            "goal_max_turns",
            "completion_contract",
            "session_id",
            "block_kind",
            "block_recurrences",
            "worker_started_at",
        ],
        dropped: &[
            column("spawn_failures", "INTEGER DEFAULT 0").since(Early),
            column("last_spawn_error", "TEXT").since(Early),
        ],
    },
    TableFacts {
        name: "task_links",
        since: Early,
        columns: &[column("parent_id", "TEXT NOT NULL"), column("child_id", "TEXT NOT NULL")],
        primary_key: Some("parent_id, child_id"),
        appended: &[],
        dropped: &[],
    },
    TableFacts {
        name: "task_comments",
        since: Early,
        columns: &[
            column("id", "INTEGER PRIMARY KEY AUTOINCREMENT"),
            column("task_id", "TEXT NOT NULL"),
            column("author", "TEXT NOT NULL"),
            column("body", "TEXT NOT NULL"),
            column("created_at", "INTEGER NOT NULL"),
        ],
        primary_key: None,
        appended: &[],
        dropped: &[],
    },
    TableFacts {
        name: "task_events",
        since: Early,
        columns: &[
            column("id", "INTEGER PRIMARY KEY AUTOINCREMENT"),
            column("task_id", "TEXT NOT NULL"),
            column("run_id", "INTEGER"),
            column("kind", "TEXT NOT NULL"),
            column("payload", "TEXT"),
            column("created_at", "INTEGER NOT NULL"),
        ],
        primary_key: None,
        appended: &["run_id"],
        dropped: &[],
    },
    TableFacts {
        name: "task_runs",
        since: V0_13,
        columns: &[
            column("id", "INTEGER PRIMARY KEY AUTOINCREMENT"),
            column("task_id", "TEXT NOT NULL"),
            column("profile", "TEXT"),
            column("step_key", "TEXT"),
            column("status", "TEXT NOT NULL"),
            column("claim_lock", "TEXT"),
            column("claim_expires", "INTEGER"),
            column("worker_pid", "INTEGER"),
            column("worker_started_at", "INTEGER").since(V0_22),
            column("max_runtime_seconds", "INTEGER"),
            column("last_heartbeat_at", "INTEGER"),
            column("started_at", "INTEGER NOT NULL"),
            column("ended_at", "INTEGER"),
            column("outcome", "TEXT"),
            column("summary", "TEXT"),
            column("metadata", "TEXT"),
            column("error", "TEXT"),
        ],
        primary_key: None,
        appended: &["worker_started_at"],
        dropped: &[],
    },
    TableFacts {
        name: "task_attachments",
        since: V0_16,
        columns: &[
            column("id", "INTEGER PRIMARY KEY AUTOINCREMENT"),
            column("task_id", "TEXT NOT NULL"),
            column("filename", "TEXT NOT NULL"),
            column("stored_path", "TEXT NOT NULL"),
            column("content_type", "TEXT"),
            column("size", "INTEGER NOT NULL DEFAULT 0"),
            column("uploaded_by", "TEXT"),
            column("created_at", "INTEGER NOT NULL"),
        ],
        primary_key: None,
        appended: &[],
        dropped: &[],
    },
    TableFacts {
        name: "kanban_notify_subs",
        since: V0_13,
        columns: &[
            column("task_id", "TEXT NOT NULL"),
            column("platform", "TEXT NOT NULL"),
            column("chat_id", "TEXT NOT NULL"),
            column("thread_id", "TEXT NOT NULL DEFAULT ''"),
            column("user_id", "TEXT"),
            column("user_id_alt", "TEXT").since(V0_20),
            column("chat_type", "TEXT").since(V0_20),
            column("notifier_profile", "TEXT"),
            column("delivery_mode", "TEXT NOT NULL DEFAULT 'notify'").since(V0_20),
            column("delivery_metadata", "TEXT").since(V0_20),
            column("created_at", "INTEGER NOT NULL"),
            column("last_event_id", "INTEGER NOT NULL DEFAULT 0"),
            column("last_ping_event_id", "INTEGER NOT NULL DEFAULT 0").since(V0_22),
        ],
        primary_key: Some("task_id, platform, chat_id, thread_id"),
        appended: &[
            "last_ping_event_id",
            "notifier_profile",
            "delivery_mode",
            "chat_type",
            "user_id_alt",
            "delivery_metadata",
        ],
        dropped: &[],
    },
];

/// Name and target of each index, in the order in which Hermes creates them.
pub const INDEXES: &[(&str, &str)] = &[
    ("idx_tasks_assignee_status", "tasks(assignee, status)"),
    ("idx_tasks_status", "tasks(status)"),
    ("idx_links_child", "task_links(child_id)"),
    ("idx_links_parent", "task_links(parent_id)"),
    ("idx_comments_task", "task_comments(task_id, created_at)"),
    ("idx_events_task", "task_events(task_id, created_at)"),
    ("idx_runs_task", "task_runs(task_id, started_at)"),
    ("idx_runs_status", "task_runs(status)"),
    ("idx_attachments_task", "task_attachments(task_id, created_at)"),
    ("idx_notify_task", "kanban_notify_subs(task_id)"),
    ("idx_tasks_tenant", "tasks(tenant)"),
    ("idx_tasks_idempotency", "tasks(idempotency_key)"),
    ("idx_tasks_session_id", "tasks(session_id)"),
    ("idx_events_run", "task_events(run_id, id)"),
];
