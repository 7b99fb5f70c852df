//! Rows of a long JSON report, one after the other.
//!
//! A reader makes the rows while it holds the board, so a slow consumer must not stop it: what stdout cannot take at once waits
//! in memory, then in a file without a name. Lines (`jsonl`, exports) go out while the board is read; an envelope (`json`) is
//! whole or nothing, so it waits until the reading is over.
//!
//! A reading that is done again ([`JsonRows::restart`]) must begin with the same bytes as went out: their number and hash are
//! compared, so what is written is always one reading of the board.
//!
//! Not here: whether what was read still holds ([`crate::pool::Pool::read_rows`]).

use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use serde::Serialize;

use super::json;
use super::{Format, Ui};
use crate::failure::{Failure, Outcome};
use crate::work::unnamed::nameless;

/// Bytes that wait in memory; more wait in a file.
const MOST_IN_MEMORY: usize = 1 << 20;
/// Bytes after which rows are handed on.
const CHUNK_BYTES: usize = 64 << 10;

/// Rows on their way to stdout or to the file of `-o`.
pub struct JsonRows {
    kind: &'static str,
    record_kind: &'static str,
    lines: bool,
    terminal: bool,
    scratch: PathBuf,
    /// What waits, behind what waits in the file.
    pending: Vec<u8>,
    held: Option<File>,
    held_bytes: u64,
    /// What of that belongs to readings that are over.
    confirmed_bytes: u64,
    /// Rows so far, and those of readings that are over.
    rows: u64,
    confirmed_rows: u64,
    /// What went out of this reading.
    released: Prefix,
    /// What a second reading has made of that so far.
    repeated: Prefix,
}

/// The beginning of a reading.
#[derive(Clone, Default)]
struct Prefix {
    bytes: u64,
    hash: DefaultHasher,
}

impl Prefix {
    fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.write(bytes);
    }
}

impl Ui {
    /// Rows of a report of this kind; in a format of lines each is a record of `record_kind`. What has to wait does so in
    /// `scratch`.
    pub fn json_rows(&self, kind: &'static str, record_kind: &'static str, scratch: PathBuf) -> JsonRows {
        self.rows(kind, record_kind, self.settings.format == Format::Jsonl, scratch)
    }

    /// Lines of several kinds, whatever the format.
    pub fn json_lines(&self, scratch: PathBuf) -> JsonRows {
        self.rows("", "", true, scratch)
    }

    fn rows(&self, kind: &'static str, record_kind: &'static str, lines: bool, scratch: PathBuf) -> JsonRows {
        JsonRows {
            kind,
            record_kind,
            lines,
            terminal: self.settings.stdout_terminal,
            scratch,
            pending: Vec::new(),
            held: None,
            held_bytes: 0,
            confirmed_bytes: 0,
            rows: 0,
            confirmed_rows: 0,
            released: Prefix::default(),
            repeated: Prefix::default(),
        }
    }
}

impl JsonRows {
    /// Begin the reading, or begin it again: what was not written is forgotten.
    pub fn restart(&mut self) {
        self.pending.clear();
        self.held_bytes = self.confirmed_bytes;
        self.rows = self.confirmed_rows;
        self.repeated = Prefix::default();
    }

    /// Return the number of rows.
    pub fn count(&self) -> u64 {
        self.rows
    }

    /// Add one row.
    ///
    /// # Errors
    /// Exit 11 where the row differs from what another reading gave; where nothing can be set aside.
    pub fn push<T: Serialize>(&mut self, row: &T) -> Outcome<()> {
        self.push_kind(self.record_kind, row)
    }

    /// Add one line of this kind.
    ///
    /// # Errors
    /// As [`JsonRows::push`].
    pub fn push_kind<T: Serialize>(&mut self, kind: &str, row: &T) -> Outcome<()> {
        let begin = self.pending.len();
        let made = if self.lines {
            json::envelope(&mut self.pending, kind, row, self.terminal)
        } else {
            if self.rows > 0 {
                self.pending.push(b',');
            }
            json::value(&mut self.pending, row, self.terminal)
        };
        made.map_err(|error| Failure::failed(format!("a row cannot be written as JSON: {error}.")))?;
        self.rows += 1;
        if self.repeated.bytes < self.released.bytes {
            self.compare(begin)?;
        }
        if self.pending.len() >= MOST_IN_MEMORY {
            self.set_aside()?;
        }
        Ok(())
    }

    /// True if a release would write something worth it: the first row, or enough of them.
    pub fn is_due(&self) -> bool {
        self.lines
            && self.held_bytes == 0
            && (self.pending.len() >= CHUNK_BYTES || self.released.bytes == 0 && !self.pending.is_empty())
    }

    /// Write what stdout takes without waiting: whole lines. Nothing else goes out of this reading once something had to be
    /// set aside.
    ///
    /// # Errors
    /// When the destination cannot be written.
    pub fn release(&mut self, ui: &mut Ui) -> Outcome<()> {
        if !self.is_due() {
            return Ok(());
        }
        let most = ui.room().min(self.pending.len());
        let end = self.pending.iter().take(most).rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let Some(whole) = self.pending.get(..end).filter(|whole| !whole.is_empty()) else { return Ok(()) };
        ui.raw_bytes(whole)?;
        self.released.add(whole);
        self.repeated = self.released.clone();
        self.pending.drain(..end);
        Ok(())
    }

    /// Take the reading for good: a new one goes on behind it. Lines are written now, however long stdout takes.
    ///
    /// # Errors
    /// When the destination cannot be written.
    pub fn confirm(&mut self, ui: &mut Ui) -> Outcome<()> {
        if self.lines {
            self.write_out(ui)?;
        } else {
            self.set_aside()?;
        }
        self.confirmed_bytes = self.held_bytes;
        self.confirmed_rows = self.rows;
        (self.released, self.repeated) = (Prefix::default(), Prefix::default());
        Ok(())
    }

    /// Write the rest, once all readings are over.
    ///
    /// # Errors
    /// When the destination cannot be written.
    pub fn finish(mut self, ui: &mut Ui) -> Outcome<()> {
        if self.lines {
            return self.write_out(ui);
        }
        ui.raw_bytes(json::head(self.kind).as_bytes())?;
        self.pending.extend_from_slice(json::TAIL);
        self.write_out(ui)
    }

    /// Return the lines that wait, once all readings are over.
    ///
    /// # Errors
    /// When what was set aside cannot be read.
    pub fn into_bytes(mut self) -> Outcome<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.held_bytes).unwrap_or(0)];
        if let Some(file) = &self.held {
            file.read_exact_at(&mut bytes, 0).map_err(|error| self.setting_aside(error))?;
        }
        bytes.append(&mut self.pending);
        Ok(bytes)
    }

    fn write_out(&mut self, ui: &mut Ui) -> Outcome<()> {
        if let Some(file) = self.held.as_ref().filter(|_| self.held_bytes > 0) {
            let mut piece = vec![0; CHUNK_BYTES];
            let mut at = 0;
            while at < self.held_bytes {
                let len =
                    usize::try_from(self.held_bytes - at).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
                let Some(piece) = piece.get_mut(..len) else { break };
                file.read_exact_at(piece, at).map_err(|error| self.setting_aside(error))?;
                ui.raw_bytes(piece)?;
                at += len as u64;
            }
        }
        self.held_bytes = 0;
        if !self.pending.is_empty() {
            ui.raw_bytes(&self.pending)?;
            self.pending.clear();
        }
        Ok(())
    }

    /// Move what waits in memory to the file.
    fn set_aside(&mut self) -> Outcome<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let file = match self.held.take() {
            Some(file) => file,
            None => nameless(&self.scratch).map_err(|error| self.setting_aside(error))?,
        };
        let written = file.write_all_at(&self.pending, self.held_bytes);
        self.held = Some(file);
        written.map_err(|error| self.setting_aside(error))?;
        self.held_bytes += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    fn setting_aside(&self, error: io::Error) -> Failure {
        let doing = format!("setting rows aside in {}", self.scratch.display());
        Failure::making(error, doing)
            .at(&self.scratch)
            .hint("Name a folder with room for the output in TMPDIR.")
    }

    /// Compare the row at `begin` with what went out, and forget it where it is the same.
    fn compare(&mut self, begin: usize) -> Outcome<()> {
        self.repeated.add(self.pending.get(begin..).unwrap_or_default());
        self.pending.truncate(begin);
        let same = match self.repeated.bytes.cmp(&self.released.bytes) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => self.repeated.hash.finish() == self.released.hash.finish(),
            std::cmp::Ordering::Greater => false,
        };
        if same {
            return Ok(());
        }
        Err(Failure::busy(
            "the board changed while it was read; the rows that were written are as it was before.",
        )
        .hint("Run the command again, or take --json, which is written when the whole board is read."))
    }
}

impl std::fmt::Debug for JsonRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonRows").field("kind", &self.kind).field("rows", &self.rows).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::Write;
    use std::rc::Rc;

    use super::*;
    use crate::ui::Settings;

    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn ui(format: Format) -> (Ui, Shared) {
        let out = Shared::default();
        let settings = Settings { format, ..Settings::default() };
        (Ui::with_streams(settings, Box::new(out.clone()), Box::new(Vec::new())), out)
    }

    fn text(out: &Shared) -> String {
        String::from_utf8(out.0.borrow().clone()).unwrap()
    }

    fn rows(ui: &Ui) -> JsonRows {
        ui.json_rows("number.list", "number", std::env::temp_dir())
    }

    #[test]
    fn lines_go_out_at_once_and_a_second_reading_goes_on_behind_them() {
        let (mut ui, out) = ui(Format::Jsonl);
        let mut rows = rows(&ui);
        rows.restart();
        rows.push(&1).unwrap();
        rows.release(&mut ui).unwrap();
        rows.push(&2).unwrap();
        assert_eq!(text(&out).lines().count(), 1);
        rows.restart();
        for number in 1..4 {
            rows.push(&number).unwrap();
        }
        rows.finish(&mut ui).unwrap();
        let numbers: Vec<_> =
            text(&out).lines().map(|line| line.split("data\":").nth(1).unwrap().to_owned()).collect();
        assert_eq!(numbers, ["1}", "2}", "3}"]);
    }

    #[test]
    fn a_second_reading_that_differs_is_refused() {
        let (mut ui, out) = ui(Format::Jsonl);
        let mut rows = rows(&ui);
        rows.push(&1).unwrap();
        rows.release(&mut ui).unwrap();
        rows.restart();
        assert_eq!(rows.push(&7).unwrap_err().exit(), crate::failure::exit::Exit::Busy);
        assert_eq!(text(&out).lines().count(), 1);
    }

    #[test]
    fn an_envelope_is_the_same_as_of_a_whole_report_and_waits_for_the_end() {
        let (mut ui, out) = ui(Format::Json);
        let mut rows = rows(&ui);
        let long = "x".repeat(700_000);
        for _ in 0..2 {
            rows.restart();
            for _ in 0..4 {
                rows.push(&long).unwrap();
                rows.release(&mut ui).unwrap();
            }
        }
        assert_eq!(text(&out), "");
        rows.finish(&mut ui).unwrap();
        let mut whole = Vec::new();
        json::envelope(&mut whole, "number.list", &vec![long; 4], false).unwrap();
        assert!(out.0.borrow().as_slice() == whole.as_slice());
    }

    #[test]
    fn a_reading_that_failed_leaves_those_before_it() {
        for format in [Format::Json, Format::Jsonl] {
            let (mut ui, out) = ui(format);
            let mut rows = rows(&ui);
            rows.push(&1).unwrap();
            rows.confirm(&mut ui).unwrap();
            rows.restart();
            rows.push(&2).unwrap();
            rows.restart();
            rows.push(&3).unwrap();
            rows.confirm(&mut ui).unwrap();
            rows.finish(&mut ui).unwrap();
            let said = text(&out);
            assert!(
                said.contains('1')
                    && said.contains('3')
                    && !said.contains("data\":2")
                    && !said.contains(",2"),
                "{said}"
            );
        }
    }
}
