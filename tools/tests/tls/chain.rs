//! Two gateways back to back with TLS between them: load through both, health checks and warm connections over TLS.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::authority::Authority;
use crate::gateway::{NOW, metrics_of, wait_for_metric};
use crate::log::Log;
use crate::on_each_driver;
use crate::process::{Server, free_address};

/// One of the two gateways.
struct Side {
    _server: Server,
    log: Log,
    admin: SocketAddr,
}

impl Side {
    fn start(folder: &std::path::Path, name: &str, driver: &str, tables: &str) -> Side {
        let file = folder.join(format!("{name}.toml"));
        let path = folder.display();
        let text = format!(
            "schema_version = 1\n[engine]\ndriver = \"{driver}\"\nshards = 1\n[admin]\naddress = \"127.0.0.1:0\"\n\
             [log]\nformat = \"json\"\n[[tls]]\nname = \"main\"\ncertificate = \"{path}/{name}.pem\"\n\
             key = \"{path}/{name}.key\"\nauthorities = [\"{path}/authority.pem\"]\n{tables}"
        );
        std::fs::write(&file, text).expect("writable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.arg("gateway").arg(&file).stderr(Stdio::piped());
        let mut server = Server::start(command);
        let log = Log::of(server.take_stderr());
        let ready = log.wait_for("admin", |record| record["event_id"] == "CLQ-G03");
        let admin = ready[0]["address"].as_str().expect("an address").parse().expect("an address");
        Side { _server: server, log, admin }
    }

    /// The value of one series.
    fn metric(&self, series: &str) -> u64 {
        let text = metrics_of(self.admin);
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{series}: {text}")).parse().expect("a number")
    }
}

/// A server that echoes behind TLS, and a client that carries plain sessions to it.
struct Chain {
    server: Side,
    client: Side,
    addresses: HashMap<&'static str, SocketAddr>,
    _folder: tempfile::TempDir,
}

impl Chain {
    /// `more`: keys of every target.
    fn start(driver: &str, more: &str) -> Chain {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let authority = Authority::new(folder.path(), "authority");
        authority.issue("server", "server.example", 1, NOW);
        authority.issue("client", "client.example", 2, NOW);
        let names = ["tls", "proxied", "to_tls", "to_proxied", "to_misnamed"];
        let addresses: HashMap<_, _> = names.map(|name| (name, free_address())).into();
        let mut tables = String::new();
        for (name, more) in [("tls", ""), ("proxied", "proxy_protocol = \"required\"\n")] {
            tables += &format!(
                "[[listener]]\nname = \"{name}\"\naddress = \"{}\"\napplication = \"echo\"\ntls = \"main\"\n{more}",
                addresses[name]
            );
        }
        let server = Side::start(folder.path(), "server", driver, &tables);
        let mut tables = String::new();
        for (target, to, name, proxied) in [
            ("to_tls", "tls", "server.example", ""),
            ("to_proxied", "proxied", "server.example", "proxy_protocol = \"v2\"\n"),
            ("to_misnamed", "tls", "another.example", ""),
        ] {
            tables += &format!(
                "[[listener]]\nname = \"{target}\"\naddress = \"{}\"\napplication = \"relay\"\ntarget = \"{target}\"\n\
                 [[target]]\nname = \"{target}\"\naddress = \"{}\"\ntls = \"main\"\ntls_server_name = \"{name}\"\n\
                 {proxied}{more}",
                addresses[target], addresses[to]
            );
        }
        let client = Side::start(folder.path(), "client", driver, &tables);
        Chain { server, client, addresses, _folder: folder }
    }

    /// The report of `colloquy load` through a listener of the client.
    fn load(&self, listener: &str) -> Value {
        let to = self.addresses[listener].to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.args(["load", "--to", &to, "--sessions", "12", "--seconds", "0.5", "--depth", "4", "--json"]);
        let output = command.output().expect("the binary runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}{error}"))
    }
}

const IN: &str = "colloquy_spdus_total{spdu=\"DT\",direction=\"in\"}";
const OUT: &str = "colloquy_spdus_total{spdu=\"DT\",direction=\"out\"}";

on_each_driver! {
    fn load_through_two_gateways_is_counted_exactly_by_all(driver) {
        let chain = Chain::start(driver, "");
        let mut sent = 0;
        for (listener, sessions) in [("to_tls", 12), ("to_proxied", 24)] {
            let report = chain.load(listener);
            let counts = &report["counts"];
            for (name, expected) in
                [("established", 12), ("released", 12), ("failed", 0), ("lost", 0), ("corrupted", 0), ("reordered", 0)]
            {
                assert_eq!(counts[name], expected, "{listener}, {name}: {counts} {}", report["errors"]);
            }
            assert_eq!(counts["sent"], counts["answered"], "{counts}");
            sent += counts["sent"].as_u64().expect("a count");
            assert!(sent > 100, "{counts}");
            let handshakes =
                format!("colloquy_tls_handshakes_total{{outcome=\"ok\",tls_version=\"1.3\"}} {sessions}");
            wait_for_metric(chain.server.admin, &handshakes);
            wait_for_metric(chain.client.admin, &handshakes);
            for side in [&chain.server, &chain.client] {
                wait_for_metric(side.admin, "colloquy_tls_sessions{tls_version=\"1.3\"} 0.0");
            }
            assert_eq!((chain.server.metric(IN), chain.server.metric(OUT)), (sent, sent));
            assert_eq!((chain.client.metric(IN), chain.client.metric(OUT)), (2 * sent, 2 * sent));
        }
        // Behind PROXY headers the server names who came to the client, whose own address is that of the others.
        let ended = |record: &Value| record["event_id"] == "CLQ-S01" && record["listener"] == "proxied";
        let told = chain.server.log.wait_for("the end of a session", ended);
        let of_users = |record: &Value| record["event_id"] == "CLQ-S01" && record["peer"] == told[0]["peer"];
        chain.client.log.wait_for("the same peer at the client", of_users);
    }

    fn targets_are_checked_over_tls_at_every_level(driver) {
        for level in ["tcp", "transport", "session"] {
            let chain = Chain::start(
                driver,
                &format!(
                    "health_check = \"{level}\"\nhealth_interval = \"3s\"\nhealth_timeout = \"2500ms\"\n\
                     health_fall = 1\nhealth_rise = 1\n"
                ),
            );
            // One whose certificate is for another name is down; the others pass.
            let down = chain.client.log.wait_for(level, |record| record["event_id"] == "CLQ-R01");
            assert_eq!(down[0]["target"], "to_misnamed", "{level}: {}", down[0]);
            for target in ["to_tls", "to_proxied"] {
                let passed = |line: &str| {
                    let rest = line.strip_prefix("colloquy_target_health_checks_total");
                    rest.is_some_and(|rest| {
                        rest.contains(target) && rest.contains("passed") && !rest.ends_with(" 0")
                    })
                };
                crate::gateway::wait_until(chain.client.admin, target, |text| text.lines().any(passed));
            }
            let others = |record: &Value| record["event_id"] == "CLQ-R01" && record["target"] != "to_misnamed";
            assert_eq!(chain.client.log.count(others), 0, "{level}");
            let down = |record: &Value| record["event_id"] == "CLQ-R01" && record["target"] == "to_misnamed";
            let down = chain.client.log.wait_for("the misnamed one is down", down).remove(0);
            assert_eq!(down["reason"], "wrong_name", "{level}: {down}");
            let ok = "colloquy_tls_handshakes_total{outcome=\"ok\",tls_version=\"1.3\"}";
            assert!(chain.server.metric(ok) >= 2, "{level}: checked by whole handshakes");
        }
    }

    fn warm_connections_have_their_handshake_behind_them(driver) {
        let chain = Chain::start(
            driver,
            "policy = \"on_startup\"\nwarm_connections = 3\ncalled_tsap = \"0x0001\"\ncalling_tsap = \"0x0002\"\n",
        );
        // One target keeps them: a PROXY header has to tell whose the connection is, and the third has a wrong name.
        let open = "colloquy_tls_sessions{tls_version=\"1.3\"} 3.0";
        wait_for_metric(chain.server.admin, open);
        let report = chain.load("to_tls");
        assert_eq!(report["counts"]["released"], 12, "{report}");
        assert_eq!(report["counts"]["lost"], 0, "{report}");
        wait_for_metric(chain.server.admin, open);
        // The one with a wrong name says so, and is tried less and less often.
        let of_it = |id: &'static str| {
            move |record: &Value| record["event_id"] == id && record["target"] == "to_misnamed"
        };
        let told = chain.client.log.wait_for("the misnamed one", of_it("CLQ-R07")).remove(0);
        assert_eq!((&told["reason"], &told["failures"]), (&"wrong_name".into(), &1.into()), "{told}");
        chain.client.log.wait_for("a third time", |record| of_it("CLQ-R07")(record) && record["failures"] == 4);
        let series = "colloquy_target_warm_failures_total{target=\"to_misnamed\"}";
        assert!(chain.client.metric(series) >= 9, "three connections, four rounds or more");
        chain.client.log.wait_for("the fault", of_it("CLQ-T09"));
    }
}
