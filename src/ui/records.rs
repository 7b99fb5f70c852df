//! Plain output: one record a line, fields separated by tabs.
//!
//! Escapes `\t \n \r \\` inside fields, so a record is always one line with the same number of fields. Clean fields, the usual
//! case, are copied once.

use std::io::{self, Write};

use super::text::{TextGuard, is_clean, push};

/// Buffered bytes beyond which they are handed on.
const CHUNK: usize = 64 * 1024;

/// A writer of records.
pub struct Records<'a> {
    buffer: Vec<u8>,
    sink: &'a mut dyn Write,
    guard: TextGuard,
    in_record: bool,
    result: io::Result<()>,
}

impl<'a> Records<'a> {
    pub(super) fn new(sink: &'a mut dyn Write, guard: TextGuard) -> Self {
        let buffer = Vec::with_capacity(CHUNK + 4096);
        Self { buffer, sink, guard, in_record: false, result: Ok(()) }
    }

    /// Adds a field of text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.separate();
        if text.contains('\\') || !is_clean(text, self.guard) {
            self.escape(text);
        } else {
            self.buffer.extend_from_slice(text.as_bytes());
        }
        self
    }

    /// Adds a field that may be absent; absent is empty.
    pub fn optional(&mut self, text: Option<&str>) -> &mut Self {
        self.text(text.unwrap_or_default())
    }

    /// Adds a whole number.
    pub fn number(&mut self, number: i64) -> &mut Self {
        self.separate();
        // Writing to memory cannot fail.
        let _ = write!(self.buffer, "{number}");
        self
    }

    /// Adds a number that may be absent; absent is empty.
    pub fn optional_number(&mut self, number: Option<i64>) -> &mut Self {
        match number {
            Some(number) => self.number(number),
            None => self.text(""),
        }
    }

    /// Ends the record.
    pub fn end(&mut self) {
        self.buffer.push(b'\n');
        self.in_record = false;
        if self.buffer.len() >= CHUNK {
            self.pass_on();
        }
    }

    /// Adds one whole record of text fields.
    pub fn record(&mut self, fields: &[&str]) {
        for field in fields {
            self.text(field);
        }
        self.end();
    }

    /// What is left goes out; an unfinished record is ended.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.in_record {
            self.end();
        }
        self.pass_on();
        self.result
    }

    fn separate(&mut self) {
        if self.in_record {
            self.buffer.push(b'\t');
        }
        self.in_record = true;
    }

    fn escape(&mut self, text: &str) {
        let mut field = String::with_capacity(text.len() + 16);
        for (at, piece) in text.split('\\').enumerate() {
            if at > 0 {
                field.push_str("\\\\");
            }
            push(&mut field, piece, self.guard);
        }
        self.buffer.extend_from_slice(field.as_bytes());
    }

    /// After the first error nothing more is tried; the error waits for `finish`.
    fn pass_on(&mut self) {
        if self.result.is_ok() {
            self.result = self.sink.write_all(&self.buffer);
        }
        self.buffer.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(guard: TextGuard, fill: impl FnOnce(&mut Records<'_>)) -> String {
        let mut sink = Vec::new();
        let mut records = Records::new(&mut sink, guard);
        fill(&mut records);
        records.finish().unwrap();
        String::from_utf8(sink).unwrap()
    }

    #[test]
    fn fields_are_apart_by_tabs() {
        let text = written(TextGuard::Lines, |records| {
            records.text("t_1").optional(None).number(-7).optional_number(None).end();
            records.record(&["a", "b"]);
        });
        assert_eq!(text, "t_1\t\t-7\t\na\tb\n");
    }

    #[test]
    fn a_field_cannot_forge_a_record_or_a_field() {
        let text = written(TextGuard::Lines, |records| records.record(&["x\nt_2\tdone\r", "back\\slash"]));
        assert_eq!(text, "x\\nt_2\\tdone\\r\tback\\\\slash\n");
    }

    #[test]
    fn only_a_terminal_sees_hazards_escaped() {
        let record = |records: &mut Records<'_>| records.record(&["\u{1b}[2J\u{202e}"]);
        assert_eq!(written(TextGuard::Lines, record), "\u{1b}[2J\u{202e}\n");
        assert_eq!(written(TextGuard::Terminal, record), "\\x1b[2J\\u{202e}\n");
    }

    #[test]
    fn the_first_error_is_kept() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut sink = Closed;
        let mut records = Records::new(&mut sink, TextGuard::Lines);
        (0..100_000).for_each(|number| records.number(number).end());
        assert_eq!(records.finish().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
