//! `subscriptions`: which chats get news of a task.

use serde::Serialize;

use super::Context;
use super::bulk::{self, BulkOptions, BulkTargets, BulkVerb, NoKeys, UndoCommand};
use super::times::{Times, utc};
use crate::failure::exit::Exit;
use crate::failure::hint::quoted;
use crate::failure::{Failure, Outcome};
use crate::pool::Access;
use crate::store::subscription::{self, Subscriber, Subscription};
use crate::store::{schema, task};
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// List, add and remove subscriptions of chats to tasks.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: SubscriptionsVerb,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum SubscriptionsVerb {
    #[command(visible_alias = "ls")]
    List(ListArgs),
    Add(AddArgs),
    #[command(visible_alias = "rm")]
    Remove(RemoveArgs),
}

/// List the subscriptions of one task, or of all.
///
/// Plain record: TASK PLATFORM CHAT THREAD USER PROFILE CREATED LAST-EVENT.
#[derive(Clone, Debug, clap::Args)]
pub struct ListArgs {
    /// Id, or a unique beginning of one.
    pub id: Option<String>,
}

/// The chat that gets the news.
#[derive(Clone, Debug, clap::Args)]
pub struct ChatOptions {
    /// The kind of chat, such as telegram.
    #[arg(long)]
    platform: String,
    /// The chat.
    #[arg(long, value_name = "ID")]
    chat_id: String,
    /// The thread in it.
    #[arg(long, value_name = "ID", default_value = "")]
    thread_id: String,
}

/// Tell a chat what happens to tasks.
#[derive(Clone, Debug, clap::Args)]
pub struct AddArgs {
    /// Ids, or unique beginnings of them.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    chat: ChatOptions,
    /// Who asks.
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// The same by another name of that platform (boards of Hermes 0.20 and later).
    #[arg(long, value_name = "ID")]
    user_id_alt: Option<String>,
    /// What the chat is (boards of Hermes 0.20 and later).
    #[arg(long, value_name = "TYPE", value_parser = ["dm", "group", "channel", "thread"])]
    chat_type: Option<String>,
    /// The profile whose gateway sends the messages [default: the own profile].
    #[arg(long, value_name = "PROFILE")]
    notifier_profile: Option<String>,
    /// What happens with a message (boards of Hermes 0.20 and later).
    #[arg(long, value_name = "MODE", value_parser = ["notify", "notify+wake", "wake"])]
    delivery_mode: Option<String>,
    #[command(flatten)]
    bulk: BulkOptions,
}

/// Tell a chat no longer what happens to tasks.
#[derive(Clone, Debug, clap::Args)]
pub struct RemoveArgs {
    /// Ids, or unique beginnings of them.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    chat: ChatOptions,
    #[command(flatten)]
    bulk: BulkOptions,
}

impl ChatOptions {
    fn subscriber(&self) -> Subscriber {
        Subscriber {
            platform: self.platform.clone(),
            chat_id: self.chat_id.clone(),
            thread_id: self.thread_id.clone(),
            ..Subscriber::default()
        }
    }

    /// The options as they are typed.
    fn typed(&self) -> String {
        let thread = if self.thread_id.is_empty() {
            String::new()
        } else {
            format!(" --thread-id={}", quoted(&self.thread_id))
        };
        format!("--platform={} --chat-id={}{thread}", quoted(&self.platform), quoted(&self.chat_id))
    }
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown task or subscription, and what the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    match &args.verb {
        SubscriptionsVerb::List(args) => list(context, args),
        SubscriptionsVerb::Add(args) => add(context, args),
        SubscriptionsVerb::Remove(args) => remove(context, args),
    }
}

/// `subscriptions list`, and Hermes' `notify-list`.
pub(super) fn list(context: &mut Context<'_>, args: &ListArgs) -> Outcome<Exit> {
    let mut pool = context.pool(Access::Read)?;
    let subscriptions = pool.read(|conn| {
        schema::require_board(conn)?;
        let id = args.id.as_deref().map(|typed| task::resolve(conn, typed)).transpose()?;
        subscription::list(conn, id.as_deref())
    })?;
    pool.close()?;
    let (none, times) = (subscriptions.is_empty(), Times::of(context));
    context.ui.emit(&SubscriptionList { subscriptions, times })?;
    if none {
        context.ui.status("There is no subscription.");
    }
    Ok(Exit::Ok)
}

const ADD: BulkVerb = BulkVerb {
    name: "subscriptions add",
    past: "subscribed to",
    record: "subscription.add",
    list: "subscription.add.list",
    irrevocable: false,
};

const REMOVE: BulkVerb = BulkVerb {
    name: "subscriptions remove",
    past: "unsubscribed from",
    record: "subscription.remove",
    list: "subscription.remove.list",
    irrevocable: false,
};

/// `subscriptions add`, and Hermes' `notify-subscribe`.
pub(super) fn add(context: &mut Context<'_>, args: &AddArgs) -> Outcome<Exit> {
    let who = Subscriber {
        user_id: args.user_id.clone(),
        user_id_alt: args.user_id_alt.clone(),
        chat_type: args.chat_type.clone(),
        notifier_profile: args.notifier_profile.clone().unwrap_or_else(|| context.own_profile()),
        delivery_mode: args.delivery_mode.clone(),
        ..args.chat.subscriber()
    };
    let targets = BulkTargets::<NoKeys>::read(context, &args.ids, &args.bulk)?;
    bulk::change(context, ADD, targets, |writer, id, _| {
        let new = subscription::add(writer, id, &who)?;
        let undo = new.then(|| UndoCommand::of(format!("subscriptions remove {}", args.chat.typed())));
        Ok((writer.changed(id)?, undo))
    })
}

/// `subscriptions remove`, and Hermes' `notify-unsubscribe`.
pub(super) fn remove(context: &mut Context<'_>, args: &RemoveArgs) -> Outcome<Exit> {
    let who = args.chat.subscriber();
    let targets = BulkTargets::<NoKeys>::read(context, &args.ids, &args.bulk)?;
    bulk::change(context, REMOVE, targets, |writer, id, _| {
        if !subscription::remove(writer, id, &who)? {
            return Err(Failure::not_found(format!("that chat has no subscription to {id}."))
                .hint("`kanbanctl subscriptions list` shows those there are.")
                .into());
        }
        // The place up to which it was told is gone with the row.
        Ok((writer.changed(id)?, None))
    })
}

#[derive(Serialize)]
#[serde(transparent)]
struct SubscriptionList {
    subscriptions: Vec<Subscription>,
    #[serde(skip)]
    times: Times,
}

impl Report for SubscriptionList {
    fn kind(&self) -> &'static str {
        "subscription.list"
    }

    fn record_kind(&self) -> &'static str {
        "subscription"
    }

    fn human(&self, page: &mut Document<'_>) {
        let mut table = TextTable::new([
            TextColumn::fixed("TASK"),
            TextColumn::text("PLATFORM"),
            TextColumn::text("CHAT"),
            TextColumn::text("THREAD").priority(3),
            TextColumn::text("PROFILE").priority(2),
            TextColumn::fixed("SINCE").priority(4),
            TextColumn::fixed("TOLD UP TO").right().priority(1),
        ]);
        for one in &self.subscriptions {
            table.row([
                (Label::Id, one.task_id.show()),
                (Label::Text, one.platform.show()),
                (Label::Text, one.chat_id.show()),
                (Label::Text, one.thread_id.show()),
                (Label::Text, one.notifier_profile.show()),
                (Label::Dim, self.times.show(&one.created_at)),
                (Label::Dim, one.last_event_id.show()),
            ]);
        }
        page.table(&table);
    }

    fn plain(&self, records: &mut Records<'_>) {
        for one in &self.subscriptions {
            records.record(&[
                &one.task_id.show(),
                &one.platform.show(),
                &one.chat_id.show(),
                &one.thread_id.show(),
                &one.user_id.show(),
                &one.notifier_profile.show(),
                &utc(&one.created_at),
                &one.last_event_id.show(),
            ]);
        }
    }
}
