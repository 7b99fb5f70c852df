//! Which columns a table of Hermes has, where its `CREATE TABLE` text is lost: of the orders that it can have, the one that
//! the rows, what is left of the text, and a sound copy of the board speak for.
//!
//! Not here: the orders themselves ([`crate::hermes`]), what a value looks like ([`super::column_values`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Plausibility, Schemas, TableColumn, TableSchema};
use crate::hermes::{self, ColumnFacts, SchemaVersion, TableFacts};
use crate::ondisk::page::{Page, PageKind};
use crate::ondisk::record::{self, Record};
use crate::ondisk::text::Encoding;
use crate::store::schema;

/// Columns of unknown name that a newer table may have behind the known ones.
const MAX_UNKNOWN: usize = 16;

/// What a damaged `CREATE TABLE` text still says: the names of its first and of its last columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TextRemains {
    pub(crate) first: Vec<String>,
    pub(crate) last: Vec<String>,
}

impl TextRemains {
    /// Read the names of columns in what is left of a text `before` and `behind` its lost part.
    pub(crate) fn read(before: &str, behind: &str) -> Self {
        let body = before.split_once('(').map_or("", |(_, body)| body);
        Self { first: first_columns(body), last: last_columns(behind) }
    }

    /// Read the same from a text that no table can have: all between its first and its last strange character is lost.
    pub(crate) fn of_strange(text: &str) -> Self {
        let is_strange =
            |c: char| c == char::REPLACEMENT_CHARACTER || c.is_control() && !"\t\n\r".contains(c);
        let (first, last) = (text.find(is_strange), text.rfind(is_strange));
        first.zip(last).map_or_else(Self::default, |(first, last)| {
            let behind = text.get(last..).unwrap_or_default().trim_start_matches(is_strange);
            Self::read(text.get(..first).unwrap_or_default(), behind)
        })
    }

    /// True if a table with the columns `names` can have had this text.
    pub(crate) fn allow(&self, names: &[&str]) -> bool {
        let same = |(one, other): (&String, &&str)| one.eq_ignore_ascii_case(other);
        let last = names.len().checked_sub(self.last.len()).and_then(|start| names.get(start..));
        self.first.len() <= names.len()
            && self.first.iter().zip(names).all(same)
            && last.is_some_and(|names| self.last.iter().zip(names).all(same))
    }

    fn is_empty(&self) -> bool {
        self.first.is_empty() && self.last.is_empty()
    }
}

/// Return the names of the columns whose definitions are whole at the beginning of `body`.
fn first_columns(body: &str) -> Vec<String> {
    let (mut pieces, is_closed) = definitions(body);
    if !is_closed {
        pieces.pop();
    }
    pieces.iter().filter_map(|piece| column_name(piece)).collect()
}

/// Return the names of the columns whose definitions are whole at the end of a text of which `rest` is left.
fn last_columns(rest: &str) -> Vec<String> {
    // The first line may be the rest of a comment, or of a definition.
    let rest = rest.split_once('\n').map_or(rest, |(_, rest)| rest);
    let (pieces, is_closed) = definitions(rest);
    if !is_closed {
        return Vec::new();
    }
    pieces.iter().skip(1).filter_map(|piece| column_name(piece)).collect()
}

/// Return the pieces of `text` between commas outside of parentheses, without comments, up to the parenthesis that closes
/// the table, and whether there is one.
fn definitions(text: &str) -> (Vec<String>, bool) {
    let mut pieces = vec![String::new()];
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut len = c.len_utf8();
        match c {
            '-' if rest.starts_with("--") => {
                rest = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or_default();
                continue;
            }
            '/' if rest.starts_with("/*") => {
                rest = rest.find("*/").and_then(|end| rest.get(end + 2..)).unwrap_or_default();
                continue;
            }
            '\'' | '"' => {
                let end = rest.get(1..).and_then(|rest| rest.find(c));
                len = end.map_or(rest.len(), |end| end + 2);
            }
            '(' => depth += 1,
            ')' if depth == 0 => {
                // Inside of a definition whose beginning is lost, a parenthesis closes that.
                if rest.get(1..).is_none_or(|rest| rest.trim().is_empty()) {
                    return (pieces, true);
                }
                pieces = vec![String::new()];
            }
            ')' => depth -= 1,
            ',' if depth == 0 => {
                pieces.push(String::new());
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            _ => {}
        }
        if let (Some(piece), Some(more)) = (pieces.last_mut(), rest.get(..len)) {
            piece.push_str(more);
        }
        rest = rest.get(len..).unwrap_or_default();
    }
    (pieces, false)
}

/// Return the name of the column that `definition` defines; none for a constraint.
fn column_name(definition: &str) -> Option<String> {
    let name = definition.split_whitespace().next()?.trim_matches(['"', '`', '[', ']', '\'']);
    let constraints = ["PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "CONSTRAINT"];
    let is_column = !name.is_empty() && !constraints.contains(&name.to_ascii_uppercase().as_str());
    is_column.then(|| name.to_owned())
}

/// The orders that the columns of one table of Hermes can have.
#[derive(Debug)]
pub(crate) struct KnownOrders {
    facts: &'static TableFacts,
    /// Every column that any order has.
    columns: Vec<TableColumn>,
    /// That which is the rowid.
    rowid: Option<usize>,
    orders: Vec<KnownOrder>,
    /// The columns that any order has at each place.
    at_place: Vec<Vec<usize>>,
}

/// One order.
#[derive(Debug, Clone)]
struct KnownOrder {
    /// Places in the list of columns, in the order on disk.
    columns: Vec<usize>,
    /// The newest release that finds nothing to add to it.
    release: SchemaVersion,
}

/// What the rows of some pages say about the order of their columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrderVotes {
    cells: usize,
    rows: usize,
    /// How the values at each place would do in each column that can stand there.
    values: Vec<Vec<Plausibility>>,
    /// How many rows have so many columns.
    widths: BTreeMap<usize, usize>,
}

impl OrderVotes {
    /// Add what other pages say.
    pub(crate) fn add(&mut self, other: &Self) {
        self.cells += other.cells;
        self.rows += other.rows;
        self.values.resize_with(self.values.len().max(other.values.len()), Vec::new);
        for (own, votes) in self.values.iter_mut().zip(&other.values) {
            own.resize_with(own.len().max(votes.len()), Plausibility::default);
            own.iter_mut().zip(votes).for_each(|(own, votes)| own.add(*votes));
        }
        for (width, rows) in &other.widths {
            *self.widths.entry(*width).or_default() += rows;
        }
    }

    /// The most columns of a row.
    pub(crate) fn width(&self) -> usize {
        self.widths.keys().next_back().copied().unwrap_or(0)
    }
}

/// An order of columns that was chosen, and how well it does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChosenOrder {
    pub(crate) fit: Plausibility,
    at: usize,
}

impl KnownOrders {
    /// Return the orders of Hermes' table `name`.
    pub(crate) fn of(schemas: &Schemas, name: &str) -> Option<Self> {
        let facts = hermes::table(name)?;
        let all: Vec<_> = facts.columns.iter().chain(facts.dropped).collect();
        let table = schemas.table(&text(facts, all.iter().copied()))?;
        let place = |column: &&ColumnFacts| all.iter().position(|known| known.name == column.name);
        let known = |order: &Vec<&ColumnFacts>| {
            let has = |column: &ColumnFacts| order.iter().any(|known| known.name == column.name);
            let newest =
                SchemaVersion::ALL.into_iter().rev().find(|release| facts.created(*release).all(has));
            let columns = order.iter().filter_map(place).collect();
            KnownOrder { columns, release: newest.unwrap_or(SchemaVersion::Early) }
        };
        let orders = hermes::orders(facts).iter().map(known).collect();
        let mut known = Self {
            facts,
            columns: table.columns.clone(),
            rowid: table.rowid_column,
            orders,
            at_place: Vec::new(),
        };
        known.collect_places();
        Some(known)
    }

    fn collect_places(&mut self) {
        self.at_place.clear();
        for order in &self.orders {
            for (place, column) in order.columns.iter().enumerate() {
                if self.at_place.len() <= place {
                    self.at_place.push(Vec::new());
                }
                if let Some(columns) = self.at_place.get_mut(place).filter(|known| !known.contains(column)) {
                    columns.push(*column);
                }
            }
        }
    }

    /// Keep only the orders that `remains` allow; all of them if it allows none.
    pub(crate) fn restrict(&mut self, remains: &TextRemains) {
        let is_allowed = |order: &&KnownOrder| remains.allow(&self.names(order));
        let allowed: Vec<_> = self.orders.iter().filter(is_allowed).cloned().collect();
        if !remains.is_empty() && !allowed.is_empty() {
            self.orders = allowed;
            self.collect_places();
        }
    }

    fn names(&self, order: &KnownOrder) -> Vec<&str> {
        order.columns.iter().filter_map(|at| Some(self.columns.get(*at)?.name.as_str())).collect()
    }

    /// Read what the rows on the leaf `page` say; `None` if it has no rows of this kind of table.
    pub(crate) fn votes(&self, page: &Page<'_>, encoding: Encoding) -> Option<OrderVotes> {
        let mut votes = OrderVotes::default();
        for cell in page.cells() {
            votes.cells += 1;
            let Some(payload) = cell.ok().and_then(|cell| cell.payload) else { continue };
            let Ok(record) = Record::prefix(payload.local) else { continue };
            if record::stated_size(payload.local) != Ok(payload.len) {
                continue;
            }
            votes.rows += 1;
            *votes.widths.entry(record.columns()).or_default() += 1;
            for (place, (value, columns)) in record.values().zip(&self.at_place).enumerate() {
                if votes.values.len() <= place {
                    votes.values.push(vec![Plausibility::default(); columns.len()]);
                }
                let sums = votes.values.get_mut(place).into_iter().flatten();
                for (&at, sum) in columns.iter().zip(sums) {
                    let Some(column) = self.columns.get(at) else { continue };
                    match column.judge(value, self.rowid == Some(at), encoding) {
                        Some(likelihood) => sum.add_value(likelihood),
                        None => sum.misfits += 1,
                    }
                }
            }
        }
        let is_leaf = page.kind() == PageKind::TableLeaf && 2 * votes.rows >= votes.cells && votes.rows > 0;
        is_leaf.then_some(votes)
    }

    /// Choose the order that `votes` speak for. Of those with the same number of impossible and strange values, one that
    /// `sibling`, the columns of a sound copy, begins with is preferred. `None` if the values are of another table.
    pub(crate) fn choose(
        &self,
        votes: &OrderVotes,
        sibling: Option<&TableSchema>,
        since: SchemaVersion,
    ) -> Option<ChosenOrder> {
        let begins = |order: &KnownOrder| {
            sibling.is_some_and(|sibling| {
                let names = self.names(order);
                sibling.columns.len() <= names.len()
                    && sibling.columns.iter().zip(names).all(|(column, name)| column.name == name)
            })
        };
        let ranked = self.orders.iter().enumerate().map(|(at, order)| {
            let fit = self.fit(order, votes);
            let is_behind = order.release < since;
            ((fit.misfits, fit.strange, !begins(order), is_behind, fit.sure, fit.missing, at), fit)
        });
        let ((.., at), fit) = ranked.min_by_key(|(key, _)| *key)?;
        (2 * fit.misfits <= votes.rows).then_some(ChosenOrder { fit, at })
    }

    /// The newest release whose columns `chosen` has and rows fill.
    pub(crate) fn release(&self, chosen: ChosenOrder, votes: &OrderVotes) -> SchemaVersion {
        let filled = self.orders.get(chosen.at).map(|order| order.columns.iter().take(votes.width()));
        let since = filled.into_iter().flatten().filter_map(|at| {
            let name = &self.columns.get(*at)?.name;
            Some(self.facts.column(name)?.since)
        });
        since.max().unwrap_or(SchemaVersion::Early)
    }

    /// How well the values do in `order`.
    fn fit(&self, order: &KnownOrder, votes: &OrderVotes) -> Plausibility {
        let mut fit = Plausibility::default();
        let places = order.columns.iter().zip(&self.at_place).zip(&votes.values);
        for ((column, at_place), votes) in places {
            let at = at_place.iter().position(|known| known == column);
            if let Some(votes) = at.and_then(|at| votes.get(at)) {
                fit.add(*votes);
            }
        }
        for (&width, &rows) in &votes.widths {
            let lacking = order.columns.get(width..).unwrap_or_default();
            let is_needed = |at: &&usize| {
                self.columns.get(**at).is_some_and(|column| column.not_null && !column.has_default)
            };
            let beyond = width.saturating_sub(order.columns.len());
            fit.misfits += rows * usize::from(beyond > 0 || lacking.iter().any(|at| is_needed(&at)));
            fit.missing += rows * lacking.len();
        }
        fit
    }

    /// Return the table of the order `chosen`.
    pub(crate) fn table(&self, schemas: &Schemas, chosen: ChosenOrder) -> Option<Arc<TableSchema>> {
        let order = self.orders.get(chosen.at)?;
        let columns = self.names(order).into_iter().filter_map(|name| self.facts.column(name));
        schemas.table(&text(self.facts, columns))
    }

    /// Return the table of the order that does best as far as it goes, with columns of unknown name behind, where rows have
    /// more columns than any order: a newer Hermes wrote them. `None` if the values are strange even so.
    pub(crate) fn with_unknown(&self, schemas: &Schemas, votes: &OrderVotes) -> Option<Arc<TableSchema>> {
        let longest = self.orders.iter().map(|order| order.columns.len()).max()?;
        let more = votes.width().checked_sub(longest).filter(|more| (1..=MAX_UNKNOWN).contains(more))?;
        let mut known = votes.clone();
        known.widths = [(longest, votes.rows)].into();
        let of_longest = self.orders.iter().filter(|order| order.columns.len() == longest);
        let fits = of_longest.map(|order| (self.fit(order, &known), order));
        let (fit, order) = fits.min_by_key(|(fit, _)| *fit)?;
        let declared = self.names(order).into_iter().filter_map(|name| self.facts.column(name)).map(declared);
        let unknown = (1..=more).map(|number| format!("unknown_{}", longest + number));
        let text = schema::create_table_of(self.facts, declared.chain(unknown));
        schemas.table(&text).filter(|_| fit.misfits == 0 && fit.strange == 0)
    }
}

/// Return the `CREATE TABLE` text of a table of Hermes with these columns.
pub(crate) fn text<'c>(facts: &TableFacts, columns: impl Iterator<Item = &'c ColumnFacts>) -> String {
    schema::create_table_of(facts, columns.map(declared))
}

fn declared(column: &ColumnFacts) -> String {
    format!("{} {}", column.name, column.declaration)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "CREATE TABLE tasks (\n  id TEXT PRIMARY KEY, -- the task's id, (short)\n  title TEXT NOT NULL,\n  \
                        kind TEXT DEFAULT 'a,b)', -- one of: x, y\n  size INTEGER CHECK (size IN (1, 2)),\n  \
                        end TEXT, PRIMARY KEY (id, title), late TEXT)";

    fn remains(lost: std::ops::Range<usize>) -> (Vec<String>, Vec<String>) {
        let remains = TextRemains::read(&TEXT[..lost.start], &TEXT[lost.end..]);
        (remains.first, remains.last)
    }

    fn at(text: &str) -> usize {
        TEXT.find(text).unwrap()
    }

    #[test]
    fn remains_of_a_text_are_its_whole_definitions() {
        assert_eq!(remains(at("kind")..TEXT.len()), (vec!["id".into(), "title".into()], vec![]));
        let (first, last) = remains(at("title")..at("one of"));
        assert_eq!((first, last), (vec!["id".into()], vec!["end".into(), "late".into()]));
        let (first, last) = remains(at("NULL")..at("INTEGER"));
        assert_eq!((first, last), (vec!["id".into()], vec!["late".into()]));
    }

    #[test]
    fn remains_allow_only_orders_that_have_them() {
        let remains = TextRemains { first: vec!["a".into(), "b".into()], last: vec!["e".into()] };
        assert!(remains.allow(&["a", "b", "c", "e"]) && remains.allow(&["a", "b", "e"]));
        assert!(
            !remains.allow(&["a", "c", "b", "e"])
                && !remains.allow(&["a", "b", "c"])
                && !remains.allow(&["a"])
        );
        assert!(TextRemains::default().allow(&[]));
    }

    #[test]
    fn order_is_chosen_for_its_own_rows() {
        /// One order in so many is tried: each is compared with all.
        const SHARE: usize = 13;
        let schemas = Schemas::new().unwrap();
        for facts in hermes::TABLES {
            let known = KnownOrders::of(&schemas, facts.name).unwrap();
            assert_eq!(known.orders.len(), hermes::orders(facts).len());
            for (at, order) in known.orders.iter().enumerate().step_by(SHARE) {
                let mut votes = OrderVotes { cells: 1, rows: 1, ..OrderVotes::default() };
                votes.widths.insert(order.columns.len(), 1);
                for (own, columns) in order.columns.iter().zip(&known.at_place) {
                    let misfits = |column: &usize| usize::from(column != own);
                    let vote = |column| Plausibility { misfits: misfits(column), ..Plausibility::default() };
                    votes.values.push(columns.iter().map(vote).collect());
                }
                let chosen = known.choose(&votes, None, SchemaVersion::Early).unwrap();
                assert_eq!((chosen.at, chosen.fit.misfits), (at, 0), "{}", facts.name);
            }
        }
    }
}
