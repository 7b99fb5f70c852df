//! The planned pages into a file: in large pieces, on every core.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::plan::PagePlan;
use crate::failure::{Failure, Outcome};
use crate::work::progress::{Stage, Watch};
use crate::work::threads::{cores, in_order};

/// Bytes that are written at once.
const PIECE: usize = 1 << 20;

/// Writes every page of `plan`. False when a page is not what the plan took it for: then the file is not whole.
///
/// # Errors
/// When the file cannot be written, and whatever `watch` stops with.
pub(crate) fn write(plan: &PagePlan<'_, '_>, file: &File, watch: &mut dyn Watch) -> Outcome<bool> {
    let page_size = plan.image.page_size();
    let stride = u32::try_from(PIECE / page_size).unwrap_or(1).max(1);
    let pieces = plan.page_count().div_ceil(stride);
    let piece = |index: usize| -> std::io::Result<bool> {
        let first = u32::try_from(index).unwrap_or(u32::MAX).saturating_mul(stride).saturating_add(1);
        let count = stride.min(plan.page_count().saturating_sub(first - 1));
        let old = plan.image.piece(first, count);
        let mut bytes = vec![0; count as usize * page_size];
        for (number, page) in (first..).zip(bytes.chunks_mut(page_size)) {
            let within =
                |wanted: u32| if wanted == number { old.page(wanted) } else { plan.image.page(wanted) };
            if plan.page(number, within, page).is_none() {
                return Ok(false);
            }
        }
        file.write_all_at(&bytes, u64::from(first - 1) * page_size as u64)?;
        Ok(true)
    };
    let mut whole = true;
    in_order(pieces as usize, cores(), piece, |index, written| {
        whole &= written.map_err(|error| Failure::io(error, "writing the new file"))?;
        watch.step(Stage::Rebuild, index as u64, u64::from(pieces))
    })?;
    Ok(whole)
}
