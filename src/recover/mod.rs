//! Recovery: from damaged files to a verified new one, in stages that only return values.
//!
//! ```text
//!   sources -> layout -> salvage -> merge -> rebuild + verify -> report
//!   bytes      pages     rows of     one      a new file          what came
//!                        each        row set                      from where
//! ```
//!
//! SQLite opens the new file alone, never a source. The result is a sealed file without a name ([`Rebuilt`]); whoever
//! asked publishes it or installs it.

mod catalog;
mod gaps;
pub mod held;
mod layout;
mod leaf;
mod mend;
mod merge;
mod rebuild;
mod report;
mod salvage;
pub mod sources;
mod verify;

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use self::layout::Layout;
use self::salvage::Salvage;
use self::sources::Source;
use crate::failure::{Failure, Outcome};
use crate::own::{OwnFile, RecordedMode, Sealed};

pub use self::report::{MAX_SUSPECTS, Provenance, Report, SourceReport, TableReport};

/// What is being done, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Finding and hashing files; counted in bytes.
    Sources,
    /// Reading rows out of pages; counted in sources.
    Salvage,
    /// Deciding between sources; counted in sources.
    Merge,
    /// Writing the new file; counted in rows.
    Rebuild,
    /// Checking the new file; counted in checks.
    Verify,
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
pub fn recover(sources: &[Source], output: Option<&Path>, watch: &mut dyn Watch) -> Outcome<Report> {
    match output {
        None => survey(sources, watch),
        Some(output) => rebuild(sources, OwnFile::create(output)?, watch)
            .and_then(|rebuilt| rebuilt.publish(access(sources)))
            .map_err(|failure| failure.at(output)),
    }
}

/// What `sources` hold and what would come back; nothing is written.
///
/// # Errors
/// The reading error of a source, 10 when no source holds a page, 4 when nothing in them can be read, and whatever
/// `watch` stops with.
pub fn survey(sources: &[Source], watch: &mut dyn Watch) -> Outcome<Report> {
    Ok(run(sources, None, watch)?.0)
}

/// Salvages and merges `sources` into `file`, which is checked and sealed.
///
/// # Errors
/// As [`survey`]; 12 when the disk is full, and exit 1 when the new file does not pass its checks, which then is not kept.
pub fn rebuild(sources: &[Source], file: OwnFile, watch: &mut dyn Watch) -> Outcome<Rebuilt> {
    match run(sources, Some(file), watch)? {
        (report, Some(file)) => Ok(Rebuilt { file, report }),
        (_, None) => Err(Failure::failed("nothing was built.")),
    }
}

fn run(
    sources: &[Source],
    file: Option<OwnFile>,
    watch: &mut dyn Watch,
) -> Outcome<(Report, Option<Sealed>)> {
    let bytes = sources.iter().map(Source::load).collect::<Outcome<Vec<_>>>()?;
    let layouts: Vec<_> = bytes.iter().map(layout::lay_out).collect();
    let mut salvaged = salvage_all(&layouts, watch)?;
    if salvaged.is_empty() {
        return Err(Failure::no_board("None of the sources holds a page of a database."));
    }
    if salvaged.iter().all(|(_, salvage)| salvage.row_count() == 0 && !salvage.has_schema) {
        return Err(Failure::damaged("No source holds a row or a schema that can be read."));
    }
    rank(&mut salvaged, sources);
    let mut report = begin(&salvaged, sources);
    let traits = traits(&salvaged, &layouts);
    let mut shapes = vec![HashMap::new(); sources.len()];
    for (source, salvage) in &salvaged {
        if let Some(shapes) = shapes.get_mut(*source) {
            *shapes =
                salvage.catalog.tables.iter().map(|table| (table.name.clone(), table.clone())).collect();
        }
    }
    watch.step(Stage::Merge, 0, 1)?;
    let mut merged = merge::merge(salvaged);
    watch.step(Stage::Merge, 1, 1)?;
    let mut written = HashMap::new();
    let mut sealed = None;
    if let Some(mut file) = file {
        let connection = file.connection()?;
        written = rebuild::write(connection, &mut merged, &shapes, traits, watch)?;
        let verdict = verify::verify(connection, &merged, &written, watch)?;
        report.verified = Some(verdict.faults.is_empty());
        report.faults = verdict.faults;
        report.dangling = verdict.dangling;
        if let Some(fault) = report.faults.first() {
            return Err(Failure::failed(format!("The rebuilt file did not pass its checks: {fault}.")));
        }
        sealed = Some(file.seal(traits.mode)?);
    }
    describe(&mut report, &merged, &written, sources);
    Ok((report, sealed))
}

/// The permission bits of a published result: those of the best source, so that nobody sees more than before.
fn access(sources: &[Source]) -> u32 {
    let metadata = sources.first().and_then(|source| std::fs::metadata(&source.path).ok());
    metadata.map_or(0o600, |metadata| metadata.permissions().mode())
}

/// How many rows of each table can be read out of `bytes`.
///
/// # Errors
/// When SQLite cannot take the `CREATE` texts apart in memory.
pub fn holdings(bytes: &sources::Bytes) -> Outcome<BTreeMap<String, u64>> {
    let Some(layout) = layout::lay_out(bytes) else { return Ok(BTreeMap::new()) };
    let (salvage, _) = salvage::salvage(&layout, &[], None)?;
    Ok(salvage.tables.into_iter().map(|(name, rows)| (name, rows.whole.len() as u64)).collect())
}

/// The rows of every source that has pages, with the number of the source.
fn salvage_all<'a>(
    layouts: &[Option<Layout<'a>>],
    watch: &mut dyn Watch,
) -> Outcome<Vec<(usize, Salvage<'a>)>> {
    let total = layouts.len() as u64;
    let mut salvaged = Vec::new();
    let mut sibling: Option<Vec<catalog::Entry>> = None;
    // Sources that lost their schema wait for one that has it.
    for wait in [false, true] {
        for (index, layout) in layouts.iter().enumerate() {
            let Some(layout) = layout else { continue };
            if salvaged.iter().any(|(done, _)| *done == index) {
                continue;
            }
            watch.step(Stage::Salvage, salvaged.len() as u64, total)?;
            let others: Vec<_> = layouts
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index)
                .filter_map(|(_, other)| Some(&other.as_ref()?.image))
                .filter(|other| other.page_size() == layout.image.page_size())
                .collect();
            let (salvage, entries) = salvage::salvage(layout, &others, sibling.as_deref())?;
            if salvage.has_schema {
                sibling.get_or_insert(entries);
            }
            if wait || salvage.has_schema {
                salvaged.push((index, salvage));
            }
        }
    }
    watch.step(Stage::Salvage, total, total)?;
    Ok(salvaged)
}

/// Best first: the live board if it holds anything, then by how far the history has come.
fn rank(salvaged: &mut [(usize, Salvage<'_>)], sources: &[Source]) {
    salvaged.sort_by_cached_key(|(index, salvage)| {
        let live = sources.get(*index).is_some_and(|source| source.kind == sources::Kind::Live);
        std::cmp::Reverse((
            live && salvage.row_count() > 0,
            merge::evidence(salvage),
            std::cmp::Reverse(*index),
        ))
    });
}

/// What the new file takes over from the first source that can tell.
fn traits(salvaged: &[(usize, Salvage<'_>)], layouts: &[Option<Layout<'_>>]) -> rebuild::Traits {
    let ranked = || salvaged.iter().filter_map(|(index, _)| layouts.get(*index)?.as_ref());
    let header = ranked().find_map(|layout| layout.header);
    rebuild::Traits {
        page_size: ranked().next().map_or(4096, |layout| layout.image.page_size()),
        user_version: header.map_or(0, |header| header.user_version),
        application_id: header.map_or(0, |header| header.application_id),
        // Hermes' boards are in WAL mode unless they say otherwise.
        mode: match ranked().find_map(|layout| layout.wal_mode) {
            Some(false) => RecordedMode::Delete,
            _ => RecordedMode::Wal,
        },
    }
}

fn begin(salvaged: &[(usize, Salvage<'_>)], sources: &[Source]) -> Report {
    let mut reports = Vec::new();
    let empty = (0..sources.len()).filter(|index| salvaged.iter().all(|(done, _)| done != index));
    let ranked = salvaged.iter().map(|(index, salvage)| (*index, Some(salvage)));
    for (index, salvage) in ranked.chain(empty.map(|index| (index, None))) {
        let Some(source) = sources.get(index) else { continue };
        reports.push(SourceReport {
            path: source.path.clone(),
            kind: source.kind,
            copies: source.copies.len(),
            rows: salvage.map_or(0, Salvage::row_count),
            damaged_pages: salvage.map_or(0, |salvage| salvage.damaged_pages),
            schema: salvage.is_some_and(|salvage| salvage.has_schema),
        });
    }
    Report {
        sources: reports,
        tables: BTreeMap::new(),
        output: None,
        installed: false,
        evidence: None,
        verified: None,
        faults: Vec::new(),
        dangling: 0,
        suspects: Vec::new(),
        dropped: Vec::new(),
        unread_tables: Vec::new(),
    }
}

fn describe(
    report: &mut Report,
    merged: &merge::Merged<'_>,
    written: &HashMap<String, rebuild::Written>,
    sources: &[Source],
) {
    report.dropped.clone_from(&merged.dropped);
    report.unread_tables.clone_from(&merged.unread);
    for table in &merged.tables {
        let written = written.get(&table.table.name);
        let mut from = BTreeMap::new();
        let mut suspect = 0;
        for (row, source) in table.rows.values() {
            let Some(source) = sources.get(*source) else { continue };
            *from.entry(source.path.display().to_string()).or_insert(0) += 1;
            suspect += u64::from(row.suspect);
            if row.suspect && report.suspects.len() < MAX_SUSPECTS {
                report.suspects.push(Provenance {
                    table: table.table.name.clone(),
                    rowid: row.rowid,
                    path: source.path.clone(),
                    page: row.page,
                    cell: row.cell,
                });
            }
        }
        let entry = TableReport {
            recovered: written.map_or(table.rows.len() as u64, |written| written.rows),
            lost: table.lost,
            lost_is_estimate: table.estimated,
            from,
            partial: table.partial,
            suspect,
            older_only: table.older_only,
            conflicting: written.map_or(0, |written| written.refused),
        };
        report.tables.insert(table.table.name.clone(), entry);
    }
}
