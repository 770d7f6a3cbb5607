//! A transport connection to the responder that is looked at: class 0 over a blocking socket, every wait bounded.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use colloquy_transport::buf::{Slice, TxBatch};
use colloquy_transport::class0::{Class0, Class0Config, ConnectTpdu, Event, TransportFault};

/// Octets read at once.
const READ_OCTETS: usize = 16 * 1024;

/// What came from the responder.
#[derive(Debug)]
pub(super) enum Heard {
    /// A TSDU of the normal flow.
    Tsdu(Vec<u8>),
    /// The transport connection is gone; how.
    Gone(String),
    /// Nothing in time.
    Silence,
}

/// An open transport connection.
pub(super) struct Line {
    stream: TcpStream,
    class0: Class0,
    out: TxBatch,
    within: Duration,
    /// Parameters of CC.
    pub(super) confirm: ConnectTpdu,
    /// From the start to the TCP connection.
    pub(super) tcp: Duration,
    /// From CR to CC.
    pub(super) transport: Duration,
}

impl Line {
    /// Opens a connection; expedited data are offered so that the responder shows whether it takes them.
    ///
    /// # Errors
    /// Why there is no transport connection.
    pub(super) fn open(to: SocketAddr, connect: &ConnectTpdu, within: Duration) -> Result<Line, String> {
        let begun = Instant::now();
        let stream = TcpStream::connect_timeout(&to, within).map_err(|error| format!("TCP: {error}"))?;
        let tcp = begun.elapsed();
        let set = stream
            .set_nodelay(true)
            .and_then(|()| stream.set_write_timeout(Some(within)))
            .map_err(|error| format!("TCP: {error}"));
        set?;
        let config = Class0Config { expedited: connect.expedited, ..Class0Config::default() };
        let mut line = Line {
            stream,
            class0: Class0::initiator(&config),
            out: TxBatch::new(),
            within,
            confirm: ConnectTpdu::default(),
            tcp,
            transport: Duration::ZERO,
        };
        line.class0.connect_request(connect, &mut line.out);
        line.flush();
        let asked = Instant::now();
        match line.next(asked + within) {
            Ok(Event::ConnectConfirm(confirm)) => line.confirm = confirm,
            Ok(Event::Disconnect { reason }) => return Err(format!("CR refused by DR, reason {reason}")),
            Ok(Event::Fault(fault)) => return Err(format!("no CC but a fault: {}", words(&fault))),
            Ok(_) => return Err("no CC".to_owned()),
            Err(Heard::Gone(how)) => return Err(format!("no CC: {how}")),
            Err(_) => return Err("no CC in time".to_owned()),
        }
        line.transport = asked.elapsed();
        Ok(line)
    }

    /// Sends a TSDU. A connection that is gone shows at the next answer.
    pub(super) fn send(&mut self, tsdu: &[u8]) {
        self.class0.data_request(tsdu, &[], &mut self.out);
        self.flush();
    }

    fn flush(&mut self) {
        let octets = self.out.to_vec();
        self.out.clear();
        // What the responder sent before it closed is still to be heard.
        let _ = self.stream.write_all(&octets);
    }

    /// What comes next.
    pub(super) fn hear(&mut self) -> Heard {
        let deadline = Instant::now() + self.within;
        match self.next(deadline) {
            Ok(Event::Data(body)) => Heard::Tsdu(body.into_contiguous().to_vec()),
            Ok(Event::Disconnect { reason }) => Heard::Gone(format!("DR, reason {reason}")),
            Ok(Event::Fault(fault)) => Heard::Gone(format!("fault of the responder: {}", words(&fault))),
            Ok(other) => Heard::Gone(format!("unexpected {other:?}")),
            Err(heard) => heard,
        }
    }

    fn next(&mut self, deadline: Instant) -> Result<Event, Heard> {
        let mut buffer = vec![0; READ_OCTETS];
        loop {
            if let Some(event) = self.class0.next_event(&mut self.out) {
                return Ok(event);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Heard::Silence);
            }
            // A read timeout below the clock's step would be refused as zero.
            let timeout = left.max(Duration::from_millis(1));
            let read =
                self.stream.set_read_timeout(Some(timeout)).and_then(|()| self.stream.read(&mut buffer));
            match read {
                Ok(0) => return Err(Heard::Gone("TCP connection closed".to_owned())),
                Ok(octets) => self.class0.receive(Slice::copy_of(&buffer[..octets])),
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(Heard::Gone(error.to_string())),
            }
        }
    }
}

fn words(fault: &TransportFault) -> String {
    format!("{} at octet {}: {:?}", fault.layer, fault.offset, fault.kind)
}

fn is_timeout(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
