//! What the screen shows and what keys do to it.

use clap::ValueEnum;
use colloquy_gateway::sight::{Listed, Order, StatusReport};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::feed::{Answer, Seen};
use super::grid::Grid;
use super::listed;
use super::tables;

/// Characters of a filter.
const FILTER_CHARACTERS_MAX: usize = 40;
/// Rows that Page Up and Page Down move by.
const PAGE_ROWS: usize = 10;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Tab {
    /// All but the sessions, as much as fits
    Overview,
    /// The threads
    Shards,
    /// Where sessions come in
    Listeners,
    /// Where they go
    Targets,
    /// Sessions one by one
    Sessions,
    /// What has been counted since the start
    Totals,
    /// What has happened lately
    Events,
}

impl Tab {
    pub(super) const ALL: [Tab; 7] =
        [Tab::Overview, Tab::Shards, Tab::Listeners, Tab::Targets, Tab::Sessions, Tab::Totals, Tab::Events];

    /// The order of sessions to begin with, where there are any.
    pub(super) fn order(self) -> Option<Order> {
        (self == Tab::Sessions).then(Order::default)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Tab::Overview => "Overview",
            Tab::Shards => "Shards",
            Tab::Listeners => "Listeners",
            Tab::Targets => "Targets",
            Tab::Sessions => "Sessions",
            Tab::Totals => "Totals",
            Tab::Events => "Events",
        }
    }

    /// Its table; the overview has several.
    fn grid(self, report: &StatusReport, listed: Option<&Listed>) -> Option<Grid> {
        match self {
            Tab::Overview => None,
            Tab::Shards => Some(tables::shards(report)),
            Tab::Listeners => Some(tables::listeners(report)),
            Tab::Targets => Some(tables::targets(report)),
            Tab::Sessions => Some(listed::sessions(listed)),
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
    /// The sessions, once they have come.
    pub(super) listed: Option<Listed>,
    /// In which order they are listed.
    pub(super) order: Order,
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
    pub(super) fn new(seen: Seen, tab: Tab, coloured: bool) -> Screen {
        Screen {
            report: seen.report,
            listed: seen.listed,
            order: Order::default(),
            gone: None,
            tab,
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
            Ok(seen) => {
                self.report = seen.report;
                self.listed = seen.listed;
                self.gone = None;
            }
            Err(why) => self.gone = Some(why),
        }
    }

    /// The order in which sessions are wanted; none where they are not looked at.
    pub(super) fn wanted(&self) -> Option<Order> {
        self.tab.order().map(|_| self.order)
    }

    /// The rows of the present tab as they are to be shown.
    pub(super) fn grid(&self) -> Option<Grid> {
        let mut grid = self.tab.grid(&self.report, self.listed.as_ref())?;
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

    /// By the next column, numbers from the greatest down; after the last one as the gateway has it. Sessions the gateway
    /// sorts: those that come first may not be here.
    fn sort_next(&mut self) {
        if self.tab == Tab::Sessions {
            self.order = listed::next(self.order);
            self.scroll = 0;
            return;
        }
        let Some(grid) = self.tab.grid(&self.report, None) else { return };
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
