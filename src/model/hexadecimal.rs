//! Bytes as hexadecimal digits.

/// The bytes in lower-case digits.
pub fn encode(bytes: &[u8]) -> String {
    digits(bytes).map(char::from).collect()
}

/// The digits of [`encode`], for whoever has a place for them.
pub fn digits(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    bytes.iter().flat_map(move |byte| [digit(byte >> 4), digit(byte & 15)])
}

/// The bytes that digits of either case stand for; `None` when the text is anything else.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_and_anything_else_than_pairs_of_digits_is_refused() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(decode(encode(&all).as_bytes()), Some(all));
        assert_eq!(encode(&[0, 9, 10, 255]), "00090aff");
        assert_eq!(decode(b"Ff0A"), Some(vec![255, 10]));
        for text in ["0", "0g", "+1", " 1", "1 ", "ж"] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }
}
