//! Making bad input out of good input.

use serde_json::{Value, json};

use crate::world::random::Random;

/// Pieces that parsers stumble over: borders of numbers, escapes, half letters, deep nesting, other languages' marks.
const PIECES: [&[u8]; 30] = [
    b"0",
    b"-1",
    b"9007199254740993",
    b"18446744073709551616",
    b"1e999",
    b"-0.0",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"[[[[[[[[[[[[[[[[",
    b"{\"a\":{\"a\":{\"a\":",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\xff\xfe",
    b"\xc3",
    b"\0",
    b"\r\n",
    b"\r\n\r\n",
    b"--\r\n",
    b"=?utf-8?B?",
    b"%00",
    b"&",
    b"{{ ",
    b"<!--",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9",
    b"../../../../etc/passwd",
];

/// The longest input that is made, in bytes.
const LENGTH_MAX: usize = 64 * 1024;

/// A neighbour of `good`: a few changes of bytes, or of values where it is JSON. `other` is another good input.
pub(super) fn mutated(random: &mut Random, good: &[u8], other: &[u8]) -> Vec<u8> {
    let mut input = match serde_json::from_slice::<Value>(good) {
        Ok(value) if random.chance(50) => other_values(random, value).to_string().into_bytes(),
        _ => good.to_vec(),
    };
    for _ in 0..random.below(5) {
        change(random, &mut input, other);
    }
    input.truncate(LENGTH_MAX);
    input
}

fn change(random: &mut Random, input: &mut Vec<u8>, other: &[u8]) {
    let at = random.index(input.len() + 1);
    let end = (at + random.index(40)).min(input.len());
    match random.below(8) {
        0 => input.truncate(at),
        1 => drop(input.drain(at..end)),
        2 => {
            let piece = input[at..end].to_vec();
            input.splice(at..at, piece);
        }
        3 => {
            let piece = *random.pick(&PIECES);
            input.splice(at..at, piece.iter().copied());
        }
        4 => {
            let piece = *random.pick(&PIECES);
            input.splice(at..end, piece.iter().copied());
        }
        5 => {
            let from = random.index(other.len() + 1);
            let to = (from + random.index(200)).min(other.len());
            input.splice(at..end, other[from..to].iter().copied());
        }
        6 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        _ => {
            let times = 1 + random.index(2_000);
            let byte = input.get(at).copied().unwrap_or(b'[');
            input.splice(at..at, std::iter::repeat_n(byte, times));
        }
    }
}

/// The same document with a few values replaced by others, or left out.
fn other_values(random: &mut Random, mut value: Value) -> Value {
    let mut places = Vec::new();
    all_places(&value, String::new(), &mut places);
    for _ in 0..=random.below(3) {
        let place: String = random.pick(&places).clone();
        let new = match random.below(14) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(0),
            3 => json!(-1),
            4 => json!(u64::MAX),
            5 => json!(i64::MIN),
            6 => json!(1.5e300),
            7 => json!(""),
            8 => json!("x".repeat(random.index(3_000))),
            9 => json!([]),
            10 => json!({}),
            11 => json!([[["x"]]]),
            12 => json!("\u{0}\u{202e}\"\\\r\n{{ 7*7 }}<script>"),
            // Another part of the same document in this place.
            _ => {
                let from: &String = random.pick(&places);
                value.pointer(from).cloned().unwrap_or_default()
            }
        };
        if let Some(old) = value.pointer_mut(&place) {
            *old = new;
        }
    }
    value
}

fn all_places(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                all_places(item, format!("{at}/{index}"), places);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                let key = key.replace('~', "~0").replace('/', "~1");
                all_places(field, format!("{at}/{key}"), places);
            }
        }
        _ => {}
    }
    places.push(at);
}
