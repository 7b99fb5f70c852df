//! The new file: rows written one by one ([`insert`]) or pages kept in place ([`in_place`]), then checked ([`verify`]).
//!
//! Not here: which rows it holds ([`super::merge`]), and its file ([`crate::newfile`]).

pub(crate) mod in_place;
pub(crate) mod insert;
pub(crate) mod verify;
