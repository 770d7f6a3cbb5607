//! Incoming events of Annex A: what a user, the transport, the timer or a received SPDU does to the machine.

/// Declares the enum, the list of its variants and their names in one place.
macro_rules! events {
    ($( $(#[doc = $doc:literal])* $name:ident = $text:literal, )*) => {
        /// An incoming event. X.225 Annex A.
        ///
        /// MAA and AEA, and the kinds of RS, RF, FN, AB and PR, are events of their own: whoever raises the
        /// event looks at the parameters of the SPDU first.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Event { $( $(#[doc = $doc])* $name, )* }

        impl Event {
            /// All of them, in the order of the reference list.
            pub const ALL: &'static [Event] = &[$( Event::$name, )*];

            /// The name Annex A prints.
            pub fn name(self) -> &'static str {
                match self { $( Event::$name => $text, )* }
            }

            /// What it is, in words.
            pub fn text(self) -> &'static str {
                match self { $( Event::$name => concat!($( $doc, )*).trim_ascii(), )* }
            }
        }
    };
}

events! {
    /// S-CONNECT request.
    SConReq = "SCONreq",
    /// S-CONNECT response, accept.
    SConRspPos = "SCONrsp+",
    /// S-CONNECT response, reject.
    SConRspNeg = "SCONrsp-",
    /// S-DATA request.
    SDtReq = "SDTreq",
    /// S-EXPEDITED-DATA request.
    SExReq = "SEXreq",
    /// S-TYPED-DATA request.
    STdReq = "STDreq",
    /// S-CAPABILITY-DATA request.
    SCdReq = "SCDreq",
    /// S-CAPABILITY-DATA response.
    SCdRsp = "SCDrsp",
    /// S-TOKEN-GIVE request.
    SGtReq = "SGTreq",
    /// S-TOKEN-PLEASE request.
    SPtReq = "SPTreq",
    /// S-CONTROL-GIVE request.
    SCgReq = "SCGreq",
    /// S-SYNC-MINOR request.
    SSynMinReq = "SSYNmreq",
    /// S-SYNC-MINOR request with data separation.
    SSynMinDsReq = "SSYNmdreq",
    /// S-SYNC-MINOR response.
    SSynMinRsp = "SSYNmrsp",
    /// S-SYNC-MAJOR request.
    SSynMajReq = "SSYNMreq",
    /// S-SYNC-MAJOR response.
    SSynMajRsp = "SSYNMrsp",
    /// S-RESYNCHRONIZE request, abandon.
    SRsynReqA = "SRSYNreq(a)",
    /// S-RESYNCHRONIZE request, restart.
    SRsynReqR = "SRSYNreq(r)",
    /// S-RESYNCHRONIZE request, set.
    SRsynReqS = "SRSYNreq(s)",
    /// S-RESYNCHRONIZE response.
    SRsynRsp = "SRSYNrsp",
    /// S-ACTIVITY-START request.
    SActSReq = "SACTSreq",
    /// S-ACTIVITY-RESUME request.
    SActRReq = "SACTRreq",
    /// S-ACTIVITY-INTERRUPT request.
    SActIReq = "SACTIreq",
    /// S-ACTIVITY-INTERRUPT response.
    SActIRsp = "SACTIrsp",
    /// S-ACTIVITY-DISCARD request.
    SActDReq = "SACTDreq",
    /// S-ACTIVITY-DISCARD response.
    SActDRsp = "SACTDrsp",
    /// S-ACTIVITY-END request.
    SActEReq = "SACTEreq",
    /// S-ACTIVITY-END response.
    SActERsp = "SACTErsp",
    /// S-U-EXCEPTION-REPORT request.
    SUErReq = "SUERreq",
    /// S-RELEASE request.
    SRelReq = "SRELreq",
    /// S-RELEASE response, affirmative.
    SRelRspPos = "SRELrsp+",
    /// S-RELEASE response, negative.
    SRelRspNeg = "SRELrsp-",
    /// S-U-ABORT request.
    SUAbReq = "SUABreq",
    /// T-CONNECT indication.
    TConInd = "TCONind",
    /// T-CONNECT confirm.
    TConCnf = "TCONcnf",
    /// T-DISCONNECT indication.
    TDisInd = "TDISind",
    /// Expiry of the timer TIM.
    Tim = "TIM",
    /// CONNECT.
    Cn = "CN",
    /// OVERFLOW ACCEPT.
    Oa = "OA",
    /// CONNECT DATA OVERFLOW.
    Cdo = "CDO",
    /// ACCEPT.
    Ac = "AC",
    /// REFUSE, transport connection not to be reused.
    RfNr = "RF-nr",
    /// REFUSE, transport connection may be reused.
    RfR = "RF-r",
    /// FINISH, transport connection not to be reused.
    FnNr = "FN-nr",
    /// FINISH, transport connection to be kept.
    FnR = "FN-r",
    /// DISCONNECT.
    Dn = "DN",
    /// NOT FINISHED.
    Nf = "NF",
    /// ABORT, transport connection not to be reused.
    AbNr = "AB-nr",
    /// ABORT, transport connection to be kept.
    AbR = "AB-r",
    /// ABORT ACCEPT.
    Aa = "AA",
    /// DATA TRANSFER (complete SSDU).
    Dt = "DT",
    /// EXPEDITED DATA.
    Ex = "EX",
    /// TYPED DATA (complete SSDU).
    Td = "TD",
    /// CAPABILITY DATA.
    Cd = "CD",
    /// CAPABILITY DATA ACK.
    Cda = "CDA",
    /// GIVE TOKENS with a Token Item.
    Gt = "GT",
    /// PLEASE TOKENS with a Token Item (also raised after AC when AC carries a Token Item).
    Pt = "PT",
    /// GIVE TOKENS CONFIRM.
    Gtc = "GTC",
    /// GIVE TOKENS ACK.
    Gta = "GTA",
    /// MINOR SYNC POINT.
    Mip = "MIP",
    /// MINOR SYNC POINT with data separation.
    MipD = "MIP-d",
    /// MINOR SYNC ACK.
    Mia = "MIA",
    /// MAJOR SYNC POINT (Sync Type Item bit 1 = 1).
    Map = "MAP",
    /// MAJOR SYNC ACK.
    Maa = "MAA",
    /// ACTIVITY END (Sync Type Item absent or bit 1 = 0).
    Ae = "AE",
    /// ACTIVITY END ACK (same octets as MAA).
    Aea = "AEA",
    /// RESYNCHRONIZE abandon.
    RsA = "RS-a",
    /// RESYNCHRONIZE restart.
    RsR = "RS-r",
    /// RESYNCHRONIZE set.
    RsS = "RS-s",
    /// RESYNCHRONIZE ACK.
    Ra = "RA",
    /// PREPARE (major sync ack).
    PrMaa = "PR-MAA",
    /// PREPARE (resynchronize; also announces interrupt and discard).
    PrRs = "PR-RS",
    /// PREPARE (resynchronize ack; also announces the interrupt and discard acks).
    PrRa = "PR-RA",
    /// PREPARE (abort).
    PrAb = "PR-AB",
    /// ACTIVITY START.
    As = "AS",
    /// ACTIVITY RESUME.
    Ar = "AR",
    /// ACTIVITY INTERRUPT.
    Ai = "AI",
    /// ACTIVITY INTERRUPT ACK.
    Aia = "AIA",
    /// ACTIVITY DISCARD.
    Ad = "AD",
    /// ACTIVITY DISCARD ACK.
    Ada = "ADA",
    /// EXCEPTION REPORT.
    Er = "ER",
    /// EXCEPTION DATA.
    Ed = "ED",
}

impl Event {
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
