//! What the screen shows and what keys do to it.

use colloquy_gateway::sight::StatusReport;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::Answer;
use super::grid::Grid;
use super::tables;

/// Characters of a filter.
const FILTER_CHARACTERS_MAX: usize = 40;
/// Rows that Page Up and Page Down move by.
const PAGE_ROWS: usize = 10;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    Overview,
    Shards,
    Listeners,
    Targets,
    Totals,
    Events,
}

impl Tab {
    pub(super) const ALL: [Tab; 6] =
        [Tab::Overview, Tab::Shards, Tab::Listeners, Tab::Targets, Tab::Totals, Tab::Events];

    pub(super) fn name(self) -> &'static str {
        match self {
            Tab::Overview => "Overview",
            Tab::Shards => "Shards",
            Tab::Listeners => "Listeners",
            Tab::Targets => "Targets",
            Tab::Totals => "Totals",
            Tab::Events => "Events",
        }
    }

    /// Its table; the overview has several.
    pub(super) fn grid(self, report: &StatusReport) -> Option<Grid> {
        match self {
            Tab::Overview => None,
            Tab::Shards => Some(tables::shards(report)),
            Tab::Listeners => Some(tables::listeners(report)),
            Tab::Targets => Some(tables::targets(report)),
            Tab::Totals => Some(tables::totals(report)),
            Tab::Events => Some(tables::events(report)),
        }
    }
}

/// What a key asks of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Stay,
    Quit,
}

/// The state of the screen.
#[derive(Clone, Debug)]
pub(super) struct Screen {
    pub(super) report: StatusReport,
    /// Why there is no newer report.
    pub(super) gone: Option<String>,
    pub(super) tab: Tab,
    /// Column and direction; none: as the gateway has it.
    pub(super) sort: Option<(usize, bool)>,
    pub(super) filter: String,
    /// The filter is being typed.
    pub(super) typing: bool,
    pub(super) help: bool,
    /// First row that is shown.
    pub(super) scroll: usize,
    pub(super) coloured: bool,
}

impl Screen {
    pub(super) fn new(report: StatusReport, coloured: bool) -> Screen {
        Screen {
            report,
            gone: None,
            tab: Tab::Overview,
            sort: None,
            filter: String::new(),
            typing: false,
            help: false,
            scroll: 0,
            coloured,
        }
    }

    /// Takes what the gateway has answered; without an answer the last report stays.
    pub(super) fn renew(&mut self, answer: Answer) {
        match answer {
            Ok(report) => {
                self.report = *report;
                self.gone = None;
            }
            Err(why) => self.gone = Some(why),
        }
    }

    /// The rows of the present tab as they are to be shown.
    pub(super) fn grid(&self) -> Option<Grid> {
        let mut grid = self.tab.grid(&self.report)?;
        grid.arrange(&self.filter, self.sort);
        Some(grid)
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Wish {
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return Wish::Quit;
        }
        if self.typing {
            self.type_filter(key.code);
            return Wish::Stay;
        }
        if std::mem::take(&mut self.help) {
            return Wish::Stay;
        }
        match key.code {
            KeyCode::Char('q') => return Wish::Quit,
            KeyCode::Char('?') => self.help = true,
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Tab | KeyCode::Right => self.turn(1),
            KeyCode::BackTab | KeyCode::Left => self.turn(Tab::ALL.len() - 1),
            KeyCode::Char('s') => self.sort_next(),
            KeyCode::Char('r') => {
                if let Some((_, reversed)) = &mut self.sort {
                    *reversed = !*reversed;
                }
            }
            KeyCode::Down => self.scroll += 1,
            KeyCode::Up => self.scroll = self.scroll.saturating_sub(1),
            KeyCode::PageDown => self.scroll += PAGE_ROWS,
            KeyCode::PageUp => self.scroll = self.scroll.saturating_sub(PAGE_ROWS),
            KeyCode::Home => self.scroll = 0,
            _ => {}
        }
        Wish::Stay
    }

    fn turn(&mut self, by: usize) {
        let at = Tab::ALL.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        self.tab = Tab::ALL[(at + by) % Tab::ALL.len()];
        self.sort = None;
        self.scroll = 0;
    }

    /// By the next column, numbers from the greatest down; after the last one as the gateway has it.
    fn sort_next(&mut self) {
        let Some(grid) = self.tab.grid(&self.report) else { return };
        let next = self.sort.map_or(0, |(column, _)| column + 1);
        self.sort = grid.columns.get(next).map(|column| (next, column.right));
    }

    fn type_filter(&mut self, code: KeyCode) {
        match code {
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.typing = false;
                self.filter.clear();
            }
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Char(character) if self.filter.chars().count() < FILTER_CHARACTERS_MAX => {
                self.filter.push(character);
                self.scroll = 0;
            }
            _ => {}
        }
    }
}
