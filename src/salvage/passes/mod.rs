//! The passes over one source. Each finds rows that the passes before it could not find.
//!
//! Not here: the order in which they run ([`super`]).

pub(crate) mod cell_repair;
pub(crate) mod deleted_rows;
pub(crate) mod freed_cells;
pub(crate) mod leaf;
pub(crate) mod lost_schema;
pub(crate) mod lost_sectors;
pub(crate) mod older_images;
pub(crate) mod overflow;
pub(crate) mod overflow_owners;
pub(crate) mod page_scan;
pub(crate) mod schema_rows;
pub(crate) mod stray_leaves;
pub(crate) mod table_rows;
pub(crate) mod tree_walk;
pub(crate) mod uncommitted;
pub(crate) mod unverified_frames;
