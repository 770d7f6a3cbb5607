//! What one shard has counted: plain numbers on the shard's thread, published once a turn.
//!
//! Nothing here is formatted; names are those of the metrics, without their prefix.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crossbeam::utils::CachePadded;

macro_rules! counters {
    (
        rare { $($(#[doc = $rare_doc:literal])+ $rare:ident,)+ }
        busy { $($(#[doc = $busy_doc:literal])+ $busy:ident,)+ }
    ) => {
        counters!(@all $($(#[doc = $rare_doc])+ $rare,)+ $($(#[doc = $busy_doc])+ $busy,)+);

        impl Counters {
            /// Makes `tally` visible to other threads. Most turns carry data and nothing else, and storing a number costs
            /// two instructions: what only openings, ends and other SPDUs change is stored when `is_rare` says so.
            pub(crate) fn publish(&self, tally: &Tally, is_rare: bool) {
                $(self.published.$busy.store(tally.$busy, Relaxed);)+
                if is_rare {
                    $(self.published.$rare.store(tally.$rare, Relaxed);)+
                }
                debug_assert_eq!(self.snapshot(), *tally, "a rare number has changed without a mark");
            }
        }
    };
    (@all $($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Numbers at one moment. All are totals since the start except those that say they are gauges.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Tally {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        /// The numbers of one shard as other threads read them.
        ///
        /// Each number is whole; numbers read together may be one turn apart.
        #[derive(Debug, Default)]
        pub struct Counters {
            published: CachePadded<Published>,
        }

        #[derive(Debug, Default)]
        struct Published {
            $($name: AtomicU64,)+
        }

        impl Counters {
            /// The numbers last published.
            pub fn snapshot(&self) -> Tally {
                Tally { $($name: self.published.$name.load(Relaxed),)+ }
            }
        }

        impl Tally {
            /// All names, in order.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name),)+];

            /// All numbers with their names, in order.
            pub fn entries(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
                let values = [$(self.$name,)+];
                Self::NAMES.iter().copied().zip(values)
            }

            /// Adds the numbers of another shard. Gauges add up to the gauge of both.
            pub fn add(&mut self, other: &Tally) {
                $(self.$name += other.$name;)+
            }
        }
    };
}

counters! {
    rare {
        /// Gauge: sessions of which this side is the initiator.
        sessions_open_initiator,
        /// Gauge: sessions of which this side is the responder.
        sessions_open_responder,
        /// Gauge: sessions that are established.
        sessions_established,
        /// Gauge: accepted connections that wait to be refused.
        refusals_open,
        /// Sessions opened or accepted.
        sessions_opened,
        /// Sessions that became established.
        sessions_connected,
        /// Ends: released in order.
        ended_released,
        /// Ends: refused by this side (RF).
        ended_refused_local,
        /// Ends: refused by the peer (RF).
        ended_refused_peer,
        /// Ends: aborted by this side.
        ended_aborted_local,
        /// Ends: aborted by the peer.
        ended_aborted_peer,
        /// Ends: transport connection refused (DR).
        ended_transport_refused,
        /// Ends: network connection closed by the peer.
        ended_eof,
        /// Ends: network connection failed.
        ended_network,
        /// Ends: a timer ran out.
        ended_timeout,
        /// Ends: the peer broke the protocol.
        ended_protocol_error,
        /// Ends: a kept transport connection was closed before a session began on it.
        ended_unused,
        /// Ends: TLS failed.
        ended_tls,
        /// Ends: no PROXY header where there has to be one.
        ended_proxy,
        /// Gauge: connections whose TLS 1.2 handshake is over.
        tls_open_12,
        /// Gauge: connections whose TLS 1.3 handshake is over.
        tls_open_13,
        /// TLS 1.2 handshakes that succeeded.
        tls_handshakes_12,
        /// TLS 1.3 handshakes that succeeded.
        tls_handshakes_13,
        /// Those of them that resumed an earlier session.
        tls_handshakes_resumed,
        /// Gauge: connections whose handshake is with the handshake threads.
        tls_handshakes_under_way,
        /// Gauge: connections that wait to go there.
        tls_handshakes_waiting,
        /// Sessions opened on a transport connection kept from another session, unused ones included.
        transports_kept,
        /// Accepted connections.
        accepted,
        /// Accepts that the system refused (descriptors).
        accept_failed,
        /// Connections refused because the shard was at its limit of sessions.
        refused_sessions_max,
        /// Connections refused because the listener was at its limit of sessions.
        refused_listener_max,
        /// Connections refused because too many were not yet established.
        refused_not_established_max,
        /// Connections refused because they came while their listener was being closed.
        refused_not_listening,
        /// Connections that the application did not admit.
        refused_by_application,
        /// Refused connections that were told so by DR.
        refused_with_disconnect,
        /// Refused connections that were closed at once.
        refused_closed,
        /// TYPED DATA SPDUs received.
        spdus_typed_data_in,
        /// EXPEDITED DATA SPDUs received.
        spdus_expedited_data_in,
        /// PREPARE SPDUs received.
        spdus_prepare_in,
        /// CAPABILITY DATA and CAPABILITY DATA ACK SPDUs received.
        spdus_capability_in,
        /// GIVE TOKENS, PLEASE TOKENS and GIVE TOKENS CONFIRM SPDUs received that made an indication.
        spdus_token_in,
        /// Minor and major synchronization points and their acknowledgements received, ends of activities among them.
        spdus_sync_in,
        /// RESYNCHRONIZE and RESYNCHRONIZE ACK SPDUs received.
        spdus_resynchronize_in,
        /// SPDUs of activity management received, ends of activities left out.
        spdus_activity_in,
        /// EXCEPTION REPORT and EXCEPTION DATA SPDUs received.
        spdus_exception_in,
        /// SPDUs received that made any other indication.
        spdus_other_in,
        /// CONNECT SPDUs received.
        spdus_connect_in,
        /// ACCEPT SPDUs received.
        spdus_accept_in,
        /// REFUSE SPDUs received.
        spdus_refuse_in,
        /// FINISH SPDUs received.
        spdus_finish_in,
        /// DISCONNECT and NOT FINISHED SPDUs received.
        spdus_disconnect_in,
        /// ABORT SPDUs received, and aborts the machine made itself.
        aborts_indicated,
        /// CONNECT SPDUs sent.
        spdus_connect_out,
        /// ACCEPT SPDUs sent.
        spdus_accept_out,
        /// REFUSE SPDUs sent.
        spdus_refuse_out,
        /// FINISH SPDUs sent.
        spdus_finish_out,
        /// DISCONNECT SPDUs sent.
        spdus_disconnect_out,
        /// ABORT SPDUs sent.
        spdus_abort_out,
        /// TYPED DATA SPDUs sent.
        spdus_typed_data_out,
        /// EXPEDITED DATA SPDUs sent.
        spdus_expedited_data_out,
        /// PREPARE SPDUs sent.
        spdus_prepare_out,
        /// CAPABILITY DATA and CAPABILITY DATA ACK SPDUs sent.
        spdus_capability_out,
        /// GIVE TOKENS CONFIRM and GIVE TOKENS ACK SPDUs sent, and GIVE TOKENS and PLEASE TOKENS SPDUs that stood alone
        /// or carried tokens.
        spdus_token_out,
        /// Minor and major synchronization points and their acknowledgements sent, ends of activities among them.
        spdus_sync_out,
        /// RESYNCHRONIZE and RESYNCHRONIZE ACK SPDUs sent.
        spdus_resynchronize_out,
        /// SPDUs of activity management sent, ends of activities left out.
        spdus_activity_out,
        /// EXCEPTION REPORT and EXCEPTION DATA SPDUs sent.
        spdus_exception_out,
        /// Other SPDUs sent.
        spdus_other_out,
        /// Faults of peers in TPKT or TPDU.
        faults_transport,
        /// Faults of peers in SPDUs.
        faults_session,
        /// Gauge: the system's number of the shard's thread, for its CPU time in `/proc`; 0 where unknown.
        thread_id,
    }
    busy {
        /// Completion queue overflows.
        overflows,
        /// Rounds of sends that were asked to leave the copy out.
        zero_copy_sends,
        /// Those of them that the kernel copied all the same.
        zero_copy_sends_copied,
        /// Octets received.
        octets_in,
        /// Octets given to the driver to send.
        octets_out,
        /// TSDUs received.
        tsdus_in,
        /// TSDUs sent.
        tsdus_out,
        /// DATA TRANSFER SPDUs received.
        spdus_data_in,
        /// DATA TRANSFER SPDUs sent.
        spdus_data_out,
        /// User data of DATA TRANSFER and TYPED DATA received, octets.
        user_octets_in,
        /// User data of DATA TRANSFER and TYPED DATA sent, octets.
        user_octets_out,
        /// Completions of the driver.
        completions,
        /// Sends given to the driver.
        sends,
        /// Turns of the loop.
        turns,
        /// Timers that expired.
        timers,
        /// Commands of other threads.
        commands,
        /// Turns in which a session used up its share and was continued in the next.
        session_budget_spent,
        /// Times a session went above the high mark.
        congested,
        /// Times receiving was stopped for a session.
        receive_stopped,
        /// Times the octets that a silent session kept were copied out of the receive pool, which was scarce.
        bodies_unpinned,
        /// System calls of the driver.
        system_calls,
        /// Receipts that waited for a free block.
        buffers_exhausted,
        /// User-space copies of less than 2 KiB.
        copies_small,
        /// User-space copies of at least 2 KiB.
        copies_large,
        /// Octets copied in user space.
        copied_octets,
        /// Gauge: blocks of the receive pool that are free.
        blocks_free,
        /// Gauge: octets of the receive pool that sessions and send queues keep from being reused.
        octets_pinned,
        /// Time not spent waiting, nanoseconds.
        busy_ns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_what_is_read() {
        let counters = Counters::default();
        let mut tally = Tally { turns: 3, octets_in: 9, ..Tally::default() };
        counters.publish(&tally, false);
        assert_eq!(counters.snapshot(), tally);
        (tally.ended_eof, tally.spdus_sync_in, tally.turns) = (1, 2, 4);
        counters.publish(&tally, true);
        assert_eq!(counters.snapshot(), tally, "rare ones too");
        let mut sum = tally;
        sum.add(&tally);
        assert_eq!(sum.octets_in, 18);
        assert!(tally.entries().any(|entry| entry == ("turns", 4)));
        assert_eq!(tally.entries().count(), Tally::NAMES.len());
    }
}
