//! `attach` and `attach-rm`: rows of attachments. The files are the caller's.

use serde_json::json;

use crate::failure::Failure;
use crate::store::attachment::{self, Attachment};
use crate::store::writer::{Refusal, TaskChange, TaskWriter};

/// A file that has been stored.
#[derive(Clone, Debug)]
pub struct StoredFile {
    /// The name under which it is shown.
    pub filename: String,
    /// Where it lies.
    pub path: String,
    /// Its type, as far as the name tells.
    pub content_type: Option<String>,
    /// Bytes.
    pub size: i64,
    /// Who adds it.
    pub by: String,
}

/// Record a stored file.
///
/// # Errors
/// What SQLite says.
pub fn attach(writer: &TaskWriter<'_>, id: &str, file: &StoredFile) -> Result<TaskChange, Refusal> {
    writer
        .conn()
        .prepare_cached(
            "INSERT INTO task_attachments (task_id, filename, stored_path, content_type, size, uploaded_by, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(rusqlite::params![
            id,
            file.filename,
            file.path,
            file.content_type,
            file.size,
            file.by,
            writer.now()
        ])?;
    let number = writer.conn().last_insert_rowid();
    let payload = json!({ "filename": file.filename, "size": file.size, "by": file.by });
    writer.event(id, "attached", Some(&payload), None)?;
    let mut change = writer.changed(id)?;
    change.details.insert("attachment".to_owned(), json!(number));
    change.details.insert("stored_path".to_owned(), json!(file.path));
    Ok(change)
}

/// Remove an attachment's row. True beside it if no other row names the same file.
///
/// # Errors
/// Exit 13 for an unknown number.
pub fn detach(writer: &TaskWriter<'_>, number: i64) -> Result<(Attachment, bool), Refusal> {
    let Some(found) = attachment::get(writer.conn(), number)? else {
        return Err(Failure::not_found(format!("there is no attachment {number} on this board."))
            .hint("`kanbanctl attachments` lists them.")
            .into());
    };
    writer.conn().prepare_cached("DELETE FROM task_attachments WHERE id = ?1")?.execute([number])?;
    let shared = writer
        .conn()
        .prepare_cached("SELECT 1 FROM task_attachments WHERE stored_path = ?1 LIMIT 1")?
        .exists([found.stored_path.show()])?;
    let payload = json!({ "filename": found.filename });
    writer.event(&found.task_id.show(), "attachment_removed", Some(&payload), None)?;
    Ok((found, !shared))
}
