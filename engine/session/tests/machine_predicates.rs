//! Every predicate against its formula as the standard's tables print it, read by an evaluator of its own.

mod machine_support;

use colloquy_session::machine::{Arguments, Event, Flows, Predicate, Variables, View, Vrsp, tokens_of};
use colloquy_session::{FunctionalUnits, State, Tokens};
use machine_support::Random;

/// Predicates and their formulas. Left out: those that only hand on what the event brings (p76, p202, p204,
/// q1) and p24, which has a test of its own. Without symmetric synchronization, which is never selected.
const FORMULAS: &[(Predicate, &str)] = &[
    (Predicate::P01, "!Vtca"),
    (Predicate::P02, "KEEP && !TEXP"),
    (Predicate::P03, "I(dk)"),
    (Predicate::P04, "FU(FD) && !Vcoll"),
    (Predicate::P05, "A(dk)"),
    (Predicate::P06, "FU(TD)"),
    (Predicate::P07, "FU(TD) && !Vcoll"),
    (Predicate::P08, "FU(EX)"),
    (Predicate::P09, "FU(EX) && !Vcoll"),
    (Predicate::P10, "!Vcoll"),
    (Predicate::P11, "II(ma)"),
    (Predicate::P12, "FU(MA) && (!FU(ACT) || Vact) && A(dk) && A(mi) && AA(ma)"),
    (Predicate::P13, "FU(MA) && (!FU(ACT) || Vact) && I(dk) && I(mi) && II(ma)"),
    (Predicate::P14, "(!FU(ACT) || Vact) && A(dk) && AA(mi)"),
    (Predicate::P15, "(!FU(ACT) || Vact) && I(dk) && II(mi)"),
    (Predicate::P16, "!TEXP"),
    (Predicate::P17, "(!FU(ACT) || Vact) && (FU(SS) || FU(SY)) && (FU(SS) || !Vsc)"),
    (Predicate::P18, "(!FU(ACT) || Vact) && (FU(SS) || FU(SY)) && (FU(SS) || Vsc)"),
    (Predicate::P19, "!FU(SS) && sn == V(M)"),
    (Predicate::P20, "!FU(SS) && sn == V(M) - 1"),
    (Predicate::P21, "!FU(SS) && V(M) > sn && sn >= V(A)"),
    (Predicate::P23, "FU(ACT) && !Vnextact"),
    (Predicate::P25, "(FU(SY) || FU(SS) || FU(MA)) && FU(RESYN)"),
    (Predicate::P26, "!FU(ACT) || Vact"),
    (Predicate::P27, "Vrsp == no"),
    (Predicate::P28, "FU(RESYN)"),
    (Predicate::P29, "(!FU(ACT) || Vact) && FU(RESYN)"),
    (Predicate::P30, "!FU(ACT) || Vnextact"),
    (Predicate::P31, "FU(ACT) && Vnextact"),
    (Predicate::P33, "V(M) >= sn && sn >= V(R)"),
    (Predicate::P34, "FU(ACT)"),
    (Predicate::P35, "FU(RESYN) && (!TEXP || FU(DS))"),
    (Predicate::P36, "FU(RESYN) && TEXP"),
    (Predicate::P37, "FU(ACT) && TEXP"),
    (Predicate::P38, "FU(ACT) && !TEXP"),
    (Predicate::P39, "Vact && II(ma)"),
    (Predicate::P40, "AA(ma)"),
    (Predicate::P41, "Vrsp == dsc"),
    (Predicate::P42, "Vrsp == int"),
    (Predicate::P43, "!FU(SS) && ((Vrsp == r && sn == Vrspnb) || (Vrsp == a && sn == V(M)) || Vrsp == s)"),
    (Predicate::P44, "FU(ACT) && !Vact && A(dk) && A(mi) && A(ma)"),
    (Predicate::P45, "FU(ACT) && !Vact && I(dk) && I(mi) && I(ma)"),
    (Predicate::P46, "FU(CD) && FU(ACT) && !Vact && A(dk) && A(mi) && !OWNED(ma)"),
    (Predicate::P47, "FU(CD) && FU(ACT) && !Vact && I(dk) && I(mi) && OWNED(ma)"),
    (Predicate::P48, "FU(EXCEP) && FU(HD)"),
    (Predicate::P49, "(Vrsp == r && sn == Vrspnb) || (Vrsp == a && sn >= V(M)) || Vrsp == s"),
    (Predicate::P50, "FU(EXCEP) && (!FU(ACT) || Vact) && AA(dk)"),
    (Predicate::P51, "FU(EXCEP) && (!FU(ACT) || Vact) && II(dk)"),
    (Predicate::P52, "FU(EXCEP) && !FU(ACT) && II(dk)"),
    (Predicate::P53, "ALL(AV, RT)"),
    (Predicate::P54, "ALL(II, GT)"),
    (Predicate::P55, "FU(ACT) && !Vact && ALL(I, tk-dom)"),
    (Predicate::P57, "ALL(II, GT) && dk not in GT"),
    (Predicate::P58, "ALL(II, GT) && dk in GT"),
    (Predicate::P59, "ALL(AA, GT)"),
    (Predicate::P60, "ALL(AA, GT) && dk not in GT"),
    (Predicate::P61, "ALL(AA, GT) && dk in GT"),
    (Predicate::P62, "FU(ACT) && !Vact && ALL(A, tk-dom)"),
    (Predicate::P63, "ALL(I, tk-dom) && (!FU(ACT) || !Vact)"),
    (Predicate::P64, "OFFER && !Vtca && !TEXP"),
    (Predicate::P65, "ANY(AV, tk-dom)"),
    (Predicate::P66, "Vtrr"),
    (Predicate::P67, "FU(NR)"),
    (Predicate::P68, "ALL(A, tk-dom) && (!FU(ACT) || !Vact)"),
    (Predicate::P69, "Vcoll"),
    (Predicate::P70, "FU(FD)"),
    (Predicate::P71, "FU(ACT) && Vact && I(dk) && I(mi) && II(ma)"),
    (Predicate::P72, "FU(ACT) && Vact && A(dk) && A(mi) && AA(ma)"),
    (Predicate::P75, "(Vcoll && Vdnr) || !Vcoll"),
    (Predicate::P80, "!FU(DS) || (!FU(SS) && V(Adi) < V(A))"),
    (Predicate::P81, "(!FU(SS) && V(Ado) >= V(A))"),
    (Predicate::P82, "FU(DS)"),
    (Predicate::P178, "FU(SS)"),
    (Predicate::P185, "Discard-rcv-flow && !(V(Ado) >= V(A))"),
    (Predicate::P186, "Discard-snd-flow"),
    (Predicate::P32, "!(type == r) || sn >= V(R)"),
];

#[test]
fn predicates_equal_their_formulas() {
    let mut random = Random::from_environment(53);
    for (predicate, formula) in FORMULAS {
        let mut seen = [0; 2];
        for _ in 0..1500 {
            let (variables, event, arguments) = random_view(&mut random);
            let view = View { variables: &variables, event, arguments: &arguments, prepare_queued: false };
            let expected = Evaluator { rest: formula, view: &view }.whole();
            assert_eq!(predicate.holds(&view), expected, "{predicate:?} {formula} {view:?}");
            seen[usize::from(expected)] += 1;
        }
        let constant = *predicate == Predicate::P178;
        assert!(constant || seen.iter().all(|count| *count > 0), "{predicate:?}: both values seen: {seen:?}");
    }
}

#[test]
fn every_predicate_has_a_formula_or_a_reason_to_have_none() {
    let without = [Predicate::P76, Predicate::P202, Predicate::P204, Predicate::Q1, Predicate::P24];
    for predicate in Predicate::ALL {
        let has_formula = FORMULAS.iter().any(|(known, _)| known == predicate)
            || predicate.name() >= "p173" && predicate.name().len() == 4;
        assert!(has_formula || without.contains(predicate), "{predicate:?}");
    }
}

#[test]
fn the_stronger_of_two_colliding_requests_wins_and_the_initiator_among_equals() {
    // From the weakest to the strongest: as requests of the peer, and as what is recorded.
    let ranked = [
        (Event::RsR, Vrsp::R),
        (Event::RsS, Vrsp::S),
        (Event::RsA, Vrsp::A),
        (Event::Ai, Vrsp::Int),
        (Event::Ad, Vrsp::Dsc),
    ];
    for (event_rank, (event, _)) in ranked.iter().enumerate() {
        for (recorded_rank, (_, vrsp)) in ranked.iter().enumerate() {
            for responder in [false, true] {
                let variables = Variables { vrsp: *vrsp, vrspnb: 5, vtca: responder, ..Variables::new() };
                let arguments = Arguments { serial: Some(5), ..Arguments::NONE };
                let view = View {
                    variables: &variables,
                    event: *event,
                    arguments: &arguments,
                    prepare_queued: false,
                };
                let event_wins = event_rank > recorded_rank || (event_rank == recorded_rank && responder);
                assert_eq!(Predicate::P24.holds(&view), event_wins, "{event:?} meets {vrsp:?}");
            }
        }
    }
}

#[test]
fn of_two_restarts_the_lower_number_wins() {
    for (recorded, received, event_wins) in [(5, 4, true), (5, 6, false)] {
        for responder in [false, true] {
            let variables =
                Variables { vrsp: Vrsp::R, vrspnb: recorded, vtca: responder, ..Variables::new() };
            let arguments = Arguments { serial: Some(received), ..Arguments::NONE };
            let view = View {
                variables: &variables,
                event: Event::RsR,
                arguments: &arguments,
                prepare_queued: false,
            };
            assert_eq!(Predicate::P24.holds(&view), event_wins);
        }
    }
}

#[test]
fn a_request_made_while_the_peers_is_indicated_meets_the_peers() {
    for (vtca, event_wins) in [(true, false), (false, true)] {
        // The peer's abandon is recorded; the local user abandons too: the initiator's request wins.
        let variables = Variables { vrsp: Vrsp::A, vtca, ..Variables::new() };
        let arguments = Arguments { serial: Some(1), ..Arguments::NONE };
        let view = View {
            variables: &variables,
            event: Event::SRsynReqA,
            arguments: &arguments,
            prepare_queued: false,
        };
        assert_eq!(Predicate::P24.holds(&view), event_wins);
    }
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
        ];
        if let Some((_, value)) = flags.iter().find(|(name, _)| self.takes_word(name)) {
            return *value;
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

    /// `Vrsp == x`, `type == r`.
    fn kind(&mut self) -> Option<bool> {
        if self.takes("type == r") {
            return Some(self.view.event == Event::RsR);
        }
        if !self.takes("Vrsp ==") {
            return None;
        }
        let kind = match &self.word()[..] {
            "no" => Vrsp::No,
            "a" => Vrsp::A,
            "r" => Vrsp::R,
            "s" => Vrsp::S,
            "int" => Vrsp::Int,
            "dsc" => Vrsp::Dsc,
            other => panic!("kind {other}"),
        };
        Some(self.view.variables.vrsp == kind)
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
        let numbers = [
            ("V(M)", Some(i64::from(v.v_m))),
            ("V(A)", Some(i64::from(v.v_a))),
            ("V(R)", Some(i64::from(v.v_r))),
            ("V(Ado)", Some(i64::from(v.v_ado))),
            ("V(Adi)", Some(i64::from(v.v_adi))),
            ("Vrspnb", Some(i64::from(v.vrspnb))),
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

fn random_view(random: &mut Random) -> (Variables, Event, Arguments) {
    let units = FunctionalUnits::from_bits_truncate(random.bits() as u16) - FunctionalUnits::SYMMETRIC_SYNC;
    let any_tokens = |random: &mut Random| Tokens::from_bits_truncate(random.bits() as u8);
    let available = tokens_of(units);
    let owned = match random.below(3) {
        0 => available,
        1 => Tokens::empty(),
        _ => any_tokens(random) & available,
    };
    let variables = loop {
        let variables = Variables {
            functional_units: units,
            tokens_owned: owned,
            vtca: random.coin(),
            texp: random.coin(),
            vtrr: random.coin(),
            vcoll: random.coin(),
            vdnr: random.coin(),
            vact: random.coin() && units.contains(FunctionalUnits::ACTIVITY),
            vnextact: random.coin(),
            vsc: random.coin(),
            v_m: random.below(5) as u32,
            v_a: random.below(5) as u32,
            v_r: random.below(5) as u32,
            vrsp: random.pick(&[Vrsp::No, Vrsp::R, Vrsp::S, Vrsp::A, Vrsp::Int, Vrsp::Dsc]),
            vrspnb: random.below(5) as u32,
            flows: Flows::new(),
            v_ado: random.below(5) as i32 - 1,
            v_adi: random.below(5) as i32 - 1,
            discard_rcv_flow: random.coin(),
            discard_snd_flow: random.coin(),
            keep_transport: random.coin(),
            offer_reuse: random.coin(),
        };
        if variables.invariants(State::Sta02A).is_ok() {
            break variables;
        }
    };
    let arguments = Arguments {
        tokens: any_tokens(random) & any_tokens(random),
        serial: (!random.one_in(10)).then_some(random.below(6) as u32),
        ..Arguments::NONE
    };
    (variables, random.pick(&[Event::RsR, Event::RsA, Event::RsS]), arguments)
}
