//! `assignees`: who has tasks, and who could have some.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Context;
use crate::board::{location, profiles};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::pool::Access;
use crate::store::{query, schema};
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// List the profiles that have tasks or are configured, with their tasks by status.
///
/// Archived tasks are left out. Plain record: NAME PROFILE STATUS COUNT, with on-disk or - for the second; a profile
/// without tasks has - and 0 for the last two.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {}

/// Runs the verb.
///
/// # Errors
/// What the pool says.
pub fn run(context: &mut Context<'_>, _args: &Args) -> Outcome<Exit> {
    let mut pool = context.pool(Access::Read)?;
    let counts = pool.read(|conn| {
        schema::require_board(conn)?;
        query::counts_by_assignee(conn)
    })?;
    pool.close()?;
    let on_disk = location::hermes_root(context.env).map(|root| profiles::on_disk(&root)).unwrap_or_default();
    let mut names: Vec<&String> = counts.keys().chain(&on_disk).collect();
    names.sort();
    names.dedup();
    let entry = |name: &String| Assignee {
        name: name.clone(),
        on_disk: on_disk.contains(name),
        counts: counts.get(name).cloned().unwrap_or_default(),
    };
    context.ui.emit(&Assignees(names.into_iter().map(entry).collect()))?;
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct Assignee {
    name: String,
    on_disk: bool,
    counts: BTreeMap<String, i64>,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Assignees(Vec<Assignee>);

impl Report for Assignees {
    fn kind(&self) -> &'static str {
        "assignee.list"
    }

    fn record_kind(&self) -> &'static str {
        "assignee"
    }

    fn human(&self, page: &mut Document<'_>) {
        let mut table = TextTable::new([
            TextColumn::text("NAME"),
            TextColumn::fixed("PROFILE"),
            TextColumn::fixed("TASKS").right(),
            TextColumn::text("BY STATUS"),
        ]);
        for one in &self.0 {
            let by_status: Vec<String> =
                one.counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
            let (label, found) = if one.on_disk { (Label::Good, "yes") } else { (Label::Warning, "missing") };
            table.row([
                (Label::Id, one.name.clone()),
                (label, found.to_owned()),
                (Label::Text, one.counts.values().sum::<i64>().to_string()),
                (Label::Dim, by_status.join(", ")),
            ]);
        }
        page.table(&table);
    }

    fn plain(&self, records: &mut Records<'_>) {
        for one in &self.0 {
            let profile = if one.on_disk { "on-disk" } else { "-" };
            if one.counts.is_empty() {
                records.record(&[&one.name, profile, "-", "0"]);
            }
            for (status, count) in &one.counts {
                records.text(&one.name).text(profile).text(status).number(*count).end();
            }
        }
    }
}
