//! The query of a handshake.

/// The value of `key`, decoded. `None` when it is not there exactly once: a proxy in front of us may have looked at the
/// other one.
pub(super) fn single(query: &str, key: &str) -> Option<Vec<u8>> {
    let mut values = query.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name) == key.as_bytes()).then_some(value)
    });
    let value = values.next()?;
    if values.next().is_some() { None } else { Some(decode(value)) }
}

/// A text from a query: `+` is a space, `%` begins a byte; what is not written so stands for itself.
fn decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return decoded,
            [b'%', high, low, after @ ..] if let (Some(high), Some(low)) = (digit(*high), digit(*low)) => {
                decoded.push(high << 4 | low);
                after
            }
            [b'+', after @ ..] => {
                decoded.push(b' ');
                after
            }
            [byte, after @ ..] => {
                decoded.push(*byte);
                after
            }
        };
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::form;

    #[test]
    fn a_value_stands_there_once_and_is_decoded() {
        let query = "hub.mode=subscribe&hub%2Etoken=a%20b+c%&empty=&twice=1&twice=2";
        assert_eq!(single(query, "hub.mode"), Some(b"subscribe".to_vec()));
        assert_eq!(single(query, "hub.token"), Some(b"a b c%".to_vec()));
        assert_eq!(single(query, "empty"), Some(Vec::new()));
        assert_eq!(single(query, "twice"), None);
        assert_eq!(single(query, "none"), None);
        assert_eq!(single("", "hub.mode"), None);
    }

    #[test]
    fn what_is_encoded_is_decoded_again() {
        for text in ["", "a b", "&=?#/%+", "я", "a~b"] {
            assert_eq!(decode(&form::encoded(text)), text.as_bytes());
        }
    }
}
