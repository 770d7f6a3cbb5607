//! All rows in one go.

use super::lab::begins;
use super::rows;
use super::{Beginning, Finding, Lab, LabError, LabPlan, Record, Row};

/// Ids of all findings, in order.
pub fn ids() -> Vec<String> {
    rows::all().iter().flat_map(|row| row.ids()).collect()
}

/// The first of these that begins no id.
pub fn unknown(only: &[String]) -> Option<&str> {
    let known = |begin: &str| rows::all().iter().any(|row| concerns(row.as_ref(), begin));
    only.iter().map(String::as_str).find(|begin| !known(begin))
}

/// Whether an id that begins so is one of the row's.
fn concerns(row: &dyn Row<Lab>, begin: &str) -> bool {
    row.ids().iter().any(|id| begins(id, begin))
}

/// Measures every wanted row.
///
/// # Errors
/// When there is no laboratory to be had. What fails in a row is in its finding, and so is that the user asked to stop.
pub fn compare(plan: LabPlan) -> Result<Record, LabError> {
    let beginning = Beginning::now();
    let mut lab = Lab::new(plan)?;
    let mut findings: Vec<Finding> = Vec::new();
    for row in rows::all() {
        if !row.ids().iter().any(|id| lab.wants(id)) {
            continue;
        }
        lab.say(row.id());
        let found = row.measure(&mut lab);
        findings.extend(found.into_iter().filter(|finding| lab.wants(&finding.id)));
        // What has been measured until then is told all the same.
        if lab.go_on().is_err() {
            break;
        }
    }
    Ok(Record::of(beginning, &lab, findings))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_finding_has_an_id_of_its_own_that_its_row_begins() {
        let ids = ids();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
        for row in rows::all() {
            for id in row.ids() {
                assert!(begins(&id, row.id()), "{id} does not begin with {}", row.id());
            }
        }
    }

    #[test]
    fn what_begins_no_id_is_named() {
        let only = ["relay", "echo-1-64x64", "relai"].map(str::to_owned);
        assert_eq!(unknown(&only), Some("relai"));
        assert_eq!(unknown(&only[..2]), None);
    }
}
