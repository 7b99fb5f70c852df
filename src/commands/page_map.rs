//! The map of a file's pages, as `health --map` and `recover --dry-run` show it.

use std::path::Path;

use super::Context;
use super::progress::Bars;
use crate::copies::inspect::Inspector;
use crate::copies::page_map::{Map, PageRun, Use};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::salvage::source;
use crate::ui::{Chart, ChartKey, Document, Label, Records};

/// More signs than this are more than a person looks at.
const SIGNS: u32 = 1_024;

/// The map of the board at `resolved`, read and closed again; none where there are no pages. A board that cannot be read
/// for it, because others write all the time, is told about and has none.
///
/// # Errors
/// The signal's when one arrives.
pub(crate) fn take(context: &mut Context<'_>, resolved: &Path) -> Outcome<Option<Map>> {
    let Some(live) = source::live(resolved)? else { return Ok(None) };
    let mut bars = Bars::new(context.ui, context.signals.clone());
    let taken = Inspector::new(context.scratch()).and_then(|viewer| viewer.map(&live, &mut bars));
    drop(bars);
    match taken {
        Err(failure) if !matches!(failure.exit(), Exit::Interrupted(_)) => {
            context.ui.warning(format_args!("the file could not be drawn: {failure}"));
            Ok(None)
        }
        other => other,
    }
}

/// Draws `map`.
pub(crate) fn draw(map: &Map, page: &mut Document<'_>) {
    chart(map).draw(page);
}

/// Return `map` as cells of a chart.
pub(crate) fn chart(map: &Map) -> Chart {
    // A power of two, so that neighbouring numbers stay easy to count.
    let per_cell = map.pages.div_ceil(SIGNS).max(1).next_power_of_two();
    let keys = Use::ALL.map(|usage| {
        let (label, glyph, ascii) = sign(usage);
        let count = u64::from(map.counts.get(&usage).copied().unwrap_or(0));
        ChartKey { label, glyph, ascii, word: usage.word(), count }
    });
    let place = |usage: Use| Use::ALL.iter().position(|other| *other == usage).unwrap_or_default();
    let cells = map.stretches(per_cell).into_iter().map(place).collect();
    Chart { keys: keys.to_vec(), cells, per_cell, things: "pages" }
}

/// One record for each run of pages: `map`, use, first page, last page.
pub(crate) fn list(map: &Map, records: &mut Records<'_>) {
    for PageRun { usage, first, last } in &map.runs {
        records.record(&["map", usage.word(), &first.to_string(), &last.to_string()]);
    }
}

/// What a use looks like: in colour, without, and in ASCII.
fn sign(usage: Use) -> (Label, char, char) {
    match usage {
        Use::Table => (Label::Good, '█', '#'),
        Use::Index => (Label::Active, '▒', '+'),
        Use::Overflow => (Label::Ready, '░', 'o'),
        Use::Free => (Label::Dim, '·', '.'),
        Use::Damaged => (Label::Bad, '✗', 'X'),
        Use::Stray => (Label::Warning, '?', '?'),
        Use::Lost => (Label::Bad, '!', '!'),
    }
}
