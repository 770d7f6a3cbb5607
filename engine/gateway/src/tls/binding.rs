//! Which selectors the holder of a certificate may use.

use colloquy_session::Selector;
use colloquy_transport::class0::TransportSelector;
use colloquy_transport::tls::{PeerIdentity, PeerName};

use crate::config::{BindingConfig, Config};

/// True when the selectors of a CR fit a binding of the peer's certificate, or its `[[tls]]` table has no binding.
pub(crate) fn allows_tsaps(
    config: &Config,
    table: usize,
    peer: Option<&PeerIdentity>,
    calling: TransportSelector,
    called: TransportSelector,
) -> bool {
    allows(config, table, peer, |binding| fits_tsaps(binding, calling, called))
}

/// The same with the selectors of its CN beside them: all four must fit one and the same binding.
pub(crate) fn allows_selectors(
    config: &Config,
    table: usize,
    peer: Option<&PeerIdentity>,
    (calling_tsap, called_tsap): (TransportSelector, TransportSelector),
    (calling, called): (Selector, Selector),
) -> bool {
    allows(config, table, peer, |binding| {
        fits_tsaps(binding, calling_tsap, called_tsap)
            && fits(&binding.calling_ssaps, &calling)
            && fits(&binding.called_ssaps, &called)
    })
}

fn allows(
    config: &Config,
    table: usize,
    peer: Option<&PeerIdentity>,
    fits: impl Fn(&BindingConfig) -> bool,
) -> bool {
    let mut bound = false;
    for binding in config.bindings.iter().filter(|binding| binding.tls == table) {
        bound = true;
        if peer.is_some_and(|peer| peer.is(&PeerName::from(&binding.certificate))) && fits(binding) {
            return true;
        }
    }
    !bound
}

fn fits_tsaps(binding: &BindingConfig, calling: TransportSelector, called: TransportSelector) -> bool {
    fits(&binding.calling_tsaps, &calling) && fits(&binding.called_tsaps, &called)
}

fn fits<T: PartialEq>(allowed: &Option<Vec<T>>, used: &T) -> bool {
    allowed.as_ref().is_none_or(|allowed| allowed.contains(used))
}
