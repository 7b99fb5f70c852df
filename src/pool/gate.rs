//! A write never makes a board worse: the check that signs of damage lead to, before the first write.
//!
//! The check runs on a reading connection of its own, which is closed before the board is opened for writing: a refused
//! board keeps every byte, and no sidecar appears beside it. Damage is what two checks find.
//!
//! Not here: the signs ([`crate::board::signs`]).

use super::{Access, Pool};
use crate::failure::count::counted;
use crate::failure::{Failure, Outcome};
use crate::store::audit::{self, Integrity};

/// Findings that a refusal quotes.
const MAX_QUOTED: usize = 2;

impl Pool {
    /// Refuse a damaged board before anything is done to it, where something says that a write would destroy rows.
    ///
    /// # Errors
    /// Exit 4 where the board is damaged; what stops the check.
    pub fn require_undamaged(&mut self) -> Outcome<()> {
        self.pass_gate().map_err(|failure| self.explain(failure))
    }

    /// Check the whole board where something says that a write would destroy rows. Damage that only concerns indexes
    /// destroys none, and `repair` writes to such boards.
    ///
    /// # Errors
    /// Exit 4 where the board is damaged; what stops the check.
    pub(super) fn pass_gate(&mut self) -> Outcome<()> {
        if self.signs.is_empty() {
            return Ok(());
        }
        let bytes = self.inspection.bytes_on_disk();
        let budget = self.budget.for_bytes(bytes);
        let mut reader = Self::new(self.inspection.clone(), Access::Read, budget, self.signals.clone())?;
        reader.scratch.clone_from(&self.scratch);
        reader.onlooker = self.onlooker.clone();
        let mut check = || -> Outcome<Vec<String>> {
            let said = reader.read(|connection| audit::integrity(connection, Integrity::Full))?;
            Ok(said.into_iter().filter(|finding| audit::index_at_fault(finding).is_none()).collect())
        };
        let mut found = check()?;
        if !found.is_empty() {
            std::thread::sleep(super::retry_on_damage::SECOND_LOOK);
            found = check()?;
        }
        reader.close()?;
        if found.is_empty() {
            self.signs.clear();
            return Ok(());
        }
        let quoted: Vec<&str> = found.iter().take(MAX_QUOTED).map(|finding| finding.trim()).collect();
        Err(Failure::damaged(format!(
            "writing would destroy rows: {}. SQLite's check has {}, such as: {}. Nothing was written.",
            self.signs.join("; "),
            counted(found.len() as u64, "finding", "findings"),
            quoted.join("; ")
        ))
        .hint("See what can be brought back with `kanbanctl recover --dry-run`.")
        .at(&self.inspection.resolved))
    }
}
