//! Boards of other ages and makes, and tables that Hermes does not know, with the schema and without.

use super::super::board::{Age, Recipe};
use super::{Case, Scene, some};

const LEGACY: Recipe = Recipe { age: Age::Legacy, ..USUAL };
const NEWER: Recipe = Recipe { age: Age::Newer, ..USUAL };
const PLUGIN: Recipe = Recipe { plugin: true, ..USUAL };
const WIDE: Recipe = Recipe { encoding: "UTF-16le", plugin: true, ..USUAL };
const USUAL: Recipe =
    Recipe { page_size: 4096, reserved: 0, encoding: "UTF-8", age: Age::Usual, plugin: false };

pub(super) const CASES: &[Case] = &[
    Case::new("legacy-zero-pages", |scene| zero_pages(scene, LEGACY)),
    Case::new("legacy-page1-gone", |scene| page1_gone(scene, LEGACY)),
    Case::new("legacy-schema-gone", |scene| schema_gone(scene, LEGACY)),
    Case::new("newer-zero-pages", |scene| zero_pages(scene, NEWER)),
    Case::new("newer-page1-gone", |scene| page1_gone(scene, NEWER)),
    Case::new("newer-schema-gone", |scene| schema_gone(scene, NEWER)),
    Case::new("usual-schema-gone", |scene| schema_gone(scene, USUAL)),
    Case::new("plugin-zero-pages", |scene| zero_pages(scene, PLUGIN)),
    Case::new("plugin-page1-gone", |scene| page1_gone(scene, PLUGIN)),
    Case::new("plugin-schema-gone", |scene| schema_gone(scene, PLUGIN)),
    Case::new("utf16-healthy", |scene| {
        let file = scene.made(WIDE);
        scene.leave(&file);
    }),
    Case::new("utf16-zero-pages", |scene| zero_pages(scene, WIDE)),
    Case::new("utf16-page1-gone", |scene| page1_gone(scene, WIDE)),
    Case::new("utf16-schema-gone", |scene| schema_gone(scene, WIDE)),
    Case::new("pages-512-zero", |scene| zero_pages(scene, Recipe { page_size: 512, ..USUAL })),
    Case::new("pages-512-schema-gone", |scene| schema_gone(scene, Recipe { page_size: 512, ..USUAL })),
    Case::new("pages-1024-page1-gone", |scene| page1_gone(scene, Recipe { page_size: 1024, ..USUAL })),
    Case::new("pages-65536-zero", |scene| zero_pages(scene, Recipe { page_size: 65_536, ..USUAL })),
    Case::new("pages-65536-page1-gone", |scene| page1_gone(scene, Recipe { page_size: 65_536, ..USUAL })),
    Case::new("reserved-zero-pages", |scene| zero_pages(scene, Recipe { reserved: 32, ..USUAL })),
    Case::new("reserved-page1-gone", |scene| page1_gone(scene, Recipe { reserved: 32, ..USUAL })),
];

/// One leaf in fifteen is lost.
fn zero_pages(scene: &mut Scene, recipe: Recipe) {
    let mut file = scene.made(recipe);
    for number in some(&mut scene.dice, &file.leaves(), 15) {
        file.page_mut(number).fill(0);
    }
    scene.leave(&file);
}

/// The first page is lost; what it held of the schema with it.
fn page1_gone(scene: &mut Scene, recipe: Recipe) {
    let mut file = scene.made(recipe);
    scene.dice.noise(file.page_mut(1));
    scene.leave(&file);
}

/// Every page that holds a piece of the schema is lost.
fn schema_gone(scene: &mut Scene, recipe: Recipe) {
    let mut file = scene.made(recipe);
    for number in file.schema_pages().into_iter().chain([1]) {
        file.page_mut(number).fill(0);
    }
    scene.leave(&file);
}
