//! A main file whose bytes are read through a map of their places, once one has been found.
//!
//! Not here: finding the map ([`crate::salvage::image::grid`]).

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

use super::open::SourceBytes;
use crate::ondisk::byte_map::ByteMap;
use crate::ondisk::store::Store;

/// What is known of the places of the bytes of a file.
#[derive(Debug, Clone, Default)]
pub(crate) enum Places {
    /// Nobody has looked.
    #[default]
    Unknown,
    /// They stand where they belong, or it is not known where.
    Own,
    /// They are to be read elsewhere.
    Mapped(Arc<ByteMap>),
}

/// The bytes of a main file at their places in the database.
#[derive(Debug)]
pub(crate) struct MappedMain {
    bytes: SourceBytes,
    places: RwLock<Places>,
}

impl MappedMain {
    pub(crate) fn new(bytes: SourceBytes) -> Self {
        Self { bytes, places: RwLock::default() }
    }

    /// The bytes as they stand in the file.
    pub(crate) fn bytes(&self) -> &SourceBytes {
        &self.bytes
    }

    /// What is known of their places.
    pub(crate) fn places(&self) -> Places {
        self.places.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Read them at `places` from now on.
    pub(crate) fn place(&self, places: Places) {
        *self.places.write().unwrap_or_else(PoisonError::into_inner) = places;
    }

    /// The map, if there is one.
    pub(crate) fn map(&self) -> Option<Arc<ByteMap>> {
        match &*self.places.read().unwrap_or_else(PoisonError::into_inner) {
            Places::Mapped(map) => Some(Arc::clone(map)),
            Places::Unknown | Places::Own => None,
        }
    }
}

impl Store for MappedMain {
    fn size(&self) -> u64 {
        self.map().map_or_else(|| self.bytes.size(), |map| map.size())
    }

    fn read(&self, offset: u64, len: usize) -> Option<Cow<'_, [u8]>> {
        match self.map() {
            None => self.bytes.read(offset, len),
            Some(map) => map.read(&self.bytes, offset, len),
        }
    }

    fn is_hole(&self, offset: u64, len: usize) -> bool {
        self.map().is_none() && self.bytes.is_hole(offset, len)
    }

    fn is_whole(&self, offset: u64, len: usize) -> bool {
        self.map().is_none_or(|map| map.is_whole(&(offset..offset + len as u64)))
    }

    fn is_moved(&self, offset: u64, len: usize) -> bool {
        self.map().is_some_and(|map| map.is_moved(&(offset..offset + len as u64)))
    }
}
