//! The pull request that a task's contract asks for, as Hermes 0.22.2 keeps it.
//!
//! Hermes asks GitHub whether the checks of the pull request have passed. This tool asks no network, so it never has that
//! evidence: it refuses, and records the same receipt as a Hermes that cannot reach GitHub.

use serde_json::{Value, json};

use super::run;
use super::task::Task;
use super::writer::{Refusal, TaskWriter};
use crate::failure::{Failure, Outcome};

/// The contract of a task that needs no pull request.
pub const LOCAL_ONLY: &str = "local-only";

const RECOVERY: &str = "Fix required failures, rerun infrastructure checks or wait, then retry completion. \
                        Use kanban_block if human input is needed; receipts remain on the task event log.";
const MISSING: &str = "Supply metadata.published_pr matching the persisted completion contract.";
const UNAVAILABLE: &str =
    "GitHub acceptance evidence unavailable or incomplete; check gh authentication/API access and retry.";

/// Check a contract: `local-only`, `OWNER/REPO`, or the address of a pull request on GitHub.
///
/// # Errors
/// Exit 2.
pub fn validate(contract: &str) -> Outcome<()> {
    if contract == LOCAL_ONLY || is_repository(contract) || repository_of(contract).is_some() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "the completion contract {contract:?} is none of local-only, OWNER/REPO and a pull request's address on GitHub."
    )))
}

/// Return the contract that a task must meet; nothing where it needs no pull request.
pub fn contract(task: &Task) -> Option<&str> {
    task.field("completion_contract")
        .text()
        .filter(|contract| !contract.is_empty() && *contract != LOCAL_ONLY)
}

/// Return the refusal, with the receipt that Hermes would record without GitHub. A published pull request of the right
/// repository becomes the contract first.
pub fn refusal(
    writer: &TaskWriter<'_>,
    task: &Task,
    id: &str,
    contract: &str,
    metadata: Option<&Value>,
) -> Refusal {
    let published = metadata.and_then(|metadata| metadata.get("published_pr"));
    let published_text = published.and_then(Value::as_str);
    let binds = published_text.filter(|address| repository_of(address) == Some(contract)).map(str::to_owned);
    let contract = binds.clone().unwrap_or_else(|| contract.to_owned());
    let declared = repository_of(&contract).is_some();
    let meets = if declared {
        published_text.is_none_or(|address| address == contract)
    } else {
        published_text.and_then(repository_of) == Some(contract.as_str())
    };
    let (classification, detail, address) = if meets {
        ("infra", UNAVAILABLE, if declared { json!(contract) } else { json!(published) })
    } else {
        ("missing", MISSING, json!(published))
    };
    let receipt = json!({
        "ok": false,
        "classification": classification,
        "head_sha": null,
        "pr_url": address,
        "checks": [],
        "recovery": RECOVERY,
        "detail": detail,
    });
    let error = format!("PR acceptance {classification}: {detail} {RECOVERY}");
    let open = run::current(writer.conn(), writer.schema(), id).unwrap_or_default();
    let failure = Failure::conflict(format!(
        "task {id} ends only when the pull request of its contract ({contract}) is accepted, and kanbanctl does not ask GitHub."
    ))
    .hint(format!(
        "Let Hermes ask: `hermes kanban complete {} --metadata '{{\"published_pr\": \"ADDRESS\"}}'`.",
        crate::failure::hint::quoted(id)
    ));
    let task = task.id();
    Refusal::recorded(failure, move |writer| {
        if let Some(address) = binds {
            writer.set(&task, &[("completion_contract", &address)])?;
        }
        writer.event(&task, "pr_acceptance", Some(&receipt), open)?;
        writer.set(&task, &[("last_failure_error", &error)])
    })
}

fn is_repository(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    };
    text.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name))
}

/// Return the repository of a pull request's address; nothing where the text is none.
fn repository_of(address: &str) -> Option<&str> {
    let (repository, number) = address.strip_prefix("https://github.com/")?.split_once("/pull/")?;
    let is_number =
        !number.starts_with('0') && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && is_repository(repository)).then_some(repository)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contracts_are_read_as_hermes_reads_them() {
        for good in ["local-only", "a/b", "A_1/b.c-d", "https://github.com/a/b/pull/12"] {
            validate(good).unwrap();
        }
        for bad in
            ["", "a", "a/b/c", "a b/c", "https://github.com/a/b/pull/0", "https://github.com/a/b/pull/1x"]
        {
            assert!(validate(bad).is_err(), "{bad}");
        }
    }
}
