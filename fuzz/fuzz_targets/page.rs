//! Pages, their cells, and the trees that they seem to form.
#![no_main]
use kanbanctl::ondisk::{
    btree::{self, VisitedPages},
    image::Image,
    page::Page,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for number in [1, 2] {
        if let Ok(page) = Page::read(number, bytes, 512) {
            let _ = page.is_sound();
            let cells: Vec<_> = page.cells().flatten().map(|cell| (cell.offset, cell.size)).collect();
            let _ = page.stray_cells(&cells, |_| true);
        }
    }
    let image = Image::new(&bytes, 512, 512);
    for root in 1..=image.count() {
        let _ = btree::walk_table(&image, root, &mut VisitedPages::new(&image));
        let _ = btree::walk_index(&image, root, &mut VisitedPages::new(&image));
    }
});
