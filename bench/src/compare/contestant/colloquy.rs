//! This program as a gateway.

use std::net::SocketAddr;
use std::time::Duration;

use super::super::process::Process;
use super::super::{Lab, LabError, ports};
use super::{Application, Counter, Driver, Server, ask};

const START_PATIENCE: Duration = Duration::from_secs(10);
/// The template that every Colloquy contestant is configured by.
const TEMPLATE: &str = include_str!("../../../compare/colloquy.toml");
const TARGET: &str = include_str!("../../../compare/colloquy-target.toml");

pub(super) fn start(
    lab: &Lab,
    cores: &str,
    name: String,
    driver: Driver,
    application: Application,
    shards: usize,
    engine_keys: &[(String, String)],
) -> Result<Server, LabError> {
    let (address, admin) = (ports::free()?, ports::free()?);
    let text = configuration(address, admin, driver, application, shards, engine_keys);
    let path = lab.folder().join(format!("colloquy-{}.toml", address.port()));
    std::fs::write(&path, text).map_err(|error| LabError::Failed(format!("{}: {error}", path.display())))?;
    let command = [lab.binary().display().to_string(), "gateway".to_owned(), path.display().to_string()];
    let mut process = Process::start(&name, &command, cores, lab.folder())?;
    process.wait_until(START_PATIENCE, || ask::get(admin, "/readyz", START_PATIENCE).ok())?;
    Ok(Server::new(name, address, process, Counter::Metrics(admin)))
}

fn configuration(
    address: SocketAddr,
    admin: SocketAddr,
    driver: Driver,
    application: Application,
    shards: usize,
    engine_keys: &[(String, String)],
) -> String {
    let keys: Vec<String> = engine_keys.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    let (application, target) = match application {
        Application::Echo => ("\"echo\"".to_owned(), String::new()),
        Application::Relay(to) => {
            ("\"relay\"\ntarget = \"backend\"".to_owned(), TARGET.replace("@TARGET@", &to.to_string()))
        }
    };
    let text = TEMPLATE
        .replace("@DRIVER@", driver.name())
        .replace("@SHARDS@", &shards.to_string())
        .replace("@ENGINE_KEYS@", &keys.join("\n"))
        .replace("@ADMIN@", &admin.to_string())
        .replace("@ADDRESS@", &address.to_string())
        .replace("\"@APPLICATION@\"", &application);
    format!("{text}{target}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_blank_of_the_template_is_filled_in() {
        let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let keys = [("send_batch_octets_max".to_owned(), "1".to_owned())];
        for application in [Application::Echo, Application::Relay(at(3))] {
            let text = configuration(at(1), at(2), Driver::Mio, application, 2, &keys);
            assert!(!text.contains('@'), "{text}");
            let parsed: toml::Table = text.parse().unwrap();
            assert_eq!(parsed["engine"]["send_batch_octets_max"].as_integer(), Some(1));
            assert_eq!(parsed["engine"]["driver"].as_str(), Some("mio"));
            assert_eq!(parsed["listener"][0]["address"].as_str(), Some("127.0.0.1:1"));
            let relays = application != Application::Echo;
            assert_eq!(parsed["listener"][0].get("target").is_some(), relays);
            assert_eq!(parsed.contains_key("target"), relays);
        }
    }
}
