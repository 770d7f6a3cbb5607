//! What must hold of the traffic of a relay and of an echo, whoever looks at it.

use crate::capture::{Captured, of_port};

/// SI codes.
mod si {
    pub(super) const GT_OR_DT: u64 = 1;
    pub(super) const FINISH: u64 = 9;
    pub(super) const DISCONNECT: u64 = 10;
    pub(super) const REFUSE: u64 = 12;
    pub(super) const CONNECT: u64 = 13;
    pub(super) const ACCEPT: u64 = 14;
    pub(super) const ABORT: u64 = 25;
}

/// Whatever tshark has to say against TPKT, COTP and the session.
pub(crate) const WRONG: &str = "_ws.malformed || ses.bad_length || ses.bad_parameter_length || cotp.segment.error || \
                     cotp.reject || _ws.unreassembled";

/// `relays` are the ports of the relays and of their targets: MMS, an echo, one that refuses. `echo` is the
/// port of an echo that was released, aborted by its peer, and sent a second CN.
pub(crate) fn hold(captured: &Captured, relays: &[(u16, u16); 3], echo: u16) {
    let session_only = ["--disable-protocol", "pres"];
    let wrong = captured.frames(WRONG, &session_only, &["frame.number", "_ws.col.Info"]);
    assert_eq!(wrong, [] as [String; 0], "tshark on TPKT, COTP and session");
    let spdus = captured.spdus();
    for (flow, dumped) in captured.dumped() {
        assert_eq!(Some(&dumped), spdus.get(&flow), "{flow:?}, `colloquy dump` beside tshark");
    }
    assert_eq!(captured.dumped().len(), spdus.len(), "flows that dump and tshark see");

    let [mms, rusty, refusing] = relays;
    let (asked, answered) = (of_port(&spdus, rusty.0, true), of_port(&spdus, rusty.0, false));
    for (flows, first, last) in [(&asked, si::CONNECT, si::FINISH), (&answered, si::ACCEPT, si::DISCONNECT)] {
        let [flow] = &flows[..] else { panic!("{flows:?}: one session") };
        let [head, (si::GT_OR_DT, data), tail] = flow[..] else { panic!("{flow:?}: GT and DT between") };
        assert_eq!((head, tail), ((first, 1), (last, 1)));
        assert!(data >= 28 && data % 2 == 0, "{data} of GT and DT");
    }
    for to in [true, false] {
        assert_eq!(of_port(&spdus, rusty.0, to), of_port(&spdus, rusty.1, to), "both sides of the relay");
    }

    // libiec61850 concludes MMS and closes the connection: the server hears of it by AB.
    let (downstream, upstream) = (of_port(&spdus, mms.0, true), of_port(&spdus, mms.1, true));
    assert!(downstream.len() >= 2, "two associations, and more where libiec61850 misses its own");
    let with_abort = downstream.into_iter().map(|flow| [&flow[..], &[(si::ABORT, 1)]].concat());
    let mut with_abort: Vec<_> = with_abort.collect();
    with_abort.sort();
    assert_eq!(with_abort, upstream);
    assert_eq!(of_port(&spdus, mms.0, false), of_port(&spdus, mms.1, false));

    assert_eq!(of_port(&spdus, refusing.0, false), [[(si::REFUSE, 1)]], "RF comes through");
    let aborted = vec![(si::CONNECT, 1), (si::ABORT, 1)];
    assert!(of_port(&spdus, echo, true).contains(&aborted), "icspacket aborts: {spdus:?}");
    let answered = of_port(&spdus, echo, false);
    assert!(answered.contains(&vec![(si::ACCEPT, 1), (si::ABORT, 1)]), "AB for a second CN: {answered:?}");
    mms_is_understood(captured, *mms);
}

/// What travels to and from the MMS server is MMS to tshark, on both sides of the relay alike.
fn mms_is_understood(captured: &Captured, (relay, target): (u16, u16)) {
    let of = |port: u16, filter: &str, fields: &[&str]| {
        captured.frames(&format!("tcp.port == {port} && ({filter})"), &[], fields)
    };
    let read = |port| {
        of(port, "mms", &["mms.invokeID", "mms.confirmedServiceRequest", "mms.confirmedServiceResponse"])
    };
    let (downstream, upstream) = (read(relay), read(target));
    assert!(downstream.len() >= 30, "only {} frames with MMS", downstream.len());
    assert_eq!(downstream, upstream, "MMS requests and responses on both sides of the relay");
    for port in [relay, target] {
        let wrong = of(
            port,
            "_ws.malformed || _ws.expert.severity >= 0x600000",
            &["frame.number", "_ws.expert.message"],
        );
        assert_eq!(wrong, [] as [String; 0], "tshark on everything up to MMS");
    }
}
