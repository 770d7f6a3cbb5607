//! The raw echo over tokio: the one that every user of the language writes first, with the options they would set.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::canned::Opening;
use super::counters::Counters;

/// Octets of a connection's buffer.
const BUFFER_OCTETS: usize = 16 << 10;

/// Serves until the counters ask for the end.
pub(super) fn serve(
    listener: std::net::TcpListener,
    plain: bool,
    counters: &Arc<Counters>,
) -> io::Result<()> {
    let parks = counters.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        // Each is a wait of the poll, which cannot be counted otherwise.
        .on_thread_park(move || parks.count(1, 0))
        .build()?;
    runtime.block_on(accept(listener, plain, counters))
}

async fn accept(listener: std::net::TcpListener, plain: bool, counters: &Arc<Counters>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let accepted = listener.accept().await;
        if counters.is_asked_to_stop() {
            return Ok(());
        }
        let Ok((stream, _)) = accepted else {
            // The peer has gone, or there is no descriptor: other connections get their turn to end.
            tokio::task::yield_now().await;
            continue;
        };
        counters.opened();
        // Accept, option, registration.
        counters.count(3, 0);
        let counters = counters.clone();
        tokio::spawn(async move {
            // Its failure ends a connection and concerns nobody else.
            let _ = echo(stream, plain, &counters).await;
            counters.closed();
            counters.count(2, 0);
        });
    }
}

async fn echo(mut stream: TcpStream, plain: bool, counters: &Counters) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; BUFFER_OCTETS];
    if !plain {
        answer_opening(&mut stream, &mut buffer, counters).await?;
    }
    loop {
        let octets = stream.read(&mut buffer).await?;
        if octets == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..octets]).await?;
        counters.count(2, octets);
    }
}

async fn answer_opening(stream: &mut TcpStream, buffer: &mut [u8], counters: &Counters) -> io::Result<()> {
    let (mut opening, mut answer, mut over) = (Opening::new(), Vec::new(), false);
    while !over {
        let octets = stream.read(buffer).await?;
        if octets == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        over = opening
            .receive(&buffer[..octets], &mut answer)
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        stream.write_all(&answer).await?;
        counters.count(2, answer.len());
        answer.clear();
    }
    Ok(())
}
