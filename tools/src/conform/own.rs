//! Our own build under test: an echo gateway as the responder, a relay as the initiator, in this process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context as _;
use colloquy_gateway::config::check_str;
use colloquy_gateway::config::keys::{Kind, Section};
use colloquy_gateway::{Gateway, StartOptions};
use colloquy_session::FunctionalUnits as Fu;
use colloquy_session::spdu::SpduKind;

use super::context::{Proposal, Settings};
use super::dialogue::Dialogue;
use super::line::Line;
use super::octets;

/// Timer TIM of the gateways: short, since several purposes wait for it.
pub(crate) const TIM: Duration = Duration::from_millis(300);
/// How long our responder waits for CN, also on a kept transport connection: less than the tester waits, and
/// more than the relay waits for its target.
const KEPT: Duration = Duration::from_secs(6);
/// The SSAP that the echo responder knows, beside the null selector.
pub(crate) const SSAP: [u8; 2] = [0, 1];
/// Longest time the gateways may take to end.
const DRAIN: Duration = Duration::from_secs(2);

/// The gateways, and where their initiator connects to.
pub(crate) struct Own {
    echo: Gateway,
    relay: Gateway,
    /// Where the relay's upstream connections arrive.
    pub(crate) listener: TcpListener,
}

impl Own {
    /// Starts both on loopback.
    ///
    /// # Errors
    /// What did not start.
    pub(crate) fn start(driver: &str) -> anyhow::Result<Own> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listener of the tester")?;
        let target = listener.local_addr().context("listener of the tester")?;
        let echo = start("echo", &echo_config(driver))?;
        let relay = start("relay", &relay_config(driver, target))?;
        Ok(Own { echo, relay, listener })
    }

    /// Where the echo responder listens.
    pub(crate) fn responder(&self) -> anyhow::Result<SocketAddr> {
        address_of(&self.echo)
    }

    /// Where a session makes the relay connect to the tester.
    pub(crate) fn trigger(&self) -> anyhow::Result<SocketAddr> {
        address_of(&self.relay)
    }

    /// Ends both.
    ///
    /// # Errors
    /// What made a shard fail.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        let parts = [self.echo, self.relay];
        parts.iter().for_each(|part| part.drain(DRAIN));
        parts.into_iter().try_for_each(|part| part.join().context("a shard failed"))
    }
}

/// The user of the initiator: opens a session through the relay, sends one SSDU and releases. Whatever the
/// tester does to the relay's own connection comes back here, and is of no interest.
pub(crate) fn call(settings: Settings, relay: SocketAddr) {
    let settings = Settings { address: relay, ..settings };
    std::thread::spawn(move || {
        let within = settings.waits.answer;
        let Ok(line) = Line::connect(relay, &settings.names, false, within) else { return };
        let mut user = Dialogue::new(Box::new(line), settings.waits, settings.manner);
        let proposal = Proposal { user_data: b"call".to_vec(), ..Proposal::of(Fu::DUPLEX) };
        user.send(&proposal.cn(&settings));
        if user.expect(SpduKind::Accept).is_err() {
            return;
        }
        user.send(&octets::dt(b"over the relay"));
        if user.receive_data().is_ok() {
            let _ = user.release();
        }
    });
}

fn start(name: &str, text: &str) -> anyhow::Result<Gateway> {
    let config = check_str(name, text)
        .map_err(|diagnostics| anyhow::anyhow!("{}", diagnostics.render(false)))
        .context("configuration of the tester")?;
    let options =
        StartOptions { cores: Some(Vec::new()), name: Some(name.to_owned()), ..StartOptions::default() };
    Gateway::start_with(config, &options).with_context(|| name.to_owned())
}

fn address_of(gateway: &Gateway) -> anyhow::Result<SocketAddr> {
    Ok(gateway.addresses().first().context("no listener")?.address)
}

fn engine_config(driver: &str) -> String {
    format!(
        "schema_version = 1\n[engine]\ndriver = \"{driver}\"\nshards = 1\nsessions_max = 2048\n\
         ssdu_octets_max = 4194304\n"
    )
}

/// Keys of a listener that offers everything there is to offer.
fn listener_config() -> String {
    let tim_ms = TIM.as_millis();
    let mut text = format!(
        "[[listener]]\nname = \"conform\"\naddress = \"127.0.0.1:0\"\ntsdu_octets_max = 4194304\ntim = \"{tim_ms}ms\"\n\
         connect_timeout = \"{}ms\"\n",
        KEPT.as_millis()
    );
    for key in Section::Listener.keys() {
        match (key.name, key.kind) {
            ("functional_units", Kind::Choices(names)) => {
                // Symmetric synchronize is reconstructed: it is never proposed nor accepted unasked.
                let names: Vec<String> = names
                    .iter()
                    .filter(|name| !name.contains("symmetric"))
                    .map(|name| format!("\"{name}\""))
                    .collect();
                text += &format!("functional_units = [{}]\n", names.join(", "));
            }
            ("transport_expedited" | "extended_concatenation" | "transport_reuse", Kind::Boolean) => {
                text += &format!("{} = true\n", key.name);
            }
            _ => {}
        }
    }
    text
}

fn echo_config(driver: &str) -> String {
    let (engine, listener) = (engine_config(driver), listener_config());
    format!("{engine}{listener}application = \"echo\"\ncalled_ssaps = [\"0x0001\", \"0x\"]\n")
}

fn relay_config(driver: &str, to: SocketAddr) -> String {
    let (engine, listener) = (engine_config(driver), listener_config());
    format!(
        "{engine}{listener}application = \"relay\"\ntarget = \"tester\"\n[[target]]\nname = \"tester\"\n\
         address = \"{to}\"\nprofile = \"transparent\"\ntim = \"{}ms\"\n",
        TIM.as_millis()
    )
}
