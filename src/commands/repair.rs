//! `kanbanctl repair`: indexes rebuilt and interrupted transactions rolled back, where nothing else is wrong.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Context, after_install};
use crate::board::{Inspection, holders, log, rollback};
use crate::failure::count::counted;
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
use crate::store::mend_cells::{self, CellMend, MendCell};
use crate::store::odd_values::{self, IndexOnlyRows};
use crate::store::schema;
use crate::ui::{Document, Records, Report};

/// How many findings are shown one by one.
const SHOWN: usize = 100;

/// Rebuild inconsistent indexes.
///
/// The smallest repair there is: where SQLite's full check names nothing but indexes, they are rebuilt from their
/// tables, in one transaction that is checked before it ends, with copies of what was there kept beside the board. A
/// transaction that was cut short is rolled back, as the next writer would do it. No row changes, so nothing is asked. A
/// sound board is left alone (0); any other damage too (4), and `recover` is named. Refused (12) while anybody has the
/// board open.
///
/// Plain record: STATUS BOARD INDEXES EVIDENCE, the indexes apart by commas.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Go on where it cannot be proven that no other process has the board open; never beside a process that was found.
    #[arg(long)]
    assume_unused: bool,
    /// Also change values that Hermes cannot read: U+FFFD for bytes that are not UTF-8, TEXT for BLOBs that are, integers for
    /// numbers and times that are written as text. What cannot be told stays and is named (5).
    #[arg(long)]
    text: bool,
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
    /// Values that were changed, or would be, as `table.column of ROW`.
    values: Vec<String>,
    values_in_all: usize,
    /// Values that stay although Hermes cannot read them.
    values_left: Vec<String>,
    /// Rows that an index names and its table does not have, as `TABLE ROW`: rebuilt indexes forget them.
    gone: Vec<String>,
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
    let Examined { said, cells, gone } = examine(context, seen.clone(), args.text)?;
    let (left, cells): (Vec<MendCell>, Vec<MendCell>) =
        cells.into_iter().partition(|cell| cell.mend == CellMend::None);
    // Looked at again: what SQLite opened in between may have been touched.
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
        values: cells.iter().take(SHOWN).map(shown_cell).collect(),
        values_in_all: cells.len(),
        values_left: left.iter().map(shown_cell).collect(),
        gone,
        evidence: None,
        verified: true,
    };
    let names = match repair::diagnose(&said) {
        Diagnosis::Indexes(names) => names,
        Diagnosis::Worse(finding) => return Err(worse(&finding, &seen)),
        Diagnosis::Sound if interrupted || !cells.is_empty() => BTreeSet::new(),
        Diagnosis::Sound => {
            if !context.globals.dry_run {
                install::close_interrupted(&seen, InstallOperation::Repair, context.clock)?;
            }
            context.ui.emit(&report)?;
            context.ui.status("The board is sound already; nothing was changed.");
            return Ok(report.say_what_is_left(context));
        }
    };
    report.indexes = names.iter().cloned().collect();
    if !report.gone.is_empty() {
        let first = report.gone.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if report.gone.len() > 5 { ", ..." } else { "" };
        context.ui.warning(format_args!(
            "{} by an index alone, which forgets them now: {first}{more}. The evidence keeps the index as it was.",
            counted(report.gone.len() as u64, "row that is gone is named", "rows that are gone are named")
        ));
        context.hint("Look whether a copy has them with `kanbanctl recover --dry-run`.");
    }
    report.rolled_back = interrupted;
    target::require_installable(&seen)?;
    holders::require_none(&seen, "repairing it", args.assume_unused)?;
    Space::of(&seen, 0).require(&seen, false)?;
    if context.globals.dry_run {
        report.status = Status::Repairable;
        report.verified = false;
        context.ui.emit(&report)?;
        context.ui.status(format_args!("Dry run: {}.", report.work("would be")));
        return Ok(report.say_what_is_left(context));
    }
    let finished = carry_out(context, &seen, args, report.reasons(), &names, &cells)?;
    report.status = Status::Repaired;
    report.evidence = finished.evidence.as_ref().map(|evidence| evidence.folder.display().to_string());
    let shown = context.ui.emit(&report);
    context.ui.status(format_args!("{}, and the board was checked.", report.work("were")));
    after_install::say(context, &finished);
    shown.map(|()| report.say_what_is_left(context))
}

fn shown_cell(cell: &MendCell) -> String {
    format!("{}.{} of {}", cell.table, cell.column, cell.row)
}

/// Copies what is there, then rolls back and rebuilds the named indexes.
fn carry_out(
    context: &mut Context<'_>,
    seen: &Inspection,
    args: &Args,
    reasons: Vec<String>,
    names: &BTreeSet<String>,
    cells: &[MendCell],
) -> Outcome<Installed> {
    let about = About { operation: InstallOperation::Repair, reasons, installing: None };
    let terms = context.terms(args.assume_unused)?;
    let kept = evidence::take(seen, about, terms.clock)?;
    let written = install::locked(seen, &terms, "repairing it", Some(&kept), || {
        // Opening the board rolls back.
        let mut pool = context.pool_for_long(seen.board.inspect()?, Access::Write)?;
        let written = pool.write(|txn, _| {
            mend_cells::apply(txn, cells)?;
            repair::reindex(txn, names)
        });
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

/// What was found.
struct Examined {
    /// What SQLite's full check says.
    said: Vec<String>,
    /// The values that Hermes cannot read.
    cells: Vec<MendCell>,
    /// Rows that only an index names.
    gone: Vec<String>,
}

/// What SQLite's full check says, looked at twice when it says anything, and with `text` the values that Hermes cannot read.
fn examine(context: &mut Context<'_>, seen: Inspection, text: bool) -> Outcome<Examined> {
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
            .hint("Run it again when no process writes to the board. If it comes back, ask the kernel about the disk (`dmesg`)."))
    });
    let examined = said.and_then(|said| {
        // Rows of a board that is damaged further are not looked at.
        let diagnosis = repair::diagnose(&said);
        let is_worse = matches!(diagnosis, Diagnosis::Worse(_));
        let find = |connection: &rusqlite::Connection| {
            schema::require_board(connection)?;
            mend_cells::find(connection, &schema::check(connection)?)
        };
        let cells = if text && !is_worse { pool.read(find)? } else { Vec::new() };
        let find = |connection: &rusqlite::Connection| {
            schema::require_board(connection)?;
            let gone = odd_values::indexed_but_gone(connection, &schema::check(connection)?, true, SHOWN)?;
            let rows = gone.into_iter().flat_map(|gone| {
                let IndexOnlyRows { table, first, .. } = gone;
                first.into_iter().map(move |row| format!("{table} {row}"))
            });
            Ok(rows.collect::<BTreeSet<_>>().into_iter().collect())
        };
        let drifts = matches!(diagnosis, Diagnosis::Indexes(_));
        let gone = if drifts { pool.read(find)? } else { Vec::new() };
        Ok(Examined { said, cells, gone })
    });
    let closed = pool.close();
    let examined = examined?;
    closed?;
    Ok(examined)
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
        let values = self.values_in_all.to_string();
        if self.values_in_all > 0 {
            pairs.push(("values", &values));
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
        let values = self.values.iter().map(|value| format!("Hermes cannot read {value}"));
        self.findings.iter().cloned().chain(rolled_back).chain(values).collect()
    }

    /// Warn of values that stay as they are; the exit code.
    fn say_what_is_left(&self, context: &mut Context<'_>) -> Exit {
        if self.values_left.is_empty() {
            return Exit::Ok;
        }
        let named = self.values_left.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if self.values_left.len() > 5 { ", ..." } else { "" };
        context.ui.warning(format_args!(
            "{} as Hermes cannot read it, because what it should be cannot be told: {named}{more}.",
            counted(self.values_left.len() as u64, "value stays", "values stay")
        ));
        Exit::Partial
    }

    /// What is done, as a clause; `would be` and `were` say whether it is.
    fn work(&self, verb: &str) -> String {
        let mut work = Vec::new();
        if self.rolled_back {
            work.push(format!("the changes of an interrupted transaction {verb} rolled back"));
        }
        if self.values_in_all > 0 {
            work.push(format!(
                "{} that Hermes could not read {verb} changed",
                counted(self.values_in_all as u64, "value", "values")
            ));
        }
        if !self.indexes.is_empty() {
            work.push(format!("these indexes {verb} rebuilt: {}", self.indexes.join(", ")));
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
