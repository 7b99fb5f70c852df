//! Changes of a whole live board: a verified file put in its place, taken back again, its indexes rebuilt.
//!
//! ```text
//!   site          evidence          locks, holders, unchanged?          installer         evidence
//!   may it be? -> copies beside  -> no process has it or wrote to it -> pages through -> the outcome   (undo: bytes back)
//! ```
//!
//! Responsible for what stands there being kept before and given back on request, and for a board that is the old one or
//! the new one, whole, however the work ends. What is installed comes from [`crate::recover`] or from a copy; both hand
//! over a sealed file ([`crate::newfile`]).

pub(crate) mod covering_wal;
pub mod evidence;
mod installer;
pub mod repair;
pub mod target;
pub mod undo;

pub use installer::{Installed, Terms, account, close_interrupted, finish, install, locked};
