//! Tables for a terminal: as wide as they need to be, and no wider than the terminal.

use std::io::IsTerminal;

/// Between two columns.
const GAP: usize = 2;
/// Narrowest that a column is cut to.
const COLUMN_MIN: usize = 4;

/// Rows of text under headings.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// One without rows.
    pub(crate) fn new(headings: &[&'static str]) -> Table {
        Table { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; as many cells as there are headings.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        debug_assert_eq!(row.len(), self.headings.len());
        self.rows.push(row);
    }

    /// For standard output: cut to the terminal, whole where there is none.
    pub(crate) fn print(&self) -> String {
        self.render(terminal_width())
    }

    /// Cut to a width; whole without one.
    fn render(&self, width: Option<usize>) -> String {
        let widths = self.widths(width);
        let headings = self.headings.iter().map(|heading| heading.to_ascii_uppercase()).collect();
        let mut out = String::new();
        for row in std::iter::once(&headings).chain(&self.rows) {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| fitted(cell, *width)).collect();
            out.push_str(cells.join(&" ".repeat(GAP)).trim_end());
            out.push('\n');
        }
        out
    }

    fn widths(&self, width: Option<usize>) -> Vec<usize> {
        let longest = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.chain([self.headings[column].len()]).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..self.headings.len()).map(longest).collect();
        let Some(width) = width else { return widths };
        let gaps = GAP * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > width {
            let Some(widest) = widths.iter_mut().max() else { break };
            if *widest <= COLUMN_MIN {
                break;
            }
            *widest -= 1;
        }
        widths
    }
}

/// Columns of the terminal that standard output is; `None` where it is none.
pub(crate) fn terminal_width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// Exactly so wide: padded, or cut with an ellipsis.
fn fitted(cell: &str, width: usize) -> String {
    let length = cell.chars().count();
    if length <= width {
        return format!("{cell}{}", " ".repeat(width - length));
    }
    let kept: String = cell.chars().take(width.saturating_sub(1)).collect();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["name", "address", "state"]);
        table.push(vec!["a".into(), "192.0.2.100:10102".into(), "ready".into()]);
        table.push(vec!["a-longer-name".into(), "[2001:db8::1]:102".into(), "maint".into()]);
        table
    }

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        assert_eq!(
            table().render(None),
            "NAME           ADDRESS            STATE\n\
             a              192.0.2.100:10102  ready\n\
             a-longer-name  [2001:db8::1]:102  maint\n"
        );
    }

    #[test]
    fn nothing_is_wider_than_the_terminal() {
        for width in 20..60 {
            let text = table().render(Some(width));
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}: {text}");
            assert!(text.contains("ready"), "the widest columns are cut first: {width}: {text}");
        }
    }
}
