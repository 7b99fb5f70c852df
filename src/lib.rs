//! kanbanctl: Hermes kanban boards, kept and rescued through one SQLite connection.
//!
//! Four layers, one direction; only `ui` owns streams, only `main` exits:
//!
//! ```text
//!   cli  ->  commands  ->  { board, pool, store, journal, own, ondisk, health, recover, install, stress }  ->  std, rusqlite
//!                \-> ui
//! ```
//!
//! The path of `kanbanctl complete t_1a2b3c4d --result done`:
//!
//! ```text
//!   argv -> cli::invoke            typed, no I/O                                      2 on error
//!        -> ui::settings           streams, colour, format: decided once
//!        -> board::location        which file, and the rule that chose it             12 contradiction
//!        -> Board::inspect         header and sidecars by plain reads, all closed     10 nothing, 4 no board
//!        -> Pool::new              takes the inspection by value; nothing open yet
//!        -> commands::complete
//!              Pool::write         opens once; BEGIN IMMEDIATE; store::complete; COMMIT    11 busy, 12 refused
//!        -> Ui::emit               table, plain or JSON; board text made safe
//!        -> Pool::close            one PASSIVE checkpoint, one close
//!        -> Exit
//! ```
//!
//! Recovery never takes that path: [`recover`] reads bytes through [`ondisk`] and hands SQLite nothing but a new file
//! ([`own`]), which [`install`] writes into the board's own.
#![forbid(unsafe_code)]

pub mod board;
pub mod cli;
pub mod commands;
pub mod copies;
pub mod failure;
pub mod health;
pub mod install;
pub mod journal_mode;
pub mod newfile;
pub mod ondisk;
pub mod pool;
pub mod process;
pub mod recover;
pub mod salvage;
pub mod store;
pub mod stress;
pub mod ui;
pub mod work;
