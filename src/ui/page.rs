//! Output for people: lines, pairs, paragraphs and tables of known width.
//!
//! Makes every text safe before it is shown, colours by label and folds long text. Not here: columns ([`super::table`]).

use super::label::Label;
use super::table::TextTable;
use super::text::{self, TextGuard};
use crate::process::clock;

/// A page that a report writes itself on.
pub struct Document<'a> {
    to: &'a mut String,
    guard: TextGuard,
    color: bool,
    ascii: bool,
    width: Option<usize>,
}

impl<'a> Document<'a> {
    pub(super) fn new(
        to: &'a mut String,
        guard: TextGuard,
        color: bool,
        ascii: bool,
        width: Option<usize>,
    ) -> Self {
        Self { to, guard, color, ascii, width }
    }

    /// Columns on the page; `None` where lines may be of any length.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether decoration has to be ASCII.
    pub fn ascii(&self) -> bool {
        self.ascii
    }

    /// Return a moment as it is shown here: in the local time zone on a terminal, RFC 3339 in UTC otherwise.
    pub fn moment(&self, epoch: i64) -> String {
        let shown =
            if self.guard == TextGuard::Terminal { clock::local(epoch) } else { clock::rfc3339(epoch) };
        shown.unwrap_or_else(|| epoch.to_string())
    }

    /// Writes one line. Long lines are left to the terminal.
    pub fn line(&mut self, text: &str) {
        self.spans(&[(Label::Text, text)]);
    }

    /// Writes one line made of labelled pieces.
    pub fn spans(&mut self, pieces: &[(Label, &str)]) {
        for &(label, text) in pieces {
            label.paint(self.to, &text::guard(text, self.guard), self.color);
        }
        self.end_line();
    }

    /// Writes one line made of labelled pieces, cut where the page ends.
    pub fn cut_spans(&mut self, pieces: &[(Label, &str)]) {
        let mut room = self.width.unwrap_or(usize::MAX);
        for &(label, text) in pieces {
            let safe = text::guard(text, self.guard);
            let shown = text::truncate(&safe, room, self.ascii);
            room -= text::width(&shown).min(room);
            label.paint(self.to, &shown, self.color);
        }
        self.end_line();
    }

    /// Writes lines that were laid out for this page.
    pub fn styled(&mut self, lines: &[super::StyledLine]) {
        for line in lines {
            let pieces: Vec<(Label, &str)> =
                line.iter().map(|(label, text)| (*label, text.as_str())).collect();
            self.spans(&pieces);
        }
    }

    /// Writes a section's name on a line of its own.
    pub fn heading(&mut self, text: &str) {
        self.spans(&[(Label::Heading, text)]);
    }

    /// Leaves a line empty.
    pub fn blank(&mut self) {
        self.to.push('\n');
    }

    /// Writes names and values below each other; values are aligned and folded with a hanging indent.
    pub fn pairs(&mut self, pairs: &[(&str, &str)]) {
        let labelled: Vec<_> = pairs.iter().map(|&(name, value)| (name, Label::Text, value)).collect();
        self.labelled_pairs(&labelled);
    }

    /// As [`Document::pairs`], with a label for each value.
    pub fn labelled_pairs(&mut self, pairs: &[(&str, Label, &str)]) {
        let column = pairs.iter().map(|(name, _, _)| text::width(name)).max().unwrap_or(0) + 2;
        for &(name, label, value) in pairs {
            let name = text::guard(name, self.guard);
            Label::Heading.paint(self.to, &name, self.color);
            self.pad(column.saturating_sub(text::width(&name)));
            let value = text::guard(value, self.guard);
            self.folded(label, &value, column);
        }
    }

    /// Writes text that may have lines of its own, each indented and folded. Its tabs and line breaks are layout here;
    /// everything else is guarded.
    pub fn paragraph(&mut self, indent: usize, text: &str) {
        for line in text.lines() {
            let line = line.replace('\t', "    ");
            self.pad(indent);
            self.folded(Label::Text, &text::guard(&line, self.guard), indent);
        }
    }

    /// Writes one text that is folded and indented; its line breaks are shown escaped.
    pub fn wrapped(&mut self, label: Label, indent: usize, text: &str) {
        self.pad(indent);
        self.folded(label, &text::guard(text, self.guard), indent);
    }

    /// Draws a table; nothing when it has no rows.
    pub fn table(&mut self, table: &TextTable) {
        table.draw(self.to, self.guard, self.color, self.ascii, self.width);
    }

    /// Draws lanes beside each other.
    pub fn lanes(&mut self, lanes: &super::Lanes) {
        lanes.draw(self.to, self.guard, self.color, self.ascii, self.width);
    }

    /// Writes safe text from the current column on; continuation lines begin at `indent`.
    fn folded(&mut self, label: Label, safe: &str, indent: usize) {
        let room = self.width.map_or(usize::MAX, |width| width.saturating_sub(indent).max(10));
        for (at, line) in text::wrap(safe, room).into_iter().enumerate() {
            if at > 0 {
                self.pad(indent);
            }
            label.paint(self.to, line, self.color);
            self.end_line();
        }
    }

    fn pad(&mut self, columns: usize) {
        self.to.extend(std::iter::repeat_n(' ', columns));
    }

    /// Ends the line without trailing spaces.
    fn end_line(&mut self) {
        self.to.truncate(self.to.trim_end_matches(' ').len());
        self.to.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: Option<usize>, fill: impl FnOnce(&mut Document<'_>)) -> String {
        let mut text = String::new();
        fill(&mut Document::new(&mut text, TextGuard::Terminal, false, false, width));
        text
    }

    #[test]
    fn values_hang_under_each_other() {
        let text = drawn(Some(25), |page| {
            page.pairs(&[("id", "t_1"), ("title", "one two three four five")]);
        });
        assert_eq!(text, "id     t_1\ntitle  one two three four\n       five\n");
    }

    #[test]
    fn a_value_cannot_forge_a_line() {
        let text = drawn(None, |page| page.pairs(&[("title", "x\nstatus  done\u{1b}[A")]));
        assert_eq!(text, "title  x\\nstatus  done\\x1b[A\n");
    }

    #[test]
    fn a_body_keeps_its_lines_and_nothing_else() {
        let text = drawn(None, |page| page.paragraph(2, "a\n\tb\r\nc\u{1b}c"));
        assert_eq!(text, "  a\n      b\n  c\\x1bc\n");
    }

    #[test]
    fn labels_are_colour_only_when_there_is_colour() {
        let mut text = String::new();
        Document::new(&mut text, TextGuard::Terminal, true, false, None).spans(&[(Label::Bad, "no")]);
        assert_eq!(text, "\u{1b}[31mno\u{1b}[0m\n");
    }
}
