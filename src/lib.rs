//! kanbanctl: Hermes kanban boards, kept and rescued through one SQLite connection.
#![forbid(unsafe_code)]

pub mod ondisk;
