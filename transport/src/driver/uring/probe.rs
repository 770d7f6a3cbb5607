//! What the kernel offers: a small ring is set up and used, because version numbers tell little.

use std::fmt;
use std::io;

use io_uring::{Probe, opcode, squeue, types};

use super::address::RawAddress;
use super::provide::GROUP;
use super::ring::Ring;
use super::{UringConfig, UringDriver, at_step, entries};
use crate::buf::PoolConfig;
use crate::driver::options::{BufferScheme, DriverOptions};
use crate::driver::select::ProbeError;

/// What the kernel offers beyond what the driver cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UringFeatures {
    /// How receives use blocks up: as asked for, or else plain.
    pub buffers: BufferScheme,
    /// A kernel thread takes the entries.
    pub submission_polling: bool,
    /// Sends can leave the copy out (Linux 6.1).
    pub zero_copy_sends: bool,
    /// The submission queue has no index array (Linux 6.6).
    pub without_index_array: bool,
    /// The ring's own descriptor is registered (Linux 5.18).
    pub registered_descriptor: bool,
    /// Connections can have a source address (Linux 6.11).
    pub bind: bool,
    /// The octets of a multishot receipt can be limited; otherwise one may fill a block.
    pub capped_receives: bool,
    /// Direct descriptors a ring may have, or the configured number if that is lower.
    pub files_max: u32,
}

impl fmt::Display for UringFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} receive buffers, {} direct descriptors", self.buffers, self.files_max)?;
        if self.submission_polling {
            f.write_str(", submission by a kernel thread")?;
        }
        for (present, missing) in [
            (self.without_index_array, "no plain submission queue"),
            (self.registered_descriptor, "ring descriptor not registered"),
            (self.bind, "no source addresses"),
            (self.capped_receives, "receipts as large as blocks"),
            (self.zero_copy_sends, "no sends without copy"),
        ] {
            if !present {
                write!(f, ", {missing}")?;
            }
        }
        Ok(())
    }
}

impl UringFeatures {
    /// What of `options` this kernel does not have, with what is done instead; empty when it has all.
    pub fn missing(&self, options: &DriverOptions) -> Vec<String> {
        let mut missing = Vec::new();
        if self.buffers != options.buffers {
            missing.push(format!("no {} receive buffers, {} ones instead", options.buffers, self.buffers));
        }
        if options.submission_polling.is_some() && !self.submission_polling {
            missing.push("no submission by a kernel thread, system calls instead".to_owned());
        }
        if options.zero_copy_send_octets_min > 0 && !self.zero_copy_sends {
            missing.push("no sends without copy, copies instead".to_owned());
        }
        missing
    }
}

/// Sets a small driver up, of the default options, and takes it down again.
///
/// # Errors
/// The step that failed and what the system said.
pub fn probe() -> Result<UringFeatures, ProbeError> {
    probe_with(&DriverOptions::default())
}

/// Sets a small driver up with `options` and takes it down again.
///
/// # Errors
/// The step that failed and what the system said.
pub fn probe_with(options: &DriverOptions) -> Result<UringFeatures, ProbeError> {
    let config = UringConfig {
        options: *options,
        submission_entries: 8,
        completion_entries: 16,
        pool: PoolConfig { block_count: 2, block_octets: 4096 },
        ..UringConfig::default()
    };
    match UringDriver::new(config) {
        Ok(driver) => Ok(driver.features()),
        Err(error) => Err(ProbeError { reason: error.to_string() }),
    }
}

/// Operations the driver cannot do without, with the Linux version that brought them.
const REQUIRED: [(u8, &str); 10] = [
    (opcode::Accept::CODE, "ACCEPT (5.5)"),
    (opcode::Connect::CODE, "CONNECT (5.5)"),
    (opcode::AsyncCancel2::CODE, "ASYNC_CANCEL (5.5)"),
    (opcode::Recv::CODE, "RECV (5.6)"),
    (opcode::Send::CODE, "SEND (5.6)"),
    (opcode::SendMsg::CODE, "SENDMSG (5.3)"),
    (opcode::Close::CODE, "CLOSE (5.6)"),
    (opcode::Shutdown::CODE, "SHUTDOWN (5.11)"),
    (opcode::Socket::CODE, "SOCKET (5.19)"),
    (opcode::SetSockOpt::CODE, "URING_CMD (5.19)"),
];

/// What not every usable kernel can do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Abilities {
    pub(super) bind: bool,
    pub(super) capped_receives: bool,
    /// A receive can take several buffers (Linux 6.10).
    pub(super) bundles: bool,
    /// Sends can leave the copy out (Linux 6.1).
    pub(super) zero_copy: bool,
}

/// Checks operations and socket commands on an unused ring.
pub(super) fn check_operations(ring: &mut Ring) -> io::Result<Abilities> {
    let mut known = Probe::new();
    ring.count_system_calls(1);
    ring.inner()
        .submitter()
        .register_probe(&mut known)
        .map_err(|error| at_step("list of operations", error))?;
    if let Some((_, name)) = REQUIRED.iter().find(|(code, _)| !known.is_supported(*code)) {
        return Err(io::Error::new(io::ErrorKind::Unsupported, format!("the kernel lacks {name}")));
    }
    let capped_receives = check_socket(ring)?;
    Ok(Abilities {
        bind: known.is_supported(opcode::Bind::CODE),
        capped_receives,
        bundles: ring.inner().params().is_feature_recvsend_bundle(),
        zero_copy: known.is_supported(opcode::SendMsgZc::CODE),
    })
}

/// Checks socket options of direct descriptors (Linux 6.7), which the list of operations does not show;
/// true when a multishot receive can be capped.
fn check_socket(ring: &mut Ring) -> io::Result<bool> {
    let slot = Some(types::DestinationSlot::auto_target());
    let socket = opcode::Socket::new(libc::AF_INET, libc::SOCK_STREAM, 0).file_index(slot).build();
    let file = match run(ring, socket)? {
        file @ 0.. => types::Fixed(file as u32),
        error => return Err(at_step("direct socket", io::Error::from_raw_os_error(-error))),
    };
    let value = (&raw const entries::ON).cast();
    let octets = size_of_val(&entries::ON) as u32;
    let level = libc::IPPROTO_TCP as u32;
    let set =
        run(ring, opcode::SetSockOpt::new(file, level, libc::TCP_NODELAY as u32, value, octets).build())?;
    let mut address = Box::<RawAddress>::default();
    let named = run(ring, entries::peer_name(file, address.as_mut_ptr(), 16))?;
    // The group does not exist yet, so this fails; the question is how early.
    let received = run(ring, opcode::RecvMulti::new(file, GROUP).len(4096).build())?;
    run(ring, opcode::Close::new(file).build())?;
    // Not connected: that is the answer of a kernel that understood the question.
    if set != 0 || named != -libc::ENOTCONN {
        let error = if set != 0 { -set } else { -named };
        return Err(at_step("socket options by the ring (Linux 6.7)", io::Error::from_raw_os_error(error)));
    }
    Ok(received != -libc::EINVAL)
}

/// Runs one entry to its end. The memory it names lives in the caller's frame, which outlasts it.
fn run(ring: &mut Ring, entry: squeue::Entry) -> io::Result<i32> {
    let mut batch = Vec::new();
    ring.push(entry, 0);
    while batch.is_empty() {
        ring.enter(1, None)?;
        ring.reap(&mut batch, 1);
    }
    Ok(batch[0].result())
}

/// The soft limit on open files, which also limits the ring's table.
pub(super) fn open_files_limit() -> io::Result<u32> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: U2, the kernel writes `limit` during the call only.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u32::try_from(limit.rlim_cur).unwrap_or(u32::MAX))
}
