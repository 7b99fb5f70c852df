//! `man DIR`: the manual, one page a verb, and the recovery runbook.
//!
//! It never touches a board. Not here: what the pages say (`manual`).

use std::path::PathBuf;

use serde::Serialize;

use super::{Context, manual};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::ui::{Document, Records, Report};

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
    let pages =
        manual::pages((context.command)()).map_err(|error| Failure::io(error, "rendering the manual"))?;
    // `man -M` and packagers look for a folder for each section.
    let named = |page: manual::ManualPage| (format!("man{0}/{1}.{0}", page.section, page.name), page.roff);
    let pages: Vec<(String, String)> = pages.into_iter().map(named).collect();
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
