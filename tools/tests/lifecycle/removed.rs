//! What a reload finds gone from the file while it is in use: it goes on as it was, and is not opened wider than it was.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::gateway::{Gateway, head};
use crate::octets::{CC, CR};
use crate::on_each_driver;
use crate::peer::Peer;

/// A gateway with a control socket beside its configuration.
struct Bed {
    gateway: Gateway,
    head: String,
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Bed {
    fn start(driver: &str, tables: &str) -> Bed {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("control.sock");
        let head = head(driver, 1, "info")
            .replace("[log]", &format!("control_socket = \"{}\"\n[log]", socket.display()));
        Bed { gateway: Gateway::start(&format!("{head}{tables}")), head, socket, _folder: folder }
    }

    /// What is in effect and what waits, by key.
    fn reload(&self, tables: &str) -> [Vec<String>; 2] {
        self.gateway.write(&format!("{}{tables}", self.head));
        let answer = self.json(&["reload"]);
        ["applied", "needs_restart"].map(|list| {
            let changes = answer[list].as_array().unwrap_or_else(|| panic!("{answer}"));
            changes.iter().map(|change| change["key"].as_str().expect("a key").to_owned()).collect()
        })
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.args(arguments).arg("--json").arg("--socket").arg(&self.socket);
        let output = command.output().expect("the program runs");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

fn echo(driver: &str) -> Gateway {
    let head = head(driver, 1, "info");
    Gateway::start(&format!(
        "{head}[[listener]]\nname = \"e\"\naddress = \"127.0.0.1:0\"\napplication = \"echo\"\n"
    ))
}

const ECHO: &str = "[[listener]]\nname = \"e\"\naddress = \"127.0.0.1:0\"\napplication = \"echo\"\n";

#[test]
fn a_listener_that_is_gone_goes_on_with_its_route_and_target_until_the_restart() {
    on_each_driver("removed listener", |driver| {
        let server = echo(driver);
        let routed = format!(
            "[[listener]]\nname = \"in\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\n\
             [[route]]\nname = \"r\"\nlisteners = [\"in\"]\ntarget = \"t\"\n[[target]]\nname = \"t\"\naddress = \"{}\"\n",
            server.address("e")
        );
        let bed = Bed::start(driver, &format!("{ECHO}{routed}"));
        let mut old = Peer::session(bed.gateway.address("in"));
        let [applied, waits] = bed.reload(ECHO);
        assert_eq!(
            (applied.len(), waits),
            (0, ["listener[in]", "route[r]", "target[t]"].map(String::from).into())
        );
        old.echo(b"begun before");
        let mut new = Peer::session(bed.gateway.address("in"));
        new.echo(b"begun later");
        // With the file as it was there is nothing left to wait for.
        assert_eq!(bed.reload(&format!("{ECHO}{routed}")), [const { Vec::<String>::new() }; 2]);
        old.release();
        new.release();
    });
}

#[test]
fn sessions_of_a_target_that_has_another_name_now_go_on() {
    on_each_driver("renamed target", |driver| {
        let server = echo(driver);
        let to = |target: &str| {
            format!(
                "[[listener]]\nname = \"in\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\ntarget = \"{target}\"\n\
                 [[target]]\nname = \"{target}\"\naddress = \"{}\"\n",
                server.address("e")
            )
        };
        let bed = Bed::start(driver, &to("before"));
        let mut old = Peer::session(bed.gateway.address("in"));
        let [applied, waits] = bed.reload(&to("now"));
        assert_eq!(applied, ["listener[in].target", "target[before]", "target[now]"]);
        assert!(waits.is_empty(), "{waits:?}");
        old.echo(b"begun before");
        let mut new = Peer::session(bed.gateway.address("in"));
        new.echo(b"begun later");
        let listed = bed.json(&["targets", "list"]);
        for (name, removed) in [("before", true), ("now", false)] {
            let targets = listed["targets"].as_array().expect("a list");
            let target = targets.iter().find(|target| target["name"] == name).expect(name);
            assert_eq!((&target["removed"], &target["sessions"]), (&removed.into(), &1.into()), "{target}");
        }
        old.release();
        new.release();
    });
}

/// The header is asked for until the restart, so whom it is believed of must stay, too.
#[test]
fn sources_of_proxy_headers_wait_with_the_protocol() {
    let asks = ECHO.to_owned() + "proxy_protocol = \"required\"\nproxy_sources = [\"10.0.0.0/8\"]\n";
    let bed = Bed::start("mio", &asks);
    let is_let_in = |header: &[u8]| {
        let mut peer = Peer::connect(bed.gateway.address("e"));
        peer.send(&[header, &CR].concat());
        peer.receive(CC.len()) == CC
    };
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    header.extend([192, 0, 2, 1, 192, 0, 2, 2, 0, 99, 0, 102]);
    assert!(!is_let_in(&header) && !is_let_in(b""));
    let [applied, waits] = bed.reload(ECHO);
    assert_eq!(
        (applied.len(), waits),
        (0, ["listener[e].proxy_protocol", "listener[e].proxy_sources"].map(String::from).into())
    );
    assert!(!is_let_in(&header), "a header is believed of nobody but 10.0.0.0/8");
    assert!(!is_let_in(b""), "without a header nobody is let in");
    // Where the protocol stays, its sources change for connections that come later.
    let [applied, _] = bed.reload(&asks.replace("10.0.0.0", "127.0.0.0"));
    assert_eq!(applied, ["listener[e].proxy_sources"]);
    assert!(is_let_in(&header));
}
