//! Data with what belongs to them: one TSDU where the peer takes it, the same indications in any case.

use colloquy_session::machine::Companions;
use colloquy_session::{Enclosure, FunctionalUnits as Fu, Request, ServiceError, State, Tokens};
use colloquy_shard::Tally;
use colloquy_transport::buf::{Slice, copies};

use crate::pair::World;
use crate::recorder::{Manners, Seen};
use crate::services::{Client, Server, Setting, Side, Talk, minor, other, synchronized, with_activities};

crate::pair::on_every_driver! {
    tokens_share_a_tsdu_with_data_everywhere,
    points_and_starts_share_a_tsdu_where_the_peer_takes_it,
    each_side_states_for_itself_what_it_takes,
    an_ssdu_in_segments_begins_with_the_start_and_ends_with_the_point,
    an_acknowledgement_with_data_is_announced_ahead_of_them,
    requests_share_tsdus_with_each_other,
    what_is_not_possible_together_changes_nothing,
}

const START: Request<'static> = Request::ActivityStart { identifier: b"ACT", user_data: b"" };
const BODIES: [usize; 5] = [1, 100, 2047, 2048, 70_000];

impl<W: World> Talk<W> {
    fn concatenating(units: Fu, extended: (bool, bool)) -> Option<Self> {
        let setting = Setting { extended, ..Setting::new(units, false) };
        Self::with(setting, Manners { release: false, ..Manners::default() })
    }

    fn try_send(&mut self, side: Side, body: &[u8], companions: &Companions<'_>) -> Result<(), ServiceError> {
        let (client, server) = (self.client, self.server);
        // In two slices, so that the data of one TSDU come from several.
        let whole = Slice::from_vec(body.to_vec());
        let body = [whole.sub(0..body.len() / 3), whole.sub(body.len() / 3..body.len())];
        match side {
            Client => self
                .pair
                .client
                .with(|_, ctx| ctx.data_request_with(client, &body, Enclosure::WHOLE, companions)),
            Server => self
                .pair
                .server
                .with(|_, ctx| ctx.data_request_with(server, &body, Enclosure::WHOLE, companions)),
        }
    }

    /// Sends data with companions, and tells the TSDUs this took and what the other user heard, in a few words.
    fn send(
        &mut self,
        side: Side,
        body: &[u8],
        companions: &Companions<'_>,
        heard: usize,
    ) -> (u64, Vec<String>) {
        let before = self.tally(side).tsdus_out;
        let told = self.seen(other(side)).len();
        self.try_send(side, body, companions).unwrap();
        self.until(|talk| talk.seen(other(side)).len() >= told + heard);
        let seen = self.seen(other(side))[told..].iter().map(|seen| words(seen, body)).collect();
        (self.tally(side).tsdus_out - before, seen)
    }

    fn tally(&self, side: Side) -> Tally {
        match side {
            Client => *self.pair.client.tally(),
            Server => *self.pair.server.tally(),
        }
    }
}

fn words(seen: &Seen, body: &[u8]) -> String {
    match seen {
        Seen::Data(octets) if octets == body => "data".into(),
        Seen::Data(octets) => format!("part of {}", octets.len()),
        Seen::TokenGive => "tokens".into(),
        Seen::Told(text) => text.split([' ', '(']).next().unwrap().into(),
        other => format!("{other:?}"),
    }
}

fn body_of(octets: usize) -> Vec<u8> {
    (0..octets).map(|octet| (octet ^ octets) as u8).collect()
}

fn with_tokens(tokens: Tokens) -> Companions<'static> {
    Companions { tokens, ..Companions::default() }
}

fn tokens_share_a_tsdu_with_data_everywhere<W: World>() {
    for extended in [false, true] {
        let Some(mut talk) = Talk::<W>::concatenating(Fu::HALF_DUPLEX, (extended, extended)) else { return };
        let copied = copies::of_this_thread().large_count;
        for octets in BODIES {
            for side in [Client, Server] {
                let (tsdus, seen) = talk.send(side, &body_of(octets), &with_tokens(Tokens::DATA), 2);
                assert_eq!((tsdus, &seen[..]), (1, &["data".into(), "tokens".into()][..]), "{octets}");
            }
        }
        assert_eq!(copies::of_this_thread().large_count, copied, "copies of 2 KiB or more");
        for side in [Client, Server] {
            let tally = talk.tally(side);
            let octets = BODIES.iter().sum::<usize>() as u64;
            assert_eq!((tally.user_octets_out, tally.user_octets_in), (octets, octets));
            assert_eq!((tally.spdus_data_out, tally.spdus_token_out, tally.spdus_other_out), (5, 5, 0));
            assert_eq!((tally.spdus_data_in, tally.spdus_token_in), (5, 5));
        }
        talk.release();
    }
}

fn points_and_starts_share_a_tsdu_where_the_peer_takes_it<W: World>() {
    for extended in [false, true] {
        let units = with_activities();
        let Some(mut talk) = Talk::<W>::concatenating(units, (extended, extended)) else { return };
        let copied = copies::of_this_thread().large_count;
        for (round, octets) in BODIES.into_iter().enumerate() {
            let begins = round == 0;
            let companions = Companions {
                begin: begins.then_some(START),
                point: Some(minor()),
                tokens: if begins { Tokens::MINOR } else { Tokens::empty() },
            };
            let mut expected = vec!["data", "SyncMinor"];
            if begins {
                expected.insert(0, "ActivityStart");
                expected.push("tokens");
            }
            let (tsdus, seen) = talk.send(Client, &body_of(octets), &companions, expected.len());
            assert_eq!(seen, expected, "{octets}");
            // AS, DT, and MIP behind its GT, with the tokens in that.
            let apart = if begins { 3 } else { 2 };
            assert_eq!(tsdus, if extended { 1 } else { apart }, "{octets}");
            if begins {
                // The minor token comes back with data, too.
                let give = Request::TokenGive { tokens: Tokens::MINOR, user_data: &[] };
                assert_eq!(talk.ask(Server, give), Seen::TokenGive);
            }
        }
        assert_eq!(copies::of_this_thread().large_count, copied, "copies of 2 KiB or more");
        let (client, server) = (talk.tally(Client), talk.tally(Server));
        assert_eq!((client.spdus_data_out, server.spdus_data_in), (5, 5));
        assert_eq!((client.spdus_sync_out, server.spdus_sync_in), (5, 5));
        assert_eq!((client.spdus_activity_out, server.spdus_activity_in), (1, 1));
        assert_eq!((client.spdus_token_out, server.spdus_token_in), (1, 1));
        assert_eq!((client.spdus_other_out, server.spdus_other_in), (0, 0));
        assert_eq!(client.user_octets_out, server.user_octets_in);
        talk.request(Client, Request::Abort { user_data: b"" });
        talk.pair.emptied();
    }
}

fn each_side_states_for_itself_what_it_takes<W: World>() {
    for extended in [(true, false), (false, true)] {
        let Some(mut talk) = Talk::<W>::concatenating(synchronized(), extended) else { return };
        for side in [Client, Server] {
            let takes = if other(side) == Client { extended.0 } else { extended.1 };
            let tokens = Tokens::DATA | Tokens::MINOR | Tokens::MAJOR | Tokens::RELEASE;
            let companions = Companions { begin: None, point: Some(minor()), tokens };
            let (tsdus, seen) = talk.send(side, b"either way", &companions, 3);
            assert_eq!(seen, ["data", "SyncMinor", "tokens"]);
            assert_eq!(tsdus, if takes { 1 } else { 2 }, "{side:?} of {extended:?}");
        }
        talk.release();
    }
}

fn an_ssdu_in_segments_begins_with_the_start_and_ends_with_the_point<W: World>() {
    for extended in [false, true] {
        let extended = (extended, extended);
        let setting = Setting { extended, tsdu_octets: 1000, ..Setting::new(with_activities(), false) };
        let manners = Manners { release: false, ..Manners::default() };
        let Some(mut talk) = Talk::<W>::with(setting, manners) else { return };
        let companions = Companions { begin: Some(START), point: Some(minor()), tokens: Tokens::MINOR };
        let body = body_of(2500);
        let before = talk.seen(Server).len();
        let (_, seen) = talk.send(Client, &body, &companions, 6);
        assert_eq!(seen[0], "ActivityStart");
        assert!(seen[1..4].iter().all(|seen| seen.starts_with("part of")), "{seen:?}");
        assert_eq!(seen[4..], ["SyncMinor", "tokens"]);
        let parts = talk.seen(Server)[before..].to_vec();
        let octets = parts.iter().flat_map(|seen| match seen {
            Seen::Data(octets) => octets.clone(),
            _ => Vec::new(),
        });
        assert_eq!(octets.collect::<Vec<u8>>(), body);
        assert_eq!(talk.tally(Client).spdus_data_out, 3);
        talk.request(Client, Request::Abort { user_data: b"" });
        talk.pair.emptied();
    }
}

fn an_acknowledgement_with_data_is_announced_ahead_of_them<W: World>() {
    for expedited in [false, true] {
        let setting =
            Setting { extended: (true, true), ..Setting::new(Fu::DUPLEX | Fu::MAJOR_SYNC, expedited) };
        let manners = Manners { release: false, ..Manners::default() };
        let Some(mut talk) = Talk::<W>::with(setting, manners) else { return };
        talk.ask(Client, Request::SyncMajor { user_data: b"" });
        let point = Some(Request::SyncMajorResponse { user_data: b"done" });
        let companions = Companions { point, ..Companions::default() };
        let (tsdus, seen) = talk.send(Server, &body_of(3000), &companions, 2);
        assert_eq!(seen, ["data", "SyncMajorConfirm"]);
        assert_eq!(tsdus, 1 + u64::from(expedited));
        let (client, server) = (talk.tally(Client), talk.tally(Server));
        assert_eq!(client.spdus_prepare_in, u64::from(expedited));
        assert_eq!(server.spdus_prepare_out, u64::from(expedited));
        assert_eq!((talk.state(Client), talk.state(Server)), (State::Sta713, State::Sta713));
        talk.release();
    }
}

fn requests_share_tsdus_with_each_other<W: World>() {
    for extended in [false, true] {
        let units = with_activities();
        let Some(mut talk) = Talk::<W>::concatenating(units, (extended, extended)) else { return };
        let client = talk.client;
        let give = Request::TokenGive { tokens: Tokens::DATA | Tokens::MINOR, user_data: &[] };
        let before = talk.tally(Client).tsdus_out;
        talk.pair.client.with(|_, ctx| ctx.request_all(client, &[START, minor(), give])).unwrap();
        talk.until(|talk| talk.seen(Server).len() == 3);
        let seen: Vec<String> = talk.seen(Server).iter().map(|seen| words(seen, &[])).collect();
        assert_eq!(seen, ["ActivityStart", "SyncMinor", "tokens"]);
        let tally = talk.tally(Client);
        assert_eq!(tally.tsdus_out - before, if extended { 1 } else { 2 });
        assert_eq!((tally.spdus_activity_out, tally.spdus_sync_out, tally.spdus_token_out), (1, 1, 1));
        // An abort is a TSDU of its own, and the session's end.
        let abort = Request::Abort { user_data: b"over" };
        talk.pair.client.with(|_, ctx| ctx.request_all(client, &[abort])).unwrap();
        talk.pair.emptied();
        assert_eq!(talk.pair.client.app().ends(), ["Aborted { by_peer: false, by_user: true }"]);
        assert_eq!(talk.pair.server.app().ends(), ["Aborted { by_peer: true, by_user: true }"]);
    }
}

fn what_is_not_possible_together_changes_nothing<W: World>() {
    let Some(mut talk) = Talk::<W>::concatenating(synchronized(), (true, true)) else { return };
    let before = (talk.tally(Client), talk.tally(Server));
    // No activity is possible here, and a token that is not there cannot be given.
    let begins = Companions { begin: Some(START), point: Some(minor()), tokens: Tokens::DATA };
    assert!(talk.try_send(Client, &body_of(5000), &begins).is_err());
    assert!(talk.try_send(Server, b"x", &with_tokens(Tokens::DATA)).is_err());
    let (client, give) = (talk.client, Request::TokenGive { tokens: Tokens::DATA, user_data: &[] });
    assert!(talk.pair.client.with(|_, ctx| ctx.request_all(client, &[minor(), give, give])).is_err());
    assert_eq!((talk.tally(Client), talk.tally(Server)), before);
    let (tsdus, seen) = talk.send(Client, b"goes on", &with_tokens(Tokens::DATA), 2);
    assert_eq!((tsdus, &seen[..]), (1, &["data".into(), "tokens".into()][..]));
    talk.send(Server, b"and back", &with_tokens(Tokens::DATA), 2);
    talk.release();
}
