//! Outputs of Annex A: primitives to the user, primitives to the transport, SPDUs to the peer.

/// Declares the enum, the list of its variants and their names in one place.
macro_rules! outputs {
    ($( $(#[doc = $doc:literal])* $name:ident = $text:literal, )*) => {
        /// Something a row sends. X.225 Annex A.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Output { $( $(#[doc = $doc])* $name, )* }

        impl Output {
            /// All of them, in the order of the reference list.
            pub const ALL: &'static [Output] = &[$( Output::$name, )*];

            /// The name Annex A prints.
            pub fn name(self) -> &'static str {
                match self { $( Output::$name => $text, )* }
            }

            /// What it is, in words.
            pub fn text(self) -> &'static str {
                match self { $( Output::$name => concat!($( $doc, )*).trim_ascii(), )* }
            }
        }
    };
}

outputs! {
    /// S-ACTIVITY-DISCARD indication.
    SActDInd = "SACTDind",
    /// S-ACTIVITY-DISCARD confirm.
    SActDCnf = "SACTDcnf",
    /// S-ACTIVITY-END indication.
    SActEInd = "SACTEind",
    /// S-ACTIVITY-END confirm.
    SActECnf = "SACTEcnf",
    /// S-ACTIVITY-INTERRUPT indication.
    SActIInd = "SACTIind",
    /// S-ACTIVITY-INTERRUPT confirm.
    SActICnf = "SACTIcnf",
    /// S-ACTIVITY-RESUME indication.
    SActRInd = "SACTRind",
    /// S-ACTIVITY-START indication.
    SActSInd = "SACTSind",
    /// S-CAPABILITY-DATA indication.
    SCdInd = "SCDind",
    /// S-CAPABILITY-DATA confirm.
    SCdCnf = "SCDcnf",
    /// S-CONTROL-GIVE indication.
    SCgInd = "SCGind",
    /// S-CONNECT indication.
    SConInd = "SCONind",
    /// S-CONNECT confirm, accepted.
    SConCnfPos = "SCONcnf+",
    /// S-CONNECT confirm, rejected.
    SConCnfNeg = "SCONcnf-",
    /// S-DATA indication.
    SDtInd = "SDTind",
    /// S-EXPEDITED-DATA indication.
    SExInd = "SEXind",
    /// S-TYPED-DATA indication.
    STdInd = "STDind",
    /// S-TOKEN-GIVE indication.
    SGtInd = "SGTind",
    /// S-TOKEN-PLEASE indication.
    SPtInd = "SPTind",
    /// S-RELEASE indication.
    SRelInd = "SRELind",
    /// S-RELEASE confirm, affirmative.
    SRelCnfPos = "SRELcnf+",
    /// S-RELEASE confirm, negative.
    SRelCnfNeg = "SRELcnf-",
    /// S-RESYNCHRONIZE indication.
    SRsynInd = "SRSYNind",
    /// S-RESYNCHRONIZE confirm.
    SRsynCnf = "SRSYNcnf",
    /// S-SYNC-MAJOR indication.
    SSynMajInd = "SSYNMind",
    /// S-SYNC-MAJOR confirm.
    SSynMajCnf = "SSYNMcnf",
    /// S-SYNC-MINOR indication.
    SSynMinInd = "SSYNmind",
    /// S-SYNC-MINOR indication with data separation.
    SSynMinDsInd = "SSYNmdind",
    /// S-SYNC-MINOR confirm.
    SSynMinCnf = "SSYNmcnf",
    /// S-U-EXCEPTION-REPORT indication.
    SUErInd = "SUERind",
    /// S-P-EXCEPTION-REPORT indication.
    SPErInd = "SPERind",
    /// S-U-ABORT indication when the received ABORT says user abort, else S-P-ABORT indication.
    SxAbInd = "SxABind",
    /// S-P-ABORT indication.
    SPAbInd = "SPABind",
    /// T-CONNECT request.
    TConReq = "TCONreq",
    /// T-CONNECT response (accept).
    TConRsp = "TCONrsp",
    /// T-DISCONNECT request.
    TDisReq = "TDISreq",
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
    /// EXCEPTION DATA.
    Ed = "ED",
    /// EXCEPTION REPORT; in no row: [`super::Spm::exception_report`] sends it.
    Er = "ER",
}

impl Output {
    /// True for a primitive to the local user.
    pub fn is_indication(self) -> bool {
        (self as u8) < Output::TConReq as u8
    }

    /// True for an SPDU to the peer.
    pub fn is_spdu(self) -> bool {
        (self as u8) > Output::TDisReq as u8
    }
}
