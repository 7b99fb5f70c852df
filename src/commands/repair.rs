//! `kanbanctl repair`: indexes made anew and interrupted transactions rolled back, where nothing else is wrong.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Context, after_install};
use crate::board::{Inspection, holders, log, rollback};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::install::evidence::{self, About, InstallOperation};
use crate::install::repair::{self, Diagnosis};
use crate::install::target;
use crate::install::target::Space;
use crate::install::{self, Installed};
use crate::newfile;
use crate::pool::{Access, rest_between_looks};
use crate::store::audit::{self, Integrity};
use crate::ui::{Document, Records, Report};

/// How many findings are shown one by one.
const SHOWN: usize = 100;

/// Make indexes anew that their tables do not agree with.
///
/// The smallest repair there is: where SQLite's full check names nothing but indexes, they are made anew from their
/// tables, in one transaction that is checked before it ends, with copies of what was there kept beside the board. A
/// transaction that was cut short is rolled back, as the next writer would do it. No row changes, so nothing is asked. A
/// sound board is left alone (0); any other damage too (4), and `recover` is named. Refused (12) while anybody has the
/// board open.
///
/// Plain record: STATUS BOARD INDEXES EVIDENCE, the indexes apart by commas.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Go on where it cannot be proven that nobody else has the board open; never beside a process that was found.
    #[arg(long)]
    assume_unused: bool,
}

/// What was found and done.
#[derive(Debug, Serialize)]
struct Repaired {
    board: String,
    path: String,
    dry_run: bool,
    status: Status,
    findings: Vec<String>,
    findings_in_all: usize,
    indexes: Vec<String>,
    rolled_back: bool,
    evidence: Option<String>,
    verified: bool,
}

/// What the board is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// Nothing was wrong.
    Sound,
    /// It would be repaired.
    Repairable,
    /// It was repaired.
    Repaired,
}

/// Runs the verb.
///
/// # Errors
/// Exit 4 when something else than an index is wrong, 11 and 12 when the board is not ours to write.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let seen = context.inspection()?;
    seen.require_sqlite()?;
    log::require_writable(&seen)?;
    newfile::clear_leftovers(&seen.resolved);
    let said = examine(context, seen.clone())?;
    // Looked at anew: what SQLite opened in between may have been touched.
    let seen = seen.board.inspect()?;
    let interrupted = rollback::is_interrupted(&seen)?;
    if interrupted {
        // That a private copy was read is of no interest where the board itself is put in order.
        context.notes.take();
    }
    let mut report = Repaired {
        board: seen.board.name(),
        path: seen.resolved.display().to_string(),
        dry_run: context.globals.dry_run,
        status: Status::Sound,
        findings_in_all: said.len(),
        findings: said.iter().take(SHOWN).cloned().collect(),
        indexes: Vec::new(),
        rolled_back: false,
        evidence: None,
        verified: true,
    };
    let names = match repair::diagnose(&said) {
        Diagnosis::Indexes(names) => names,
        Diagnosis::Worse(finding) => return Err(worse(&finding, &seen)),
        Diagnosis::Sound if interrupted => BTreeSet::new(),
        Diagnosis::Sound => {
            if !context.globals.dry_run {
                install::close_interrupted(&seen, InstallOperation::Repair, context.clock)?;
            }
            context.ui.emit(&report)?;
            context.ui.status("The board is sound already; nothing was changed.");
            return Ok(Exit::Ok);
        }
    };
    report.indexes = names.iter().cloned().collect();
    report.rolled_back = interrupted;
    target::require_installable(&seen)?;
    holders::require_none(&seen, "repairing it", args.assume_unused)?;
    Space::of(&seen, 0).require(&seen, false)?;
    if context.globals.dry_run {
        report.status = Status::Repairable;
        report.verified = false;
        context.ui.emit(&report)?;
        context.ui.status(format_args!("Dry run: {}.", report.work("would be")));
        return Ok(Exit::Ok);
    }
    let finished = carry_out(context, &seen, args, report.reasons(), &names)?;
    report.status = Status::Repaired;
    report.evidence = finished.evidence.as_ref().map(|evidence| evidence.folder.display().to_string());
    let shown = context.ui.emit(&report);
    context.ui.status(format_args!("{}, and the board was checked.", report.work("were")));
    after_install::say(context, &finished);
    shown.map(|()| Exit::Ok)
}

/// Copies what is there, then rolls back and makes the named indexes anew.
fn carry_out(
    context: &mut Context<'_>,
    seen: &Inspection,
    args: &Args,
    reasons: Vec<String>,
    names: &BTreeSet<String>,
) -> Outcome<Installed> {
    let about = About { operation: InstallOperation::Repair, reasons, installing: None };
    let terms = context.terms(args.assume_unused)?;
    let kept = evidence::take(seen, about, terms.clock)?;
    let written = install::locked(seen, &terms, "repairing it", Some(&kept), || {
        // Opening the board rolls back.
        let mut pool = context.pool_for_long(seen.board.inspect()?, Access::Write)?;
        let written = pool.write(|txn, _| repair::reindex(txn, names));
        let closed = pool.close();
        written.and(closed)
    });
    match written {
        Ok(Some(())) => Ok(install::finish(seen, Some(kept), Vec::new(), terms.clock)),
        Ok(None) => {
            kept.discard();
            Err(Failure::busy("the board changed meanwhile; nothing was repaired.")
                .hint("Stop the processes that write to it (`kanbanctl health` names them), then run this again.")
                .at(&seen.resolved))
        }
        Err(failure) => Err(install::account(failure, Some(kept)).at(&seen.resolved)),
    }
}

/// What SQLite's full check says, looked at twice when it says anything (architecture.md rule 4).
fn examine(context: &mut Context<'_>, seen: Inspection) -> Outcome<Vec<String>> {
    let mut pool = context.pool_for_long(seen, Access::Read)?;
    let said = pool.connection(|connection, _| {
        let first = audit::integrity(connection, Integrity::Full)?;
        if first.is_empty() {
            return Ok(first);
        }
        rest_between_looks(connection);
        let second = audit::integrity(connection, Integrity::Full)?;
        if first == second {
            return Ok(second);
        }
        Err(Failure::new(Exit::Unchecked, "two looks gave different answers; nothing was changed.")
            .hint("Run it again when nobody writes to the board. If it comes back, ask the kernel about the disk (`dmesg`)."))
    });
    let closed = pool.close();
    let said = said?;
    closed?;
    Ok(said)
}

fn worse(finding: &str, seen: &Inspection) -> Failure {
    Failure::damaged(format!("more than indexes is damaged ({finding}); nothing was changed."))
        .hint(
            "See what can be brought back with `kanbanctl recover --dry-run`, then run `kanbanctl recover`.",
        )
        .at(&seen.resolved)
}

impl Report for Repaired {
    fn kind(&self) -> &'static str {
        "repair"
    }

    fn human(&self, page: &mut Document<'_>) {
        let findings = self.findings_in_all.to_string();
        let indexes = self.indexes.join(", ");
        let mut pairs =
            vec![("board", self.path.as_str()), ("status", self.status.name()), ("findings", &findings)];
        if !self.indexes.is_empty() {
            pairs.push(("indexes", &indexes));
        }
        if let Some(evidence) = &self.evidence {
            pairs.push(("evidence", evidence));
        }
        page.pairs(&pairs);
    }

    fn plain(&self, records: &mut Records<'_>) {
        let evidence = self.evidence.as_deref().unwrap_or_default();
        records.record(&[self.status.name(), &self.path, &self.indexes.join(","), evidence]);
    }
}

impl Repaired {
    /// Why the board is changed, for the evidence.
    fn reasons(&self) -> Vec<String> {
        let rolled_back = self.rolled_back.then(|| "a transaction was interrupted".to_owned());
        self.findings.iter().cloned().chain(rolled_back).collect()
    }

    /// What is done, as a clause; `would be` and `were` say whether it is.
    fn work(&self, verb: &str) -> String {
        let mut work = Vec::new();
        if self.rolled_back {
            work.push(format!("the changes of an interrupted transaction {verb} rolled back"));
        }
        if !self.indexes.is_empty() {
            work.push(format!("these indexes {verb} made anew: {}", self.indexes.join(", ")));
        }
        work.join("; ")
    }
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Repairable => "repairable",
            Self::Repaired => "repaired",
        }
    }
}
