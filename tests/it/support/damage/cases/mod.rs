//! More ways to arrive injured: for each, a board and what became of it, as scenes whose truth is known.

mod chains;
mod copies;
mod foreign;
mod grid;
mod headers;
mod histories;
mod journals;
mod logs;
mod pages;
mod schemas;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::board::{Recipe, carry_on};
use super::oracle::{self, Left, Possible};
use super::{Dice, Shape, beside};

/// A way to arrive injured.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// Its name, as in the table.
    pub(crate) name: &'static str,
    make: fn(&mut Scene),
    /// The share of what is physically there that must come back, in percent.
    pub(crate) floor: f64,
    /// How many rows may be wrong: altered where no other byte of any source tells so.
    pub(crate) wrong: usize,
    /// How many rows may be of an earlier moment: stale, or deleted since.
    pub(crate) older: usize,
}

impl Case {
    const fn new(name: &'static str, make: fn(&mut Scene)) -> Self {
        Self { name, make, floor: 100.0, wrong: 0, older: usize::MAX }
    }

    /// Not all that is there comes back yet.
    const fn reaches(self, floor: f64) -> Self {
        Self { floor, ..self }
    }

    /// Rows can be wrong without a sign of it.
    const fn wrong(self, wrong: usize) -> Self {
        Self { wrong, ..self }
    }

    /// No more rows than these may be of an earlier moment.
    const fn older(self, older: usize) -> Self {
        Self { older, ..self }
    }

    /// All of them.
    pub(crate) fn all() -> Vec<Self> {
        let shapes = SHAPES.iter().copied();
        let families = [
            pages::CASES,
            chains::CASES,
            headers::CASES,
            logs::CASES,
            schemas::CASES,
            copies::CASES,
            foreign::CASES,
            grid::CASES,
            journals::CASES,
            histories::CASES,
        ];
        shapes.chain(families.into_iter().flatten().copied()).collect()
    }

    /// Sets the scene below `dir`, with the injured board at `board`. The same seed gives the same scene.
    pub(crate) fn set(self, board: &Path, dir: &Path, tasks: usize, seed: u64) -> Scene {
        let salt =
            self.name.bytes().fold(seed, |salt, byte| salt.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut scene = Scene {
            board: board.to_path_buf(),
            truth: dir.join("truth.db"),
            dir: dir.to_path_buf(),
            versions: Vec::new(),
            dice: Dice::new(salt),
            tasks,
            seed,
        };
        (self.make)(&mut scene);
        scene
    }
}

/// The shapes of `shared/damage`, as cases.
const SHAPES: &[Case] = &[
    Case::new("healthy", |scene| scene.shape(Shape::Healthy)),
    Case::new("tls-header", |scene| scene.shape(Shape::TlsHeader)),
    Case::new("page1-zero", |scene| scene.shape(Shape::FirstPageZero)),
    Case::new("zero-pages", |scene| scene.shape(Shape::ZeroPages)),
    Case::new("interiors-gone", |scene| scene.shape(Shape::InteriorsGone)),
    Case::new("truncated", |scene| scene.shape(Shape::Truncated)),
    Case::new("bit-flips", |scene| scene.shape(Shape::BitFlips)).wrong(60),
    Case::new("schema-duplicate", |scene| scene.shape(Shape::SchemaDuplicate)),
    Case::new("index-drift", |scene| scene.shape(Shape::IndexDrift)),
    Case::new("wal-pending", |scene| scene.shape(Shape::WalPending)),
    Case::new("wal-header-gone", |scene| scene.shape(Shape::WalHeaderGone)),
    Case::new("many-copies", |scene| scene.shape(Shape::ManyCopies)),
];

/// One case at one seed: what was, and what is left of it.
pub(crate) struct Scene {
    /// The injured board; its sidecars and copies lie beside it.
    pub(crate) board: PathBuf,
    /// A sound board with all that there was.
    pub(crate) truth: PathBuf,
    dir: PathBuf,
    /// Sound files from before the injury in which rows of the truth may lie at other places.
    versions: Vec<Vec<u8>>,
    dice: Dice,
    tasks: usize,
    seed: u64,
}

impl Scene {
    /// What the oracle says about it.
    pub(crate) fn possible(&self) -> Possible {
        let mut left = Vec::new();
        for entry in std::fs::read_dir(self.board.parent().unwrap()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_file() && name.starts_with("kanban.db") {
                left.push(Left { bytes: std::fs::read(&path).unwrap(), is_wal: name.ends_with("-wal") });
            }
        }
        oracle::possible(&std::fs::read(&self.truth).unwrap(), &self.versions, &left)
    }

    /// Sound boards of the moments before the injury.
    pub(crate) fn earlier(&self) -> Vec<PathBuf> {
        let write = |(number, bytes): (usize, &Vec<u8>)| {
            let path = self.dir.join(format!("earlier-{number}.db"));
            let mut bytes = bytes.clone();
            // Not in WAL mode: nothing may come to lie beside it.
            bytes[18..20].fill(1);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        self.versions.iter().enumerate().map(write).collect()
    }

    fn shape(&mut self, shape: Shape) {
        let good = self.truth.clone();
        Recipe::default().make(&good, self.tasks, self.seed);
        super::injure(shape, self.seed, &good, &self.board);
        if matches!(shape, Shape::WalPending | Shape::WalHeaderGone) {
            let whole = self.dir.join("whole.db");
            super::injure(Shape::WalPending, self.seed, &good, &whole);
            self.keep_version(&whole);
        }
        if matches!(shape, Shape::SchemaDuplicate | Shape::IndexDrift) {
            self.versions.push(std::fs::read(&good).unwrap());
        }
    }

    /// A healthy board that is the truth.
    fn made(&mut self, recipe: Recipe) -> File {
        recipe.make(&self.truth, self.tasks, self.seed);
        File::read(&self.truth)
    }

    /// The usual one.
    fn usual(&mut self) -> File {
        if self.truth.exists() {
            return File::read(&self.truth);
        }
        self.made(Recipe::default())
    }

    /// The same board at two moments: as it was, and as it became, which is the truth.
    fn two_moments(&mut self) -> (File, File) {
        let before = self.usual();
        let connection = self.connect();
        carry_on(&connection, self.seed);
        connection.close().unwrap();
        self.versions.push(before.bytes.clone());
        (before, File::read(&self.truth))
    }

    /// A connection to the truth, careful as Hermes is.
    fn connect(&self) -> Connection {
        let connection = Connection::open(&self.truth).unwrap();
        connection.execute_batch("PRAGMA synchronous=OFF; PRAGMA secure_delete=ON").unwrap();
        connection
    }

    /// Remembers the state of the sound file at `path`, its WAL included.
    fn keep_version(&mut self, path: &Path) {
        let copy = self.dir.join("version.db");
        for suffix in ["", "-wal"] {
            let from = beside(path, suffix);
            if from.exists() {
                std::fs::copy(from, beside(&copy, suffix)).unwrap();
            }
        }
        let connection = Connection::open(&copy).unwrap();
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        connection.close().unwrap();
        self.versions.push(std::fs::read(&copy).unwrap());
        std::fs::remove_file(copy).unwrap();
    }

    fn leave(&self, file: &File) {
        std::fs::write(&self.board, &file.bytes).unwrap();
    }

    fn leave_wal(&self, bytes: &[u8]) {
        std::fs::write(beside(&self.board, "-wal"), bytes).unwrap();
    }
}

/// A file in pages.
#[derive(Clone)]
struct File {
    bytes: Vec<u8>,
    size: usize,
}

impl File {
    /// The sound database at `path`.
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let size = match u16::from_be_bytes([bytes[16], bytes[17]]) {
            1 => 65_536,
            size => usize::from(size),
        };
        Self { bytes, size }
    }

    fn count(&self) -> usize {
        self.bytes.len() / self.size
    }

    /// The page with this number, from 1.
    fn page(&self, number: usize) -> &[u8] {
        &self.bytes[(number - 1) * self.size..number * self.size]
    }

    fn page_mut(&mut self, number: usize) -> &mut [u8] {
        &mut self.bytes[(number - 1) * self.size..number * self.size]
    }

    /// The pages behind the first whose first byte is one of `kinds`.
    fn pages_of(&self, kinds: &[u8]) -> Vec<usize> {
        (2..=self.count()).filter(|&number| kinds.contains(&self.page(number)[0])).collect()
    }

    /// The leaves of tables, without those that hold the schema: what is lost with those is another case.
    fn leaves(&self) -> Vec<usize> {
        let schema = |page: &[u8]| page.windows(13).any(|window| window == b"CREATE TABLE ");
        self.pages_of(&[13]).into_iter().filter(|&number| !schema(self.page(number))).collect()
    }

    /// Interior pages and leaves of the schema's tree besides page 1.
    fn schema_pages(&self) -> Vec<usize> {
        let wide: Vec<u8> = b"CREATE ".iter().flat_map(|&byte| [byte, 0]).collect();
        let has = |page: &[u8], word: &[u8]| page.windows(word.len()).any(|window| window == word);
        let create = |page: &[u8]| has(page, b"CREATE ") || has(page, &wide);
        self.pages_of(&[13]).into_iter().filter(|&number| create(self.page(number))).collect()
    }
}

/// One in `share` of `pages`, at least one.
fn some(dice: &mut Dice, pages: &[usize], share: usize) -> Vec<usize> {
    let mut some: Vec<usize> = pages.iter().copied().filter(|_| dice.below(share) == 0).collect();
    if some.is_empty() {
        some.push(*dice.pick(pages));
    }
    some
}
