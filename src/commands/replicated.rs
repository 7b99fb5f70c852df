//! What verbs say before they begin a new generation of a board that Litestream replicates.

use std::path::Path;

use super::Context;
use crate::board::litestream;

/// Say that `what` makes Litestream begin a new generation of the board at `resolved`, where it replicates it. Asked before
/// anything is changed, and only while this process has no handle on the board.
pub(super) fn warn(context: &mut Context<'_>, resolved: &Path, what: &str) {
    let Some(replication) = litestream::replication(resolved) else { return };
    context.ui.warning(format_args!(
        "Litestream replicates this board (generation {}); {what} makes it begin a new generation with a snapshot of the \
         whole board. Earlier moments stay in the old one.",
        replication.generation
    ));
}
