//! JSON text as Python's `json.dumps` writes it, so that rows from here and from Hermes look alike.
//!
//! Payloads and metadata keep non-ASCII characters; the `skills` column escapes them (docs/board-format.md, 4, 4.3).

use std::fmt::Write as _;
use std::io;

use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// Separators `", "` and `": "`, non-ASCII kept.
pub fn dumps(value: &Value) -> String {
    let mut bytes = Vec::with_capacity(128);
    let mut serializer = Serializer::with_formatter(&mut bytes, Python);
    match serde::Serialize::serialize(value, &mut serializer) {
        Ok(()) => String::from_utf8(bytes).unwrap_or_else(|_| value.to_string()),
        Err(_) => value.to_string(),
    }
}

/// As [`dumps`], with everything outside printable ASCII written as `\u` and four hex digits.
pub fn dumps_ascii(value: &Value) -> String {
    let text = dumps(value);
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() * 2);
    let mut units = [0_u16; 2];
    for c in text.chars() {
        if (' '..='~').contains(&c) {
            escaped.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

struct Python;

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn looks_like_python() {
        let value = json!({"a": [1, "ü\n"], "b": {"c": null, "d": true}, "e": []});
        assert_eq!(dumps(&value), "{\"a\": [1, \"ü\\n\"], \"b\": {\"c\": null, \"d\": true}, \"e\": []}");
        assert_eq!(dumps_ascii(&json!(["ü", "🦀", "\u{7f}"])), r#"["\u00fc", "\ud83e\udd80", "\u007f"]"#);
    }
}
