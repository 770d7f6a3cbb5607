//! Real peers, written by others, against our responder and through our relay, on io_uring and on mio.
//!
//! Each test fails when a peer is not content: the peers' scripts demand equal data and exit otherwise.

mod capture;
mod ending;
mod gateway;
#[path = "../hostile/log.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod log;
#[path = "../hostile/octets.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod octets;
#[path = "../lifecycle/gateway.rs"]
#[allow(dead_code, reason = "shared with the tests of a gateway's life, which use more of it")]
mod operated;
mod operations;
#[path = "../hostile/peer.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod peer;
mod peers;
mod process;
mod skip;
mod traffic;

use capture::Capture;
use gateway::Gateway;
use process::run;

/// One module of tests for each driver, so that the name of a failed test says on which one.
macro_rules! on_each_driver {
    ($($(#[$doc:meta])* fn $name:ident($driver:ident) $body:block)*) => {
        $($(#[$doc])* fn $name($driver: &str) $body)*
        mod on_io_uring {
            $(#[test] fn $name() { if crate::peers::installed() && crate::skip::io_uring_allowed("interop") { super::$name("io_uring") } })*
        }
        mod on_mio {
            $(#[test] fn $name() { if crate::peers::installed() { super::$name("mio") } })*
        }
    };
}

on_each_driver! {
    fn hat_drivers_against_our_responder(driver) {
        let gateway = Gateway::echo(driver);
        let printed = run(peers::hat_initiator(gateway.address()));
        assert!(printed.contains("echoed 218"), "{printed}");
        gateway.drain();
    }

    fn rusty_cosp_against_our_responder(driver) {
        let gateway = Gateway::echo(driver);
        let printed = run(peers::rusty_initiator(gateway.address(), 200, 20));
        assert!(printed.contains("echoed 214"), "{printed}");
        // More than 512 octets travel as extended user data (PGI 194).
        run(peers::rusty_initiator(gateway.address(), 5, 9000));
        gateway.drain();
    }

    fn icspacket_against_our_responder(driver) {
        let gateway = Gateway::echo(driver);
        let printed = run(peers::icspacket_initiator(gateway.address()));
        assert!(printed.contains("echoed 50"), "{printed}");
        gateway.drain();
    }

    fn snap7_transport_against_our_responder(driver) {
        let gateway = Gateway::echo(driver);
        let printed = run(peers::snap7_client(gateway.address()));
        assert!(printed.contains("echoed 7"), "{printed}");
        gateway.drain();
    }

    fn hat_drivers_through_the_relay_to_rusty_cosp(driver) {
        let (target, _server) = peers::rusty_responder("respond");
        let gateway = Gateway::relay(driver, target);
        let printed = run(peers::hat_initiator(gateway.address()));
        assert!(printed.contains("accepted:hello from hat"), "user data of AC came not through: {printed}");
        assert!(printed.contains("echoed 218"), "{printed}");
        gateway.drain();
    }

    fn rusty_cosp_through_the_relay_to_hat_drivers(driver) {
        let (target, _server) = peers::hat_responder();
        let gateway = Gateway::relay(driver, target);
        let printed = run(peers::rusty_initiator(gateway.address(), 100, 20));
        assert!(printed.contains("accepted with 29 octets"), "{printed}");
        gateway.drain();
    }

    fn rusty_cosp_through_the_relay_to_itself_with_extended_user_data(driver) {
        let (target, _server) = peers::rusty_responder("respond");
        let gateway = Gateway::relay(driver, target);
        let printed = run(peers::rusty_initiator(gateway.address(), 100, 9000));
        assert!(printed.contains("accepted with 9009 octets"), "{printed}");
        gateway.drain();
    }

    fn icspacket_through_the_relay_to_hat_drivers_and_rusty_cosp(driver) {
        let (hat, _hat) = peers::hat_responder();
        let (rusty, _rusty) = peers::rusty_responder("respond");
        for target in [hat, rusty] {
            let gateway = Gateway::relay(driver, target);
            run(peers::icspacket_initiator(gateway.address()));
            gateway.drain();
        }
    }

    fn a_refusal_comes_through_the_relay_with_its_reason_and_user_data(driver) {
        let (target, _server) = peers::rusty_responder("refuse");
        let gateway = Gateway::relay(driver, target);
        let output = peers::rusty_initiator(gateway.address(), 1, 20).output().expect("the peer runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "the peer was accepted");
        assert!(said.contains("Refused"), "{said}");
        gateway.drain();
    }

    fn libiec61850_reads_the_whole_model_through_the_relay(driver) {
        let (target, _server) = peers::libiec61850_server();
        let direct = run(peers::libiec61850_client(target, 1));
        let gateway = Gateway::relay(driver, target);
        let relayed = run(peers::libiec61850_client(gateway.address(), 5));
        assert_eq!(direct, relayed, "the model read through the relay is another one");
        gateway.drain();
    }

    fn csp0924_reads_the_directory_through_the_relay(driver) {
        let (target, _server) = peers::csp_server();
        let direct = run(peers::csp_client(target, 1));
        let gateway = Gateway::relay(driver, target);
        assert_eq!(direct, run(peers::csp_client(gateway.address(), 3)));
        gateway.drain();
    }

    fn iec61850_rs_walks_the_model_through_the_relay(driver) {
        for (target, _server) in [peers::ied_server(), peers::csp_server()] {
            let direct = run(peers::ied_browse(target));
            let gateway = Gateway::relay(driver, target);
            assert_eq!(direct, run(peers::ied_browse(gateway.address())));
            gateway.drain();
        }
    }

    fn csp0924_walks_iec61850_rs_through_the_relay(driver) {
        let (target, _server) = peers::ied_server();
        let direct = run(peers::csp_client(target, 1));
        let gateway = Gateway::relay(driver, target);
        assert_eq!(direct, run(peers::csp_client(gateway.address(), 1)));
        gateway.drain();
    }

    fn our_initiator_loads_hat_drivers_and_rusty_cosp(driver) {
        let (hat, _hat) = peers::hat_responder();
        let (rusty, _rusty) = peers::rusty_responder("respond");
        for target in [hat, rusty] {
            let report = gateway::load(driver, target, &["--sessions", "4", "--size", "300", "--depth", "2", "--seconds", "1"]);
            gateway::assert_clean(&report, 4);
        }
    }

    fn our_initiator_loads_mms_servers_directly_and_through_the_relay(driver) {
        for (target, _server) in [peers::libiec61850_server(), peers::csp_server(), peers::ied_server()] {
            let gateway = Gateway::relay(driver, target);
            for to in [target, gateway.address()] {
                let report = gateway::load_mms(driver, to, &["--sessions", "4", "--depth", "2", "--seconds", "1"]);
                gateway::assert_clean(&report, 4);
            }
            gateway.drain();
        }
    }

    fn tshark_and_dump_find_nothing_wrong_in_real_traffic(driver) {
        let (mms, _mms) = peers::libiec61850_server();
        let (rusty, _rusty) = peers::rusty_responder("respond");
        let (refusing, _refusing) = peers::rusty_responder("refuse");
        let to_mms = Gateway::relay(driver, mms);
        let to_rusty = Gateway::relay(driver, rusty);
        let to_refusing = Gateway::relay(driver, refusing);
        let echo = Gateway::echo(driver);
        let relays = [(&to_mms, mms), (&to_rusty, rusty), (&to_refusing, refusing)].map(|(relay, target)| {
            (relay.address().port(), target.port())
        });
        let ports: Vec<u16> =
            relays.iter().flat_map(|(relay, target)| [*relay, *target]).chain([echo.address().port()]).collect();
        let Some(capture) = Capture::start(&ports) else { return };
        run(peers::libiec61850_client(to_mms.address(), 2));
        // One SSDU at a time: tshark loses a TSDU of several TPDUs that begins behind others in one TCP segment.
        run(peers::rusty_initiator(to_rusty.address(), 0, 20));
        assert!(!peers::rusty_initiator(to_refusing.address(), 1, 20).output().expect("it runs").status.success());
        run(peers::icspacket_initiator(echo.address()));
        peers::second_connect(echo.address());
        let captured = capture.stop();
        for gateway in [to_mms, to_rusty, to_refusing, echo] {
            gateway.drain();
        }
        traffic::hold(&captured, &relays, ports[ports.len() - 1]);
    }

    fn idle_sessions_of_real_peers_are_released_and_aborted(driver) {
        ending::idle(driver);
    }

    fn sessions_of_real_peers_are_released_and_aborted_by_a_drain(driver) {
        ending::drained(driver);
    }

    fn tshark_and_dump_agree_on_every_operation_of_a_load(driver) {
        operations::hold(driver);
    }
}
