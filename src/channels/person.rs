//! How much is kept of what a person, or a system in their name, says about themselves.

use crate::model::inbound::ExternalUser;

/// The longest name, in characters. Messengers allow up to 130; the rest would only spoil lists.
const NAME_MAX: usize = 256;

/// The longest public handle, in characters. Messengers allow up to 64.
const USERNAME_MAX: usize = 256;

/// The longest phone number, in characters: E.164 has 15 digits, and people write spaces and an extension.
const PHONE_MAX: usize = 32;

/// The longest language tag, in characters. Real ones have up to 11.
const LANGUAGE_MAX: usize = 32;

/// The person with a name that is cut where it is too long. A handle, a phone number or a language that is too
/// long is none: cut, it would be another's.
pub(super) fn within_limits(mut user: ExternalUser) -> ExternalUser {
    if let Some(name) = &mut user.name
        && let Some((end, _)) = name.char_indices().nth(NAME_MAX)
    {
        name.truncate(end);
    }
    let short = |value: Option<String>, max: usize| value.filter(|text| text.chars().count() <= max);
    user.username = short(user.username, USERNAME_MAX);
    user.phone = short(user.phone, PHONE_MAX);
    user.language = short(user.language, LANGUAGE_MAX);
    user
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_and_what_would_become_another_is_left_out() {
        let person = |length: usize| ExternalUser {
            email: None,
            id: "1".to_owned(),
            name: Some("я".repeat(length)),
            username: Some("u".repeat(length)),
            language: Some("l".repeat(length.div_ceil(8))),
            phone: Some("1".repeat(length.div_ceil(8))),
        };
        assert_eq!(within_limits(person(256)), person(256));
        let long = within_limits(person(257));
        assert_eq!(
            long,
            ExternalUser { name: person(256).name, id: "1".to_owned(), ..ExternalUser::default() }
        );
    }
}
