//! Outputs of Annex A: primitives to the user, primitives to the transport, SPDUs to the peer.

/// Something a row sends. X.225 Annex A.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Output {
    /// `SACTDind`: S-ACTIVITY-DISCARD indication.
    SActDInd,
    /// `SACTDcnf`: S-ACTIVITY-DISCARD confirm.
    SActDCnf,
    /// `SACTEind`: S-ACTIVITY-END indication.
    SActEInd,
    /// `SACTEcnf`: S-ACTIVITY-END confirm.
    SActECnf,
    /// `SACTIind`: S-ACTIVITY-INTERRUPT indication.
    SActIInd,
    /// `SACTIcnf`: S-ACTIVITY-INTERRUPT confirm.
    SActICnf,
    /// `SACTRind`: S-ACTIVITY-RESUME indication.
    SActRInd,
    /// `SACTSind`: S-ACTIVITY-START indication.
    SActSInd,
    /// `SCDind`: S-CAPABILITY-DATA indication.
    SCdInd,
    /// `SCDcnf`: S-CAPABILITY-DATA confirm.
    SCdCnf,
    /// `SCGind`: S-CONTROL-GIVE indication.
    SCgInd,
    /// `SCONind`: S-CONNECT indication.
    SConInd,
    /// `SCONcnf+`: S-CONNECT confirm, accepted.
    SConCnfPos,
    /// `SCONcnf-`: S-CONNECT confirm, rejected.
    SConCnfNeg,
    /// `SDTind`: S-DATA indication.
    SDtInd,
    /// `SEXind`: S-EXPEDITED-DATA indication.
    SExInd,
    /// `STDind`: S-TYPED-DATA indication.
    STdInd,
    /// `SGTind`: S-TOKEN-GIVE indication.
    SGtInd,
    /// `SPTind`: S-TOKEN-PLEASE indication.
    SPtInd,
    /// `SRELind`: S-RELEASE indication.
    SRelInd,
    /// `SRELcnf+`: S-RELEASE confirm, affirmative.
    SRelCnfPos,
    /// `SRELcnf-`: S-RELEASE confirm, negative.
    SRelCnfNeg,
    /// `SRSYNind`: S-RESYNCHRONIZE indication.
    SRsynInd,
    /// `SRSYNcnf`: S-RESYNCHRONIZE confirm.
    SRsynCnf,
    /// `SSYNMind`: S-SYNC-MAJOR indication.
    SSynMajInd,
    /// `SSYNMcnf`: S-SYNC-MAJOR confirm.
    SSynMajCnf,
    /// `SSYNmind`: S-SYNC-MINOR indication.
    SSynMinInd,
    /// `SSYNmdind`: S-SYNC-MINOR indication with data separation.
    SSynMinDsInd,
    /// `SSYNmcnf`: S-SYNC-MINOR confirm.
    SSynMinCnf,
    /// `SUERind`: S-U-EXCEPTION-REPORT indication.
    SUErInd,
    /// `SPERind`: S-P-EXCEPTION-REPORT indication.
    SPErInd,
    /// `SxABind`: S-U-ABORT or S-P-ABORT indication, see meta.
    SxAbInd,
    /// `SPABind`: S-P-ABORT indication.
    SPAbInd,
    /// `TCONreq`: T-CONNECT request.
    TConReq,
    /// `TCONrsp`: T-CONNECT response (accept).
    TConRsp,
    /// `TDISreq`: T-DISCONNECT request.
    TDisReq,
    /// `CN`: CONNECT.
    Cn,
    /// `OA`: OVERFLOW ACCEPT.
    Oa,
    /// `CDO`: CONNECT DATA OVERFLOW.
    Cdo,
    /// `AC`: ACCEPT.
    Ac,
    /// `RF-nr`: REFUSE, transport connection not to be reused.
    RfNr,
    /// `RF-r`: REFUSE, transport connection may be reused.
    RfR,
    /// `FN-nr`: FINISH, transport connection not to be reused.
    FnNr,
    /// `FN-r`: FINISH, transport connection to be kept.
    FnR,
    /// `DN`: DISCONNECT.
    Dn,
    /// `NF`: NOT FINISHED.
    Nf,
    /// `AB-nr`: ABORT, transport connection not to be reused.
    AbNr,
    /// `AB-r`: ABORT, transport connection to be kept.
    AbR,
    /// `AA`: ABORT ACCEPT.
    Aa,
    /// `DT`: DATA TRANSFER (complete SSDU).
    Dt,
    /// `EX`: EXPEDITED DATA.
    Ex,
    /// `TD`: TYPED DATA (complete SSDU).
    Td,
    /// `CD`: CAPABILITY DATA.
    Cd,
    /// `CDA`: CAPABILITY DATA ACK.
    Cda,
    /// `GT`: GIVE TOKENS with a Token Item.
    Gt,
    /// `PT`: PLEASE TOKENS with a Token Item (also raised after AC when AC carries a Token Item).
    Pt,
    /// `GTC`: GIVE TOKENS CONFIRM.
    Gtc,
    /// `GTA`: GIVE TOKENS ACK.
    Gta,
    /// `MIP`: MINOR SYNC POINT.
    Mip,
    /// `MIP-d`: MINOR SYNC POINT with data separation.
    MipD,
    /// `MIA`: MINOR SYNC ACK.
    Mia,
    /// `MAP`: MAJOR SYNC POINT (Sync Type Item bit 1 = 1).
    Map,
    /// `MAA`: MAJOR SYNC ACK.
    Maa,
    /// `AE`: ACTIVITY END (Sync Type Item absent or bit 1 = 0).
    Ae,
    /// `AEA`: ACTIVITY END ACK (same octets as MAA).
    Aea,
    /// `RS-a`: RESYNCHRONIZE abandon.
    RsA,
    /// `RS-r`: RESYNCHRONIZE restart.
    RsR,
    /// `RS-s`: RESYNCHRONIZE set.
    RsS,
    /// `RA`: RESYNCHRONIZE ACK.
    Ra,
    /// `PR-MAA`: PREPARE (major sync ack).
    PrMaa,
    /// `PR-RS`: PREPARE (resynchronize; also announces interrupt and discard).
    PrRs,
    /// `PR-RA`: PREPARE (resynchronize ack; also announces the interrupt and discard acks).
    PrRa,
    /// `PR-AB`: PREPARE (abort).
    PrAb,
    /// `AS`: ACTIVITY START.
    As,
    /// `AR`: ACTIVITY RESUME.
    Ar,
    /// `AI`: ACTIVITY INTERRUPT.
    Ai,
    /// `AIA`: ACTIVITY INTERRUPT ACK.
    Aia,
    /// `AD`: ACTIVITY DISCARD.
    Ad,
    /// `ADA`: ACTIVITY DISCARD ACK.
    Ada,
    /// `ED`: EXCEPTION DATA.
    Ed,
}

impl Output {
    /// The name Annex A prints.
    pub fn name(self) -> &'static str {
        match self {
            Output::SActDInd => "SACTDind",
            Output::SActDCnf => "SACTDcnf",
            Output::SActEInd => "SACTEind",
            Output::SActECnf => "SACTEcnf",
            Output::SActIInd => "SACTIind",
            Output::SActICnf => "SACTIcnf",
            Output::SActRInd => "SACTRind",
            Output::SActSInd => "SACTSind",
            Output::SCdInd => "SCDind",
            Output::SCdCnf => "SCDcnf",
            Output::SCgInd => "SCGind",
            Output::SConInd => "SCONind",
            Output::SConCnfPos => "SCONcnf+",
            Output::SConCnfNeg => "SCONcnf-",
            Output::SDtInd => "SDTind",
            Output::SExInd => "SEXind",
            Output::STdInd => "STDind",
            Output::SGtInd => "SGTind",
            Output::SPtInd => "SPTind",
            Output::SRelInd => "SRELind",
            Output::SRelCnfPos => "SRELcnf+",
            Output::SRelCnfNeg => "SRELcnf-",
            Output::SRsynInd => "SRSYNind",
            Output::SRsynCnf => "SRSYNcnf",
            Output::SSynMajInd => "SSYNMind",
            Output::SSynMajCnf => "SSYNMcnf",
            Output::SSynMinInd => "SSYNmind",
            Output::SSynMinDsInd => "SSYNmdind",
            Output::SSynMinCnf => "SSYNmcnf",
            Output::SUErInd => "SUERind",
            Output::SPErInd => "SPERind",
            Output::SxAbInd => "SxABind",
            Output::SPAbInd => "SPABind",
            Output::TConReq => "TCONreq",
            Output::TConRsp => "TCONrsp",
            Output::TDisReq => "TDISreq",
            Output::Cn => "CN",
            Output::Oa => "OA",
            Output::Cdo => "CDO",
            Output::Ac => "AC",
            Output::RfNr => "RF-nr",
            Output::RfR => "RF-r",
            Output::FnNr => "FN-nr",
            Output::FnR => "FN-r",
            Output::Dn => "DN",
            Output::Nf => "NF",
            Output::AbNr => "AB-nr",
            Output::AbR => "AB-r",
            Output::Aa => "AA",
            Output::Dt => "DT",
            Output::Ex => "EX",
            Output::Td => "TD",
            Output::Cd => "CD",
            Output::Cda => "CDA",
            Output::Gt => "GT",
            Output::Pt => "PT",
            Output::Gtc => "GTC",
            Output::Gta => "GTA",
            Output::Mip => "MIP",
            Output::MipD => "MIP-d",
            Output::Mia => "MIA",
            Output::Map => "MAP",
            Output::Maa => "MAA",
            Output::Ae => "AE",
            Output::Aea => "AEA",
            Output::RsA => "RS-a",
            Output::RsR => "RS-r",
            Output::RsS => "RS-s",
            Output::Ra => "RA",
            Output::PrMaa => "PR-MAA",
            Output::PrRs => "PR-RS",
            Output::PrRa => "PR-RA",
            Output::PrAb => "PR-AB",
            Output::As => "AS",
            Output::Ar => "AR",
            Output::Ai => "AI",
            Output::Aia => "AIA",
            Output::Ad => "AD",
            Output::Ada => "ADA",
            Output::Ed => "ED",
        }
    }

    /// True for a primitive to the local user.
    pub fn is_indication(self) -> bool {
        (self as u8) < Output::TConReq as u8
    }

    /// True for an SPDU to the peer.
    pub fn is_spdu(self) -> bool {
        (self as u8) > Output::TDisReq as u8
    }
}
