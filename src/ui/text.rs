//! Untrusted text, made safe to show.
//!
//! Knows which characters a terminal must never receive from a board, keeps a record on one line and measures widths in
//! columns. JSON and output that is no terminal keep their characters.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_segmentation::UnicodeSegmentation;

/// What the reader of the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextGuard {
    /// A terminal: everything that acts, hides or reorders is shown escaped.
    Terminal,
    /// A file or a pipe: only what would break one record into two is escaped.
    Lines,
}

impl TextGuard {
    /// The guard for a stream.
    pub fn for_terminal(terminal: bool) -> Self {
        if terminal { Self::Terminal } else { Self::Lines }
    }

    /// Whether the character is shown escaped.
    pub fn escapes(self, character: char) -> bool {
        match self {
            Self::Terminal => is_hazard(character),
            Self::Lines => matches!(character, '\n' | '\r' | '\t'),
        }
    }
}

/// Whether a terminal could act on the character (C0, DEL, C1), reorder text by it (bidi controls), or show nothing where
/// something is (zero-width, fillers, tags, selectors that no emoji needs).
pub fn is_hazard(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text with hazards escaped; borrowed when there are none.
pub fn guard(text: &str, guard: TextGuard) -> Cow<'_, str> {
    if is_clean(text, guard) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    push(&mut safe, text, guard);
    Cow::Owned(safe)
}

/// Appends the text with hazards escaped.
pub fn push(to: &mut String, text: &str, guard: TextGuard) {
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if guard.escapes(character) && !joins_emoji(before, character, characters.peek().copied()) {
            push_escaped(to, character);
        } else {
            to.push(character);
        }
        before = Some(character);
    }
}

/// The joiner between two emoji, which makes one sign of them; between letters it hides.
const JOINER: char = '\u{200d}';

/// True for a joiner that stands between two emoji.
fn joins_emoji(before: Option<char>, character: char, after: Option<char>) -> bool {
    // The sign for presentation and those for the tone of skin stand between an emoji and its joiner.
    let ends = |c: char| is_emoji(c) || c == '\u{fe0f}' || ('\u{1f3fb}'..='\u{1f3ff}').contains(&c);
    character == JOINER && before.is_some_and(ends) && after.is_some_and(is_emoji)
}

/// True for signs that Unicode lists as pictographic and joins: a superset would let a joiner hide beside a letter.
fn is_emoji(character: char) -> bool {
    matches!(character,
        '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}'
        | '\u{1f300}'..='\u{1f3fa}' | '\u{1f400}'..='\u{1faff}')
}

/// `\n`, `\t`, `\r`, `\x1b`, `\u{202e}`: as Rust and most shells write them.
pub fn push_escaped(to: &mut String, character: char) {
    match character {
        '\n' => to.push_str("\\n"),
        '\t' => to.push_str("\\t"),
        '\r' => to.push_str("\\r"),
        // Writing to a String cannot fail.
        low if low.is_ascii() => write!(to, "\\x{:02x}", u32::from(low)).unwrap_or_default(),
        other => write!(to, "\\u{{{:x}}}", u32::from(other)).unwrap_or_default(),
    }
}

/// Whether nothing has to be escaped. Printable ASCII, the usual case, is decided by bytes alone.
pub fn is_clean(text: &str, guard: TextGuard) -> bool {
    match guard {
        TextGuard::Lines => !text.bytes().any(|byte| matches!(byte, b'\n' | b'\r' | b'\t')),
        TextGuard::Terminal => text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !has_hazard(text),
    }
}

/// True if a character of the text is a hazard where it stands.
fn has_hazard(text: &str) -> bool {
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if is_hazard(character) && !joins_emoji(before, character, characters.peek().copied()) {
            return true;
        }
        before = Some(character);
    }
    false
}

/// Columns that the text takes on a terminal.
pub fn width(text: &str) -> usize {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        text.len()
    } else {
        console::measure_text_width(text)
    }
}

/// The text cut to `columns`, ending in `…` (or `...` in ASCII) where something is missing. A sign that is made of several
/// characters is kept whole or left out.
pub fn truncate(text: &str, columns: usize, ascii: bool) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mark = mark(columns, ascii);
    let room = columns.saturating_sub(width(mark));
    let mut end = 0;
    for (at, sign) in text.grapheme_indices(true) {
        let next = at + sign.len();
        if text.get(..next).is_none_or(|kept| width(kept) > room) {
            break;
        }
        end = next;
    }
    Cow::Owned(format!("{}{mark}", text.get(..end).unwrap_or_default()))
}

/// The end of the text in `columns`, with the mark in front of it where something is missing.
pub fn truncate_start(text: &str, columns: usize, ascii: bool) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mark = mark(columns, ascii);
    let room = columns.saturating_sub(width(mark));
    let from = text
        .grapheme_indices(true)
        .map(|(at, _)| at)
        .find(|&at| text.get(at..).is_some_and(|end| width(end) <= room));
    Cow::Owned(format!("{mark}{}", from.and_then(|at| text.get(at..)).unwrap_or_default()))
}

/// What stands for missing text.
fn mark(columns: usize, ascii: bool) -> &'static str {
    match (ascii, columns) {
        (_, 0) => "",
        (false, _) => "…",
        (true, 1..=3) => ".",
        (true, _) => "...",
    }
}

/// The text in lines of at most `columns`, broken at spaces, and inside a word only when the word alone is too long.
pub fn wrap(text: &str, columns: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while width(rest) > columns.max(1) {
        let cut = break_at(rest, columns.max(1));
        let (line, tail) = rest.split_at(cut);
        lines.push(line.trim_end_matches(' '));
        rest = tail.trim_start_matches(' ');
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest);
    }
    lines
}

/// Where a line of at most `columns` ends: after the last space that fits, else after the last sign that does.
fn break_at(text: &str, columns: usize) -> usize {
    let (mut used, mut space, mut fits) = (0, None, 0);
    for (at, sign) in text.grapheme_indices(true) {
        used += width(sign);
        let end = at + sign.len();
        if sign == " " && at > 0 && used <= columns + 1 {
            space = Some(end);
        }
        if used > columns {
            break;
        }
        fits = end;
    }
    let first = text.graphemes(true).next().map_or(text.len(), str::len);
    space.unwrap_or_else(|| fits.max(first))
}

/// A message in lines of at most `columns`, broken at spaces alone: no word is broken, and no command between backticks, which
/// is there to be pasted.
pub fn wrap_message(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let (mut used, mut quoted) = (0, false);
    for word in text.split(' ') {
        let wide = width(word);
        let breaks = !quoted && used > 0 && used + 1 + wide > columns.max(1);
        match lines.last_mut() {
            Some(line) if !breaks => {
                line.push(' ');
                line.push_str(word);
                used += 1 + wide;
            }
            _ => {
                lines.push(word.to_owned());
                used = wide;
            }
        }
        quoted ^= word.matches('`').count() % 2 == 1;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        guard(text, TextGuard::Terminal).into_owned()
    }

    #[test]
    fn strips_osc52_clipboard_payload() {
        assert_eq!(shown("a\x1b]52;c;ZXZpbA==\x07b"), "a\\x1b]52;c;ZXZpbA==\\x07b");
    }

    #[test]
    fn strips_cr_output_forgery() {
        assert_eq!(shown("t_1 done\rt_2 todo"), "t_1 done\\rt_2 todo");
    }

    #[test]
    fn strips_newline_record_forgery() {
        assert_eq!(shown("x\nt_00000000\tdone"), "x\\nt_00000000\\tdone");
        assert_eq!(guard("x\ny\tz", TextGuard::Lines), "x\\ny\\tz");
    }

    #[test]
    fn strips_c1_control_sequence_introducer() {
        assert_eq!(shown("\u{9b}2J"), "\\u{9b}2J");
    }

    #[test]
    fn strips_right_to_left_override() {
        assert_eq!(shown("invoice\u{202e}fdp.exe"), "invoice\\u{202e}fdp.exe");
        assert_eq!(shown("\u{2066}\u{2069}\u{61c}"), "\\u{2066}\\u{2069}\\u{61c}");
    }

    #[test]
    fn strips_zero_width_and_tag_smuggling() {
        assert_eq!(shown("pay\u{200b}pal"), "pay\\u{200b}pal");
        assert_eq!(shown("hi\u{e0068}\u{e0069}"), "hi\\u{e0068}\\u{e0069}");
        assert_eq!(shown("x\u{e0100}"), "x\\u{e0100}");
    }

    #[test]
    fn strips_backspace_and_delete_overwrites() {
        assert_eq!(shown("safe\x08\x08\x7f"), "safe\\x08\\x08\\x7f");
    }

    #[test]
    fn strips_line_separators_that_split_records_elsewhere() {
        assert_eq!(shown("a\u{85}b\u{2028}c\u{2029}"), "a\\u{85}b\\u{2028}c\\u{2029}");
    }

    #[test]
    fn keeps_letters_of_every_script_and_emoji() {
        for text in ["naïve café", "日本語", "שלום", "مرحبا", "❤\u{fe0f}", "🚀", r"C:\path"]
        {
            assert!(matches!(guard(text, TextGuard::Terminal), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn joined_emoji_are_shown_whole_and_joined_letters_escaped() {
        for whole in ["👩‍💻", "🏳️‍🌈", "👩🏽‍🚀 x", "❤️‍🔥"] {
            assert_eq!(shown(whole), whole);
            assert!(is_clean(whole, TextGuard::Terminal));
        }
        for (hidden, escaped) in
            [("a\u{200d}b", "a\\u{200d}b"), ("👩\u{200d}", "👩\\u{200d}"), ("\u{200d}👩", "\\u{200d}👩")]
        {
            assert_eq!(shown(hidden), escaped);
        }
        assert_eq!(width("👩‍💻"), 2);
        assert_eq!(truncate("👩‍💻👩‍💻 and more", 4, false), "👩‍💻…");
        assert_eq!(wrap("👩‍💻👩‍💻👩‍💻", 4), ["👩‍💻👩‍💻", "👩‍💻"]);
    }

    #[test]
    fn messages_break_between_words_and_not_in_commands() {
        let lines =
            wrap_message("Look at it with `kanbanctl health --map` before /a/very/long/path/is/removed.", 20);
        assert_eq!(
            lines,
            ["Look at it with", "`kanbanctl health --map`", "before", "/a/very/long/path/is/removed."]
        );
    }

    #[test]
    fn cuts_to_columns_not_bytes() {
        assert_eq!(truncate("日本語テキスト", 7, false), "日本語…");
        assert_eq!(truncate("plain text", 6, true), "pla...");
        assert_eq!(truncate("fits", 4, false), "fits");
        assert_eq!(truncate("gone", 0, false), "");
    }

    #[test]
    fn wraps_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
    }

    proptest! {
        #[test]
        fn nothing_dangerous_passes(text in any::<String>()) {
            let once = shown(&text);
            prop_assert!(!once.chars().any(|c| is_hazard(c) && c != JOINER));
            prop_assert!(is_clean(&once, TextGuard::Terminal));
            prop_assert_eq!(shown(&once), once);
        }

        #[test]
        fn clean_text_is_borrowed_and_equal(text in "[ -~äöü日本🚀]{0,40}") {
            prop_assert!(matches!(guard(&text, TextGuard::Terminal), Cow::Borrowed(same) if same == text));
        }

        #[test]
        fn cutting_never_exceeds(text in any::<String>(), columns in 0_usize..40, ascii in any::<bool>()) {
            let safe = shown(&text);
            prop_assert!(width(&truncate(&safe, columns, ascii)) <= columns);
        }

        #[test]
        fn wrapping_loses_nothing_but_spaces(text in "[ a-z日é]{0,60}", columns in 2_usize..30) {
            let lines = wrap(&text, columns);
            let dense = |text: &str| text.replace(' ', "");
            prop_assert_eq!(dense(&lines.concat()), dense(&text));
            prop_assert!(lines.iter().all(|line| width(line) <= columns));
        }
    }
}
