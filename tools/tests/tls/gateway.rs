//! The gateway under test: one process with a listener for each kind of TLS, and what connects to it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::authority::Authority;
use crate::log::Log;
use crate::peer::PATIENCE;
use crate::process::{Server, free_address, poll_pause, root};

/// Years in which certificates are valid that are to be accepted.
pub(crate) const NOW: (i32, i32) = (2024, 4000);

/// A running gateway and the files of its authority.
pub(crate) struct Gateway {
    server: Server,
    pub(crate) log: Log,
    pub(crate) authority: Authority,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) addresses: Vec<(&'static str, SocketAddr)>,
    admin: SocketAddr,
}

const TLS: &str = "certificate = \"gateway.pem\"\nkey = \"gateway.key\"\nauthorities = [\"authority.pem\"]\n";

fn tables(folder: &Path, addresses: &[(&'static str, SocketAddr)], driver: &str) -> String {
    let of = |name: &str| addresses.iter().find(|(known, _)| *known == name).expect("a listener").1;
    let mut text = format!(
        "schema_version = 1\n[engine]\ndriver = \"{driver}\"\nshards = 1\n[admin]\naddress = \"127.0.0.1:0\"\n\
         control_socket = \"{}\"\n[log]\nformat = \"json\"\n",
        folder.join("control").display()
    );
    let tls = TLS
        .replace("[\"", &format!("[\"{}/", folder.display()))
        .replace("= \"", &format!("= \"{}/", folder.display()));
    for (name, more) in [
        ("main", "revocation_lists = [\"FOLDER/authority.crl\"]\nhandshake_timeout = \"2s\"\n"),
        ("new", "versions = [\"1.3\"]\n"),
        ("picky", "allow_certificates = [\"dns:rtu8.example\"]\n"),
        ("bound", ""),
    ] {
        let more = more.replace("FOLDER", &folder.display().to_string());
        text += &format!("[[tls]]\nname = \"{name}\"\n{tls}{more}");
    }
    text += "[[binding]]\ntls = \"bound\"\ncertificate = \"dns:rtu7.example\"\ncalling_tsaps = [\"0x0007\"]\n\
             called_ssaps = [\"0x0A\"]\n";
    for (name, more) in [
        ("main", "application = \"echo\"\ntls = \"main\"\n"),
        ("new", "application = \"echo\"\ntls = \"new\"\n"),
        ("picky", "application = \"echo\"\ntls = \"picky\"\n"),
        ("bound", "application = \"echo\"\ntls = \"bound\"\n"),
        ("secure", "application = \"relay\"\ntls = \"main\"\ntarget = \"secure\"\n"),
        ("misnamed", "application = \"relay\"\ntls = \"main\"\ntarget = \"misnamed\"\n"),
        ("proxied", "application = \"echo\"\nproxy_protocol = \"required\"\n"),
        ("silent", "application = \"echo\"\nproxy_protocol = \"required\"\ntransport_timeout = \"500ms\"\n"),
        (
            "silent_both",
            "application = \"echo\"\nproxy_protocol = \"required\"\ntransport_timeout = \"500ms\"\ntls = \"main\"\n",
        ),
        ("through", "application = \"relay\"\ntls = \"main\"\ntarget = \"through\"\n"),
        ("both", "application = \"echo\"\nproxy_protocol = \"required\"\ntls = \"main\"\n"),
        ("openssl", "application = \"relay\"\ntls = \"main\"\ntarget = \"openssl\"\n"),
        ("through_both", "application = \"relay\"\ntls = \"main\"\ntarget = \"through_both\"\n"),
    ] {
        text += &format!("[[listener]]\nname = \"{name}\"\naddress = \"{}\"\n{more}", of(name));
    }
    let named = "tls = \"main\"\ntls_server_name = \"gateway.example\"\ntpdu_octets_max = 8192\n";
    for (name, to, more) in [
        ("secure", "main", named),
        ("misnamed", "main", "tls = \"main\"\ntls_server_name = \"another.example\"\n"),
        ("openssl", "openssl_upstream", "tls = \"main\"\ntls_server_name = \"upstream.example\"\n"),
        ("through", "proxied", "proxy_protocol = \"v2\"\n"),
        ("through_both", "both", &*format!("proxy_protocol = \"v2\"\n{named}")),
    ] {
        text += &format!("[[target]]\nname = \"{name}\"\naddress = \"{}\"\n{more}", of(to));
    }
    text
}

impl Gateway {
    pub(crate) fn start(driver: &str) -> Gateway {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let authority = Authority::new(folder.path(), "authority");
        authority.issue("gateway", "gateway.example", 1, NOW);
        authority.revoke("authority.crl", &[666]);
        let names = [
            "main",
            "new",
            "picky",
            "bound",
            "secure",
            "misnamed",
            "proxied",
            "silent",
            "silent_both",
            "through",
            "both",
            "through_both",
            "openssl",
            "openssl_upstream",
        ];
        let addresses: Vec<_> = names.into_iter().map(|name| (name, free_address())).collect();
        let file = folder.path().join("gateway.toml");
        std::fs::write(&file, tables(folder.path(), &addresses, driver)).expect("writable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.arg("gateway").arg(&file).stderr(Stdio::piped());
        let mut server = Server::start(command);
        let log = Log::of(server.take_stderr());
        let ready = log.wait_for("admin", |record| record["event_id"] == "CLQ-G03");
        let admin = ready[0]["address"].as_str().expect("an address").parse().expect("an address");
        Gateway { server, log, authority, folder, addresses, admin }
    }

    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        self.addresses.iter().find(|(name, _)| *name == listener).expect("a listener").1
    }

    /// The Python client as a command; `certificate` is the path that [`Authority::issue`] gave.
    pub(crate) fn client(&self, listener: &str, certificate: Option<&str>, more: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command.arg("60").arg(root().join(".venv/bin/python3"));
        command.arg(root().join("tools/tests/tls/session.py")).arg(self.address(listener).port().to_string());
        command.arg("--authority").arg(self.authority.certificate());
        if let Some(certificate) = certificate {
            command.args(["--certificate", certificate]);
        }
        command.args(more);
        command
    }

    /// What a session of it came to.
    pub(crate) fn session(&self, listener: &str, certificate: Option<&str>, more: &[&str]) -> Value {
        let output = self.client(listener, certificate, more).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}{error}"))
    }

    /// Demands that the log has this event about a peer, whose session is `result`.
    pub(crate) fn expect_event(&self, result: &Value, event: &str) -> Value {
        let found = self
            .log
            .wait_for(event, |record| record["event_id"] == event && record["peer"] == result["peer"]);
        found[0].clone()
    }

    pub(crate) fn metrics(&self) -> String {
        metrics_of(self.admin)
    }

    /// Waits until the metrics have this series with this value.
    pub(crate) fn wait_for_metric(&self, series: &str) {
        wait_for_metric(self.admin, series);
    }

    pub(crate) fn signal(&self, number: i32) {
        self.server.signal(number);
    }
}

/// The metrics of the gateway with this admin listener.
pub(crate) fn metrics_of(admin: SocketAddr) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(admin).expect("the admin listener accepts");
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
        .expect("it reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("text");
    text
}

/// Waits until the metrics have this series with this value.
pub(crate) fn wait_for_metric(admin: SocketAddr, series: &str) {
    wait_until(admin, series, |text| text.lines().any(|line| line == series));
}

/// Waits until something holds of the metrics.
pub(crate) fn wait_until(admin: SocketAddr, what: &str, holds: impl Fn(&str) -> bool) {
    let end = Instant::now() + PATIENCE;
    loop {
        let text = metrics_of(admin);
        if holds(&text) {
            return;
        }
        assert!(Instant::now() < end, "{what}: {text}");
        poll_pause();
    }
}
