//! The one decision about format, colour and width, from explicit inputs.
//!
//! Weighs the options against environment and terminals and sets the crates that would otherwise decide for themselves. It
//! reads no environment ([`Surroundings`]).

use std::ffi::OsStr;
use std::path::PathBuf;

/// How data is written to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people: aligned columns, colour, cut to the terminal's width.
    Table,
    /// For scripts: tab separated, one record a line, no decoration, stable.
    Plain,
    /// One JSON envelope.
    Json,
    /// One JSON envelope per record, each on its own line.
    Jsonl,
    /// A Nagios plug-in line (`health` only).
    Nagios,
    /// Prometheus text exposition (`health` only).
    Prom,
}

impl Format {
    /// Whether failures end with a JSON error line on stderr.
    pub fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl)
    }

    /// Whether only `health` can write it; other verbs answer with exit 2 before they begin.
    pub fn is_monitoring(self) -> bool {
        matches!(self, Self::Nagios | Self::Prom)
    }
}

/// The value of `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorWhen {
    /// As the environment and the terminal say.
    #[default]
    Auto,
    /// In colour, whatever the environment says.
    Always,
    /// Without colour.
    Never,
}

/// What was typed.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent switch of the command line")]
pub struct UiRequest {
    /// `--format` or `--json`.
    pub format: Option<Format>,
    /// `--color`.
    pub color: ColorWhen,
    /// `--ascii`.
    pub ascii: bool,
    /// How often `-q` was given.
    pub quiet: u8,
    /// How often `-v` was given.
    pub verbose: u8,
    /// `-o FILE`.
    pub output: Option<PathBuf>,
    /// `--yes`.
    pub yes: bool,
    /// `--no-input`.
    pub no_input: bool,
    /// `--dry-run`.
    pub dry_run: bool,
}

/// What surrounds the process: variables as found (`None` when unset) and which streams are terminals.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// `NO_COLOR`; counts when it is not empty (no-color.org).
    pub no_color: Option<&'a OsStr>,
    /// `CLICOLOR`; `0` turns colour off.
    pub clicolor: Option<&'a OsStr>,
    /// `CLICOLOR_FORCE`; anything but empty and `0` turns colour on, terminal or not.
    pub clicolor_force: Option<&'a OsStr>,
    /// `TERM`; `dumb` turns colour, bars, whatever moves the cursor, and all but ASCII off.
    pub term: Option<&'a OsStr>,
    /// The first of `LC_ALL`, `LC_CTYPE` and `LANG` that is not empty; one that does not name UTF-8 wants ASCII.
    pub locale: Option<&'a OsStr>,
    /// `COLUMNS`; counts over the terminal's own width, which is asked for otherwise.
    pub columns: Option<&'a OsStr>,
    /// Whether stdin is a terminal.
    pub stdin_terminal: bool,
    /// Whether stdout is a terminal.
    pub stdout_terminal: bool,
    /// Whether stderr is a terminal.
    pub stderr_terminal: bool,
}

/// Everything decided, nothing left to look up.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent switch of the command line or a stream"
)]
pub struct Settings {
    /// How data is written.
    pub format: Format,
    /// Whether the format was asked for by name rather than chosen by default.
    pub format_chosen: bool,
    /// Colour in the data.
    pub color_stdout: bool,
    /// Colour in messages, prompts and bars.
    pub color_stderr: bool,
    /// Only ASCII in decoration.
    pub ascii: bool,
    /// Nothing may move the cursor: no bars, and questions that are read as lines.
    pub dumb: bool,
    /// 0, 1 (no status, hints or bars), 2 (errors only).
    pub quiet: u8,
    /// 0, 1 (details), 2 (every SQL statement).
    pub verbose: u8,
    /// Whether a person can type at stdin.
    pub stdin_terminal: bool,
    /// Whether the data goes to a terminal; never when it goes to a file.
    pub stdout_terminal: bool,
    /// Whether messages go to a terminal.
    pub stderr_terminal: bool,
    /// Columns that a table may take; `None` where nothing has to be cut.
    pub width: Option<usize>,
    /// Columns that a message may take before it goes on in the next line; `None` off a terminal.
    pub stderr_width: Option<usize>,
    /// The file that takes the data instead of stdout.
    pub output: Option<PathBuf>,
    /// Every confirmation is given.
    pub yes: bool,
    /// Never ask.
    pub no_input: bool,
    /// Nothing is written: what is said of it is what the command was given for.
    pub dry_run: bool,
}

impl Default for Settings {
    /// What a script gets: plain, no colour, no terminal.
    fn default() -> Self {
        settings(UiRequest::default(), &Surroundings::default())
    }
}

/// Decides format, colour and width once for the whole invocation.
pub fn settings(request: UiRequest, around: &Surroundings<'_>) -> Settings {
    let stdout_terminal = around.stdout_terminal && request.output.is_none();
    let dumb = is_dumb(around);
    let default_format = if stdout_terminal { Format::Table } else { Format::Plain };
    Settings {
        format: request.format.unwrap_or(default_format),
        format_chosen: request.format.is_some(),
        color_stdout: color(request.color, around, stdout_terminal, request.output.is_some()),
        color_stderr: color(request.color, around, around.stderr_terminal, false),
        ascii: request.ascii || dumb || !speaks_utf8(around.locale),
        dumb,
        quiet: request.quiet,
        verbose: request.verbose,
        stdin_terminal: around.stdin_terminal,
        stdout_terminal,
        stderr_terminal: around.stderr_terminal,
        width: stdout_terminal.then(|| width(around.columns)),
        stderr_width: around.stderr_terminal.then(|| width(around.columns)),
        output: request.output,
        yes: request.yes,
        no_input: request.no_input,
        dry_run: request.dry_run,
    }
}

fn is_dumb(around: &Surroundings<'_>) -> bool {
    around.term.is_some_and(|term| term == "dumb")
}

/// Whether the locale's characters are UTF-8; where none is named, they are taken to be.
fn speaks_utf8(locale: Option<&OsStr>) -> bool {
    let Some(name) = locale.map(|name| name.to_string_lossy().to_ascii_lowercase()) else { return true };
    name.contains("utf-8") || name.contains("utf8")
}

/// What clap is told before it parses: the same decision, with "ask the stream" left open, because help goes to stdout
/// and errors to stderr.
pub fn clap_color(when: ColorWhen, around: &Surroundings<'_>) -> clap::ColorChoice {
    match (color(when, around, true, false), color(when, around, false, false)) {
        (true, true) => clap::ColorChoice::Always,
        (true, false) => clap::ColorChoice::Auto,
        _ => clap::ColorChoice::Never,
    }
}

/// Option, then `NO_COLOR`, then `CLICOLOR_FORCE` (which a file does not take), then `TERM` and `CLICOLOR`, then the
/// terminal.
fn color(when: ColorWhen, around: &Surroundings<'_>, terminal: bool, file: bool) -> bool {
    let set = |value: Option<&OsStr>| value.is_some_and(|text| !text.is_empty());
    let zero = |value: Option<&OsStr>| value.is_some_and(|text| text == "0");
    match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto if set(around.no_color) => false,
        ColorWhen::Auto if !file && set(around.clicolor_force) && !zero(around.clicolor_force) => true,
        ColorWhen::Auto => terminal && !is_dumb(around) && !zero(around.clicolor),
    }
}

/// `COLUMNS`, else what the terminal says, else 80; never less than 20, below which no table is readable.
fn width(columns: Option<&OsStr>) -> usize {
    let named =
        columns.and_then(OsStr::to_str).and_then(|text| text.parse::<usize>().ok()).filter(|&n| n > 0);
    let asked = || {
        let terminals = [console::Term::stdout(), console::Term::stderr()];
        terminals.iter().find_map(console::Term::size_checked).map(|(_, columns)| usize::from(columns))
    };
    named.or_else(asked).unwrap_or(80).max(20)
}

impl Settings {
    /// Tells every crate that draws, so that none of them reads the environment again (crates.md, finding 9).
    pub(super) fn push(&self) {
        console::set_colors_enabled(self.color_stdout);
        console::set_colors_enabled_stderr(self.color_stderr);
        crossterm::style::force_color_output(self.color_stdout);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal() -> Surroundings<'static> {
        Surroundings {
            stdin_terminal: true,
            stdout_terminal: true,
            stderr_terminal: true,
            ..Default::default()
        }
    }

    fn var(text: &'static str) -> Option<&'static OsStr> {
        [OsStr::new(text)].into_iter().next()
    }

    #[test]
    fn the_terminal_decides_when_nothing_else_does() {
        let decided = settings(UiRequest::default(), &terminal());
        assert_eq!((decided.format, decided.color_stdout, decided.color_stderr), (Format::Table, true, true));
        let decided = settings(UiRequest::default(), &Surroundings::default());
        assert_eq!((decided.format, decided.color_stdout, decided.width), (Format::Plain, false, None));
    }

    #[test]
    fn the_variables_rank_as_documented() {
        let table = [
            (Surroundings { no_color: var("1"), ..terminal() }, false),
            (Surroundings { no_color: var(""), ..terminal() }, true),
            (Surroundings { no_color: var("1"), clicolor_force: var("1"), ..terminal() }, false),
            (Surroundings { clicolor_force: var("1"), ..Default::default() }, true),
            (Surroundings { clicolor_force: var("0"), ..Default::default() }, false),
            (Surroundings { clicolor: var("0"), ..terminal() }, false),
            (Surroundings { term: var("dumb"), ..terminal() }, false),
            (Surroundings { term: var("dumb"), clicolor_force: var("1"), ..terminal() }, true),
        ];
        for (around, expected) in table {
            assert_eq!(settings(UiRequest::default(), &around).color_stdout, expected, "{around:?}");
            let always = UiRequest { color: ColorWhen::Always, ..Default::default() };
            assert!(settings(always, &around).color_stdout);
            let never = UiRequest { color: ColorWhen::Never, ..Default::default() };
            assert!(!settings(never, &around).color_stderr);
        }
    }

    #[test]
    fn decoration_is_ascii_where_nothing_else_can_be_shown() {
        let table = [
            (Surroundings { term: var("dumb"), ..terminal() }, true),
            (Surroundings { locale: var("C"), ..terminal() }, true),
            (Surroundings { locale: var("de_DE@euro"), ..terminal() }, true),
            (Surroundings { locale: var("C.UTF-8"), ..terminal() }, false),
            (Surroundings { locale: var("en_US.utf8"), ..terminal() }, false),
            (terminal(), false),
        ];
        for (around, expected) in table {
            let decided = settings(UiRequest::default(), &around);
            assert_eq!((decided.ascii, decided.dumb), (expected, around.term.is_some()), "{around:?}");
        }
    }

    #[test]
    fn a_file_is_no_terminal() {
        let request = UiRequest { output: Some("out".into()), ..Default::default() };
        let around = Surroundings { clicolor_force: var("1"), ..terminal() };
        let decided = settings(request, &around);
        assert_eq!((decided.format, decided.color_stdout, decided.width), (Format::Plain, false, None));
        assert!(decided.color_stderr);
    }

    #[test]
    fn clap_hears_the_same() {
        assert_eq!(clap_color(ColorWhen::Auto, &terminal()), clap::ColorChoice::Auto);
        let around = Surroundings { no_color: var("1"), ..terminal() };
        assert_eq!(clap_color(ColorWhen::Auto, &around), clap::ColorChoice::Never);
        assert_eq!(clap_color(ColorWhen::Always, &around), clap::ColorChoice::Always);
    }
}
