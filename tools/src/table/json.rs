//! The tables as JSON: one object a line for each row.

use colloquy_session::machine::tables::Table;
use serde_json::json;

use super::Selection;

/// One line for each row selected.
pub(super) fn rows(selection: &Selection, tables: &[&Table]) -> String {
    let mut text = String::new();
    for table in tables {
        for row in selection.rows(table) {
            let guard: Vec<String> = row
                .guard
                .iter()
                .map(|term| format!("{}{}", if term.negated { "!" } else { "" }, term.predicate.name()))
                .collect();
            let object = json!({
                "table": table.name,
                "event": row.event.name(),
                "state": row.state.name(),
                "guard": guard,
                "actions": row.actions.iter().map(|action| action.name()).collect::<Vec<_>>(),
                "outputs": row.outputs.iter().map(|output| output.name()).collect::<Vec<_>>(),
                "next": row.next.name(),
                "verified": row.trust.verified,
                "note": row.trust.note,
            });
            text.push_str(&object.to_string());
            text.push('\n');
        }
    }
    text
}
