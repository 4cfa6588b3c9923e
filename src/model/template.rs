//! Ready texts as declared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::message::Button;

/// One template in one or more languages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// Template source by language tag. A text without languages stands under [`Template::ANY`].
    pub text: BTreeMap<String, String>,
    /// Buttons below the text.
    pub buttons: Vec<Button>,
}

impl Template {
    /// The key of a text that serves all languages.
    pub const ANY: &'static str = "";
}
