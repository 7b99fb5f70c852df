//! `board`: tasks in columns by status.

use serde::Serialize;

use super::Context;
use super::times::Times;
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::pool::Access;
use crate::store::query::{self, BoardColumn};
use crate::store::schema;
use crate::ui::{Document, Label, Lane, Lanes, Records, Report};

/// Show the board: a column for each status that has tasks, archived ones left out.
///
/// Plain record: STATUS TASK PRIORITY ASSIGNEE TITLE, and for each column: total, STATUS COUNT.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Only tasks of this profile.
    #[arg(long, value_name = "PROFILE")]
    pub assignee: Option<String>,
    /// At most N tasks in a column.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub limit: u32,
}

/// Runs the verb.
///
/// # Errors
/// What the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let mut pool = context.pool(Access::Read)?;
    let columns = pool.read(|conn| {
        schema::require_board(conn)?;
        query::columns(conn, args.assignee.as_deref(), args.limit)
    })?;
    pool.close()?;
    let none = columns.is_empty();
    let times = Times::of(context);
    context.show(&BoardView { columns, times })?;
    if none {
        context.ui.status("There is no task.");
    }
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct BoardView {
    columns: Vec<BoardColumn>,
    #[serde(skip)]
    times: Times,
}

impl Report for BoardView {
    fn kind(&self) -> &'static str {
        "board"
    }

    fn human(&self, page: &mut Document<'_>) {
        let mut lanes = Lanes::default();
        for column in &self.columns {
            let label = Label::of_status(&column.status);
            let symbol = Label::symbol_of_status(&column.status, page.ascii());
            let mut lane = Lane::new(vec![
                (label, format!("{symbol} ")),
                (Label::Heading, column.status.to_uppercase()),
                (Label::Dim, format!("  {}", column.count)),
            ]);
            for task in &column.tasks {
                let priority = task.field("priority").integer().filter(|priority| *priority != 0);
                let mut about = vec![(Label::Id, task.id())];
                let mut tell = |text: String| {
                    if !text.is_empty() {
                        about.push((Label::Dim, format!(" {text}")));
                    }
                };
                tell(self.times.age(task.field("created_at")));
                tell(priority.map(|priority| format!("p{priority}")).unwrap_or_default());
                tell(task.field("assignee").show());
                lane.line(about);
                lane.line(vec![(Label::Text, format!("  {}", task.field("title").show()))]);
            }
            let more = column.count.saturating_sub(i64::try_from(column.tasks.len()).unwrap_or(i64::MAX));
            if more > 0 {
                lane.line(vec![(Label::Dim, format!("  and {more} more"))]);
            }
            lanes.push(lane);
        }
        page.lanes(&lanes);
    }

    fn plain(&self, records: &mut Records<'_>) {
        for column in &self.columns {
            for task in &column.tasks {
                records.text(&column.status);
                for name in ["id", "priority", "assignee", "title"] {
                    records.text(&task.field(name).shown());
                }
                records.end();
            }
            records.text("total").text(&column.status).number(column.count).end();
        }
    }
}
