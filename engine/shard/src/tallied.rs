//! Which count of the tally an SPDU goes to.

use colloquy_session::Indication;
use colloquy_session::spdu::SpduKind;

use crate::counters::Tally;

/// Counts what an SPDU received has told the user; `Data` is counted on its own path.
pub(crate) fn indicated(tally: &mut Tally, indication: &Indication<'_>) {
    use Indication as I;
    let count = match indication {
        I::Data { .. } => &mut tally.spdus_data_in,
        I::TypedData { .. } => &mut tally.spdus_typed_data_in,
        I::ExpeditedData { .. } => &mut tally.spdus_expedited_data_in,
        I::CapabilityData { .. } | I::CapabilityDataConfirm { .. } => &mut tally.spdus_capability_in,
        I::Connect(_) => &mut tally.spdus_connect_in,
        I::ConnectConfirm(_) => &mut tally.spdus_accept_in,
        I::ConnectRefused(_) => &mut tally.spdus_refuse_in,
        I::Release { .. } => &mut tally.spdus_finish_in,
        I::ReleaseConfirm { .. } => &mut tally.spdus_disconnect_in,
        I::UserAbort { .. } | I::ProviderAbort { .. } => &mut tally.aborts_indicated,
        I::TokenGive { .. } | I::TokenPlease { .. } | I::ControlGive { .. } => &mut tally.spdus_token_in,
        I::SyncMinor { .. }
        | I::SyncMinorConfirm { .. }
        | I::SyncMajor { .. }
        | I::SyncMajorConfirm { .. }
        // AE and AEA are a major point and its acknowledgement on the wire.
        | I::ActivityEnd { .. }
        | I::ActivityEndConfirm { .. } => &mut tally.spdus_sync_in,
        I::Resynchronize(_) | I::ResynchronizeConfirm(_) => &mut tally.spdus_resynchronize_in,
        I::ProviderException { .. } | I::UserException { .. } => &mut tally.spdus_exception_in,
        I::ActivityStart { .. }
        | I::ActivityResume(_)
        | I::ActivityInterrupt { .. }
        | I::ActivityInterruptConfirm { .. }
        | I::ActivityDiscard { .. }
        | I::ActivityDiscardConfirm { .. } => &mut tally.spdus_activity_in,
        _ => &mut tally.spdus_other_in,
    };
    *count += 1;
}

/// Counts a TSDU that the machine made, or its octets in front of user data, and every SPDU in it. A GT or PT counts
/// where it stands alone or carries tokens: otherwise it is a mere header of what follows.
pub(crate) fn sent(tally: &mut Tally, tsdu: &[u8]) {
    tally.tsdus_out += 1;
    let Some((first, parameters, mut rest)) = take_spdu(tsdu) else {
        tally.spdus_other_out += 1;
        return;
    };
    if ![SpduKind::GiveTokens, SpduKind::PleaseTokens].iter().any(|kind| kind.si() == first) {
        *count_of_only(tally, first) += 1;
        return;
    }
    if parameters > 0 || rest.is_empty() {
        tally.spdus_token_out += 1;
    }
    while let Some((si, _, behind)) = take_spdu(rest) {
        *count_of_category_2(tally, si) += 1;
        // Behind the header of DT there are user data.
        rest = if si == SpduKind::DataTransfer.si() { &[] } else { behind };
    }
}

/// The SPDU that `octets` begin with: SI, octets of its parameters, what is behind it (X.225 §8.2.3 for the lengths).
fn take_spdu(octets: &[u8]) -> Option<(u8, usize, &[u8])> {
    let (parameters, header) = match *octets {
        [_, 255, high, low, ..] => (usize::from(u16::from_be_bytes([high, low])), 4),
        [_, short, ..] => (usize::from(short), 2),
        _ => return None,
    };
    Some((octets[0], parameters, octets.get(header + parameters..).unwrap_or_default()))
}

/// The count of an SPDU that stands alone in its TSDU.
fn count_of_only(tally: &mut Tally, si: u8) -> &mut u64 {
    let is = |kinds: &[SpduKind]| kinds.iter().any(|kind| kind.si() == si);
    match () {
        () if is(&[SpduKind::Connect]) => &mut tally.spdus_connect_out,
        () if is(&[SpduKind::Accept]) => &mut tally.spdus_accept_out,
        () if is(&[SpduKind::Refuse]) => &mut tally.spdus_refuse_out,
        () if is(&[SpduKind::Finish]) => &mut tally.spdus_finish_out,
        () if is(&[SpduKind::Disconnect]) => &mut tally.spdus_disconnect_out,
        () if is(&[SpduKind::Abort]) => &mut tally.spdus_abort_out,
        () if is(&[SpduKind::ExpeditedData]) => &mut tally.spdus_expedited_data_out,
        () if is(&[SpduKind::Prepare]) => &mut tally.spdus_prepare_out,
        () if is(&[SpduKind::GiveTokensConfirm, SpduKind::GiveTokensAck]) => &mut tally.spdus_token_out,
        () => &mut tally.spdus_other_out,
    }
}

/// Behind GT or PT an SI means an SPDU of category 2 (X.225 §8.2): 25 is ACTIVITY INTERRUPT there, and not ABORT.
fn count_of_category_2(tally: &mut Tally, si: u8) -> &mut u64 {
    use SpduKind as K;
    let is = |kinds: &[SpduKind]| kinds.iter().any(|kind| kind.si() == si);
    if is(&[K::DataTransfer]) {
        &mut tally.spdus_data_out
    } else if is(&[K::MinorSyncPoint, K::MinorSyncAck, K::MajorSyncPoint, K::MajorSyncAck]) {
        &mut tally.spdus_sync_out
    } else if is(&[K::Resynchronize, K::ResynchronizeAck]) {
        &mut tally.spdus_resynchronize_out
    } else if is(&[K::CapabilityData, K::CapabilityDataAck]) {
        &mut tally.spdus_capability_out
    } else if is(&[K::ExceptionReport, K::ExceptionData]) {
        &mut tally.spdus_exception_out
    } else if is(&[
        K::ActivityStart,
        K::ActivityResume,
        K::ActivityInterrupt,
        K::ActivityInterruptAck,
        K::ActivityDiscard,
        K::ActivityDiscardAck,
    ]) {
        &mut tally.spdus_activity_out
    } else {
        &mut tally.spdus_other_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(tsdu: &[u8]) -> Vec<(&'static str, u64)> {
        let mut tally = Tally::default();
        sent(&mut tally, tsdu);
        tally.entries().filter(|(name, count)| *count > 0 && *name != "tsdus_out").collect()
    }

    #[test]
    fn every_spdu_of_a_tsdu_counts() {
        // GT with the data token, AS, MIP, DT and its user data, which look like GT.
        let all = [1, 3, 16, 1, 1, 45, 3, 41, 1, 97, 49, 3, 42, 1, 49, 1, 0, 1, 0];
        let expected =
            [("spdus_token_out", 1), ("spdus_sync_out", 1), ("spdus_activity_out", 1), ("spdus_data_out", 1)];
        assert_eq!(counted(&all), expected);
        assert_eq!(counted(&[1, 0, 1, 0]), [("spdus_data_out", 1)]);
        assert_eq!(counted(&[2, 3, 16, 1, 1]), [("spdus_token_out", 1)]);
        // A GT whose length needs three octets, in front of a MIP.
        let mut long = vec![1, 255, 1, 0];
        long.resize(4 + 256, 0);
        long.extend([49, 3, 42, 1, 49]);
        assert_eq!(counted(&long), [("spdus_token_out", 1), ("spdus_sync_out", 1)]);
        // 25 is ABORT alone, and ACTIVITY INTERRUPT behind a GT.
        assert_eq!(counted(&[25, 0]), [("spdus_abort_out", 1)]);
        assert_eq!(counted(&[1, 0, 25, 0]), [("spdus_activity_out", 1)]);
        assert_eq!(counted(&[]), [("spdus_other_out", 1)]);
    }
}
