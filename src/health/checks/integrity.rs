//! What SQLite's own check means.
//!
//! Responsible for comparing the two looks and for telling index damage, which costs no row, from the rest
//! (tests/incidents.md F01, F04). Running the check is left to the caller, who owns the pause between the looks.

use crate::health::{Finding, Severity};
use crate::store::audit;

/// The most messages that are shown; the rest is counted.
const SHOWN: usize = 5;

/// The findings of two looks at the same board, and whether the board held still: messages that differ mean that it
/// was changing, and nothing is said about damage then.
pub fn compare_looks(first: &[String], second: &[String], subject: &str) -> (Vec<Finding>, bool) {
    if second.is_empty() {
        return (Vec::new(), true);
    }
    if first != second {
        return (Vec::new(), false);
    }
    let indexes = second.iter().all(|message| audit::index_at_fault(message).is_some());
    let shown = second.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("; ");
    let more = match second.len().saturating_sub(SHOWN) {
        0 => String::new(),
        rest => format!(" (and {rest} more)"),
    };
    let (id, what, next) = if indexes {
        ("index-drift", "indexes disagree with their tables", "kanbanctl repair")
    } else {
        ("integrity", "SQLite's check found damage twice", "kanbanctl recover --dry-run")
    };
    let message = format!("{what}: {shown}{more}.");
    (vec![Finding::new(id, Severity::Error, subject, message).next(next)], true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_answer_twice_is_damage() {
        let drift = vec!["wrong # of entries in index idx_events_run".to_owned()];
        let torn = vec!["Tree 2 page 2 cell 100: Rowid 520 out of order".to_owned()];
        assert_eq!(compare_looks(&torn, &[], "b"), (Vec::new(), true));
        assert_eq!(compare_looks(&torn, &drift, "b"), (Vec::new(), false));
        assert_eq!(compare_looks(&drift, &drift, "b").0[0].id, "index-drift");
        assert_eq!(compare_looks(&torn, &torn, "b").0[0].id, "integrity");
        let both = [drift, torn].concat();
        assert_eq!(compare_looks(&both, &both, "b").0[0].id, "integrity");
    }
}
