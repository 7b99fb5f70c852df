//! `recover --undo`: the set that the last install replaced, back in its place.

use serde::Serialize;

use super::Args;
use crate::board::{Board, holders};
use crate::commands::{Context, after_install};
use crate::failure::count::size;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::install;
use crate::install::evidence::{EvidenceFile, InstallOperation};
use crate::install::{target, undo};
use crate::newfile;
use crate::ui::{Document, Records, Report};

/// What was put back.
#[derive(Debug, Serialize)]
struct UndoReport {
    board: String,
    path: String,
    dry_run: bool,
    already: bool,
    from: String,
    taken_at: String,
    files: Vec<EvidenceFile>,
    evidence: Option<String>,
}

pub(super) fn run(context: &mut Context<'_>, args: &Args, board: &Board) -> Outcome<Exit> {
    let seen = board.inspect()?;
    newfile::clear_leftovers(&seen.resolved);
    let plan = undo::plan(&seen)?;
    let set = &plan.evidence;
    let mut undone = UndoReport {
        board: board.name(),
        path: seen.resolved.display().to_string(),
        dry_run: context.globals.dry_run,
        already: plan.is_in_place,
        from: set.folder.display().to_string(),
        taken_at: set.manifest.taken_at.clone(),
        files: set.manifest.files.clone(),
        evidence: None,
    };
    if plan.is_in_place {
        if !context.globals.dry_run {
            install::close_interrupted(&seen, InstallOperation::Undo, context.clock)?;
        }
        context.ui.emit(&undone)?;
        context
            .ui
            .status(format_args!("The board has the bytes of {} already; nothing was changed.", undone.from));
        return Ok(Exit::Ok);
    }
    target::require_installable(&seen)?;
    holders::require_none(&seen, "putting the earlier board back", args.assume_unused)?;
    if context.globals.dry_run {
        context.ui.emit(&undone)?;
        context.ui.status(format_args!("Dry run: the board would be as it was at {}.", undone.taken_at));
        return Ok(Exit::Ok);
    }
    crate::commands::replicated::warn(context, &seen.resolved, "putting the earlier board back");
    let warning = format!("The board will be as it was at {}, kept in {}.", undone.taken_at, undone.from);
    context.ui.confirm_name(&warning, &board.name())?;
    let terms = context.terms(args.assume_unused)?;
    let Some(installed) = undo::put_back(&seen, &plan, &terms)? else {
        return Err(Failure::busy("the board changed meanwhile; nothing was put back.")
            .hint("Stop the processes that write to it (`kanbanctl health` names them), then run this again.")
            .at(&seen.resolved));
    };
    undone.evidence = installed.evidence.as_ref().map(|evidence| evidence.folder.display().to_string());
    let shown = context.ui.emit(&undone);
    context.ui.status(format_args!("The board is as it was at {}, byte for byte.", undone.taken_at));
    after_install::say(context, &installed);
    shown.map(|()| Exit::Ok)
}

impl Report for UndoReport {
    fn kind(&self) -> &'static str {
        "recover.undo"
    }

    fn human(&self, page: &mut Document<'_>) {
        let state = match (self.already, self.dry_run) {
            (true, _) => "in place already",
            (false, true) => "would be put back",
            (false, false) => "put back",
        };
        let files: Vec<String> =
            self.files.iter().map(|file| format!("{} ({})", file.name(), size(file.bytes))).collect();
        page.pairs(&[
            ("board", &self.path),
            ("from", &self.from),
            ("of", &self.taken_at),
            ("state", state),
            ("files", &files.join(", ")),
        ]);
    }

    fn plain(&self, records: &mut Records<'_>) {
        records.record(&[
            &self.path,
            &self.from,
            &self.taken_at,
            self.evidence.as_deref().unwrap_or_default(),
        ]);
    }
}
