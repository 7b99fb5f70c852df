//! The manual: one page for each verb, kanbanctl(1) and kanbanctl-recovery(7), as roff, and the sections of a page.
//!
//! The pages of verbs come from the command line's own definition and the facts in [`facts`]. kanbanctl-recovery(7) is
//! written by hand and carried in the binary.
//!
//! Not here: writing pages below a directory ([`super::man`]) and showing them ([`super::help`]).

mod facts;

use clap::Command;
use clap_mangen::Man;

use self::facts::PageFacts;

/// The runbook for incidents, hand-written.
pub(super) const RECOVERY: &str = include_str!("../../../man/man7/kanbanctl-recovery.7");

/// The date on the pages: fixed, so that the same program always writes the same pages.
const REVISED: &str = "2026-12-01";

/// The longest line of roff that is written.
const LINE_BYTES: usize = 79;

/// One page of the manual.
#[derive(Clone, Debug)]
pub(super) struct ManualPage {
    /// Such as `kanbanctl-boards-list`.
    pub(super) name: String,
    /// 1 or 7.
    pub(super) section: u8,
    /// The page itself.
    pub(super) roff: String,
}

/// Return every page of the manual.
///
/// # Errors
/// When a page cannot be rendered.
pub(super) fn pages(command: Command) -> std::io::Result<Vec<ManualPage>> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add_page(&command, "kanbanctl", true, &mut pages)?;
    pages.push(ManualPage { name: "kanbanctl-recovery".to_owned(), section: 7, roff: RECOVERY.to_owned() });
    Ok(pages)
}

/// Return the part of a page that begins with a heading: `.SH "NAME"` or `.SS name`, up to the next of its rank.
pub(super) fn section<'a>(page: &'a str, heading: &str) -> Option<&'a str> {
    let is_start = |line: &str| {
        let (request, title) = line.split_once(' ').unwrap_or((line, ""));
        matches!(request, ".SH" | ".SS") && title.trim_matches('"').replace("\\-", "-") == heading
    };
    let mut at = 0;
    let mut start = None;
    for line in page.split_inclusive('\n') {
        match start {
            None if is_start(line.trim_end()) => start = Some((at, line.starts_with(".SS"))),
            Some((from, is_sub)) if line.starts_with(".SH") || (is_sub && line.starts_with(".SS")) => {
                return page.get(from..at);
            }
            _ => {}
        }
        at += line.len();
    }
    start.and_then(|(from, _)| page.get(from..))
}

/// Add the page of one command, then those of the commands below it.
fn add_page(command: &Command, name: &str, is_top: bool, pages: &mut Vec<ManualPage>) -> std::io::Result<()> {
    let shown = if is_top { command.clone() } else { without_globals(command) };
    let shown = shown.after_help(None).after_long_help(None);
    let source = concat!("kanbanctl ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(shown).title(name.to_uppercase()).date(REVISED).source(source);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut page)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut roff = tidy(&String::from_utf8_lossy(&page));
    PageFacts::of(name).write(&mut roff);
    pages.push(ManualPage { name: name.to_owned(), section: 1, roff });
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        add_page(verb, &format!("{name}-{}", verb.get_name()), false, pages)?;
    }
    Ok(())
}

/// The global options are described once, in kanbanctl(1).
fn without_globals(command: &Command) -> Command {
    command.clone().mut_args(|argument| {
        let global = argument.is_global_set() || matches!(argument.get_id().as_str(), "help" | "version");
        argument.hide(global)
    })
}

/// Leave out what the generator repeats, and fold long lines: `mandoc -T lint` then has nothing to say.
fn tidy(page: &str) -> String {
    let mut tidied = String::with_capacity(page.len());
    let mut lines = page.lines().map(str::trim_end).peekable();
    let mut before = "";
    while let Some(line) = lines.next() {
        let next = lines.peek().copied().unwrap_or_default();
        let is_repeated = !tidied.is_empty() && (line.starts_with(".ie ") || line.starts_with(".el "));
        let is_repeated = is_repeated && tidied.contains(line);
        // The generator writes a break, an empty line and a break.
        let is_break = line == ".br" && (next.is_empty() || before == ".sp");
        if is_repeated || is_break {
            continue;
        }
        let line = if line.is_empty() { ".sp" } else { line };
        let is_gap = matches!(line, ".PP" | ".sp");
        let follows_gap =
            before.starts_with(".SH") || before.starts_with(".SS") || before == ".sp" || before == ".PP";
        if is_gap && (follows_gap || next.is_empty() || next.starts_with(".SH")) {
            continue;
        }
        push_folded(&mut tidied, line);
        before = line;
    }
    tidied
}

/// Append a line, folded at blanks where it is text.
fn push_folded(to: &mut String, line: &str) {
    if line.starts_with('.') || line.len() <= LINE_BYTES {
        to.push_str(line);
        to.push('\n');
        return;
    }
    let mut column = 0;
    for word in line.split(' ') {
        if column > 0 && column + 1 + word.len() > LINE_BYTES {
            to.push('\n');
            column = 0;
        } else if column > 0 {
            to.push(' ');
            column += 1;
        }
        // At the beginning of a line these would be requests.
        if column == 0 && (word.starts_with('.') || word.starts_with('\'')) {
            to.push_str("\\&");
        }
        to.push_str(word);
        column += word.len();
    }
    to.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_end_where_the_next_of_their_rank_begins() {
        let page = ".SH ONE\na\n.SS x\\-y\nb\n.SS z\nc\n.SH \"TWO WORDS\"\nd\n";
        assert_eq!(section(page, "x-y"), Some(".SS x\\-y\nb\n"));
        assert_eq!(section(page, "z"), Some(".SS z\nc\n"));
        assert_eq!(section(page, "ONE"), Some(".SH ONE\na\n.SS x\\-y\nb\n.SS z\nc\n"));
        assert_eq!(section(page, "TWO WORDS"), Some(".SH \"TWO WORDS\"\nd\n"));
        assert_eq!(section(page, "b"), None);
    }

    #[test]
    fn every_finding_has_its_section() {
        for id in crate::health::ids() {
            assert!(section(RECOVERY, id).is_some(), "{id}");
        }
    }

    #[test]
    fn long_lines_are_folded_and_never_become_requests() {
        let mut text = String::new();
        push_folded(&mut text, &format!("{} .corrupt.bak is a copy", "x".repeat(75)));
        assert_eq!(text, format!("{}\n\\&.corrupt.bak is a copy\n", "x".repeat(75)));
    }
}
