//! Tables for people, drawn by comfy-table behind this one file.
//!
//! Chooses which columns are shown in the given width and which of them shrink. Cells are cut here; the crate only pads.

use std::borrow::Cow;

use comfy_table::{Attribute, Cell as Drawn, CellAlignment, Color, ContentArrangement, presets};

use super::label::Label;
use super::text::{self, TextGuard};

/// Columns between two columns.
const GAP: usize = 2;

/// A column: its name and how it gives way when the page is narrow.
#[derive(Clone, Debug)]
pub struct TextColumn {
    name: Cow<'static, str>,
    /// Least columns it is worth showing with; a fixed column has no less than its content.
    least: Option<usize>,
    /// 0 is never left out; the highest number goes first.
    priority: u8,
    right: bool,
    /// What is cut away is its beginning.
    keeps_end: bool,
    /// Gives way after all others.
    main: bool,
}

impl TextColumn {
    /// A column that is never cut and never left out: ids, statuses.
    pub fn fixed(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), least: None, priority: 0, right: false, keeps_end: false, main: false }
    }

    /// A column that may be cut down to 12 columns, and is never left out.
    pub fn text(name: impl Into<Cow<'static, str>>) -> Self {
        Self { least: Some(12), ..Self::fixed(name) }
    }

    /// As [`TextColumn::text`], for paths: the beginning is cut away, so that the file's name can be read.
    pub fn path(name: impl Into<Cow<'static, str>>) -> Self {
        Self { keeps_end: true, ..Self::text(name) }
    }

    /// May be left out; the highest number goes first.
    #[must_use]
    pub fn priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }

    /// Cut to no fewer columns than this.
    #[must_use]
    pub fn least(mut self, columns: usize) -> Self {
        self.least = Some(columns);
        self
    }

    /// What the table is for: it is cut only when no other column can give way.
    #[must_use]
    pub fn main(mut self) -> Self {
        self.main = true;
        self
    }

    /// Aligned to the right: numbers.
    #[must_use]
    pub fn right(mut self) -> Self {
        self.right = true;
        self
    }
}

/// Rows under named columns.
#[derive(Clone, Debug)]
pub struct TextTable {
    columns: Vec<TextColumn>,
    rows: Vec<Vec<(Label, String)>>,
}

impl TextTable {
    /// An empty table.
    pub fn new(columns: impl IntoIterator<Item = TextColumn>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row of labelled cells, in the order of the columns. Missing cells are empty.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = (Label, T)>) {
        self.rows.push(cells.into_iter().map(|(label, text)| (label, text.into())).collect());
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Return each column's name, whether it is aligned to the right, and whether it may be cut.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&str, bool, bool)> {
        self.columns.iter().map(|column| (column.name.as_ref(), column.right, column.least.is_some()))
    }

    /// Return the rows, each with its cells in the order of the columns.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[(Label, String)]> {
        self.rows.iter().map(Vec::as_slice)
    }

    pub(super) fn draw(
        &self,
        to: &mut String,
        guard: TextGuard,
        color: bool,
        ascii: bool,
        width: Option<usize>,
    ) {
        if self.is_empty() {
            return;
        }
        let safe: Vec<Vec<Cow<'_, str>>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(|(_, text)| text::guard(text, guard)).collect())
            .collect();
        let columns = self.layout(&safe, width);

        let mut drawn = comfy_table::Table::new();
        drawn.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        drawn.force_no_tty();
        if color {
            drawn.enforce_styling();
        }
        drawn.set_header(columns.iter().map(|&(at, _)| header(self.columns.get(at), color)));
        for (row, texts) in self.rows.iter().zip(&safe) {
            drawn.add_row(columns.iter().map(|&(at, columns)| {
                let text = texts.get(at).map_or("", AsRef::as_ref);
                let label = row.get(at).map_or(Label::Text, |(label, _)| *label);
                let keeps_end = self.columns.get(at).is_some_and(|column| column.keeps_end);
                let cut = if keeps_end { text::truncate_start } else { text::truncate };
                let cell = Drawn::new(cut(text, columns, ascii));
                if color { paint(cell, label) } else { cell }
            }));
        }
        let right = |&(at, _): &(usize, usize)| self.columns.get(at).is_some_and(|column| column.right);
        for (place, column) in columns.iter().enumerate() {
            let Some(drawn) = drawn.column_mut(place) else { continue };
            drawn.set_padding((0, u16::try_from(GAP).unwrap_or_default()));
            if right(column) {
                drawn.set_cell_alignment(CellAlignment::Right);
            }
        }
        for line in drawn.lines() {
            to.push_str(line.trim_end());
            to.push('\n');
        }
        let is_shown = |at: usize| columns.iter().any(|&(shown, _)| shown == at);
        let out = self.columns.iter().enumerate().filter(|(at, _)| !is_shown(*at));
        let out: Vec<&str> = out.map(|(_, column)| column.name.as_ref()).collect();
        // A reader must not take a column that is not there for one that is empty.
        if !out.is_empty() {
            let note = format!("Not shown at this width: {}.", out.join(", "));
            for line in text::wrap(&note, width.unwrap_or(usize::MAX)) {
                to.push_str(line);
                to.push('\n');
            }
        }
    }

    /// The columns that are shown, each with the columns of the page that it gets.
    fn layout(&self, safe: &[Vec<Cow<'_, str>>], width: Option<usize>) -> Vec<(usize, usize)> {
        let natural: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let widest = safe.iter().filter_map(|row| row.get(at)).map(|text| text::width(text)).max();
                widest.unwrap_or(0).max(text::width(&column.name))
            })
            .collect();
        let least = |at: usize, natural: usize| {
            let floor = self.columns.get(at).and_then(|column| column.least);
            floor.map_or(natural, |floor| floor.min(natural))
        };
        let mut shown: Vec<(usize, usize)> = natural.into_iter().enumerate().collect();
        let Some(width) = width else { return shown };

        let sum = |columns: &[(usize, usize)], each: &dyn Fn(usize, usize) -> usize| {
            let gaps = columns.len().saturating_sub(1) * GAP;
            columns.iter().map(|&(at, natural)| each(at, natural)).sum::<usize>() + gaps
        };
        while sum(&shown, &least) > width {
            let priority = |at: usize| self.columns.get(at).map_or(0, |column| column.priority);
            let Some(place) = (0..shown.len())
                .filter(|&place| shown.get(place).is_some_and(|&(at, _)| priority(at) > 0))
                .max_by_key(|&place| shown.get(place).map_or(0, |&(at, _)| priority(at)))
            else {
                break;
            };
            shown.remove(place);
        }
        let mut excess = sum(&shown, &|_, natural| natural).saturating_sub(width);
        while excess > 0 {
            // The widest column that can still give way gives one column; ids and statuses cannot.
            let main = |at: usize| self.columns.get(at).is_some_and(|column| column.main);
            let widest = shown
                .iter_mut()
                .filter(|(at, now)| *now > least(*at, *now))
                .max_by_key(|(at, now)| (!main(*at), *now));
            let Some((_, now)) = widest else { break };
            *now -= 1;
            excess -= 1;
        }
        shown
    }
}

fn header(column: Option<&TextColumn>, color: bool) -> Drawn {
    let cell = Drawn::new(column.map_or("", |column| column.name.as_ref()));
    if color { cell.add_attribute(Attribute::Bold) } else { cell }
}

/// The palette of `label`, in the drawing crate's words.
fn paint(cell: Drawn, label: Label) -> Drawn {
    match label {
        Label::Text => cell,
        Label::Heading => cell.add_attribute(Attribute::Bold),
        Label::Id => cell.fg(Color::DarkMagenta),
        Label::Good => cell.fg(Color::DarkGreen),
        Label::Active | Label::Hint => cell.fg(Color::DarkCyan),
        Label::Ready => cell.fg(Color::DarkBlue),
        Label::Warning => cell.fg(Color::DarkYellow),
        Label::Bad => cell.fg(Color::DarkRed),
        Label::Dim => cell.add_attribute(Attribute::Dim),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks() -> TextTable {
        let mut table = TextTable::new([
            TextColumn::fixed("ID"),
            TextColumn::fixed("STATUS"),
            TextColumn::text("ASSIGNEE").priority(2).least(6),
            TextColumn::fixed("PRIORITY").priority(1).right(),
            TextColumn::text("TITLE"),
        ]);
        let title = "A title that is long enough to be cut on a narrow terminal";
        table.row([
            (Label::Id, "t_1a2b3c4d"),
            (Label::Ready, "ready"),
            (Label::Text, "worker-one"),
            (Label::Text, "5"),
            (Label::Text, title),
        ]);
        table.row([
            (Label::Id, "t_5e6f7a8b"),
            (Label::Good, "done"),
            (Label::Text, ""),
            (Label::Text, "10"),
            (Label::Text, "日本語\nx\u{1b}[2J"),
        ]);
        table
    }

    fn drawn(width: Option<usize>, color: bool) -> String {
        let mut text = String::new();
        tasks().draw(&mut text, TextGuard::Terminal, color, false, width);
        text
    }

    #[test]
    fn without_a_width_nothing_is_cut() {
        insta::assert_snapshot!(drawn(None, false), @r"
        ID          STATUS  ASSIGNEE    PRIORITY  TITLE
        t_1a2b3c4d  ready   worker-one         5  A title that is long enough to be cut on a narrow terminal
        t_5e6f7a8b  done                      10  日本語\nx\x1b[2J
        ");
    }

    #[test]
    fn sixty_columns_keep_ids_and_statuses_whole() {
        let text = drawn(Some(60), false);
        assert!(text.lines().all(|line| text::width(line) <= 60), "{text}");
        assert!(text.contains("t_1a2b3c4d  ready"), "{text}");
        assert!(text.contains('…'), "{text}");
    }

    #[test]
    fn narrow_pages_leave_out_columns_by_priority() {
        let text = drawn(Some(44), false);
        assert!(text.lines().all(|line| text::width(line) <= 44), "{text}");
        let head = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        assert!(!head(&text).contains("ASSIGNEE") && head(&text).contains("PRIORITY"), "{text}");
        assert!(text.ends_with("Not shown at this width: ASSIGNEE.\n"), "{text}");
        assert!(!head(&drawn(Some(30), false)).contains("PRIORITY"));
    }

    #[test]
    fn of_a_path_the_end_is_kept() {
        let mut table = TextTable::new([TextColumn::fixed("KIND"), TextColumn::path("PATH")]);
        table.row([(Label::Id, "live"), (Label::Text, "/home/somebody/.hermes/boards/日本語/kanban.db")]);
        for (columns, ascii, expected) in [
            (30, false, "live  …boards/日本語/kanban.db"),
            (21, false, "live  …本語/kanban.db"),
            (20, false, "live  …語/kanban.db"),
            (21, true, "live  ...語/kanban.db"),
            (100, false, "live  /home/somebody/.hermes/boards/日本語/kanban.db"),
        ] {
            let mut text = String::new();
            table.draw(&mut text, TextGuard::Terminal, false, ascii, Some(columns));
            assert_eq!(text.lines().nth(1), Some(expected), "{columns} {ascii}");
        }
    }

    #[test]
    fn too_narrow_for_anything_still_shows_the_id() {
        assert!(drawn(Some(20), false).contains("t_1a2b3c4d"));
    }
}
