//! The rings between shards: an item from core to core.

use serde_json::json;

use super::super::statistics::estimate;
use super::super::{Finding, Lab, LabError, Row};
use crate::micro::nanoseconds;
use crate::micro::rings::{SAME_CORE, cross_core};

const NANOSECONDS_MAX: f64 = 40.0;
const ITEMS: u64 = 4_000_000;
/// Items that one turn of a shard hands over: they are published together, as the shard's loop is meant to.
const TOGETHER: u64 = 16;

/// The rows of this file.
pub(super) fn rows() -> Vec<Box<dyn Row<Lab>>> {
    vec![Box::new(Rings)]
}

struct Rings;

impl Row<Lab> for Rings {
    fn id(&self) -> &'static str {
        "rings"
    }

    fn what(&self) -> &'static str {
        "an item of 64 octets from one shard's thread to another's: 40 ns"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        let finding = match rounds(lab) {
            Ok(Figures { cross, single, same }) => {
                Finding::quantity(self.id(), self.what(), "ns", NANOSECONDS_MAX, estimate(&cross))
                    .remarked(format!(
                        "Two pinned threads that spin, {TOGETHER} items published together and the doorbell looked at for each \
                         {TOGETHER}; first push to last pop. Each item published by itself: {:.1} ns. On one core: {:.1} ns.",
                        estimate(&single).value,
                        estimate(&same).value
                    ))
                    .with_raw([json!({ "cross_core_ns": cross, "published_singly_ns": single, "same_core_ns": same })])
            }
            Err(why) => Finding::not_measured(self.id(), self.what(), NANOSECONDS_MAX, &why),
        };
        vec![finding]
    }
}

/// Nanoseconds for an item, by round.
#[derive(Default)]
struct Figures {
    /// From core to core, published together.
    cross: Vec<f64>,
    /// From core to core, published one by one.
    single: Vec<f64>,
    /// On one core.
    same: Vec<f64>,
}

fn rounds(lab: &mut Lab) -> Result<Figures, LabError> {
    let (from, to) = (lab.server_core(), lab.load_core());
    if from == to {
        return Err(LabError::Failed("two cores are needed, and there is one".to_owned()));
    }
    let items = if lab.effort().quick { ITEMS / 4 } else { ITEMS };
    let mut found = Figures::default();
    for round in 0..lab.effort().rounds {
        lab.go_on()?;
        lab.say(&format!("rings  round {}/{}", round + 1, lab.effort().rounds));
        for (together, figures) in [(TOGETHER, &mut found.cross), (1, &mut found.single)] {
            // A thread of its own: it pins itself.
            let crossing = std::thread::spawn(move || cross_core(items, together, from, to));
            let elapsed = crossing.join().expect("it does not panic");
            let elapsed = elapsed.map_err(|error| LabError::Failed(format!("pinning a thread: {error}")))?;
            figures.push(elapsed.as_secs_f64() * 1e9 / items as f64);
        }
        found.same.push(nanoseconds(&SAME_CORE, items));
    }
    Ok(found)
}
