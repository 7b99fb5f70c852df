//! The page-level reader: bytes in, values out. No I/O, no SQLite, no panics.
