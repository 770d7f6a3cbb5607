//! Incoming events of Annex A: what a user, the transport, the timer or a received SPDU does to the machine.

/// An incoming event, in the order of the reference list. X.225 Annex A.
///
/// MAA and AEA, and the kinds of RS, RF, FN, AB and PR, are events of their own: whoever raises the event
/// looks at the parameters of the SPDU first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Event {
    /// `SCONreq`: S-CONNECT request.
    SConReq,
    /// `SCONrsp+`: S-CONNECT response, accept.
    SConRspPos,
    /// `SCONrsp-`: S-CONNECT response, reject.
    SConRspNeg,
    /// `SDTreq`: S-DATA request.
    SDtReq,
    /// `SEXreq`: S-EXPEDITED-DATA request.
    SExReq,
    /// `STDreq`: S-TYPED-DATA request.
    STdReq,
    /// `SCDreq`: S-CAPABILITY-DATA request.
    SCdReq,
    /// `SCDrsp`: S-CAPABILITY-DATA response.
    SCdRsp,
    /// `SGTreq`: S-TOKEN-GIVE request.
    SGtReq,
    /// `SPTreq`: S-TOKEN-PLEASE request.
    SPtReq,
    /// `SCGreq`: S-CONTROL-GIVE request.
    SCgReq,
    /// `SSYNmreq`: S-SYNC-MINOR request.
    SSynMinReq,
    /// `SSYNmdreq`: S-SYNC-MINOR request with data separation.
    SSynMinDsReq,
    /// `SSYNmrsp`: S-SYNC-MINOR response.
    SSynMinRsp,
    /// `SSYNMreq`: S-SYNC-MAJOR request.
    SSynMajReq,
    /// `SSYNMrsp`: S-SYNC-MAJOR response.
    SSynMajRsp,
    /// `SRSYNreq(a)`: S-RESYNCHRONIZE request, abandon.
    SRsynReqA,
    /// `SRSYNreq(r)`: S-RESYNCHRONIZE request, restart.
    SRsynReqR,
    /// `SRSYNreq(s)`: S-RESYNCHRONIZE request, set.
    SRsynReqS,
    /// `SRSYNrsp`: S-RESYNCHRONIZE response.
    SRsynRsp,
    /// `SACTSreq`: S-ACTIVITY-START request.
    SActSReq,
    /// `SACTRreq`: S-ACTIVITY-RESUME request.
    SActRReq,
    /// `SACTIreq`: S-ACTIVITY-INTERRUPT request.
    SActIReq,
    /// `SACTIrsp`: S-ACTIVITY-INTERRUPT response.
    SActIRsp,
    /// `SACTDreq`: S-ACTIVITY-DISCARD request.
    SActDReq,
    /// `SACTDrsp`: S-ACTIVITY-DISCARD response.
    SActDRsp,
    /// `SACTEreq`: S-ACTIVITY-END request.
    SActEReq,
    /// `SACTErsp`: S-ACTIVITY-END response.
    SActERsp,
    /// `SUERreq`: S-U-EXCEPTION-REPORT request.
    SUErReq,
    /// `SRELreq`: S-RELEASE request.
    SRelReq,
    /// `SRELrsp+`: S-RELEASE response, affirmative.
    SRelRspPos,
    /// `SRELrsp-`: S-RELEASE response, negative.
    SRelRspNeg,
    /// `SUABreq`: S-U-ABORT request.
    SUAbReq,
    /// `TCONind`: T-CONNECT indication.
    TConInd,
    /// `TCONcnf`: T-CONNECT confirm.
    TConCnf,
    /// `TDISind`: T-DISCONNECT indication.
    TDisInd,
    /// `TIM`: expiry of the timer TIM.
    Tim,
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
    /// `ER`: EXCEPTION REPORT.
    Er,
    /// `ED`: EXCEPTION DATA.
    Ed,
}

impl Event {
    /// All events.
    pub const ALL: [Event; 82] = [
        Event::SConReq,
        Event::SConRspPos,
        Event::SConRspNeg,
        Event::SDtReq,
        Event::SExReq,
        Event::STdReq,
        Event::SCdReq,
        Event::SCdRsp,
        Event::SGtReq,
        Event::SPtReq,
        Event::SCgReq,
        Event::SSynMinReq,
        Event::SSynMinDsReq,
        Event::SSynMinRsp,
        Event::SSynMajReq,
        Event::SSynMajRsp,
        Event::SRsynReqA,
        Event::SRsynReqR,
        Event::SRsynReqS,
        Event::SRsynRsp,
        Event::SActSReq,
        Event::SActRReq,
        Event::SActIReq,
        Event::SActIRsp,
        Event::SActDReq,
        Event::SActDRsp,
        Event::SActEReq,
        Event::SActERsp,
        Event::SUErReq,
        Event::SRelReq,
        Event::SRelRspPos,
        Event::SRelRspNeg,
        Event::SUAbReq,
        Event::TConInd,
        Event::TConCnf,
        Event::TDisInd,
        Event::Tim,
        Event::Cn,
        Event::Oa,
        Event::Cdo,
        Event::Ac,
        Event::RfNr,
        Event::RfR,
        Event::FnNr,
        Event::FnR,
        Event::Dn,
        Event::Nf,
        Event::AbNr,
        Event::AbR,
        Event::Aa,
        Event::Dt,
        Event::Ex,
        Event::Td,
        Event::Cd,
        Event::Cda,
        Event::Gt,
        Event::Pt,
        Event::Gtc,
        Event::Gta,
        Event::Mip,
        Event::MipD,
        Event::Mia,
        Event::Map,
        Event::Maa,
        Event::Ae,
        Event::Aea,
        Event::RsA,
        Event::RsR,
        Event::RsS,
        Event::Ra,
        Event::PrMaa,
        Event::PrRs,
        Event::PrRa,
        Event::PrAb,
        Event::As,
        Event::Ar,
        Event::Ai,
        Event::Aia,
        Event::Ad,
        Event::Ada,
        Event::Er,
        Event::Ed,
    ];

    /// The name Annex A prints.
    pub fn name(self) -> &'static str {
        match self {
            Event::SConReq => "SCONreq",
            Event::SConRspPos => "SCONrsp+",
            Event::SConRspNeg => "SCONrsp-",
            Event::SDtReq => "SDTreq",
            Event::SExReq => "SEXreq",
            Event::STdReq => "STDreq",
            Event::SCdReq => "SCDreq",
            Event::SCdRsp => "SCDrsp",
            Event::SGtReq => "SGTreq",
            Event::SPtReq => "SPTreq",
            Event::SCgReq => "SCGreq",
            Event::SSynMinReq => "SSYNmreq",
            Event::SSynMinDsReq => "SSYNmdreq",
            Event::SSynMinRsp => "SSYNmrsp",
            Event::SSynMajReq => "SSYNMreq",
            Event::SSynMajRsp => "SSYNMrsp",
            Event::SRsynReqA => "SRSYNreq(a)",
            Event::SRsynReqR => "SRSYNreq(r)",
            Event::SRsynReqS => "SRSYNreq(s)",
            Event::SRsynRsp => "SRSYNrsp",
            Event::SActSReq => "SACTSreq",
            Event::SActRReq => "SACTRreq",
            Event::SActIReq => "SACTIreq",
            Event::SActIRsp => "SACTIrsp",
            Event::SActDReq => "SACTDreq",
            Event::SActDRsp => "SACTDrsp",
            Event::SActEReq => "SACTEreq",
            Event::SActERsp => "SACTErsp",
            Event::SUErReq => "SUERreq",
            Event::SRelReq => "SRELreq",
            Event::SRelRspPos => "SRELrsp+",
            Event::SRelRspNeg => "SRELrsp-",
            Event::SUAbReq => "SUABreq",
            Event::TConInd => "TCONind",
            Event::TConCnf => "TCONcnf",
            Event::TDisInd => "TDISind",
            Event::Tim => "TIM",
            Event::Cn => "CN",
            Event::Oa => "OA",
            Event::Cdo => "CDO",
            Event::Ac => "AC",
            Event::RfNr => "RF-nr",
            Event::RfR => "RF-r",
            Event::FnNr => "FN-nr",
            Event::FnR => "FN-r",
            Event::Dn => "DN",
            Event::Nf => "NF",
            Event::AbNr => "AB-nr",
            Event::AbR => "AB-r",
            Event::Aa => "AA",
            Event::Dt => "DT",
            Event::Ex => "EX",
            Event::Td => "TD",
            Event::Cd => "CD",
            Event::Cda => "CDA",
            Event::Gt => "GT",
            Event::Pt => "PT",
            Event::Gtc => "GTC",
            Event::Gta => "GTA",
            Event::Mip => "MIP",
            Event::MipD => "MIP-d",
            Event::Mia => "MIA",
            Event::Map => "MAP",
            Event::Maa => "MAA",
            Event::Ae => "AE",
            Event::Aea => "AEA",
            Event::RsA => "RS-a",
            Event::RsR => "RS-r",
            Event::RsS => "RS-s",
            Event::Ra => "RA",
            Event::PrMaa => "PR-MAA",
            Event::PrRs => "PR-RS",
            Event::PrRa => "PR-RA",
            Event::PrAb => "PR-AB",
            Event::As => "AS",
            Event::Ar => "AR",
            Event::Ai => "AI",
            Event::Aia => "AIA",
            Event::Ad => "AD",
            Event::Ada => "ADA",
            Event::Er => "ER",
            Event::Ed => "ED",
        }
    }

    /// Who raises the event.
    pub fn origin(self) -> Origin {
        match self as u8 {
            n if n <= Event::SUAbReq as u8 => Origin::User,
            n if n <= Event::TDisInd as u8 => Origin::Transport,
            n if n == Event::Tim as u8 => Origin::Timer,
            _ => Origin::Spdu,
        }
    }
}

/// Who raises an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The SS-user, by a request or a response.
    User,
    /// The transport provider.
    Transport,
    /// Timer TIM.
    Timer,
    /// The peer machine, by an SPDU.
    Spdu,
}
