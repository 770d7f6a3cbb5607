//! `openssl s_server` as the target of a relay: TLS by other hands, the octets of the session from this test.

use std::process::{Child, Command, Stdio};

use crate::gateway::{Gateway, NOW};
use crate::process::wait_for_listener;
use crate::{on_each_driver, responder};

/// A running `openssl`, killed when dropped.
pub(crate) struct Openssl(pub(crate) Child);

impl Openssl {
    /// `s_server`, whose standard input and output are the octets of its connections.
    ///
    /// Serves at the address of the target with the certificate `own`, and lets in only whom the authority knows.
    fn start(gateway: &Gateway, own: &str, version: &str) -> Openssl {
        let address = gateway.address("openssl_upstream");
        let mut command = Command::new("openssl");
        command.args(["s_server", "-quiet", "-Verify", "1", "-verify_return_error", version]);
        command.args(["-cert", &format!("{own}.pem"), "-key", &format!("{own}.key")]);
        command.arg("-CAfile").arg(gateway.authority.certificate());
        command.args(["-accept", &address.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let server = Openssl(command.spawn().expect("openssl runs"));
        // It takes a connection that closes without a handshake for one that has failed, and goes on.
        wait_for_listener(address);
        server
    }
}

impl Drop for Openssl {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

on_each_driver! {
    fn openssl_as_upstream_carries_a_session_in_both_versions(driver) {
        let gateway = Gateway::start(driver);
        let client = gateway.authority.issue("client", "rtu7.example", 2, NOW);
        let own = gateway.authority.issue("upstream", "upstream.example", 5, NOW);
        for version in ["-tls1_2", "-tls1_3"] {
            let mut server = Openssl::start(&gateway, &own, version);
            let (from, to) = (server.0.stdout.take().expect("piped"), server.0.stdin.take().expect("piped"));
            let (result, ssdus) = std::thread::scope(|scope| {
                let serving = scope.spawn(move || {
                    let mut to = to;
                    // It would end with its standard input.
                    (responder::serve(from, &mut to), to).0
                });
                let result = gateway.session("openssl", Some(&client), &["--rounds", "40"]);
                assert_eq!(result["released"], true, "{version}: {result}");
                (result, serving.join().expect("it serves"))
            });
            assert_eq!(ssdus.len(), 40, "{result}");
            let octets = [1, 64, 1000, 4000];
            assert!(ssdus.iter().enumerate().all(|(number, ssdu)| *ssdu == vec![number as u8; octets[number % 4]]));
        }
    }

    fn an_upstream_of_another_name_gets_no_session(driver) {
        let gateway = Gateway::start(driver);
        let client = gateway.authority.issue("client", "rtu7.example", 2, NOW);
        let wrong = gateway.authority.issue("wrong", "elsewhere.example", 6, NOW);
        let _server = Openssl::start(&gateway, &wrong, "-tls1_3");
        let result = gateway.session("openssl", Some(&client), &[]);
        assert_eq!(result["refused"], 130, "{result}");
        let records = gateway.log.wait_for("CLQ-T09", |record| record["event_id"] == "CLQ-T09");
        assert_eq!(records[0]["target"], "openssl", "{}", records[0]);
    }
}
