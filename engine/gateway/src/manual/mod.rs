//! The manual of events: a page for each id that logs and reports have, with its meaning, its cause and what to do.

/// Every page: its id and its text in Markdown, in the order of their ids.
pub const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/manual.rs"));

/// The page of an id, which may be written in lower case and without `CLQ-`.
pub fn page(id: &str) -> Option<&'static str> {
    let id = id.to_ascii_uppercase();
    let id = if id.starts_with("CLQ-") { id } else { format!("CLQ-{id}") };
    PAGES.iter().find(|(known, _)| *known == id).map(|(_, text)| *text)
}

/// What a page is about, in a few words.
pub fn title(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.split_once(": ").map_or(line, |(_, title)| title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_by_its_id_in_any_spelling() {
        let text = page("CLQ-S01").unwrap();
        assert_eq!(title(text), "session ended");
        assert_eq!(page("s01"), Some(text));
        assert_eq!(page("clq-s01"), Some(text));
        assert_eq!(page("CLQ-Z99"), None);
    }
}
