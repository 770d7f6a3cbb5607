//! What a peer does wrong without consequences is told once, and is not the fault that ends the session.

use crate::pair::{Pair, World};
use crate::raw::{Raw, tpkt};
use crate::recorder::{Manners, Seen};

crate::pair::on_real_drivers! {
    a_parameter_that_is_there_twice_is_told_once_and_ends_nothing,
}

/// GIVE TOKENS with its Token Item twice, and DATA TRANSFER.
const TWICE: [u8; 11] = [1, 6, 16, 1, 0, 16, 1, 0, 1, 0, 0xaa];

fn a_parameter_that_is_there_twice_is_told_once_and_ends_nothing<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners::default(), Manners::default()) else { return };
    let mut raw = Raw::connect(pair.address);
    raw.open_session(&mut pair);
    let known = pair.server.app().seen.len();
    for _ in 0..2 {
        raw.send(&tpkt(&TWICE));
    }
    raw.until(&mut pair, |_, pair| pair.server.app().data().len() == 2);
    let told: Vec<_> = pair.server.app().seen[known..].iter().map(|(_, seen)| format!("{seen:?}")).collect();
    let tolerated = Seen::Tolerated("Tolerated { spdu: GiveTokens, parameter: 16, offset: 0 }".to_owned());
    let data = Seen::Data(vec![0xaa]);
    assert_eq!(told, [&tolerated, &data, &data].map(|seen| format!("{seen:?}")));
    assert_eq!(pair.server.tally().faults_session, 0);
    // A fault that ends the session is still told.
    raw.send(&tpkt(&[0xfe, 0]));
    raw.until(&mut pair, |raw, _| !raw.received.is_empty());
    assert!(pair.server.app().seen.iter().any(|(_, seen)| matches!(seen, Seen::Fault(_))));
    assert_eq!(pair.server.tally().faults_session, 1);
}
