//! The table of exit codes: numbers, names, and how the outcomes of several boards become one.
//!
//! Not here: which failure has which code ([`crate::failure`], [`crate::health`]).

use serde::Serialize;

/// How an invocation ended. The numbers are a contract for scripts (see the EXIT STATUS section of kanbanctl(1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// 0: done, healthy, or already so.
    Ok,
    /// 1: anything that has no code of its own.
    Failed,
    /// 2: bad command line.
    Usage,
    /// 3: health found warnings only; the board is usable.
    Degraded,
    /// 4: health found errors, or a verb met damage.
    Damaged,
    /// 5: recover or import finished, some rows were not recovered or refused.
    Partial,
    /// 6: health could not look.
    Unchecked,
    /// 10: no such board or file.
    NoBoard,
    /// 11: a lock was not had within the budget; nothing changed.
    Busy,
    /// 12: a guard said no.
    Refused,
    /// 13: task or backup unknown.
    NotFound,
    /// 14: the task's state does not allow it, or an id is ambiguous.
    Conflict,
    /// A Nagios plug-in's status, 0 to 3.
    Monitored(u8),
    /// 128 + signal: interrupted; the process re-raises the signal itself.
    Interrupted(i32),
}

impl Exit {
    /// The process status.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Degraded => 3,
            Self::Damaged => 4,
            Self::Partial => 5,
            Self::Unchecked => 6,
            Self::NoBoard => 10,
            Self::Busy => 11,
            Self::Refused => 12,
            Self::NotFound => 13,
            Self::Conflict => 14,
            Self::Monitored(status) => status,
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(130),
        }
    }

    /// The stable word that JSON errors carry as `name`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Degraded => "degraded",
            Self::Damaged => "damaged",
            Self::Partial => "partial",
            Self::Unchecked => "unchecked",
            Self::NoBoard => "no-board",
            Self::Busy => "busy",
            Self::Refused => "refused",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Monitored(_) => "monitored",
            Self::Interrupted(_) => "interrupted",
        }
    }

    /// The worse of two outcomes, for verbs over several boards: 130, 4, 5, 6, 12, 11, 10, 1, 3, 0.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    /// The status a Nagios plug-in must end with: 0 ok, 1 warning, 2 critical, 3 unknown.
    pub fn nagios(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Degraded => 1,
            Self::Damaged => 2,
            _ => 3,
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Degraded => 1,
            Self::Failed | Self::Usage | Self::NotFound | Self::Conflict | Self::Monitored(_) => 2,
            Self::NoBoard => 3,
            Self::Busy => 4,
            Self::Refused => 5,
            Self::Unchecked => 6,
            Self::Partial => 7,
            Self::Damaged => 8,
            Self::Interrupted(_) => 9,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn worst_outcome_wins_in_the_documented_order() {
        let order = [
            Exit::Interrupted(2),
            Exit::Damaged,
            Exit::Partial,
            Exit::Unchecked,
            Exit::Refused,
            Exit::Busy,
            Exit::NoBoard,
            Exit::Failed,
            Exit::Degraded,
            Exit::Ok,
        ];
        for pair in order.windows(2) {
            assert_eq!(pair[0].merge(pair[1]), pair[0]);
            assert_eq!(pair[1].merge(pair[0]), pair[0]);
        }
    }
}
