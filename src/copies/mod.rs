//! Looking at copies of a board: what each holds, how they differ, which may be removed.
//!
//! Not here: finding and reading them ([`crate::salvage`]), and bringing their rows back ([`crate::recover`]).

pub mod compare;
pub mod inspect;
pub mod page_map;
pub mod prune;
pub mod reach;
pub mod remove;
pub(crate) mod row_version;
