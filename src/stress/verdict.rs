//! What the figures say about keeping boards in the directory: verdict, exit code, sentences. Pure.

use serde::Serialize;

use super::examine::Findings;
use super::tally::OperationTally;
use crate::failure::count::counted;
use crate::failure::exit::Exit;

/// Whether boards may be kept there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StressVerdict {
    /// Yes.
    Sound,
    /// Yes, with the reservation that the sentences name.
    Usable,
    /// No: work was lost or refused.
    Unsound,
    /// It could not be found out: there is no room.
    NoRoom,
    /// It could not be found out: nothing was done.
    Unchecked,
}

impl StressVerdict {
    /// Its exit code.
    pub fn exit(self) -> Exit {
        match self {
            Self::Sound => Exit::Ok,
            Self::Usable => Exit::Degraded,
            Self::Unsound => Exit::Damaged,
            Self::NoRoom => Exit::Refused,
            Self::Unchecked => Exit::Unchecked,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Usable => "usable",
            Self::Unsound => "unsound",
            Self::NoRoom => "no-room",
            Self::Unchecked => "unchecked",
        }
    }
}

/// What is known when the load is over.
#[derive(Debug)]
pub struct StressEvidence<'a> {
    /// What the workers told.
    pub tally: &'a OperationTally,
    /// What the board has.
    pub findings: &'a Findings,
    /// Why the board is not in WAL mode, if it is not.
    pub wal_obstacle: Option<&'a str>,
    /// How long an operation could wait, in milliseconds.
    pub patience_ms: u128,
}

/// The verdict, and what there is to say, the worst first.
pub fn judge(evidence: &StressEvidence<'_>) -> (StressVerdict, Vec<String>) {
    let StressEvidence { tally, findings, .. } = evidence;
    let mut sentences = Vec::new();
    let broken = broken(evidence, &mut sentences);
    let full = tally.errors.get("no-room").copied().unwrap_or(0);
    let busy = tally.errors.get("busy").copied().unwrap_or(0);
    if full > 0 {
        sentences.push(format!(
            "There is no room: {} the disk full. Free space there and run it again.",
            counted(full, "operation found", "operations found")
        ));
    }
    if busy > 0 {
        sentences.push(format!(
            "{} did not get a lock within {} ms: give --timeout more, or use fewer processes.",
            counted(busy, "operation", "operations"),
            evidence.patience_ms
        ));
    }
    if let Some(why) = evidence.wal_obstacle {
        sentences.push(format!(
            "WAL cannot work here: {why}. Boards work in DELETE mode, where readers and writers wait for each other; \
             `kanbanctl init` sets that up by itself."
        ));
    }
    let verdict = if broken {
        StressVerdict::Unsound
    } else if full > 0 {
        StressVerdict::NoRoom
    } else if tally.operations() == 0 {
        sentences
            .push("No operation was finished; nothing was found out. Give it more --seconds.".to_owned());
        StressVerdict::Unchecked
    } else if busy > 0 || evidence.wal_obstacle.is_some() {
        StressVerdict::Usable
    } else {
        StressVerdict::Sound
    };
    if verdict == StressVerdict::Sound {
        let crashed = match tally.killed {
            0 => String::new(),
            1 => " One worker was killed on the way.".to_owned(),
            many => format!(" {many} workers were killed on the way."),
        };
        sentences.push(format!(
            "Boards can be kept here: {}, every acknowledged write is there, integrity {}.{crashed}",
            counted(tally.operations(), "operation", "operations"),
            findings.integrity
        ));
    }
    (verdict, sentences)
}

/// Whether the place loses, corrupts or refuses work, with a sentence for each way.
fn broken(evidence: &StressEvidence<'_>, sentences: &mut Vec<String>) -> bool {
    let StressEvidence { tally, findings, .. } = evidence;
    let lost = findings.lost.len();
    if lost > 0 {
        sentences.push(format!(
            "This filesystem loses acknowledged writes: {lost} of {} are gone. Keep no board here.",
            tally.created.len() + tally.completed.len()
        ));
    }
    if findings.integrity != "ok" {
        sentences.push(format!(
            "This filesystem corrupts boards: {}. Keep no board here.",
            findings.integrity.trim_end_matches('.')
        ));
    }
    if !tally.vanished.is_empty() {
        sentences.push(format!(
            "{} could not be seen by the process that committed it: locks or memory maps are not coherent here. Keep \
             no board here.",
            counted(tally.vanished.len() as u64, "task", "tasks")
        ));
    }
    if findings.corrupt_copies > 0 {
        sentences.push(format!(
            "{} put aside as corrupt by another program that used the scratch board.",
            counted(findings.corrupt_copies as u64, "copy was", "copies were")
        ));
    }
    let mut failing = false;
    for (kind, count) in tally.errors.iter().filter(|(kind, _)| !matches!(kind.as_str(), "no-room" | "busy"))
    {
        failing = true;
        let said = tally.messages.get(kind).map_or("", String::as_str).trim_end_matches('.');
        let failed = counted(*count, "operation", "operations");
        sentences.push(format!("{failed} failed ({kind}), the first with: {said}."));
    }
    lost > 0
        || findings.integrity != "ok"
        || !tally.vanished.is_empty()
        || findings.corrupt_copies > 0
        || failing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> (OperationTally, Findings) {
        let told = &b"create 5 t_1\ncomplete 7 t_1\nend\n"[..];
        (
            OperationTally::listen(told),
            Findings { integrity: "ok".into(), lost: Vec::new(), corrupt_copies: 0 },
        )
    }

    fn verdict(
        tally: &OperationTally,
        findings: &Findings,
        wal_obstacle: Option<&str>,
    ) -> (StressVerdict, String) {
        let evidence = StressEvidence { tally, findings, wal_obstacle, patience_ms: 30_000 };
        let (verdict, sentences) = judge(&evidence);
        (verdict, sentences.join(" "))
    }

    #[test]
    fn each_state_has_its_verdict_and_its_sentence() {
        let (tally, findings) = sound();
        assert_eq!(verdict(&tally, &findings, None).0, StressVerdict::Sound);
        let (without_wal, said) = verdict(&tally, &findings, Some("no shared memory"));
        assert!(without_wal == StressVerdict::Usable && said.contains("no shared memory"), "{said}");
        let nothing = OperationTally::default();
        assert_eq!(verdict(&nothing, &findings, None).0, StressVerdict::Unchecked);
        for (kind, wanted) in [
            ("busy", StressVerdict::Usable),
            ("no-room", StressVerdict::NoRoom),
            ("failed", StressVerdict::Unsound),
            ("stuck", StressVerdict::Unsound),
        ] {
            let (mut tally, findings) = sound();
            tally.fail(kind, "said so");
            assert_eq!(verdict(&tally, &findings, None).0, wanted, "{kind}");
        }
    }

    #[test]
    fn loss_outranks_everything() {
        let (mut tally, mut findings) = sound();
        findings.lost.push("t_1".into());
        tally.fail("no-room", "full");
        let (worst, said) = verdict(&tally, &findings, Some("why"));
        assert!(worst == StressVerdict::Unsound && said.starts_with("This filesystem loses"), "{said}");
        let (mut tally, mut findings) = sound();
        findings.integrity = "row 3 missing from index".into();
        assert_eq!(verdict(&tally, &findings, None).0, StressVerdict::Unsound);
        findings.integrity = "ok".into();
        tally.vanished.insert("t_1".into());
        assert_eq!(verdict(&tally, &findings, None).0, StressVerdict::Unsound);
    }
}
