//! Key updates of TLS 1.3 in the middle of a session, asked for by `openssl s_client`.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use crate::gateway::{Gateway, NOW};
use crate::on_each_driver;
use crate::upstream::Openssl;

/// CR, CN of version 2 with kernel and duplex, DT, FN: each in its TPKT.
const CR: &[u8] = b"\x03\x00\x00\x0e\x09\xe0\x00\x00\x00\x01\x00\xc0\x01\x0d";
const CN: &[u8] = b"\x03\x00\x00\x15\x02\xf0\x80\x0d\x0c\x05\x06\x13\x01\x00\x16\x01\x02\x14\x02\x00\x02";
const DT: &[u8] = b"\x03\x00\x00\x0e\x02\xf0\x80\x01\x00\x01\x00abc";
const FN: &[u8] = b"\x03\x00\x00\x09\x02\xf0\x80\x09\x00";
/// Where the TPDU, and the SPDU behind DT's header, say what they are.
const TPDU_CODE: usize = 1;
const SPDU_CODE: usize = 3;

fn tpdu(from: &mut impl Read) -> Vec<u8> {
    let mut header = [0; 4];
    from.read_exact(&mut header).expect("an answer");
    let mut tpdu = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]])) - 4];
    from.read_exact(&mut tpdu).expect("all of it");
    tpdu
}

on_each_driver! {
    fn openssl_changes_keys_in_either_direction_while_data_flow(driver) {
        let gateway = Gateway::start(driver);
        let client = gateway.authority.issue("client", "rtu7.example", 2, NOW);
        let mut command = Command::new("openssl");
        command.args(["s_client", "-brief", "-tls1_3", "-servername", "gateway.example"]);
        command.arg("-connect").arg(gateway.address("main").to_string());
        command.arg("-CAfile").arg(gateway.authority.certificate());
        command.args(["-cert", &format!("{client}.pem"), "-key", &format!("{client}.key")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut openssl = Openssl(command.spawn().expect("openssl runs"));
        let mut to = openssl.0.stdin.take().expect("piped");
        let mut from = openssl.0.stdout.take().expect("piped");
        let mut said = BufReader::new(openssl.0.stderr.take().expect("piped")).lines();
        let mut say = |octets: &[u8]| {
            to.write_all(octets).expect("openssl reads");
            to.flush().expect("openssl reads");
        };
        say(CR);
        assert_eq!(tpdu(&mut from)[TPDU_CODE], 0xd0, "CC");
        say(CN);
        assert_eq!(tpdu(&mut from)[SPDU_CODE], 14, "AC");
        // K: both directions, k: that of openssl alone.
        for command in ["K\n", "k\n", "K\n", "K\n"] {
            say(command.as_bytes());
            let told = said.by_ref().map(|line| line.expect("text")).find(|line| line.contains("KEYUPDATE"));
            assert!(told.is_some(), "openssl has ended");
            for _ in 0..5 {
                say(DT);
                assert_eq!(tpdu(&mut from), DT[4..]);
            }
        }
        say(FN);
        assert_eq!(tpdu(&mut from)[SPDU_CODE], 10, "DN");
        gateway.log.wait_for("CLQ-S01", |record| record["event_id"] == "CLQ-S01" && record["reason"] == "released");
    }
}
