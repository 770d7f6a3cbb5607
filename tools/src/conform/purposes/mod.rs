//! The 147 test purposes of the reference, section 12: one file for each of its groups.

use super::purpose::Purpose;

mod activity;
mod codec;
mod connect;
mod connect_initiator;
mod data;
mod exceptions;
mod expedited_typed;
mod later;
mod major;
mod minor;
mod release;
mod resync;
mod segmenting;
mod tokens;

pub(crate) use connect::accept_of as connect_accept_of;

/// Every purpose, by number.
pub(crate) fn all() -> impl Iterator<Item = &'static Purpose> {
    GROUPS.iter().flat_map(|group| group.iter())
}

static GROUPS: [&[Purpose]; 13] = [
    connect::PURPOSES,
    data::PURPOSES,
    segmenting::PURPOSES,
    release::PURPOSES,
    tokens::PURPOSES,
    expedited_typed::PURPOSES,
    minor::PURPOSES,
    major::PURPOSES,
    resync::PURPOSES,
    activity::PURPOSES,
    exceptions::PURPOSES,
    codec::PURPOSES,
    later::PURPOSES,
];

#[cfg(test)]
mod tests {
    #[test]
    fn there_are_147_purposes_in_order_and_each_can_run_somewhere() {
        let numbers: Vec<u16> = super::all().map(|purpose| purpose.number).collect();
        assert_eq!(numbers, (1..=147).collect::<Vec<u16>>());
        for purpose in super::all() {
            let ways = [purpose.responder.is_some(), purpose.initiator.is_some(), purpose.user.is_some()];
            assert!(ways.contains(&true), "purpose {} has no test", purpose.number);
            assert!(!purpose.title.is_empty());
        }
    }
}
