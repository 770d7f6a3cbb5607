//! The relay beside proxies that know nothing of OSI.

use super::super::{CellRuns, Contestant, Driver, Finding, Lab, LabError, RawKind, Row};
use super::shape::{Shape, cpu_ratio};

pub(super) fn rows() -> Vec<Box<dyn Row<Lab>>> {
    vec![Box::new(Relay)]
}

/// The proxies, and what Colloquy's CPU time may be of theirs.
const PROXIES: [(&str, f64); 2] = [("haproxy", 0.85), ("nginx", 0.95)];
const OCTETS: usize = 256;

struct Relay;

fn shapes() -> Vec<Shape> {
    let of = |sessions| [1, 16].map(|depth| Shape { sessions, octets: OCTETS, depth });
    [64, 1000].into_iter().flat_map(of).collect()
}

fn id(proxy: &str, shape: Shape) -> String {
    format!("relay-{proxy}-{}x{}", shape.sessions, shape.depth)
}

impl Row<Lab> for Relay {
    fn id(&self) -> &'static str {
        "relay"
    }

    fn ids(&self) -> Vec<String> {
        PROXIES.iter().flat_map(|(proxy, _)| shapes().into_iter().map(|shape| id(proxy, shape))).collect()
    }

    fn what(&self) -> &'static str {
        "relay, 256 octets, every SPDU parsed and both sessions terminated: CPU per SSDU, Colloquy / a TCP proxy"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        let mut findings = Vec::new();
        for shape in shapes() {
            let wanted: Vec<(&str, f64)> =
                PROXIES.into_iter().filter(|(proxy, _)| lab.wants(&id(proxy, shape))).collect();
            if wanted.is_empty() {
                continue;
            }
            let cell = measured(lab, shape, &wanted);
            for (proxy, target) in wanted {
                let (id, what) = (id(proxy, shape), format!("{} ({proxy})", self.what()));
                findings.push(match &cell {
                    Ok((cell, ours)) => cpu_ratio(&id, &what, target, cell, ours, proxy),
                    Err(why) => Finding::not_measured(&id, &what, target, why),
                });
            }
        }
        // Proxy by proxy, as in the table.
        findings.sort_by_key(|finding| finding.id.starts_with("relay-nginx"));
        findings
    }
}

/// The cell, and Colloquy's name in it.
fn measured(lab: &mut Lab, shape: Shape, proxies: &[(&str, f64)]) -> Result<(CellRuns, String), LabError> {
    // One echo behind all of them. It lives as long as the cell is measured.
    let backend = lab
        .start_backend(&Contestant::raw(RawKind::IoUring))
        .or_else(|_| lab.start_backend(&Contestant::raw(RawKind::Mio)))?;
    let ours = Contestant::relay(Driver::IoUring, backend.address);
    let name = ours.name();
    let mut contestants = vec![ours];
    contestants.extend(proxies.iter().map(|(proxy, _)| match *proxy {
        "haproxy" => Contestant::HaProxy(backend.address),
        _ => Contestant::Nginx(backend.address),
    }));
    let plan = shape.cell("relay ", lab.effort(), contestants);
    Ok((lab.cell(&plan)?, name))
}
