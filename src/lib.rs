//! kanbanctl: Hermes kanban boards, kept and rescued through one SQLite connection.
#![forbid(unsafe_code)]

pub mod board;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod exit;
pub mod failure;
pub mod health;
pub mod journal;
pub mod ondisk;
pub mod own;
pub mod pool;
pub mod recover;
pub mod signals;
pub mod store;
pub mod ui;
