//! The HMAC in a header, over the raw body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderName;
use sha2::Sha256;
use sha2::digest::OutputSizeUser;
use zeroize::Zeroizing;

use crate::model::channel::{Signature, SignatureAlgorithm, SignatureEncoding};
use crate::model::hexadecimal;

use crate::channels::codec::VerifyError;
use crate::channels::start::{ConnectError, ResolvedSecrets, required};
use crate::channels::wire::{CallHead, WebhookCall};

/// How the calls of one system are signed.
pub(super) struct SignatureKey {
    header: HeaderName,
    prefix: String,
    algorithm: SignatureAlgorithm,
    encoding: SignatureEncoding,
    secret: Zeroizing<String>,
}

impl SignatureKey {
    pub(super) fn connect(settings: &Signature, secrets: &dyn ResolvedSecrets) -> Result<Self, ConnectError> {
        let header = settings.header.parse().map_err(|_| ConnectError::Setting {
            setting: "signature.header".to_owned(),
            reason: "not the name of a header, such as X-Signature".to_owned(),
        })?;
        Ok(Self {
            header,
            prefix: settings.prefix.clone(),
            algorithm: settings.algorithm,
            encoding: settings.encoding,
            secret: required(secrets, "signature.secret", &settings.secret)?,
        })
    }

    /// The signature of a call, right or wrong: it stands there once, and is written as agreed.
    pub(super) fn given(&self, head: &CallHead<'_>) -> Result<Vec<u8>, VerifyError> {
        let malformed = || VerifyError::Malformed(self.header.clone());
        let written = head.single_header(&self.header)?;
        let written = written.strip_prefix(self.prefix.as_bytes()).ok_or_else(malformed)?;
        let given = match self.encoding {
            SignatureEncoding::Hex => hexadecimal::decode(written),
            SignatureEncoding::Base64 => STANDARD.decode(written).ok(),
        };
        let length = match self.algorithm {
            SignatureAlgorithm::HmacSha256 => Sha256::output_size(),
        };
        match given {
            Some(given) if given.len() == length => Ok(given),
            // What has another form and what has another length cannot be right for any body.
            Some(_) => Err(VerifyError::Mismatch),
            None => Err(malformed()),
        }
    }

    pub(super) fn verify(&self, call: &WebhookCall<'_>) -> Result<(), VerifyError> {
        let given = self.given(&call.head())?;
        match self.algorithm {
            SignatureAlgorithm::HmacSha256 => {
                // HMAC takes a key of any length, so the error has no cause.
                let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes())
                    .map_err(|_| VerifyError::Mismatch)?;
                mac.update(call.body);
                // Compares in constant time, and the whole length.
                mac.verify_slice(&given).map_err(|_| VerifyError::Mismatch)
            }
        }
    }

    /// The key, for keeping it out of error texts.
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }
}
