//! What can be typed: the global options and how the command line becomes a value.

mod env;
pub mod values;

pub use env::Env;
