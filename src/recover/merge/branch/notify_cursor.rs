//! How far a subscriber has been told (docs/board-format.md, 7.5): one number for events of two histories.
//!
//! The notifier sends every event of a task above the number and moves it to the last one sent. Set too high, events that
//! were never sent are skipped for good; set too low, those that were are sent again.

/// The kinds of events that are sent, and that alone move the number (docs/board-format.md, 7.5).
const SENT: [&[u8]; 8] =
    [b"completed", b"blocked", b"gave_up", b"crashed", b"timed_out", b"status", b"archived", b"unblocked"];

/// Whether events of this kind are sent.
pub(crate) fn is_sent(kind: &[u8]) -> bool {
    SENT.contains(&kind)
}

/// An event of the subscription's task behind the split.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    /// Its number in the result.
    pub(crate) number: i64,
    /// Whether its own history's cursor has passed it.
    pub(crate) seen: bool,
}

/// The cursor for the result. `cursors` are those of the main line and of the second history, where they have the
/// subscription; `common` is the last event of both; `events` are the sent ones behind it.
pub(crate) fn joined(cursors: [Option<i64>; 2], common: i64, events: &[Told]) -> i64 {
    let [main, second] = cursors.map(|cursor| cursor.unwrap_or(0));
    let seen_of_common = main.min(common).max(second.min(common));
    if seen_of_common < common {
        // Neither has come as far as the split: nothing behind it was sent.
        return seen_of_common;
    }
    let first_unseen = events.iter().filter(|event| !event.seen).map(|event| event.number).min();
    let seen = events.iter().filter(|event| event.seen).map(|event| event.number);
    let last_seen = seen.filter(|&number| first_unseen.is_none_or(|first| number < first)).max();
    // The main line's own cursor may stand on an event that is no more.
    let main = first_unseen.map_or(main, |first| main.min(first - 1));
    last_seen.unwrap_or(common).max(common).max(main)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(events: &[(i64, bool)]) -> Vec<Told> {
        events.iter().map(|&(number, seen)| Told { number, seen }).collect()
    }

    #[test]
    fn nothing_unseen_is_skipped_and_nothing_seen_is_sent_again_where_that_can_be() {
        // Both histories have sent everything.
        assert_eq!(joined([Some(105), Some(103)], 100, &told(&[(105, true), (203, true)])), 203);
        // The second has an event that nobody was told of.
        assert_eq!(joined([Some(105), Some(100)], 100, &told(&[(105, true), (203, false)])), 105);
        // The main line has one: what the second has sent is sent again rather than that one skipped.
        assert_eq!(joined([Some(100), Some(103)], 100, &told(&[(105, false), (203, true)])), 100);
        // Nobody has come as far as the split.
        assert_eq!(joined([Some(40), Some(60)], 100, &told(&[(105, false), (203, false)])), 60);
        // One has, the other has not: the common events are sent.
        assert_eq!(joined([Some(40), Some(103)], 100, &told(&[(105, false), (203, true)])), 100);
        // A subscription of one history alone.
        assert_eq!(joined([Some(105), None], 100, &told(&[(105, true), (203, false)])), 105);
        assert_eq!(joined([None, Some(103)], 100, &told(&[(203, true)])), 203);
        // The event that the cursor stands on was deleted.
        assert_eq!(joined([Some(150), None], 100, &[]), 150);
    }
}
