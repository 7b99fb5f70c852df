//! Text as Python sees it, where Hermes' rows depend on that: stripping, first lines, task ids in prose.

/// Whether Python's `str.isspace` holds: Unicode white space and the four ASCII separators.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Python's `str.strip`.
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The first line after stripping, at most `limit` code points long; nothing when the text is blank.
///
/// Hermes 0.19.0 fails on a text that is blank but not empty (docs/board-format.md, 4.4); here it has no first line.
pub fn first_line(text: &str, limit: usize) -> Option<String> {
    let line = strip(text).split(is_line_boundary).next().unwrap_or_default();
    let cut: String = line.chars().take(limit).collect();
    (!cut.is_empty()).then_some(cut)
}

/// An assignee as Hermes stores it: stripped and in lower case; nothing when it is blank.
pub fn canonical_assignee(name: &str) -> Option<String> {
    let name = strip(name).to_lowercase();
    (!name.is_empty()).then_some(name)
}

/// Python's `str.casefold`, as far as what comes out is ASCII.
pub fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'ſ' => folded.push('s'),
            'ß' => folded.push_str("ss"),
            'ﬀ' => folded.push_str("ff"),
            'ﬁ' => folded.push_str("fi"),
            'ﬂ' => folded.push_str("fl"),
            'ﬃ' => folded.push_str("ffi"),
            'ﬄ' => folded.push_str("ffl"),
            'ﬅ' | 'ﬆ' => folded.push_str("st"),
            other => folded.push(other),
        }
    }
    folded
}

/// Words of the form `t_` and eight or more lower-case hex digits, each once, in order.
pub fn task_ids(prose: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for word in prose.split(|c: char| !is_word(c)) {
        let Some(digits) = word.strip_prefix("t_") else { continue };
        let hex = digits.len() >= 8 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex && !found.iter().any(|known| known == word) {
            found.push(word.to_owned());
        }
    }
    found
}

/// The line boundaries of Python's `str.splitlines`.
fn is_line_boundary(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_follow_python() {
        assert_eq!(first_line("  one\r\ntwo", 400).as_deref(), Some("one"));
        assert_eq!(first_line("\u{1c} a\u{2028}b", 400).as_deref(), Some("a"));
        assert_eq!(first_line(" \n\t ", 400), None);
        assert_eq!(first_line("ääää", 2).as_deref(), Some("ää"));
    }

    #[test]
    fn ligatures_fold_to_ascii() {
        assert_eq!(folded("ﬁle ſEARCH ẞ"), "file search ss");
    }

    #[test]
    fn ids_in_prose_need_word_boundaries() {
        let prose = "see t_0123abcd, (t_0123abcd) xt_0123abcd t_0123abcdg t_0123abc t_deadbeef01.";
        assert_eq!(task_ids(prose), ["t_0123abcd", "t_deadbeef01"]);
    }
}
