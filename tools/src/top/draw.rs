//! How a screen looks.

use colloquy_gateway::sight::text::{age, group, octets, rate};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Paragraph, Row, Sparkline, Table};

use super::grid::{GAP, Grid, Mood, constraints, spaced};
use super::listed;
use super::screen::{Screen, Tab};
use super::tables;

/// Lines of the course of a number, its name included.
const COURSE_LINES: u16 = 3;
/// Fewest columns for one of them.
const COURSE_COLUMNS_MIN: u16 = 26;

/// How to get the help, where there is room to say it.
const HELP_HINT: &str = " ? help";
const HELP: &str = "q            quit\n\
                    Tab, arrows  next view, last view\n\
                    Up, Down     scroll; Page Up, Page Down, Home too\n\
                    s            sort by the next column, sessions: next order\n\
                    r            sort the other way round\n\
                    /            filter rows; Enter keeps it, Esc drops it\n\
                    ?            this help; any key leaves it";

/// Draws all of it.
pub(super) fn draw(frame: &mut Frame<'_>, screen: &mut Screen) {
    let lines = header(screen, frame.area().width);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let [top, body, bottom] =
        Layout::vertical([Constraint::Length(height), Constraint::Min(1), Constraint::Length(1)])
            .areas(frame.area());
    frame.render_widget(Paragraph::new(lines), top);
    if screen.help {
        frame.render_widget(Paragraph::new(HELP), body);
    } else if screen.tab == Tab::Overview {
        overview(frame, screen, body);
    } else if let Some(grid) = screen.grid() {
        let body = if screen.tab == Tab::Sessions { which_sessions(frame, screen, body) } else { body };
        let heights = grid.heights(&grid.fit(body.width), true);
        screen.scroll = screen.scroll.min(last_start(&heights, usize::from(body.height.saturating_sub(1))));
        table(frame, screen, &grid, body, screen.scroll);
    }
    frame.render_widget(Paragraph::new(footer(screen, bottom.width)), bottom);
}

/// Says which sessions these are; gives the area below.
fn which_sessions(frame: &mut Frame<'_>, screen: &Screen, area: Rect) -> Rect {
    let text = screen.listed.as_ref().map_or_else(|| "asking the gateway".to_owned(), listed::text);
    let [line, rest] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    frame.render_widget(Paragraph::new(spaced(&text)), line);
    rest
}

fn style(screen: &Screen, mood: Mood) -> Style {
    let colour = match mood {
        Mood::Plain => return Style::new(),
        Mood::Good => Color::Green,
        Mood::Warning => Color::Yellow,
        Mood::Bad => Color::Red,
    };
    let bold = Style::new().add_modifier(Modifier::BOLD);
    if screen.coloured { bold.fg(colour) } else { bold }
}

/// The state in one line, in two where one is too narrow; and why there is no newer one.
fn header(screen: &Screen, width: u16) -> Vec<Line<'static>> {
    let report = &screen.report;
    let (state, mood) = match (&screen.gone, report.draining) {
        (Some(_), _) => ("\u{2715} gone", Mood::Bad),
        (None, true) => ("\u{25a0} draining", Mood::Warning),
        (None, false) => ("\u{25cf} ready", Mood::Good),
    };
    let sessions = &report.sessions;
    let facts = [
        format!("up {}", age(report.uptime_seconds)),
        report.backend.clone(),
        format!("configuration {}", report.config_generation),
        format!("sessions {}", group(sessions.all)),
        format!("established {}", group(sessions.established)),
    ];
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("Colloquy {}  ", report.version), Style::new().add_modifier(Modifier::BOLD)),
        Span::styled(state, style(screen, mood)),
    ])];
    let mut used = lines[0].width();
    for fact in facts.iter().map(|fact| spaced(fact)) {
        let fact_width = fact.chars().count() + usize::from(GAP);
        let room = usize::from(width).saturating_sub(used);
        let fits = fact_width <= room;
        used = if fits { used + fact_width } else { fact_width };
        if !fits {
            lines.push(Line::default());
        }
        let last = lines.len() - 1;
        let gap = if lines[last].spans.is_empty() { "" } else { "  " };
        lines[last].push_span(Span::raw(format!("{gap}{fact}")));
    }
    if let Some(why) = &screen.gone {
        let text = format!("{why}; the numbers are those of {}, asking again", report.at);
        lines.push(Line::styled(text, style(screen, Mood::Bad)));
    }
    lines.push(Line::default());
    lines
}

fn footer(screen: &Screen, width: u16) -> Line<'static> {
    if screen.typing {
        return Line::raw(format!("Filter: {}_", screen.filter));
    }
    let mut spans = Vec::new();
    for tab in Tab::ALL {
        let here = tab == screen.tab;
        let name = if here { format!("[{}] ", tab.name()) } else { format!("{} ", tab.name()) };
        let bold = if here { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
        spans.push(Span::styled(name, bold));
    }
    if !screen.filter.is_empty() {
        spans.push(Span::raw(format!(" filter: {}", screen.filter)));
    }
    let mut line = Line::from(spans);
    let help = if line.width() + HELP_HINT.len() <= usize::from(width) { HELP_HINT } else { "?" };
    line.push_span(Span::raw(help));
    line
}

fn overview(frame: &mut Frame<'_>, screen: &Screen, area: Rect) {
    let report = &screen.report;
    let mut grids = vec![
        tables::shards(report),
        tables::listeners(report),
        tables::targets(report),
        tables::latencies(report),
        tables::events(report),
    ];
    for grid in &mut grids {
        grid.arrange(&screen.filter, None);
    }
    let [courses, rest] =
        Layout::vertical([Constraint::Length(COURSE_LINES + 1), Constraint::Min(0)]).areas(area);
    draw_courses(frame, screen, courses);
    let mut y = rest.y;
    for (grid, height) in grids.iter().zip(share(&grids, rest.height)) {
        if height > 0 {
            table(frame, screen, grid, Rect { y, height: height - 1, ..rest }, 0);
        }
        y += height;
    }
}

/// Fewest lines that a table is shown in, if it has as many: a heading, two rows, a free line.
const TABLE_LINES_MIN: u16 = 4;

/// Lines for each table, a heading and a free line included. What has no room for a few is left to its own view, the
/// last ones first; what is left over goes round.
fn share(grids: &[Grid], height: u16) -> Vec<u16> {
    let wanted = |grid: &Grid| u16::try_from(grid.rows.len().max(1)).unwrap_or(u16::MAX).saturating_add(2);
    let mut heights: Vec<u16> = vec![0; grids.len()];
    // Below the last one no line has to be free.
    let mut left = height.saturating_add(1);
    for (given, grid) in heights.iter_mut().zip(grids) {
        let least = wanted(grid).min(TABLE_LINES_MIN);
        if least > left {
            break;
        }
        *given = least;
        left -= least;
    }
    // The rest goes round, one line each.
    while left > 0 {
        let before = left;
        for (given, grid) in heights.iter_mut().zip(grids) {
            if left > 0 && *given > 0 && *given < wanted(grid) {
                *given += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    heights
}

/// How the last two minutes went, as many numbers side by side as fit.
fn draw_courses(frame: &mut Frame<'_>, screen: &Screen, area: Rect) {
    let (rates, history) = (&screen.report.rates.last_1s, &screen.report.history);
    let whole = |values: &[f64]| values.iter().map(|value| value.round() as u64).collect::<Vec<_>>();
    let courses = [
        (format!("SSDU/s in {}", rate(rates.ssdus_in_per_second)), whole(&history.ssdus_in_per_second)),
        (format!("Octets/s in {}", octets(rates.octets_in_per_second)), whole(&history.octets_in_per_second)),
        (format!("Opened/s {}", rate(rates.opened_per_second)), whole(&history.opened_per_second)),
        (format!("SSDU/s out {}", rate(rates.ssdus_out_per_second)), whole(&history.ssdus_out_per_second)),
        (
            format!("Octets/s out {}", octets(rates.octets_out_per_second)),
            whole(&history.octets_out_per_second),
        ),
    ];
    let count = usize::from((area.width / COURSE_COLUMNS_MIN).max(1)).min(courses.len());
    let places = Layout::horizontal(vec![Constraint::Fill(1); count]).spacing(GAP).split(area);
    for ((name, values), place) in courses.iter().zip(places.iter()) {
        let [name_place, line_place, _] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(COURSE_LINES - 1),
            Constraint::Length(1),
        ])
        .areas(*place);
        frame.render_widget(Paragraph::new(spaced(name)), name_place);
        let shown = &values[values.len().saturating_sub(usize::from(line_place.width))..];
        let line = Sparkline::default().data(shown.iter().copied());
        let colour = if screen.coloured { Style::new().fg(Color::Cyan) } else { Style::new() };
        frame.render_widget(line.style(colour), line_place);
    }
}

fn table(frame: &mut Frame<'_>, screen: &Screen, grid: &Grid, area: Rect, from: usize) {
    let shown = grid.fit(area.width);
    let is_own_view = screen.tab != Tab::Overview;
    let by_column = if screen.tab == Tab::Sessions {
        screen.listed.as_ref().map(|listed| listed::column(listed.sort))
    } else {
        screen.sort.filter(|_| is_own_view).map(|(column, _)| column)
    };
    let aligned = |column: usize, text: String, style: Style| {
        let side = if grid.columns[column].right { Alignment::Right } else { Alignment::Left };
        Line::styled(text, style).alignment(side)
    };
    let heading = |column: usize| {
        let bold = Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
        let here = by_column == Some(column);
        let bold = if here { bold.add_modifier(Modifier::REVERSED) } else { bold };
        aligned(column, grid.columns[column].heading.to_owned(), bold)
    };
    let header = Row::new(shown.iter().map(|(column, _)| heading(*column)));
    let room = usize::from(area.height.saturating_sub(1));
    let heights = grid.heights(&shown, is_own_view);
    let from = from.min(heights.len());
    let (count, used) = fitting(&heights[from..], room);
    let rows = grid.rows[from..from + count].iter().zip(&heights[from..]).map(|(cells, height)| {
        let cell = |(column, width): &(usize, u16)| {
            let lines = grid.lines(&cells[*column].text, *column, *width, is_own_view);
            let line = |text| aligned(*column, text, style(screen, cells[*column].mood));
            Text::from(lines.into_iter().map(line).collect::<Vec<_>>())
        };
        Row::new(shown.iter().map(cell)).height(u16::try_from(*height).unwrap_or(u16::MAX))
    });
    let widget = Table::new(rows, constraints(&shown)).header(header).column_spacing(GAP);
    frame.render_widget(widget, area);
    let note = match grid.rows.len() - from - count {
        0 if screen.tab == Tab::Sessions && screen.listed.is_none() => return,
        0 if grid.rows.is_empty() => "  none".to_owned(),
        0 => return,
        hidden => format!("  and {hidden} more"),
    };
    let at = Rect { y: area.y + 1 + u16::try_from(used).unwrap_or(u16::MAX), height: 1, ..area };
    frame.render_widget(Paragraph::new(note), at.intersection(area));
}

/// How many of the first rows fit into so many lines, and how many lines they take. Where not all do, a line is left to
/// say so.
fn fitting(heights: &[usize], room: usize) -> (usize, usize) {
    let total: usize = heights.iter().sum();
    let room = if total > room { room.saturating_sub(1) } else { room };
    let mut used = 0;
    let fit = heights.iter().take_while(|height| {
        used += **height;
        used <= room
    });
    let count = fit.count();
    (count, heights[..count].iter().sum())
}

/// The row from which on the rest fits into so many lines: further down there is nothing to scroll to.
fn last_start(heights: &[usize], room: usize) -> usize {
    let mut used = 0;
    let fit = heights.iter().rev().take_while(|height| {
        used += **height;
        used <= room.max(1)
    });
    heights.len() - fit.count().max(1).min(heights.len())
}
