//! What a session does next: the order of SSDUs and operations that a mix asks for. Pure, no time, no octets.
//!
//! After each SSDU the operations that its number makes due are done, in this order; then the next SSDU:
//!
//! ```text
//! typed, expedited, exception, minor sync, resync, major sync, interrupt and resume or discard, activity end,
//! release or abort
//! ```
//!
//! With activities every SSDU is part of one: before the first SSDU, and after the end of each activity, the next is
//! started, behind capability data where those are due. A release that falls into an activity waits for its end.

use crate::mix::Mix;

/// What comes next in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// S-DATA.
    Ssdu,
    /// S-TYPED-DATA.
    Typed,
    /// S-EXPEDITED-DATA.
    Expedited,
    /// S-U-EXCEPTION-REPORT.
    Exception,
    /// S-SYNC-MINOR.
    MinorSync,
    /// S-RESYNCHRONIZE.
    Resync,
    /// S-SYNC-MAJOR.
    MajorSync,
    /// S-ACTIVITY-INTERRUPT.
    ActivityInterrupt,
    /// S-ACTIVITY-DISCARD.
    ActivityDiscard,
    /// S-ACTIVITY-RESUME.
    ActivityResume,
    /// S-ACTIVITY-END.
    ActivityEnd,
    /// S-CAPABILITY-DATA.
    Capability,
    /// S-ACTIVITY-START.
    ActivityStart,
    /// S-RELEASE, with another session to follow.
    Release,
    /// S-U-ABORT, with another session to follow.
    Abort,
}

impl Step {
    /// True for what a session does not begin any more once it has sent all its SSDUs.
    pub fn leads_on(self) -> bool {
        matches!(
            self,
            Step::Ssdu
                | Step::Capability
                | Step::ActivityStart
                | Step::ActivityResume
                | Step::Release
                | Step::Abort
        )
    }

    /// Its bit in the set of what is due.
    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// Steps that an SSDU makes due, in the order in which they are done.
const BEHIND_SSDU: [Step; 9] = [
    Step::Typed,
    Step::Expedited,
    Step::Exception,
    Step::MinorSync,
    Step::Resync,
    Step::MajorSync,
    Step::ActivityInterrupt,
    Step::ActivityDiscard,
    Step::ActivityResume,
];

/// How far one session of the plan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Steps that are due.
    due: u16,
    /// An activity is in progress, or interrupted and to be resumed.
    in_activity: bool,
    /// SSDUs of this activity.
    activity_ssdus: u32,
    /// Activities begun in all session connections.
    activities: u32,
    /// SSDUs of this session connection.
    ssdus: u32,
    /// Session connections that have ended.
    connections: u32,
}

impl Script {
    /// What comes next.
    pub fn next(&self, mix: &Mix) -> Step {
        if self.due == 0 && (self.in_activity || mix.activity_ssdus == 0) {
            return Step::Ssdu;
        }
        let is_due = |step: &Step| self.due & step.bit() != 0;
        if let Some(step) = BEHIND_SSDU.into_iter().find(is_due) {
            return step;
        }
        if self.in_activity {
            return if is_due(&Step::ActivityEnd) { Step::ActivityEnd } else { Step::Ssdu };
        }
        if let Some(step) = [Step::Release, Step::Abort, Step::Capability].into_iter().find(is_due) {
            return step;
        }
        if mix.activity_ssdus == 0 { Step::Ssdu } else { Step::ActivityStart }
    }

    /// Notes that what came next was done; an operation with a confirm is done when that has come.
    pub fn done(&mut self, mix: &Mix, step: Step) {
        self.due &= !step.bit();
        match step {
            Step::Ssdu => self.ssdu_sent(mix),
            Step::ActivityInterrupt => self.due |= Step::ActivityResume.bit(),
            Step::ActivityStart => {
                self.in_activity = true;
                self.activity_ssdus = 0;
                self.activities = self.activities.wrapping_add(1);
            }
            Step::ActivityDiscard | Step::ActivityEnd => {
                // What the last SSDU made due beside it belongs to the activity that is over.
                self.due &= Step::Release.bit() | Step::Abort.bit();
                self.in_activity = false;
                self.make_due(
                    Step::Capability,
                    is_turn(self.activities.wrapping_add(1), mix.capability_each),
                );
            }
            Step::Release | Step::Abort => self.connection_ended(mix),
            _ => {}
        }
    }

    /// A session connection was opened, for the first time or after another.
    pub fn opened(&mut self, mix: &Mix) {
        self.make_due(Step::Capability, is_turn(self.activities.wrapping_add(1), mix.capability_each));
    }

    /// True while an activity has to be ended before a release.
    pub fn must_end_activity(&self) -> bool {
        self.in_activity && self.due & Step::ActivityResume.bit() == 0
    }

    /// Activities begun so far, which names the one at hand.
    pub fn activity_number(&self) -> u32 {
        self.activities
    }

    fn ssdu_sent(&mut self, mix: &Mix) {
        self.ssdus = self.ssdus.wrapping_add(1);
        for (step, each) in [
            (Step::Typed, mix.typed_each),
            (Step::Expedited, mix.expedited_each),
            (Step::Exception, mix.exception_each),
            (Step::MinorSync, mix.minor_sync_each),
            (Step::Resync, mix.resync_each),
            (Step::MajorSync, mix.major_sync_each),
        ] {
            self.make_due(step, is_turn(self.ssdus, each));
        }
        if mix.activity_ssdus > 0 {
            self.activity_ssdus += 1;
            let half_way = self.activity_ssdus == mix.activity_ssdus.div_ceil(2);
            let discard = is_turn(self.activities, mix.activity_discard_each);
            let interrupt = is_turn(self.activities, mix.activity_interrupt_each);
            self.make_due(Step::ActivityDiscard, half_way && discard);
            self.make_due(Step::ActivityInterrupt, half_way && interrupt && !discard);
            self.make_due(Step::ActivityEnd, self.activity_ssdus == mix.activity_ssdus);
        }
        if is_turn(self.ssdus, mix.session_ssdus) {
            let abort = is_turn(self.connections.wrapping_add(1), mix.abort_each);
            self.make_due(if abort { Step::Abort } else { Step::Release }, true);
        }
    }

    fn connection_ended(&mut self, mix: &Mix) {
        *self = Script {
            activities: self.activities,
            connections: self.connections.wrapping_add(1),
            ..Script::default()
        };
        self.opened(mix);
    }

    fn make_due(&mut self, step: Step, due: bool) {
        self.due |= if due { step.bit() } else { 0 };
    }
}

/// True for each `each`th number; never when `each` is 0.
fn is_turn(number: u32, each: u32) -> bool {
    each > 0 && number.is_multiple_of(each)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first `count` steps, as letters.
    fn steps(mix: Mix, count: usize) -> String {
        let mut script = Script::default();
        script.opened(&mix);
        let mut text = String::new();
        for _ in 0..count {
            let step = script.next(&mix);
            text.push(letter(step));
            script.done(&mix, step);
        }
        text
    }

    fn letter(step: Step) -> char {
        match step {
            Step::Ssdu => '.',
            Step::Typed => 't',
            Step::Expedited => 'x',
            Step::Exception => 'e',
            Step::MinorSync => 'm',
            Step::Resync => 'r',
            Step::MajorSync => 'M',
            Step::ActivityInterrupt => 'i',
            Step::ActivityDiscard => 'd',
            Step::ActivityResume => 'R',
            Step::ActivityEnd => ')',
            Step::Capability => 'c',
            Step::ActivityStart => '(',
            Step::Release => '|',
            Step::Abort => '!',
        }
    }

    #[test]
    fn an_empty_mix_is_nothing_but_ssdus() {
        assert_eq!(steps(Mix::default(), 5), ".....");
    }

    #[test]
    fn operations_come_each_so_many_ssdus_in_a_fixed_order() {
        let mix =
            Mix { minor_sync_each: 2, major_sync_each: 4, resync_each: 4, typed_each: 3, ..Mix::default() };
        assert_eq!(steps(mix, 12), "..m.t.mrM..t");
        let mix = Mix { expedited_each: 1, exception_each: 2, ..Mix::default() };
        assert_eq!(steps(mix, 5), ".x.xe");
    }

    #[test]
    fn with_activities_every_ssdu_is_in_one() {
        assert_eq!(steps(Mix { activity_ssdus: 3, ..Mix::default() }, 12), "(...)(...)(.");
        assert_eq!(steps(Mix { activity_ssdus: 2, minor_sync_each: 2, ..Mix::default() }, 10), "(..m)(..m)");
    }

    #[test]
    fn an_interrupted_activity_is_resumed_and_a_discarded_one_is_over() {
        let mix =
            Mix { activity_ssdus: 4, activity_interrupt_each: 2, activity_discard_each: 3, ..Mix::default() };
        assert_eq!(steps(mix, 18), "(....)(..iR..)(..d");
        assert_eq!(steps(mix, 24).chars().skip(18).collect::<String>(), "(..iR.");
        // Each sixth is due for both: discarded.
        let text = steps(mix, 60);
        let sixth = text.split('(').nth(6).unwrap();
        assert_eq!(sixth, "..d");
    }

    #[test]
    fn an_activity_of_one_ssdu_is_interrupted_and_ended_behind_it() {
        let mix = Mix { activity_ssdus: 1, activity_interrupt_each: 1, ..Mix::default() };
        assert_eq!(steps(mix, 10), "(.iR)(.iR)");
    }

    #[test]
    fn capability_data_come_between_activities() {
        let mix = Mix { activity_ssdus: 1, capability_each: 2, ..Mix::default() };
        assert_eq!(steps(mix, 14), "(.)c(.)(.)c(.)");
    }

    #[test]
    fn connections_are_released_and_aborted_in_turn() {
        let mix = Mix { session_ssdus: 2, abort_each: 3, ..Mix::default() };
        assert_eq!(steps(mix, 12), "..|..|..!..|");
    }

    #[test]
    fn a_release_waits_for_the_end_of_the_activity() {
        let mix = Mix { session_ssdus: 2, activity_ssdus: 3, ..Mix::default() };
        assert_eq!(steps(mix, 12), "(...)|(...)|");
        let mix = Mix { session_ssdus: 2, activity_ssdus: 4, activity_discard_each: 1, ..Mix::default() };
        assert_eq!(steps(mix, 10), "(..d|(..d|");
    }

    #[test]
    fn an_activity_to_be_ended_before_a_release_is_neither_over_nor_interrupted() {
        let mix = Mix { activity_ssdus: 2, activity_interrupt_each: 1, ..Mix::default() };
        let mut script = Script::default();
        let mut told = String::new();
        for _ in 0..7 {
            told.push(if script.must_end_activity() { 'y' } else { 'n' });
            let step = script.next(&mix);
            script.done(&mix, step);
        }
        // ( . i R . ) (
        assert_eq!(told, "nyynyyn");
    }
}
