//! `set-model`: the model that a task's next worker uses.

use serde_json::json;

use crate::failure::Failure;
use crate::store::text;
use crate::store::writer::{Refusal, TaskChange, TaskWriter};

/// Set model and provider of a task, or clear both.
///
/// # Errors
/// Exit 14 for an archived task, 12 for a board without the columns, 2 for a provider without a model.
pub fn set_model(
    writer: &TaskWriter<'_>,
    id: &str,
    model: Option<&str>,
    provider: Option<&str>,
) -> Result<TaskChange, Refusal> {
    let stripped =
        |given: Option<&str>| given.map(text::strip).filter(|given| !given.is_empty()).map(str::to_owned);
    let (model, provider) = (stripped(model), stripped(provider));
    if provider.is_some() && model.is_none() {
        return Err(Failure::usage("a provider needs a model.").into());
    }
    let before = writer.task(id)?;
    if before.field("status").text() == Some("archived") {
        return Err(Failure::conflict(format!("task {id} is archived: no worker will take it.")).into());
    }
    if !writer.has("provider_override") {
        return Err(Failure::refused(format!("{} does not know a task's provider.", writer.version()))
            .hint("A newer Hermes adds the column when it opens the board.")
            .into());
    }
    writer.set(id, &[("model_override", &model), ("provider_override", &provider)])?;
    let payload = json!({ "model": model, "provider": provider });
    writer.event(id, "model_override_set", Some(&payload), None)?;
    let mut change = writer.changed(id)?;
    for (key, column) in [("former_model", "model_override"), ("former_provider", "provider_override")] {
        change.details.insert(key.to_owned(), json!(before.field(column)));
    }
    Ok(change)
}
