//! How a test of a responder reaches it: transport connections, sessions, and what is known about it.

use std::net::SocketAddr;

use colloquy_session::spdu::{Spdu, SpduKind};
use colloquy_session::{FunctionalUnits as Fu, TokenSettings, TokenSide, Tokens, TsduMaximumSize, Versions};

use super::dialogue::{Dialogue, Manner, Reply, Waits, shown};
use super::line::{Arrival, Line, TransportNames};
use super::octets::{side_bits, spdu, unit, user_data};
use super::purpose::{Stop, Verdict};

/// Local choices of a run.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The responder.
    pub(crate) address: SocketAddr,
    /// TSAPs of CR.
    pub(crate) names: TransportNames,
    /// Calling SSAP of CN.
    pub(crate) calling_ssap: Vec<u8>,
    /// Called SSAP of CN.
    pub(crate) called_ssap: Vec<u8>,
    /// Units that may be proposed.
    pub(crate) units: Fu,
    /// Transport expedited may be proposed.
    pub(crate) expedited: bool,
    /// Waits.
    pub(crate) waits: Waits,
    /// What is demanded.
    pub(crate) manner: Manner,
    /// The IUT is our own build, so that its local choices are known.
    pub(crate) own: bool,
}

/// What the tester found out about a responder before the purposes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Units it selects of all that may be proposed with duplex.
    pub(crate) duplex_units: Option<Fu>,
    /// Units it selects of all that may be proposed with half duplex.
    pub(crate) half_duplex_units: Option<Fu>,
    /// Its user sends data back.
    pub(crate) echo: bool,
    /// Its user sends connect user data back.
    pub(crate) connect_echo: bool,
    /// It agrees to transport expedited.
    pub(crate) expedited: bool,
    /// It speaks version 1.
    pub(crate) version_1: bool,
}

impl Facts {
    /// Units that it selects with duplex or half duplex, whichever has these.
    pub(crate) fn lacks(&self, units: Fu) -> Fu {
        let missing = |selected: Option<Fu>| units - selected.unwrap_or(Fu::empty());
        let (duplex, half_duplex) = (missing(self.duplex_units), missing(self.half_duplex_units));
        if duplex.bits().count_ones() <= half_duplex.bits().count_ones() { duplex } else { half_duplex }
    }
}

/// What a CN proposes.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    pub(crate) units: Fu,
    pub(crate) versions: Versions,
    /// Protocol Options.
    pub(crate) options: u8,
    pub(crate) serial: Option<u32>,
    /// Token Setting Item; left out when all tokens are the initiator's and this is `None`.
    pub(crate) tokens: Option<TokenSettings>,
    pub(crate) sizes: Option<TsduMaximumSize>,
    pub(crate) user_data: Vec<u8>,
    /// Propose transport expedited in CR.
    pub(crate) expedited: bool,
}

impl Proposal {
    /// Version 2 with these units, all tokens at the tester, points from 1.
    pub(crate) fn of(units: Fu) -> Proposal {
        let points = Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::RESYNCHRONIZE;
        let serial = (units.intersects(points) && !units.contains(Fu::ACTIVITY)).then_some(1);
        Proposal {
            units,
            versions: Versions::V2,
            options: 0,
            serial,
            tokens: None,
            sizes: None,
            user_data: Vec::new(),
            expedited: units.contains(Fu::EXPEDITED),
        }
    }

    /// The CN.
    pub(crate) fn cn(&self, settings: &Settings) -> Vec<u8> {
        let mut item = unit(19, &[self.options]);
        if let Some(sizes) = self.sizes {
            let [a, b] = sizes.initiator_to_responder.to_be_bytes();
            let [c, d] = sizes.responder_to_initiator.to_be_bytes();
            item.extend(unit(21, &[a, b, c, d]));
        }
        item.extend(unit(22, &[self.versions.bits()]));
        if let Some(serial) = self.serial {
            item.extend(unit(23, serial.to_string().as_bytes()));
        }
        if let Some(tokens) = self.tokens {
            item.extend(unit(26, &[settings_octet(tokens)]));
        }
        let mut units = vec![unit(5, &item), unit(20, &self.units.bits().to_be_bytes())];
        for (code, selector) in [(51, &settings.calling_ssap), (52, &settings.called_ssap)] {
            if !selector.is_empty() {
                units.push(unit(code, selector));
            }
        }
        units.push(match self.user_data.len() {
            0..=512 => user_data(&self.user_data),
            _ => unit(194, &self.user_data),
        });
        spdu(13, &units)
    }
}

/// The Token Setting Item.
pub(crate) fn settings_octet(settings: TokenSettings) -> u8 {
    side_bits(settings.release) << 6
        | side_bits(settings.major) << 4
        | side_bits(settings.minor) << 2
        | side_bits(settings.data)
}

/// The same side for every token.
pub(crate) fn all_at(side: TokenSide) -> TokenSettings {
    TokenSettings { data: side, minor: side, major: side, release: side }
}

/// A responder under test.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// Local choices of the run.
    pub(crate) settings: &'a Settings,
    /// What is known about the IUT.
    pub(crate) facts: &'a Facts,
}

impl Context<'_> {
    /// A transport connection without a session.
    pub(crate) fn transport(&self) -> Result<Dialogue, Stop> {
        self.transport_with(false)
    }

    /// The same, with expedited data if `expedited` and the IUT agree.
    pub(crate) fn transport_with(&self, expedited: bool) -> Result<Dialogue, Stop> {
        let settings = self.settings;
        let line = Line::connect(settings.address, &settings.names, expedited, settings.waits.answer);
        let line = line.map_err(Stop::Unreachable)?;
        Ok(Dialogue::new(Box::new(line), settings.waits, settings.manner))
    }

    /// A session with these units, all tokens at the tester.
    pub(crate) fn open(&self, units: Fu) -> Result<Dialogue, Stop> {
        self.open_with(&Proposal::of(units))
    }

    /// A session as proposed; skips when the IUT does not select all units proposed.
    pub(crate) fn open_with(&self, proposal: &Proposal) -> Result<Dialogue, Stop> {
        self.open_and_accept(proposal).map(|(dialogue, _)| dialogue)
    }

    /// The same, with the AC.
    pub(crate) fn open_and_accept(&self, proposal: &Proposal) -> Result<(Dialogue, Reply), Stop> {
        self.may_propose(proposal.units)?;
        let mut dialogue = self.transport_with(proposal.expedited)?;
        if proposal.expedited && !dialogue.has_expedited() {
            return Err(Stop::Skipped("the IUT does not agree to transport expedited".to_owned()));
        }
        dialogue.send(&proposal.cn(self.settings));
        let reply = dialogue.expect_answer_to_connect(proposal.units)?;
        Ok((dialogue, reply))
    }

    /// Duplex where the IUT has it, else half duplex.
    pub(crate) fn dialogue_units(&self) -> Result<Fu, Stop> {
        match (self.facts.duplex_units, self.facts.half_duplex_units) {
            (Some(_), _) => Ok(Fu::DUPLEX),
            (None, Some(_)) => Ok(Fu::HALF_DUPLEX),
            (None, None) => Err(Stop::Skipped("the IUT selects neither duplex nor half duplex".to_owned())),
        }
    }

    /// Skips what the run may not propose.
    pub(crate) fn may_propose(&self, units: Fu) -> Verdict {
        let forbidden = units - self.settings.units;
        if forbidden.is_empty() {
            return Ok(());
        }
        Err(Stop::Skipped(format!("the run does not propose {}", words(forbidden))))
    }
}

impl Dialogue {
    /// AC to a CN that proposed `units`; skips when it does not select all of them.
    pub(crate) fn expect_answer_to_connect(&mut self, units: Fu) -> Result<Reply, Stop> {
        let arrival = self.next();
        let reply = match &arrival {
            Arrival::Tsdu(octets) => Reply { octets: octets.clone(), flow: Default::default() },
            _ => return Err(self.deviation("AC", shown(&arrival))),
        };
        match reply.find(SpduKind::Accept) {
            Some(Spdu::Accept(accept)) => {
                self.take_accept(&accept, units, true);
                let both = Fu::HALF_DUPLEX | Fu::DUPLEX;
                let missing = units - self.units;
                let chosen = units.contains(both) && self.units.intersects(both);
                let missing = if chosen { missing - both } else { missing };
                match missing.is_empty() {
                    true => Ok(reply),
                    false => Err(Stop::Skipped(format!("the IUT does not select {}", words(missing)))),
                }
            }
            _ => Err(self.deviation("AC", reply.shown())),
        }
    }
}

/// Tokens that exist with these units.
pub(crate) fn tokens_of(units: Fu) -> Tokens {
    let pairs = [
        (Fu::HALF_DUPLEX, Tokens::DATA),
        (Fu::MINOR_SYNC, Tokens::MINOR),
        (Fu::MAJOR_SYNC, Tokens::MAJOR),
        (Fu::ACTIVITY, Tokens::MAJOR),
        (Fu::NEGOTIATED_RELEASE, Tokens::RELEASE),
    ];
    let there = pairs.into_iter().filter(|(unit, _)| units.contains(*unit));
    there.fold(Tokens::empty(), |tokens, (_, token)| tokens | token)
}

/// Functional units in words.
pub(crate) fn words(units: Fu) -> String {
    let names: Vec<String> =
        units.iter_names().map(|(name, _)| name.to_lowercase().replace('_', " ")).collect();
    names.join(", ")
}
