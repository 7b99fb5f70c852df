//! The binary on a terminal: for prompts, colours, bars and Ctrl-C.

use std::io::{Read, Write};
use std::process::Command;
use std::time::Duration;

use expectrl::session::OsSession;
use expectrl::{Expect, Needle};

use super::Sandbox;

/// Runs its arguments once the terminal has the size that `$0` names.
const WAIT_FOR_SIZE: &str = r#"until [ "$(stty size)" = "$0" ]; do sleep 0.01; done; exec "$@""#;

/// A running command whose three streams are one terminal.
pub(crate) struct Terminal {
    session: OsSession,
}

impl Terminal {
    /// Starts `kanbanctl ARGS` on a terminal of `columns` by 40.
    pub(crate) fn start(sandbox: &Sandbox, args: &[&str], columns: u16) -> Self {
        let mut command = sandbox.command(args);
        command.env_remove("COLUMNS").env("TERM", "xterm-256color").env("PAGER", "cat");
        Self::spawn(&command, columns)
    }

    /// Starts a command that the sandbox prepared.
    pub(crate) fn spawn(command: &Command, columns: u16) -> Self {
        // The library gives every terminal a size of its own after the start, so the program waits for ours.
        let mut sized = Command::new("sh");
        sized
            .args(["-c", WAIT_FOR_SIZE, &format!("40 {columns}")])
            .arg(command.get_program())
            .args(command.get_args())
            .env_clear()
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .current_dir(command.get_current_dir().unwrap());
        let mut session = OsSession::spawn(sized).unwrap();
        session.get_process_mut().set_window_size(columns, 40).unwrap();
        session.set_expect_timeout(Some(Duration::from_mins(1)));
        Self { session }
    }

    /// Waits until `needle` has appeared; gives everything up to and with it.
    #[track_caller]
    pub(crate) fn expect(&mut self, needle: impl Needle) -> String {
        let found = self.session.expect(needle).unwrap();
        String::from_utf8_lossy(found.as_bytes()).into_owned()
    }

    /// The program's process id.
    pub(crate) fn pid(&self) -> String {
        self.session.get_process().pid().to_string()
    }

    /// Types text as it is; end it with `\r` to press Enter.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.session.write_all(text.as_bytes()).unwrap();
        self.session.flush().unwrap();
    }

    /// As [`Terminal::finish`], with a line typed each time that `prompt` appears.
    pub(crate) fn finish_answering(mut self, prompt: &str, answer: &str) -> (String, i32) {
        use expectrl::process::unix::WaitStatus;
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        let mut answered = 0;
        // On Linux a terminal whose last user has gone answers EIO, which is the end.
        while let Ok(count @ 1..) = self.session.read(&mut piece) {
            bytes.extend_from_slice(&piece[..count]);
            let asked = String::from_utf8_lossy(&bytes).matches(prompt).count();
            if asked > answered {
                answered = asked;
                self.type_text(&format!("{answer}\r"));
            }
        }
        let code = match self.session.get_process().wait().unwrap() {
            WaitStatus::Exited(_, code) => code,
            WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
            other => panic!("{other:?}"),
        };
        (String::from_utf8_lossy(&bytes).into_owned(), code)
    }

    /// Everything until the program has gone, and its exit status (128 + N after a signal).
    pub(crate) fn finish(self) -> (String, i32) {
        self.finish_answering("\0", "")
    }
}

#[test]
fn a_terminal_shows_and_answers() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.program("sh");
    command.args(["-c", "stty size; printf 'name? '; read name; echo \"hello $name\"; exit 7"]);
    let mut terminal = Terminal::spawn(&command, 90);
    terminal.expect("40 90");
    terminal.expect("name? ");
    terminal.type_text("board\r");
    let (text, code) = terminal.finish();
    assert!(text.contains("hello board"), "{text:?}");
    assert_eq!(code, 7);
}
