//! Questions to a person. Asks only where a person can answer, and leaves the cursor visible when interrupted.
//!
//! Not here: what a "no" means (the caller).

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use console::Term;
use dialoguer::{Confirm, Input};
use signal_hook::consts::SIGINT;

use super::Ui;
use super::text::{self, TextGuard};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::process::signals::Signals;

impl Ui {
    /// Whether somebody is there to answer: stdin and stderr are terminals and `--no-input` was not given.
    pub fn can_prompt(&self) -> bool {
        self.settings.stdin_terminal && self.settings.stderr_terminal && !self.settings.no_input
    }

    /// Asks a question with yes or no; `--yes` answers it.
    ///
    /// # Errors
    /// Exit 12 when the answer is no or nobody can be asked; the failure names `--yes`.
    pub fn confirm(&self, question: &str) -> Outcome<()> {
        if self.settings.yes {
            return Ok(());
        }
        self.must_prompt(question)?;
        let question = text::guard(question, TextGuard::Terminal);
        if self.settings.dumb {
            let typed = self.read_line(&format!("{question} [y/N] "))?;
            let yes = ["y", "yes"].iter().any(|yes| typed.trim().eq_ignore_ascii_case(yes));
            return if yes { Ok(()) } else { Err(declined()) };
        }
        let prompt = Confirm::new().with_prompt(question).default(false);
        let answer = attended(&self.signals, true, || Ok(prompt.interact_on_opt(&Term::stderr())?))?;
        if answer == Some(true) { Ok(()) } else { Err(declined()) }
    }

    /// Asks for a name to be typed before something live is replaced; `--yes` answers it.
    ///
    /// # Errors
    /// Exit 12 when something else is typed or nobody can be asked; the failure names `--yes`.
    pub fn confirm_name(&self, warning: &str, name: &str) -> Outcome<()> {
        if self.settings.yes {
            return Ok(());
        }
        self.must_prompt(warning)?;
        let shown = text::guard(name, TextGuard::Terminal);
        let warning = text::guard(warning, TextGuard::Terminal);
        let prompt = format!("{warning} Type the board's name (\"{shown}\") to continue");
        let typed = if self.settings.dumb {
            self.read_line(&format!("{prompt}: "))?
        } else {
            let input = Input::<String>::new().with_prompt(prompt).allow_empty(true);
            attended(&self.signals, true, || Ok(input.interact_text_on(&Term::stderr())?))?
        };
        // What cannot be typed is typed as it is shown.
        if typed.trim() == name || typed.trim() == shown { Ok(()) } else { Err(declined()) }
    }

    /// Refuses before long work when nobody will be able to answer `question` at its end.
    ///
    /// # Errors
    /// Exit 12; the failure names `--yes`.
    pub fn require_answer(&self, question: &str) -> Outcome<()> {
        if self.settings.yes { Ok(()) } else { self.must_prompt(question) }
    }

    /// Asks on a terminal on which the cursor cannot be moved.
    fn read_line(&self, prompt: &str) -> Outcome<String> {
        attended(&self.signals, false, || {
            std::io::stderr().write_all(prompt.as_bytes())?;
            let mut typed = String::new();
            std::io::stdin().read_line(&mut typed)?;
            Ok(typed)
        })
    }

    fn must_prompt(&self, question: &str) -> Outcome<()> {
        if self.can_prompt() {
            return Ok(());
        }
        let why =
            if self.settings.no_input { "`--no-input` was given" } else { "there is no terminal to ask on" };
        let message = format!("this needs a confirmation, and {why}: {question}");
        Err(Failure::refused(message).hint("Repeat the command with `--yes` to confirm it."))
    }
}

/// How long a signal may go unheard while somebody is asked.
const LISTEN: Duration = Duration::from_millis(50);

/// Asks with signals attended to: the flag that they set is read by nobody while the prompt waits for a key, and a
/// Ctrl-C that comes before the terminal is told to pass keys on is a signal, not a key. At a question nothing is half
/// done, so the process ends at once, with the terminal as it was before; `moves` says that asking moves the cursor.
fn attended<T>(signals: &Signals, moves: bool, ask: impl FnOnce() -> std::io::Result<T>) -> Outcome<T> {
    let interrupted = |signal| Failure::new(Exit::Interrupted(signal), "interrupted; nothing was changed.");
    if let Some(signal) = signals.received() {
        return Err(interrupted(signal));
    }
    let before = rustix::termios::tcgetattr(std::io::stdin()).ok();
    let over = AtomicBool::new(false);
    let asked = std::thread::scope(|scope| {
        // Without a thread a signal is heard when the question is answered.
        let watch = std::thread::Builder::new().spawn_scoped(scope, || {
            let mut heard = false;
            while !over.load(Ordering::Acquire) {
                std::thread::park_timeout(LISTEN);
                let Some(signal) = signals.received() else { continue };
                // A Ctrl-C that the prompt has read as a key comes as a signal too; then the prompt ends by itself.
                if heard && !over.load(Ordering::Acquire) {
                    restore(before.as_ref(), moves);
                    Signals::raise(signal);
                }
                heard = true;
            }
        });
        let asked = ask();
        over.store(true, Ordering::Release);
        if let Ok(watch) = &watch {
            watch.thread().unpark();
        }
        asked
    });
    restore(None, moves);
    asked.map_err(|error| {
        if error.kind() == std::io::ErrorKind::Interrupted {
            return interrupted(signals.received().unwrap_or(SIGINT));
        }
        Failure::io(error, "asking on the terminal").with_exit(Exit::Refused)
    })
}

/// Shows the cursor and gives the terminal its settings back. Best effort: without a terminal there is nothing to restore.
fn restore(before: Option<&rustix::termios::Termios>, moves: bool) {
    if moves {
        let _ = Term::stderr().show_cursor();
    }
    if let Some(before) = before {
        let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, before);
    }
}

fn declined() -> Failure {
    Failure::refused("not confirmed; nothing was changed.")
        .hint("Run the command again and answer as it asks, or confirm it with `--yes`.")
}

#[cfg(test)]
mod tests {
    use crate::failure::exit::Exit;
    use crate::ui::{Settings, Ui};

    #[test]
    fn nobody_to_ask_is_a_refusal_that_names_the_flag() {
        let refused = Ui::new(Settings::default()).confirm("Replace it?").unwrap_err();
        assert_eq!(refused.exit(), Exit::Refused);
        assert!(refused.hints().iter().any(|hint| hint.contains("--yes")));
    }

    #[test]
    fn yes_answers_and_no_input_never_asks() {
        let yes = Settings { yes: true, ..Settings::default() };
        assert!(Ui::new(yes).confirm_name("Gone for good.", "main").is_ok());
        let terminal = Settings { stdin_terminal: true, stderr_terminal: true, ..Settings::default() };
        assert!(Ui::new(terminal.clone()).can_prompt());
        assert!(!Ui::new(Settings { no_input: true, ..terminal }).can_prompt());
    }
}
