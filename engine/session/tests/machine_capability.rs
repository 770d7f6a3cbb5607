//! Test purposes of capability data (reference 12.10); names carry their numbers.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

mod machine_flows;
mod machine_support;

use colloquy_session::{Indication, Request, State, Tokens};
use machine_flows::*;
use machine_support::hex;

const ASK: Request<'static> = Request::CapabilityData { user_data: b"?" };
const ANSWER: Request<'static> = Request::CapabilityDataResponse { user_data: b"!" };

#[test]
fn tp124_capability_data_are_confirmed_between_activities() {
    for expedited in [false, true] {
        let mut pair = Pair::new(ACTIVITIES, expedited);
        pair.refused(R, ASK);
        pair.ask(I, ASK);
        assert_eq!(pair.normal_octets(R), [hex("01 00 3d 03 c1 01 3f")]);
        assert_eq!(pair.normal(R), [Indication::CapabilityData { user_data: b"?" }]);
        assert_eq!(pair.states(), [State::Sta21, State::Sta22]);
        pair.refused(I, ASK);
        pair.refused(R, minor());
        pair.ask(R, Request::TokenPlease { tokens: Tokens::DATA, user_data: &[] });
        pair.ask(R, ANSWER);
        let told = pair.settle();
        let please = Indication::TokenPlease { tokens: Tokens::DATA, user_data: b"" };
        assert_eq!(told[I], [please, Indication::CapabilityDataConfirm { user_data: b"!" }]);
        pair.check();
        pair.ask(I, Request::ActivityStart { identifier: b"A", user_data: &[] });
        pair.refused(I, ASK);
    }
}

#[test]
fn capability_data_out_of_turn_are_errors() {
    let ask = "01 00 3d 03 c1 01 3f";
    Pair::new(SYNCHRONIZED, false).assert_error(R, ask);
    Pair::new(ACTIVITIES, false).assert_error(I, ask);
    Pair::new(ACTIVITIES, false).assert_error(I, "02 00 3e 00");
    let mut pair = Pair::new(ACTIVITIES, false);
    pair.refused(R, ANSWER);
    pair.ask(I, Request::ActivityStart { identifier: b"A", user_data: &[] });
    pair.settle();
    pair.assert_error(R, ask);
}
