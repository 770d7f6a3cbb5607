//! Sessions of real peers that the gateway ends: idle ones and those of a drain, by FINISH and by ABORT, at both ends of the
//! relay.
//!
//! hat-drivers answers FINISH by DISCONNECT. libiec61850 closes its TCP connection instead, as client and as server, which
//! counts as an answer: its record says `eof`, and it is counted as released.

use std::net::SocketAddr;

use serde_json::Value;

use crate::operated::{Gateway, head};
use crate::peers;
use crate::process::{PEER_TIME_MAX, Server};

/// A gateway with a relay to each of the real servers, and what ends sessions there.
fn gateway(driver: &str, keys: &str, drain: &str, targets: [SocketAddr; 2]) -> Gateway {
    let mut text = head(driver, 2, "info") + drain;
    for (name, target) in ["hat", "mms"].iter().zip(targets) {
        text += &format!(
            "[[listener]]\nname = \"{name}\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\ntarget = \"{name}\"\n\
             {keys}\n[[target]]\nname = \"{name}\"\naddress = \"{target}\"\n"
        );
    }
    Gateway::start(&text)
}

/// How the records of a leg's end tell of it.
fn reason(gateway: &Gateway, key: &str, name: &str) -> Value {
    let is_it = |record: &Value| {
        record["event_id"] == "CLQ-S01" && record[key] == *name && {
            // The record of a downstream names its target, too.
            key == "listener" || record["listener"].is_null()
        }
    };
    gateway.log.wait_for(&format!("the end of {key} {name}"), is_it).remove(0)
}

/// Two clients wait until `end` has ended their sessions; the gateway is asked how that went.
fn ended(driver: &str, (keys, drain): (&str, &str), (why, how): (&str, &str), end: impl Fn(&Gateway)) {
    let ((hat_at, _hat), (mms_at, _mms)) = (peers::hat_responder(), peers::libiec61850_server());
    let gateway = gateway(driver, keys, drain, [hat_at, mms_at]);
    let clients =
        [peers::hat_waiter(gateway.address("hat")), peers::libiec61850_waiter(gateway.address("mms"))];
    let clients = clients.map(|command| Server::start_until(command, "WAITING"));
    end(&gateway);
    for client in clients {
        assert!(client.wait(PEER_TIME_MAX).success(), "a client that saw no end");
    }
    let expected = match how {
        "release" => [("hat", "released"), ("mms", "eof")],
        _ => [("hat", "aborted_by_provider"), ("mms", "aborted_by_provider")],
    };
    for (name, expected) in expected {
        let downstream = reason(&gateway, "listener", name);
        assert_eq!(
            (&downstream["reason"], &downstream["why"]),
            (&expected.into(), &why.into()),
            "{downstream}"
        );
        let upstream = reason(&gateway, "target", name);
        assert_eq!(upstream["reason"], expected, "{upstream}");
    }
    if why == "idle" {
        let series = format!("colloquy_sessions_closed_by_gateway_total{{why=\"{why}\",how=\"{how}\"}}");
        gateway.wait_for_metric(&series, 2.0);
        gateway.terminate();
    }
    assert!(gateway.wait().0.success());
}

pub(crate) fn idle(driver: &str) {
    for how in ["release", "abort"] {
        let keys = format!("idle_timeout = \"1s\"\nidle_action = \"{how}\"");
        ended(driver, (&keys, ""), ("idle", how), |_| {});
    }
}

pub(crate) fn drained(driver: &str) {
    for how in ["release", "abort"] {
        let drain = format!("[drain]\naction = \"{how}\"\ndeadline = \"20s\"\nidle_for = \"200ms\"\n");
        ended(driver, ("", &drain), ("drain", how), Gateway::terminate);
    }
}
