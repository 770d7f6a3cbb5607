//! Asking shards, without ever making one wait.

use std::time::Duration;

use colloquy_shard::CommandError;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::protocol::{Code, Refused};
use crate::app::GatewayCommand;
use crate::app::query::{Answer, Query, Question};
use crate::vitals::Vitals;

/// How long a shard may take for its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause before a full command ring is tried again.
const FULL_PAUSE: Duration = Duration::from_millis(1);

/// The answer of a shard; `None` when it has ended or there is no such shard.
pub(super) async fn ask(vitals: &Vitals, shard: u16, question: Question) -> Result<Option<Answer>, Refused> {
    let (reply, mut answers) = mpsc::channel(1);
    let asking = async {
        let mut command = GatewayCommand::Query(Query { question, reply });
        loop {
            match vitals.command(shard, command) {
                Ok(()) => return answers.recv().await,
                Err(CommandError::Ended(_)) => return None,
                Err(CommandError::Full(back)) => command = back,
            }
            sleep(FULL_PAUSE).await;
        }
    };
    let busy = |_| Refused::new(Code::Busy, format!("shard {shard} did not answer within {PATIENCE:?}"));
    timeout(PATIENCE, asking).await.map_err(busy)
}
