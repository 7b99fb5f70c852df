//! `tree`: which task waits for which.

use std::fmt::Write as _;

use serde::Serialize;

use super::Context;
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::pool::Access;
use crate::store::graph::{Direction, Graph, GraphNode, OutlineLine, OutlineMark};
use crate::store::{schema, task};
use crate::ui::{Document, Label, Records, Report};

/// Levels that are drawn by indentation; what is deeper has its level in numbers.
const MAX_DRAWN_DEPTH: usize = 24;

/// Show what waits for what, from the top, and name cycles.
///
/// Below each task stand the tasks that wait for it; with --parents those that it waits for. Without an id all tasks with
/// links are shown. A task that stands further up already is not followed again.
///
/// Plain record: DEPTH TASK STATUS MARK TITLE, with repeated, cycle, missing or - for the mark.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Only from this task: its id, or a unique beginning of one.
    pub id: Option<String>,
    /// The other way: what the task waits for.
    #[arg(long, requires = "id")]
    pub parents: bool,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown task, 14 for an ambiguous beginning, and what the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let direction = if args.parents { Direction::Parents } else { Direction::Children };
    let mut pool = context.pool(Access::Read)?;
    let (graph, tops) = pool.read(|conn| {
        schema::require_board(conn)?;
        let Some(typed) = &args.id else {
            let graph = Graph::whole(conn)?;
            let tops = graph.tops();
            return Ok((graph, tops));
        };
        let id = task::resolve(conn, typed)?;
        Ok((Graph::from(conn, &id, direction)?, vec![id]))
    })?;
    pool.close()?;
    let lines = graph.outline(&tops, direction);
    let cycles = graph.cycles();
    let none = lines.is_empty();
    context.ui.emit(&TaskTree { graph: &graph, lines: &lines, cycles: &cycles })?;
    if none {
        context.ui.status("No task waits for another.");
    }
    for cycle in &cycles {
        context.ui.warning(format_args!("{} wait for each other and never become ready.", cycle.join(", ")));
        if let [parent, ..] = cycle.as_slice()
            && let Some(child) =
                graph.nodes().get(parent).and_then(|node| node.children.iter().find(|id| cycle.contains(id)))
        {
            context.hint(format_args!("`kanbanctl unlink {parent} {child}` ends one of the waits."));
        }
    }
    Ok(Exit::Ok)
}

struct TaskTree<'a> {
    graph: &'a Graph,
    lines: &'a [OutlineLine],
    cycles: &'a [Vec<String>],
}

#[derive(Serialize)]
struct TreeNode<'a> {
    id: &'a str,
    depth: usize,
    title: &'a str,
    status: Option<&'a str>,
    mark: &'static str,
    parents: Vec<&'a str>,
    children: Vec<&'a str>,
}

impl Serialize for TaskTree<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let nodes: Vec<TreeNode<'_>> = self.nodes().collect();
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("nodes", &nodes)?;
        map.serialize_entry("cycles", self.cycles)?;
        map.end()
    }
}

impl<'a> TaskTree<'a> {
    fn nodes(&self) -> impl Iterator<Item = TreeNode<'a>> {
        let of = |line: &'a OutlineLine, node: &'a GraphNode| TreeNode {
            id: &line.id,
            depth: line.depth,
            title: &node.title,
            status: node.status.as_deref(),
            mark: match (line.mark, &node.status) {
                (OutlineMark::Cycle, _) => "cycle",
                (OutlineMark::Repeated, _) => "repeated",
                (OutlineMark::Open, None) => "missing",
                (OutlineMark::Open, Some(_)) => "-",
            },
            parents: node.parents.iter().map(String::as_str).collect(),
            children: node.children.iter().map(String::as_str).collect(),
        };
        let graph = self.graph;
        self.lines.iter().filter_map(move |line| graph.nodes().get(&line.id).map(|node| of(line, node)))
    }
}

impl Report for TaskTree<'_> {
    fn kind(&self) -> &'static str {
        "tree"
    }

    fn human(&self, page: &mut Document<'_>) {
        let (bar, branch, corner) =
            if page.ascii() { ("|  ", "|- ", "`- ") } else { ("│  ", "├─ ", "└─ ") };
        // True where a sibling of that level follows further down.
        let mut open: Vec<bool> = Vec::new();
        for (line, node) in self.lines.iter().zip(self.nodes()) {
            open.truncate(line.depth);
            let mut guides = String::new();
            if line.depth <= MAX_DRAWN_DEPTH {
                for level in open.iter().skip(1) {
                    guides.push_str(if *level { bar } else { "   " });
                }
                if line.depth > 0 {
                    guides.push_str(if line.last { corner } else { branch });
                }
            } else {
                // Writing to a String cannot fail.
                let _ = write!(guides, "{}{} ", bar.repeat(MAX_DRAWN_DEPTH), line.depth);
            }
            open.push(!line.last);
            let status = node.status.unwrap_or("missing");
            let symbol = Label::symbol_of_status(status, page.ascii());
            let mark = match node.mark {
                "repeated" => "  (see above)",
                "cycle" => "  (cycle)",
                _ => "",
            };
            page.cut_spans(&[
                (Label::Dim, &guides),
                (Label::of_status(status), symbol),
                (Label::Text, " "),
                (Label::Id, node.id),
                (Label::Text, "  "),
                (Label::of_status(status), status),
                (Label::Warning, mark),
                (Label::Text, "  "),
                (Label::Text, node.title),
            ]);
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for node in self.nodes() {
            let depth = i64::try_from(node.depth).unwrap_or(i64::MAX);
            let status = node.status.unwrap_or_default();
            records.number(depth).text(node.id).text(status).text(node.mark).text(node.title).end();
        }
    }
}
