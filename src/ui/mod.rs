//! The only owner of streams: data on stdout, talk on stderr.
//!
//! Has formats, colour, quiet levels, prompts and bars, and makes text from boards safe to show ([`text`]). Not here: what is
//! said ([`crate::commands`]).

use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use indicatif::{MultiProgress, ProgressDrawTarget};

use crate::failure::{Failure, Outcome};
use crate::process::signals::Signals;

mod chart;
mod html;
mod json;
mod json_rows;
mod label;
mod lanes;
pub mod nagios;
mod output;
mod page;
mod pager;
mod progress;
pub mod prom;
mod prompt;
mod records;
mod roff;
mod settings;
mod table;
pub mod text;

pub use chart::{Chart, ChartKey};
pub use html::{HtmlMoment, HtmlPage};
pub use json_rows::JsonRows;
pub use label::Label;
pub use lanes::{Lane, Lanes};
pub use page::Document;
pub use progress::{Progress, ProgressLine};
pub use records::Records;
pub use roff::{StyledLine, lay_out};
pub use settings::{ColorWhen, Format, Settings, Surroundings, UiRequest, clap_color, settings};
pub use table::{TextColumn, TextTable};

use output::Replacement;
use text::TextGuard;

/// What a verb has to say, in every format at once.
///
/// The JSON form is the value's own serialization.
pub trait Report: serde::Serialize {
    /// The envelope's `kind`, for example `task.list`.
    fn kind(&self) -> &'static str;

    /// The `kind` of one element when the data is an array and each goes on a line of its own.
    fn record_kind(&self) -> &'static str {
        self.kind()
    }

    /// Writes the report for a person.
    fn human(&self, page: &mut Document<'_>);

    /// Writes the report as tab-separated records.
    fn plain(&self, records: &mut Records<'_>);
}

/// The streams of one invocation and how they are to be used.
pub struct Ui {
    settings: Settings,
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    file: Option<Replacement>,
    finished: bool,
    /// True where `out` is the process's own stdout.
    is_stdout: bool,
    /// The permissions that a new `-o` file has at most.
    output_limit: u32,
    bars: MultiProgress,
    signals: Signals,
}

impl Ui {
    /// The process's own streams.
    pub fn new(settings: Settings) -> Self {
        settings.push();
        let out = BufWriter::with_capacity(64 * 1024, io::stdout());
        Self { is_stdout: true, ..Self::with_streams(settings, Box::new(out), Box::new(io::stderr())) }
    }

    /// Other streams than the process's own.
    pub fn with_streams(settings: Settings, out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        let target =
            if draws(&settings) { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bars = MultiProgress::with_draw_target(target);
        Self {
            settings,
            out,
            err,
            file: None,
            finished: false,
            is_stdout: false,
            output_limit: 0o777,
            bars,
            signals: Signals::default(),
        }
    }

    /// Ends questions when one of these signals arrives.
    pub fn attend(&mut self, signals: Signals) {
        self.signals = signals;
    }

    /// What was decided.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How data is written.
    pub fn format(&self) -> Format {
        self.settings.format
    }

    /// Gives a new `-o` file no permission that `mode` does not have: what comes from a board is not for more than may read
    /// the board. A file that is there keeps its own, and metrics are for every monitor.
    pub fn limit_output(&mut self, mode: u32) {
        if !self.settings.format.is_monitoring() {
            self.output_limit &= mode;
        }
    }

    /// Refuses an `-o` destination that must not be replaced; to be called before a board is opened.
    pub fn check_output(&self) -> Outcome<()> {
        self.settings.output.as_deref().map_or(Ok(()), output::check)
    }

    /// Refuse a destination of [`Ui::save`] that must not be replaced; to be called before a board is opened.
    ///
    /// # Errors
    /// Exit 12.
    pub fn check_destination(&self, destination: &Path) -> Outcome<()> {
        output::check(destination)
    }

    /// Writes a report in the chosen format.
    pub fn emit<R: Report>(&mut self, report: &R) -> Outcome<()> {
        let settings = self.settings.clone();
        let terminal = settings.stdout_terminal;
        let guard = TextGuard::for_terminal(terminal);
        self.write(|out| match settings.format {
            Format::Json => json::envelope(out, report.kind(), report, terminal),
            Format::Jsonl => json::lines(out, report.kind(), report.record_kind(), report, terminal),
            Format::Plain => {
                let mut records = Records::new(out, guard);
                report.plain(&mut records);
                records.finish()
            }
            Format::Table | Format::Nagios | Format::Prom => {
                out.write_all(drawn(report, &settings).as_bytes())
            }
        })
    }

    /// Return a report as it is written for a person.
    pub fn drawn<R: Report>(&self, report: &R) -> String {
        drawn(report, &self.settings)
    }

    /// As [`Ui::emit`], for what is done already: an `-o` file that does not appear fails here and not behind the verb.
    pub fn emit_done<R: Report>(&mut self, report: &R) -> Outcome<()> {
        self.emit(report)?;
        self.finish()
    }

    /// Writes one report of an endless stream: a whole line in both JSON formats, plain records otherwise.
    pub fn emit_streamed<R: Report>(&mut self, report: &R) -> Outcome<()> {
        let terminal = self.settings.stdout_terminal;
        if self.settings.format.is_json() {
            return self.write(|out| json::envelope(out, report.kind(), report, terminal));
        }
        self.emit(report)
    }

    /// Writes text that is finished and safe already: monitoring formats, completion scripts.
    pub fn raw(&mut self, text: &str) -> Outcome<()> {
        self.write(|out| out.write_all(text.as_bytes()))
    }

    /// Write bytes as they are: files that are data themselves, off a terminal.
    pub fn raw_bytes(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.write(|out| out.write_all(bytes))
    }

    /// Write `text` to the file `destination`, whole or not at all; an existing plain file is replaced only if `replaces`.
    /// `access` sets who may read it.
    ///
    /// # Errors
    /// Exit 12 where something is there that may not be replaced.
    pub fn save(
        &self,
        destination: &Path,
        text: &str,
        replaces: bool,
        access: impl FnOnce(&File) -> io::Result<()>,
    ) -> Outcome<()> {
        output::check(destination)?;
        let mut file = Replacement::create(destination, 0o600)?;
        file.set_access(access)?;
        let written = file.write_all(text.as_bytes());
        written.map_err(|error| Failure::io(error, format!("writing {}", destination.display())))?;
        if replaces { file.commit() } else { file.commit_new() }
    }

    /// Makes an `-o` file appear, once, when the verb has succeeded.
    pub fn finish(&mut self) -> Outcome<()> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        match (self.file.take(), &self.settings.output) {
            (Some(file), _) => file.commit(),
            (None, Some(destination)) => Replacement::create(destination, self.output_limit)?.commit(),
            (None, None) => Ok(()),
        }
    }

    /// Says what was done or is being done. A full sentence; silenced by `-q`.
    pub fn status(&mut self, message: impl Display) {
        if self.settings.quiet == 0 {
            self.say(Label::Text, "", &message);
        }
    }

    /// Says that a check found nothing: to a person, with `-v` or `-n`, not to a cron job.
    pub fn success(&mut self, message: impl Display) {
        if self.tells_success() {
            self.status(message);
        }
    }

    /// Warns. Silenced by `-qq`.
    pub fn warning(&mut self, message: impl Display) {
        if self.settings.quiet < 2 {
            self.say(Label::Warning, "warning: ", &message);
        }
    }

    /// Says what to do next. Silenced by `-q`.
    pub fn hint(&mut self, message: impl Display) {
        if self.settings.quiet == 0 {
            self.say(Label::Hint, "hint: ", &message);
        }
    }

    /// Says a detail, shown with `-v`.
    pub fn detail(&mut self, message: impl Display) {
        if self.settings.verbose >= 1 {
            self.say(Label::Dim, "", &message);
        }
    }

    /// Says what only a developer asks for, shown with `-vv`.
    pub fn trace(&mut self, message: impl Display) {
        if self.settings.verbose >= 2 {
            self.say(Label::Dim, "", &message);
        }
    }

    /// Says why the verb failed; the last thing on stderr. A closed pipe says nothing.
    pub fn failure(&mut self, failure: &Failure) {
        if failure.is_broken_pipe() {
            return;
        }
        self.file = None;
        if self.settings.format.is_json() {
            let line = json::error(failure, self.settings.stderr_terminal);
            self.talk(&line);
            return;
        }
        self.say(Label::Bad, "error: ", &failure);
        self.particulars(failure);
    }

    /// Says what failed on one of several boards, while the verb goes on with the others. Silenced by `-qq`.
    pub fn setback(&mut self, board: &str, failure: &Failure) {
        if self.settings.quiet < 2 {
            self.say(Label::Warning, "warning: ", &format_args!("board {board}: {failure}"));
            self.particulars(failure);
        }
    }

    /// What a failure is about and what to do next, each on a line of its own.
    fn particulars(&mut self, failure: &Failure) {
        let board = failure.board();
        let is_board = |path: &Path| board.is_some_and(|board| board.path == path);
        if let Some(path) = failure.path().filter(|path| !is_board(path)) {
            let path = path.display().to_string();
            if !failure.to_string().contains(&path) {
                self.say(Label::Dim, "file: ", &path);
            }
        }
        if let Some(board) = board {
            let (path, origin) = (board.path.display(), &board.origin);
            self.say(Label::Dim, "board: ", &format_args!("{path} (chosen by {origin})"));
        }
        for hint in failure.hints() {
            self.hint(hint);
        }
    }

    /// A bar, drawn when stderr is a terminal that can and `-q` was not given, once the work has taken 200 ms.
    /// `total` 0 is unknown.
    pub fn progress(&self, label: &str, total: u64) -> Progress {
        if draws(&self.settings) {
            Progress::on(&self.bars, label, total, self.settings.ascii)
        } else {
            Progress::none()
        }
    }

    /// A line for what is waited for; nothing where no bar would be drawn.
    pub fn line(&self) -> Option<ProgressLine> {
        draws(&self.settings).then(|| ProgressLine::on(&self.bars, self.settings.ascii))
    }

    /// Return how many bytes can be written without waiting for a reader.
    fn room(&self) -> usize {
        if self.file.is_some() || self.settings.output.is_some() || !self.is_stdout {
            return usize::MAX;
        }
        output::room(&io::stdout())
    }

    fn write(&mut self, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Outcome<()> {
        if let Some(destination) = &self.settings.output {
            let partial = match self.file.take() {
                Some(begun) => begun,
                None => Replacement::create(destination, self.output_limit)?,
            };
            let doing = format!("writing {}", destination.display());
            return fill(self.file.insert(partial)).map_err(|error| Failure::io(error, doing));
        }
        let out = &mut self.out;
        let filled = self.bars.suspend(|| fill(out).and_then(|()| out.flush()));
        filled.map_err(|error| Failure::io(error, "writing to stdout"))
    }

    /// Whether somebody wants to know that maintenance went well.
    fn tells_success(&self) -> bool {
        self.settings.stderr_terminal || self.settings.verbose > 0 || self.settings.dry_run
    }

    /// One line of talk: a heading in colour, then the message, guarded.
    fn say(&mut self, label: Label, heading: &str, message: &dyn Display) {
        let mut line = String::new();
        let color = self.settings.color_stderr;
        let guard = TextGuard::for_terminal(self.settings.stderr_terminal);
        let message = message.to_string();
        let message = text::guard(&message, guard);
        let columns = self.settings.stderr_width.unwrap_or(usize::MAX).saturating_sub(heading.len());
        for (at, part) in text::wrap_message(&message, columns).iter().enumerate() {
            if heading.is_empty() {
                label.paint(&mut line, part, color);
            } else if at == 0 {
                label.paint(&mut line, heading, color);
                line.push_str(part);
            } else {
                line.extend(std::iter::repeat_n(' ', heading.len()));
                line.push_str(part);
            }
            line.push('\n');
        }
        self.talk(line.as_bytes());
    }

    fn talk(&mut self, bytes: &[u8]) {
        let err = &mut self.err;
        // Nobody is left to be told when stderr is gone.
        drop(self.bars.suspend(|| err.write_all(bytes).and_then(|()| err.flush())));
    }
}

fn drawn<R: Report>(report: &R, settings: &Settings) -> String {
    let mut text = String::new();
    let guard = TextGuard::for_terminal(settings.stdout_terminal);
    report.human(&mut Document::new(&mut text, guard, settings.color_stdout, settings.ascii, settings.width));
    text
}

/// Whether bars are drawn.
fn draws(settings: &Settings) -> bool {
    settings.stderr_terminal && settings.quiet == 0 && !settings.dumb
}

impl fmt::Debug for Ui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ui").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
