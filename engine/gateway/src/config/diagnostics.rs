//! What is wrong with a configuration file: every fault at once, each at its place.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// The family of a fault; its id is stable and has a page in the manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Not TOML.
    Syntax,
    /// A key or table that does not exist.
    UnknownKey,
    /// A required key is absent.
    MissingKey,
    /// A value of the wrong type.
    Type,
    /// A value out of range.
    Range,
    /// A reference to something that is not there, or a key that does not belong.
    Reference,
    /// Two things that must differ are the same.
    Duplicate,
    /// Values that contradict each other.
    Relation,
}

impl FaultKind {
    /// Message id.
    pub fn id(self) -> &'static str {
        match self {
            FaultKind::Syntax => "CLQ-C01",
            FaultKind::UnknownKey => "CLQ-C02",
            FaultKind::MissingKey => "CLQ-C03",
            FaultKind::Type => "CLQ-C04",
            FaultKind::Range => "CLQ-C05",
            FaultKind::Reference => "CLQ-C06",
            FaultKind::Duplicate => "CLQ-C07",
            FaultKind::Relation => "CLQ-C08",
        }
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// Its family.
    pub kind: FaultKind,
    /// Octets of the file at fault.
    pub span: Range<usize>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The key, as `listener[0].address`.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What was expected.
    pub expected: String,
    /// What may have been meant.
    pub suggestion: Option<String>,
}

/// All faults of one file, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    name: String,
    text: String,
    faults: Vec<ConfigFault>,
}

impl Diagnostics {
    pub(super) fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), faults: Vec::new() }
    }

    pub(super) fn add(
        &mut self,
        kind: FaultKind,
        span: Range<usize>,
        key: impl Into<String>,
        problem: impl Into<String>,
        expected: impl Into<String>,
        suggestion: Option<String>,
    ) {
        let start = span.start.min(self.text.len());
        let before = &self.text[..self.floor_boundary(start)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        self.faults.push(ConfigFault {
            kind,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span: start..span.end.clamp(start, self.text.len()),
            key: key.into(),
            problem: problem.into(),
            expected: expected.into(),
            suggestion,
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// True when the text is no TOML. What was recovered from it then has gaps, so faults that may
    /// only come from a gap are dropped.
    pub(super) fn keep_certain_if_syntax(&mut self) -> bool {
        let syntax = self.faults.iter().any(|fault| fault.kind == FaultKind::Syntax);
        if syntax {
            let certain = [FaultKind::Syntax, FaultKind::UnknownKey, FaultKind::Range];
            self.faults.retain(|fault| certain.contains(&fault.kind));
        }
        syntax
    }

    pub(super) fn sort(&mut self) {
        self.faults.sort_by_key(|fault| (fault.span.start, fault.span.end));
    }

    /// The faults, in the order of the file; never empty in an error.
    pub fn faults(&self) -> &[ConfigFault] {
        &self.faults
    }

    /// The faults as text with the lines they are on; `styled` adds colours for a terminal.
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for fault in &self.faults {
            let snippet = Snippet::source(self.text.as_str())
                .path(self.name.as_str())
                .annotation(AnnotationKind::Primary.span(fault.span.clone()).label(fault.expected.as_str()));
            let title = if fault.key.is_empty() {
                fault.problem.clone()
            } else {
                format!("{}: {}", fault.key, fault.problem)
            };
            let mut group = Level::ERROR.primary_title(title).id(fault.kind.id()).element(snippet);
            if let Some(suggestion) = &fault.suggestion {
                group = group.element(Level::HELP.message(suggestion.as_str()));
            }
            out.push_str(&renderer.render(&[group]));
            out.push_str("\n\n");
        }
        let count = self.faults.len();
        out.push_str(&format!("{}: {count} fault{}\n", self.name, if count == 1 { "" } else { "s" }));
        out
    }

    fn floor_boundary(&self, mut at: usize) -> usize {
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// The word of `known` that is nearest to `word`, if it is near enough to be meant.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(word.len()) / 3 + 1)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edit distance; a word longer than the bound is far from everything.
fn distance(left: &str, right: &str) -> usize {
    const WORD_OCTETS_MAX: usize = 64;
    if left.len() > WORD_OCTETS_MAX {
        return usize::MAX;
    }
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, to) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
