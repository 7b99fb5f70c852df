//! The one snapshot of the environment. It is taken once in `main` and passed by reference; tests make their own.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

/// Variables as they were when the process began.
#[derive(Clone, Debug, Default)]
pub struct Env(HashMap<OsString, OsString>);

impl Env {
    /// A snapshot of the given variables, the last of equal names winning.
    pub fn from_vars(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(vars.into_iter().collect())
    }

    /// The value of `name`, which may be empty.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The value of `name` as a whole number, when it is one.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.to_str()?.trim().parse().ok()
    }
}
