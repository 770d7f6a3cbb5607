//! Where the keys of a plan stand in its file, so that a fault in a value is told with file and line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file of a plan and the lines of its keys; empty for a plan that was built in code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    path: PathBuf,
    /// Line by key; `None` when the value is no longer that of the file.
    lines: BTreeMap<String, Option<usize>>,
}

impl Origin {
    /// Finds the keys in the text of a plan that is good TOML: `sessions`, `mix.typed_each`, `step[2].rate_per_s`.
    pub(crate) fn of(path: &Path, text: &str) -> Origin {
        let mut lines = BTreeMap::new();
        let mut table = String::new();
        let mut steps = 0;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start();
            if line.starts_with("[[step]]") {
                steps += 1;
                table = format!("step[{steps}].");
            } else if line.starts_with("[mix]") {
                table = "mix.".to_owned();
            } else if let Some((key, _)) = line.split_once('=') {
                let key = key.trim_end();
                // Within a list of texts a line may have an equals sign, but it begins with a quotation mark.
                if !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                    lines.insert(format!("{table}{key}"), Some(index + 1));
                }
            }
        }
        Origin { path: path.to_owned(), lines }
    }

    /// Says that the value of `key` (of `step`: of all steps) comes from elsewhere now.
    pub fn forget(&mut self, key: &str) {
        let steps = format!("{key}[");
        self.lines.retain(|known, _| !known.starts_with(&steps));
        self.lines.insert(key.to_owned(), None);
    }

    /// The fault, which begins with its key, with the place of the key in front.
    pub(crate) fn place(&self, fault: &str) -> String {
        if self.path.as_os_str().is_empty() {
            return fault.to_owned();
        }
        let key = fault.split([' ', ':']).next().unwrap_or_default();
        let whole = key.split('[').next().unwrap_or_default();
        let in_mix = format!("mix.{key}");
        let path = self.path.display();
        match [key, &in_mix, whole].into_iter().find_map(|key| self.lines.get(key)) {
            Some(Some(line)) => format!("{path}:{line}: {fault}"),
            Some(None) => fault.to_owned(),
            // A default, or keys that contradict each other.
            None => format!("{path}: {fault}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "schema_version = 1\nthresholds = [\n  \"lost = 0\",\n]\nsessions = 0 # none\n\n[[step]]\nrate_per_s = 1\n\
                        [[step]]\n  rate_per_s = 0\n[mix]\ntyped_each = 3\n";

    #[test]
    fn a_fault_is_told_with_the_line_of_its_key() {
        let mut origin = Origin::of(Path::new("p.toml"), TEXT);
        for (fault, placed) in [
            ("sessions = 0: 1 to 9", "p.toml:5: sessions = 0: 1 to 9"),
            ("thresholds: `x` is", "p.toml:2: thresholds: `x` is"),
            ("step[2].rate_per_s = 0: above 0", "p.toml:10: step[2].rate_per_s = 0: above 0"),
            ("typed_each = 3: no", "p.toml:12: typed_each = 3: no"),
            ("mix.typed_each = 3: no", "p.toml:12: mix.typed_each = 3: no"),
            ("to: at least one", "p.toml: to: at least one"),
        ] {
            assert_eq!(origin.place(fault), placed);
        }
        origin.forget("sessions");
        origin.forget("step");
        assert_eq!(
            origin.place("sessions = 0: 1 to 9"),
            "sessions = 0: 1 to 9",
            "a flag's value has no line"
        );
        assert_eq!(origin.place("step[2].rate_per_s = 0: above 0"), "step[2].rate_per_s = 0: above 0");
        assert_eq!(Origin::default().place("sessions = 0"), "sessions = 0");
    }
}
