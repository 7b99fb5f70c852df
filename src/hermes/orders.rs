//! The orders of columns that Hermes' tables have on disk, by release, fresh and migrated.
//!
//! A record names no columns. Where the `CREATE TABLE` text is lost, the order decides which value is which.

use std::collections::HashSet;

use serde::{Serialize, Serializer};

use super::tables::{ColumnFacts, TableFacts};

/// A range of Hermes' releases that share one schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaVersion {
    /// Before 0.13.
    Early,
    /// 0.13 and 0.14.
    V0_13,
    /// 0.15.
    V0_15,
    /// 0.16 and 0.17.
    V0_16,
    /// 0.18 and 0.19.
    V0_18,
    /// 0.20.
    V0_20,
    /// 0.22.
    V0_22,
}

impl SchemaVersion {
    /// The releases whose `CREATE TABLE` texts are known, oldest first.
    pub const ALL: [Self; 6] = [Self::V0_13, Self::V0_15, Self::V0_16, Self::V0_18, Self::V0_20, Self::V0_22];

    /// The release whose schema a new board gets.
    pub const CREATED: Self = Self::V0_18;

    /// Return the versions as Hermes numbers them.
    pub fn label(self) -> &'static str {
        match self {
            Self::Early => "before 0.13",
            Self::V0_13 => "0.13 to 0.14",
            Self::V0_15 => "0.15",
            Self::V0_16 => "0.16 to 0.17",
            Self::V0_18 => "0.18 to 0.19",
            Self::V0_20 => "0.20.1",
            Self::V0_22 => "0.22.2",
        }
    }
}

impl Serialize for SchemaVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.label())
    }
}

/// A list of columns as a table has them on disk.
type Order = Vec<&'static ColumnFacts>;

/// Return every order of columns that `table` can have: that of [`SchemaVersion::CREATED`] first, then those of fewer
/// migrations before those of more.
pub fn orders(table: &'static TableFacts) -> Vec<Vec<&'static ColumnFacts>> {
    let mut found: Vec<Order> = Vec::new();
    let mut known: HashSet<Vec<&str>> = HashSet::new();
    let mut add = |found: &mut Vec<Order>, order: Order| {
        if known.insert(order.iter().map(|column| column.name).collect()) {
            found.push(order);
        }
    };
    add(&mut found, table.created(SchemaVersion::CREATED).collect());
    for release in SchemaVersion::ALL.into_iter().rev() {
        add(&mut found, table.created(release).collect());
    }
    let mut at = 0;
    let mut early = early(table);
    loop {
        while let Some(order) = found.get(at).cloned() {
            for release in SchemaVersion::ALL.into_iter().rev() {
                add(&mut found, migrated(table, &order, release));
            }
            at += 1;
        }
        if early.is_empty() {
            return found;
        }
        // Boards from before 0.13 are rare: their orders stand behind all others.
        for order in std::mem::take(&mut early) {
            add(&mut found, order);
        }
    }
}

/// Return the order of a table of these columns after `release` has opened the board.
fn migrated(table: &'static TableFacts, order: &Order, release: SchemaVersion) -> Order {
    let is_lacking = |column: &&ColumnFacts| {
        column.since <= release && !order.iter().any(|known| known.name == column.name)
    };
    let appended = table.appended.iter().filter_map(|name| table.column(name)).filter(is_lacking);
    order.iter().copied().chain(appended).collect()
}

/// Return the orders that tables had before 0.13. The columns that 0.13 appends joined the `CREATE TABLE` text one after
/// the other; `result` was there early.
fn early(table: &'static TableFacts) -> Vec<Order> {
    let is_base = |column: &&ColumnFacts| table.is_base(column.name);
    let is_old = |name: &&str| table.column(name).is_some_and(|column| column.since <= SchemaVersion::V0_13);
    let appended: Vec<&str> = table.appended.iter().copied().filter(is_old).collect();
    let mut orders = Vec::new();
    let prefixes = (0..appended.len()).rev().map(|end| appended.get(..end).unwrap_or_default().to_vec());
    for there in prefixes.chain([vec!["result"]]) {
        let created: Order = table
            .created(SchemaVersion::V0_13)
            .filter(|column| is_base(column) || there.contains(&column.name))
            .collect();
        if !table.dropped.is_empty() {
            orders.push(created.iter().copied().chain(table.dropped).collect());
        }
        orders.push(created);
    }
    orders
}

#[cfg(test)]
mod tests {
    use super::super::{TABLES, table};
    use super::*;

    /// The orders on disk of boards that the releases made and migrated, one a line: table, columns.
    const RECORDED: &str = include_str!("recorded_orders.txt");

    fn names(order: &Order) -> Vec<&'static str> {
        order.iter().map(|column| column.name).collect()
    }

    #[test]
    fn recorded_orders_are_among_the_known() {
        let mut counts = Vec::new();
        for facts in TABLES {
            let all: HashSet<_> = orders(facts).iter().map(names).collect();
            let recorded = RECORDED.lines().filter_map(|line| line.strip_prefix(&format!("{} ", facts.name)));
            for line in recorded.clone() {
                assert!(all.contains(&line.split(' ').collect::<Vec<_>>()), "{}: {line}", facts.name);
            }
            counts.push((facts.name, recorded.count()));
        }
        assert_eq!(counts.first(), Some(&("tasks", 82)));
        assert_eq!(counts.iter().map(|(_, count)| count).sum::<usize>(), RECORDED.lines().count());
    }

    #[test]
    fn chain_of_migrations_appends_in_the_order_of_each_release() {
        let subs = table("kanban_notify_subs").unwrap();
        let fresh: Order = subs.created(SchemaVersion::V0_18).collect();
        let first = migrated(subs, &fresh, SchemaVersion::V0_20);
        let both = migrated(subs, &first, SchemaVersion::V0_22);
        let end = ["delivery_mode", "chat_type", "user_id_alt", "delivery_metadata", "last_ping_event_id"];
        assert_eq!(names(&both)[fresh.len()..], end);
        assert_eq!(migrated(subs, &both, SchemaVersion::V0_13), both);
        assert!(orders(subs).contains(&both));
    }

    #[test]
    fn every_order_is_different() {
        for facts in TABLES {
            let all = orders(facts);
            assert_eq!(all.iter().map(names).collect::<HashSet<_>>().len(), all.len());
            assert_eq!(names(&all[0]), names(&facts.created(SchemaVersion::CREATED).collect()));
        }
    }
}
