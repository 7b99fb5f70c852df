//! `search`: tasks by what stands in them.

use serde::Serialize;

use super::Context;
use super::times::Times;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::Access;
use crate::store::field::Field;
use crate::store::schema;
use crate::store::search::{self, SearchHit, SearchPlace};
use crate::ui::{Document, Label, Records, Report};

/// Find text in titles, bodies, results, comments, summaries and errors, without regard to case; newest tasks first.
///
/// Plain record: TASK STATUS ASSIGNEE FIELD ROW EXCERPT TITLE, one for each place; the row is the number of a comment or
/// a run, or empty.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The text; several words are one text with a space between them.
    #[arg(required = true, value_name = "TEXT")]
    pub text: Vec<String>,
    /// Archived tasks too.
    #[arg(long)]
    pub archived: bool,
    /// At most N tasks.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 2 for an empty text, and what the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let text = args.text.join(" ");
    if text.is_empty() {
        return Err(Failure::usage("an empty text is in every task.").hint("`kanbanctl list` shows them."));
    }
    let mut pool = context.pool(Access::Read)?;
    let hits = pool.read(|conn| {
        schema::require_board(conn)?;
        search::search(conn, &text, args.archived, args.limit)
    })?;
    pool.close()?;
    let (count, times) = (hits.len() as u64, Times::of(context));
    context.ui.emit(&Found { hits: hits.iter().map(FoundTask::of).collect(), times })?;
    let found = crate::failure::count::counted(count, "task has it", "tasks have it");
    context.ui.status(format_args!("{found}."));
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct FoundTask<'a> {
    id: &'a str,
    title: Field,
    status: Field,
    assignee: Field,
    created_at: Field,
    places: &'a [SearchPlace],
}

impl<'a> FoundTask<'a> {
    fn of(hit: &'a SearchHit) -> Self {
        let field = |name| hit.task.as_ref().map_or(Field::Null, |task| task.field(name).clone());
        Self {
            id: &hit.id,
            title: field("title"),
            status: field("status"),
            assignee: field("assignee"),
            created_at: field("created_at"),
            places: &hit.places,
        }
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Found<'a> {
    hits: Vec<FoundTask<'a>>,
    #[serde(skip)]
    times: Times,
}

impl Report for Found<'_> {
    fn kind(&self) -> &'static str {
        "search"
    }

    fn record_kind(&self) -> &'static str {
        "search.hit"
    }

    fn human(&self, page: &mut Document<'_>) {
        for hit in &self.hits {
            let status = hit.status.show();
            let about = format!("  {}  {}", hit.assignee.show(), self.times.show(&hit.created_at));
            page.cut_spans(&[
                (Label::Id, hit.id),
                (Label::Text, "  "),
                (Label::of_status(&status), &status),
                (Label::Dim, &about),
                (Label::Text, "  "),
                (Label::Heading, &hit.title.show()),
            ]);
            for place in hit.places.iter().filter(|place| place.field != "title") {
                let row = place.row.map(|row| format!(" {row}")).unwrap_or_default();
                page.cut_spans(&[
                    (Label::Dim, &format!("    {}{row}: ", place.field)),
                    (Label::Text, &place.excerpt),
                ]);
            }
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for hit in &self.hits {
            for place in hit.places {
                records
                    .text(hit.id)
                    .text(&hit.status.show())
                    .text(&hit.assignee.show())
                    .text(place.field)
                    .optional_number(place.row)
                    .text(&place.excerpt)
                    .text(&hit.title.show())
                    .end();
            }
        }
    }
}
