//! The graph of dependencies: which task waits for which, walked from the top, with its cycles.
//!
//! Not here: the SQL that changes links ([`super::link`]) and how a tree is drawn ([`crate::commands::tree`]).

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension};

use super::field::Field;
use super::link;
use crate::failure::Outcome;

/// Which way a tree is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From a task to what waits for it.
    Children,
    /// From a task to what it waits for.
    Parents,
}

/// One task of the graph. A link can name a task that is gone: it has no status.
#[derive(Clone, Debug, Default)]
pub struct GraphNode {
    /// The task's title.
    pub title: String,
    /// The task's status; `None` where only a link names it.
    pub status: Option<String>,
    /// What it waits for.
    pub parents: BTreeSet<String>,
    /// What waits for it.
    pub children: BTreeSet<String>,
}

/// Tasks that links join.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: BTreeMap<String, GraphNode>,
}

/// Why a line of an outline is not followed further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutlineMark {
    /// It is followed.
    Open,
    /// It stands further up, with everything below it.
    Repeated,
    /// It stands on the way from the top to here.
    Cycle,
}

/// One line of a tree that is written from the top.
#[derive(Clone, Debug)]
pub struct OutlineLine {
    /// The task.
    pub id: String,
    /// Steps from the top.
    pub depth: usize,
    /// True for the last of its siblings.
    pub last: bool,
    /// Whether what is below it follows.
    pub mark: OutlineMark,
}

impl Graph {
    /// Read every link of the board.
    pub fn whole(conn: &Connection) -> Outcome<Self> {
        let mut graph = Self::default();
        let mut statement = conn.prepare("SELECT parent_id, child_id FROM task_links")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (parent, child) = (row.get::<_, Field>(0)?.show(), row.get::<_, Field>(1)?.show());
            graph.join(&parent, &child);
        }
        graph.describe(conn)?;
        Ok(graph)
    }

    /// Read what can be reached from one task.
    pub fn from(conn: &Connection, id: &str, direction: Direction) -> Outcome<Self> {
        let mut graph = Self::default();
        graph.nodes.entry(id.to_owned()).or_default();
        let mut seen = BTreeSet::from([id.to_owned()]);
        let mut waiting = vec![id.to_owned()];
        while let Some(task) = waiting.pop() {
            let next = match direction {
                Direction::Children => link::children(conn, &task)?,
                Direction::Parents => link::parents(conn, &task)?,
            };
            for other in next {
                match direction {
                    Direction::Children => graph.join(&task, &other),
                    Direction::Parents => graph.join(&other, &task),
                }
                if seen.insert(other.clone()) {
                    waiting.push(other);
                }
            }
        }
        graph.describe(conn)?;
        Ok(graph)
    }

    /// Add one link.
    pub fn join(&mut self, parent: &str, child: &str) {
        self.nodes.entry(parent.to_owned()).or_default().children.insert(child.to_owned());
        self.nodes.entry(child.to_owned()).or_default().parents.insert(parent.to_owned());
    }

    /// The tasks by id.
    pub fn nodes(&self) -> &BTreeMap<String, GraphNode> {
        &self.nodes
    }

    fn describe(&mut self, conn: &Connection) -> Outcome<()> {
        let mut statement = conn.prepare("SELECT title, status FROM tasks WHERE id = ?1")?;
        for (id, node) in &mut self.nodes {
            let found = statement
                .query_row([id], |row| Ok((row.get::<_, Field>(0)?, row.get::<_, Field>(1)?)))
                .optional()?;
            if let Some((title, status)) = found {
                (node.title, node.status) = (title.show(), Some(status.show()));
            }
        }
        Ok(())
    }

    fn next(&self, id: &str, direction: Direction) -> impl DoubleEndedIterator<Item = &String> {
        let node = self.nodes.get(id);
        node.map(|node| match direction {
            Direction::Children => &node.children,
            Direction::Parents => &node.parents,
        })
        .into_iter()
        .flatten()
    }

    /// The tasks that an outline of everything begins at: those that wait for none, then one of each cycle that nothing
    /// leads into.
    pub fn tops(&self) -> Vec<String> {
        let mut tops: Vec<String> =
            self.nodes.iter().filter(|(_, node)| node.parents.is_empty()).map(|(id, _)| id.clone()).collect();
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut waiting: Vec<&str> = Vec::new();
        for id in &tops {
            let Some((id, _)) = self.nodes.get_key_value(id) else { continue };
            waiting.push(id);
        }
        let mut late = Vec::new();
        let mut rest = self.nodes.keys();
        loop {
            while let Some(id) = waiting.pop() {
                if reached.insert(id) {
                    waiting.extend(self.next(id, Direction::Children).map(String::as_str));
                }
            }
            let Some(id) = rest.by_ref().find(|id| !reached.contains(id.as_str())) else { break };
            late.push(id.clone());
            waiting.push(id);
        }
        tops.extend(late);
        tops
    }

    /// The tree below these tasks, each task followed once.
    pub fn outline(&self, tops: &[String], direction: Direction) -> Vec<OutlineLine> {
        let mut lines = Vec::new();
        let mut done: BTreeSet<&str> = BTreeSet::new();
        let mut path: Vec<&str> = Vec::new();
        let mut on_path: BTreeSet<&str> = BTreeSet::new();
        let count = tops.len();
        let known = |id: &String| self.nodes.get_key_value(id).map(|(id, _)| id.as_str());
        let mut stack: Vec<(&str, usize, bool)> = tops
            .iter()
            .enumerate()
            .rev()
            .filter_map(|(at, id)| known(id).map(|id| (id, 0, at + 1 == count)))
            .collect();
        while let Some((id, depth, last)) = stack.pop() {
            while path.len() > depth {
                if let Some(left) = path.pop() {
                    on_path.remove(left);
                }
            }
            let below: Vec<&String> = self.next(id, direction).collect();
            let mark = if on_path.contains(id) {
                OutlineMark::Cycle
            } else if done.contains(id) && !below.is_empty() {
                OutlineMark::Repeated
            } else {
                OutlineMark::Open
            };
            lines.push(OutlineLine { id: id.to_owned(), depth, last, mark });
            if mark != OutlineMark::Open {
                continue;
            }
            done.insert(id);
            path.push(id);
            on_path.insert(id);
            let width = below.len();
            for (at, child) in below.into_iter().enumerate().rev() {
                stack.push((child, depth + 1, at + 1 == width));
            }
        }
        lines
    }

    /// The tasks of each cycle, by id: none of them can ever become ready.
    pub fn cycles(&self) -> Vec<Vec<String>> {
        let order = self.finished(Direction::Children);
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut cycles = Vec::new();
        for start in order.into_iter().rev() {
            if !seen.insert(start) {
                continue;
            }
            let mut members = vec![start.to_owned()];
            let mut waiting = vec![start];
            while let Some(id) = waiting.pop() {
                for parent in self.next(id, Direction::Parents) {
                    if seen.insert(parent) {
                        members.push(parent.clone());
                        waiting.push(parent);
                    }
                }
            }
            if members.len() > 1 || self.next(start, Direction::Children).any(|child| child == start) {
                members.sort();
                cycles.push(members);
            }
        }
        cycles.sort();
        cycles
    }

    /// The tasks in the order in which a depth-first walk leaves them (Kosaraju's first pass).
    fn finished(&self, direction: Direction) -> Vec<&str> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut order = Vec::with_capacity(self.nodes.len());
        for start in self.nodes.keys() {
            if !seen.insert(start) {
                continue;
            }
            let mut stack = vec![(start.as_str(), self.next(start, direction))];
            while let Some((id, rest)) = stack.last_mut() {
                if let Some(next) = rest.find(|next| !seen.contains(next.as_str())) {
                    seen.insert(next);
                    stack.push((next, self.next(next, direction)));
                } else {
                    order.push(*id);
                    stack.pop();
                }
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(links: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (parent, child) in links {
            graph.join(parent, child);
        }
        graph
    }

    fn drawn(graph: &Graph) -> String {
        let lines = graph.outline(&graph.tops(), Direction::Children);
        let marked = |line: &OutlineLine| match line.mark {
            OutlineMark::Open => "",
            OutlineMark::Repeated => "^",
            OutlineMark::Cycle => "@",
        };
        lines
            .iter()
            .fold(String::new(), |text, line| text + &format!("{}{}{} ", line.depth, line.id, marked(line)))
    }

    #[test]
    fn task_with_two_parents_is_followed_once() {
        let graph = graph(&[("a", "c"), ("b", "c"), ("c", "d")]);
        assert_eq!(drawn(&graph), "0a 1c 2d 0b 1c^ ");
        assert_eq!(graph.cycles(), Vec::<Vec<String>>::new());
    }

    #[test]
    fn cycles_are_found_and_end_the_walk() {
        let graph = graph(&[("a", "b"), ("b", "c"), ("c", "b"), ("x", "x"), ("p", "q"), ("q", "p")]);
        assert_eq!(drawn(&graph), "0a 1b 2c 3b@ 0p 1q 2p@ 0x 1x@ ");
        assert_eq!(graph.cycles(), [vec!["b", "c"], vec!["p", "q"], vec!["x"]]);
    }

    #[test]
    fn long_chain_is_walked_without_recursion() {
        let mut long = Graph::default();
        for step in 0..50_000 {
            long.join(&format!("{step:06}"), &format!("{:06}", step + 1));
        }
        assert_eq!(long.outline(&long.tops(), Direction::Children).len(), 50_001);
        assert!(long.cycles().is_empty());
    }
}
