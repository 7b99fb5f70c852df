//! kanbanctl: Hermes kanban boards, kept and rescued through one SQLite connection.
#![forbid(unsafe_code)]

pub mod clock;
pub mod exit;
pub mod failure;
pub mod ondisk;
pub mod signals;
