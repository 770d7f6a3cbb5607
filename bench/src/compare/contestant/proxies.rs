//! HAProxy in TCP mode and nginx's stream module, one process and one thread each.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::process::{Process, find_program};
use super::super::{Lab, LabError, ports};
use super::{Counter, Server};

const START_PATIENCE: Duration = Duration::from_secs(10);
const HAPROXY: &str = include_str!("../../../compare/haproxy.cfg");
const NGINX: &str = include_str!("../../../compare/nginx.conf");
/// Where Debian and others keep nginx's modules; statically built ones need none.
const STREAM_MODULES: [&str; 3] = [
    "/usr/lib/nginx/modules/ngx_stream_module.so",
    "/usr/lib64/nginx/modules/ngx_stream_module.so",
    "/usr/share/nginx/modules/ngx_stream_module.so",
];

pub(super) fn haproxy(lab: &Lab, cores: &str, to: SocketAddr) -> Result<Server, LabError> {
    let program = find("haproxy", "haproxy")?;
    let address = ports::free()?;
    let path = lab.folder().join(format!("haproxy-{}.cfg", address.port()));
    write(&path, &fill(HAPROXY, lab, address, to))?;
    let command = [program.display().to_string(), "-db".into(), "-f".into(), path.display().to_string()];
    started("haproxy", lab, &command, cores, address)
}

pub(super) fn nginx(lab: &Lab, cores: &str, to: SocketAddr) -> Result<Server, LabError> {
    let program = find("nginx", "nginx libnginx-mod-stream")?;
    let module = STREAM_MODULES.iter().find(|file| Path::new(file).is_file());
    let address = ports::free()?;
    let path = lab.folder().join(format!("nginx-{}.conf", address.port()));
    let load = module.map_or_else(String::new, |file| format!("load_module {file};"));
    write(&path, &fill(NGINX, lab, address, to).replace("@LOAD_MODULE@", &load))?;
    let folder = lab.folder().display().to_string();
    // -e: where errors go before the configuration is read.
    let command = [
        program.display().to_string(),
        "-p".into(),
        folder,
        "-e".into(),
        "stderr".into(),
        "-c".into(),
        path.display().to_string(),
    ];
    started("nginx", lab, &command, cores, address)
}

fn find(program: &str, packages: &str) -> Result<PathBuf, LabError> {
    find_program(program).ok_or_else(|| LabError::Missing {
        program: program.to_owned(),
        hint: format!("apt-get install {packages}"),
    })
}

fn fill(template: &str, lab: &Lab, address: SocketAddr, to: SocketAddr) -> String {
    template
        .replace("@FOLDER@", &lab.folder().display().to_string())
        .replace("@ADDRESS@", &address.to_string())
        .replace("@PORT@", &address.port().to_string())
        .replace("@TARGET@", &to.to_string())
}

fn write(path: &Path, text: &str) -> Result<(), LabError> {
    std::fs::write(path, text).map_err(|error| LabError::Failed(format!("{}: {error}", path.display())))
}

fn started(
    name: &str,
    lab: &Lab,
    command: &[String],
    cores: &str,
    address: SocketAddr,
) -> Result<Server, LabError> {
    let mut process = Process::start(name, command, cores, lab.folder())?;
    process.wait_until(START_PATIENCE, || TcpStream::connect(address).ok())?;
    Ok(Server::new(name, address, process, Counter::Unknown))
}
