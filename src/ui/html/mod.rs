//! One self-contained HTML page: a style sheet in it, no script, nothing from elsewhere.
//!
//! Every text goes through [`escaped`], and characters that hide or turn text around are shown as their numbers, so that a
//! title on a board is text on the page and nothing else. The pieces are those of [`super::Document`]: tables, charts, lines.
//!
//! Not here: what a page says ([`crate::commands`]).

use std::fmt::Write;

use super::chart::Chart;
use super::label::Label;
use super::table::TextTable;
use super::text::{self, TextGuard};

/// The style of every page.
const STYLE: &str = include_str!("style.css");
/// Nothing may be loaded and no script may run, whatever a text contains.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
/// Cells of a chart in a row.
const CELLS: usize = 64;
/// The width of a bar in units of its drawing.
const BAR: u64 = 1_000;
/// More entries of a list than this are folded up but for the first and the last.
const MAX_OPEN: usize = 80;
/// Entries that stay open at each end of a list that is folded up.
const OPEN_ENDS: usize = 30;

/// A page under construction.
#[derive(Debug)]
pub struct HtmlPage {
    title: String,
    head: String,
    links: String,
    body: String,
    is_open: bool,
}

/// One entry of a timeline.
#[derive(Clone, Debug)]
pub struct HtmlMoment {
    /// When, for people.
    pub time: String,
    /// The same for programs, RFC 3339.
    pub time_utc: String,
    /// What kind of thing it is, from which its colour follows.
    pub label: Label,
    /// What happened.
    pub what: String,
    /// The rest of it.
    pub more: String,
}

impl HtmlPage {
    /// Begin a page: its title, and a word about its subject with the meaning of that word.
    pub fn new(title: &str, verdict: (Label, &str)) -> Self {
        let mut head = String::new();
        let _ = writeln!(
            head,
            "<h1>{} <span class=\"verdict {}\">{}</span></h1>",
            escaped(title),
            class(verdict.0),
            escaped(verdict.1)
        );
        Self { title: title.to_owned(), head, links: String::new(), body: String::new(), is_open: false }
    }

    /// Add facts below the title.
    pub fn facts(&mut self, facts: &[(&str, String)]) {
        self.head.push_str("<dl class=\"facts\">");
        for (name, value) in facts {
            let _ = write!(self.head, "<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(value));
        }
        self.head.push_str("</dl>\n");
    }

    /// Add a sentence that stands out.
    pub fn sentence(&mut self, label: Label, text: &str) {
        let _ =
            writeln!(self.body, "<div class=\"sentence {}\"><p>{}</p></div>", class(label), escaped(text));
    }

    /// Begin a section; `id` is what links lead to.
    pub fn section(&mut self, id: &'static str, title: &str) {
        self.end_section();
        let title = escaped(title);
        let _ = write!(self.links, "<a href=\"#{id}\">{title}</a>");
        let _ = writeln!(self.body, "<section id=\"{id}\"><h2>{title}</h2>");
        self.is_open = true;
    }

    fn end_section(&mut self) {
        if std::mem::take(&mut self.is_open) {
            self.body.push_str("</section>\n");
        }
    }

    /// Add a paragraph.
    pub fn paragraph(&mut self, text: &str) {
        let _ = writeln!(self.body, "<p>{}</p>", escaped(text));
    }

    /// Add command lines in their order, each with the reason for it.
    pub fn commands<'c>(&mut self, commands: impl IntoIterator<Item = (&'c str, &'c str)>) {
        self.body.push_str("<ol class=\"commands\">");
        for (why, command) in commands {
            let _ = writeln!(self.body, "<li>{}<pre>{}</pre></li>", escaped(why), escaped(command));
        }
        self.body.push_str("</ol>\n");
    }

    /// Add a table. On a narrow page each row becomes a block.
    pub fn table(&mut self, table: &TextTable) {
        let columns: Vec<(&str, bool, bool)> = table.columns().collect();
        self.body.push_str("<div class=\"scroll\"><table><thead><tr>");
        for (name, right, _) in &columns {
            let side = if *right { " class=\"right\"" } else { "" };
            let _ = write!(self.body, "<th scope=\"col\"{side}>{}</th>", escaped(name));
        }
        self.body.push_str("</tr></thead><tbody>");
        let rows: Vec<String> = table.rows().map(|row| row_of(&columns, row)).collect();
        self.folded(&rows, ("</tbody></table>", "<table><tbody>"));
        self.body.push_str("</tbody></table></div>\n");
    }

    /// Add entries in the order of time.
    pub fn timeline(&mut self, moments: &[HtmlMoment]) {
        self.body.push_str("<ol class=\"timeline\">");
        let entries: Vec<String> = moments
            .iter()
            .map(|moment| {
                format!(
                    "<li class=\"{}\"><time datetime=\"{}\">{}</time><span class=\"what\">{}</span> <span \
                     class=\"more\">{}</span></li>\n",
                    class(moment.label),
                    escaped(&moment.time_utc),
                    escaped(&moment.time),
                    escaped(&moment.what),
                    escaped(&moment.more)
                )
            })
            .collect();
        self.folded(&entries, ("</ol>", "<ol class=\"timeline\">"));
        self.body.push_str("</ol>\n");
    }

    /// Writes a list; of a long one the middle is folded up, and can be opened without a script. `element` closes and opens
    /// what the entries stand in.
    fn folded(&mut self, entries: &[String], element: (&str, &str)) {
        let (head, rest) = match entries.len() {
            0..=MAX_OPEN => (entries, &[][..]),
            _ => entries.split_at(OPEN_ENDS),
        };
        self.body.extend(head.iter().map(String::as_str));
        let (folded, tail) = rest.split_at(rest.len().saturating_sub(OPEN_ENDS));
        if !folded.is_empty() {
            let (close, open) = element;
            let _ = write!(self.body, "{close}<details><summary>{} more</summary>{open}", folded.len());
            self.body.extend(folded.iter().map(String::as_str));
            let _ = write!(self.body, "{close}</details>{open}");
        }
        self.body.extend(tail.iter().map(String::as_str));
    }

    /// Add one bar for each name, in shares of the longest, and what its colours mean.
    pub fn bars(&mut self, bars: &[(String, Vec<(Label, u64)>)], keys: &[(Label, &str)]) {
        let total = |shares: &[(Label, u64)]| shares.iter().map(|(_, count)| count).sum::<u64>();
        let longest = bars.iter().map(|(_, shares)| total(shares)).max().unwrap_or(0).max(1);
        self.body.push_str("<div class=\"bars\">");
        for (name, shares) in bars {
            let _ = write!(
                self.body,
                "<span>{}</span><svg viewBox=\"0 0 {BAR} 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
                escaped(name)
            );
            let mut at = 0;
            for (label, count) in shares.iter().filter(|(_, count)| *count > 0) {
                // What is there is seen, however little it is.
                let share = u128::from(*count) * u128::from(BAR) / u128::from(longest);
                let width = u64::try_from(share).unwrap_or(BAR).max(4);
                let _ = write!(
                    self.body,
                    "<rect x=\"{at}\" y=\"0\" width=\"{width}\" height=\"10\" class=\"fill-{}\"/>",
                    class(*label)
                );
                at += width;
            }
            self.body.push_str("</svg>");
        }
        self.body.push_str("</div>\n");
        self.legend(keys.iter().map(|(label, word)| (*label, (*word).to_owned())));
    }

    fn legend(&mut self, keys: impl Iterator<Item = (Label, String)>) {
        self.body.push_str("<ul class=\"legend\">");
        for (label, text) in keys {
            let _ = write!(
                self.body,
                "<li><svg viewBox=\"0 0 1 1\" aria-hidden=\"true\"><rect width=\"1\" height=\"1\" class=\"fill-{}\"/></svg>{}</li>",
                class(label),
                escaped(&text)
            );
        }
        self.body.push_str("</ul>\n");
    }

    /// Add a chart and its legend; nothing when it has no cells.
    pub fn chart(&mut self, chart: &Chart) {
        if chart.cells.is_empty() {
            return;
        }
        let rows = chart.cells.len().div_ceil(CELLS);
        let width = chart.cells.len().min(CELLS);
        let _ = write!(
            self.body,
            "<svg class=\"map\" viewBox=\"0 0 {width} {rows}\" role=\"img\" aria-label=\"{} in the order of the file\">",
            escaped(chart.things)
        );
        for (row, cells) in chart.cells.chunks(CELLS).enumerate() {
            let mut column = 0;
            for run in cells.chunk_by(|one, other| one == other) {
                if let Some(key) = run.first().and_then(|kind| chart.keys.get(*kind)) {
                    let first = (row * CELLS + column) as u64 * u64::from(chart.per_cell) + 1;
                    let last = first + run.len() as u64 * u64::from(chart.per_cell) - 1;
                    let damage = if key.label == Label::Bad { " damage" } else { "" };
                    let _ = write!(
                        self.body,
                        "<rect x=\"{column}.04\" y=\"{row}.06\" width=\"{}.92\" height=\".88\" class=\"fill-{}{damage}\"><title>{} {first} to {last}: {}</title></rect>",
                        run.len() - 1,
                        class(key.label),
                        escaped(chart.things),
                        escaped(key.word)
                    );
                }
                column += run.len();
            }
        }
        self.body.push_str("</svg>\n");
        let keys = chart.keys.iter().filter(|key| key.count > 0);
        self.legend(keys.map(|key| (key.label, format!("{} {}", key.word, key.count))));
    }

    /// The page as it is written to a file; `foot` is its last line.
    pub fn finish(mut self, foot: &str) -> String {
        self.end_section();
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <header>\n{}<nav>{}</nav>\n</header>\n<main>\n{}</main>\n<footer><p>{}</p></footer>\n</body>\n</html>\n",
            escaped(&self.title),
            self.head,
            self.links,
            self.body,
            escaped(foot)
        )
    }
}

/// One row of a table whose columns have a name, a side and whether they are cut on a terminal.
fn row_of(columns: &[(&str, bool, bool)], row: &[(Label, String)]) -> String {
    let mut text = String::from("<tr>");
    for ((name, right, free), (label, cell)) in columns.iter().zip(row) {
        let side = if *right { " right" } else { "" };
        let side = if *free { " free" } else { side };
        let _ = write!(
            text,
            "<td class=\"{}{side}\" data-column=\"{}\"><span>{}</span></td>",
            class(*label),
            escaped(name),
            escaped(cell)
        );
    }
    text.push_str("</tr>\n");
    text
}

/// The name of a meaning in the style sheet.
fn class(label: Label) -> &'static str {
    match label {
        Label::Text | Label::Heading | Label::Hint => "text",
        Label::Id => "id",
        Label::Good => "good",
        Label::Active => "active",
        Label::Ready => "ready",
        Label::Warning => "warning",
        Label::Bad => "bad",
        Label::Dim => "dim",
    }
}

/// Text as content or as the value of an attribute in double quotes: it begins no tag, ends no attribute, names no entity,
/// and neither hides nor turns around what stands beside it.
fn escaped(text: &str) -> String {
    let text = text::guard(text, TextGuard::Terminal);
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::super::table::TextColumn;
    use super::*;

    #[test]
    fn no_text_begins_a_tag_or_ends_an_attribute() {
        let hostile = "</style><script>alert(1)</script>\" onload='x' &lt; \u{202e}\u{200b}\0\u{1b}[31m";
        let safe = escaped(hostile);
        assert!(!safe.contains(['<', '>', '"', '\'', '\u{202e}', '\u{200b}', '\0', '\u{1b}']), "{safe}");
        assert!(safe.contains("&lt;script&gt;") && safe.contains("&amp;lt;"), "{safe}");
        assert_eq!(escaped("日本 é ok"), "日本 é ok");
    }

    #[test]
    fn every_piece_of_a_page_escapes() {
        let hostile = "<img src=x onerror=1>\"'&";
        let mut page = HtmlPage::new(hostile, (Label::Bad, hostile));
        page.facts(&[(hostile, hostile.to_owned())]);
        page.sentence(Label::Bad, hostile);
        page.section("one", hostile);
        page.paragraph(hostile);
        page.commands([(hostile, hostile)]);
        let mut table = TextTable::new([TextColumn::fixed(hostile)]);
        table.row([(Label::Text, hostile)]);
        page.table(&table);
        let text = hostile.to_owned();
        page.timeline(&[HtmlMoment {
            time: text.clone(),
            time_utc: text.clone(),
            label: Label::Bad,
            what: text.clone(),
            more: text.clone(),
        }]);
        page.bars(&[(text, vec![(Label::Good, 1), (Label::Bad, 0)])], &[(Label::Good, hostile)]);
        let made = page.finish(hostile);
        assert!(!made.contains("<img"), "{made}");
        assert_eq!(made.matches("&lt;img src=x onerror=1&gt;&quot;&#39;&amp;").count(), 21, "{made}");
    }

    #[test]
    fn long_lists_are_folded_and_lose_no_entry() {
        let mut table = TextTable::new([TextColumn::fixed("N")]);
        for number in 0..500 {
            table.row([(Label::Text, format!("row {number};"))]);
        }
        let mut page = HtmlPage::new("t", (Label::Good, "v"));
        page.table(&table);
        let made = page.finish("");
        assert!((0..500).all(|number| made.contains(&format!("row {number};"))), "{made}");
        assert!(made.contains("<summary>440 more</summary>"), "{made}");
        for element in ["table", "tbody", "tr", "td", "details", "div"] {
            let count = |mark: &str| made.matches(mark).count();
            assert_eq!(
                count(&format!("<{element}>")) + count(&format!("<{element} ")),
                count(&format!("</{element}>"))
            );
        }
    }
}
