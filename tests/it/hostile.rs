//! Boards that were made to harm: nothing that one brings along runs, nothing hangs, nothing outgrows its memory.

use crate::support::Sandbox;
use crate::support::rows::{change, count, create};

#[test]
fn a_boards_trigger_does_not_run_and_writing_is_refused() {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["x"]);
    change(&sandbox, "CREATE TRIGGER evil AFTER UPDATE ON tasks BEGIN DELETE FROM task_events; END");
    sandbox.run(&["complete", &id]).exits(12).says("trigger evil");
    sandbox.run(&["create", "y"]).exits(12);
    sandbox.run(&["list"]).success();
    assert_eq!(count(&sandbox, "SELECT count(*) FROM task_events"), 1);
}
