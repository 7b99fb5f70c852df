//! The verbs of a task's life, a file each: guards, columns, runs and events as the board's version of Hermes has them.
//!
//! Each takes a [`super::writer::TaskWriter`] and one task. `complete` and `create` have more to say and stand beside.

pub mod archive;
pub mod assign;
pub mod attach;
pub mod block;
pub mod claim;
pub mod delete;
pub mod edit;
pub mod heartbeat;
pub mod link;
pub mod promote;
pub mod reclaim;
pub mod review;
pub mod schedule;
pub mod set_model;
pub mod unblock;
