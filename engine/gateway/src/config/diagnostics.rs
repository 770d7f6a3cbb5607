//! What is wrong with a configuration file: every fault at once, each at its place.

use std::fmt::{self, Write as _};
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

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
    /// Something that nothing uses, or that has no effect where it stands.
    Unused,
    /// A certificate, key or revocation list that is missing, unusable or expired.
    Certificate,
    /// What the system does not grant or have: ports, descriptors, memory, folders.
    System,
    /// A file of the configuration that cannot be read.
    File,
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
            FaultKind::Unused => "CLQ-C09",
            FaultKind::Certificate => "CLQ-C10",
            FaultKind::System => "CLQ-C11",
            FaultKind::File => "CLQ-C12",
        }
    }
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The configuration is refused.
    Fault,
    /// It is taken, but it may not do what was meant.
    Warning,
}

impl Severity {
    /// The word of reports.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Fault => "fault",
            Severity::Warning => "warning",
        }
    }
}

/// A place in a file of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the check was given it.
    pub file: String,
    /// Octets of the file.
    pub span: Range<usize>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    source: usize,
}

/// One fault or warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// Its family.
    pub kind: FaultKind,
    /// Whether the configuration is refused for it.
    pub severity: Severity,
    /// Where it is.
    pub place: Place,
    /// The other place, where two do not go together.
    pub other: Option<Place>,
    /// The key, as `listener[0].address`.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What was expected.
    pub expected: String,
    /// What may have been meant.
    pub suggestion: Option<String>,
}

impl ConfigFault {
    /// Line, from 1.
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// Column in characters, from 1.
    pub fn column(&self) -> usize {
        self.place.column
    }

    /// One line for a log: place, id, key, problem, expectation and suggestion.
    pub fn line_text(&self) -> String {
        let Place { file, line, column, .. } = &self.place;
        let key = if self.key.is_empty() { String::new() } else { format!("{}: ", self.key) };
        let mut text = format!("{file}:{line}:{column}: {}: {key}{}", self.kind.id(), self.problem);
        if !self.expected.is_empty() {
            let _ = write!(text, "; expected {}", self.expected);
        }
        if let Some(suggestion) = &self.suggestion {
            let _ = write!(text, "; {suggestion}");
        }
        text
    }
}

/// A text that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    name: String,
    text: String,
    /// What is added to its octet offsets, so that a span tells its file.
    base: usize,
}

/// What is wrong with a configuration, and what is suspicious in it, in the order of its files.
///
/// Spans in here count through all files: see `Diagnostics::add_source`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    sources: Vec<Source>,
    found: Vec<ConfigFault>,
}

impl Diagnostics {
    pub(super) fn new(name: &str, text: &str) -> Self {
        let mut new = Self { sources: Vec::new(), found: Vec::new() };
        new.add_source(name, text);
        new
    }

    /// A further file; the result is added to the spans in it.
    pub(super) fn add_source(&mut self, name: &str, text: &str) -> usize {
        // One octet between files: a span at the end of one is not the begin of the next.
        let base = self.sources.last().map_or(0, |last| last.base + last.text.len() + 1);
        self.sources.push(Source { name: name.to_owned(), text: text.to_owned(), base });
        base
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
        self.found.push(ConfigFault {
            kind,
            severity: Severity::Fault,
            place: self.place(&span),
            other: None,
            key: key.into(),
            problem: problem.into(),
            expected: expected.into(),
            suggestion,
        });
    }

    /// As [`Diagnostics::add`], for what is taken nevertheless.
    pub(super) fn warn(
        &mut self,
        kind: FaultKind,
        span: Range<usize>,
        key: impl Into<String>,
        problem: impl Into<String>,
        expected: impl Into<String>,
        suggestion: Option<String>,
    ) {
        self.add(kind, span, key, problem, expected, suggestion);
        self.found.last_mut().expect("it was just added").severity = Severity::Warning;
    }

    /// The other place that the last one added has to do with.
    pub(super) fn beside(&mut self, span: &Range<usize>) {
        let place = self.place(span);
        self.found.last_mut().expect("something was just added").other = Some(place);
    }

    /// The place of a span that counts through all files.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        let source = self.sources.iter().rposition(|source| source.base <= span.start).unwrap_or(0);
        let Source { name, text, base } = &self.sources[source];
        let mut start = (span.start - base).min(text.len());
        let end = span.end.saturating_sub(*base).clamp(start, text.len());
        let span = start..end;
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            file: name.clone(),
            span,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            source,
        }
    }

    /// True when nothing refuses the configuration.
    pub fn is_good(&self) -> bool {
        self.faults().next().is_none()
    }

    /// True when a text is no TOML or not there.
    pub(super) fn has_gaps(&self) -> bool {
        self.found.iter().any(|found| matches!(found.kind, FaultKind::Syntax | FaultKind::File))
    }

    /// True when a text is no TOML or not there. What was recovered from it then has gaps, so faults that may
    /// only come from a gap are dropped.
    pub(super) fn keep_certain_if_syntax(&mut self) -> bool {
        let is_gap = |found: &&ConfigFault| matches!(found.kind, FaultKind::Syntax | FaultKind::File);
        let gaps: Vec<usize> = self.found.iter().filter(is_gap).map(|found| found.place.source).collect();
        if !gaps.is_empty() {
            let certain = [FaultKind::Syntax, FaultKind::UnknownKey, FaultKind::Range, FaultKind::File];
            // A text without gaps is judged as ever, but for what it has to do with others.
            self.found.retain(|fault| {
                certain.contains(&fault.kind)
                    || !gaps.contains(&fault.place.source) && fault.kind != FaultKind::Duplicate
            });
        }
        !gaps.is_empty()
    }

    pub(super) fn sort(&mut self) {
        self.found.sort_by_key(|found| {
            let Place { source, span, .. } = &found.place;
            (*source, span.start, span.end)
        });
    }

    /// Faults and warnings, in the order of the files.
    pub fn all(&self) -> &[ConfigFault] {
        &self.found
    }

    /// What the configuration is refused for, in the order of the files; never empty in an error.
    pub fn faults(&self) -> impl Iterator<Item = &ConfigFault> {
        self.found.iter().filter(|found| found.severity == Severity::Fault)
    }

    /// What is suspicious, in the order of the files.
    pub fn warnings(&self) -> impl Iterator<Item = &ConfigFault> {
        self.found.iter().filter(|found| found.severity == Severity::Warning)
    }

    /// Faults and warnings as text with the lines they are on; `styled` adds colours for a terminal. Empty
    /// without any.
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for found in &self.found {
            out.push_str(&self.render_one(&renderer, found));
            out.push_str("\n\n");
        }
        let counts = [(self.faults().count(), "fault"), (self.warnings().count(), "warning")];
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, noun)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }))
            .collect();
        if !counts.is_empty() {
            let _ = writeln!(out, "{}: {}", self.sources[0].name, counts.join(", "));
        }
        out
    }

    fn render_one(&self, renderer: &Renderer, found: &ConfigFault) -> String {
        let level = match found.severity {
            Severity::Fault => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = if found.key.is_empty() {
            found.problem.clone()
        } else {
            format!("{}: {}", found.key, found.problem)
        };
        let snippet = |place: &Place| {
            Snippet::source(self.sources[place.source].text.as_str())
                .path(self.sources[place.source].name.as_str())
        };
        let primary = AnnotationKind::Primary.span(found.place.span.clone()).label(found.expected.as_str());
        let mut group = Group::with_title(level.primary_title(title).id(found.kind.id()));
        if found.kind != FaultKind::File {
            let mut own = snippet(&found.place).annotation(primary);
            let context = |place: &Place| AnnotationKind::Context.span(place.span.clone()).label("the other");
            match &found.other {
                Some(other) if other.source == found.place.source => {
                    own = own.annotation(context(other));
                    group = group.element(own);
                }
                Some(other) => {
                    group = group.element(own).element(snippet(other).annotation(context(other)));
                }
                None => group = group.element(own),
            }
        }
        if let Some(suggestion) = &found.suggestion {
            group = group.element(Level::HELP.message(suggestion.as_str()));
        }
        renderer.render(&[group])
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
