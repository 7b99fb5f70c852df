//! Findings that the operator knows of: they stay in the report and no longer decide the verdict.

use serde_json::Value;

use super::{Finding, Severity, explain};

/// What is acknowledged: a finding's id, and its subject where only that one is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acknowledged(Vec<(String, Option<String>)>);

impl Acknowledged {
    /// Add `ID` or `ID:SUBJECT`.
    ///
    /// # Errors
    /// What is wrong with it, as a clause.
    pub fn add(&mut self, given: &str) -> Result<(), String> {
        let (id, subject) = match given.split_once(':') {
            Some((id, subject)) => (id, Some(subject.to_owned())),
            None => (given, None),
        };
        if explain::explain(id).is_none() {
            return Err(format!("there is no finding {id}"));
        }
        self.0.push((id.to_owned(), subject));
        Ok(())
    }

    /// Add the findings of an earlier report, as `health --json` or `--format jsonl` wrote it.
    ///
    /// # Errors
    /// What is wrong with it, as a clause.
    pub fn add_report(&mut self, report: &str) -> Result<(), String> {
        let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(report).into_iter().collect();
        let values = values.map_err(|error| format!("it is no JSON: {error}"))?;
        let is_health = |value: &Value| value["kind"].as_str().is_some_and(|kind| kind.starts_with("health"));
        if values.is_empty() || !values.iter().all(is_health) {
            return Err("it is no report of `kanbanctl health --json`".to_owned());
        }
        for value in &values {
            let data = &value["data"];
            let boards = data.as_array().map_or(std::slice::from_ref(data), Vec::as_slice);
            let findings = boards.iter().filter_map(|board| board["findings"].as_array()).flatten();
            self.0.extend(findings.filter_map(|finding| {
                let subject = finding["subject"].as_str().map(str::to_owned);
                Some((finding["id"].as_str()?.to_owned(), subject))
            }));
        }
        Ok(())
    }

    /// Turn what is acknowledged into information.
    pub fn apply(&self, findings: &mut [Finding]) {
        let is_known = |finding: &Finding| {
            self.0.iter().any(|(id, subject)| {
                finding.id == id && subject.as_ref().is_none_or(|subject| *subject == finding.subject)
            })
        };
        for finding in findings.iter_mut().filter(|finding| is_known(finding)) {
            if finding.severity > Severity::Info {
                finding.severity = Severity::Info;
                finding.message.push_str(" (acknowledged)");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_finding_becomes_information_and_another_subject_stays() {
        let finding = |subject: &str| Finding::new("references", Severity::Warning, subject, "m.");
        let mut known = Acknowledged::default();
        known.add("references:task_links.child_id").unwrap();
        let mut findings = vec![finding("task_links.child_id"), finding("task_runs.task_id")];
        known.apply(&mut findings);
        assert_eq!(findings[0].severity, Severity::Info);
        assert_eq!(findings[1].severity, Severity::Warning);
        assert!(known.add("nothing").is_err());
    }

    #[test]
    fn an_earlier_report_acknowledges_what_it_found() {
        let report =
            r#"{"schema_version":1,"kind":"health","data":{"findings":[{"id":"backups","subject":"/b"}]}}"#;
        let mut known = Acknowledged::default();
        known.add_report(report).unwrap();
        let mut findings = vec![Finding::new("backups", Severity::Warning, "/b", "m.")];
        known.apply(&mut findings);
        assert_eq!(findings[0].severity, Severity::Info);
        for bad in ["", "text", r#"{"kind":"task.list","data":[]}"#] {
            assert!(Acknowledged::default().add_report(bad).is_err(), "{bad}");
        }
    }
}
