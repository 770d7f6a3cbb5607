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
        | I::SyncMajorConfirm { .. } => &mut tally.spdus_sync_in,
        I::Resynchronize(_) | I::ResynchronizeConfirm(_) => &mut tally.spdus_resynchronize_in,
        I::ProviderException { .. } | I::UserException { .. } => &mut tally.spdus_exception_in,
        I::ActivityStart { .. }
        | I::ActivityResume(_)
        | I::ActivityInterrupt { .. }
        | I::ActivityInterruptConfirm { .. }
        | I::ActivityDiscard { .. }
        | I::ActivityDiscardConfirm { .. }
        | I::ActivityEnd { .. }
        | I::ActivityEndConfirm { .. } => &mut tally.spdus_activity_in,
        _ => &mut tally.spdus_other_in,
    };
    *count += 1;
}

/// Counts a TSDU that the machine made by the SPDU it is about: the first that is not category 0, or its only one.
pub(crate) fn sent(tally: &mut Tally, tsdu: &[u8]) {
    tally.tsdus_out += 1;
    *count_of(tally, tsdu) += 1;
}

fn count_of<'a>(tally: &'a mut Tally, tsdu: &[u8]) -> &'a mut u64 {
    let is = |si: u8, kinds: &[SpduKind]| kinds.iter().any(|kind| kind.si() == si);
    let Some(&first) = tsdu.first() else { return &mut tally.spdus_other_out };
    if is(first, &[SpduKind::GiveTokens, SpduKind::PleaseTokens]) {
        // The user data of a long one needs three octets of length, and nothing behind it is looked for.
        let second = tsdu.get(1).filter(|&&li| li < 255).and_then(|&li| tsdu.get(2 + usize::from(li)));
        return match second {
            Some(&second) => count_of_category_2(tally, second),
            None => &mut tally.spdus_token_out,
        };
    }
    match first {
        si if is(si, &[SpduKind::Connect]) => &mut tally.spdus_connect_out,
        si if is(si, &[SpduKind::Accept]) => &mut tally.spdus_accept_out,
        si if is(si, &[SpduKind::Refuse]) => &mut tally.spdus_refuse_out,
        si if is(si, &[SpduKind::Finish]) => &mut tally.spdus_finish_out,
        si if is(si, &[SpduKind::Disconnect]) => &mut tally.spdus_disconnect_out,
        si if is(si, &[SpduKind::Abort]) => &mut tally.spdus_abort_out,
        si if is(si, &[SpduKind::ExpeditedData]) => &mut tally.spdus_expedited_data_out,
        si if is(si, &[SpduKind::Prepare]) => &mut tally.spdus_prepare_out,
        si if is(si, &[SpduKind::GiveTokensConfirm, SpduKind::GiveTokensAck]) => &mut tally.spdus_token_out,
        _ => &mut tally.spdus_other_out,
    }
}

/// Behind GT or PT an SI means an SPDU of category 2 (X.225 §8.2): 25 is ACTIVITY INTERRUPT there, and not ABORT.
fn count_of_category_2(tally: &mut Tally, si: u8) -> &mut u64 {
    use SpduKind as K;
    let is = |kinds: &[SpduKind]| kinds.iter().any(|kind| kind.si() == si);
    if is(&[K::MinorSyncPoint, K::MinorSyncAck, K::MajorSyncPoint, K::MajorSyncAck]) {
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
