//! Many small things in a row: one glyph each, numbers at the side, words in a legend.
//!
//! Chooses what fits the width and glyphs that differ without colour, in ASCII where asked.

use super::label::Label;
use super::page::Document;
use super::text;

/// Never wider than this, whatever the terminal has.
const WIDTH: usize = 80;
/// Cells in a row where there is room.
const CELLS: usize = 64;
/// Between the number and the cells, and between two entries of the legend.
const GAP: usize = 2;

/// A kind of cell: how it looks and what it is called.
#[derive(Clone, Copy, Debug)]
pub struct ChartKey {
    /// Its meaning, from which its colour follows.
    pub label: Label,
    /// How it is drawn, one column wide.
    pub glyph: char,
    /// How it is drawn in ASCII.
    pub ascii: char,
    /// What it is called in the legend.
    pub word: &'static str,
    /// How many there are in all; those with none are not in the legend.
    pub count: u64,
}

/// Cells in order.
#[derive(Clone, Debug)]
pub struct Chart {
    /// The kinds.
    pub keys: Vec<ChartKey>,
    /// Each cell's kind, by its place among `keys`.
    pub cells: Vec<usize>,
    /// How many things one cell stands for.
    pub per_cell: u32,
    /// What the things are called, in the plural.
    pub things: &'static str,
}

impl Chart {
    /// Draws the chart on `page`; nothing when it has no cells.
    pub fn draw(&self, page: &mut Document<'_>) {
        if self.cells.is_empty() {
            return;
        }
        let width = page.width().unwrap_or(WIDTH).min(WIDTH);
        let number_of = |cell: usize| cell as u64 * u64::from(self.per_cell) + 1;
        let digits = number_of(self.cells.len() - 1).to_string().len();
        let room = width.saturating_sub(digits + GAP).max(1);
        // A power of two, so that the numbers at the side are easy to count on from.
        let row = if room >= CELLS { CELLS } else { 1 << room.ilog2() };
        for (number, cells) in self.cells.chunks(row).enumerate() {
            let side = format!("{:>digits$}{:GAP$}", number_of(number * row), "");
            self.row(page, &side, cells);
        }
        for line in self.legend(page.ascii(), width) {
            let pieces: Vec<(Label, &str)> =
                line.iter().map(|(label, text)| (*label, text.as_str())).collect();
            page.spans(&pieces);
        }
        if self.per_cell > 1 {
            page.line(&format!(
                "One sign is {} {}, and shows the worst of them.",
                self.per_cell, self.things
            ));
        }
    }

    /// One row; neighbours of one kind are one piece, so that colour costs little.
    fn row(&self, page: &mut Document<'_>, side: &str, cells: &[usize]) {
        let ascii = page.ascii();
        let mut pieces = vec![(Label::Dim, side.to_owned())];
        for same in cells.chunk_by(|one, other| one == other) {
            let key = same.first().and_then(|kind| self.keys.get(*kind));
            if let Some(key) = key {
                let glyph = if ascii { key.ascii } else { key.glyph };
                pieces.push((key.label, std::iter::repeat_n(glyph, same.len()).collect()));
            }
        }
        let pieces: Vec<(Label, &str)> = pieces.iter().map(|(label, text)| (*label, text.as_str())).collect();
        page.spans(&pieces);
    }

    /// Glyph, word and count of every kind that occurs, in lines that fit.
    fn legend(&self, ascii: bool, width: usize) -> Vec<Vec<(Label, String)>> {
        let mut lines: Vec<Vec<(Label, String)>> = vec![Vec::new()];
        let mut used = 0;
        for key in self.keys.iter().filter(|key| key.count > 0) {
            let glyph = if ascii { key.ascii } else { key.glyph };
            let words = format!(" {} {}{:GAP$}", key.word, key.count, "");
            let columns = 1 + text::width(&words);
            if used > 0 && used + columns > width + GAP {
                lines.push(Vec::new());
                used = 0;
            }
            used += columns;
            if let Some(line) = lines.last_mut() {
                line.push((key.label, glyph.to_string()));
                line.push((Label::Text, words));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::TextGuard;
    use super::*;

    fn chart(cells: usize) -> Chart {
        let key = |label, glyph, ascii, word, count| ChartKey { label, glyph, ascii, word, count };
        Chart {
            keys: vec![
                key(Label::Text, '█', '#', "whole", 123),
                key(Label::Bad, '✗', 'X', "broken", 4),
                key(Label::Dim, '·', '.', "absent", 0),
            ],
            cells: (0..cells).map(|cell| usize::from(cell % 7 == 3)).collect(),
            per_cell: 2,
            things: "pages",
        }
    }

    fn drawn(chart: &Chart, ascii: bool, color: bool, width: Option<usize>) -> String {
        let mut text = String::new();
        chart.draw(&mut Document::new(&mut text, TextGuard::Terminal, color, ascii, width));
        text
    }

    #[test]
    fn rows_are_numbered_and_the_legend_has_words() {
        let text = drawn(&chart(70), true, false, None);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0].len(), 3 + 2 + 64);
        assert!(lines[0].starts_with("  1  ###X###"), "{text}");
        assert!(lines[1].starts_with("129  "), "{text}");
        assert_eq!(lines[2], "# whole 123  X broken 4");
        assert_eq!(lines[3], "One sign is 2 pages, and shows the worst of them.");
        assert!(text.is_ascii());
    }

    #[test]
    fn no_line_is_wider_than_the_page() {
        for width in [12, 20, 40, 79, 80, 200] {
            for line in drawn(&chart(1000), false, false, Some(width)).lines() {
                let sentence = line.starts_with("One");
                assert!(sentence || text::width(line) <= width.min(80), "{width}: {line}");
            }
        }
        assert_eq!(drawn(&chart(0), false, false, None), "");
    }

    #[test]
    fn colour_is_per_run() {
        let text = drawn(&chart(8), false, true, None);
        assert!(text.contains("███\u{1b}[31m✗\u{1b}[0m███"), "{text:?}");
    }
}
