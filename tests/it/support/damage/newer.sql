-- What 0.22.2 appends to a board of 0.19.0, in its order.
ALTER TABLE tasks ADD COLUMN provider_override TEXT;
ALTER TABLE tasks ADD COLUMN reasoning_effort TEXT;
ALTER TABLE tasks ADD COLUMN completion_contract TEXT;
ALTER TABLE tasks ADD COLUMN worker_started_at INTEGER;
ALTER TABLE task_runs ADD COLUMN worker_started_at INTEGER;
ALTER TABLE kanban_notify_subs ADD COLUMN last_ping_event_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE kanban_notify_subs ADD COLUMN delivery_mode TEXT NOT NULL DEFAULT 'notify';
ALTER TABLE kanban_notify_subs ADD COLUMN chat_type TEXT;
ALTER TABLE kanban_notify_subs ADD COLUMN user_id_alt TEXT;
ALTER TABLE kanban_notify_subs ADD COLUMN delivery_metadata TEXT;
