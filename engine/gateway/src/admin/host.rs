//! Who is asked for: an admin port on loopback does not answer to names of domains.
//!
//! A browser on this machine sends what any page tells it to whatever the page's name resolves to, and would show the
//! answer to that page (DNS rebinding). The name that it asked for gives it away: it is one of a domain, because nobody
//! far away can have a name without a dot. A port that is open to a network is asked for by names that nobody here
//! knows, so there it says nothing.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Answers 421 to requests for another host.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let of_uri = request.uri().authority().map(Authority::as_str);
    let of_header = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    // Whoever names nobody is no browser.
    match of_uri.or(of_header) {
        Some(host) if !is_local(host) => {
            let text =
                format!("{host:?} is not here: this port on loopback answers to addresses and localhost\n");
            (StatusCode::MISDIRECTED_REQUEST, text).into_response()
        }
        _ => next.run(request).await,
    }
}

/// True for an address, `localhost` or another name without a domain, with or without a port.
fn is_local(authority: &str) -> bool {
    if authority.is_empty() {
        return true;
    }
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
    address.parse::<IpAddr>().is_ok() || !host.contains('.') || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_without_a_domain_are_local_and_others_are_not() {
        let addresses = ["127.0.0.1", "127.0.0.1:9464", "[::1]:9464", "10.1.2.3"];
        let names = ["LocalHost:80", "gw.localhost", "localhost.", "gateway:9464", ""];
        for local in addresses.into_iter().chain(names) {
            assert!(is_local(local), "{local}");
        }
        for foreign in
            ["evil.example", "evil.example:9464", "localhost.evil.example", "evil.example.", "[::1", "a b"]
        {
            assert!(!is_local(foreign), "{foreign}");
        }
    }
}
