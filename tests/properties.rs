//! Laws that hold for every input.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot set its scene must stop loudly")]

#[path = "properties/encoding.rs"]
mod encoding;
#[path = "properties/forks.rs"]
mod forks;
#[path = "properties/laws.rs"]
mod laws;
#[path = "properties/ondisk.rs"]
mod ondisk;
#[path = "properties/pages.rs"]
mod pages;
#[path = "properties/parsing.rs"]
mod parsing;
#[path = "properties/recover.rs"]
mod recover;
#[path = "properties/thinning.rs"]
mod thinning;
