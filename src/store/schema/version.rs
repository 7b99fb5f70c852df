//! Which Hermes a board belongs to, read from its columns, and what that version does.
//!
//! Verbs ask this value by the name of a rule; no verb compares columns or versions by itself.
//! Not here: the columns themselves ([`crate::hermes`]) and whether a board may be written ([`mod@super::check`]).

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::check::CheckedTable;
use crate::hermes::{self, SchemaVersion, UNRELEASED_COLUMNS};

/// Tables that are known from versions after 0.22.2.
const LATER_TABLES: [&str; 2] = ["recipe_instances", "recipe_instance_tasks"];

/// The version of a board: whose rules hold, and who made the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BoardVersion {
    /// The newest known version whose columns the board has. Its rules hold.
    #[serde(rename = "hermes")]
    release: SchemaVersion,
    /// The version that made `tasks`, by the order of its columns; another one has migrated it where the two differ.
    created_by: SchemaVersion,
    /// True where the board has something of a version after the newest known one.
    newer: bool,
}

impl BoardVersion {
    /// Read the version from a board's tables.
    pub(super) fn of(tables: &BTreeMap<String, CheckedTable>, others: &[String], user_version: i64) -> Self {
        let columns = tables.get("tasks").map(|tasks| tasks.columns.as_slice()).unwrap_or_default();
        let place = |name: &str| columns.iter().position(|known| known.name.eq_ignore_ascii_case(name));
        let facts = hermes::table("tasks");
        let there =
            facts.into_iter().flat_map(|facts| facts.columns).filter(|column| place(column.name).is_some());
        let newest = there.map(|column| column.since).max().unwrap_or(SchemaVersion::Early);
        // Every table of 0.13 and later points to the run of its task.
        let release = if place("current_run_id").is_none() { SchemaVersion::Early } else { newest };
        let follows =
            |name: &str, before: &str| place(before).is_some_and(|before| place(name) == Some(before + 1));
        let created_by = if follows("worker_started_at", "worker_pid") {
            SchemaVersion::V0_22
        } else if follows("provider_override", "model_override") {
            SchemaVersion::V0_20
        } else if follows("claim_lock", "project_id") {
            SchemaVersion::V0_18
        } else if follows("goal_mode", "max_retries") {
            SchemaVersion::V0_16
        } else if follows("branch_name", "workspace_path") {
            SchemaVersion::V0_15
        } else {
            SchemaVersion::V0_13
        };
        let later =
            |(table, column): &(&str, &str)| tables.get(*table).is_some_and(|table| table.has(column));
        let newer = user_version != 0
            || UNRELEASED_COLUMNS.iter().any(later)
            || LATER_TABLES.iter().any(|name| others.iter().any(|other| other.eq_ignore_ascii_case(name)));
        Self { release, created_by: created_by.min(release), newer }
    }

    /// The version whose rules hold.
    pub const fn release(self) -> SchemaVersion {
        self.release
    }

    /// The tables that a new board gets beside this one; those of the default for an older one.
    pub fn schema(self) -> SchemaVersion {
        self.release.max(SchemaVersion::CREATED)
    }

    /// True if the board has something of a version that is not known here.
    pub const fn is_newer(self) -> bool {
        self.newer
    }

    fn at_least(self, release: SchemaVersion) -> bool {
        self.release >= release
    }

    /// True if `review` is a lane: it can be requested, approved and returned to, and open parents bar completion.
    pub fn has_review_lane(self) -> bool {
        self.at_least(SchemaVersion::V0_20)
    }

    /// True if an archived parent counts as finished where a task is unblocked.
    pub fn archived_parents_release(self) -> bool {
        self.at_least(SchemaVersion::V0_20)
    }

    /// True if a child inherits its parents' subscriptions.
    pub fn inherits_subscriptions(self) -> bool {
        self.at_least(SchemaVersion::V0_20)
    }

    /// True if the `created` event names workspace, project and overrides.
    pub fn describes_creation(self) -> bool {
        self.at_least(SchemaVersion::V0_20)
    }

    /// True if `board.json` can give the board's project to its tasks.
    pub fn has_board_project(self) -> bool {
        self.at_least(SchemaVersion::V0_20)
    }

    /// True if a directory without `board.json` is no board.
    pub fn wants_metadata(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if running tasks with open parents are a finding of `diagnostics`.
    pub fn diagnoses_open_parents(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if the guard against a second start looks at less.
    pub fn respawns_sooner(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if an explicit scratch workspace takes a task out of the board's project.
    pub fn scratch_leaves_project(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if a child inherits its parents' tenant.
    pub fn inherits_tenant(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if `create` writes `blocked` and `dependency_wait` events, and names the creating task.
    pub fn explains_initial_status(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if a completion needs a result or a summary.
    pub fn needs_evidence(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if a living worker bars the completion of its task.
    pub fn guards_live_claims(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if a review request is barred by a living worker only, and not by every claim.
    pub fn review_asks_process(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if a closed run keeps the claim and the worker, which Hermes needs to end a worker that lives on.
    pub fn closed_runs_keep_worker(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if a `gave_up` event can hold a task in `blocked`.
    pub fn has_sticky_give_ups(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if a block for a dependency without an open parent asks for input instead.
    pub fn rekinds_dependency_blocks(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if a block without a kind can be given one.
    pub fn classifies_blocks(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if `promote` can pass over open parents.
    pub fn forces_promotion(self) -> bool {
        !self.at_least(SchemaVersion::V0_22)
    }

    /// True if archiving a running task ends its worker.
    pub fn archive_ends_worker(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if an `assigned` event names the former assignee.
    pub fn assignment_names_former(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if a worker may change its own task only.
    pub fn scopes_workers(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if `edit` changes tasks that are not done, and its event names the fields.
    pub fn edits_open_tasks(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if a running task cannot begin to wait, and an archived parent makes nobody wait.
    pub fn gates_no_running_child(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if collecting old events keeps those of decompositions, and 0 days switch it off.
    pub fn collects_with_care(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }

    /// True if a subscription begins behind the task's newest event and says how it is delivered.
    pub fn subscribes_caught_up(self) -> bool {
        self.at_least(SchemaVersion::V0_20)
    }

    /// True if a review request takes the implementer from the run.
    pub fn implementer_is_of_run(self) -> bool {
        self.at_least(SchemaVersion::V0_22)
    }
}

impl fmt::Display for BoardVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let than = if self.newer { "newer than " } else { "" };
        write!(f, "{than}Hermes {}", self.release.label())?;
        if self.created_by < self.release {
            write!(f, ", created by {}", self.created_by.label())?;
        }
        Ok(())
    }
}
