//! Texts that are stored with the wrong type.

use rusqlite::Connection;

use crate::support::damage;
use crate::support::sandbox::Sandbox;

#[test]
fn texts_stored_as_blobs_come_back_as_texts_and_are_counted() {
    let sandbox = Sandbox::new();
    let truth = sandbox.work().join("truth.db");
    damage::board(&truth, 60, 5);
    std::fs::copy(&truth, sandbox.board()).unwrap();
    let connection = Connection::open(sandbox.board()).unwrap();
    let rows = connection
        .execute("UPDATE tasks SET title = CAST(title AS BLOB), body = CAST(body AS BLOB)", [])
        .unwrap();
    connection.execute("CREATE TABLE other(text TEXT)", []).unwrap();
    connection.execute("INSERT INTO other VALUES (x'4142')", []).unwrap();
    connection.close().unwrap();
    let new = sandbox.work().join("new.db");
    let dry = sandbox.run(&["recover", "--dry-run", "--json"]).success().data();
    let real = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]).success().data();
    for data in [dry, real] {
        assert_eq!(data["sources"][0]["blob_texts"], rows, "{data}");
        assert_eq!(data["tables"]["tasks"]["suspect"], 0, "{data}");
    }
    let score = damage::score(&truth, &new);
    assert_eq!((score.right, score.wrong), (score.truth, 0));
    let connection = Connection::open(&new).unwrap();
    let other: String = connection.query_row("SELECT typeof(text) FROM other", [], |row| row.get(0)).unwrap();
    assert_eq!(other, "blob", "a table of another program is left as it is");
}
