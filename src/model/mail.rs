//! Addresses of e-mail, and of the servers that take it: their forms, for the checks and for the codec alike.

/// The longest address, in bytes: what SMTP lets a path have.
pub const ADDRESS_BYTES_MAX: usize = 254;

/// Where mail is handed over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SmtpTarget {
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is protected.
    pub security: SmtpSecurity,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SmtpSecurity {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS before anything else; without it nothing is sent.
    StartTls,
    /// None: the server is on the same machine, or in a network of one's own.
    Plain,
}

impl SmtpTarget {
    /// Reads `smtps://HOST[:PORT]`, `smtp://HOST[:PORT]` or `smtp+plain://HOST[:PORT]`.
    ///
    /// # Errors
    /// Says what is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FORMS: &str =
            "expected smtps://HOST[:PORT], smtp://HOST[:PORT] (with STARTTLS) or smtp+plain://HOST[:PORT]";
        let (scheme, rest) = text.split_once("://").ok_or(FORMS)?;
        let (security, port) = match scheme {
            "smtps" => (SmtpSecurity::Tls, 465),
            "smtp" => (SmtpSecurity::StartTls, 587),
            "smtp+plain" => (SmtpSecurity::Plain, 25),
            _ => return Err(FORMS),
        };
        if rest.contains('@') {
            return Err("a name and password have no place in the address: write `username` and `password`");
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            // The colons of an IPv6 address stand inside of its brackets.
            Some((host, number)) if !number.ends_with(']') => {
                let number = number.parse().ok().filter(|number| *number > 0);
                (host, number.ok_or("the port must be a number from 1 to 65535")?)
            }
            _ => (rest, port),
        };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let is_host = match host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) => inner.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')),
            None => host.bytes().all(is_plain),
        };
        if host.is_empty() || !is_host {
            return Err(FORMS);
        }
        Ok(Self { host: host.to_owned(), port, security })
    }
}

/// The local part and the domain of a plain address such as `sales@shop.example`, without anything that would have
/// to be quoted. `None`: it is not one.
pub fn parts_of_address(text: &str) -> Option<(&str, &str)> {
    let (local, domain) = text.rsplit_once('@')?;
    let is_plain = |part: &str| {
        !part.is_empty()
            && part.chars().all(|character| {
                !character.is_whitespace()
                    && !character.is_control()
                    && !matches!(
                        character,
                        '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '\\' | '"' | '@'
                    )
            })
    };
    (text.len() <= ADDRESS_BYTES_MAX && is_plain(local) && is_plain(domain)).then_some((local, domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_server_has_its_port_and_its_protection() {
        let read = |text: &str| SmtpTarget::parse(text).map(|it| (it.host, it.port, it.security));
        let host = |text: &str| text.to_owned();
        assert_eq!(read("smtps://mail.example"), Ok((host("mail.example"), 465, SmtpSecurity::Tls)));
        assert_eq!(read("smtp://mail.example:25/"), Ok((host("mail.example"), 25, SmtpSecurity::StartTls)));
        assert_eq!(read("smtp+plain://127.0.0.1"), Ok((host("127.0.0.1"), 25, SmtpSecurity::Plain)));
        assert_eq!(read("smtp+plain://[::1]"), Ok((host("[::1]"), 25, SmtpSecurity::Plain)));
        assert_eq!(read("smtp+plain://[::1]:2525"), Ok((host("[::1]"), 2525, SmtpSecurity::Plain)));
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for text in [
            "",
            "mail.example",
            "http://mail.example",
            "smtp://",
            "smtp://a b",
            "smtp://a:0",
            "smtp://a:x",
            "smtp://a:70000",
            "smtp://user:password@mail.example",
            "smtp://a/path",
            "smtp://a\r\nb",
        ] {
            assert!(SmtpTarget::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_has_two_parts_and_nothing_that_needs_quotes() {
        assert_eq!(parts_of_address("sales@shop.example"), Some(("sales", "shop.example")));
        assert_eq!(parts_of_address("почта@пример.рф"), Some(("почта", "пример.рф")));
        for text in ["", "a", "@b", "a@", "a b@c", "a@b\r\n", "<a@b>", "\"a\"@b", "a@b@c", "a,b@c"] {
            assert_eq!(parts_of_address(text), None, "{text}");
        }
        assert_eq!(parts_of_address(&format!("{}@b", "a".repeat(300))), None);
    }
}
