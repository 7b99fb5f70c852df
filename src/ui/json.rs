//! JSON output: envelopes, lines, the error line.
//!
//! The envelope has `schema_version`, `kind` and `data`. Characters that a terminal could obey become `\u` escapes, which mean
//! the same.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use super::text::is_hazard;
use crate::failure::Failure;

/// Raised when a key changes its meaning or goes away; new keys do not raise it.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Envelope<'a, T: ?Sized> {
    schema_version: u32,
    kind: &'a str,
    data: &'a T,
}

#[derive(Serialize)]
struct ErrorLine<'a> {
    schema_version: u32,
    kind: &'static str,
    code: u8,
    name: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    board: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'a str>,
    hints: &'a [String],
}

/// Writes one envelope and a newline.
pub(super) fn envelope<W: Write + ?Sized, T: Serialize + ?Sized>(
    to: &mut W,
    kind: &str,
    data: &T,
    terminal: bool,
) -> io::Result<()> {
    line(to, &Envelope { schema_version: SCHEMA_VERSION, kind, data }, terminal)
}

/// Return what stands before the rows of an envelope.
pub(super) fn head(kind: &str) -> String {
    format!("{{\"schema_version\":{SCHEMA_VERSION},\"kind\":\"{kind}\",\"data\":[")
}

/// What ends an envelope of rows.
pub(super) const TAIL: &[u8] = b"]}\n";

/// Writes one value, without a newline.
pub(super) fn value<T: Serialize + ?Sized>(to: &mut Vec<u8>, value: &T, terminal: bool) -> io::Result<()> {
    if terminal {
        value.serialize(&mut Serializer::with_formatter(to, Guarded))?;
    } else {
        value.serialize(&mut Serializer::with_formatter(to, CompactFormatter))?;
    }
    Ok(())
}

/// Writes one envelope per element when the data is an array, else one for all of it.
pub(super) fn lines<T: Serialize>(
    to: &mut dyn Write,
    kind: &str,
    record_kind: &str,
    data: &T,
    terminal: bool,
) -> io::Result<()> {
    if !is_array(data) {
        // Not as a value first: the provenance of every row would take a hundred times the memory of the rows.
        return envelope(to, kind, data, terminal);
    }
    match serde_json::to_value(data)? {
        Value::Array(elements) => {
            elements.iter().try_for_each(|element| envelope(to, record_kind, element, terminal))
        }
        whole => envelope(to, kind, &whole, terminal),
    }
}

/// Whether the JSON of `data` begins as an array does; no more of it is made.
fn is_array<T: Serialize>(data: &T) -> bool {
    struct First(Option<u8>);
    impl Write for First {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.or(bytes.first().copied());
            Err(io::ErrorKind::WriteZero.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut first = First(None);
    let _ = serde_json::to_writer(&mut first, data);
    first.0 == Some(b'[')
}

/// The last line on stderr of a failed invocation.
pub(super) fn error(failure: &Failure, terminal: bool) -> Vec<u8> {
    let message = ErrorLine {
        schema_version: SCHEMA_VERSION,
        kind: "error",
        code: failure.exit().code(),
        name: failure.exit().name(),
        message: failure.to_string(),
        path: failure.path().map(|path| path.to_string_lossy().into_owned()),
        board: failure.board().map(|board| board.path.to_string_lossy().into_owned()),
        origin: failure.board().map(|board| board.origin.as_str()),
        hints: failure.hints(),
    };
    let mut text = Vec::with_capacity(256);
    // Strings and numbers into memory: neither can fail.
    drop(line(&mut text, &message, terminal));
    text
}

fn line<W: Write + ?Sized, T: Serialize>(to: &mut W, value: &T, terminal: bool) -> io::Result<()> {
    if terminal {
        value.serialize(&mut Serializer::with_formatter(&mut *to, Guarded))?;
    } else {
        value.serialize(&mut Serializer::with_formatter(&mut *to, CompactFormatter))?;
    }
    to.write_all(b"\n")
}

/// Compact JSON in which no character acts on a terminal.
struct Guarded;

impl Formatter for Guarded {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut clean = 0;
        for (at, character) in fragment.char_indices().filter(|&(_, character)| is_hazard(character)) {
            writer.write_all(fragment.get(clean..at).unwrap_or_default().as_bytes())?;
            let mut units = [0_u16; 2];
            for unit in character.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
            clean = at + character.len_utf8();
        }
        writer.write_all(fragment.get(clean..).unwrap_or_default().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(data: &Value, terminal: bool) -> String {
        let mut text = Vec::new();
        envelope(&mut text, "task", data, terminal).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn the_envelope_is_one_line() {
        let text = rendered(&serde_json::json!(["a\nb"]), false);
        assert_eq!(text, "{\"schema_version\":1,\"kind\":\"task\",\"data\":[\"a\\nb\"]}\n");
    }

    #[test]
    fn a_terminal_gets_the_same_value_in_other_characters() {
        let data = serde_json::json!({"title": "\u{1b}[2J\u{9b}1m\u{202e}x\u{e0041}\u{7f} é"});
        let (file, terminal) = (rendered(&data, false), rendered(&data, true));
        assert!(file.contains('\u{202e}'));
        assert!(!terminal.trim_end().chars().any(is_hazard), "{terminal}");
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(parse(&file), parse(&terminal));
    }

    /// What serializes to how much of it has been written so far.
    struct Late<'c>(&'c std::cell::Cell<usize>);

    impl Serialize for Late<'_> {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            [("written", self.0.get())]
                .into_iter()
                .collect::<std::collections::BTreeMap<_, _>>()
                .serialize(to)
        }
    }

    struct Counted<'c>(&'c std::cell::Cell<usize>, Vec<u8>);

    impl Write for Counted<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.set(self.0.get() + bytes.len());
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_no_array_is_written_as_it_comes() {
        let written = std::cell::Cell::new(0);
        let mut out = Counted(&written, Vec::new());
        lines(&mut out, "recover", "recover", &Late(&written), false).unwrap();
        let line: Value = serde_json::from_slice(&out.1).unwrap();
        assert!(line["data"]["written"].as_u64().unwrap() > 0, "{line}");
    }

    #[test]
    fn arrays_become_lines() {
        let mut text = Vec::new();
        lines(&mut text, "task.list", "task", &[1, 2], false).unwrap();
        let expected = "{\"schema_version\":1,\"kind\":\"task\",\"data\":1}\n\
                        {\"schema_version\":1,\"kind\":\"task\",\"data\":2}\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn the_error_line_has_the_documented_keys() {
        let failure = Failure::busy("The lock was not had.").hint("Try again.");
        let parsed: Value = serde_json::from_slice(&error(&failure, false)).unwrap();
        let expected = serde_json::json!({"schema_version": 1, "kind": "error", "code": 11, "name": "busy",
            "message": "The lock was not had.", "hints": ["Try again."]});
        assert_eq!(parsed, expected);
    }
}
