//! The threads that handshakes run on, shared by the shards of a process.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use colloquy_transport::tls::{TlsConnection, TlsFault, TlsFaultKind};
use crossbeam::channel::{Receiver, Sender, unbounded};
use crossbeam::queue::SegQueue;

use crate::application::SessionId;

/// Threads for TLS handshakes. They end when the last shard that has the pool is gone.
///
/// Each shard has a bounded number of connections here, so that the queue is bounded, too. What comes before there is a
/// thread waits for the first one.
#[derive(Debug)]
pub struct HandshakePool {
    jobs: Sender<Job>,
    /// There until threads run.
    idle: Mutex<Option<Receiver<Job>>>,
}

impl HandshakePool {
    /// Starts `threads` threads, at least one.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(threads: usize) -> io::Result<HandshakePool> {
        let pool = HandshakePool::idle();
        pool.run(threads)?;
        Ok(pool)
    }

    /// A pool without threads, for shards that may come to need it: see [`HandshakePool::run`].
    pub fn idle() -> HandshakePool {
        let (jobs, taken) = unbounded();
        HandshakePool { jobs, idle: Mutex::new(Some(taken)) }
    }

    /// Starts `threads` threads, at least one, unless the pool has threads.
    ///
    /// # Errors
    /// When no thread can be had; those that were had run, and the next call tries again.
    pub fn run(&self, threads: usize) -> io::Result<()> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(jobs) = idle.as_ref() else { return Ok(()) };
        for number in 0..threads.max(1) {
            let jobs = jobs.clone();
            let run = move || {
                while let Ok(job) = jobs.recv() {
                    job.run_for_shard();
                }
            };
            std::thread::Builder::new().name(format!("clq-tls-{number}")).spawn(run)?;
        }
        *idle = None;
        Ok(())
    }

    pub(super) fn take(&self, job: Job) {
        // Its threads end only when the pool is gone.
        let _ = self.jobs.send(job);
    }
}

/// What a job does with its connection: the records, octets to send, data behind the handshake.
pub(super) type Step = fn(&mut TlsConnection, &[u8], &mut Vec<u8>, &mut Vec<u8>) -> Result<(), TlsFault>;

/// Goes on with a handshake.
pub(super) fn shake_hands(
    connection: &mut TlsConnection,
    records: &[u8],
    out: &mut Vec<u8>,
    plain: &mut Vec<u8>,
) -> Result<(), TlsFault> {
    connection.receive(records, out, &mut |octets| plain.extend_from_slice(octets))
}

/// One connection, and what has come for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: SessionId,
    pub(super) connection: Box<TlsConnection>,
    pub(super) records: Vec<u8>,
    pub(super) returns: Option<Arc<Returns>>,
    pub(super) step: Step,
}

/// What has become of it.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) id: SessionId,
    pub(super) connection: Box<TlsConnection>,
    /// The memory of the records that were handled, empty.
    pub(super) records: Vec<u8>,
    pub(super) out: Vec<u8>,
    /// Data that came right behind the handshake.
    pub(super) plain: Vec<u8>,
    pub(super) result: Result<(), TlsFault>,
}

impl Job {
    pub(super) fn run(self) -> Done {
        let Job { id, mut connection, mut records, step, .. } = self;
        let (mut out, mut plain) = (Vec::new(), Vec::new());
        let handshake = AssertUnwindSafe(|| step(&mut connection, &records, &mut out, &mut plain));
        // A panic is the fault of one connection, which nobody uses any more after a fault: the thread has to go on for
        // the others, and the connection's place among those under way has to come free.
        let result = catch_unwind(handshake).unwrap_or_else(|_| {
            out.clear();
            Err(TlsFaultKind::Other.into())
        });
        records.clear();
        Done { id, connection, records, out, plain, result }
    }

    fn run_for_shard(mut self) {
        let returns = self.returns.take();
        let done = self.run();
        if let Some(returns) = returns {
            returns.give(done);
        }
    }
}

/// Where handshakes come back to one shard.
#[derive(Debug)]
pub(super) struct Returns {
    done: SegQueue<Done>,
    waker: Waker,
}

impl Returns {
    pub(super) fn new(waker: Waker) -> Returns {
        Returns { done: SegQueue::new(), waker }
    }

    /// Always wakes the shard: handshakes are rare beside what a lost wake-up would cost.
    fn give(&self, done: Done) {
        self.done.push(done);
        self.waker.wake_by_ref();
    }

    pub(super) fn next(&self) -> Option<Done> {
        self.done.pop()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.done.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver as Woken, Sender as Waking, channel};
    use std::task::Wake;
    use std::time::Duration;

    use colloquy_transport::tls::{Cipher, Group, Policy, TlsClient, TlsSettings};
    use rcgen::generate_simple_self_signed;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer};

    use super::*;

    struct Shard(Waking<()>);

    impl Wake for Shard {
        fn wake(self: Arc<Self>) {
            self.0.send(()).expect("the test waits");
        }
    }

    fn client() -> TlsClient {
        let own = generate_simple_self_signed(vec!["rtu7.example".to_owned()]).expect("a certificate");
        let certificate: CertificateDer<'static> = own.cert.der().clone();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("PKCS 8");
        let settings = TlsSettings {
            certificates: vec![certificate.clone()],
            key,
            authorities: vec![certificate],
            revocation_lists: Vec::new(),
            revocation_required: false,
            client_certificate_required: false,
            version_1_2: true,
            version_1_3: true,
            ciphers: vec![Cipher::Aes256Gcm],
            groups: vec![Group::Secp256r1],
            policy: Policy { rsa_bits_min: 2048, allow: None },
            resumption_lifetime: Duration::ZERO,
        };
        TlsClient::new(&settings).expect("sound settings")
    }

    fn returns() -> (Arc<Returns>, Woken<()>) {
        let (waking, woken) = channel();
        (Arc::new(Returns::new(Arc::new(Shard(waking)).into())), woken)
    }

    fn job(client: &TlsClient, index: u32, returns: &Arc<Returns>, step: Step) -> Job {
        let name = TlsClient::name_of([127, 0, 0, 1].into());
        let connection = Box::new(client.connect(name).expect("a connection"));
        let id = SessionId { index, generation: 0 };
        Job { id, connection, records: Vec::new(), returns: Some(Arc::clone(returns)), step }
    }

    /// The next handshake that comes back; waking comes with each.
    fn next(returns: &Returns, woken: &Woken<()>) -> Done {
        woken.recv_timeout(Duration::from_secs(60)).expect("it comes back");
        returns.next().expect("the shard is woken after it is there")
    }

    #[test]
    fn handshakes_of_one_thread_come_back_in_the_order_in_which_they_went() {
        let (client, (returns, woken)) = (client(), returns());
        let pool = HandshakePool::start(1).expect("a thread");
        for index in 0..200 {
            pool.take(job(&client, index, &returns, shake_hands));
        }
        for index in 0..200 {
            let done = next(&returns, &woken);
            assert_eq!((done.id.index, done.result), (index, Ok(())));
            assert_eq!(done.out[0], 22, "ClientHello is a handshake record");
        }
        assert!(returns.is_empty());
    }

    #[test]
    fn what_comes_before_the_threads_is_done_when_they_run() {
        let (client, (returns, woken)) = (client(), returns());
        let pool = HandshakePool::idle();
        pool.take(job(&client, 7, &returns, shake_hands));
        assert!(returns.is_empty());
        pool.run(2).expect("threads");
        assert_eq!(next(&returns, &woken).id.index, 7);
        pool.run(2).expect("nothing is left to be done");
    }

    #[test]
    fn a_panic_ends_one_handshake_and_the_thread_goes_on() {
        let (client, (returns, woken)) = (client(), returns());
        let pool = HandshakePool::start(1).expect("a thread");
        let panics: Step = |_, _, out, _| {
            out.push(1);
            panic!("in the handshake of one connection")
        };
        for (index, step) in [(0, panics), (1, shake_hands as Step), (2, panics), (3, shake_hands)] {
            pool.take(job(&client, index, &returns, step));
        }
        for index in 0..4 {
            let done = next(&returns, &woken);
            let expected = if index % 2 == 0 { Err(TlsFaultKind::Other.into()) } else { Ok(()) };
            assert_eq!((done.id.index, done.result), (index, expected));
            assert_eq!(done.out.is_empty(), expected.is_err(), "half a message is not sent");
        }
    }
}
