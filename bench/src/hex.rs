//! Octets written as hex text, as plans' files and `colloquy dump` take them.

/// What is no hex, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", match self.found { Some(found) => format!("`{found}` is no hex digit"), None => "a hex digit is missing at the end".into() })]
pub struct HexFault {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// The character at fault; `None` when the number of digits is odd.
    pub found: Option<char>,
}

/// Octets of hex text; white space and `:` separate, `#` starts a comment.
///
/// # Errors
/// [`HexFault`] with line and column.
pub fn octets_of_hex(text: &str) -> Result<Vec<u8>, HexFault> {
    let mut octets = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    let mut place = (1, 1);
    for (row, line) in text.lines().enumerate() {
        for (column, found) in line.chars().enumerate() {
            place = (row + 1, column + 1);
            match found {
                '#' => break,
                ' ' | '\t' | '\r' | ':' => continue,
                _ => {}
            }
            let digit = found.to_digit(16).ok_or(HexFault {
                line: row + 1,
                column: column + 1,
                found: Some(found),
            })? as u8;
            match high.take() {
                None => high = Some(digit),
                Some(high) => octets.push(high << 4 | digit),
            }
        }
    }
    match high {
        None => Ok(octets),
        Some(_) => Err(HexFault { line: place.0, column: place.1, found: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_text_takes_comments_and_names_the_place_of_a_fault() {
        assert_eq!(octets_of_hex("01 02 # three\n0a:ff\n").unwrap(), [1, 2, 10, 255]);
        assert_eq!(octets_of_hex("01\n0g").unwrap_err(), HexFault { line: 2, column: 2, found: Some('g') });
        assert_eq!(octets_of_hex("01 2").unwrap_err(), HexFault { line: 1, column: 4, found: None });
    }
}
