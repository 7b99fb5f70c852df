-- What 0.19.0 adds to an older board, in its order (board-format.md 2.9).
ALTER TABLE tasks ADD COLUMN tenant TEXT;
ALTER TABLE tasks ADD COLUMN result TEXT;
ALTER TABLE tasks ADD COLUMN branch_name TEXT;
ALTER TABLE tasks ADD COLUMN project_id TEXT;
ALTER TABLE tasks ADD COLUMN idempotency_key TEXT;
ALTER TABLE tasks ADD COLUMN consecutive_failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN worker_pid INTEGER;
ALTER TABLE tasks ADD COLUMN last_failure_error TEXT;
ALTER TABLE tasks ADD COLUMN max_runtime_seconds INTEGER;
ALTER TABLE tasks ADD COLUMN last_heartbeat_at INTEGER;
ALTER TABLE tasks ADD COLUMN current_run_id INTEGER;
ALTER TABLE tasks ADD COLUMN workflow_template_id TEXT;
ALTER TABLE tasks ADD COLUMN current_step_key TEXT;
ALTER TABLE tasks ADD COLUMN skills TEXT;
ALTER TABLE tasks ADD COLUMN max_retries INTEGER;
ALTER TABLE tasks ADD COLUMN model_override TEXT;
ALTER TABLE tasks ADD COLUMN goal_mode INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN goal_max_turns INTEGER;
ALTER TABLE tasks ADD COLUMN session_id TEXT;
ALTER TABLE tasks ADD COLUMN block_kind TEXT;
ALTER TABLE tasks ADD COLUMN block_recurrences INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task_events ADD COLUMN run_id INTEGER;
ALTER TABLE kanban_notify_subs ADD COLUMN notifier_profile TEXT;
CREATE TABLE task_attachments (id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, filename TEXT NOT NULL,
  stored_path TEXT NOT NULL, content_type TEXT, size INTEGER NOT NULL DEFAULT 0, uploaded_by TEXT,
  created_at INTEGER NOT NULL);
CREATE INDEX idx_attachments_task ON task_attachments(task_id, created_at);
CREATE INDEX idx_tasks_tenant ON tasks(tenant);
CREATE INDEX idx_tasks_idempotency ON tasks(idempotency_key);
CREATE INDEX idx_tasks_session_id ON tasks(session_id);
CREATE INDEX idx_events_run ON task_events(run_id, id);
