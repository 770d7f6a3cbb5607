//! The page in a browser, and without one.

use std::process::{Command, Stdio};

use crate::gateway::Gateway;
use crate::peer::Peer;
use crate::process;
use crate::skip::skip;

/// The browser's clock runs so far: a few updates of the page.
const VIRTUAL_TIME_MS: u32 = 4000;
/// Octets of the page of a gateway with a few listeners.
const PAGE_OCTETS_MAX: usize = 60 << 10;
/// Where a browser may be, by name.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

fn browser() -> Option<&'static str> {
    let runs = |name: &&&str| {
        let version =
            Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    };
    BROWSERS.iter().find(runs).copied()
}

/// The document after the page's script has run for a while, and what the browser said meanwhile.
fn document(browser: &str, url: &str) -> (String, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new("timeout");
    command
        .args(["60", browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .arg(format!("--user-data-dir={}", folder.path().display()))
        .args(["--enable-logging=stderr", "--v=0", "--dump-dom"]);
    command.arg(format!("--virtual-time-budget={VIRTUAL_TIME_MS}"));
    let output = command.arg(url).output().expect("the browser runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}: {said}", output.status);
    (String::from_utf8_lossy(&output.stdout).into_owned(), said)
}

/// The text of the element of an id, without the spaces between groups of digits.
fn text_of(document: &str, id: &str) -> String {
    let place = document.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id} in {document}"));
    let inside = document[place..].split_once('>').expect("the element begins").1;
    let end = inside.find("</d").or(inside.find("</s")).expect("the element ends");
    plain(&inside[..end])
}

fn plain(html: &str) -> String {
    html.replace(['\u{202f}', '\u{a0}'], "").replace("&nbsp;", "").trim().to_owned()
}

/// The cells of the row that begins with a name, in the body of a table.
fn row_of(document: &str, table: &str, name: &str) -> Vec<String> {
    let place = document.find(&format!("<tbody id=\"{table}\">")).unwrap_or_else(|| panic!("no {table}"));
    let body = document[place..].split_once("</tbody>").expect("the table ends").0;
    let rows = body.split("<tr>").skip(1).map(|row| {
        let cells = row.split("</t").filter_map(|cell| cell.split_once('>').map(|(_, rest)| rest));
        // What remains of the end of the cell before goes with its tag.
        cells
            .filter_map(|cell| cell.rsplit_once('>').map(|(_, text)| text).or(Some(cell)))
            .map(plain)
            .collect()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let found = rows.iter().find(|row| row.first().is_some_and(|first| first.contains(name)));
    found.unwrap_or_else(|| panic!("no {name} in {rows:?}")).clone()
}

fn agrees(document: &str, gateway: &Gateway) {
    let established = gateway.metric("colloquy_sessions", &[("state", "established"), ("role", "any")]);
    assert_eq!(text_of(document, "established"), established.to_string(), "established");
    let accepted = gateway.metric("colloquy_sessions", &[("state", "all"), ("role", "responder")]);
    let opened = gateway.metric("colloquy_sessions", &[("state", "all"), ("role", "initiator")]);
    assert_eq!(text_of(document, "sessions"), (accepted + opened).to_string(), "sessions");
    let total = |name: &str| row_of(document, "totals", name).join(" ");
    let direction = |name: &str, direction| gateway.metric(name, &[("direction", direction)]).to_string();
    for (row, expected) in [
        ("sessions opened", gateway.metric("colloquy_sessions_opened_total", &[]).to_string()),
        ("user octets in", direction("colloquy_user_data_bytes_total", "in")),
        ("user octets out", direction("colloquy_user_data_bytes_total", "out")),
    ] {
        assert!(total(row).contains(&expected), "{row}: {expected} is not in {}", total(row));
    }
    let released = gateway.metric("colloquy_sessions_closed_total", &[("reason", "released")]).to_string();
    assert!(row_of(document, "closings", "released").join(" ").contains(&released));
}

#[test]
fn the_page_shows_in_a_browser_what_the_metrics_say() {
    let (gateway, echo, relay) = Gateway::echo_and_relay("mio", 2);
    for to in [echo, relay, relay] {
        let mut peer = Peer::session(to);
        peer.echo(&[1; 3000]);
        peer.release();
    }
    let mut open: Vec<Peer> = (0..12).map(|_| Peer::session(echo)).collect();
    open.iter_mut().for_each(|peer| peer.echo(&[2; 20_000]));
    // A peer that breaks the protocol: an event with a page.
    let mut wrong = Peer::session(echo);
    wrong.send(&crate::octets::data(&[0xff, 0x00]));
    drop(wrong);
    gateway.wait_for("12 sessions", |status| status["sessions"]["all"] == 12);
    let url = format!("http://{}/", gateway.admin());
    match browser() {
        None => skip("the page in a browser: there is no chromium"),
        Some(browser) => {
            let (document, said) = document(browser, &url);
            let updates = document.split_once("data-updates=\"").map(|(_, rest)| rest.split('"').next());
            assert!(
                updates.flatten().and_then(|count| count.parse::<u32>().ok()).is_some_and(|count| count >= 2),
                "the script has not renewed the page: {said}"
            );
            assert!(!said.contains("CONSOLE"), "{said}");
            agrees(&document, &gateway);
            assert!(document.contains("href=\"/manual/CLQ-S02\""), "the event of the wrong peer");
            assert!(text_of(&document, "state").contains("ready"));
            assert!(document.contains("<span id=\"sessions-said\">12 sessions.</span>"), "{document}");
            for peer in &open {
                assert!(document.contains(&format!("<td>{}</td>", peer.address())), "{}", peer.address());
            }
        }
    }
    for peer in open {
        peer.release();
    }
    gateway.wait_until_idle();
    gateway.finish();
}

#[test]
fn the_page_needs_nothing_from_outside_and_tells_the_numbers_without_a_script() {
    let (gateway, echo, _) = Gateway::echo_and_relay("mio", 1);
    Peer::session(echo).release();
    gateway.wait_until_idle();
    let answer = gateway.get("/");
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("content-security-policy: default-src 'none'"), "{}", answer.head);
    assert!(answer.head.contains("content-type: text/html"), "{}", answer.head);
    let page = &answer.body;
    assert!(page.len() < PAGE_OCTETS_MAX, "{} octets", page.len());
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "the page has {outside}");
    }
    agrees(page, &gateway);
    for needed in [
        "<h1>",
        "<h2",
        "<th scope=\"col\"",
        "<th scope=\"row\"",
        "lang=\"en\"",
        "<noscript>",
        "prefers-color-scheme",
    ] {
        assert!(page.contains(needed), "the page lacks {needed}");
    }
    let link = "/manual/CLQ-G01";
    assert!(page.contains(link), "the events have links");
    let manual = gateway.get(link);
    assert!(manual.status == 200 && manual.body.contains("<h2>Action</h2>"), "{}", manual.body);
    assert_eq!(gateway.get("/manual/CLQ-Z99").status, 404);
    assert_eq!(gateway.get("/nothing").status, 404);
    gateway.finish();
}

#[test]
fn the_page_says_that_the_gateway_is_gone() {
    let Some(browser) = browser() else {
        return skip("the page of a gateway that is gone: there is no chromium");
    };
    let (gateway, ..) = Gateway::echo_and_relay("mio", 1);
    // The page as the gateway gave it, from a server that has nothing else.
    let page = gateway.get("/").body;
    gateway.finish();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 4096];
            let Ok(count) = stream.read(&mut request) else { continue };
            let page: &str = if request[..count].starts_with(b"GET / ") { &page } else { "" };
            let status = if page.is_empty() { "503 Gone" } else { "200 OK" };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                page.len()
            );
            let _ = stream.write_all((head + page).as_bytes());
        }
    });
    process::wait_for_listener(address);
    let (document, _) = document(browser, &format!("http://{address}/"));
    assert!(text_of(&document, "state").contains("gone"), "{document}");
    let note = document.split_once("id=\"gone\"").expect("the note").1.split_once("</p>").expect("its end").0;
    assert!(note.contains("does not answer (it answers 503)") && !note.contains("hidden"), "{note}");
}
