//! Tables that fit: where the terminal is too narrow, the least important columns go first.

use std::cmp::Ordering;

use ratatui::layout::Constraint;

/// Between two columns.
pub(super) const GAP: u16 = 2;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// What is above it.
    pub(super) heading: &'static str,
    /// 0 stays for ever; of the others the highest goes first.
    pub(super) importance: u8,
    /// Numbers stand at the right.
    pub(super) right: bool,
    /// Its texts may be cut where there is no room.
    pub(super) elastic: bool,
}

/// Narrowest that an elastic column is cut to before it goes.
const ELASTIC_MIN: u16 = 18;

/// Lines that a text is broken into at most.
const WRAPPED_LINES_MAX: usize = 4;

/// What stands in a cell and what it is sorted by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) text: String,
    key: Option<f64>,
    /// Something to be seen.
    pub(super) mood: Mood,
}

/// Whether a cell tells of something good or bad; its text tells it, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mood {
    #[default]
    Plain,
    Good,
    Warning,
    Bad,
}

impl Cell {
    /// A text, sorted as such.
    pub(super) fn text(text: impl Into<String>) -> Cell {
        Cell { text: spaced(&text.into()), key: None, mood: Mood::Plain }
    }

    /// A number by its text, sorted by its value.
    pub(super) fn number(value: f64, text: impl Into<String>) -> Cell {
        Cell { text: spaced(&text.into()), key: Some(value), mood: Mood::Plain }
    }

    pub(super) fn with(self, mood: Mood) -> Cell {
        Cell { mood, ..self }
    }

    fn compare(&self, other: &Cell) -> Ordering {
        match (self.key, other.key) {
            (Some(one), Some(two)) => one.total_cmp(&two),
            (None, None) => self.text.cmp(&other.text),
            // What is not known comes last.
            (one, two) => two.is_some().cmp(&one.is_some()).reverse(),
        }
    }
}

/// Terminals draw narrow spaces in any width they like.
pub(super) fn spaced(text: &str) -> String {
    text.replace(['\u{202f}', '\u{a0}'], " ").trim_end().to_owned()
}

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Grid {
    /// Keeps the rows that have `filter` in any cell, and sorts by a column.
    pub(super) fn arrange(&mut self, filter: &str, sort: Option<(usize, bool)>) {
        let filter = filter.to_lowercase();
        self.rows.retain(|row| row.iter().any(|cell| cell.text.to_lowercase().contains(&filter)));
        let Some((column, reversed)) = sort else { return };
        let column = column % self.columns.len().max(1);
        self.rows.sort_by(|one, two| {
            let order = one[column].compare(&two[column]);
            if reversed { order.reverse() } else { order }
        });
    }

    /// The columns that fit into `width`, and their widths.
    pub(super) fn fit(&self, width: u16) -> Vec<(usize, u16)> {
        let mut shown: Vec<(usize, u16)> =
            (0..self.columns.len()).map(|at| (at, self.least_width(at))).collect();
        while total(&shown) > width {
            let last = shown
                .iter()
                .enumerate()
                .max_by_key(|(at, (column, _))| (self.columns[*column].importance, *at));
            let Some((at, _)) = last.filter(|(_, (column, _))| self.columns[*column].importance > 0) else {
                break;
            };
            shown.remove(at);
        }
        // What is left goes to those that were cut, in their order.
        let mut free = width.saturating_sub(total(&shown));
        for (column, given) in &mut shown {
            let more = (self.widest(*column) - *given).min(free);
            *given += more;
            free -= more;
        }
        // Where even the most important are too wide, the widest gives way.
        while total(&shown) > width {
            let Some(widest) =
                shown.iter_mut().max_by_key(|(_, width)| *width).filter(|(_, width)| *width > 4)
            else {
                break;
            };
            widest.1 -= 1;
        }
        shown
    }

    /// A cell's text in so many columns: an elastic one on several lines where it `may_wrap`, else cut, and seen to be.
    pub(super) fn lines(&self, text: &str, column: usize, width: u16, may_wrap: bool) -> Vec<String> {
        let width = usize::from(width);
        if text.chars().count() <= width {
            return vec![text.to_owned()];
        }
        if may_wrap && self.columns[column].elastic && width > 0 {
            let mut lines = wrapped(text, width);
            if lines.len() > WRAPPED_LINES_MAX {
                lines.truncate(WRAPPED_LINES_MAX);
                if let Some(last) = lines.last_mut() {
                    *last = cut(&format!("{last}{ELLIPSIS}"), width);
                }
            }
            return lines;
        }
        vec![cut(text, width)]
    }

    /// Lines that each row takes.
    pub(super) fn heights(&self, shown: &[(usize, u16)], may_wrap: bool) -> Vec<usize> {
        let of_cell = |cells: &[Cell], (column, width): &(usize, u16)| {
            self.lines(&cells[*column].text, *column, *width, may_wrap).len()
        };
        let of_row = |cells: &Vec<Cell>| shown.iter().map(|place| of_cell(cells, place)).max().unwrap_or(1);
        self.rows.iter().map(of_row).collect()
    }

    fn widest(&self, at: usize) -> u16 {
        let cells = self.rows.iter().map(|row| row[at].text.chars().count());
        let widest = cells.chain([self.columns[at].heading.chars().count()]).max().unwrap_or(0);
        u16::try_from(widest).unwrap_or(u16::MAX)
    }

    fn least_width(&self, at: usize) -> u16 {
        let widest = self.widest(at);
        if self.columns[at].elastic { widest.min(ELASTIC_MIN) } else { widest }
    }
}

/// Broken between words, and within words that are too long for a line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let used = lines.last().map_or(0, |line| line.chars().count());
        if let Some(line) = lines.last_mut()
            && used > 0
            && used + 1 + word.chars().count() <= width
        {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        if used == 0 {
            lines.pop();
        }
        let characters: Vec<char> = word.chars().collect();
        lines.extend(characters.chunks(width).map(|part| part.iter().collect::<String>()));
        if characters.is_empty() {
            lines.push(String::new());
        }
    }
    lines
}

/// What stands for what was cut off.
const ELLIPSIS: char = '\u{2026}';

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain([ELLIPSIS]).collect()
}

fn total(shown: &[(usize, u16)]) -> u16 {
    let sum = shown.iter().fold(0_u16, |sum, (_, width)| sum.saturating_add(*width).saturating_add(GAP));
    sum.saturating_sub(GAP)
}

/// Widths as the layout wants them.
pub(super) fn constraints(shown: &[(usize, u16)]) -> Vec<Constraint> {
    shown.iter().map(|(_, width)| Constraint::Length(*width)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_between_words_or_seen_to_be_cut() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable it is", 5), ["unbre", "akabl", "e it", "is"]);
        assert_eq!(cut("listener", 5), "list\u{2026}");
        assert_eq!(cut("list", 5), "list");
        let column = Column { heading: "Event", importance: 0, right: false, elastic: true };
        let grid = Grid { columns: vec![column], rows: vec![vec![Cell::text("a b c d e f g h i j")]] };
        assert_eq!(grid.lines("a b c d e f g h i j", 0, 3, true), ["a b", "c d", "e f", "g \u{2026}"]);
        assert_eq!(grid.lines("a b c d", 0, 3, false), ["a \u{2026}"]);
        assert_eq!(grid.heights(&[(0, 3)], true), [WRAPPED_LINES_MAX]);
    }
}
