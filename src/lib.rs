//! kanbanctl: Hermes kanban boards, kept and rescued through one SQLite connection.
//!
//! One direction; only `ui` owns streams, only `main` exits:
//!
//! ```text
//!   cli -> commands -> { copies, health, recover, install, stress } -> salvage
//!            \-> ui                    -> { newfile, journal_mode, pool, store, board } -> { hermes, ondisk, failure, process, work }
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
//! Recovery takes another path: [`salvage`] reads bytes through [`ondisk`], [`recover`] decides and writes a new file
//! ([`newfile`]), and [`install`] writes that file into the board through SQLite.
//!
//! Where does X go?
//!
//! * A verb: a file in [`commands`] (`Args`, `run`), a line in its `Verb`, its SQL in [`store`], a test in `tests/it`.
//! * A health check: a function in [`health::checks`], a line in its table, a section in kanbanctl-recovery(7).
//! * A column of a newer Hermes: the tables in [`hermes`], and [`store`] where a verb uses it.
//! * A quirk of the file format: [`ondisk`] where it is about bytes, a pass in [`salvage`] where it is about lost rows.
//! * An output format: [`ui`], one implementation of how a report is written.
#![forbid(unsafe_code)]

pub mod board;
pub mod cli;
pub mod commands;
pub mod copies;
pub mod failure;
pub mod health;
pub mod hermes;
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
