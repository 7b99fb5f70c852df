//! How recovery decides between a board and copies of its earlier moments: the newest sound version of a row counts, and what
//! is substituted is said. Boards are written by Hermes itself.

use crate::support::hermes;
use crate::support::story::{Hurt, Story};

/// Every edit of a live board stands, however many older copies agree against it.
#[test]
fn edits_beside_older_sound_copies_stay() {
    let Some(python) = hermes::python() else { return };
    for (seed, copies) in [(1, 1), (2, 2), (3, 3), (4, 10)] {
        for hurt in [Hurt::Nothing, Hurt::IndexPage, Hurt::IndexEntry, Hurt::Leaf] {
            let mut story = Story::begin(&python, seed, 18);
            for number in 0..copies {
                story.copy();
                let id = story.tasks[number].clone();
                story.call(
                    "add_comment",
                    &serde_json::json!([id, "bob", "one more"]),
                    &serde_json::json!({}),
                );
            }
            story.edit();
            let ended = story.end(hurt);
            let scene = format!("{copies} copies, {hurt:?}");
            let (output, score) = ended.holds(&scene);
            let data = output.data();
            if hurt != Hurt::Leaf {
                // Equal in every row, whatever lies beside it.
                assert_eq!((score.right, score.older + score.wrong), (score.truth, 0), "{scene}\n{output}");
                assert_eq!(output.code(), 0, "{scene}\n{output}");
            }
            if hurt == Hurt::Nothing {
                assert_eq!(data["suspects"], serde_json::json!([]), "{scene}\n{output}");
            }
        }
    }
}
