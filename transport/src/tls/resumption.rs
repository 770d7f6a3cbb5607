//! Sessions that may be resumed: bounded in number and in time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;
use rustls::{NamedGroup, server::StoresServerSessions};

/// Sessions that a server keeps; the oldest makes room.
pub(super) const SERVER_SESSIONS_MAX: usize = 4096;
/// Servers whose sessions a client keeps.
const CLIENT_SERVERS_MAX: usize = 256;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic of another thread may have left is a cache: any state of it is a valid one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server's sessions, each usable for one lifetime.
#[derive(Debug)]
pub(super) struct ServerSessions {
    lifetime: Duration,
    sessions: Mutex<Sessions>,
}

#[derive(Debug, Default)]
struct Sessions {
    values: HashMap<Vec<u8>, (Instant, Vec<u8>)>,
    /// Keys in the order in which they came; some may be gone.
    order: VecDeque<Vec<u8>>,
}

impl ServerSessions {
    pub(super) fn new(lifetime: Duration) -> Self {
        ServerSessions { lifetime, sessions: Mutex::default() }
    }

    fn fresh(&self, (since, value): (Instant, Vec<u8>)) -> Option<Vec<u8>> {
        (since.elapsed() < self.lifetime).then_some(value)
    }
}

impl StoresServerSessions for ServerSessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        let mut sessions = lock(&self.sessions);
        while sessions.order.len() >= SERVER_SESSIONS_MAX {
            if let Some(oldest) = sessions.order.pop_front() {
                sessions.values.remove(&oldest);
            }
        }
        sessions.order.push_back(key.clone());
        sessions.values.insert(key, (Instant::now(), value));
        true
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let found = lock(&self.sessions).values.get(key).cloned();
        found.and_then(|found| self.fresh(found))
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        let found = lock(&self.sessions).values.remove(key);
        found.and_then(|found| self.fresh(found))
    }

    fn can_cache(&self) -> bool {
        true
    }
}

/// A client's sessions: forgotten all together at the end of each lifetime, so that none is older.
#[derive(Debug)]
pub(super) struct ClientSessions {
    lifetime: Duration,
    current: Mutex<(Instant, Arc<ClientSessionMemoryCache>)>,
}

impl ClientSessions {
    pub(super) fn new(lifetime: Duration) -> Self {
        ClientSessions { lifetime, current: Mutex::new((Instant::now(), fresh())) }
    }

    fn current(&self) -> Arc<ClientSessionMemoryCache> {
        let mut current = lock(&self.current);
        if current.0.elapsed() >= self.lifetime {
            *current = (Instant::now(), fresh());
        }
        Arc::clone(&current.1)
    }
}

fn fresh() -> Arc<ClientSessionMemoryCache> {
    Arc::new(ClientSessionMemoryCache::new(CLIENT_SERVERS_MAX))
}

impl ClientSessionStore for ClientSessions {
    fn set_kx_hint(&self, server_name: ServerName<'static>, group: NamedGroup) {
        self.current().set_kx_hint(server_name, group);
    }

    fn kx_hint(&self, server_name: &ServerName<'_>) -> Option<NamedGroup> {
        self.current().kx_hint(server_name)
    }

    fn set_tls12_session(&self, server_name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.current().set_tls12_session(server_name, value);
    }

    fn tls12_session(&self, server_name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.current().tls12_session(server_name)
    }

    fn remove_tls12_session(&self, server_name: &ServerName<'static>) {
        self.current().remove_tls12_session(server_name);
    }

    fn insert_tls13_ticket(&self, server_name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.current().insert_tls13_ticket(server_name, value);
    }

    fn take_tls13_ticket(&self, server_name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.current().take_tls13_ticket(server_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_bounded_and_none_is_older_than_the_lifetime() {
        let sessions = ServerSessions::new(Duration::from_secs(3600));
        for key in 0..2 * SERVER_SESSIONS_MAX as u32 {
            assert!(sessions.put(key.to_be_bytes().to_vec(), vec![1]));
        }
        assert_eq!(lock(&sessions.sessions).values.len(), SERVER_SESSIONS_MAX);
        assert_eq!(sessions.get(&0_u32.to_be_bytes()), None);
        let last = (2 * SERVER_SESSIONS_MAX as u32 - 1).to_be_bytes();
        assert_eq!(sessions.take(&last), Some(vec![1]));
        assert_eq!(sessions.take(&last), None, "used once");
        let expired = ServerSessions::new(Duration::ZERO);
        expired.put(vec![1], vec![1]);
        assert_eq!(expired.get(&[1]), None);
    }
}
