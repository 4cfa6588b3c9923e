//! Reading the JSON of messengers: lenient about what is missing, exact about numbers.
//!
//! External ids exceed 2^53, so they never become floating-point numbers: an id is a whole number of at
//! most 64 bits, or a text.

use serde_json_borrow::Value;

/// The value of `key`; `None` also where there is no object.
pub(super) fn field<'a>(body: &'a Value<'a>, key: &str) -> Option<&'a Value<'a>> {
    body.as_object()?.get(key)
}

/// The value at the end of a path of keys.
pub(super) fn at<'a>(body: &'a Value<'a>, path: &[&str]) -> Option<&'a Value<'a>> {
    path.iter().try_fold(body, |inner, key| field(inner, key))
}

/// A text that is not empty.
pub(super) fn text(body: &Value<'_>, key: &str) -> Option<String> {
    field(body, key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An identifier, given as a whole number or as a text.
pub(super) fn id(body: &Value<'_>, key: &str) -> Option<String> {
    id_of(field(body, key)?)
}

/// The same of a value.
pub(super) fn id_of(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Value::Str(text) if !text.is_empty() => Some(text.clone().into_owned()),
        _ => None,
    }
}

/// A whole number that is not negative.
pub(super) fn number(body: &Value<'_>, key: &str) -> Option<u64> {
    field(body, key)?.as_u64()
}

/// A number as it is written, for coordinates: nothing is rounded.
pub(super) fn decimal(body: &Value<'_>, key: &str) -> Option<String> {
    field(body, key).filter(|value| value.is_number()).map(Value::to_string)
}

/// The items of a list; none where there is no list.
pub(super) fn items<'a>(body: &'a Value<'a>, key: &str) -> &'a [Value<'a>] {
    field(body, key).and_then(Value::as_array).unwrap_or_default()
}

/// Whether there is something else than `null`.
pub(super) fn is_given(body: &Value<'_>, key: &str) -> bool {
    field(body, key).is_some_and(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_beyond_two_to_the_53_stay_whole_and_fractions_are_none() {
        let body: Value<'_> = serde_json::from_str(
            r#"{"a": 18446744073709551615, "b": -9223372036854775808, "c": 1.5, "d": "x", "e": "", "f": 1e30, "g": null}"#,
        )
        .unwrap();
        let ids: Vec<Option<String>> =
            ["a", "b", "c", "d", "e", "f", "g", "h"].iter().map(|key| id(&body, key)).collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            ids,
            [
                some("18446744073709551615"),
                some("-9223372036854775808"),
                None,
                some("x"),
                None,
                None,
                None,
                None
            ]
        );
        assert!(is_given(&body, "e") && !is_given(&body, "g") && !is_given(&body, "h"));
    }

    #[test]
    fn what_is_not_there_is_none_however_deep() {
        let body: Value<'_> = serde_json::from_str(r#"{"a": {"b": [1, 2]}, "c": 55.755800}"#).unwrap();
        assert_eq!(at(&body, &["a", "b"]).and_then(Value::as_array).map(<[_]>::len), Some(2));
        assert!(at(&body, &["a", "b", "c"]).is_none() && at(&body, &["x", "b"]).is_none());
        assert_eq!(items(&body, "a"), &[]);
        assert_eq!(decimal(&body, "c").as_deref(), Some("55.7558"));
        assert_eq!(decimal(&body, "a"), None);
    }
}
