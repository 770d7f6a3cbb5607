//! Effects of actions, carried out as text.
//!
//! A statement is `target := target := value`, with `if formula:` or `on EVENT EVENT:` in front; statements are
//! separated by `;` and run one after the other.

use super::formula::{flows, kind_named, kind_of, kinds, value};
use super::reference;
use colloquy_session::Tokens;
use colloquy_session::machine::{Arguments, Event, Flow, TimerEffect, Variables, View, Vrsp, tokens_of};

/// What the actions of a row change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) variables: Variables,
    pub(crate) timer: TimerEffect,
    pub(crate) replay: bool,
    pub(crate) queue: bool,
    pub(crate) drop_prepare: bool,
    pub(crate) keep_user_data: bool,
    pub(crate) send_overflow: bool,
}

/// Runs the actions named, in order.
pub(crate) fn run(actions: &[&str], event: Event, before: &Variables, arguments: &Arguments) -> Changed {
    let mut changed = Changed {
        variables: *before,
        timer: TimerEffect::None,
        replay: false,
        queue: false,
        drop_prepare: false,
        keep_user_data: false,
        send_overflow: false,
    };
    for action in actions {
        for statement in reference().effect(action).split(';') {
            changed.statement(statement.trim(), event, arguments);
        }
        match *action {
            "5" => changed.start_values(),
            "19" => changed.highest_number(),
            _ => {}
        }
    }
    changed
}

impl Changed {
    fn statement(&mut self, statement: &str, event: Event, arguments: &Arguments) {
        if let Some(rest) = statement.strip_prefix("if ") {
            let (condition, rest) = rest.split_once(": ").expect("a condition ends");
            let view = View { variables: &self.variables, event, arguments, prepare_queued: false };
            if value(condition, &view) {
                self.statement(rest, event, arguments);
            }
            return;
        }
        if let Some(rest) = statement.strip_prefix("on ") {
            let (events, rest) = rest.split_once(": ").expect("the events end");
            if events.split(' ').any(|name| name == event.name()) {
                self.statement(rest, event, arguments);
            }
            return;
        }
        match statement {
            "start TIM" => self.timer = TimerEffect::Start,
            "stop TIM" => self.timer = TimerEffect::Stop,
            "replay" => self.replay = true,
            "queue" => self.queue = true,
            "unqueue PR-RS" => self.drop_prepare = true,
            "keep user data" => self.keep_user_data = true,
            "send overflow" => self.send_overflow = true,
            _ if statement.contains(":=") => self.assign(statement, event, arguments),
            _ => self.flows(statement, event, arguments),
        }
    }

    /// Difference: what the reference tells of the start of a session in the list of variables, not in action 5.
    fn start_values(&mut self) {
        let v = &mut self.variables;
        (v.vtrr, v.vnextact, v.vrspnb) = (false, false, 0);
        (v.discard_rcv_flow, v.discard_snd_flow) = (false, false);
        (v.tokens_owned, v.flows) = (Tokens::empty(), Default::default());
    }

    /// Difference: the number that RA has to carry is at most 999 999, and the others do not exceed it.
    fn highest_number(&mut self) {
        let v = &mut self.variables;
        v.v_m = v.v_m.min(999_999);
        v.v_a = v.v_a.min(v.v_m);
        v.v_r = v.v_r.min(v.v_a);
    }

    fn assign(&mut self, statement: &str, event: Event, arguments: &Arguments) {
        let mut parts: Vec<_> = statement.split(":=").map(str::trim).collect();
        let value = parts.pop().expect("a value");
        for target in parts {
            self.assign_one(target, value, event, arguments);
        }
    }

    fn assign_one(&mut self, target: &str, value: &str, event: Event, arguments: &Arguments) {
        let number = self.number(value, event, arguments);
        let v = &mut self.variables;
        let flag = match value {
            "agreed" => arguments.transport_expedited,
            // "A local decision may always force false."
            "kept" => arguments.kept && v.keep_transport,
            "Vnextact" => v.vnextact,
            _ => value == "true",
        };
        let kind = |text: &str| if text == "type" { kind_of(event) } else { kind_named(text) };
        match target {
            "Vtca" => v.vtca = flag,
            "TEXP" => v.texp = flag,
            "Vtrr" => v.vtrr = flag,
            "Vcoll" => v.vcoll = flag,
            "Vdnr" => v.vdnr = flag,
            "Vact" => v.vact = flag,
            "Vnextact" => v.vnextact = flag,
            "Vsc" => v.vsc = flag,
            "Discard-rcv-flow" => v.discard_rcv_flow = flag,
            "Discard-snd-flow" => v.discard_snd_flow = flag,
            "FU" => v.functional_units = arguments.functional_units,
            "Vrsp" => {
                v.vrsp = kind(value);
                if value == "no" {
                    // Of the flows too, which only symmetric synchronize uses.
                    (v.flows.sending.vrsp, v.flows.receiving.vrsp) = (Vrsp::No, Vrsp::No);
                }
            }
            "Vrsps" => v.flows.sending.vrsp = kind(value),
            "Vrspr" => v.flows.receiving.vrsp = kind(value),
            "OWNED" => self.tokens(value, arguments),
            _ => self.assign_number(target, number),
        }
    }

    fn assign_number(&mut self, target: &str, number: Option<i64>) {
        let Some(number) = number else { return };
        let v = &mut self.variables;
        let unsigned = number as u32;
        match target {
            "V(M)" => v.v_m = unsigned,
            "V(A)" => v.v_a = unsigned,
            "V(R)" => v.v_r = unsigned,
            "Vrspnb" => v.vrspnb = unsigned,
            "V(Ado)" => v.v_ado = number as i32,
            "V(Adi)" => v.v_adi = number as i32,
            "V(Ms)" => v.flows.sending.v_m = unsigned,
            "V(As)" => v.flows.sending.v_a = unsigned,
            "V(Rs)" => v.flows.sending.v_r = unsigned,
            "V(Mr)" => v.flows.receiving.v_m = unsigned,
            "V(Ar)" => v.flows.receiving.v_a = unsigned,
            "V(Rr)" => v.flows.receiving.v_r = unsigned,
            other => panic!("target {other}"),
        }
    }

    /// A value that is a number; `None` when it is none, or when the event carries none.
    fn number(&self, value: &str, event: Event, arguments: &Arguments) -> Option<i64> {
        let v = &self.variables;
        if let Some(larger) = value.strip_prefix("max ") {
            let (left, right) = larger.split_once(' ')?;
            return self.number(left, event, arguments).max(self.number(right, event, arguments));
        }
        if let Some(text) = value.strip_suffix(" else 1") {
            return self.number(text, event, arguments).or(Some(1));
        }
        if let Some(text) = value.strip_suffix(" + 1") {
            // Resumption without a number begins at 1, as a start does.
            let missing =
                text.ends_with("sn").then_some(0).filter(|_| matches!(event, Event::Ar | Event::SActRReq));
            return self.number(text, event, arguments).or(missing).map(|number| number + 1);
        }
        let [sending, receiving] = flows(event, arguments.serial, arguments.second_serial);
        let unsigned = match value {
            "V(M)" => v.v_m,
            "V(Ms)" => v.flows.sending.v_m,
            "V(Mr)" => v.flows.receiving.v_m,
            "sn" => arguments.serial?,
            "sending flow sn" => sending?,
            "receiving flow sn" => receiving?,
            _ => return value.parse().ok(),
        };
        Some(i64::from(unsigned))
    }

    fn tokens(&mut self, value: &str, arguments: &Arguments) {
        let v = &mut self.variables;
        let available = tokens_of(v.functional_units);
        v.tokens_owned = match value {
            "AV" => available,
            "none" => Tokens::empty(),
            "OWNED + GT" => (v.tokens_owned | arguments.tokens) & available,
            "OWNED - GT" => v.tokens_owned - arguments.tokens,
            "positions" => arguments.positions & available,
            other => panic!("tokens {other}"),
        };
    }

    /// The actions of symmetric synchronize that speak of "each flow".
    fn flows(&mut self, statement: &str, event: Event, arguments: &Arguments) {
        let v = &mut self.variables;
        let kinds = kinds(event, arguments);
        let numbers = flows(event, arguments.serial, arguments.second_serial);
        let named = [kinds[0].is_some(), kinds[1].is_some()];
        let mut pair = [v.flows.sending, v.flows.receiving];
        let each = pair.iter_mut().zip(kinds.iter().zip(numbers));
        match statement {
            "record flows" => {
                each.for_each(|(flow, (kind, number))| record(flow, *kind, number));
                let activity = matches!(kind_of(event), Vrsp::Int | Vrsp::Dsc);
                v.discard_snd_flow |= named[0] || activity;
                v.discard_rcv_flow |= named[1] || activity;
                v.vrsp = kind_of(event).max(arguments.second_resync.unwrap_or(Vrsp::No));
                if let (Vrsp::R, Some(number)) = (v.vrsp, arguments.serial) {
                    v.vrspnb = number;
                }
            }
            "record prepared flows" => {
                each.for_each(|(flow, (kind, number))| record(flow, *kind, number));
            }
            "raise flows" => each.for_each(|(flow, (kind, number))| {
                if *kind == Some(Vrsp::A) {
                    flow.v_m = flow.v_m.max(number.unwrap_or(0)).min(999_999);
                    flow.v_a = flow.v_a.min(flow.v_m);
                    flow.v_r = flow.v_r.min(flow.v_a);
                }
            }),
            "discard flows" => {
                v.discard_snd_flow |= named[0] || named == [false, false];
                v.discard_rcv_flow |= named[1] || named == [false, false];
            }
            "resynchronize flows" => {
                each.for_each(|(flow, (_, number))| resynchronize(flow, number));
                (v.v_ado, v.v_adi) = (-1, -1);
                (v.discard_rcv_flow, v.discard_snd_flow) = (false, false);
                v.vrsp = Vrsp::No;
            }
            other => panic!("statement {other}"),
        }
        [v.flows.sending, v.flows.receiving] = pair;
    }
}

fn record(flow: &mut Flow, kind: Option<Vrsp>, number: Option<u32>) {
    flow.vrsp = kind.unwrap_or(Vrsp::No);
    if kind == Some(Vrsp::R) && number.is_some() {
        flow.vrspnb = number.unwrap_or(0);
    }
}

fn resynchronize(flow: &mut Flow, number: Option<u32>) {
    if flow.vrsp == Vrsp::No {
        return;
    }
    if let Some(number) = number {
        (flow.v_m, flow.v_a) = (number, number);
    }
    if flow.vrsp != Vrsp::R {
        flow.v_r = 0;
    }
    // Difference: never above what the flow is restarted from.
    flow.v_r = flow.v_r.min(flow.v_a);
    flow.vrsp = Vrsp::No;
}
