//! Whether there is anything to recover at all.

use crate::board::{Board, Inspection};
use crate::commands::{Context, health};
use crate::failure::Outcome;
use crate::recover;

/// Whether the board is sound and what would be installed is what it holds. Asked last: SQLite opens the board for it, so
/// every byte has been read before, and no page of it was found damaged.
///
/// # Errors
/// The signal's when one arrives, and when the board's surroundings cannot be read.
pub(crate) fn is_so(context: &mut Context<'_>, board: &Board, report: &recover::Report) -> Outcome<bool> {
    if !report.is_live_board() {
        return Ok(false);
    }
    let seen = board.inspect()?;
    Ok(rests_on_its_own_log(&seen) && health::is_sound(context, &seen)?)
}

/// The same where the board that was `seen` has been checked already.
pub(crate) fn is_known(seen: &Inspection, report: &recover::Report, is_sound: bool) -> bool {
    is_sound && report.is_live_board() && rests_on_its_own_log(seen)
}

/// Whether nothing lies beside the board that SQLite would write over it.
fn rests_on_its_own_log(seen: &Inspection) -> bool {
    seen.sidecars.journal.is_none() && (seen.is_wal() || !seen.sidecars.wal_has_bytes())
}
