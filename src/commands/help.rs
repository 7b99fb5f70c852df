//! `kanbanctl help [VERB|TOPIC]`: the manual in the binary, through the pager on a terminal. It never touches a board.

use std::ffi::OsStr;

use serde::Serialize;

use super::{Context, manual};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::health;
use crate::ui::{Document, Records, Report, StyledLine, lay_out};

/// Read the manual: a verb, or recovery, findings, exit-status, environment, files.
///
/// `help recovery` is the runbook for incidents; `help findings` has a section for every finding of health. The text is
/// that of the manual pages. On a terminal it goes through $KANBANCTL_PAGER, $PAGER or less.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A verb such as `backups prune`, a topic, or a finding's id [default: kanbanctl itself].
    #[arg(value_name = "VERB|TOPIC")]
    words: Vec<String>,
}

/// The topics: how each is called, the page that has it, and the section of that page.
const TOPICS: [(&str, &str, Option<&str>); 5] = [
    ("recovery", "kanbanctl-recovery", None),
    ("findings", "kanbanctl-recovery", Some("FINDINGS")),
    ("exit-status", "kanbanctl", Some("EXIT STATUS")),
    ("environment", "kanbanctl", Some("ENVIRONMENT")),
    ("files", "kanbanctl", Some("FILES")),
];

/// Return every topic.
pub fn topics() -> impl Iterator<Item = &'static str> {
    TOPICS.iter().map(|(name, _, _)| *name)
}

/// A page or a section of one.
#[derive(Debug, Serialize)]
struct HelpText {
    topic: String,
    page: String,
    text: String,
    #[serde(skip)]
    lines: Vec<StyledLine>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for what is neither a verb nor a topic.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let topic = args.words.join(" ");
    let pages =
        manual::pages((context.command)()).map_err(|error| Failure::io(error, "rendering the manual"))?;
    let known = TOPICS.iter().find(|(name, _, _)| *name == topic);
    let (page, section) = match known {
        Some((_, page, section)) => ((*page).to_owned(), section.map(str::to_owned)),
        None if health::ids().any(|id| id == topic) => ("kanbanctl-recovery".to_owned(), Some(topic.clone())),
        None => (page_of(&args.words, (context.command)()), None),
    };
    let Some(found) = pages.into_iter().find(|known| known.name == page) else {
        return Err(unknown(&topic));
    };
    let source = match &section {
        Some(section) => manual::section(&found.roff, section).ok_or_else(|| unknown(&topic))?,
        None => &found.roff,
    };
    let help = HelpText::of(context, topic, &format!("{}({})", found.name, found.section), source);
    if context.ui.format().is_json() {
        context.ui.emit(&help)?;
    } else {
        let text = context.ui.drawn(&help);
        let program = ["KANBANCTL_PAGER", "PAGER"].into_iter().find_map(|name| context.env.get(name));
        let program = program.map(OsStr::to_owned);
        context.ui.paged(&text, program.as_deref())?;
    }
    Ok(Exit::Ok)
}

/// The page of a verb; an alias leads to the verb's own.
fn page_of(words: &[String], command: clap::Command) -> String {
    let mut name = "kanbanctl".to_owned();
    let mut command = command;
    for word in words {
        let below = command.find_subcommand(word).cloned();
        name.push('-');
        name.push_str(below.as_ref().map_or(word.as_str(), clap::Command::get_name));
        command = below.unwrap_or_default();
    }
    name
}

fn unknown(topic: &str) -> Failure {
    let topics = TOPICS.map(|(name, _, _)| name).join(", ");
    Failure::not_found(format!("there is no help on \"{topic}\".")).hint(format!(
        "The topics are {topics}, every verb and every finding; `kanbanctl --help` lists the verbs."
    ))
}

/// Return a section of the runbook as text without styles, for JSON and records.
pub(super) fn text_of(lines: &[StyledLine]) -> String {
    let mut text = String::new();
    for line in lines {
        let line: String = line.iter().map(|(_, piece)| piece.as_str()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Lay out roff for the width of the terminal, or 80 columns.
pub(super) fn laid_out(context: &Context<'_>, source: &str) -> Vec<StyledLine> {
    lay_out(source, context.ui.settings().width.map_or(80, |width| width.min(100)))
}

impl HelpText {
    fn of(context: &Context<'_>, topic: String, page: &str, source: &str) -> Self {
        let lines = laid_out(context, source);
        Self { topic, page: page.to_owned(), text: text_of(&lines), lines }
    }
}

impl Report for HelpText {
    fn kind(&self) -> &'static str {
        "help"
    }

    fn human(&self, page: &mut Document<'_>) {
        page.styled(&self.lines);
    }

    fn plain(&self, records: &mut Records<'_>) {
        records.record(&[&self.topic, &self.page, &self.text]);
    }
}
