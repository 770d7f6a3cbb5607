//! Which sessions, and which of their TPDUs, a tap is for.

use std::net::IpAddr;
use std::time::Duration;

use colloquy_session::spdu::SpduKind;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::name::SessionName;

/// Longest name or selector of a filter, in octets of text.
const TEXT_OCTETS_MAX: usize = 256;
/// Longest time of a tap.
const SECONDS_MAX: u64 = 7 * 24 * 3600;

/// What is asked for, as a request has it. Every member narrows it; none at all: everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TapRequest {
    /// Sessions by name, as in the log (`0-7.2`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Sessions accepted on this listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener: Option<String>,
    /// Sessions opened to this target, and those they are opened for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Sessions of this route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Peers with an address of this network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Called or calling session selector, as `0x…` or `ascii:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssap: Option<String>,
    /// Called or calling transport selector, as `0x…` or `ascii:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tsap: Option<String>,
    /// TSDUs that begin with, or contain, one of these SPDUs (`CN`, `DT` …); TPDUs that are not DT are always there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spdu: Vec<String>,
    /// TPDUs after which it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Seconds after which it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Octets of a TPDU that are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snap: Option<u32>,
    /// Keeps user data.
    pub payload: bool,
    /// Shows the responder's own port; else 102, by which Wireshark knows what it is.
    pub real_ports: bool,
}

/// A filter that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TapFilter {
    pub(super) session: Option<SessionName>,
    pub(super) listener: Option<String>,
    pub(super) target: Option<String>,
    pub(super) route: Option<String>,
    pub(super) network: Option<IpNet>,
    pub(super) ssap: Option<Vec<u8>>,
    pub(super) tsap: Option<Vec<u8>>,
    pub(super) spdus: Vec<SpduKind>,
    pub(super) count: Option<u64>,
    pub(super) duration: Option<Duration>,
    pub(super) snap: Option<usize>,
    pub(super) payload: bool,
    pub(super) real_ports: bool,
}

/// Why a filter was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {text}")]
pub struct FilterError {
    /// Which member of the request.
    pub member: &'static str,
    text: String,
}

fn refused(member: &'static str, text: impl Into<String>) -> FilterError {
    FilterError { member, text: text.into() }
}

/// What is known of a session when it is asked whether a tap is for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    /// Its name.
    pub(crate) session: SessionName,
    /// The listener that accepted it.
    pub(crate) listener: Option<&'a str>,
    /// The target it was opened to, or is relayed to where that is known.
    pub(crate) target: Option<&'a str>,
    /// Its route, where that is known.
    pub(crate) route: Option<&'a str>,
    pub(crate) peer: IpAddr,
    /// Whether its selectors fit.
    pub(crate) fits: Fits,
}

/// Whether the selectors of a session fit a filter; `None`: they are not known yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fits {
    pub(crate) tsaps: Option<bool>,
    pub(crate) ssaps: Option<bool>,
}

/// Whether a tap is for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Yes,
    No,
    /// That depends on what is not known yet.
    Later,
}

impl TryFrom<TapRequest> for TapFilter {
    type Error = FilterError;

    fn try_from(request: TapRequest) -> Result<Self, FilterError> {
        let texts = [
            ("session", &request.session),
            ("listener", &request.listener),
            ("target", &request.target),
            ("route", &request.route),
            ("network", &request.network),
            ("ssap", &request.ssap),
            ("tsap", &request.tsap),
        ];
        for (member, text) in texts {
            if text.as_ref().is_some_and(|text| text.len() > TEXT_OCTETS_MAX) {
                return Err(refused(member, format!("more than {TEXT_OCTETS_MAX} octets")));
            }
        }
        if request.count == Some(0) || request.seconds == Some(0) {
            return Err(refused("count", "at least 1, and so for seconds"));
        }
        let selector = |member, text: Option<String>| text.map(|text| selector(member, &text)).transpose();
        Ok(TapFilter {
            network: request.network.map(|text| network(&text)).transpose()?,
            ssap: selector("ssap", request.ssap)?,
            tsap: selector("tsap", request.tsap)?,
            spdus: request.spdu.iter().map(|text| kind(text)).collect::<Result<_, _>>()?,
            duration: request.seconds.map(|seconds| Duration::from_secs(seconds.min(SECONDS_MAX))),
            snap: request.snap.map(|octets| octets as usize),
            session: request.session.map(|text| session(&text)).transpose()?,
            listener: request.listener,
            target: request.target,
            route: request.route,
            count: request.count,
            payload: request.payload,
            real_ports: request.real_ports,
        })
    }
}

impl TapFilter {
    /// Whether the tap is for a session, by what is known of it.
    pub(crate) fn verdict(&self, candidate: &Candidate<'_>) -> Verdict {
        let name = |wanted: &Option<String>, has: Option<&str>| match (wanted, has) {
            (None, _) => Verdict::Yes,
            (Some(_), None) => Verdict::Later,
            (Some(wanted), Some(has)) => Verdict::of(wanted == has),
        };
        let selector = |wanted: &Option<Vec<u8>>, fits: Option<bool>| match (wanted, fits) {
            (None, _) => Verdict::Yes,
            (Some(_), None) => Verdict::Later,
            (Some(_), Some(fits)) => Verdict::of(fits),
        };
        let listener = self.listener.as_deref().is_none_or(|wanted| candidate.listener == Some(wanted));
        let verdicts = [
            Verdict::of(self.session.is_none_or(|wanted| wanted == candidate.session)),
            Verdict::of(listener),
            Verdict::of(self.network.is_none_or(|network| network.contains(&candidate.peer))),
            name(&self.target, candidate.target),
            name(&self.route, candidate.route),
            selector(&self.tsap, candidate.fits.tsaps),
            selector(&self.ssap, candidate.fits.ssaps),
        ];
        match () {
            () if verdicts.contains(&Verdict::No) => Verdict::No,
            () if verdicts.contains(&Verdict::Later) => Verdict::Later,
            () => Verdict::Yes,
        }
    }
}

impl TapFilter {
    /// Whether one of these transport selectors is the one that is wanted.
    pub(crate) fn tsaps_fit(&self, tsaps: [&[u8]; 2]) -> bool {
        self.tsap.as_deref().is_none_or(|wanted| tsaps.contains(&wanted))
    }

    /// Whether one of these session selectors is the one that is wanted.
    pub(crate) fn ssaps_fit(&self, ssaps: [&[u8]; 2]) -> bool {
        self.ssap.as_deref().is_none_or(|wanted| ssaps.contains(&wanted))
    }
}

impl Verdict {
    fn of(yes: bool) -> Verdict {
        if yes { Verdict::Yes } else { Verdict::No }
    }
}

fn session(text: &str) -> Result<SessionName, FilterError> {
    text.parse().map_err(|error: crate::name::NoSessionName| refused("session", error.to_string()))
}

fn network(text: &str) -> Result<IpNet, FilterError> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>()
        .or_else(|_| address())
        .map_err(|_| refused("network", format!("{text:?} is no network as 10.0.0.0/8, and no address")))
}

fn selector(member: &'static str, text: &str) -> Result<Vec<u8>, FilterError> {
    if let Some(ascii) = text.strip_prefix("ascii:") {
        return Ok(ascii.as_bytes().to_vec());
    }
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() % 2 == 0 && digits.is_ascii());
    let octets = digits.and_then(|digits| {
        let pairs = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16));
        pairs.collect::<Result<Vec<u8>, _>>().ok()
    });
    octets.ok_or_else(|| refused(member, format!("{text:?} is neither \"0x…\" nor \"ascii:…\"")))
}

fn kind(text: &str) -> Result<SpduKind, FilterError> {
    let known = |kind: &SpduKind| kind.abbreviation().eq_ignore_ascii_case(text);
    SpduKind::ALL.into_iter().find(known).ok_or_else(|| {
        let names: Vec<&str> = SpduKind::ALL.iter().map(|kind| kind.abbreviation()).collect();
        refused("spdu", format!("no SPDU {text:?}; there are {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Result<TapFilter, FilterError> {
        serde_json::from_str::<TapRequest>(text).unwrap().try_into()
    }

    const SESSION: Candidate<'static> = Candidate {
        session: SessionName { shard: 0, session: colloquy_shard::SessionId { index: 7, generation: 2 } },
        listener: Some("main"),
        target: None,
        route: None,
        peer: IpAddr::V4(std::net::Ipv4Addr::new(10, 1, 2, 3)),
        fits: Fits { tsaps: None, ssaps: None },
    };

    #[test]
    fn a_session_must_fit_every_member() {
        let verdict = |text: &str, session: &Candidate<'_>| filter(text).unwrap().verdict(session);
        assert_eq!(verdict("{}", &SESSION), Verdict::Yes);
        assert_eq!(verdict(r#"{"listener":"main","network":"10.0.0.0/8"}"#, &SESSION), Verdict::Yes);
        assert_eq!(verdict(r#"{"listener":"main","network":"11.0.0.0/8"}"#, &SESSION), Verdict::No);
        assert_eq!(verdict(r#"{"listener":"other"}"#, &SESSION), Verdict::No);
        assert_eq!(verdict(r#"{"session":"0-7.2"}"#, &SESSION), Verdict::Yes);
        assert_eq!(verdict(r#"{"session":"0-7.3"}"#, &SESSION), Verdict::No);
        assert_eq!(verdict(r#"{"network":"10.1.2.3"}"#, &SESSION), Verdict::Yes);
    }

    #[test]
    fn what_is_not_known_yet_is_decided_later() {
        let selectors = filter(r#"{"ssap":"ascii:MMS","tsap":"0x0001"}"#).unwrap();
        assert_eq!(selectors.verdict(&SESSION), Verdict::Later);
        let connected = Fits { tsaps: Some(selectors.tsaps_fit([&[0, 1], &[]])), ssaps: None };
        assert_eq!(selectors.verdict(&Candidate { fits: connected, ..SESSION }), Verdict::Later);
        for (ssaps, expected) in [([&b""[..], b"MMS"], Verdict::Yes), ([b"", b""], Verdict::No)] {
            let fits = Fits { ssaps: Some(selectors.ssaps_fit(ssaps)), ..connected };
            assert_eq!(selectors.verdict(&Candidate { fits, ..SESSION }), expected);
        }
        let target = filter(r#"{"target":"mms-1","network":"11.0.0.0/8"}"#).unwrap();
        assert_eq!(target.verdict(&SESSION), Verdict::No, "it cannot fit any more");
    }

    #[test]
    fn faults_name_their_member() {
        let fault = |text: &str| filter(text).unwrap_err().to_string();
        assert!(fault(r#"{"spdu":["XX"]}"#).starts_with("spdu: no SPDU \"XX\"; there are "));
        assert_eq!(fault(r#"{"ssap":"0x1"}"#), "ssap: \"0x1\" is neither \"0x…\" nor \"ascii:…\"");
        assert!(fault(r#"{"network":"ten"}"#).starts_with("network: "));
        assert!(fault(r#"{"count":0}"#).starts_with("count: "));
        assert!(serde_json::from_str::<TapRequest>(r#"{"sesion":"1"}"#).is_err());
        let spdus = filter(r#"{"spdu":["cn","DT"]}"#).unwrap().spdus;
        assert_eq!(spdus, [SpduKind::Connect, SpduKind::DataTransfer]);
    }
}
