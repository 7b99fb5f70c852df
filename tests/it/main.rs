//! End-to-end tests through the real binary; one module a topic. `tree::every_file_is_listed` fails when a file
//! beside this one is missing from the list.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot set its scene must stop loudly, wherever the helper stands"
)]

mod support; // the sandbox, other processes, injured boards, terminals: what every topic uses

mod backup; // backups of ours and the copies that Hermes put aside
mod belonging; // logs, journals and copies of one board, and those of others
mod boards; // the life of a board: create, switch, rename, archive, export, import, beside three versions of Hermes
mod branches; // a deleted log and the main line, both written on within a second: no change lost
mod checkpoint; // frames copied, a WAL cut only with proof, silence for cron
mod complete; // all or nothing, hand-overs, a worker's own run, beginnings of ids
mod create; // ids, rows, refusals, many at once, dry runs
mod crowd; // two dozen writers and a Hermes on one board: nothing lost, nobody starved
mod differences; // what is deliberately not as in Hermes, and written down
mod differential; // the same operations by Hermes and by us, of three versions: equal rows, sequences, outcomes
mod editing; // edit, comment, link, attach, subscriptions, gc: changes and the way back
mod evidence; // how recovery decides between a board and copies of its moments
mod faults; // a fault at every system call of every verb that writes
mod findings; // each finding on a board that has it, and none on healthy boards of every Hermes
mod gate; // damage that a write would deepen: refused, not a byte changed
mod generated; // completions and man pages are what the program makes
mod generations; // commits in a deleted log: named, counted, brought back
mod health; // what health and the overview say, and that they change nothing
mod health_beside_hermes; // boards in motion: no alarm, whatever the writer does
mod hermes; // the real Hermes 0.19.0 beside us: same rows, nothing of its lost
mod hints; // what to do next: it parses, it acts on the board that was meant
mod holders; // other processes with the board open, their locks lost or not
mod hostile; // boards made to harm: nothing runs, nothing hangs, nothing outgrows its memory
mod index; // the log's index of a living process: joined, never cut, its locks lost or not
mod init; // one board, made once, never where one was lost
mod install; // recovered boards installed and put back; what refuses it, and touches nothing
mod install_faults; // killed and failing at every changing system call of an install or repair
mod install_hermes; // the real Hermes on boards that were recovered in place, restored, repaired
mod journal; // the journal mode shown, changed, brought back
mod lifecycle; // the verbs of a task's life: many ids, files, all or nothing, the way back, dry runs
mod limits; // no room, no permission, few descriptors, short files, a clock that jumps
mod list; // list, show, stats: filters, orders, counts, unknown columns
mod litestream; // replicas read without Litestream: to any moment, damaged, and as the real program restores them
mod load; // a thousand short processes, two at a time: nothing lost
mod location; // which file is meant, and refusals where Hermes would guess
mod mounts; // real filesystems where WAL cannot work
mod output; // untrusted text, width, colour, closed pipes, files
mod picture; // what every page is for: in signs, words and JSON, healthy or not
mod places; // links, pipes, names that climb, directories that anybody may write to
mod pool; // the rules of the one connection, each where breaking it shows
mod prompts; // questions on a terminal, interrupted or not
mod reading; // ready, tree, runs, events, log, search, diagnostics and the like
mod readme; // every command that is documented works
mod recover; // what comes back from every shape of damage
mod rehearsals; // what would be: the same JSON, marked, and not a byte changed
mod report; // the page of an incident: every byte left, hostile titles, loaded in a real browser
mod restore; // one sound copy exactly, the smallest repair, and every "no" without a trace
mod rollback; // transactions of a rollback journal that a crash cut short
mod runbook; // the runbook pasted block by block, and what each of its sections must say
mod salvage; // the score table: what was there, what came back, what the peer makes of it
mod screens; // board, list, show and tree as a person sees them, at every width
mod shells; // completion in bash, zsh and fish: values of the board, no trace, silence on errors
mod signals; // INT, TERM and HUP at any moment: rolled back, nothing left, the signal's status
mod sparse; // holes of sparse files: passed over, kept in copies
mod storm; // thousands of copies: grouped, compared, thinned out without losing a row
mod strangers; // what other users plant in a directory is not read, and leads nothing elsewhere
mod stress; // a filesystem qualified: the report, what is left, workers that never outlive it
mod terminal; // what a person sees: narrow, dumb, quiet, in a C locale, and in which order
mod torn_log; // wounds in committed frames: undone with proof, or told
mod traces; // reading leaves no trace; one handle, opened once
mod transfer; // export and import: equal rows, other versions, beside rows that are there
mod tree; // laws about the source tree itself: listed files, forbidden words
mod watch; // every event once, in order, over checkpoints, journal modes and restored boards
mod wounds; // small wounds anywhere, and laws that hold whatever they hit
