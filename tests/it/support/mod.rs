//! What the topics share: a sandbox to run the binary in, other processes on a board, injured boards, terminals.
#![allow(
    dead_code,
    reason = "each topic uses its part; what no topic uses is found by reading, not by rustc"
)]

pub(crate) mod damage;
pub(crate) mod hermes;
pub(crate) mod process;
pub(crate) mod pty;
pub(crate) mod rows;
pub(crate) mod sandbox;
pub(crate) mod story;
pub(crate) mod strace;
pub(crate) mod sweep;

pub(crate) use sandbox::Sandbox;
