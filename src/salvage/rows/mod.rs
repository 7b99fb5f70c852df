//! Rows by their location: one row, what is special about it, sets of rows in order, and ranges of lost rowids.
//!
//! Not here: how rows are found ([`super::passes`]).

pub(crate) mod extras;
pub(crate) mod gaps;
pub(crate) mod memory;
pub(crate) mod row;
pub(crate) mod set;
