//! rusty-cosp as a program: `rusty-peer respond ADDRESS`, `rusty-peer refuse ADDRESS` or
//! `rusty-peer initiate ADDRESS [SSDUS] [CONNECT_OCTETS]`.
//!
//! The responder prints READY, answers the connect user data with `accepted:` before it, and echoes
//! every SSDU; `refuse` answers each CONNECT with reason 2 and user data. The initiator demands every SSDU
//! back, equal and in order, then finishes and demands DISCONNECT.

use std::collections::VecDeque;
use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use rusty_cosp::{
    CospAcceptor, CospConnection, CospInitiator, CospProtocolInformation, CospReader, CospRecvResult,
    CospResponder, CospWriter, ReasonCode, RustyCospAcceptorIsoStack, RustyCospInitiatorIsoStack,
};
use rusty_cotp::{CotpProtocolInformation, CotpResponder, RustyCotpConnection, RustyCotpResponder};
use rusty_tpkt::{TcpTpktConnection, TcpTpktReader, TcpTpktServer, TcpTpktWriter};

const SIZES: [usize; 14] = [1, 2, 64, 254, 255, 256, 1023, 1024, 2047, 2048, 2049, 4096, 16384, 60000];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let verb = arguments.next().context("a verb")?;
    let address: SocketAddr = arguments.next().context("an address")?.parse()?;
    match verb.as_str() {
        "respond" => respond(address, false).await,
        "refuse" => respond(address, true).await,
        "initiate" => {
            let count = arguments.next().map_or(Ok(100), |text| text.parse())?;
            let connect_octets = arguments.next().map_or(Ok(20), |text| text.parse())?;
            initiate(address, count, connect_octets).await
        }
        other => bail!("unknown verb {other}"),
    }
}

async fn respond(address: SocketAddr, refuse: bool) -> anyhow::Result<()> {
    let server = TcpTpktServer::listen(address).await?;
    println!("READY");
    loop {
        let connection = server.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = serve(connection, refuse).await {
                eprintln!("session ended: {error:#}");
            }
        });
    }
}

async fn serve(connection: TcpTpktConnection, refuse: bool) -> anyhow::Result<()> {
    let (acceptor, request) =
        RustyCotpResponder::<TcpTpktReader, TcpTpktWriter>::new(connection, Default::default()).await?;
    let transport = acceptor.accept(request.responder()).await?;
    let (acceptor, _) =
        RustyCospAcceptorIsoStack::<TcpTpktReader, TcpTpktWriter>::new(transport, Default::default()).await?;
    if refuse {
        acceptor.refuse(Some(ReasonCode::RejectionByCalledSsUserWithData(b"not today".to_vec()))).await?;
        return Ok(());
    }
    let (responder, user_data) = acceptor.accept().await?;
    let mut answer = b"accepted:".to_vec();
    answer.extend(user_data.unwrap_or_default());
    let (mut reader, mut writer) = responder.complete_connection(Some(answer)).await?.split().await?;
    loop {
        match reader.recv().await? {
            CospRecvResult::Data(ssdu) => send(&mut writer, ssdu).await?,
            CospRecvResult::Finish(_) => return Ok(writer.disconnect(None).await?),
            CospRecvResult::Closed | CospRecvResult::Disconnect(_) => return Ok(()),
        }
    }
}

async fn initiate(address: SocketAddr, count: usize, connect_octets: usize) -> anyhow::Result<()> {
    let transport = RustyCotpConnection::<TcpTpktReader, TcpTpktWriter>::initiate(
        TcpTpktConnection::connect(address).await?,
        CotpProtocolInformation::initiator(Some(vec![0, 1]), Some(vec![0, 1])),
        Default::default(),
    )
    .await?;
    let selectors = CospProtocolInformation::new(Some(vec![0, 1]), Some(vec![0, 1]));
    let initiator =
        RustyCospInitiatorIsoStack::<TcpTpktReader, TcpTpktWriter>::new(transport, selectors, Default::default())
            .await?;
    let (connection, accepted) = initiator.initiate(Some(vec![0x61; connect_octets])).await?;
    println!("accepted with {} octets", accepted.unwrap_or_default().len());
    let (mut reader, mut writer) = connection.split().await?;
    let sizes = SIZES.into_iter().chain((0..count).map(|index| 1 + index * 61 % 3000));
    for (index, octets) in sizes.enumerate() {
        let ssdu: Vec<u8> = (0..octets).map(|octet| (octet * 7 + index) as u8).collect();
        send(&mut writer, ssdu.clone()).await?;
        match reader.recv().await? {
            CospRecvResult::Data(back) => ensure!(back == ssdu, "SSDU {index} of {octets} octets differs"),
            _ => bail!("SSDU {index}: no data came back"),
        }
    }
    writer.finish(Some(b"bye".to_vec())).await?;
    ensure!(matches!(reader.recv().await?, CospRecvResult::Disconnect(_)), "no DISCONNECT");
    println!("echoed {}", SIZES.len() + count);
    Ok(())
}

async fn send(writer: &mut impl CospWriter, ssdu: Vec<u8>) -> anyhow::Result<()> {
    let mut queue = VecDeque::from([ssdu]);
    while !queue.is_empty() {
        writer.send(&mut queue).await?;
    }
    Ok(())
}
