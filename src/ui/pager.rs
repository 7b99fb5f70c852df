//! Long text for a person, through a pager on a terminal.
//!
//! Not here: which pager the environment names; the command that has the environment says so.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Stdio};

use super::Ui;
use crate::failure::Outcome;

/// The pager where the environment names none.
const DEFAULT_PAGER: &str = "less";

/// The shell splits the pager's own options and tells a missing program by 127. Unless `LESS` says otherwise, one screen
/// is printed without waiting, colours pass, and the text stays on the screen.
const START_PAGER: &str = "LESS=${LESS-FRX}; export LESS; eval \"$0\"";

impl Ui {
    /// True if a page is drawn for a person on a terminal.
    pub fn pages(&self) -> bool {
        self.settings.stdout_terminal && self.settings.format == super::Format::Table
    }

    /// True if the terminal shows the text at once, with a line left for the prompt.
    pub fn fits(&self, text: &str) -> bool {
        let rows = console::Term::stdout().size_checked().map_or(usize::MAX, |(rows, _)| usize::from(rows));
        text.lines().count() < rows
    }

    /// Write text on stdout, through `pager` where stdout is a terminal that can move its cursor.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn paged(&mut self, text: &str, pager: Option<&OsStr>) -> Outcome<()> {
        let pager = pager.unwrap_or(OsStr::new(DEFAULT_PAGER));
        let settings = &self.settings;
        let wanted = settings.stdout_terminal && settings.output.is_none() && !settings.dumb;
        if wanted && !pager.is_empty() && pager != OsStr::new("cat") && shown_by(pager, text) {
            return Ok(());
        }
        self.raw(text)
    }
}

/// True if the pager showed the text; false where it could not be started.
fn shown_by(pager: &OsStr, text: &str) -> bool {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", START_PAGER]).arg(pager).stdin(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return false };
    if let Some(mut stdin) = child.stdin.take() {
        // A pager that was left early closes the pipe.
        drop(stdin.write_all(text.as_bytes()));
    }
    child.wait().is_ok_and(|status| !matches!(status.code(), Some(126 | 127)))
}
