//! The reader: walks parsed TOML files along the key table, merges them and collects every fault.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::accept::{accept, with_article};
use super::diagnostics::{Diagnostics, FaultKind, nearest};
use super::keys::{Absence, Kind, Section};
use super::values::{Entry, Value, Values};

/// The tables of all files together.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) root: Values,
    pub(super) engine: Values,
    pub(super) listeners: Vec<Values>,
    pub(super) routes: Vec<Values>,
    pub(super) upstreams: Vec<Values>,
    pub(super) targets: Vec<Values>,
    pub(super) tls: Vec<Values>,
    pub(super) bindings: Vec<Values>,
    pub(super) limits: Values,
    pub(super) admin: Values,
    pub(super) log: Values,
    pub(super) drain: Values,
}

impl File {
    fn empty() -> File {
        let single = Values::defaults;
        File {
            root: single(Section::Root),
            engine: single(Section::Engine),
            listeners: Vec::new(),
            routes: Vec::new(),
            upstreams: Vec::new(),
            targets: Vec::new(),
            tls: Vec::new(),
            bindings: Vec::new(),
            limits: single(Section::Limits),
            admin: single(Section::Admin),
            log: single(Section::Log),
            drain: single(Section::Drain),
        }
    }

    /// The tables of a section: exactly one if it is not repeated.
    pub(super) fn tables(&self, section: Section) -> &[Values] {
        match section {
            Section::Root => std::slice::from_ref(&self.root),
            Section::Engine => std::slice::from_ref(&self.engine),
            Section::Listener => &self.listeners,
            Section::Route => &self.routes,
            Section::Upstream => &self.upstreams,
            Section::Target => &self.targets,
            Section::Tls => &self.tls,
            Section::Binding => &self.bindings,
            Section::Limits => std::slice::from_ref(&self.limits),
            Section::Admin => std::slice::from_ref(&self.admin),
            Section::Log => std::slice::from_ref(&self.log),
            Section::Drain => std::slice::from_ref(&self.drain),
        }
    }

    pub(super) fn single_mut(&mut self, section: Section) -> &mut Values {
        match section {
            Section::Root => &mut self.root,
            Section::Engine => &mut self.engine,
            Section::Limits => &mut self.limits,
            Section::Admin => &mut self.admin,
            Section::Log => &mut self.log,
            Section::Drain => &mut self.drain,
            _ => unreachable!("{} is repeated", section.name()),
        }
    }

    pub(super) fn repeated_mut(&mut self, section: Section) -> &mut Vec<Values> {
        match section {
            Section::Listener => &mut self.listeners,
            Section::Route => &mut self.routes,
            Section::Upstream => &mut self.upstreams,
            Section::Target => &mut self.targets,
            Section::Tls => &mut self.tls,
            Section::Binding => &mut self.bindings,
            _ => unreachable!("{} is there once", section.name()),
        }
    }
}

/// A text to read.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// What diagnostics call it.
    pub(super) name: String,
    /// What it says.
    pub(super) text: Arc<str>,
    /// What the paths in it are relative to; `None`: they are kept as they are.
    pub(super) folder: Option<PathBuf>,
}

/// Reads the texts in their order and merges them: repeated tables append, single ones merge key by key. The first
/// is the main file. Each is a source of `diagnostics` already, in the same order.
pub(super) fn read_texts(texts: &[Text], bases: &[usize], diagnostics: &mut Diagnostics) -> File {
    let mut file = File::empty();
    for (index, (text, base)) in texts.iter().zip(bases).enumerate() {
        let mut reader =
            Reader { base: *base, folder: text.folder.as_deref(), is_main: index == 0, diagnostics };
        reader.read(&text.text, &mut file);
    }
    file
}

/// The reader of one text.
struct Reader<'r> {
    base: usize,
    folder: Option<&'r Path>,
    is_main: bool,
    diagnostics: &'r mut Diagnostics,
}

impl Reader<'_> {
    fn read(&mut self, text: &str, file: &mut File) {
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            self.add(FaultKind::Syntax, span, "", error.message(), "TOML", None);
        }
        let root = root.get_ref();
        self.root(root, file);
        for section in Section::ALL.into_iter().skip(1) {
            if section.is_repeated() {
                self.repeated(root, section, file.repeated_mut(section));
            } else {
                self.single(root, section, file.single_mut(section));
            }
        }
    }

    /// As [`Diagnostics::add`], for a span of this text.
    fn add(
        &mut self,
        kind: FaultKind,
        span: Range<usize>,
        key: impl Into<String>,
        problem: impl Into<String>,
        expected: impl Into<String>,
        suggestion: Option<String>,
    ) {
        let span = self.shift(&span);
        self.diagnostics.add(kind, span, key, problem, expected, suggestion);
    }

    /// A span of this text among those of all.
    fn shift(&self, span: &Range<usize>) -> Range<usize> {
        self.base + span.start..self.base + span.end
    }

    /// Root keys, and tables that do not exist.
    fn root(&mut self, root: &DeTable<'_>, file: &mut File) {
        let tables = || Section::ALL.iter().map(|section| section.name()).filter(|name| !name.is_empty());
        let mut keys = DeTable::new();
        for (name, value) in root {
            let known = Section::Root.keys().any(|key| key.name == name.get_ref().as_ref());
            if known {
                keys.insert(name.clone(), value.clone());
            } else if !tables().any(|table| table == name.get_ref().as_ref()) {
                let all = Section::Root.keys().map(|key| key.name).chain(tables());
                self.unknown("", name, &all.collect::<Vec<_>>());
            }
        }
        let values = self.table(&keys, 0..0, Section::Root, String::new());
        if self.is_main {
            file.root = values;
        }
    }

    fn single(&mut self, root: &DeTable<'_>, section: Section, merged: &mut Values) {
        let name = section.name();
        match find(root, name) {
            None => {}
            Some((span, DeValue::Table(table))) => {
                let values = self.table(table, span, section, name.to_owned());
                self.merge(merged, &values);
            }
            Some((span, other)) => {
                let problem = format!("is {}", with_article(other.type_str()));
                self.add(FaultKind::Type, span, name, problem, format!("a table [{name}]"), None);
            }
        }
    }

    /// Puts the keys that `values` gives into `merged`.
    fn merge(&mut self, merged: &mut Values, values: &Values) {
        if merged.span.is_empty() {
            merged.span = values.span.clone();
        }
        for (name, entry) in values.entries() {
            let Some(span) = &entry.span else { continue };
            if let Some(other) = merged.entry(name).span.clone() {
                self.diagnostics.add(
                    FaultKind::Duplicate,
                    span.clone(),
                    values.key(name),
                    "is given twice",
                    "once in all files together",
                    None,
                );
                self.diagnostics.beside(&other);
            } else {
                *merged.entry_mut(name) = entry.clone();
            }
        }
    }

    fn repeated(&mut self, root: &DeTable<'_>, section: Section, all: &mut Vec<Values>) {
        let name = section.name();
        let expected = format!("tables [[{name}]]");
        let Some((span, value)) = find(root, name) else { return };
        let DeValue::Array(items) = value else {
            let problem = format!("is {}", with_article(value.type_str()));
            let suggestion = value.is_table().then(|| format!("write [[{name}]] with two brackets"));
            self.add(FaultKind::Type, span, name, problem, expected, suggestion);
            return;
        };
        for item in items {
            let path = format!("{name}[{}]", all.len());
            match item.get_ref() {
                DeValue::Table(table) => all.push(self.table(table, item.span(), section, path)),
                other => {
                    let problem = format!("is {}", with_article(other.type_str()));
                    self.add(FaultKind::Type, item.span(), path, problem, expected.clone(), None);
                }
            }
        }
    }

    fn table(&mut self, table: &DeTable<'_>, span: Range<usize>, section: Section, path: String) -> Values {
        let mut values = Values::defaults(section);
        values.path = path;
        values.span = self.shift(&span);
        for (name, _) in table {
            if !section.keys().any(|key| key.name == name.get_ref().as_ref()) {
                let known: Vec<&str> = section.keys().map(|key| key.name).collect();
                self.unknown(&values.path, name, &known);
            }
        }
        for key in section.keys() {
            let given = table.iter().find(|(name, _)| name.get_ref().as_ref() == key.name);
            match given {
                Some((_, given)) => match accept(key.kind, given.get_ref()) {
                    Ok(value) => {
                        let value = Some(self.resolve(key.kind, value));
                        *values.entry_mut(key.name) = Entry { value, span: Some(self.shift(&given.span())) };
                    }
                    Err(all) => {
                        for refused in all {
                            let span = refused.element.unwrap_or_else(|| given.span());
                            let (path, expected) = (values.key(key.name), key.kind.expected());
                            self.add(refused.kind, span, path, refused.problem, expected, refused.suggestion);
                        }
                    }
                },
                None => {
                    if let Absence::Required(example) = key.default
                        && (self.is_main || section != Section::Root)
                    {
                        self.diagnostics.add(
                            FaultKind::MissingKey,
                            values.span.clone(),
                            values.key(key.name),
                            "is missing",
                            format!("{} = {}", key.name, key.kind.expected()),
                            Some(format!("for example {} = {example}", key.name)),
                        );
                    }
                }
            }
        }
        values
    }

    /// Paths are relative to the file they stand in.
    fn resolve(&self, kind: Kind, value: Value) -> Value {
        let Some(folder) = self.folder else { return value };
        let join = |path: String| folder.join(path).to_string_lossy().into_owned();
        match (kind, value) {
            (Kind::Path, Value::Text(path)) => Value::Text(join(path)),
            (Kind::Paths, Value::Texts(paths)) => Value::Texts(paths.into_iter().map(join).collect()),
            (_, value) => value,
        }
    }

    fn unknown(&mut self, path: &str, name: &Spanned<DeString<'_>>, known: &[&str]) {
        let word = name.get_ref().as_ref();
        let key = if path.is_empty() { word.to_owned() } else { format!("{path}.{word}") };
        let near = nearest(word, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let suggestion = elsewhere(word).or(near);
        let expected = format!("one of {}", known.join(", "));
        self.add(FaultKind::UnknownKey, name.span(), key, "unknown key", expected, suggestion);
    }
}

/// Where a word that is unknown here is known: it may only be in the wrong place.
fn elsewhere(word: &str) -> Option<String> {
    let header = |section: &Section| match section.name() {
        "" => "the top of the file, before any table".to_owned(),
        name if section.is_repeated() => format!("[[{name}]]"),
        name => format!("[{name}]"),
    };
    if let Some(section) = Section::ALL.iter().find(|section| !word.is_empty() && section.name() == word) {
        return Some(format!("it is a table: {}", header(section)));
    }
    let has = |section: &&Section| section.keys().any(|key| key.name == word);
    let homes: Vec<String> = Section::ALL.iter().filter(has).map(header).collect();
    (1..=3).contains(&homes.len()).then(|| format!("it belongs into {}", homes.join(" or ")))
}

fn find<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<(Range<usize>, &'t DeValue<'i>)> {
    let (_, value) = table.iter().find(|(key, _)| key.get_ref().as_ref() == name)?;
    Some((value.span(), value.get_ref()))
}
