//! Recovery's stages on the bars of the terminal.
//!
//! Responsible for joining [`Watch`] to [`crate::ui`] and to the signal flag; it decides nothing.

use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::process::signals::Signals;
use crate::ui::{Progress, Ui};
use crate::work::progress::{Stage, Watch};

/// One bar per stage; a signal stops the work at the next step.
pub(super) struct Bars<'a> {
    ui: &'a Ui,
    signals: Signals,
    current: Option<(Stage, Progress)>,
}

impl<'a> Bars<'a> {
    /// Bars on `ui`, stopped by `signals`.
    pub(super) fn new(ui: &'a Ui, signals: Signals) -> Self {
        Self { ui, signals, current: None }
    }
}

impl Watch for Bars<'_> {
    fn step(&mut self, stage: Stage, done: u64, total: u64) -> Outcome<()> {
        if let Some(signal) = self.signals.received() {
            return Err(Failure::new(Exit::Interrupted(signal), "interrupted; nothing was changed."));
        }
        if self.current.as_ref().is_none_or(|(shown, _)| *shown != stage) {
            let name = match stage {
                Stage::Sources => "Finding sources",
                Stage::Salvage => "Reading pages",
                Stage::Merge => "Merging rows",
                Stage::Rebuild => "Writing rows",
                Stage::Verify => "Verifying",
                Stage::Compare => "Comparing rows",
            };
            self.current = Some((stage, self.ui.progress(name, total)));
        }
        if let Some((_, progress)) = &self.current {
            progress.update(done, total);
        }
        Ok(())
    }
}
