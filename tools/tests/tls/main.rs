//! TLS and the PROXY protocol: sessions of Python's `ssl`, `openssl s_client`, gateways behind one another, against the
//! real binary on both drivers; each kind of refusal with its own event.

mod authority;
mod chain;
#[path = "../tap/dissect.rs"]
#[allow(dead_code, reason = "shared with the tests of taps, which use more of it")]
mod dissect;
mod gateway;
mod keys;
#[path = "../hostile/log.rs"]
#[allow(dead_code, reason = "shared with the tests of hostile peers, which use more of it")]
mod log;
mod peer {
    //! What the log reader needs of its peers.

    /// Longest time for what takes a moment on an idle machine.
    pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
}
#[path = "../interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod process;
mod responder;
#[path = "../interop/skip.rs"]
mod skip;
mod tapped;
mod upstream;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use authority::Authority;
use gateway::{Gateway, NOW};

macro_rules! on_each_driver {
    ($($(#[$doc:meta])* fn $name:ident($driver:ident) $body:block)*) => {
        $($(#[$doc])* fn $name($driver: &str) $body)*
        mod on_io_uring {
            $(#[test] fn $name() { if crate::skip::io_uring_allowed("TLS") { super::$name("io_uring") } })*
        }
        mod on_mio {
            $(#[test] fn $name() { super::$name("mio") })*
        }
    };
}
pub(crate) use on_each_driver;

on_each_driver! {
    fn python_carries_sessions_by_tls_1_2_and_1_3(driver) {
        let gateway = Gateway::start(driver);
        let client = gateway.authority.issue("client", "rtu7.example", 2, NOW);
        for (version, name) in [("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")] {
            for listener in ["main", "secure", "through", "through_both"] {
                let result = gateway.session(listener, Some(&client), &["--version", version]);
                assert_eq!(result["released"], true, "{listener}: {result}");
                assert_eq!(result["version"], name, "{result}");
                assert!(result["cipher"].as_str().is_some_and(|cipher| cipher.contains("GCM")), "{result}");
                gateway.expect_event(&result, "CLQ-S01");
            }
        }
        let metrics = gateway.metrics();
        assert!(metrics.contains("colloquy_tls_handshakes_total{outcome=\"ok\",tls_version=\"1.2\"} 4"), "{metrics}");
        assert!(metrics.contains("colloquy_tls_cert_expiry_seconds{tls=\"main\",kind=\"certificate\"}"), "{metrics}");
    }

    fn each_wrong_peer_is_refused_with_its_own_event(driver) {
        let gateway = Gateway::start(driver);
        let authority = &gateway.authority;
        let good = authority.issue("client", "rtu7.example", 2, NOW);
        let expired = authority.issue("expired", "rtu7.example", 3, (2020, 2021));
        let early = authority.issue("early", "rtu7.example", 4, (3000, 4000));
        let revoked = authority.issue("revoked", "rtu7.example", 666, NOW);
        let other = Authority::new(gateway.folder.path(), "other").issue("unknown", "rtu7.example", 2, NOW);
        for (listener, certificate, more, event) in [
            ("main", None, &[][..], "CLQ-T01"),
            ("main", Some(&other), &[], "CLQ-T02"),
            ("main", Some(&expired), &[], "CLQ-T03"),
            ("main", Some(&early), &[], "CLQ-T04"),
            ("main", Some(&revoked), &[], "CLQ-T05"),
            ("picky", Some(&good), &[], "CLQ-T11"),
            ("new", Some(&good), &["--version", "1.2"], "CLQ-T13"),
            ("main", Some(&good), &["--version", "1.1"], "CLQ-T13"),
        ] {
            let result = gateway.session(listener, certificate.map(String::as_str), more);
            assert!(result["error"].is_string() && result["released"].is_null(), "{event}: {result}");
            let record = gateway.expect_event(&result, event);
            assert_eq!(record["listener"], listener, "{record}");
            let certificate_told = ["CLQ-T02", "CLQ-T03", "CLQ-T04", "CLQ-T05", "CLQ-T11"].contains(&event);
            assert_eq!(record["certificate_sha256"].is_string(), certificate_told, "{record}");
            gateway.expect_event(&result, "CLQ-S01");
        }
        let result = gateway.session("misnamed", Some(&good), &[]);
        assert_eq!(result["refused"], 130, "{result}");
        let record = gateway.log.wait_for("CLQ-T09", |record| record["event_id"] == "CLQ-T09");
        assert_eq!(record[0]["target"], "misnamed");
        let result = gateway.session("main", Some(&good), &["--cut"]);
        gateway.expect_event(&result, "CLQ-T19");
        assert_eq!(gateway.session("main", Some(&good), &[])["released"], true, "others are served");
    }

    fn selectors_are_bound_to_certificates(driver) {
        let gateway = Gateway::start(driver);
        let client = gateway.authority.issue("client", "rtu7.example", 2, NOW);
        let another = gateway.authority.issue("another", "rtu8.example", 3, NOW);
        let fits = ["--calling-tsap", "0007", "--called-ssap", "0a"];
        let result = gateway.session("bound", Some(&client), &fits);
        assert_eq!(result["released"], true, "{result}");
        let wrong_tsap = ["--calling-tsap", "0008", "--called-ssap", "0a"];
        let wrong_ssap = ["--calling-tsap", "0007", "--called-ssap", "0b"];
        for (certificate, selectors, answer, reason) in [
            (&client, wrong_tsap, "disconnect", 3),
            (&another, fits, "disconnect", 3),
            (&client, wrong_ssap, "refused", 129),
        ] {
            let result = gateway.session("bound", Some(certificate), &selectors);
            assert_eq!(result[answer], reason, "{result}");
            gateway.expect_event(&result, "CLQ-T21");
        }
    }

    fn what_is_not_tls_and_who_says_nothing_is_closed(driver) {
        let gateway = Gateway::start(driver);
        let client = gateway.authority.issue("client", "rtu7.example", 2, NOW);
        let half_open: Vec<TcpStream> =
            (0..1000).map(|_| TcpStream::connect(gateway.address("main")).expect("accepted")).collect();
        let mut slow = TcpStream::connect(gateway.address("main")).expect("accepted");
        slow.write_all(&[22, 3, 1]).expect("it is open");
        let began = Instant::now();
        let result = gateway.session("new", Some(&client), &["--rounds", "200"]);
        assert_eq!(result["released"], true, "{result}, after {:?}", began.elapsed());
        let mut plain = TcpStream::connect(gateway.address("main")).expect("accepted");
        plain.write_all(b"\x03\x00\x00\x0b\x06\xe0\x00\x00\x00\x01\x00").expect("it is open");
        let told = serde_json::json!({ "peer": plain.local_addr().expect("connected").to_string() });
        gateway.expect_event(&told, "CLQ-T17");
        plain.set_read_timeout(Some(Duration::from_secs(30))).expect("a TCP socket");
        let mut rest = Vec::new();
        plain.read_to_end(&mut rest).expect("closed in order");
        // All but a few records of one peer's address are summed up, so that the metric has to tell how many they were.
        gateway.log.wait_for("CLQ-T15", |record| record["event_id"] == "CLQ-T15");
        let series = "colloquy_tls_handshakes_total{outcome=\"handshake_timeout\",tls_version=\"unknown\"} 1001";
        gateway.wait_for_metric(series);
        drop(slow);
        drop(half_open);
    }

    fn openssl_is_let_in_and_verified(driver) {
        let gateway = Gateway::start(driver);
        let client = gateway.authority.issue("client", "rtu7.example", 2, NOW);
        for (more, fine) in [
            (&["-tls1_2"][..], true),
            (&["-tls1_3"], true),
            (&["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], true),
            (&["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384"], false),
        ] {
            let mut command = Command::new("timeout");
            command.args(["20", "openssl", "s_client", "-verify_return_error", "-servername", "gateway.example"]);
            command.arg("-connect").arg(gateway.address("main").to_string());
            command.arg("-CAfile").arg(gateway.authority.certificate());
            command.args(["-cert", &format!("{client}.pem"), "-key", &format!("{client}.key")]).args(more);
            let output = command.stdin(Stdio::null()).output().expect("openssl runs");
            let text = String::from_utf8_lossy(&output.stdout);
            assert_eq!(text.contains("Cipher is (NONE)"), !fine, "{more:?}: {text}");
            assert_eq!(text.contains("Verify return code: 0 (ok)") && output.status.success(), fine, "{text}");
        }
        gateway.log.wait_for("CLQ-T14", |record| record["event_id"] == "CLQ-T14");
    }

    fn a_reload_gives_new_certificates_to_later_connections_alone(driver) {
        let gateway = Gateway::start(driver);
        let client = gateway.authority.issue("client", "rtu7.example", 2, NOW);
        let mut held = gateway
            .client("main", Some(&client), &["--hold"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut answers = BufReader::new(held.stdout.take().expect("piped")).lines();
        let mut next = || answers.next().expect("a line").expect("text");
        assert_eq!(next(), "open");
        // The client's certificate is revoked, and the gateway gets a new one of its own.
        gateway.authority.revoke("authority.crl", &[2]);
        gateway.authority.issue("gateway", "gateway.example", 77, NOW);
        const SIGHUP: i32 = 1;
        gateway.signal(SIGHUP);
        gateway.log.wait_for("CLQ-G06", |record| record["event_id"] == "CLQ-G06");
        let end = Instant::now() + peer::PATIENCE;
        loop {
            let result = gateway.session("main", Some(&client), &["--rounds", "1"]);
            if result["error"].is_string() {
                gateway.expect_event(&result, "CLQ-T05");
                break;
            }
            assert!(Instant::now() < end, "the new list does not count: {result}");
        }
        let mut stdin = held.stdin.take().expect("piped");
        stdin.write_all(b"still there\n").expect("it reads");
        assert_eq!(next(), "echoed");
        drop(stdin);
        let last: serde_json::Value = serde_json::from_str(&next()).expect("JSON");
        assert_eq!(last["released"], true, "{last}");
        assert!(held.wait().expect("it ends").success());
        let fresh = gateway.authority.issue("fresh", "rtu9.example", 9, NOW);
        assert_eq!(gateway.session("main", Some(&fresh), &[])["released"], true);
    }

    fn proxy_headers_tell_the_true_source_and_nothing_else_is_let_in(driver) {
        let gateway = Gateway::start(driver);
        let header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\x7f\x00\x00\x01\x1f\x90\x00\x66";
        let mut stream = TcpStream::connect(gateway.address("proxied")).expect("accepted");
        let cr = b"\x03\x00\x00\x0e\x09\xe0\x00\x00\x00\x01\x00\xc0\x01\x0d";
        for octet in header.iter().chain(cr) {
            stream.write_all(&[*octet]).expect("it reads");
        }
        let mut answer = [0; 6];
        stream.read_exact(&mut answer).expect("CC");
        assert_eq!(answer[5], 0xd0, "{answer:02x?}");
        drop(stream);
        gateway.log.wait_for("the true source", |record| record["peer"] == "192.0.2.7:8080");
        let mut direct = TcpStream::connect(gateway.address("proxied")).expect("accepted");
        direct.write_all(cr).expect("it is open");
        let told = serde_json::json!({ "peer": direct.local_addr().expect("connected").to_string() });
        let record = gateway.expect_event(&told, "CLQ-T24");
        assert!(record["reason"].as_str().is_some_and(|reason| reason.starts_with("octet 0:")), "{record}");
    }
    fn a_proxy_header_that_does_not_come_in_time_is_told(driver) {
        let gateway = Gateway::start(driver);
        for (number, (listener, sent)) in
            [("silent", &b""[..]), ("silent", &b"\r\n\r\n\0"[..]), ("silent_both", b""), ("silent_both", b"\r\n")]
                .into_iter()
                .enumerate()
        {
            let mut stream = TcpStream::connect(gateway.address(listener)).expect("accepted");
            stream.write_all(sent).expect("it is open");
            let told = serde_json::json!({ "peer": stream.local_addr().expect("connected").to_string() });
            let record = gateway.expect_event(&told, "CLQ-T24");
            let reason = format!("octet {}: the header did not come in time", sent.len());
            assert_eq!(record["reason"], reason, "{record}");
            stream.set_read_timeout(Some(peer::PATIENCE)).expect("a TCP socket");
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).expect("closed in order");
            assert_eq!(rest, b"", "{listener}");
            let series = format!("colloquy_proxy_protocol_faults_total {}", number + 1);
            gateway.wait_for_metric(&series);
        }
    }
}
