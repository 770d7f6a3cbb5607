//! `tap`: octets of chosen sessions as a pcapng file, until the client hangs up or what it asked for is there.

use std::time::Duration;

use rustix::process::setpriority_process;
use rustix::thread::gettid;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};

use super::{Call, Level, Op, Refused, Reply, Wire};
use crate::control::protocol::{self, Code};
use crate::tap::{TapFilter, TapRequest, TapSession};

/// Streams a tap.
pub(super) const TAP: Op =
    Op { name: "tap", level: Level::Admin, run: |call| Box::pin(async move { tap(&call) }) };

/// Parts of the file that wait for the client. While there are so many, the rest waits in the rings of the shards, which
/// leave out what they have no room for.
const CHUNKS_MAX: usize = 2;
/// How long a client that has hung up may go unnoticed while nothing comes.
const PATIENCE: Duration = Duration::from_millis(200);
/// The lowest priority there is. On Linux it is a thread's own.
const NICE_MAX: i32 = 19;

fn tap(call: &Call) -> Result<Reply, Refused> {
    let request: TapRequest = protocol::arguments(&call.arguments)?;
    let filter = TapFilter::try_from(request.clone())
        .map_err(|error| Refused::new(Code::BadRequest, error.to_string()))?;
    let vitals = &call.control.vitals;
    let session =
        TapSession::start(vitals, filter).map_err(|error| Refused::new(Code::Busy, error.to_string()))?;
    let (caller, payload) = (call.caller.name(), request.payload);
    let asked = serde_json::to_string(&request).unwrap_or_default();
    tracing::warn!(
        event_id = "CLQ-P01",
        caller,
        payload,
        asked,
        "a tap copies what sessions send and receive"
    );
    let answer = json!({ "format": "pcapng", "payload": payload });
    Ok(Reply::TakeOver(answer, Box::new(move |wire| Box::pin(stream(session, wire, caller)))))
}

/// Copies the file to the client; the tap ends with the client, the client with the tap.
async fn stream(session: TapSession, wire: Wire, caller: String) {
    let (chunks, mut ready) = mpsc::channel::<Vec<u8>>(CHUNKS_MAX);
    let (counts, counted) = oneshot::channel();
    // A thread of its own: one of a pool would keep the priority for what it does next.
    let reading = std::thread::Builder::new().name("tap".to_owned()).spawn(move || {
        let _ = counts.send(make_file(session, &chunks));
    });
    if let Err(error) = reading {
        return tracing::error!(event_id = "CLQ-P03", caller, %error, "the tap has no thread");
    }
    let Wire { mut reader, mut writer } = wire;
    let mut word = [0; 64];
    loop {
        tokio::select! {
            chunk = ready.recv() => match chunk {
                Some(chunk) => {
                    // A client that does not read is waited for: it costs it what it misses, and nobody else anything.
                    tokio::select! {
                        written = writer.write_all(&chunk) => if written.is_err() { break },
                        () = hung_up(&mut reader) => break,
                    }
                }
                None => break,
            },
            read = reader.read(&mut word) => if !matches!(read, Ok(1..)) { break },
        }
    }
    drop(ready);
    let _ = writer.shutdown().await;
    let (tpdus, left_out) = counted.await.unwrap_or_default();
    tracing::info!(event_id = "CLQ-P02", caller, tpdus, left_out, "the tap has ended");
}

/// Makes the file until it is complete or nobody takes it; TPDUs in it, and runs that were left out.
fn make_file(mut session: TapSession, chunks: &mpsc::Sender<Vec<u8>>) -> (u64, u64) {
    yield_to_sessions();
    while let Some(chunk) = session.next_chunk(PATIENCE) {
        let gone = if chunk.is_empty() { chunks.is_closed() } else { chunks.blocking_send(chunk).is_err() };
        if gone {
            break;
        }
    }
    (session.tpdus(), session.runs_left_out())
}

/// Gives this thread the lowest priority: where all cores are busy, sessions go first.
fn yield_to_sessions() {
    if let Err(error) = setpriority_process(Some(gettid()), NICE_MAX) {
        tracing::warn!(event_id = "CLQ-P03", %error, "the tap keeps the priority of sessions");
    }
}

/// Returns when the client has closed its side; what it says meanwhile is of no interest.
async fn hung_up(reader: &mut (impl tokio::io::AsyncRead + Unpin)) {
    let mut word = [0; 64];
    while matches!(reader.read(&mut word).await, Ok(1..)) {}
}
