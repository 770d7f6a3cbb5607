//! Every key of a configuration with the value that counts, and where it comes from.

use super::diagnostics::Place;
use super::keys::{Key, Section};
use super::load::Loaded;
use super::value_text::value_text;

/// One key of one table.
#[derive(Clone, Debug)]
pub struct Setting {
    /// `engine`, `listener[mms]`; empty for keys before the first table.
    pub table: String,
    /// The key.
    pub key: &'static Key,
    /// Its value as TOML; `None`: absent.
    pub value: Option<String>,
    /// Where a file gives it; `None`: it is the default.
    pub place: Option<Place>,
}

impl Loaded {
    /// Every key of every table, in the order of the reference file.
    pub fn effective(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        for section in Section::ALL {
            for values in self.file.tables(section) {
                let table = if section.is_repeated() {
                    format!("{}[{}]", section.name(), values.id(section))
                } else {
                    section.name().to_owned()
                };
                settings.extend(section.keys().map(|key| {
                    let entry = values.entry(key.name);
                    Setting {
                        table: table.clone(),
                        key,
                        value: entry.value.as_ref().map(|value| value_text(key, value)),
                        place: entry.span.as_ref().map(|span| self.warnings.place(span)),
                    }
                }));
            }
        }
        settings
    }
}
