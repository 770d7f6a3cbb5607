//! Ports for contestants that cannot tell which one the system gave them.

use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;

use super::LabError;

/// Below the range that outgoing connections take theirs from, so that none of them takes a port between its choice and
/// its use.
const RANGE: std::ops::Range<u16> = 20_000..32_000;
/// Ports that processes of near ids begin apart.
const STRIDE: u32 = 37;

/// A port on loopback that nobody listens on, given once by this process.
///
/// # Errors
/// When the range is used up.
pub fn free() -> Result<SocketAddr, LabError> {
    static NEXT: Mutex<Option<u16>> = Mutex::new(None);
    let mut next = NEXT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let first =
        RANGE.start + (std::process::id().wrapping_mul(STRIDE) % u32::from(RANGE.end - RANGE.start)) as u16;
    for _ in RANGE {
        let port = next.unwrap_or(first);
        *next = Some(if port + 1 == RANGE.end { RANGE.start } else { port + 1 });
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err(LabError::Failed(format!("no free port in {RANGE:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once_and_can_be_listened_on() {
        let (one, two) = (free().unwrap(), free().unwrap());
        assert_ne!(one, two);
        let _first = TcpListener::bind(one).unwrap();
        let _second = TcpListener::bind(two).unwrap();
    }
}
