//! The secrets of the channel that is examined: looked up, and kept out of what is printed.

use std::path::Path;

use parking_lot::Mutex;
use zeroize::Zeroizing;

use crate::channels::ResolvedSecrets;
use crate::config::secret::{Literals, ProcessEnvironment, resolve};
use crate::model::secret::SecretRef;

/// Secrets shorter than this are not searched for: they would be found in every other word.
const SEARCHED_BYTES_MIN: usize = 4;

/// Looks secrets up, and remembers which and what went wrong.
pub(super) struct Lookup {
    environment: ProcessEnvironment,
    literals: Literals,
    found: Mutex<Vec<Zeroizing<String>>>,
    failures: Mutex<Vec<String>>,
}

impl Lookup {
    /// For a folder of configuration.
    pub(super) fn new(folder: &Path, literals: Literals) -> Self {
        Self {
            environment: ProcessEnvironment::new(folder),
            literals,
            found: Mutex::default(),
            failures: Mutex::default(),
        }
    }

    /// What went wrong since the last call.
    pub(super) fn failures(&self) -> Vec<String> {
        std::mem::take(&mut *self.failures.lock())
    }

    pub(super) fn forget_failures(&self) {
        self.failures.lock().clear();
    }

    /// A text without any secret that was found.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        let found = self.found.lock();
        let searched = found.iter().filter(|secret| secret.len() >= SEARCHED_BYTES_MIN);
        searched.fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[secret]"))
    }
}

impl ResolvedSecrets for Lookup {
    fn secret(&self, reference: &SecretRef) -> Option<Zeroizing<String>> {
        match resolve(reference, &self.environment, &self.literals) {
            Ok(secret) => {
                let value = Zeroizing::new(secret.expose().to_owned());
                self.found.lock().push(value.clone());
                Some(value)
            }
            Err(error) => {
                self.failures.lock().push(error.to_string());
                None
            }
        }
    }
}
