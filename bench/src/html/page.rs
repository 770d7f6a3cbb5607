//! What every page has: head, style, sections.

use super::text::escape;

/// Colours by light or dark, room for wide tables and plots, and paper.
const STYLE: &str = include_str!("style.css");

/// A page under construction.
#[derive(Debug)]
pub(super) struct Page {
    title: String,
    lead: String,
    contents: Vec<(String, String)>,
    body: String,
}

impl Page {
    /// A page with its title, and the line under it (HTML).
    pub(super) fn new(title: &str, lead: String) -> Page {
        Page { title: title.to_owned(), lead, contents: Vec::new(), body: String::new() }
    }

    /// Adds a section; one without a body is left out.
    pub(super) fn section(&mut self, title: &str, body: &str) {
        if body.is_empty() {
            return;
        }
        let id = format!("s{}", self.contents.len() + 1);
        self.body.push_str(&format!("<section id=\"{id}\"><h2>{}</h2>\n{body}</section>\n", escape(title)));
        self.contents.push((id, title.to_owned()));
    }

    /// The file.
    pub(super) fn html(&self) -> String {
        let title = escape(&self.title);
        let contents: String = self
            .contents
            .iter()
            .map(|(id, title)| format!("<a href=\"#{id}\">{}</a>", escape(title)))
            .collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"generator\" content=\"colloquy {version}\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header><h1>{title}</h1>\n\
             <p class=\"lead\">{lead}</p>\n<nav>{contents}</nav></header>\n<main>\n{body}</main>\n\
             <footer>Made by colloquy {version}. Times are wall-clock times unless a column says CPU.</footer>\n\
             </body>\n</html>\n",
            version = env!("CARGO_PKG_VERSION"),
            lead = self.lead,
            body = self.body,
        )
    }
}

/// A mark in words and colour: `good`, `bad` or `open`.
pub(super) fn mark(kind: &str, words: &str) -> String {
    format!("<span class=\"mark {kind}\">{}</span>", escape(words))
}

/// A plot with its caption and, where there are several series, their names beside their colours.
pub(super) fn figure(svg: &str, caption: &str, legend: &[(String, &'static str)]) -> String {
    if svg.is_empty() {
        return String::new();
    }
    let legend: String = legend
        .iter()
        .map(|(name, colour)| {
            format!("<span class=\"key\"><i style=\"background:{colour}\"></i>{}</span>", escape(name))
        })
        .collect();
    let legend = if legend.is_empty() { legend } else { format!("<div class=\"keys\">{legend}</div>") };
    format!(
        "<figure>{legend}<div class=\"wide\" tabindex=\"0\">{svg}</div><figcaption>{}</figcaption></figure>\n",
        escape(caption)
    )
}
