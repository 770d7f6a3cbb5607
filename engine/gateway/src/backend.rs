//! Which driver a gateway runs on, and what an operator has to change where io_uring is refused.

use colloquy_transport::driver::select::{Backend, select_with};

use crate::config::{DriverChoice, EngineConfig};
use crate::gateway::StartError;
use crate::vitals::Vitals;

/// Where the kernel says whether it lets anybody use io_uring: 0 all, 1 some, 2 nobody.
const DISABLED: &str = "/proc/sys/kernel/io_uring_disabled";

/// The backend and why.
pub(crate) fn choose(engine: &EngineConfig) -> Result<(Backend, String), StartError> {
    let refused = |error: colloquy_transport::driver::select::ProbeError| {
        let advice = advice(&error.reason, &disabled());
        StartError::Backend { error, advice }
    };
    select_with(engine.driver.into(), &engine.driver_options()).map_err(refused)
}

/// Says in one line that io_uring is not in use though it might be, and what to do.
pub(crate) fn tell_fallback(vitals: &Vitals) {
    let asked_for = vitals.plan().config.engine.driver == DriverChoice::Mio;
    if vitals.backend() == Backend::Mio && !asked_for {
        let reason = vitals.backend_reason();
        let advice = advice(reason, &disabled());
        tracing::warn!(event_id = "CLQ-G12", backend = "mio", reason, advice, "io_uring is not available");
    }
}

fn disabled() -> String {
    std::fs::read_to_string(DISABLED).unwrap_or_default().trim().to_owned()
}

/// What to change; `disabled` is what the kernel's switch says, empty where it has none.
fn advice(reason: &str, disabled: &str) -> String {
    let change = if reason.contains("(os error 1)") && !matches!(disabled, "" | "0") {
        format!("the kernel's switch refuses it: `sysctl kernel.io_uring_disabled=0` (it is {disabled})")
    } else if reason.contains("(os error 1)") || reason.contains("(os error 13)") {
        "a seccomp profile or security module refuses it: allow io_uring_setup, io_uring_enter and io_uring_register \
         (packaging/seccomp-io-uring.json)"
            .to_owned()
    } else if reason.contains("(os error 12)") {
        "memory for its rings cannot be had: raise the limit of locked memory (LimitMEMLOCK=, `ulimit -l`)"
            .to_owned()
    } else if reason.contains("(os error 38)") {
        // Podman's profile answers so, Docker's with EPERM.
        "the kernel is built without it, or a seccomp profile hides it: allow io_uring_setup, io_uring_enter and \
         io_uring_register (packaging/seccomp-io-uring.json)"
            .to_owned()
    } else {
        "it needs Linux 6.7".to_owned()
    };
    format!("{change}; or set engine.driver = \"mio\" and this is as it should be")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_advice_of_its_own() {
        let of =
            |error: &str, disabled| advice(&format!("set-up of the ring: no (os error {error})"), disabled);
        assert!(of("1", "0").contains("seccomp"));
        assert!(of("1", "").contains("seccomp"));
        assert!(of("1", "2").contains("kernel.io_uring_disabled=0"));
        assert!(of("12", "0").contains("LimitMEMLOCK"));
        assert!(of("38", "0").contains("built without") && of("38", "0").contains("io_uring_setup"));
        assert!(advice("the kernel lacks SOCKET (5.19)", "0").contains("6.7"));
        assert!(of("1", "0").contains("driver = \"mio\""));
    }
}
