//! How times are shown: how long ago on a terminal, RFC 3339 everywhere else.

use super::Context;
use crate::process::clock;
use crate::store::field::Field;

/// The moment of this invocation, and whether a person reads it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    now: i64,
    relative: bool,
}

impl Times {
    pub(super) fn of(context: &Context<'_>) -> Self {
        Self { now: context.clock.epoch(), relative: context.ui.settings().stdout_terminal }
    }

    /// A column that holds Unix seconds; what is no number stays as it is.
    pub(super) fn show(self, at: &Field) -> String {
        match at.integer() {
            Some(at) if self.relative => clock::ago(self.now.saturating_sub(at)),
            Some(second) => clock::rfc3339(second).unwrap_or_else(|| at.show()),
            None => at.show(),
        }
    }

    /// Its age in one short word.
    pub(super) fn age(self, at: &Field) -> String {
        at.integer().map_or_else(|| at.show(), |at| clock::age(self.now.saturating_sub(at)))
    }

    /// How long it took from one moment to another, or has taken until now.
    pub(super) fn took(self, from: &Field, to: &Field) -> Option<String> {
        let to = if to.is_null() { self.now } else { to.integer()? };
        Some(clock::span(to.saturating_sub(from.integer()?)))
    }
}

/// A column that holds Unix seconds, for records.
pub(super) fn utc(at: &Field) -> String {
    at.integer().and_then(clock::rfc3339).unwrap_or_else(|| at.show())
}
