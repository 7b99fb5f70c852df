//! The page path: a board with light damage is not written row by row.
//!
//! ```text
//!   rows of the merge -> plan -> file        leaves, overflow pages and the schema stay at their numbers, so that no
//!                                            pointer changes; interior pages are new; all else is unused
//!                     -> SQL                 indexes built, rows put in whose cells could not stay, sequences, checks
//! ```
//!
//! The rows to write are those that the row path (`rebuild`) would write, and that path is the measure: whatever could
//! make a difference to it is left to it (`conditions`, `standing`). Reading stays in `ondisk`; writing pages is done here
//! and nowhere else.

mod file;
mod freelist;
mod header;
pub(crate) mod interior;
pub(crate) mod kept_rows;
pub(crate) mod page_writer;
mod plan;
pub(crate) mod preconditions;
mod schema;
pub(crate) mod sql;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use self::header::Fields;
use self::plan::Planner;
use self::preconditions::Baseline;
use super::insert::{InsertedRows, Traits};
use crate::failure::Outcome;
use crate::newfile::OwnFile;
use crate::recover::merge::Merged;
use crate::salvage::image;
use crate::salvage::source::cache::SourceCache;
use crate::work::progress::Watch;

/// One unused page in this many at most; with more the file is rebuilt.
const MOST_UNUSED: usize = 2;

/// Writes `merged` into `own`, keeping the pages of `main`, the first of its sources. `None`, with `own` empty again, where
/// that cannot be done, or could differ from what the row path would write.
///
/// # Errors
/// When `main` cannot be read again or the file cannot be written, and whatever `watch` stops with.
pub(crate) fn write(
    own: &mut OwnFile,
    main: u32,
    merged: &mut Merged,
    shelf: &SourceCache<'_>,
    traits: Traits,
    watch: &mut dyn Watch,
) -> Outcome<Option<HashMap<String, InsertedRows>>> {
    let stores = shelf.stores(main)?;
    let Some(layout) = image::lay_out(&stores) else { return Ok(None) };
    let Some(ground) = preconditions::check(&layout, merged, traits) else { return Ok(None) };
    let Some(apart) = kept_rows::apart(main, &layout.image, merged, &ground, shelf)? else { return Ok(None) };
    let Some((plan, apart)) = plan(&ground, &layout.image, merged, apart, traits) else { return Ok(None) };
    if plan.unused() > plan.page_count() as usize / MOST_UNUSED {
        return Ok(None);
    }
    let mut whole = false;
    own.fill(|file| {
        whole = file::write(&plan, file, watch)?;
        Ok(())
    })?;
    drop(plan);
    if whole {
        let written = sql::complete(own.connection()?, merged, &ground, &apart, shelf)?;
        if written.is_some() {
            return Ok(written);
        }
    }
    own.fill(|_| Ok(()))?;
    Ok(None)
}

/// The plan of the new file, and the rows that are to be put in apart: for each table, indexes into its rows.
fn plan<'p, 'a>(
    ground: &Baseline,
    image: &'p crate::ondisk::image::Image<'a>,
    merged: &'p Merged,
    apart: kept_rows::SeparateRows,
    traits: Traits,
) -> Option<(plan::PagePlan<'p, 'a>, kept_rows::SeparateRows)> {
    let mut planner = Planner::new(image, &merged.odds, &ground.schema.pages, &ground.roots())?;
    for root in &ground.indexes {
        planner.empty_index(*root)?;
    }
    if let Some(root) = ground.sequences {
        planner.empty_table(root)?;
    }
    let mut left_out = kept_rows::SeparateRows::new();
    for ((table, root), apart) in merged.tables.iter().zip(&ground.tables).zip(apart) {
        left_out.push(match root {
            Some(root) => planner.table(*root, &table.rows, apart)?.clone(),
            None => apart,
        });
    }
    let total: usize = merged.tables.iter().map(|table| table.rows.len()).sum();
    let count: usize = left_out.iter().map(std::collections::HashSet::len).sum();
    if count > kept_rows::most(total) {
        return None;
    }
    let fields = Fields {
        page_size: image.page_size(),
        page_count: 0,
        freelist_trunk: 0,
        freelist_count: 0,
        change_counter: ground.header.change_counter.wrapping_add(1),
        schema_cookie: ground.header.schema_cookie.wrapping_add(1),
        user_version: traits.user_version,
        application_id: traits.application_id,
    };
    Some((planner.finish(fields)?, left_out))
}
