//! What a reload does with one key of each section and class: what is announced, and what happens to a session that was
//! open before and to one that begins later.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::gateway::Gateway;
use crate::octets::{CN, CR, DR_CONGESTION, data, hex, ssdu, tpkt};
use crate::on_each_driver;
use crate::peer::{PATIENCE, Peer};
use crate::process::poll_pause;

/// Reads the session's SPDU that ends or refuses it.
const FN: u8 = 0x09;
const RF: u8 = 0x0c;
const AB: u8 = 0x19;
/// Octets of an SSDU after which the session waits for a minute, as long as it may send 1 KiB in a second.
const LONG: usize = 60_000;

/// Where the old session is, what changes, and what must be so behind the reload.
struct Row {
    listener: &'static str,
    key: &'static str,
    class: &'static str,
    change: (&'static str, &'static str),
    check: fn(&Bed, &mut Peer),
}

const fn row(
    listener: &'static str,
    key: &'static str,
    class: &'static str,
    change: (&'static str, &'static str),
    check: fn(&Bed, &mut Peer),
) -> Row {
    Row { listener, key, class, change, check }
}

/// An empty line of a table of [`CONFIG`] stands for keys that a row adds.
const ROWS: &[Row] = &[
    row("in", "engine.shards", "restart", ("shards = 1", "shards = 2"), |bed, old| {
        old.echo(b"as before");
        assert_eq!(bed.json(&["status"])["shards"].as_array().map(Vec::len), Some(1));
    }),
    row("in", "listener[in].address", "restart", ("127.0.0.1:0\" # in", "127.0.0.1:1\""), |bed, old| {
        old.echo(b"as before");
        Peer::session(bed.gateway.address("in")).release();
    }),
    row("in", "listener[in].keepalive", "restart", ("# in\n", "\nkeepalive = \"5s\"\n"), |_, old| {
        old.echo(b"on")
    }),
    row(
        "in",
        "listener[in].called_ssaps",
        "new-sessions",
        ("# in\n", "\ncalled_ssaps = [\"0x09\"]\n"),
        |bed, old| {
            old.echo(b"begun before");
            bed.refused("in");
        },
    ),
    row("in", "listener[in].deny", "new-sessions", ("# in\n", "\ndeny = [\"127.0.0.0/8\"]\n"), |bed, old| {
        old.echo(b"begun before");
        let mut peer = Peer::connect(bed.gateway.address("in"));
        peer.send(&CR);
        assert_eq!(peer.receive(6)[5], 0x80, "DR");
    }),
    row(
        "in",
        "listener[in].idle_timeout",
        "new-sessions",
        ("# in\n", "\nidle_timeout = \"100ms\"\n"),
        |bed, old| {
            assert_eq!(Peer::session(bed.gateway.address("in")).tsdu()[0], FN);
            old.echo(b"idle for as long");
        },
    ),
    row("in", "listener[in].sessions_max", "live", ("# in\n", "\nsessions_max = 1\n"), |bed, old| {
        bed.no_place("in");
        old.echo(b"the one");
    }),
    row("slow", "listener[slow].octets_per_second_max", "live", ("\"1KiB\"", "\"1MiB\""), |_, old| {
        old.expect_ssdu(&[7; LONG]);
        old.expect_ssdu(b"waits");
    }),
    row("in", "listener[in].release_timeout", "live", ("\"1h\" # release", "\"200ms\""), |bed, old| {
        let name = bed.session_of(old);
        bed.json(&["sessions", "close", &name]);
        assert_eq!(old.tsdu()[0], FN);
        assert_eq!(old.tsdu()[0], AB, "it was not answered");
    }),
    row("routed", "route[r].sessions_max", "live", ("# r\n", "\nsessions_max = 1\n"), |bed, old| {
        bed.refused("routed");
        old.echo(b"the one");
    }),
    row(
        "routed",
        "route[r].target",
        "new-sessions",
        ("target = \"t\" # r", "target = \"u\""),
        Bed::goes_to_the_other,
    ),
    row("grouped", "upstream[g].targets", "new-sessions", ("[\"t\"]", "[\"u\"]"), Bed::goes_to_the_other),
    // The connection that waits for a session goes to the old address.
    row(
        "warm",
        "target[warm].address",
        "new-sessions",
        ("FIRST\" # warm", "SECOND\""),
        Bed::goes_to_the_other,
    ),
    row("routed", "target[t].state", "live", ("# t\n", "\nstate = \"drain\"\n"), |bed, old| {
        bed.refused("routed");
        old.echo(b"to its end");
    }),
    row("routed", "target[t].sessions_max", "live", ("# t\n", "\nsessions_max = 1\n"), |bed, old| {
        bed.refused("routed");
        old.echo(b"the one");
    }),
    row("in", "limits.sessions_max", "live", ("# limits\n", "\nsessions_max = 1\n"), |bed, old| {
        bed.no_place("in");
        old.echo(b"the one");
    }),
    row("in", "admin.address", "restart", ("127.0.0.1:0\" # admin", "127.0.0.1:1\""), |bed, _| {
        assert_eq!(bed.gateway.get("/readyz").0, 200);
    }),
    row("in", "log.format", "restart", ("format = \"json\"", "format = \"text\""), |bed, _| {
        let peer = Peer::session(bed.gateway.address("in"));
        let address = peer.address().to_string();
        bed.gateway.log.wait_for("a record in JSON", |record| record["peer"] == address.as_str());
    }),
    row("in", "drain.action", "live", ("# drain\n", "\naction = \"abort\"\n"), |bed, old| {
        bed.gateway.terminate();
        assert_eq!(old.tsdu()[0], AB);
    }),
];

const CONFIG: &str = "schema_version = 1
[engine]
driver = \"DRIVER\"
shards = 1
[limits]
# limits
[admin]
address = \"127.0.0.1:0\" # admin
control_socket = \"SOCKET\"
[log]
format = \"json\"
[drain]
# drain
[[listener]]
name = \"in\"
application = \"echo\"
release_timeout = \"1h\" # release
address = \"127.0.0.1:0\" # in
[[listener]]
name = \"slow\"
address = \"127.0.0.1:0\"
application = \"echo\"
octets_per_second_max = \"1KiB\"
[[listener]]
name = \"routed\"
address = \"127.0.0.1:0\"
application = \"relay\"
[[listener]]
name = \"grouped\"
address = \"127.0.0.1:0\"
application = \"relay\"
upstream = \"g\"
[[listener]]
name = \"warm\"
address = \"127.0.0.1:0\"
application = \"relay\"
target = \"warm\"
[[route]]
name = \"r\"
target = \"t\" # r
[[upstream]]
name = \"g\"
targets = [\"t\"]
[[target]]
name = \"t\"
address = \"FIRST\" # t
[[target]]
name = \"u\"
address = \"SECOND\"
[[target]]
name = \"warm\"
policy = \"on_startup\"
called_tsap = \"0x\"
calling_tsap = \"0x\"
address = \"FIRST\" # warm
";

/// The gateway under test, and the two echoes that it relays to.
struct Bed {
    gateway: Gateway,
    servers: [Gateway; 2],
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Bed {
    fn json(&self, arguments: &[&str]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.args(arguments).arg("--json").arg("--socket").arg(&self.socket);
        let output = command.output().expect("the program runs");
        let told = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&told).unwrap_or_else(|error| {
            panic!("{arguments:?}: {error}: {told}{}", String::from_utf8_lossy(&output.stderr))
        })
    }

    /// A session is refused by RF.
    fn refused(&self, listener: &str) {
        let mut peer = Peer::transport(self.gateway.address(listener));
        peer.send(&data(&hex(CN)));
        assert_eq!(peer.tsdu()[0], RF, "{listener}");
    }

    /// A connection is refused by DR.
    fn no_place(&self, listener: &str) {
        let mut peer = Peer::connect(self.gateway.address(listener));
        peer.send(&CR);
        peer.expect(&DR_CONGESTION);
    }

    /// The session of before stays with the first target, the next one goes to the second.
    fn goes_to_the_other(&self, old: &mut Peer) {
        old.echo(b"with the first");
        let mut peer = Peer::session(self.gateway.address(&self.listener_of(old)));
        peer.echo(b"with the second");
        for server in &self.servers {
            server.wait_for_metric("colloquy_sessions{state=\"established\",role=\"any\"}", 1.0);
        }
    }

    fn found(&self, peer: &Peer) -> Value {
        let address = peer.address().to_string();
        let list = self.json(&["sessions", "list", "--peer", &address]);
        list["sessions"][0].clone()
    }

    fn session_of(&self, peer: &Peer) -> String {
        self.found(peer)["session"].as_str().expect("a session").to_owned()
    }

    fn listener_of(&self, peer: &Peer) -> String {
        self.found(peer)["listener"].as_str().expect("a listener").to_owned()
    }
}

fn echo(driver: &str) -> Gateway {
    let head = crate::gateway::head(driver, 1, "info");
    Gateway::start(&format!(
        "{head}[[listener]]\nname = \"echo\"\naddress = \"127.0.0.1:0\"\napplication = \"echo\"\n"
    ))
}

fn bed(driver: &str) -> (Bed, String) {
    let servers = [echo(driver), echo(driver)];
    let [first, second] = servers.each_ref().map(|server| server.address("echo").to_string());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("control.sock");
    let text = CONFIG.replace("DRIVER", driver).replace("SOCKET", &socket.display().to_string());
    let text = text.replace("FIRST", &first).replace("SECOND", &second);
    let gateway = Gateway::start(&text);
    (Bed { gateway, servers, socket, _folder: folder }, text)
}

#[test]
fn each_key_takes_effect_when_its_class_says() {
    on_each_driver("reload classes", |driver| {
        for row in ROWS {
            let (bed, text) = bed(driver);
            let [first, second] = bed.servers.each_ref().map(|server| server.address("echo").to_string());
            let named = |part: &str| part.replace("FIRST", &first).replace("SECOND", &second);
            let change = (named(row.change.0), named(row.change.1));
            assert_eq!(text.matches(&change.0).count(), 1, "{}: {} is changed once", row.key, change.0);
            wait_for_warm(&bed);
            let mut old = Peer::session(bed.gateway.address(row.listener));
            if row.listener == "slow" {
                old.send(&in_tpdus(&[&[1, 0, 1, 0], &[7; LONG][..]].concat()));
                old.send(&ssdu(b"waits"));
            }
            bed.gateway.write(&text.replace(&change.0, &change.1));
            let answer = bed.json(&["reload"]);
            let list = if row.class == "restart" { "needs_restart" } else { "applied" };
            let told = answer[list].as_array().unwrap_or_else(|| panic!("{}: {answer}", row.key));
            assert_eq!(told.len(), 1, "{}: {answer}", row.key);
            assert_eq!(
                (&told[0]["key"], &told[0]["class"]),
                (&row.key.into(), &row.class.into()),
                "{answer}"
            );
            eprintln!("{driver}: {} ({})", row.key, row.class);
            (row.check)(&bed, &mut old);
        }
    });
}

/// A TSDU in DT TPDUs of the size that holds where nothing was agreed.
fn in_tpdus(tsdu: &[u8]) -> Vec<u8> {
    let parts = tsdu.chunks(100);
    let last = parts.len() - 1;
    let dt = |(place, part): (usize, &[u8])| {
        tpkt(&[&[2, 0xf0, if place == last { 0x80 } else { 0 }], part].concat())
    };
    parts.enumerate().flat_map(dt).collect()
}

/// Polls until the connection that waits for a session is there.
fn wait_for_warm(bed: &Bed) {
    let end = Instant::now() + PATIENCE;
    while bed.gateway.metric("colloquy_target_warm_connections{target=\"warm\"}") < 1.0 {
        assert!(Instant::now() < end, "there is no warm connection");
        poll_pause();
    }
}
