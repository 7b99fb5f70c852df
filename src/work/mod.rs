//! Work that takes long: threads whose results come back in order.
//!
//! Not here: what is shown of it ([`crate::ui`]).

pub mod progress;
pub(crate) mod threads;
