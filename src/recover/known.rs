//! The tables that Hermes makes (board-format.md 2), for boards whose schema is lost, and the indexes that it makes
//! again at its next opening if they are missing.

/// Name and `CREATE TABLE` text of each table.
pub(crate) const TABLES: [(&str, &str); 7] = [
    (
        "tasks",
        "CREATE TABLE tasks (\n    id TEXT PRIMARY KEY,\n    title TEXT NOT NULL,\n    body TEXT,\n    assignee TEXT,\n    \
         status TEXT NOT NULL,\n    priority INTEGER DEFAULT 0,\n    created_by TEXT,\n    created_at INTEGER NOT NULL,\n    \
         started_at INTEGER,\n    completed_at INTEGER,\n    workspace_kind TEXT NOT NULL DEFAULT 'scratch',\n    \
         workspace_path TEXT,\n    branch_name TEXT,\n    project_id TEXT,\n    claim_lock TEXT,\n    claim_expires INTEGER,\n    \
         tenant TEXT,\n    result TEXT,\n    idempotency_key TEXT,\n    consecutive_failures INTEGER NOT NULL DEFAULT 0,\n    \
         worker_pid INTEGER,\n    last_failure_error TEXT,\n    max_runtime_seconds INTEGER,\n    last_heartbeat_at INTEGER,\n    \
         current_run_id INTEGER,\n    workflow_template_id TEXT,\n    current_step_key TEXT,\n    skills TEXT,\n    \
         model_override TEXT,\n    max_retries INTEGER,\n    goal_mode INTEGER NOT NULL DEFAULT 0,\n    goal_max_turns INTEGER,\n    \
         session_id TEXT,\n    block_kind TEXT,\n    block_recurrences INTEGER NOT NULL DEFAULT 0\n)",
    ),
    (
        "task_links",
        "CREATE TABLE task_links (\n    parent_id TEXT NOT NULL,\n    child_id TEXT NOT NULL,\n    \
         PRIMARY KEY (parent_id, child_id)\n)",
    ),
    (
        "task_comments",
        "CREATE TABLE task_comments (\n    id INTEGER PRIMARY KEY AUTOINCREMENT,\n    task_id TEXT NOT NULL,\n    \
         author TEXT NOT NULL,\n    body TEXT NOT NULL,\n    created_at INTEGER NOT NULL\n)",
    ),
    (
        "task_events",
        "CREATE TABLE task_events (\n    id INTEGER PRIMARY KEY AUTOINCREMENT,\n    task_id TEXT NOT NULL,\n    run_id INTEGER,\n    \
         kind TEXT NOT NULL,\n    payload TEXT,\n    created_at INTEGER NOT NULL\n)",
    ),
    (
        "task_runs",
        "CREATE TABLE task_runs (\n    id INTEGER PRIMARY KEY AUTOINCREMENT,\n    task_id TEXT NOT NULL,\n    profile TEXT,\n    \
         step_key TEXT,\n    status TEXT NOT NULL,\n    claim_lock TEXT,\n    claim_expires INTEGER,\n    worker_pid INTEGER,\n    \
         max_runtime_seconds INTEGER,\n    last_heartbeat_at INTEGER,\n    started_at INTEGER NOT NULL,\n    ended_at INTEGER,\n    \
         outcome TEXT,\n    summary TEXT,\n    metadata TEXT,\n    error TEXT\n)",
    ),
    (
        "task_attachments",
        "CREATE TABLE task_attachments (\n    id INTEGER PRIMARY KEY AUTOINCREMENT,\n    task_id TEXT NOT NULL,\n    \
         filename TEXT NOT NULL,\n    stored_path TEXT NOT NULL,\n    content_type TEXT,\n    size INTEGER NOT NULL DEFAULT 0,\n    \
         uploaded_by TEXT,\n    created_at INTEGER NOT NULL\n)",
    ),
    (
        "kanban_notify_subs",
        "CREATE TABLE kanban_notify_subs (\n    task_id TEXT NOT NULL,\n    platform TEXT NOT NULL,\n    chat_id TEXT NOT NULL,\n    \
         thread_id TEXT NOT NULL DEFAULT '',\n    user_id TEXT,\n    notifier_profile TEXT,\n    created_at INTEGER NOT NULL,\n    \
         last_event_id INTEGER NOT NULL DEFAULT 0,\n    PRIMARY KEY (task_id, platform, chat_id, thread_id)\n)",
    ),
];

/// Name and `CREATE INDEX` text of each index.
pub(crate) const INDEXES: [(&str, &str); 14] = [
    ("idx_tasks_assignee_status", "CREATE INDEX idx_tasks_assignee_status ON tasks(assignee, status)"),
    ("idx_tasks_status", "CREATE INDEX idx_tasks_status ON tasks(status)"),
    ("idx_tasks_tenant", "CREATE INDEX idx_tasks_tenant ON tasks(tenant)"),
    ("idx_tasks_idempotency", "CREATE INDEX idx_tasks_idempotency ON tasks(idempotency_key)"),
    ("idx_tasks_session_id", "CREATE INDEX idx_tasks_session_id ON tasks(session_id)"),
    ("idx_links_child", "CREATE INDEX idx_links_child ON task_links(child_id)"),
    ("idx_links_parent", "CREATE INDEX idx_links_parent ON task_links(parent_id)"),
    ("idx_comments_task", "CREATE INDEX idx_comments_task ON task_comments(task_id, created_at)"),
    ("idx_events_task", "CREATE INDEX idx_events_task ON task_events(task_id, created_at)"),
    ("idx_events_run", "CREATE INDEX idx_events_run ON task_events(run_id, id)"),
    ("idx_runs_task", "CREATE INDEX idx_runs_task ON task_runs(task_id, started_at)"),
    ("idx_runs_status", "CREATE INDEX idx_runs_status ON task_runs(status)"),
    ("idx_attachments_task", "CREATE INDEX idx_attachments_task ON task_attachments(task_id, created_at)"),
    ("idx_notify_task", "CREATE INDEX idx_notify_task ON kanban_notify_subs(task_id)"),
];
