//! Formulas of predicates, evaluated as text.

use super::reference;
use colloquy_session::machine::{Arguments, Event, Origin, View, Vrsp};
use colloquy_session::{FunctionalUnits, Tokens};

/// The value of a formula.
pub(crate) fn value(formula: &str, view: &View<'_>) -> bool {
    Evaluator { rest: formula, view }.whole()
}

/// Whether a guard holds.
pub(crate) fn guard_holds(guard: &[String], view: &View<'_>) -> bool {
    guard.iter().all(|term| term_holds(term, view))
}

/// Whether one term of a guard holds.
pub(crate) fn term_holds(term: &str, view: &View<'_>) -> bool {
    let name = term.trim_start_matches('!');
    value(reference().formula(name), view) != term.starts_with('!')
}

/// Reads a formula from left to right: `||` binds weaker than `&&`, `!` strongest.
struct Evaluator<'f> {
    rest: &'f str,
    view: &'f View<'f>,
}

impl Evaluator<'_> {
    fn whole(mut self) -> bool {
        let value = self.or();
        assert_eq!(self.rest.trim(), "", "the formula was read to its end");
        value
    }

    fn or(&mut self) -> bool {
        let mut value = self.and();
        while self.takes("||") {
            value |= self.and();
        }
        value
    }

    fn and(&mut self) -> bool {
        let mut value = self.term();
        while self.takes("&&") {
            value &= self.term();
        }
        value
    }

    fn term(&mut self) -> bool {
        let v = self.view.variables;
        if self.takes("!") {
            return !self.term();
        }
        if self.takes("(") {
            let value = self.or();
            assert!(self.takes(")"));
            return value;
        }
        let flags = [
            ("Vtca", v.vtca),
            ("TEXP", v.texp),
            ("KEEP", v.keep_transport),
            ("OFFER", v.offer_reuse),
            ("Vtrr", v.vtrr),
            ("Vcoll", v.vcoll),
            ("Vdnr", v.vdnr),
            ("Vact", v.vact),
            ("Vnextact", v.vnextact),
            ("Vsc", v.vsc),
            ("Discard-rcv-flow", v.discard_rcv_flow),
            ("Discard-snd-flow", v.discard_snd_flow),
            ("UNACCEPTABLE", self.view.arguments.unacceptable),
            ("LAST", self.view.arguments.last),
            ("OVERFLOW", self.view.arguments.overflow),
            ("QUEUED", self.view.prepare_queued),
        ];
        if let Some((_, value)) = flags.iter().find(|(name, _)| self.takes_word(name)) {
            return *value;
        }
        if self.takes_word("SPMwinner") {
            return self.recorded_request_wins();
        }
        if self.takes("serial numbers ==") {
            return self.both_numbers();
        }
        self.function()
            .or_else(|| self.membership())
            .or_else(|| self.kind())
            .unwrap_or_else(|| self.comparison())
    }

    /// FU(f), and I, A, II, AA, AV, OWNED of a token or of all or any of a set.
    fn function(&mut self) -> Option<bool> {
        if self.takes("FU(") {
            let unit = unit(&self.word());
            assert!(self.takes(")"));
            return Some(self.view.variables.functional_units.contains(unit));
        }
        for (name, all) in [("ALL(", true), ("ANY(", false)] {
            if self.takes(name) {
                let function = self.word();
                assert!(self.takes(","));
                let set = self.set();
                assert!(self.takes(")"));
                let mut values = set.iter().map(|token| self.token_function(&function, token));
                return Some(if all { values.all(|value| value) } else { values.any(|value| value) });
            }
        }
        for name in ["II", "AA", "AV", "OWNED", "I", "A"] {
            if self.takes(&format!("{name}(")) {
                let token = token(&self.word());
                assert!(self.takes(")"));
                return Some(self.token_function(name, token));
            }
        }
        None
    }

    fn token_function(&self, name: &str, token: Tokens) -> bool {
        let v = self.view.variables;
        let units = v.functional_units;
        let available = match token {
            Tokens::DATA => units.contains(FunctionalUnits::HALF_DUPLEX),
            Tokens::MINOR => units.contains(FunctionalUnits::MINOR_SYNC),
            Tokens::MAJOR => units.intersects(FunctionalUnits::MAJOR_SYNC | FunctionalUnits::ACTIVITY),
            _ => units.contains(FunctionalUnits::NEGOTIATED_RELEASE),
        };
        let owned = v.tokens_owned.contains(token);
        match name {
            "AV" => available,
            "OWNED" => owned,
            "I" => !available || owned,
            "A" => !available || !owned,
            "II" => available && owned,
            "AA" => available && !owned,
            _ => panic!("function {name}"),
        }
    }

    /// `dk in GT`, `dk not in GT`.
    fn membership(&mut self) -> Option<bool> {
        let contains = self.view.arguments.tokens.contains(Tokens::DATA);
        if self.takes("dk not in GT") {
            return Some(!contains);
        }
        self.takes("dk in GT").then_some(contains)
    }

    /// Rank of what is recorded against rank of the event; the rest as the reference has it under SPMwinner.
    fn recorded_request_wins(&self) -> bool {
        let (v, event) = (self.view.variables, self.view.event);
        let rank = |kind| {
            [Vrsp::No, Vrsp::R, Vrsp::S, Vrsp::A, Vrsp::Int, Vrsp::Dsc].iter().position(|k| *k == kind)
        };
        let strongest = rank(kind_of(event)).max(self.view.arguments.second_resync.and_then(rank));
        let recorded = rank(v.vrsp);
        if recorded != strongest {
            return recorded > strongest;
        }
        let equal_numbers = self.view.arguments.serial.is_none_or(|sn| sn == v.vrspnb);
        if v.vrsp == Vrsp::R && !equal_numbers {
            return self.view.arguments.serial.is_some_and(|sn| v.vrspnb < sn);
        }
        // What is recorded was asked for here when the event is an SPDU; the initiator is who is not Vtca.
        match event.origin() {
            Origin::Spdu => !v.vtca,
            _ => v.vtca,
        }
    }

    /// `(V(Ms) - 1, V(Mr))`: sending flow, receiving flow.
    fn both_numbers(&mut self) -> bool {
        assert!(self.takes("("));
        let sending = self.number();
        assert!(self.takes(","));
        let receiving = self.number();
        assert!(self.takes(")"));
        let same =
            |number: Option<i64>, serial: Option<u32>| number.is_some() && number == serial.map(i64::from);
        let [first, second] =
            flows(self.view.event, self.view.arguments.serial, self.view.arguments.second_serial);
        same(sending, first) && same(receiving, second)
    }

    /// `Vrsp == x`, `Vrspr != x`, `type == r`, of a flow or of the event.
    fn kind(&mut self) -> Option<bool> {
        let v = self.view.variables;
        let event = self.view.event;
        let [sending, receiving] = kinds(event, self.view.arguments);
        let kinds = [
            ("type", Some(kind_of(event))),
            ("sending flow type", sending),
            ("receiving flow type", receiving),
            ("Vrspr", Some(v.flows.receiving.vrsp)),
            ("Vrsps", Some(v.flows.sending.vrsp)),
            ("Vrsp", Some(v.vrsp)),
        ];
        let before = self.rest;
        let (_, kind) = kinds.iter().find(|(name, _)| self.takes_word(name))?;
        let equal = match (self.takes("=="), self.takes("!=")) {
            (true, _) => true,
            (_, true) => false,
            _ => {
                self.rest = before;
                return None;
            }
        };
        Some((*kind == Some(kind_named(&self.word()))) == equal)
    }

    /// Two numbers and a comparison; false when the event has no number.
    fn comparison(&mut self) -> bool {
        let left = self.number();
        let operator = ["==", ">=", "<", ">"].into_iter().find(|operator| self.takes(operator));
        let right = self.number();
        let (Some(left), Some(right)) = (left, right) else { return false };
        match operator {
            Some("==") => left == right,
            Some(">=") => left >= right,
            Some("<") => left < right,
            Some(">") => left > right,
            _ => panic!("comparison before {:?}", self.rest),
        }
    }

    fn number(&mut self) -> Option<i64> {
        let v = self.view.variables;
        let arguments = self.view.arguments;
        let [sending, receiving] = flows(self.view.event, arguments.serial, arguments.second_serial);
        let numbers = [
            ("V(M)", Some(i64::from(v.v_m))),
            ("V(A)", Some(i64::from(v.v_a))),
            ("V(R)", Some(i64::from(v.v_r))),
            ("V(Ado)", Some(i64::from(v.v_ado))),
            ("V(Adi)", Some(i64::from(v.v_adi))),
            ("V(Ms)", Some(i64::from(v.flows.sending.v_m))),
            ("V(As)", Some(i64::from(v.flows.sending.v_a))),
            ("V(Rs)", Some(i64::from(v.flows.sending.v_r))),
            ("V(Mr)", Some(i64::from(v.flows.receiving.v_m))),
            ("V(Ar)", Some(i64::from(v.flows.receiving.v_a))),
            ("V(Rr)", Some(i64::from(v.flows.receiving.v_r))),
            ("Vrspnbs", Some(i64::from(v.flows.sending.vrspnb))),
            ("Vrspnbr", Some(i64::from(v.flows.receiving.vrspnb))),
            ("Vrspnb", Some(i64::from(v.vrspnb))),
            ("sending flow sn", sending.map(i64::from)),
            ("receiving flow sn", receiving.map(i64::from)),
            ("sn", self.view.arguments.serial.map(i64::from)),
        ];
        let (_, number) = numbers
            .iter()
            .find(|(name, _)| self.takes(name))
            .unwrap_or_else(|| panic!("a number before {:?}", self.rest));
        match self.takes("- 1") {
            true => number.map(|number| number - 1),
            false => *number,
        }
    }

    fn set(&mut self) -> Tokens {
        match &self.word()[..] {
            "GT" | "RT" => self.view.arguments.tokens,
            "tk-dom" => Tokens::all(),
            other => panic!("set {other}"),
        }
    }

    fn word(&mut self) -> String {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '-').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_string()
    }

    fn takes(&mut self, text: &str) -> bool {
        let rest = self.rest.trim_start();
        rest.strip_prefix(text).inspect(|after| self.rest = after).is_some()
    }

    fn takes_word(&mut self, text: &str) -> bool {
        let before = self.rest;
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
        let taken = self.takes(text) && ends(self.rest);
        if !taken {
            self.rest = before;
        }
        taken
    }
}

fn unit(name: &str) -> FunctionalUnits {
    match name {
        "HD" => FunctionalUnits::HALF_DUPLEX,
        "FD" => FunctionalUnits::DUPLEX,
        "EX" => FunctionalUnits::EXPEDITED,
        "SY" => FunctionalUnits::MINOR_SYNC,
        "MA" => FunctionalUnits::MAJOR_SYNC,
        "RESYN" => FunctionalUnits::RESYNCHRONIZE,
        "ACT" => FunctionalUnits::ACTIVITY,
        "NR" => FunctionalUnits::NEGOTIATED_RELEASE,
        "CD" => FunctionalUnits::CAPABILITY_DATA,
        "EXCEP" => FunctionalUnits::EXCEPTIONS,
        "TD" => FunctionalUnits::TYPED_DATA,
        "SS" => FunctionalUnits::SYMMETRIC_SYNC,
        "DS" => FunctionalUnits::DATA_SEPARATION,
        _ => panic!("unit {name}"),
    }
}

fn token(name: &str) -> Tokens {
    match name {
        "dk" => Tokens::DATA,
        "mi" => Tokens::MINOR,
        "ma" => Tokens::MAJOR,
        "tr" => Tokens::RELEASE,
        _ => panic!("token {name}"),
    }
}

/// A kind of resynchronization by its name.
pub(crate) fn kind_named(name: &str) -> Vrsp {
    match name {
        "no" => Vrsp::No,
        "a" => Vrsp::A,
        "r" => Vrsp::R,
        "s" => Vrsp::S,
        "int" => Vrsp::Int,
        "dsc" => Vrsp::Dsc,
        other => panic!("kind {other}"),
    }
}

/// The kind an event asks for, by its name: `RS-a`, `SRSYNreq(a)`, AI and SACTIreq, AD and SACTDreq.
pub(crate) fn kind_of(event: Event) -> Vrsp {
    let name = event.name();
    let letter = name.strip_prefix("RS-").or(name.strip_prefix("SRSYNreq(")).map(|rest| &rest[..1]);
    match (letter, name) {
        (Some(letter), _) => kind_named(letter),
        (_, "AI" | "SACTIreq") => Vrsp::Int,
        (_, "AD" | "SACTDreq") => Vrsp::Dsc,
        _ => Vrsp::No,
    }
}

/// Puts what an event says first and second in the order sending flow, receiving flow: the first is the sending
/// flow of who asks, and an answer keeps the order.
pub(crate) fn flows<T>(event: Event, first: T, second: T) -> [T; 2] {
    let asked_here = event.origin() == Origin::User && !event.name().contains("rsp");
    let answered_to_here = ["MIA", "MAA", "AEA", "RA", "AC"].contains(&event.name());
    if asked_here || answered_to_here { [first, second] } else { [second, first] }
}

/// The kinds of resynchronization an event names: sending flow, receiving flow.
pub(crate) fn kinds(event: Event, arguments: &Arguments) -> [Option<Vrsp>; 2] {
    let first = match kind_of(event) {
        Vrsp::No => arguments.first_resync,
        Vrsp::Int | Vrsp::Dsc => None,
        kind => Some(kind),
    };
    flows(event, first, arguments.second_resync)
}
