//! Measures an echo over loopback: what a message costs the echoing thread, by driver.
//!
//! ```sh
//! cargo run --release -p colloquy-transport --example echo -- io_uring 64 256 1 5
//! #                                            driver connections octets depth seconds
//! ```
//! `depth` messages of `octets` octets go back and forth on each connection. One line is printed:
//! messages per second, and per message system calls and processor time of the echoing thread.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use colloquy_transport::buf::{Slice, TxBatch};
use colloquy_transport::driver::mio::{MioConfig, MioDriver};
#[cfg(target_os = "linux")]
use colloquy_transport::driver::uring::{UringConfig, UringDriver};
use colloquy_transport::driver::{Close, Completion, ConnectOptions, ConnectionId, Driver};
use colloquy_transport::net::{ListenOptions, listen};

/// What to measure.
#[derive(Clone, Copy)]
struct Plan {
    connections: usize,
    octets: usize,
    depth: usize,
    duration: Duration,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [driver, numbers @ ..] = &arguments[..] else { return Err(USAGE.into()) };
    let numbers = numbers.iter().map(|text| text.parse()).collect::<Result<Vec<usize>, _>>()?;
    let [connections, octets, depth, seconds] = numbers[..] else { return Err(USAGE.into()) };
    let plan = Plan { connections, octets, depth, duration: Duration::from_secs(seconds as u64) };
    match &driver[..] {
        "mio" => measure(plan, || MioDriver::new(MioConfig::default())),
        #[cfg(target_os = "linux")]
        "io_uring" => measure(plan, || UringDriver::new(UringConfig::default())),
        _ => Err(USAGE.into()),
    }
}

const USAGE: &str = "usage: echo io_uring|mio CONNECTIONS OCTETS DEPTH SECONDS";

fn measure<D: Driver<Listener = TcpListener> + 'static>(
    plan: Plan,
    make: fn() -> std::io::Result<D>,
) -> Result<(), Box<dyn std::error::Error>> {
    let listener = listen((Ipv4Addr::LOCALHOST, 0).into(), &ListenOptions::default())?;
    let address = listener.local_addr()?;
    let (tell, told) = mpsc::channel();
    let echo = thread::spawn(move || {
        let mut end = End::new(make()?);
        end.driver.listen(listener)?;
        while end.opened < plan.connections {
            end.turn()?;
        }
        let (calls, cpu, octets, start) =
            (end.driver.stats().system_calls, cpu_time(), end.received, Instant::now());
        let _ = tell.send(());
        while start.elapsed() < plan.duration {
            end.turn()?;
        }
        let messages = (end.received - octets) as f64 / plan.octets as f64;
        println!(
            "{:8} {} x {} octets, depth {}: {:.0}/s, {:.4} system calls and {:.3} us per message",
            D::NAME,
            plan.connections,
            plan.octets,
            plan.depth,
            messages / start.elapsed().as_secs_f64(),
            (end.driver.stats().system_calls - calls) as f64 / messages,
            (cpu_time() - cpu).as_secs_f64() * 1e6 / messages,
        );
        std::io::Result::Ok(())
    });
    drive(plan, address, make()?, &told)?;
    echo.join().map_err(|_| "the echoing thread panicked")??;
    Ok(())
}

/// The other end: connects, sends the first messages, and then echoes too, until the echo has gone.
fn drive<D: Driver>(
    plan: Plan,
    address: SocketAddr,
    driver: D,
    told: &mpsc::Receiver<()>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut end = End::new(driver);
    for _ in 0..plan.connections {
        end.driver.connect(address, &ConnectOptions::default())?;
    }
    while end.opened < plan.connections || told.try_recv().is_err() {
        end.turn()?;
    }
    let message = Slice::from_vec(vec![7; plan.octets]);
    let ids: Vec<ConnectionId> = end.connections.keys().copied().collect();
    for id in ids {
        for _ in 0..plan.depth {
            end.echo(id, message.clone());
        }
    }
    end.flush();
    while !end.connections.is_empty() {
        end.turn()?;
    }
    Ok(())
}

/// A driver that sends back what it receives, once per turn and connection.
struct End<D> {
    driver: D,
    connections: HashMap<ConnectionId, Echo>,
    dirty: Vec<ConnectionId>,
    completions: Vec<Completion>,
    opened: usize,
    received: usize,
}

#[derive(Default)]
struct Echo {
    collected: TxBatch,
    spare: Option<TxBatch>,
    sending: bool,
}

impl<D: Driver> End<D> {
    fn new(driver: D) -> Self {
        End {
            driver,
            connections: HashMap::new(),
            dirty: Vec::new(),
            completions: Vec::new(),
            opened: 0,
            received: 0,
        }
    }

    fn turn(&mut self) -> std::io::Result<()> {
        let mut completions = std::mem::take(&mut self.completions);
        self.driver.wait(Some(Duration::from_millis(50)), &mut completions)?;
        for completion in completions.drain(..) {
            match completion {
                Completion::Accepted { connection: id, .. } | Completion::Connected(id) => {
                    self.opened += 1;
                    self.connections.insert(id, Echo::default());
                }
                Completion::Received(id, slice) => self.echo(id, slice),
                Completion::Sent(id, mut batch) => {
                    batch.clear();
                    if let Some(echo) = self.connections.get_mut(&id) {
                        echo.sending = false;
                        echo.spare = Some(batch);
                        self.dirty.push(id);
                    }
                }
                Completion::Eof(id) | Completion::Failed(id, _) => self.driver.close(id, Close::Abort),
                Completion::Closed(id) => drop(self.connections.remove(&id)),
                Completion::AcceptFailed(_, error) => return Err(error),
                Completion::Woken => {}
            }
        }
        self.completions = completions;
        self.flush();
        Ok(())
    }

    fn echo(&mut self, id: ConnectionId, slice: Slice) {
        self.received += slice.len();
        if let Some(echo) = self.connections.get_mut(&id) {
            echo.collected.put_slice(slice);
            self.dirty.push(id);
        }
    }

    fn flush(&mut self) {
        for id in self.dirty.drain(..) {
            if let Some(echo) = self.connections.get_mut(&id)
                && !echo.sending
                && !echo.collected.is_empty()
            {
                echo.sending = true;
                let next = echo.spare.take().unwrap_or_default();
                self.driver.send(id, std::mem::replace(&mut echo.collected, next));
            }
        }
    }
}

/// Processor time of this thread so far.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|field| field.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}
