//! What shares a TSDU with an SSDU where the plan says so: the start of its activity in front, the minor point that it
//! makes due and the data token behind. Only where that falls to the same moment anyway: nothing waits for an SSDU to
//! go with.

use std::time::Duration;

use colloquy_session::machine::Companions;
use colloquy_session::{Enclosure, Request, SerialNumber, ServiceError, Tokens};
use colloquy_shard::{Context, SessionId};
use colloquy_transport::buf::Slice;
use colloquy_transport::driver::Driver;

use crate::course::{MINORS_MAX, Pending};
use crate::generator::Generator;
use crate::mix::MinorConfirm;
use crate::operation::Operation;
use crate::operations::POINT_MAX;
use crate::plan::Dialogue;
use crate::script::{Script, Step};

/// The mark of an operation, which is its user data.
type Mark = [u8; 8];

/// What was sent together with an SSDU.
#[derive(Debug, Default)]
pub(crate) struct Together {
    start: Option<Mark>,
    point: Option<(SerialNumber, Mark)>,
    token: bool,
}

impl Generator {
    /// True when an activity may start with the next SSDU; else the session has to wait.
    pub(crate) fn may_start(&mut self, index: u32) -> bool {
        let may = self.has_place(index, Step::ActivityStart);
        self.slots[index as usize].blocked |= !may;
        may
    }

    /// Sends an SSDU and what goes with it.
    pub(crate) fn send_together<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        id: SessionId,
        body: &[Slice],
    ) -> Result<Together, ServiceError> {
        let together = self.chosen(ctx, index, id);
        let activity = self.slots[index as usize].course.script.activity_number().wrapping_add(1);
        let identifier = activity.to_be_bytes();
        let begin = together
            .start
            .as_ref()
            .map(|mark| Request::ActivityStart { identifier: &identifier, user_data: mark });
        let point = together.point.as_ref().map(|(_, mark)| Request::SyncMinor {
            confirmation_optional: self.plan.mix.minor_confirm == MinorConfirm::Optional,
            data_separation: false,
            user_data: mark,
        });
        let tokens = if together.token { Tokens::DATA } else { Tokens::empty() };
        let companions = Companions { begin, point, tokens };
        ctx.data_request_with(id, body, Enclosure::WHOLE, &companions)?;
        Ok(together)
    }

    /// What is due together with the next SSDU.
    fn chosen<D: Driver>(&mut self, ctx: &Context<'_, D, Self>, index: u32, id: SessionId) -> Together {
        let mix = &self.plan.mix;
        let course = &self.slots[index as usize].course;
        let mut script = course.script;
        let starts = script.next(mix) == Step::ActivityStart;
        if starts {
            script.done(mix, Step::ActivityStart);
        }
        script.done(mix, Step::Ssdu);
        let next = match starts {
            // An activity numbers its points from 1.
            true => Some(SerialNumber(1)),
            false => ctx.machine(id).map(|machine| machine.serial_numbers().next),
        };
        let has_place = mix.minor_confirm == MinorConfirm::Optional || !course.minors.is_full();
        let serial_number =
            next.filter(|next| script.next(mix) == Step::MinorSync && has_place && next.0 <= POINT_MAX);
        if serial_number.is_some() {
            script.done(mix, Step::MinorSync);
        }
        let token = self.plan.dialogue == Dialogue::HalfDuplex
            && self.ends_turn(index, &script, u64::from(serial_number.is_some()));
        Together {
            start: starts.then(|| self.next_mark(index)),
            point: serial_number.map(|serial_number| (serial_number, self.next_mark(index))),
            token,
        }
    }

    /// True when nothing more can be sent before an answer to the SSDU that leads to `script`, so that the data
    /// token may go with it. What an open loop sends later is not looked at: a token given by itself is in order.
    fn ends_turn(&self, index: u32, script: &Script, points: u64) -> bool {
        let slot = &self.slots[index as usize];
        let mix = &self.plan.mix;
        let step = script.next(mix);
        if step.leads_on() && self.plan.is_finished(slot.sent + 1) {
            return true;
        }
        match step {
            Step::Ssdu => slot.in_flight + 1 >= self.plan.depth,
            Step::Typed => slot.course.typed.in_flight.is_some(),
            Step::Expedited => slot.course.expedited.in_flight.is_some(),
            Step::MinorSync => {
                let full = slot.course.minors.count() as u64 + points >= MINORS_MAX as u64;
                mix.minor_confirm == MinorConfirm::Explicit && full
            }
            Step::Resync => !mix.resync_purges,
            // All others wait until everything is answered.
            _ => true,
        }
    }

    /// Notes what went in front of an SSDU.
    pub(crate) fn begun_in_front(&mut self, now: Duration, index: u32, together: &Together) {
        if let Some(mark) = together.start {
            self.began(now, index, Operation::ActivityStart, Step::ActivityStart, None, mark);
        }
    }

    /// Notes what went behind an SSDU.
    pub(crate) fn begun_behind(&mut self, now: Duration, index: u32, together: &Together) {
        if let Some((serial_number, mark)) = together.point {
            self.began(now, index, Operation::MinorSync, Step::MinorSync, Some(serial_number), mark);
        }
        if together.token {
            self.token_given(now, index);
        }
    }

    fn began(
        &mut self,
        begun: Duration,
        index: u32,
        operation: Operation,
        step: Step,
        serial_number: Option<SerialNumber>,
        mark: Mark,
    ) {
        self.begun(begun, index, Pending { operation, step, begun, serial_number, mark });
        self.slots[index as usize].course.script.done(&self.plan.mix, step);
    }
}
