//! A manual page laid out as text: the subset of roff that our own pages use.
//!
//! Lays out headings, paragraphs, tagged paragraphs, indents and verbatim blocks in lines of a given width.
//!
//! Not here: which page or section is shown ([`crate::commands`]), and macros that none of our pages has.

use super::label::Label;
use super::text;

/// Columns that the text of a section is indented by, and a tagged paragraph once more.
const INDENT: usize = 7;

/// A line as it is shown: pieces of text, each with its style.
pub type StyledLine = Vec<(Label, String)>;

/// Lay out a page, or a part of one, that is written in roff.
pub fn lay_out(source: &str, width: usize) -> Vec<StyledLine> {
    let mut layout = Layout { width: width.max(INDENT * 4), ..Layout::default() };
    for line in source.lines() {
        match line.strip_prefix('.') {
            Some(request) => layout.request(request),
            None => layout.text(words(line, Label::Text)),
        }
    }
    layout.flush();
    layout.lines
}

#[derive(Default)]
struct Layout {
    lines: Vec<StyledLine>,
    width: usize,
    /// The paragraph that is being filled; a word can have pieces in several styles.
    words: Vec<StyledLine>,
    indent: usize,
    /// Columns that `.RS` has moved everything by.
    moved: usize,
    /// What stands before the first line of a tagged paragraph.
    tag: Option<Vec<StyledLine>>,
    tag_follows: bool,
    verbatim: bool,
}

impl Layout {
    fn request(&mut self, request: &str) {
        let (name, rest) = request.split_once(' ').unwrap_or((request, ""));
        match name {
            "SH" | "SS" => {
                self.gap();
                self.verbatim = false;
                (self.moved, self.indent) = (0, INDENT);
                let margin = if name == "SS" { INDENT / 2 } else { 0 };
                let title = arguments(rest).join(" ");
                let mut line = vec![(Label::Text, " ".repeat(margin))];
                line.extend(join(&words(&title, Label::Heading)));
                self.lines.push(line);
            }
            "PP" | "P" | "LP" => {
                self.gap();
                self.indent = INDENT + self.moved;
            }
            "TP" => {
                self.gap();
                self.indent = INDENT * 2 + self.moved;
                self.tag_follows = true;
            }
            "IP" => {
                self.gap();
                self.indent = INDENT * 2 + self.moved;
                self.tag = arguments(rest).first().map(|tag| words(tag, Label::Text));
            }
            "RS" => {
                self.flush();
                self.moved += INDENT;
                self.indent = INDENT + self.moved;
            }
            "RE" => {
                self.flush();
                self.moved = self.moved.saturating_sub(INDENT);
                self.indent = INDENT + self.moved;
            }
            "br" => self.flush(),
            "sp" => self.gap(),
            "nf" => {
                self.gap();
                self.verbatim = true;
            }
            "fi" => {
                self.verbatim = false;
                self.gap();
            }
            "B" | "I" => {
                let label = style_of(name.as_bytes().first().copied());
                self.text(words(&arguments(rest).join(" "), label));
            }
            "BR" | "RB" | "IR" | "RI" | "BI" | "IB" => {
                let styles = name.bytes().cycle().map(|font| style_of(Some(font)));
                let pieces: Vec<StyledLine> = arguments(rest)
                    .iter()
                    .zip(styles)
                    .map(|(text, label)| join(&words(text, label)))
                    .collect();
                self.text(vec![pieces.concat()]);
            }
            // The title, comments and definitions of strings show nothing.
            _ => {}
        }
    }

    fn text(&mut self, words: Vec<StyledLine>) {
        if std::mem::take(&mut self.tag_follows) {
            self.tag = Some(words);
        } else if self.verbatim {
            let mut line = vec![(Label::Text, " ".repeat(self.indent))];
            line.extend(join(&words));
            self.lines.push(line);
        } else {
            self.words.extend(words.into_iter().filter(|word| !word.is_empty()));
        }
    }

    /// End the paragraph and leave one line empty.
    fn gap(&mut self) {
        self.flush();
        let is_below_heading = self.lines.last().is_none_or(|line| {
            line.is_empty()
                || line.last().is_some_and(|(label, _)| *label == Label::Heading) && !is_indented(line)
        });
        if !is_below_heading {
            self.lines.push(Vec::new());
        }
    }

    /// Write the words of the paragraph, folded.
    fn flush(&mut self) {
        let words = std::mem::take(&mut self.words);
        let margin = || (Label::Text, " ".repeat(self.indent));
        let mut line = vec![margin()];
        if let Some(tag) = self.tag.take() {
            let tag = join(&tag);
            let wide = columns(&tag);
            line = vec![(Label::Text, " ".repeat(self.indent.saturating_sub(INDENT)))];
            line.extend(tag);
            if wide + 2 <= INDENT && !words.is_empty() {
                line.push((Label::Text, " ".repeat(INDENT - wide)));
            } else {
                // A long tag stands on a line of its own.
                self.lines.push(line);
                line = vec![margin()];
            }
        }
        let mut column = self.indent;
        for word in words {
            let wide = columns(&word);
            if column > self.indent && column + 1 + wide > self.width {
                self.lines.push(std::mem::replace(&mut line, vec![margin()]));
                column = self.indent;
            } else if column > self.indent {
                line.push((Label::Text, " ".to_owned()));
                column += 1;
            }
            column += wide;
            line.extend(word);
        }
        if column > self.indent {
            self.lines.push(line);
        }
    }
}

/// True if a line is part of a section's text rather than its heading.
fn is_indented(line: &StyledLine) -> bool {
    line.first().is_some_and(|(_, margin)| margin.len() >= INDENT)
}

fn columns(pieces: &[(Label, String)]) -> usize {
    pieces.iter().map(|(_, piece)| text::width(piece)).sum()
}

fn join(words: &[StyledLine]) -> StyledLine {
    let mut line = StyledLine::new();
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            line.push((Label::Text, " ".to_owned()));
        }
        line.extend_from_slice(word);
    }
    line
}

fn style_of(font: Option<u8>) -> Label {
    match font {
        Some(b'B') => Label::Heading,
        Some(b'I') => Label::Hint,
        _ => Label::Text,
    }
}

/// The arguments of a request; quotes keep blanks.
fn arguments(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = String::new();
    let (mut quoted, mut begun, mut escaped) = (false, false, false);
    for character in text.chars() {
        match character {
            '"' if !escaped => (quoted, begun) = (!quoted, true),
            ' ' if !quoted && !escaped => {
                if begun {
                    found.push(std::mem::take(&mut current));
                }
                begun = false;
            }
            other => {
                current.push(other);
                begun = true;
            }
        }
        escaped = character == '\\' && !escaped;
    }
    if begun {
        found.push(current);
    }
    found
}

/// The words of a line, each in pieces of one style; escapes become what they stand for.
fn words(line: &str, base: Label) -> Vec<StyledLine> {
    let mut found = vec![StyledLine::new()];
    let mut label = base;
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match character {
            ' ' => {
                found.push(StyledLine::new());
                continue;
            }
            '\\' => {}
            other => {
                push(&mut found, label, other);
                continue;
            }
        }
        let (taken, stands_for) = escape(rest);
        if let Some(font) = rest.strip_prefix('f').and_then(|font| font.bytes().next()) {
            label = if font == b'R' || font == b'P' { base } else { style_of(Some(font)) };
        }
        rest = rest.get(taken..).unwrap_or_default();
        if let Some(character) = stands_for {
            push(&mut found, label, character);
        }
    }
    found
}

/// How many bytes behind a backslash belong to the escape, and the character that it stands for.
fn escape(rest: &str) -> (usize, Option<char>) {
    const NAMED: [(&str, char); 7] = [
        ("(aq", '\''),
        ("*(Aq", '\''),
        ("(dq", '"'),
        ("(em", '-'),
        ("(bu", '*'),
        ("(rs", '\\'),
        ("(ti", '~'),
    ];
    if let Some((name, character)) = NAMED.iter().find(|(name, _)| rest.starts_with(name)) {
        return (name.len(), Some(*character));
    }
    match rest.chars().next() {
        Some('f') => (2, None),
        Some('&' | '|' | '/') => (1, None),
        Some('e') => (1, Some('\\')),
        Some(other) => (other.len_utf8(), Some(other)),
        None => (0, None),
    }
}

fn push(words: &mut [StyledLine], label: Label, character: char) {
    let Some(word) = words.last_mut() else { return };
    match word.last_mut() {
        Some((style, piece)) if *style == label => piece.push(character),
        _ => word.push((label, character.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(source: &str, width: usize) -> String {
        let line = |line: StyledLine| {
            line.into_iter().map(|(_, text)| text).collect::<String>().trim_end().to_owned()
        };
        lay_out(source, width).into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn page_is_laid_out_as_man_does() {
        let source = "\
.ie \\n(.g .ds Aq \\(aq
.TH X 1
.SH NAME
x \\- an example
.SH \"THE SEQUENCE\"
First words
.BR kanbanctl (1)
and \\fBbold\\fR, \\*(Aqquoted\\*(Aq.
.PP
Second.
.TP
1. Look.
.nf
kanbanctl \\-v  boards
.fi
Then go on, with text that is folded at the width of the page.
.TP
\\fB-h\\fR
Help.
.SS sub
Last.";
        insta::assert_snapshot!(plain(source, 40), @r"
        NAME
               x - an example

        THE SEQUENCE
               First words kanbanctl(1) and
               bold, 'quoted'.

               Second.

               1. Look.

                      kanbanctl -v  boards

                      Then go on, with text that
                      is folded at the width of
                      the page.

               -h     Help.

           sub
               Last.
        ");
    }

    #[test]
    fn fonts_become_styles() {
        let lines = lay_out("a \\fBb\\fRc", 80);
        let pieces: Vec<(Label, &str)> =
            lines[0].iter().map(|(label, text)| (*label, text.as_str())).collect();
        assert_eq!(
            pieces,
            [
                (Label::Text, ""),
                (Label::Text, "a"),
                (Label::Text, " "),
                (Label::Heading, "b"),
                (Label::Text, "c")
            ]
        );
    }

    #[test]
    fn quoted_arguments_keep_their_blanks() {
        assert_eq!(arguments("program \"a b\" c"), ["program", "a b", "c"]);
    }
}
