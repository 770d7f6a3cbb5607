//! How the operations of a mix are begun, and what their confirms are held to.
//!
//! A confirmed operation is begun when the session is at rest: every SSDU answered, every minor point confirmed. So a
//! resynchronization, an interrupt or a discard has nothing to purge, and the content of all SSDUs stays checked;
//! only with `resync_purges` a resynchronization does not wait, and what it takes is counted as purged. Nothing is
//! sent before the confirm.

use std::time::Duration;

use colloquy_session::{
    ActivityResumeParameters, OldConnection, ProviderAbortReason, Request, ResynchronizeParameters,
    SerialNumber, SerialNumbers, ServiceError, Tokens,
};
use colloquy_shard::{Context, SessionId};
use colloquy_transport::driver::Driver;

use crate::course::Pending;
use crate::generator::{Generator, Phase, Stage};
use crate::mix::{MinorConfirm, ResyncKind};
use crate::operation::Operation;
use crate::script::Step;

/// Reason of exception reports, interrupts and discards: not specified (X.225, PI 50 of ED, AI and AD).
const REASON_NOT_SPECIFIED: u8 = 0;
/// No point is set above this number, so that an activity can still be ended.
pub(crate) const POINT_MAX: u32 = SerialNumber::MAX.0 - 8;
/// How far a resynchronization of type set goes ahead of the next number.
const SET_AHEAD: u32 = 10;

impl Generator {
    /// Begins the operation that comes next, if it can be; false when the session has to wait, or is over.
    pub(crate) fn issue_operation<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        id: SessionId,
        step: Step,
    ) -> bool {
        if ctx.is_congested(id) || !self.has_place(index, step) {
            self.slots[index as usize].blocked = true;
            return false;
        }
        if needs_data_token(step) && !self.may_send(ctx, id) {
            self.slots[index as usize].blocked = true;
            self.want_token(ctx, index, id);
            return false;
        }
        if step == Step::Exception {
            // An exception is reported by the side without the data token, which must not be on its way here.
            self.give_token(ctx, index, id);
        }
        let begun = match step {
            Step::Typed => self.send_typed(ctx, index, id),
            Step::Expedited => self.send_expedited(ctx, index, id),
            Step::Release | Step::Abort => return self.leave(ctx, index, id, step),
            _ => self.begin(ctx, index, id, step),
        };
        if begun && self.slots[index as usize].course.pending.is_none() {
            self.slots[index as usize].course.script.done(&self.plan.mix, step);
        }
        begun
    }

    /// True when nothing that was sent stands in the way of the step.
    pub(crate) fn has_place(&self, index: u32, step: Step) -> bool {
        let slot = &self.slots[index as usize];
        let course = &slot.course;
        match step {
            Step::Typed => course.typed.in_flight.is_none(),
            Step::Expedited => course.expedited.in_flight.is_none(),
            Step::MinorSync => {
                self.plan.mix.minor_confirm == MinorConfirm::Optional || !course.minors.is_full()
            }
            Step::Resync if self.plan.mix.resync_purges => true,
            _ => slot.in_flight == 0 && course.awaited(self.plan.mix.minor_confirm) == 0,
        }
    }

    /// Sends the request of a synchronization, resynchronization, activity, exception or capability step.
    pub(crate) fn begin<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        id: SessionId,
        step: Step,
    ) -> bool {
        let Some(numbers) = ctx.machine(id).map(|machine| machine.serial_numbers()) else { return false };
        if matches!(step, Step::MinorSync | Step::MajorSync) && numbers.next.0 > POINT_MAX {
            self.recorder.counts.points_left_out += 1;
            return true;
        }
        let mark = self.next_mark(index);
        let operation = operation_of(step);
        let sent = self.request(ctx, index, id, step, &mark, numbers);
        match sent {
            Ok(serial_number) => {
                self.begun(
                    ctx.now(),
                    index,
                    Pending { operation, step, begun: ctx.now(), serial_number, mark },
                );
                true
            }
            Err(error) => self.refused_here(ctx, index, id, operation, error),
        }
    }

    /// Sends one request and tells the serial number that its confirm must carry.
    fn request<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        id: SessionId,
        step: Step,
        mark: &[u8],
        numbers: SerialNumbers,
    ) -> Result<Option<SerialNumber>, ServiceError> {
        let mix = &self.plan.mix;
        let course = &mut self.slots[index as usize].course;
        let begins = u32::from(step == Step::ActivityStart);
        let activity = course.script.activity_number().wrapping_add(begins).to_be_bytes();
        // Version 1 has no user data in AI and AD.
        let late = if self.plan.versions.contains(&1) { &[][..] } else { mark };
        let (request, serial_number) = match step {
            Step::MinorSync => {
                let confirmation_optional = mix.minor_confirm == MinorConfirm::Optional;
                let request =
                    Request::SyncMinor { confirmation_optional, data_separation: false, user_data: mark };
                (request, Some(numbers.next))
            }
            Step::MajorSync => (Request::SyncMajor { user_data: mark }, Some(numbers.next)),
            Step::ActivityEnd => (Request::ActivityEnd { user_data: mark }, Some(numbers.next)),
            Step::Resync => {
                let serial_number = resync_number(mix.resync_type, numbers);
                let resync_type = mix.resync_type.into();
                let parameters = ResynchronizeParameters {
                    resync_type,
                    serial_number,
                    token_settings: None,
                    user_data: mark,
                    second: None,
                };
                (Request::Resynchronize(parameters), serial_number)
            }
            Step::Exception => {
                (Request::UserException { reason: REASON_NOT_SPECIFIED, user_data: mark }, None)
            }
            Step::Capability => (Request::CapabilityData { user_data: mark }, None),
            Step::ActivityStart => (Request::ActivityStart { identifier: &activity, user_data: mark }, None),
            Step::ActivityInterrupt => {
                // V(M) is 1 or more within an activity.
                course.resume_from = SerialNumber(numbers.next.0.saturating_sub(1));
                (Request::ActivityInterrupt { reason: REASON_NOT_SPECIFIED, user_data: late }, None)
            }
            Step::ActivityDiscard => {
                (Request::ActivityDiscard { reason: REASON_NOT_SPECIFIED, user_data: late }, None)
            }
            Step::ActivityResume => {
                let parameters = ActivityResumeParameters {
                    identifier: &activity,
                    old_identifier: &activity,
                    serial_number: course.resume_from,
                    old_connection: OldConnection::default(),
                    user_data: mark,
                    second_serial_number: None,
                };
                (Request::ActivityResume(parameters), None)
            }
            Step::Ssdu | Step::Typed | Step::Expedited | Step::Release | Step::Abort => {
                unreachable!("these are begun elsewhere")
            }
        };
        ctx.request(id, &request).map(|()| serial_number)
    }

    pub(crate) fn begun(&mut self, now: Duration, index: u32, pending: Pending) {
        let operations = &mut self.recorder.operations;
        operations.of_mut(pending.operation).begun += 1;
        let course = &mut self.slots[index as usize].course;
        if pending.operation.is_unanswered() {
            operations.completed(pending.operation, None);
        } else if pending.operation == Operation::MinorSync {
            let explicit = self.plan.mix.minor_confirm == MinorConfirm::Explicit;
            self.outstanding += u64::from(explicit);
            course.minors.push(pending.serial_number.unwrap_or_default(), now);
        } else {
            self.outstanding += 1;
            course.pending = Some(pending);
        }
    }

    /// A confirm of a minor synchronization point came: it covers all before it.
    pub(crate) fn minor_confirmed<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        serial_number: SerialNumber,
    ) {
        let now = ctx.now();
        let explicit = self.plan.mix.minor_confirm == MinorConfirm::Explicit;
        let mut named = false;
        let minors = &mut self.slots[index as usize].course.minors;
        while let Some((is_named, begun)) = minors.pop_confirmed(serial_number) {
            named |= is_named;
            self.outstanding -= u64::from(explicit);
            let took = self.window.contains(begun).then(|| now.saturating_sub(begun));
            self.recorder.operations.completed(Operation::MinorSync, took);
        }
        if !named {
            self.wrong(Operation::MinorSync, "confirm of a point that was not asked for");
        }
        self.go_on_with(ctx, index);
    }

    /// The confirm of a pending operation came: its number and user data are held to the request's.
    pub(crate) fn confirmed<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        operation: Operation,
        serial_number: Option<SerialNumber>,
        user_data: &[u8],
    ) {
        let now = ctx.now();
        let course = &mut self.slots[index as usize].course;
        let Some(pending) = course.pending.take_if(|pending| pending.operation == operation) else {
            self.wrong(operation, "confirm without a request");
            return;
        };
        course.script.done(&self.plan.mix, pending.step);
        self.outstanding -= 1;
        let took = self.window.contains(pending.begun).then(|| now.saturating_sub(pending.begun));
        self.recorder.operations.completed(operation, took);
        if matches!(operation, Operation::Resync | Operation::Exception) {
            self.purge(index);
        }
        if matches!(operation, Operation::ActivityInterrupt | Operation::ActivityDiscard) {
            // All tokens come with the confirm.
            self.token_taken(index);
        }
        if matches!(operation, Operation::MajorSync | Operation::ActivityEnd | Operation::ActivityDiscard) {
            self.forget_minors(index);
        }
        if !user_data.is_empty() && user_data != pending.mark {
            self.wrong(operation, "confirm with other user data");
        }
        if let Some(fault) = self.fault_of(ctx, index, &pending, serial_number) {
            self.wrong(operation, fault);
        }
        self.go_on_with(ctx, index);
    }

    /// What is wrong with numbers and tokens at the end of an operation.
    fn fault_of<D: Driver>(
        &self,
        ctx: &Context<'_, D, Self>,
        index: u32,
        pending: &Pending,
        serial_number: Option<SerialNumber>,
    ) -> Option<&'static str> {
        let machine = ctx.machine(self.slots[index as usize].id?)?;
        let numbers = machine.serial_numbers();
        let named = serial_number.unwrap_or_default();
        match pending.operation {
            Operation::MajorSync | Operation::ActivityEnd => {
                if serial_number != pending.serial_number {
                    return Some("confirm of another point");
                }
                if numbers.next.0 != named.0 + 1 {
                    return Some("the next serial number does not follow the point");
                }
            }
            Operation::Resync => {
                if pending.serial_number.is_some_and(|asked| asked != named) {
                    return Some("confirm of another serial number");
                }
                if numbers.next != named {
                    return Some("the next serial number is not the one confirmed");
                }
            }
            _ => {}
        }
        // Resynchronizations leave the data token where it is; all others never leave the initiator.
        let elsewhere = machine.tokens_available() - machine.tokens_owned();
        let allowed = match pending.operation {
            Operation::Resync | Operation::Exception => Tokens::DATA,
            _ => Tokens::empty(),
        };
        (!(elsewhere - allowed).is_empty()).then_some("a token is at the peer that should be here")
    }

    /// Counts what a resynchronization took. Nothing, unless it did not wait.
    fn purge(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        let in_flight = std::mem::take(&mut slot.in_flight);
        slot.first_flight = 0;
        slot.next_answer = slot.sent as u32;
        slot.arriving = Default::default();
        self.in_flight -= u64::from(in_flight);
        self.recorder.counts.purged += u64::from(in_flight);
        for (operation, aside) in
            [(Operation::Typed, &mut slot.course.typed), (Operation::Expedited, &mut slot.course.expedited)]
        {
            if aside.in_flight.take().is_some() {
                aside.sent = aside.sent.wrapping_add(1);
                aside.arriving = Default::default();
                self.outstanding -= 1;
                self.recorder.operations.of_mut(operation).purged += 1;
            }
        }
        self.forget_minors(index);
        self.token_taken(index);
    }

    /// Forgets minor points that are confirmed by something else, or gone with what they marked.
    fn forget_minors(&mut self, index: u32) {
        let count = self.slots[index as usize].course.minors.clear() as u64;
        if self.plan.mix.minor_confirm == MinorConfirm::Explicit {
            self.outstanding -= count;
            self.recorder.operations.of_mut(Operation::MinorSync).purged += count;
        }
    }

    /// Goes on with a session of which something was answered.
    pub(crate) fn go_on_with<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, index: u32) {
        match self.phase {
            Phase::Running(_) => {
                self.issue(ctx, index);
                if self.unfinished == 0 && self.is_idle() {
                    self.advance(ctx);
                }
            }
            Phase::Draining { .. } if self.is_idle() => self.advance(ctx),
            Phase::Releasing { .. } if self.slots[index as usize].stage == Stage::Established => {
                self.release_one(ctx, index as usize);
            }
            _ => {}
        }
    }

    /// True when nothing that was sent waits for its answer.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.outstanding == 0
    }

    /// Ends a session over a request that its machine does not take; false for the caller's loop.
    pub(crate) fn refused_here<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        index: u32,
        id: SessionId,
        operation: Operation,
        error: ServiceError,
    ) -> bool {
        self.recorder.operations.of_mut(operation).errors += 1;
        self.recorder.error(&format!("{} request: {error}", operation.name()));
        self.slots[index as usize].stage = Stage::Releasing;
        ctx.provider_abort(id, ProviderAbortReason::Undefined);
        false
    }

    /// Counts an answer that is not what it must be.
    fn wrong(&mut self, operation: Operation, fault: &str) {
        self.recorder.operations.of_mut(operation).errors += 1;
        self.recorder.error(&format!("{}: {fault}", operation.name()));
    }

    pub(crate) fn next_mark(&mut self, index: u32) -> [u8; 8] {
        let slot = &mut self.slots[index as usize];
        slot.course.marks = slot.course.marks.wrapping_add(1);
        let mut mark = [0; 8];
        mark[..4].copy_from_slice(&slot.course.marks.to_le_bytes());
        mark[4..].copy_from_slice(&slot.number.to_le_bytes());
        mark
    }
}

fn operation_of(step: Step) -> Operation {
    match step {
        Step::Ssdu => Operation::Data,
        Step::Typed => Operation::Typed,
        Step::Expedited => Operation::Expedited,
        Step::Exception => Operation::Exception,
        Step::MinorSync => Operation::MinorSync,
        Step::Resync => Operation::Resync,
        Step::MajorSync => Operation::MajorSync,
        Step::ActivityInterrupt => Operation::ActivityInterrupt,
        Step::ActivityDiscard => Operation::ActivityDiscard,
        Step::ActivityResume => Operation::ActivityResume,
        Step::ActivityEnd => Operation::ActivityEnd,
        Step::Capability => Operation::Capability,
        Step::ActivityStart => Operation::ActivityStart,
        Step::Release => Operation::Release,
        Step::Abort => Operation::Abort,
    }
}

/// X.215, tokens of each primitive; an exception needs it to give it away. Interrupt and discard need the major token alone, which stays here.
fn needs_data_token(step: Step) -> bool {
    matches!(
        step,
        Step::MinorSync
            | Step::MajorSync
            | Step::ActivityStart
            | Step::ActivityResume
            | Step::ActivityEnd
            | Step::Capability
            | Step::Exception
            | Step::Release
    )
}

/// The number that a resynchronization asks for; `None` leaves it to the machine.
fn resync_number(kind: ResyncKind, numbers: SerialNumbers) -> Option<SerialNumber> {
    match kind {
        ResyncKind::Restart => Some(numbers.lowest_restart),
        ResyncKind::Abandon => None,
        // The numbers start over before they run out.
        ResyncKind::Set if numbers.next.0 > POINT_MAX / 2 => Some(SerialNumber(1)),
        ResyncKind::Set => Some(SerialNumber(numbers.next.0 + SET_AHEAD)),
    }
}
