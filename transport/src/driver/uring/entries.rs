//! Ring entries that the crate cannot build, and the constants entries point to.

use io_uring::{squeue, types};

/// The command of `IORING_OP_URING_CMD` that reads a socket option (Linux 6.7).
const SOCKET_URING_OP_GETSOCKOPT: u32 = 2;
/// Socket option of level SOL_SOCKET: the peer's address, as getpeername gives it.
const SO_PEERNAME: u32 = 28;
/// Entry flag: the descriptor is an index into the ring's own table.
const IOSQE_FIXED_FILE: u8 = 1;

/// Value of switches to set; entries point here, so it is not on a stack (rule U2).
pub(super) static ON: libc::c_int = 1;
/// Value of SO_LINGER that makes close a reset.
pub(super) static RESET: libc::linger = libc::linger { l_onoff: 1, l_linger: 0 };

/// Entry flag: the kernel chooses a buffer of the group.
const IOSQE_BUFFER_SELECT: u8 = 1 << 5;
/// Receives again and again.
const IORING_RECV_MULTISHOT: u16 = 1 << 1;
/// A receive may take several buffers.
const IORING_RECVSEND_BUNDLE: u16 = 1 << 4;

/// `struct io_uring_sqe`, with the names of IORING_OP_URING_CMD for a socket option.
#[repr(C, align(8))]
#[derive(Default)]
struct RawEntry {
    opcode: u8,
    flags: u8,
    ioprio: u16,
    fd: u32,
    command: u32,
    pad1: u32,
    level: u32,
    name: u32,
    len: u32,
    command_flags: u32,
    user_data: u64,
    buf_index: u16,
    personality: u16,
    value_octets: u32,
    value: u64,
    pad2: u64,
}

const _: () = assert!(size_of::<RawEntry>() == size_of::<squeue::Entry>());
const _: () = assert!(align_of::<RawEntry>() == align_of::<squeue::Entry>());

/// Asks for the peer's address of the direct descriptor `file`; completes with the octets written.
///
/// A multishot accept has no place for addresses, and getpeername needs a descriptor of the process.
/// The option SO_PEERNAME gives the same answer for a direct descriptor, in one entry and no system
/// call; FIXED_FD_INSTALL, getpeername and close would take an entry, two calls and, for a moment, a
/// place in the process's descriptor table. The kernel refuses a room larger than the address, so
/// `octets` is exact: 16 for IPv4, 28 for IPv6.
pub(super) fn peer_name(file: types::Fixed, address: *mut u8, octets: u32) -> squeue::Entry {
    built(RawEntry {
        opcode: io_uring::opcode::UringCmd16::CODE,
        flags: IOSQE_FIXED_FILE,
        fd: file.0,
        command: SOCKET_URING_OP_GETSOCKOPT,
        level: libc::SOL_SOCKET as u32,
        name: SO_PEERNAME,
        value_octets: octets,
        value: address as u64,
        ..RawEntry::default()
    })
}

/// Receives into several buffers of `group` at a time, again and again, each time at most `octets_max` octets
/// (0: no limit, which is all that the crate can say).
pub(super) fn receive_bundles(file: types::Fixed, group: u16, octets_max: u32) -> squeue::Entry {
    built(RawEntry {
        opcode: io_uring::opcode::Recv::CODE,
        flags: IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT,
        ioprio: IORING_RECV_MULTISHOT | IORING_RECVSEND_BUNDLE,
        fd: file.0,
        len: octets_max,
        buf_index: group,
        ..RawEntry::default()
    })
}

fn built(entry: RawEntry) -> squeue::Entry {
    // SAFETY: U2 is kept by who pushes the entry; here one plain 64-octet layout is copied over another
    // of the same size and alignment (asserted above), each valid for every bit pattern.
    unsafe { std::mem::transmute::<RawEntry, squeue::Entry>(entry) }
}
