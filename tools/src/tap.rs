//! `colloquy tap`: octets of a running gateway's sessions as a pcapng file.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::control::{Control, SocketArgs};

/// Octets copied at once.
const CHUNK_OCTETS: usize = 64 << 10;
/// The lowest priority.
const NICE_MAX: i32 = 19;

/// Copies what sessions of a running gateway send and receive to a file for Wireshark.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy tap --listener mms -o mms.pcapng\n          \
                   colloquy tap --session 0-7.2 | wireshark -k -i -",
    after_help = "User data are overwritten with asterisks unless --payload is given. For level admin.\n\
                  Sessions are slowed by nothing: what does not fit is left out, and the file says how much.\n\
                  Exit status: 0 done, 1 refused, 2 bad usage, 3 no gateway there."
)]
pub(crate) struct TapArgs {
    #[command(flatten)]
    socket: SocketArgs,
    /// File to write; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// One session by name, as 0-7.2
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// Sessions accepted on this listener, and those opened for them
    #[arg(long, value_name = "NAME")]
    listener: Option<String>,
    /// Sessions opened to this target, and those they are opened for
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Sessions of this route
    #[arg(long, value_name = "NAME")]
    route: Option<String>,
    /// Peers in this network, as 10.0.0.0/8
    #[arg(long, value_name = "NETWORK")]
    network: Option<String>,
    /// Called or calling session selector, as 0x0001 or ascii:MMS
    #[arg(long, value_name = "SELECTOR")]
    ssap: Option<String>,
    /// Called or calling transport selector
    #[arg(long, value_name = "SELECTOR")]
    tsap: Option<String>,
    /// Only TSDUs with one of these SPDUs, as CN,AC,FN
    #[arg(long, value_name = "SPDU", value_delimiter = ',')]
    spdu: Vec<String>,
    /// Ends after so many TPDUs
    #[arg(long, value_name = "TPDUS")]
    count: Option<u64>,
    /// Ends after so many seconds
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Octets of each TPDU that are kept
    #[arg(long, value_name = "OCTETS")]
    snap: Option<u32>,
    /// Keeps user data
    #[arg(long)]
    payload: bool,
    /// Shows the responder's own port; else 102, by which Wireshark knows the protocol
    #[arg(long)]
    real_ports: bool,
}

impl TapArgs {
    fn request(&self) -> Value {
        let mut members = Map::new();
        let texts = [
            ("session", &self.session),
            ("listener", &self.listener),
            ("target", &self.target),
            ("route", &self.route),
            ("network", &self.network),
            ("ssap", &self.ssap),
            ("tsap", &self.tsap),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                members.insert(name.to_owned(), json!(text));
            }
        }
        for (name, number) in
            [("count", self.count), ("seconds", self.seconds), ("snap", self.snap.map(u64::from))]
        {
            if let Some(number) = number {
                members.insert(name.to_owned(), json!(number));
            }
        }
        members.insert("spdu".to_owned(), json!(self.spdu));
        members.insert("payload".to_owned(), json!(self.payload));
        members.insert("real_ports".to_owned(), json!(self.real_ports));
        Value::Object(members)
    }
}

/// Runs the verb.
pub(crate) fn run(args: &TapArgs) -> ExitCode {
    let to_standard_output = args.output.as_os_str() == "-";
    if to_standard_output && io::stdout().is_terminal() {
        eprintln!("colloquy: a pcapng file is no text for a terminal; name a file with -o, or use a pipe");
        return ExitCode::from(2);
    }
    let mut control = match Control::open(&args.socket) {
        Ok(control) => control,
        Err(fault) => return fault.tell(false),
    };
    if let Err(fault) = control.ask("tap", args.request()) {
        return fault.tell(false);
    }
    // Made only now: a tap that is refused leaves the file as it was.
    let output: io::Result<Box<dyn Write>> = if to_standard_output {
        Ok(Box::new(io::stdout()))
    } else {
        File::create(&args.output).map(|file| Box::new(file) as Box<dyn Write>)
    };
    // Next to a busy gateway the file is what waits. Refused, it is no reason to give the tap up.
    let _ = rustix::process::nice(NICE_MAX);
    let copied = output.and_then(|mut output| copy(&mut control.into_stream()?, &mut output));
    match copied {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("colloquy: {}: {error}", args.output.display());
            ExitCode::FAILURE
        }
    }
}

/// Copies until the gateway ends the tap; what has come is written at once, for who looks on.
fn copy(from: &mut impl Read, to: &mut dyn Write) -> io::Result<()> {
    let mut octets = vec![0; CHUNK_OCTETS];
    loop {
        let count = match from.read(&mut octets) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        to.write_all(&octets[..count])?;
        to.flush()?;
    }
}
