//! `CREATE` texts taken apart word by word: what one brings along that SQLite would run.
//!
//! Responsible for judging text alone, without SQLite: it is asked before SQLite may see the text's table, and by recovery,
//! which shows no source to SQLite at all.

/// The orders of comparison that SQLite itself brings.
const COLLATIONS: [&str; 3] = ["BINARY", "NOCASE", "RTRIM"];

/// True if the text of one of Hermes' tables brings something along that Hermes' own does not: conditions, generated
/// columns, foreign keys, rules for conflicts, defaults that are computed, comparisons by unknown functions.
pub fn brings_code(sql: &str) -> bool {
    let words = words(sql);
    let alone = ["CHECK", "GENERATED", "AS", "REFERENCES", "CONFLICT"];
    let computed = |pair: &[String]| pair.iter().map(String::as_str).eq(["DEFAULT", "("]);
    words.iter().any(|word| alone.contains(&word.as_str()))
        || words.windows(2).any(computed)
        || foreign_collation("", sql).is_some()
}

/// True if the text of a table has a column that SQLite computes.
pub fn computes_columns(sql: &str) -> bool {
    words(sql).iter().any(|word| word == "AS")
}

/// Whether an index is on columns only: no expression and no condition.
pub fn is_plain_index(sql: &str) -> bool {
    let parts = sql.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')'));
    let column = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_,\"`[]".contains(c);
    parts.is_some_and(|(columns, rest)| columns.chars().all(column) && rest.trim().is_empty())
}

/// A collation in a `CREATE TABLE` text that SQLite does not bring: whoever made the board compares by a function of
/// their own.
pub(super) fn foreign_collation(table: &str, sql: &str) -> Option<String> {
    let words = words(sql);
    let mut after = words.iter().skip_while(|word| *word != "COLLATE").skip(1);
    let mut foreign = None;
    while let Some(name) = after.next() {
        if !COLLATIONS.contains(&name.as_str()) {
            foreign = Some(format!("table {table} compares by an unknown collation"));
        }
        after.by_ref().find(|word| *word == "COLLATE");
    }
    foreign
}

/// Whether the word AS stands in the text, as it must where a column is generated.
pub(super) fn says_as(sql: &str) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let bytes = sql.as_bytes();
    bytes.windows(2).enumerate().any(|(at, pair)| {
        pair.eq_ignore_ascii_case(b"as")
            && !word(at.checked_sub(1).and_then(|before| bytes.get(before)))
            && !word(bytes.get(at + 2))
    })
}

/// The bare words of a `CREATE` text in upper case, and its opening parentheses: nothing out of comments, strings or
/// quoted names.
pub(super) fn words(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let skip = match c {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '\'' | '"' | '`' => quoted(rest, c),
            '[' => quoted(rest, ']'),
            c if c.is_alphanumeric() || c == '_' => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                found.extend(rest.get(..end).map(str::to_ascii_uppercase));
                end
            }
            '(' => {
                found.push("(".to_owned());
                1
            }
            c => c.len_utf8(),
        };
        rest = rest.get(skip..).unwrap_or_default();
    }
    found
}

/// The length of a quoted piece at the start of `text`, both marks included.
fn quoted(text: &str, close: char) -> usize {
    text.char_indices().skip(1).find(|(_, c)| *c == close).map_or(text.len(), |(at, c)| at + c.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::super::create_table;
    use super::*;
    use crate::hermes::{INDEXES, TABLES};

    #[test]
    fn only_the_word_itself_counts() {
        assert!(
            says_as("CREATE TABLE t(a, b AS (a))") && says_as("b TEXT as(a)") && says_as("x/**/aS/**/(y)")
        );
        assert!(!says_as("CREATE TABLE tasks(assignee TEXT, last TEXT)"));
    }

    #[test]
    fn known_collations_pass() {
        let foreign = |sql| foreign_collation("t", sql).is_some();
        assert!(!foreign("CREATE TABLE t(a COLLATE nocase, b TEXT COLLATE RTRIM NOT NULL)"));
        assert!(foreign("CREATE TABLE t(a COLLATE nocase, b COLLATE mine)"));
        assert!(foreign("CREATE TABLE t(a COLLATE \"mine\", b)"));
    }

    #[test]
    fn texts_of_hermes_bring_nothing() {
        for table in TABLES {
            assert!(!brings_code(&create_table(table)), "{}", table.name);
        }
        for (name, on) in INDEXES {
            assert!(is_plain_index(&format!("CREATE INDEX {name} ON {on}")), "{name}");
        }
        for sql in ["t(a CHECK (a))", "t(a, b AS (a))", "t(a DEFAULT /* x */ (1))", "t(a COLLATE mine)"] {
            assert!(brings_code(&format!("CREATE TABLE {sql}")), "{sql}");
        }
        for on in ["t(hex(a))", "t(a + 1)", "t(a) WHERE a", "t(a || 'x')"] {
            assert!(!is_plain_index(&format!("CREATE INDEX i ON {on}")), "{on}");
        }
    }
}
