//! Load on a scratch board, and what it says about the filesystem.
//!
//! Real processes ([`crew`]) work on one board, each through one connection ([`worker`]). They acknowledge every commit
//! ([`wire`]). The results are counted ([`tally`]), compared with the board ([`examine`]) and judged ([`verdict`]).

pub mod crew;
pub mod examine;
pub mod tally;
pub mod verdict;
pub mod wire;
pub mod worker;

use std::path::PathBuf;
use std::time::Duration;

/// The word in the name of the folder that a scratch board lies in; workers work nowhere else.
pub const PURPOSE: &str = "stress";

/// What is to be done.
#[derive(Clone, Debug)]
pub struct StressPlan {
    /// The folder that the scratch board lies in.
    pub folder: PathBuf,
    /// Workers at the same time.
    pub processes: usize,
    /// How long they work.
    pub length: Duration,
    /// How long one operation may wait for locks.
    pub patience: Duration,
    /// Whether workers are killed at random and replaced.
    pub crash: bool,
}

impl StressPlan {
    /// The scratch board. Its folder can stand in for a Hermes root.
    pub fn board(&self) -> PathBuf {
        self.folder.join("kanban.db")
    }
}
