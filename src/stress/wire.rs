//! What a worker reports to its parent: one line an operation, written before the next operation begins.
//!
//! A line without an end is ignored: the worker was killed while it wrote.

use std::fmt;

/// What a worker does to the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StressOperation {
    /// Looking at the file and opening the one connection.
    Open,
    /// One task more.
    Create,
    /// Reading that task back.
    Show,
    /// Finishing it.
    Complete,
    /// Listing what is ready.
    List,
}

impl StressOperation {
    /// All of them, in the order of a worker's round.
    pub const ALL: [Self; 5] = [Self::Open, Self::Create, Self::Show, Self::Complete, Self::List];

    /// Its name in lines and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Create => "create",
            Self::Show => "show",
            Self::Complete => "complete",
            Self::List => "list",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireLine {
    /// An operation succeeded; a write is committed.
    Done {
        /// Which.
        operation: StressOperation,
        /// What it took, waiting included, in microseconds.
        micros: u32,
        /// The task that it was about; `-` for none.
        task: String,
    },
    /// An operation failed.
    Failed {
        /// Which.
        operation: StressOperation,
        /// What it took until then, in microseconds.
        micros: u32,
        /// The name of its exit code, or `no-room`.
        kind: String,
        /// What it said.
        message: String,
    },
    /// A task that this worker was told is committed is not there when it looks.
    Vanished {
        /// Its id.
        task: String,
    },
    /// The worker has closed the board and ends.
    End,
}

impl WireLine {
    /// Reads a line without its end.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(5, ' ');
        let first = words.next()?;
        match first {
            "end" => Some(Self::End),
            "vanished" => Some(Self::Vanished { task: words.next()?.to_owned() }),
            "failed" => Some(Self::Failed {
                operation: StressOperation::named(words.next()?)?,
                micros: words.next()?.parse().ok()?,
                kind: words.next()?.to_owned(),
                message: words.next()?.to_owned(),
            }),
            name => Some(Self::Done {
                operation: StressOperation::named(name)?,
                micros: words.next()?.parse().ok()?,
                task: words.next()?.to_owned(),
            }),
        }
    }
}

/// The line without its end.
impl fmt::Display for WireLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done { operation, micros, task } => write!(f, "{} {micros} {task}", operation.name()),
            Self::Failed { operation, micros, kind, message } => {
                let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
                write!(f, "failed {} {micros} {kind} {message}", operation.name())
            }
            Self::Vanished { task } => write!(f, "vanished {task}"),
            Self::End => f.write_str("end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let lines = [
            WireLine::Done { operation: StressOperation::Create, micros: 17, task: "t_00000001".into() },
            WireLine::Done { operation: StressOperation::List, micros: 0, task: "-".into() },
            WireLine::Failed {
                operation: StressOperation::Complete,
                micros: 3,
                kind: "busy".into(),
                message: "another process holds the lock".into(),
            },
            WireLine::Vanished { task: "t_00000001".into() },
            WireLine::End,
        ];
        for line in lines {
            assert_eq!(WireLine::parse(&line.to_string()), Some(line));
        }
    }

    #[test]
    fn half_a_line_is_none() {
        for text in ["", "creat", "create", "create 17", "failed create 3 busy", "create x t_1"] {
            assert_eq!(WireLine::parse(text), None, "{text}");
        }
    }
}
