//! Octets per second.

use std::time::{Duration, Instant};

use crate::gateway::Gateway;
use crate::octets::ssdu;
use crate::peer::Peer;

const SSDU_OCTETS: usize = 4000;
const SSDUS: usize = 60;
const PER_SECOND: usize = 60_000;

/// Everything comes, in order, and in no shorter time than the limit wants; a session that sends little is served
/// meanwhile, because it has its turn.
pub(crate) fn octets_per_second(driver: &str) {
    for (scope, limits, listener) in [
        ("all", "octets_per_second_max = 60000\n", ""),
        ("listener", "", "octets_per_second_max = 60000\n"),
        ("source", "source_octets_per_second_max = 60000\n", ""),
    ] {
        let gateway = Gateway::start(
            driver,
            &format!(
                "[limits]\n{limits}[[listener]]\nname = \"echo\"\naddress = \"127.0.0.1:0\"\n\
                 application = \"echo\"\ntim = \"300ms\"\nidle_timeout = \"500ms\"\nidle_action = \"abort\"\n{listener}"
            ),
        );
        let mut peer = Peer::session(gateway.address("echo"));
        let start = Instant::now();
        let content = |number: usize| vec![number as u8; SSDU_OCTETS];
        for number in 0..SSDUS {
            peer.send(&ssdu(&content(number)));
        }
        for number in 0..SSDUS {
            peer.expect_ssdu(&content(number));
            // One SSDU may be over what is there when it comes.
            let octets = (number + 1) * SSDU_OCTETS;
            let needed = octets.saturating_sub(PER_SECOND + SSDU_OCTETS) as f64 / PER_SECOND as f64;
            assert!(
                start.elapsed() >= Duration::from_secs_f64(needed),
                "{octets} octets in {:?}",
                start.elapsed()
            );
        }
        peer.release();
        assert!(gateway.metric(&format!("colloquy_throttles_total{{scope=\"{scope}\"}}")) > 0.0);
        assert!(gateway.metric(&format!("colloquy_throttled_seconds_total{{scope=\"{scope}\"}}")) > 0.0);
        let delayed = gateway.log().wait_for("CLQ-L02", |record| record["event_id"] == "CLQ-L02");
        assert_eq!(delayed.len(), 1, "{delayed:?}");
        gateway.finish();
    }
}
