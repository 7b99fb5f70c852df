//! Recovers a board: from damaged files to a verified new one, in stages that only return values.
//!
//! ```text
//!   sources -> salvage -> rank -> merge -> rebuild + verify -> report
//!   files      rows by    best    one row  a new file          what came from where,
//!              location   first   set                          and what is missing
//! ```
//!
//! The new file is written row by row (`rebuild::insert`), or of the pages of the best source where those can stay
//! (`rebuild::in_place`).
//!
//! A row is kept as its location: 32 bytes, whatever it holds. Its bytes are read again when it is written. Row sets that
//! outgrow the memory budget go to a file without a name. Sources are folded in one after the other, so that memory grows
//! with the rows of the result, not with the number or size of the sources.
//!
//! SQLite opens the new file alone, never a source. The result is a sealed file without a name ([`Rebuilt`]).
//!
//! Not here: reading a source ([`crate::salvage`]), writing the result into a board ([`crate::install`]).

mod merge;
pub(crate) mod rebuild;
pub mod report;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use self::merge::Merge;
use self::merge::rank::ReadFacts;
use self::report::partial_rows::PartialRows;
use crate::failure::exit::Exit;
use crate::failure::hint;
use crate::failure::{Failure, Outcome};
use crate::newfile::{Audience, OwnFile, RecordedMode, Sealed};
use crate::salvage::schema::Schemas;
use crate::salvage::source::Source;
use crate::salvage::source::cache::SourceCache;
use crate::work::progress::Watch;

pub use self::report::losses::{LossKind, NamedRow};
pub use self::report::provenance::ProvenanceWriter;
pub use self::report::verdict::verdict;
pub use self::report::{
    Branch, Built, Confidence, ForeignSource, MAX_SUSPECTS, Provenance, Report, RowProvenance, SourceReport,
    TableReport, TwoVersions,
};

/// The most sources that a refusal names.
const NAMED: usize = 5;

/// How a recovery is to be done.
#[derive(Debug, Clone)]
pub struct RecoverOptions {
    /// The directory for what does not fit memory: files without a name, which nobody else can open.
    pub scratch: PathBuf,
    /// Write row by row, also where pages could stay: what the page path is measured by.
    pub by_rows: bool,
    /// Whether rows that only an older source has come back even where a newer one shows them gone, and rows that were
    /// deleted and are still there.
    pub include_older: bool,
    /// Whether the report says of every row where it is from.
    pub provenance: bool,
    /// Bytes of places of rows that are held in memory; those beyond it go to `scratch`.
    pub memory: usize,
}

impl RecoverOptions {
    /// The usual, with `scratch` for what does not fit memory.
    pub fn new(scratch: PathBuf) -> Self {
        Self {
            scratch,
            by_rows: false,
            include_older: false,
            provenance: false,
            memory: crate::salvage::rows::set::MEMORY,
        }
    }
}

/// A rebuilt board: checked, closed and synced, but without a name of its own yet.
#[derive(Debug)]
pub struct Rebuilt {
    /// The file; gone when dropped.
    pub file: Sealed,
    /// What is in it and where that came from.
    pub report: Report,
    /// Rows that are only partly there, or were never committed.
    pub apart: Option<PartialRows>,
}

impl Rebuilt {
    /// Gives the file its name, open to those whom `audience` names, never replacing anything, and puts partial rows beside it
    /// ([`crate::recover::report::partial_rows::beside`]).
    ///
    /// # Errors
    /// As [`Sealed::publish`] and [`PartialRows::save`]; after an error of the latter the file has its name.
    pub fn publish(self, audience: Audience) -> Outcome<Report> {
        let mut report = self.report;
        let output = self.file.publish(audience)?;
        if let Some(mut apart) = self.apart {
            let path = crate::recover::report::partial_rows::beside(&output);
            apart.save(&path, audience)?;
            report.partial_rows = Some(path);
        }
        report.output = Some(output);
        Ok(report)
    }
}

/// Salvages and merges `sources`, and publishes the result as `output` if there is one (otherwise it is a dry run). The
/// destination must not exist; it has its name only when it is whole, checked and synced.
///
/// # Errors
/// As [`survey`], [`rebuild()`] and [`Rebuilt::publish`].
pub fn recover(
    sources: &[Source],
    output: Option<&Path>,
    options: &RecoverOptions,
    watch: &mut dyn Watch,
) -> Outcome<Report> {
    match output {
        None => survey(sources, options, watch),
        Some(output) => {
            crate::newfile::refuse_existing(&crate::recover::report::partial_rows::beside(output))?;
            rebuild(sources, OwnFile::create(output)?, options, watch)
                .and_then(|rebuilt| rebuilt.publish(audience(sources)))
                .map_err(|failure| failure.at(output))
        }
    }
}

/// What `sources` hold and what would come back; nothing is written.
///
/// # Errors
/// The reading error of a source, 10 when no source holds a page, 4 when nothing in them can be read, and whatever
/// `watch` stops with.
pub fn survey(sources: &[Source], options: &RecoverOptions, watch: &mut dyn Watch) -> Outcome<Report> {
    Ok(run(sources, None, options, watch)?.report)
}

/// Salvages and merges `sources` into `file`, which is checked and sealed.
///
/// # Errors
/// As [`survey`]; 12 when the disk is full, and exit 1 when the new file does not pass its checks, which then is not kept.
pub fn rebuild(
    sources: &[Source],
    file: OwnFile,
    options: &RecoverOptions,
    watch: &mut dyn Watch,
) -> Outcome<Rebuilt> {
    let mut file = file;
    let ran = run(sources, Some(&mut file), options, watch);
    let sealed = ran.and_then(|ran| Ok((file.seal(ran.mode)?, ran.report, ran.apart)));
    sealed.map(|(file, report, apart)| Rebuilt { file, report, apart }).map_err(of_new_file)
}

/// SQLite opens no source, so what it finds damaged is the file that was just written.
fn of_new_file(failure: Failure) -> Failure {
    if !failure.is_sqlite_damage() {
        return failure;
    }
    failure
        .with_exit(Exit::Failed)
        .context("the new file does not read back as it was written; it was not kept")
        .hint("Run it again. If it comes back, ask the kernel about the disk (`dmesg`) and build the file on another one.")
}

struct Ran {
    report: Report,
    /// The journal mode that the result has to have.
    mode: RecordedMode,
    apart: Option<PartialRows>,
}

/// Reads a live board that rests where it lies; when it turns out to have been written to meanwhile, all restarts, of a
/// copy.
fn run(
    sources: &[Source],
    mut file: Option<&mut OwnFile>,
    options: &RecoverOptions,
    watch: &mut dyn Watch,
) -> Outcome<Ran> {
    let shelf = SourceCache::new(sources, &options.scratch, options.memory).in_place(true);
    let outcome = attempt(&shelf, file.as_deref_mut(), options, watch);
    if shelf.require_unchanged().is_ok() {
        return outcome;
    }
    drop(shelf);
    if let Some(file) = &mut file {
        file.fill(|_| Ok(()))?;
    }
    let shelf = SourceCache::new(sources, &options.scratch, options.memory);
    let ran = attempt(&shelf, file, options, watch)?;
    shelf.require_unchanged()?;
    Ok(ran)
}

fn attempt(
    shelf: &SourceCache<'_>,
    file: Option<&mut OwnFile>,
    options: &RecoverOptions,
    watch: &mut dyn Watch,
) -> Outcome<Ran> {
    let sources = shelf.sources;
    let schemas = Schemas::new()?;
    let mut ranking = crate::recover::merge::rank::rank(shelf, &schemas, options.include_older, watch)?;
    if ranking.ranked.is_empty() {
        return Err(barren(sources, Failure::no_board, "a page of a database"));
    }
    if ranking.ranked.iter().all(|facts| facts.rows == 0 && !facts.has_schema) {
        return Err(barren(sources, Failure::damaged, "a row or a schema that can be read"));
    }
    if !ranking.ranked.iter().any(|facts| facts.is_of_board) {
        // Put in the board's place, another program's database would be an empty board.
        return Err(barren(sources, Failure::damaged, "a row or a table of a board"));
    }
    let mut merge = Merge::new(shelf.room());
    crate::recover::merge::rank::fold(&mut ranking, &mut merge, shelf, watch)?;
    let foreign = ranking.take_foreign();
    crate::recover::merge::versions::decide(&mut merge, &ranking.ranked, shelf, watch)?;
    crate::recover::merge::graft::graft(&mut merge, &ranking.ranked, shelf, watch)?;
    crate::recover::merge::events::mark_stale(&mut merge, &ranking.ranked, shelf)?;
    let mut merged = merge.finish(options.include_older, &capacity(&ranking.ranked));
    shelf.room().require_whole()?;
    let mut report = crate::recover::report::summary::begin(&ranking.ranked, &foreign, sources);
    let written;
    let mut apart = None;
    let traits = traits(&ranking.ranked);
    if let Some(file) = file {
        // What changes under us is better noticed before the work than after it.
        shelf.require_unchanged()?;
        // A text that is stored as a BLOB is written as text, which takes other bytes.
        let main = ranking.ranked.first().filter(|facts| facts.blob_texts == 0 && !options.by_rows);
        let main = main.map(|facts| facts.source);
        let ran = build(file, main, &mut merged, shelf, traits, watch);
        // Of a roll that could not be read to its end too few rows are written.
        shelf.room().require_whole()?;
        let (built, rows, verdict) = ran?;
        written = rows;
        report.built = Some(built);
        report.verified = Some(verdict.faults.is_empty());
        report.faults = verdict.faults;
        report.dangling = verdict.dangling;
        if let Some(fault) = report.faults.first() {
            return Err(Failure::failed(format!("the rebuilt file did not pass its checks: {fault}.")));
        }
        merged.set_refused_apart(&written);
        apart = crate::recover::report::partial_rows::set_apart(&merged, shelf, &options.scratch)?;
    } else {
        written = crate::recover::report::losses::refused(&merged, shelf)?;
    }
    let losses = crate::recover::report::losses::name(&merged, &written, shelf)?;
    let traced = options.provenance.then(|| shelf.room());
    crate::recover::report::summary::finish(
        &mut report,
        merged,
        &written,
        &ranking.ranked,
        sources,
        traced,
        losses,
    );
    shelf.room().require_whole()?;
    Ok(Ran { report, mode: traits.mode, apart })
}

/// What the lost pages of the best source may have held.
fn capacity(ranked: &[ReadFacts]) -> merge::losses::Capacity {
    ranked.first().map_or_else(merge::losses::Capacity::default, |facts| merge::losses::Capacity {
        pages: facts.damaged_pages.saturating_add(facts.missing_pages).saturating_add(facts.lost_frames),
        page_size: facts.page_size,
    })
}

/// Every source was looked at and none has what is needed.
fn barren(sources: &[Source], kind: fn(String) -> Failure, what: &str) -> Failure {
    let named: Vec<String> =
        sources.iter().take(NAMED).map(|source| source.path.display().to_string()).collect();
    let more = match sources.len().saturating_sub(NAMED) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    let failure = kind(format!("no source holds {what}; looked at {}{more}.", named.join(", ")))
        .hint(hint::IS_IT_THE_ONE)
        .hint(hint::READ_A_COPY);
    // Nothing was made: the sources are what this is about.
    sources.iter().take(1).fold(failure, |failure, source| failure.at(&source.path))
}

/// Writes `merged` into `file` and checks it: of the pages of `main` where they can stay, otherwise row by row.
fn build(
    file: &mut OwnFile,
    main: Option<u32>,
    merged: &mut merge::Merged,
    shelf: &SourceCache<'_>,
    traits: crate::recover::rebuild::insert::Traits,
    watch: &mut dyn Watch,
) -> Outcome<(
    Built,
    HashMap<String, crate::recover::rebuild::insert::InsertedRows>,
    crate::recover::rebuild::verify::Verification,
)> {
    if let Some(main) = main
        && let Some(written) =
            crate::recover::rebuild::in_place::write(file, main, merged, shelf, traits, watch)?
    {
        match crate::recover::rebuild::verify::verify(file, merged, &written, Built::Pages, watch) {
            Ok(verdict) if verdict.faults.is_empty() => return Ok((Built::Pages, written, verdict)),
            Err(failure) if !failure.is_damage() => return Err(failure),
            // What the pages do not carry the rows may.
            _ => file.fill(|_| Ok(()))?,
        }
        merged.dropped.clear();
    }
    let written = crate::recover::rebuild::insert::write(file.connection()?, merged, shelf, traits, watch)?;
    let verdict = crate::recover::rebuild::verify::verify(file, merged, &written, Built::Rows, watch)?;
    Ok((Built::Rows, written, verdict))
}

/// Who may see a published result: whoever may see the best source.
fn audience(sources: &[Source]) -> Audience {
    sources.first().map_or(Audience::from(0o600), |source| Audience::of(&source.path))
}

/// What the new file takes over from the first source that can tell.
fn traits(ranked: &[ReadFacts]) -> crate::recover::rebuild::insert::Traits {
    let header = ranked.iter().find_map(|facts| facts.header);
    crate::recover::rebuild::insert::Traits {
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
