//! Work that takes long: threads whose results come back in order, files without a name, sparse files.
//!
//! Not here: what is shown of it ([`crate::ui`]).

pub(crate) mod holes;
pub mod progress;
pub(crate) mod threads;
pub(crate) mod unnamed;
