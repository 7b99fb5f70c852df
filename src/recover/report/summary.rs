//! Counts what each source had, what came back and from where.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::losses::Losses;
use super::provenance::{ProvenanceWriter, Trace};
use super::{ForeignSource, MAX_SUSPECTS, Provenance, Report, SourceReport, TableReport, TwoVersions};
use crate::board::belonging::Relation;
use crate::recover::merge::rank::ReadFacts;
use crate::recover::merge::{Merged, MergedTable};
use crate::recover::rebuild::insert::InsertedRows;
use crate::salvage::rows::set::MemoryBudget;
use crate::salvage::source::Source;

/// What the sources had; nothing is said of the result yet.
pub(crate) fn begin(ranked: &[ReadFacts], foreign: &[ReadFacts], sources: &[Source]) -> Report {
    let mut reports = Vec::new();
    for (number, facts) in in_order(ranked, sources) {
        let is_foreign = foreign.iter().any(|facts| facts.source == number);
        let Some(source) = sources.get(number as usize).filter(|_| !is_foreign) else { continue };
        reports.push(SourceReport {
            path: source.path.clone(),
            kind: source.kind,
            copies: source.copies.len(),
            rows: facts.map_or(0, |facts| facts.rows),
            damaged_pages: facts.map_or(0, |facts| facts.damaged_pages),
            blob_texts: facts.map_or(0, |facts| facts.blob_texts),
            lost_frames: facts.map_or(0, |facts| facts.lost_frames),
            missing_pages: facts.map_or(0, |facts| facts.missing_pages),
            schema: facts.is_some_and(|facts| facts.has_schema),
            beyond: 0,
            is_later: false,
            relation: facts.map_or_else(Relation::default, |facts| facts.relation),
            read_as: facts.map_or_else(Vec::new, |facts| facts.read_as.clone()),
        });
    }
    let foreign = foreign.iter().filter_map(|facts| {
        let source = sources.get(facts.source as usize)?;
        Some(ForeignSource { path: source.path.clone(), rows: facts.rows })
    });
    Report { sources: reports, foreign: foreign.collect(), ..Report::default() }
}

/// The sources as the report has them: best first, then those without a page.
fn in_order<'f>(
    ranked: &'f [ReadFacts],
    sources: &[Source],
) -> impl Iterator<Item = (u32, Option<&'f ReadFacts>)> {
    let known: HashSet<u32> = ranked.iter().map(|facts| facts.source).collect();
    let empty = (0..).take(sources.len()).filter(move |source| !known.contains(source));
    ranked.iter().map(|facts| (facts.source, Some(facts))).chain(empty.map(|number| (number, None)))
}

/// Adds to `report` what is in the result; with the place of every row if they are to be `traced`, in the room of the rows.
pub(crate) fn finish(
    report: &mut Report,
    merged: Merged,
    written: &HashMap<String, InsertedRows>,
    ranked: &[ReadFacts],
    sources: &[Source],
    traced: Option<&Arc<MemoryBudget>>,
    losses: Losses,
) {
    for (number, source) in in_order(ranked, sources).map(|(number, _)| number).zip(&mut report.sources) {
        let beyond = merged.beyond.get(&number).copied().unwrap_or_default();
        (source.beyond, source.is_later) = (beyond.rows, beyond.is_later);
    }
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
        let name = &table.table.name;
        let written = written.get(name);
        let counted = count(report, table, sources);
        report.tables.insert(name.clone(), describe(table, written, counted, sources));
    }
    if let Some(tasks) = report.tables.get_mut("tasks") {
        tasks.missing = losses.missing;
    }
    report.losses = losses.named;
    if let Some(room) = traced {
        let places: HashMap<u32, u32> =
            in_order(ranked, sources).map(|(number, _)| number).zip(0..).collect();
        let told = merged.tables.into_iter().map(|table| {
            let written = written.get(&table.table.name);
            let mut missing = written.map(|written| written.missing.clone()).unwrap_or_default();
            missing.sort_unstable();
            Trace { table: table.table.name.clone(), rows: table.rows, asked: table.asked, missing }
        });
        report.provenance = Some(ProvenanceWriter::new(told.collect(), places, room));
    }
}

/// Rows by source, and how many are suspect; names the first of those in `report`.
fn count(report: &mut Report, table: &MergedTable, sources: &[Source]) -> (HashMap<u32, u64>, u64) {
    let mut counts = HashMap::new();
    let mut suspect = 0;
    for row in table.chosen() {
        let Some(source) = sources.get(row.source as usize) else { continue };
        *counts.entry(row.source).or_insert(0) += 1;
        if !row.is_suspect() {
            continue;
        }
        suspect += 1;
        if report.suspects.len() < MAX_SUSPECTS {
            report.suspects.push(Provenance {
                table: table.table.name.clone(),
                rowid: row.rowid,
                path: source.path.clone(),
                page: row.page,
                cell: usize::from(row.cell),
            });
        }
    }
    (counts, suspect)
}

fn describe(
    table: &MergedTable,
    written: Option<&InsertedRows>,
    (counts, suspect): (HashMap<u32, u64>, u64),
    sources: &[Source],
) -> TableReport {
    let named = counts.into_iter().filter_map(|(source, count)| {
        Some((sources.get(source as usize)?.path.display().to_string(), count))
    });
    TableReport {
        recovered: written.map_or(table.chosen_count(), |written| written.rows),
        lost: table.lost,
        lost_is_estimate: table.estimated,
        from: named.collect(),
        partial: table.partial.len() as u64,
        uncommitted: table.uncommitted.len() as u64,
        suspect,
        older_only: table.older.len() as u64 + written.map_or(0, |written| written.passed_over),
        renumbered: table.renumbered,
        conflicting: written.map_or(0, |written| written.refused),
        stale: table.stale.len() as u64,
        missing: 0,
        corrected: table.corrected,
    }
}
