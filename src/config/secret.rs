//! The one place where secrets are looked up. Values live in [`Secret`]s only: they are not printed,
//! not compared, and wiped when they go.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::model::hexadecimal;
use crate::model::secret::SecretRef;

/// A file with a secret is small; a larger one is a mistake.
pub const SECRET_FILE_BYTES_MAX: u64 = 64 << 10;

/// The value of a secret. Wiped when dropped; its `Debug` form says nothing.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret from its value.
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value, for the one who signs or sends with it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a secret cannot be had. Never contains the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The environment variable does not exist.
    #[error("the environment variable {0} is not set")]
    VariableMissing(String),
    /// The environment variable is not a text.
    #[error("the environment variable {0} is not valid UTF-8")]
    VariableNotText(String),
    /// The file cannot be read.
    #[error("the file {path} cannot be read: {reason}")]
    FileUnreadable {
        /// Which.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// The file is larger than [`SECRET_FILE_BYTES_MAX`].
    #[error("the file {0} is larger than 64 KiB")]
    FileTooLarge(String),
    /// The file is not a text.
    #[error("the file {0} is not valid UTF-8")]
    FileNotText(String),
    /// There is nothing in it.
    #[error("{0} is empty")]
    Empty(String),
    /// The value stood in files that are not loaded any more.
    #[error(
        "the value stood in the configuration as plain text and is not known any more; load the files again"
    )]
    LiteralUnknown,
}

/// Where secrets come from.
pub trait Environment {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<std::ffi::OsString>;

    /// At most `limit` bytes of a file.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn read(&self, path: &str, limit: u64) -> std::io::Result<Vec<u8>>;
}

/// The environment of this process; relative paths begin at the configuration folder.
#[derive(Debug, Clone)]
pub struct ProcessEnvironment {
    folder: PathBuf,
}

impl ProcessEnvironment {
    /// With the folder of the configuration.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }
}

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<std::ffi::OsString> {
        std::env::var_os(name)
    }

    fn read(&self, path: &str, limit: u64) -> std::io::Result<Vec<u8>> {
        let path = self.folder.join(path);
        // Opening a pipe could block forever.
        if !std::fs::metadata(&path)?.is_file() {
            return Err(std::io::ErrorKind::InvalidInput.into());
        }
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// The values of secrets that stood in the files in plain text, by their SHA-256.
#[derive(Debug, Clone, Default)]
pub struct Literals(BTreeMap<String, Secret>);

impl Literals {
    /// Keeps a value and returns its reference.
    pub fn keep(&mut self, value: &str) -> SecretRef {
        let sha256 = hexadecimal::encode(&Sha256::digest(value.as_bytes()));
        self.0.insert(sha256.clone(), Secret::new(value.to_owned()));
        SecretRef::Literal { sha256 }
    }
}

/// Looks a secret up. One line break at the end of a file is dropped.
///
/// # Errors
/// When it cannot be had; the error says what to do and not what it is.
pub fn resolve(
    reference: &SecretRef,
    environment: &dyn Environment,
    literals: &Literals,
) -> Result<Secret, SecretError> {
    let (value, place) = match reference {
        SecretRef::Env(name) => {
            let value =
                environment.variable(name).ok_or_else(|| SecretError::VariableMissing(name.clone()))?;
            let value = value.into_string().map_err(|_| SecretError::VariableNotText(name.clone()))?;
            (value, format!("the environment variable {name}"))
        }
        SecretRef::File(path) => {
            let bytes = environment.read(path, SECRET_FILE_BYTES_MAX + 1).map_err(|error| {
                SecretError::FileUnreadable { path: path.clone(), reason: error.kind().to_string() }
            })?;
            if bytes.len() as u64 > SECRET_FILE_BYTES_MAX {
                return Err(SecretError::FileTooLarge(path.clone()));
            }
            let mut value = String::from_utf8(bytes).map_err(|_| SecretError::FileNotText(path.clone()))?;
            if value.ends_with('\n') {
                value.pop();
                if value.ends_with('\r') {
                    value.pop();
                }
            }
            (value, format!("the file {path}"))
        }
        SecretRef::Literal { sha256 } => {
            return literals.0.get(sha256).cloned().ok_or(SecretError::LiteralUnknown);
        }
    };
    if value.is_empty() { Err(SecretError::Empty(place)) } else { Ok(Secret::new(value)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake;

    impl Environment for Fake {
        fn variable(&self, name: &str) -> Option<std::ffi::OsString> {
            match name {
                "TOKEN" => Some("123:ABC".into()),
                "EMPTY" => Some("".into()),
                _ => None,
            }
        }

        fn read(&self, path: &str, limit: u64) -> std::io::Result<Vec<u8>> {
            match path {
                "/run/token" => Ok(b"from file\r\n".to_vec()),
                "/run/two" => Ok(b"line\n\n".to_vec()),
                "/run/large" => Ok(vec![b'x'; usize::try_from(limit).unwrap()]),
                _ => Err(std::io::ErrorKind::NotFound.into()),
            }
        }
    }

    fn look(reference: SecretRef) -> Result<String, SecretError> {
        resolve(&reference, &Fake, &Literals::default()).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn secrets_come_from_the_environment_and_from_files() {
        assert_eq!(look(SecretRef::Env("TOKEN".into())), Ok("123:ABC".into()));
        assert_eq!(look(SecretRef::File("/run/token".into())), Ok("from file".into()));
        assert_eq!(
            look(SecretRef::File("/run/two".into())),
            Ok("line\n".into()),
            "one line break is dropped"
        );
    }

    #[test]
    fn a_secret_that_cannot_be_had_says_what_to_do() {
        let words = |reference| look(reference).unwrap_err().to_string();
        assert_eq!(words(SecretRef::Env("NONE".into())), "the environment variable NONE is not set");
        assert_eq!(words(SecretRef::Env("EMPTY".into())), "the environment variable EMPTY is empty");
        assert!(words(SecretRef::File("/none".into())).starts_with("the file /none cannot be read"));
        assert_eq!(words(SecretRef::File("/run/large".into())), "the file /run/large is larger than 64 KiB");
    }

    #[test]
    fn literal_secrets_are_kept_apart_from_the_configuration() {
        let mut literals = Literals::default();
        let reference = literals.keep("plain word");
        assert!(!format!("{reference:?} {literals:?}").contains("plain word"));
        assert_eq!(resolve(&reference, &Fake, &literals).unwrap().expose(), "plain word");
        assert_eq!(look(reference), Err(SecretError::LiteralUnknown));
    }
}
