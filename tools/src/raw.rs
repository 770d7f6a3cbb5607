//! `colloquy raw`: the raw echo servers that comparisons measure Colloquy against, and the TCP floor.
//!
//! Made for `colloquy compare`, so not in the overview: the process prints where it listens, answers the line `stats`
//! on standard input with one line of JSON, and ends with standard input.

use std::io::BufRead;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use colloquy_bench::raw::floor::{FloorPlan, floor};
use colloquy_bench::raw::{RawHandle, RawKind, RawServer};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::say;

/// Raw echo servers to compare with, and the TCP floor.
///
/// A server prints `listening on ADDRESS`, answers each line `stats` on standard input with a line of JSON, and ends
/// with standard input or SIGTERM.
#[derive(Debug, Args)]
pub(crate) struct RawArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Echo over edge-triggered mio.
    Mio(ServerArgs),
    /// Echo over io_uring with an incremental buffer ring.
    #[command(name = "io_uring")]
    IoUring(ServerArgs),
    /// Echo over tokio on one thread, one task a connection.
    Tokio(ServerArgs),
    /// What one send and one receive cost on one thread.
    Floor(FloorArgs),
}

#[derive(Debug, Args)]
struct ServerArgs {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Expect no opening (CR, CN): echo everything.
    #[arg(long)]
    plain: bool,
}

#[derive(Debug, Args)]
struct FloorArgs {
    /// Octets of each send.
    #[arg(long, default_value_t = 64)]
    octets: usize,
    /// Rounds, each with a median of its own.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Length of a round in milliseconds.
    #[arg(long, default_value_t = 200)]
    round_ms: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &RawArgs) -> ExitCode {
    let done = match &args.what {
        What::Mio(args) => serve(RawKind::Mio, args),
        What::IoUring(args) => serve(RawKind::IoUring, args),
        What::Tokio(args) => serve(RawKind::Tokio, args),
        What::Floor(args) => measure_floor(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("colloquy raw: {text}");
            ExitCode::FAILURE
        }
    }
}

fn serve(kind: RawKind, args: &ServerArgs) -> Result<(), String> {
    // As many descriptors as this process may have; with fewer, connections beyond wait to be accepted.
    crate::descriptors::raise(0)?;
    let server = RawServer::bind(kind, args.listen, args.plain)
        .map_err(|error| format!("cannot listen on {}: {error}", args.listen))?;
    let handle = server.handle();
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(|error| format!("signals: {error}"))?;
    let stopper = handle.clone();
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            stopper.stop();
        }
    });
    say(&format!("listening on {}\n", server.address()));
    std::thread::spawn(move || answer(&handle));
    server.run().map_err(|error| format!("cannot serve: {error}"))
}

/// Answers standard input until its end, which is the server's.
fn answer(handle: &RawHandle) {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match line.trim() {
            "" => {}
            "stats" => {
                let stats = serde_json::to_string(&handle.stats()).expect("numbers become JSON");
                say(&format!("{stats}\n"));
            }
            other => eprintln!("colloquy raw: standard input: `{other}` is not `stats`"),
        }
    }
    handle.stop();
}

fn measure_floor(args: &FloorArgs) -> Result<(), String> {
    let plan = FloorPlan {
        octets: args.octets,
        rounds: args.rounds.max(1),
        round: Duration::from_millis(args.round_ms),
    };
    let floor = floor(&plan).map_err(|error| error.to_string())?;
    let median = floor.median_ns();
    if args.json {
        let rounds = &floor.send_receive_ns;
        let value =
            serde_json::json!({ "octets": args.octets, "send_receive_ns": median, "rounds_ns": rounds });
        say(&format!("{value}\n"));
    } else {
        say(&format!("{} octets: {median:.0} ns for a send and a receive\n", args.octets));
    }
    Ok(())
}
