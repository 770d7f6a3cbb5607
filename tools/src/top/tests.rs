//! Frames of reports that a gateway gave with 0, 10 and 10 000 sessions, and keys.

use colloquy_gateway::sight::status::{Event, TargetReport};
use colloquy_gateway::sight::{Listed, Order, StatusReport};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::feed::Seen;
use super::frame;
use super::screen::{Screen, Tab, Wish};

const RECORDED: [(&str, &str); 3] = [
    ("0", include_str!("recorded/0-sessions.json")),
    ("10", include_str!("recorded/10-sessions.json")),
    ("10 000", include_str!("recorded/10000-sessions.json")),
];

fn report(text: &str) -> StatusReport {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// As it was recorded, with the sessions that the gateway listed meanwhile.
fn seen(text: &str) -> Seen {
    Seen { report: report(text), listed: Some(listed()) }
}

fn listed() -> Listed {
    serde_json::from_str(include_str!("recorded/sessions-first.json"))
        .unwrap_or_else(|error| panic!("{error}"))
}

fn screen(recorded: usize) -> Screen {
    Screen::new(seen(RECORDED[recorded].1), Tab::Overview, false)
}

fn press(screen: &mut Screen, codes: &[KeyCode]) -> Wish {
    let mut wish = Wish::Stay;
    for code in codes {
        wish = screen.key(KeyEvent::new(*code, KeyModifiers::NONE));
    }
    wish
}

fn typed(screen: &mut Screen, text: &str) {
    text.chars().for_each(|character| {
        press(screen, &[KeyCode::Char(character)]);
    });
}

#[test]
fn every_view_of_every_report_fits_200_and_60_columns_and_few_lines() {
    for (sessions, text) in RECORDED {
        let mut screen = Screen::new(seen(text), Tab::Overview, false);
        for tab in Tab::ALL {
            screen.tab = tab;
            for (width, height) in [(200, 50), (100, 30), (60, 40), (60, 12), (20, 10)] {
                let shown = frame(&screen, width, height);
                assert!(shown.lines().count() <= usize::from(height), "{shown}");
                assert!(shown.lines().all(|line| line.chars().count() <= usize::from(width)), "{shown}");
            }
            let shown = frame(&screen, 60, 40);
            assert!(
                shown.contains(&format!("sessions {sessions}\n"))
                    || shown.contains(&format!("sessions {sessions}  ")),
                "{shown}"
            );
            assert!(shown.contains(&format!("[{}]", tab.name())), "{shown}");
        }
    }
}

#[test]
fn a_small_screen_shows_rows_and_an_empty_table_says_so() {
    for recorded in 0..RECORDED.len() {
        let screen = screen(recorded);
        let shown = frame(&screen, 60, 20);
        for listener in screen.report.listeners.iter().take(1) {
            assert!(shown.contains(&listener.address), "{}:\n{shown}", listener.address);
        }
        assert!(shown.lines().filter(|line| line.contains("\u{2591}")).count() >= 1, "a shard:\n{shown}");
    }
    let mut screen = screen(1);
    screen.report.targets.clear();
    screen.tab = Tab::Targets;
    let shown = frame(&screen, 100, 20);
    let heading = shown.lines().position(|line| line.starts_with("Target")).expect("the heading");
    assert_eq!(shown.lines().nth(heading + 1), Some("  none"), "{shown}");
}

#[test]
fn long_details_are_told_whole_in_their_own_view() {
    let mut screen = screen(0);
    let fields = [("why".to_owned(), "one two three four five six seven eight nine zulu".to_owned())];
    let event = Event { message: "happened".to_owned(), fields: fields.into(), ..Event::default() };
    screen.report.events.push(event);
    let overview = frame(&screen, 70, 60);
    assert!(overview.contains('\u{2026}') && !overview.contains("zulu"), "cut, and seen to be:\n{overview}");
    screen.tab = Tab::Events;
    let shown = frame(&screen, 70, 60);
    assert!(shown.contains("why=one") && shown.contains("zulu"), "{shown}");
}

#[test]
fn the_least_important_columns_go_first() {
    let screen = screen(2);
    let (wide, narrow) = (frame(&screen, 200, 60), frame(&screen, 60, 60));
    for heading in ["Turns/s", "Queue octets", "Calls/SPDU", "Core"] {
        assert!(wide.contains(heading) && !narrow.contains(heading), "{heading}:\n{narrow}");
    }
    for heading in ["Shard", "Sessions", "Busy", "Target", "State", "Health", "Event"] {
        assert!(narrow.contains(heading), "{heading}:\n{narrow}");
    }
}

#[test]
fn what_the_report_says_is_what_is_shown() {
    let screen = screen(2);
    let shown = frame(&screen, 200, 60);
    for shard in &screen.report.shards {
        let sessions = super::grid::spaced(&colloquy_gateway::sight::text::group(shard.sessions));
        let row = shown.lines().find(|line| line.trim_start().starts_with(&format!("{} ", shard.number)));
        assert!(row.is_some_and(|row| row.contains(&sessions)), "{sessions}:\n{shown}");
    }
    for listener in &screen.report.listeners {
        assert!(shown.contains(&listener.address), "{}:\n{shown}", listener.address);
    }
    for target in &screen.report.targets {
        assert!(shown.contains(&target.name), "{}:\n{shown}", target.name);
    }
}

#[test]
fn keys_turn_sort_filter_and_quit() {
    let mut screen = screen(1);
    screen.report.targets = (0..30)
        .map(|number| TargetReport {
            name: format!("plant-{number}"),
            sessions: Some(number * 7 % 30),
            state: "ready".to_owned(),
            ..TargetReport::default()
        })
        .collect();
    press(&mut screen, &[KeyCode::Tab, KeyCode::Tab, KeyCode::Tab]);
    assert_eq!(screen.tab, Tab::Targets);
    // The fifth column: sessions, the most first.
    (0..5).for_each(|_| typed(&mut screen, "s"));
    let first = |screen: &Screen| screen.grid().expect("a table").rows[0][4].text.clone();
    assert_eq!(first(&screen), "29");
    typed(&mut screen, "r");
    assert_eq!(first(&screen), "0");
    press(&mut screen, &[KeyCode::PageDown, KeyCode::PageDown, KeyCode::PageDown, KeyCode::PageDown]);
    let shown = frame(&screen, 100, 20);
    assert!(shown.lines().any(|line| line.starts_with("plant-") && line.contains("29")), "the end:\n{shown}");
    typed(&mut screen, "/plant-2");
    assert_eq!(screen.grid().expect("a table").rows.len(), 11);
    // In a filter every letter is a letter.
    typed(&mut screen, "q");
    assert_eq!(screen.grid().expect("a table").rows.len(), 0);
    press(&mut screen, &[KeyCode::Backspace, KeyCode::Enter]);
    assert_eq!(screen.grid().expect("a table").rows.len(), 11);
    press(&mut screen, &[KeyCode::Esc, KeyCode::BackTab]);
    assert_eq!((screen.tab, screen.filter.as_str(), screen.sort), (Tab::Listeners, "", None));
    typed(&mut screen, "?");
    assert!(frame(&screen, 80, 20).contains("sort by the next column"));
    typed(&mut screen, "x");
    assert!(!screen.help);
    assert_eq!(press(&mut screen, &[KeyCode::Char('q')]), Wish::Quit);
}

#[test]
fn sessions_are_sorted_by_the_gateway_and_told_to_be_some_of_many() {
    let mut screen = screen(2);
    assert_eq!(screen.wanted(), None, "nobody looks at them");
    screen.tab = Tab::Sessions;
    let shown = frame(&screen, 200, 40);
    let first = &shown.lines().nth(4).expect("a row");
    assert!(shown.contains("4 of 10 000 sessions, longest idle first"), "{shown}");
    assert!(first.starts_with("1-") && first.contains("open") && first.contains("STA713"), "{first}");
    assert!(frame(&screen, 60, 20).contains("Peer"), "{shown}");
    let orders: Vec<Option<Order>> = std::iter::repeat_with(|| {
        let order = screen.wanted();
        typed(&mut screen, "s");
        order
    })
    .take(6)
    .collect();
    let all = [Order::Idle, Order::Age, Order::New, Order::Octets, Order::Queued, Order::Idle];
    assert_eq!(orders, all.map(Some));
    typed(&mut screen, "/no such session");
    assert!(frame(&screen, 100, 20).contains("  none"));
    screen.listed = None;
    let shown = frame(&screen, 100, 20);
    assert!(shown.contains("asking the gateway") && !shown.contains("none"), "{shown}");
}

#[test]
fn a_gateway_that_goes_leaves_its_numbers_and_comes_back() {
    let mut screen = screen(1);
    screen.renew(Err("no gateway at /run/x: gone".to_owned()));
    let shown = frame(&screen, 200, 40);
    assert!(shown.contains("gone") && shown.contains("no gateway at /run/x"), "{shown}");
    assert!(shown.contains("sessions 10"), "the last numbers stay:\n{shown}");
    screen.renew(Ok(Box::new(seen(RECORDED[0].1))));
    let shown = frame(&screen, 200, 40);
    assert!(shown.contains("ready") && shown.contains("sessions 0"), "{shown}");
    assert!(!shown.contains("no gateway"), "{shown}");
}

#[test]
fn texts_of_peers_cannot_leave_their_place() {
    let mut screen = screen(0);
    let message = "\u{1b}[2J\nlong ".repeat(50);
    screen.report.events.push(Event { message, ..Event::default() });
    for width in [60, 200] {
        let shown = frame(&screen, width, 40);
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        assert!(shown.lines().all(|line| line.chars().count() <= usize::from(width)), "{shown}");
    }
}
