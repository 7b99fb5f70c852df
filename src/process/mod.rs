//! What the process is given from outside: environment, clock, signals, random bytes.
//!
//! Not here: the streams ([`crate::ui`]) and what happens inside of the process ([`crate::work`]).

pub mod clock;
pub mod env;
pub(crate) mod random;
pub mod signals;
pub mod worker;
