//! Recovery: from damaged files to a verified new one, in stages that only return values.
//!
//! ```text
//!   sources -> store -> layout -> salvage, ranking -> merge, graft -> rebuild + verify -> report
//!   files      bytes    pages     rows by place,      one row set     a new file          what came
//!                                 best source first                                       from where
//! ```
//!
//! Rows travel as places (`row`): some thirty bytes each, read again (`shelf`) when they are written. Sources are folded
//! in one after the other, so that memory grows with the rows of the result, not with the number or size of the sources.
//!
//! SQLite opens the new file alone, never a source. The result is a sealed file without a name ([`Rebuilt`]); whoever
//! asked publishes it or installs it.

mod ages;
mod catalog;
mod chains;
pub mod comparison;
pub mod evidence;
mod forest;
mod fork;
mod gaps;
mod graft;
pub mod held;
mod holdings;
pub mod install;
mod layout;
mod leaf;
mod mend;
mod merge;
mod pages;
mod ranking;
mod rebuild;
pub mod repair;
mod report;
mod row;
mod salvage;
mod scan;
mod senses;
mod shelf;
pub mod site;
pub mod sources;
pub mod store;
pub mod thinning;
pub mod undo;
mod verify;
mod versions;
mod workers;

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use self::catalog::Schemas;
use self::merge::Merge;
use self::ranking::Facts;
use self::shelf::Shelf;
use self::sources::Source;
use crate::failure::{Failure, Outcome};
use crate::own::{OwnFile, RecordedMode, Sealed};

pub use self::holdings::{Holdings, Viewer};
pub use self::report::{
    Built, MAX_SUSPECTS, Provenance, Report, Side, SourceReport, TableReport, TwoVersions,
};

/// What is being done, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Finding and hashing files; counted in bytes.
    Sources,
    /// Reading rows out of pages; counted in sources, or in pieces of the only one.
    Salvage,
    /// Deciding between sources; counted in sources.
    Merge,
    /// Writing the new file; counted in rows.
    Rebuild,
    /// Checking the new file; counted in checks.
    Verify,
    /// Comparing what copies hold; counted in copies.
    Compare,
}

/// Who watches the work: shows progress, and stops it by returning an error (interrupted, out of time).
pub trait Watch {
    /// `done` of `total` in `stage`.
    ///
    /// # Errors
    /// The failure to stop with.
    fn step(&mut self, stage: Stage, done: u64, total: u64) -> Outcome<()>;
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn step(&mut self, _: Stage, _: u64, _: u64) -> Outcome<()> {
        Ok(())
    }
}

/// How a recovery is to be done.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory for what does not fit memory: files without a name, which nobody else can open.
    pub scratch: PathBuf,
    /// Write row by row, also where pages could stay: what the page path is measured by.
    pub by_rows: bool,
}

/// A rebuilt board: checked, closed and synced, but without a name of its own yet.
#[derive(Debug)]
pub struct Rebuilt {
    /// The file; gone when dropped.
    pub file: Sealed,
    /// What is in it and where that came from.
    pub report: Report,
}

impl Rebuilt {
    /// Gives the file its name, with the permission bits `mode`, never replacing anything.
    ///
    /// # Errors
    /// As [`Sealed::publish`].
    pub fn publish(self, mode: u32) -> Outcome<Report> {
        let mut report = self.report;
        report.output = Some(self.file.publish(mode)?);
        Ok(report)
    }
}

/// Salvages and merges `sources`, and publishes the result as `output` if there is one (otherwise it is a dry run). The
/// destination must not exist; it has its name only when it is whole, checked and synced.
///
/// # Errors
/// As [`survey`], [`rebuild`] and [`Rebuilt::publish`].
pub fn recover(
    sources: &[Source],
    output: Option<&Path>,
    options: &Options,
    watch: &mut dyn Watch,
) -> Outcome<Report> {
    match output {
        None => survey(sources, options, watch),
        Some(output) => rebuild(sources, OwnFile::create(output)?, options, watch)
            .and_then(|rebuilt| rebuilt.publish(access(sources)))
            .map_err(|failure| failure.at(output)),
    }
}

/// What `sources` hold and what would come back; nothing is written.
///
/// # Errors
/// The reading error of a source, 10 when no source holds a page, 4 when nothing in them can be read, and whatever
/// `watch` stops with.
pub fn survey(sources: &[Source], options: &Options, watch: &mut dyn Watch) -> Outcome<Report> {
    Ok(run(sources, None, options, watch)?.0)
}

/// Salvages and merges `sources` into `file`, which is checked and sealed.
///
/// # Errors
/// As [`survey`]; 12 when the disk is full, and exit 1 when the new file does not pass its checks, which then is not kept.
pub fn rebuild(
    sources: &[Source],
    file: OwnFile,
    options: &Options,
    watch: &mut dyn Watch,
) -> Outcome<Rebuilt> {
    match run(sources, Some(file), options, watch)? {
        (report, Some(file)) => Ok(Rebuilt { file, report }),
        (_, None) => Err(Failure::failed("nothing was built.")),
    }
}

fn run(
    sources: &[Source],
    file: Option<OwnFile>,
    options: &Options,
    watch: &mut dyn Watch,
) -> Outcome<(Report, Option<Sealed>)> {
    let shelf = Shelf::new(sources, &options.scratch);
    let schemas = Schemas::new()?;
    let mut ranking = ranking::rank(&shelf, &schemas, watch)?;
    if ranking.ranked.is_empty() {
        return Err(Failure::no_board("None of the sources holds a page of a database."));
    }
    if ranking.ranked.iter().all(|facts| facts.rows == 0 && !facts.has_schema) {
        return Err(Failure::damaged("No source holds a row or a schema that can be read."));
    }
    let mut merge = Merge::new();
    ranking::fold(&mut ranking, &mut merge, &shelf, &schemas, watch)?;
    graft::graft(&mut merge, &ranking.ranked, &shelf, watch)?;
    let mut merged = merge.finish();
    let mut report = begin(&ranking.ranked, sources);
    let mut written = HashMap::new();
    let mut sealed = None;
    if let Some(mut file) = file {
        let traits = traits(&ranking.ranked);
        let main = ranking.ranked.first().map_or(0, |facts| facts.source);
        let main = (!options.by_rows).then_some(main);
        let (built, rows, verdict) = build(&mut file, main, &mut merged, &shelf, traits, watch)?;
        written = rows;
        report.built = Some(built);
        report.verified = Some(verdict.faults.is_empty());
        report.faults = verdict.faults;
        report.dangling = verdict.dangling;
        if let Some(fault) = report.faults.first() {
            return Err(Failure::failed(format!("The rebuilt file did not pass its checks: {fault}.")));
        }
        sealed = Some(file.seal(traits.mode)?);
    }
    shelf.require_unchanged()?;
    describe(&mut report, &merged, &written, sources);
    Ok((report, sealed))
}

/// Writes `merged` into `file` and checks it: of the pages of `main` where they can stay, otherwise row by row.
fn build(
    file: &mut OwnFile,
    main: Option<u32>,
    merged: &mut merge::Merged,
    shelf: &Shelf<'_>,
    traits: rebuild::Traits,
    watch: &mut dyn Watch,
) -> Outcome<(Built, HashMap<String, rebuild::Written>, verify::Verdict)> {
    if let Some(main) = main
        && let Some(written) = pages::write(file, main, merged, shelf, traits, watch)?
    {
        match verify::verify(file.connection()?, merged, &written, watch) {
            Ok(verdict) if verdict.faults.is_empty() => return Ok((Built::Pages, written, verdict)),
            Err(failure) if !failure.is_damage() => return Err(failure),
            // What the pages do not carry the rows may.
            _ => file.fill(|_| Ok(()))?,
        }
        merged.dropped.clear();
    }
    let written = rebuild::write(file.connection()?, merged, shelf, traits, watch)?;
    let verdict = verify::verify(file.connection()?, merged, &written, watch)?;
    Ok((Built::Rows, written, verdict))
}

/// The permission bits of a published result: those of the best source, so that nobody sees more than before.
fn access(sources: &[Source]) -> u32 {
    let metadata = sources.first().and_then(|source| std::fs::metadata(&source.path).ok());
    metadata.map_or(0o600, |metadata| metadata.permissions().mode())
}

/// What the new file takes over from the first source that can tell.
fn traits(ranked: &[Facts]) -> rebuild::Traits {
    let header = ranked.iter().find_map(|facts| facts.header);
    rebuild::Traits {
        page_size: ranked.first().map_or(4096, |facts| facts.page_size),
        encoding: ranked.first().map_or_else(Default::default, |facts| facts.encoding),
        user_version: header.map_or(0, |header| header.user_version),
        application_id: header.map_or(0, |header| header.application_id),
        // Hermes' boards are in WAL mode unless they say otherwise.
        mode: if ranked.iter().find_map(|facts| facts.wal_mode).unwrap_or(true) {
            RecordedMode::Wal
        } else {
            RecordedMode::Delete
        },
    }
}

fn begin(ranked: &[Facts], sources: &[Source]) -> Report {
    let mut reports = Vec::new();
    let empty = (0..).take(sources.len()).filter(|source| ranked.iter().all(|facts| facts.source != *source));
    let read = ranked.iter().map(|facts| (facts.source, Some(facts)));
    for (number, facts) in read.chain(empty.map(|number| (number, None))) {
        let Some(source) = sources.get(number as usize) else { continue };
        reports.push(SourceReport {
            path: source.path.clone(),
            kind: source.kind,
            copies: source.copies.len(),
            rows: facts.map_or(0, |facts| facts.rows),
            damaged_pages: facts.map_or(0, |facts| facts.damaged_pages),
            schema: facts.is_some_and(|facts| facts.has_schema),
        });
    }
    Report {
        sources: reports,
        tables: BTreeMap::new(),
        output: None,
        built: None,
        installed: false,
        evidence: None,
        verified: None,
        faults: Vec::new(),
        dangling: 0,
        suspects: Vec::new(),
        dropped: Vec::new(),
        conflicts: Vec::new(),
        unread_tables: Vec::new(),
    }
}

fn describe(
    report: &mut Report,
    merged: &merge::Merged,
    written: &HashMap<String, rebuild::Written>,
    sources: &[Source],
) {
    report.dropped.clone_from(&merged.dropped);
    report.unread_tables.clone_from(&merged.unread);
    for (second, conflict) in merged.conflicts.iter().take(MAX_SUSPECTS) {
        report.conflicts.push(TwoVersions {
            table: conflict.table.clone(),
            rowid: conflict.rowid,
            kept: conflict.kept,
            second: sources.get(*second as usize).map(|source| source.path.clone()).unwrap_or_default(),
            other: conflict.other.iter().map(|(column, value)| (column.clone(), value.into())).collect(),
        });
    }
    for table in &merged.tables {
        let written = written.get(&table.table.name);
        let mut counts = vec![0_u64; sources.len()];
        let mut suspect = 0;
        for row in &table.rows {
            let Some(source) = sources.get(row.source as usize) else { continue };
            if let Some(count) = counts.get_mut(row.source as usize) {
                *count += 1;
            }
            suspect += u64::from(row.is_suspect());
            if row.is_suspect() && report.suspects.len() < MAX_SUSPECTS {
                report.suspects.push(Provenance {
                    table: table.table.name.clone(),
                    rowid: row.rowid,
                    path: source.path.clone(),
                    page: row.page,
                    cell: usize::from(row.cell),
                });
            }
        }
        let held = sources.iter().zip(counts).filter(|(_, count)| *count > 0);
        let entry = TableReport {
            recovered: written.map_or(table.rows.len() as u64, |written| written.rows),
            lost: table.lost,
            lost_is_estimate: table.estimated,
            from: held.map(|(source, count)| (source.path.display().to_string(), count)).collect(),
            partial: table.partial.len() as u64,
            suspect,
            older_only: table.older.len() as u64,
            renumbered: table.renumbered,
            conflicting: written.map_or(0, |written| written.refused),
        };
        report.tables.insert(table.table.name.clone(), entry);
    }
}
