//! Command lines that are printed to be pasted: quoted for a shell and completed with the board that was meant.
//!
//! A hint is written for the default board, between backticks: "Look closer with `kanbanctl health`." Only
//! [`crate::commands`] knows which board the invocation is about; it adds `--db` or `--board` through [`Aim`], in text and JSON.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::Path;

/// What to do about a board's file with several names: the log beside each of them may hold rows that no other has.
pub const OF_SEVERAL_NAMES: &str = "Remove none before its log is recovered: `kanbanctl health` finds them, `kanbanctl health --explain hard-links` says how.";

/// Where nothing was found to recover from.
pub const IS_IT_THE_ONE: &str =
    "Is it the file that was meant? `kanbanctl -v boards show` says which one it is and why.";

/// What else can be recovered from.
pub const READ_A_COPY: &str =
    "If another copy of the board is anywhere, read it too: `kanbanctl recover COPY --output NEW.db`.";

/// What leads a pasted command line to the board that was meant; empty where nothing is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aim {
    /// Our own option.
    option: String,
    /// The variable that Hermes reads (docs/board-format.md, 1.4).
    variable: String,
}

impl Aim {
    /// At the board in this file.
    pub fn at_file(path: &Path) -> Self {
        let path = quoted(path);
        Self { option: format!("--db {path}"), variable: format!("HERMES_KANBAN_DB={path}") }
    }

    /// At the board of this name.
    pub fn at_board(slug: &str) -> Self {
        let slug = quoted(slug);
        Self { option: format!("--board {slug}"), variable: format!("HERMES_KANBAN_BOARD={slug}") }
    }

    /// One command line, aimed; unchanged where it names its board already or has nothing to do with one.
    pub fn line(&self, command: &str) -> String {
        if self.option.is_empty() {
            return command.to_owned();
        }
        match command.strip_prefix("kanbanctl").filter(|rest| rest.is_empty() || rest.starts_with(' ')) {
            Some(rest) if !names_its_board(rest) => format!("kanbanctl {}{rest}", self.option),
            None if command.starts_with("hermes kanban ") => format!("{} {command}", self.variable),
            _ => command.to_owned(),
        }
    }

    /// A hint with every command line in it aimed.
    pub fn text(&self, hint: &str) -> String {
        let pieces = hint.split('`').enumerate();
        let aimed = pieces.map(|(at, piece)| if at % 2 == 1 { self.line(piece) } else { piece.to_owned() });
        aimed.collect::<Vec<_>>().join("`")
    }
}

/// The selecting option stands first in every line that has one.
fn names_its_board(rest: &str) -> bool {
    ["--db", "--board", "--all-boards"].iter().any(|option| rest.trim_start().starts_with(option))
}

/// A word as a shell reads it: as it is where nothing in it is special, else between quotes. What is invisible, a backtick,
/// or no text at all becomes an escape that bash, zsh and ksh know.
pub fn quoted(word: impl AsRef<OsStr>) -> String {
    let bytes = word.as_ref().as_encoded_bytes();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(&byte);
    if !bytes.is_empty() && bytes.iter().all(|&byte| plain(byte)) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let shown =
        |char: char| char == ' ' || char.is_alphanumeric() || (char.is_ascii_graphic() && char != '`');
    match std::str::from_utf8(bytes) {
        Ok(text) if text.chars().all(shown) => format!("'{}'", text.replace('\'', "'\\''")),
        _ => escaped(bytes),
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut word = String::from("$'");
    for &byte in bytes {
        match byte {
            b'\'' | b'\\' => {
                word.push('\\');
                word.push(char::from(byte));
            }
            b' ' | b'!'..=b'~' if byte != b'`' => word.push(char::from(byte)),
            // Three octal digits end where they end; a hexadecimal escape would swallow a digit that follows.
            _ => drop(write!(word, "\\{byte:03o}")),
        }
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn only_our_own_lines_without_a_board_are_aimed_and_only_once() {
        let aim = Aim::at_file(Path::new("/srv/my boards/kanban.db"));
        let aimed = "kanbanctl --db '/srv/my boards/kanban.db' health";
        assert_eq!(aim.line("kanbanctl health"), aimed);
        assert_eq!(aim.line(aimed), aimed);
        assert_eq!(aim.line("kanbanctl"), "kanbanctl --db '/srv/my boards/kanban.db'");
        for other in [
            "kanbanctl --board b2 list",
            "kanbanctl-old list",
            "sudo -u '#7' kanbanctl ...",
            "hermes gateway stop",
        ] {
            assert_eq!(aim.line(other), other);
        }
        assert_eq!(Aim::default().line("kanbanctl health"), "kanbanctl health");
        assert_eq!(
            aim.line("hermes kanban archive t_1"),
            "HERMES_KANBAN_DB='/srv/my boards/kanban.db' hermes kanban archive t_1"
        );
    }

    #[test]
    fn in_a_sentence_only_what_is_between_backticks_is_a_command() {
        let hint = "kanbanctl says: `kanbanctl health` first, `df` later, then `kanbanctl recover`.";
        let aimed = Aim::at_board("b2").text(hint);
        assert_eq!(
            aimed,
            "kanbanctl says: `kanbanctl --board b2 health` first, `df` later, then `kanbanctl --board b2 recover`."
        );
        assert_eq!(Aim::at_board("b3").text(&aimed), aimed);
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        let words: [&[u8]; 9] = [
            b"/srv/x/kanban.db",
            b"",
            b"a b",
            b"it's; rm -rf ~",
            "\u{e9}t\u{e9} $HOME".as_bytes(),
            b"line\nbreak 1",
            b"\xff\xfe7 '\\",
            b"`id`",
            "\u{202e}txt".as_bytes(),
        ];
        for word in words {
            let line = quoted(OsStr::from_bytes(word));
            assert!(!line.contains('`') && !line.contains('\n') && !line.contains('\u{202e}'), "{line}");
            let script = format!("printf %s {line}");
            let read = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
            assert_eq!(read.stdout, word, "{line}");
        }
        assert_eq!(quoted("/srv/x/kanban.db"), "/srv/x/kanban.db");
    }
}
