//! HTTP, as much of it as asking the gateway for its counters takes.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The body of an answer of status 200.
///
/// # Errors
/// When the server does not answer in time or with another status.
pub(super) fn get(server: SocketAddr, path: &str, patience: Duration) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&server, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(
        format!("GET {path} HTTP/1.0\r\nHost: {server}\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| io::Error::other("no HTTP"))?;
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if status != "200" {
        return Err(io::Error::other(format!("status {status}")));
    }
    Ok(body.to_owned())
}

/// The value of a series in OpenMetrics text.
pub(super) fn series(text: &str, name: &str) -> Option<f64> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_found_by_its_whole_name() {
        let text = "# TYPE a counter\na_total 12\na_total_more 13\nb{x=\"1\"} 4.5\n# EOF\n";
        assert_eq!(series(text, "a_total"), Some(12.0));
        assert_eq!(series(text, "b{x=\"1\"}"), Some(4.5));
        assert_eq!(series(text, "a"), None);
    }

    #[test]
    fn an_answer_is_its_body_and_another_status_is_a_fault() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answers = std::thread::spawn(move || {
            for answer in ["HTTP/1.0 200 OK\r\nA: b\r\n\r\nhello\n", "HTTP/1.0 503 No\r\n\r\n"] {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 512];
                let got = stream.read(&mut request).unwrap();
                assert!(request[..got].starts_with(b"GET /x HTTP/1.0\r\n"));
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let patience = Duration::from_secs(20);
        assert_eq!(get(address, "/x", patience).unwrap(), "hello\n");
        assert!(get(address, "/x", patience).unwrap_err().to_string().contains("503"));
        answers.join().unwrap();
    }
}
