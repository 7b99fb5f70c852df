//! `man DIR`: the manual, one page a verb, and the recovery runbook.
//!
//! The pages of verbs come from the command line's own definition; kanbanctl-recovery(7) is written by hand and
//! carried in the binary. It never touches a board.

use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man;
use serde::Serialize;

use super::Context;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::ui::{Document, Records, Report};

/// The runbook for incidents, hand-written.
const RECOVERY: &str = include_str!("../../man/man7/kanbanctl-recovery.7");

/// The date on the pages: fixed, so that the same program always writes the same pages.
const REVISED: &str = "2026-11-24";

/// Write the manual pages below a directory.
///
/// DIR/man1 and DIR/man7 are created when they are missing, and pages that are there are replaced. Read one with
/// `man -M DIR kanbanctl-recovery`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The directory, such as ~/.local/share/man.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// The pages that were written.
#[derive(Debug, Serialize)]
struct WrittenPages {
    directory: String,
    dry_run: bool,
    pages: Vec<String>,
}

impl Report for WrittenPages {
    fn kind(&self) -> &'static str {
        "man"
    }

    fn human(&self, page: &mut Document<'_>) {
        let verb = if self.dry_run { "Dry run: would write" } else { "Wrote" };
        page.line(&format!("{verb} {} pages to {}.", self.pages.len(), self.directory));
    }

    fn plain(&self, records: &mut Records<'_>) {
        for page in &self.pages {
            records.record(&[page.as_str()]);
        }
    }
}

/// Runs the verb.
///
/// # Errors
/// When the directory or a page cannot be written.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let directory = &args.directory;
    let pages = pages((context.command)()).map_err(|error| Failure::io(error, "rendering the manual"))?;
    if !context.globals.dry_run {
        for (name, text) in &pages {
            let path = directory.join(name);
            let section = path.parent().unwrap_or(directory);
            std::fs::create_dir_all(section)
                .map_err(|error| Failure::making(error, format!("creating {}", section.display())))?;
            std::fs::write(&path, text)
                .map_err(|error| Failure::making(error, format!("writing {}", path.display())))?;
        }
    }
    let pages = pages.into_iter().map(|(name, _)| name).collect();
    context.ui.emit(&WrittenPages {
        directory: directory.display().to_string(),
        dry_run: context.globals.dry_run,
        pages,
    })?;
    Ok(Exit::Ok)
}

/// Every page by where it lies below the directory: `man -M` and packagers look for a folder a section.
fn pages(command: Command) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add_page(&command, "kanbanctl", true, &mut pages)?;
    pages.push(("man7/kanbanctl-recovery.7".to_owned(), RECOVERY.as_bytes().to_vec()));
    Ok(pages)
}

/// The page of one command, then those of the commands below it.
fn add_page(
    command: &Command,
    name: &str,
    top: bool,
    pages: &mut Vec<(String, Vec<u8>)>,
) -> std::io::Result<()> {
    let shown = if top { command.clone() } else { without_globals(command) };
    let source = concat!("kanbanctl ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(shown).title(name).date(REVISED).source(source);
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
    if let Some(extra) = command.get_after_long_help().or_else(|| command.get_after_help()) {
        let heading = if top { "EXIT STATUS" } else { "NOTES" };
        page.extend_from_slice(section(heading, &extra.to_string()).as_bytes());
    }
    page.extend_from_slice(see_also(top).as_bytes());
    pages.push((format!("man1/{name}.1"), page));
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

/// A section of text as it stands: the lines of a help page are laid out already.
fn section(heading: &str, text: &str) -> String {
    let mut roff = format!(".SH \"{heading}\"\n.nf\n");
    for line in text.lines().filter(|line| !line.eq_ignore_ascii_case(&format!("{heading}:"))) {
        roff.push_str("\\&");
        roff.push_str(&line.replace('\\', "\\e").replace('-', "\\-"));
        roff.push('\n');
    }
    roff.push_str(".fi\n");
    roff
}

fn see_also(top: bool) -> &'static str {
    if top {
        ".SH \"SEE ALSO\"\n\\fBkanbanctl\\-recovery\\fR(7)\n"
    } else {
        ".SH \"SEE ALSO\"\n\\fBkanbanctl\\fR(1) for the global options and the exit status, \
         \\fBkanbanctl\\-recovery\\fR(7)\n"
    }
}
