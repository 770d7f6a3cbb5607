//! Expedited data with the IUT's user.

use colloquy_session::spdu::{Flow, SpduKind};
use colloquy_session::{FunctionalUnits as Fu, Request};

use super::super::octets;
use super::super::purpose::Verdict;
use super::Setup;

const UNITS: Fu = Fu::DUPLEX.union(Fu::EXPEDITED);

/// 81: expedited data go on their own flow and are delivered as they come.
pub(crate) fn overtakes() -> Verdict {
    let mut u = Setup::of(UNITS).expedited().initiator()?;
    for data in [&b"1"[..], b"fourteen octet"] {
        u.ask(&Request::ExpeditedData { user_data: data })?;
        let reply = u.low.expect(SpduKind::ExpeditedData)?;
        let right = reply.flow == Flow::Expedited && reply.octets == octets::ex(data);
        u.low.demand(right, "EX on the expedited flow", || reply.shown())?;
        u.low.send_expedited(&octets::ex(data));
        u.low.send(&octets::dt(b"sent later"));
        let seen = u.saw(&["ExpeditedData", "Data"])?;
        u.check(seen[0].user_data == data, "the data")?;
    }
    u.refused(&Request::ExpeditedData { user_data: b"" })?;
    u.refused(&Request::ExpeditedData { user_data: b"fifteen octets." })
}

/// 82: EX overtakes AC.
pub(crate) fn before_accept() -> Verdict {
    let setup = Setup::of(UNITS).expedited();
    let mut u = setup.connecting()?;
    u.low.send_expedited(&octets::ex(b"first"));
    u.saw(&[])?;
    u.low.send(&setup.ac());
    let seen = u.saw(&["ConnectConfirm", "ExpeditedData"])?;
    u.check(seen[1].user_data == b"first", "the data")
}
