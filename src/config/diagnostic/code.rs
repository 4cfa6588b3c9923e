//! The closed list of diagnostics.

use serde::{Serialize, Serializer};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, but probably not as meant.
    Warning,
}

impl Severity {
    /// The word used in all formats.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Defines the codes with their numbers, severities and titles.
macro_rules! codes {
    ($($variant:ident = $number:literal, $severity:ident, $title:literal;)*) => {
        /// What kind of fault. The number is stable; each kind has one severity.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// All codes, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The number, such as `CFG020`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $number),* }
            }

            /// The kind of fault in a few words; the heading of its section in the documentation.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// How bad it is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),* }
            }
        }
    };
}

codes! {
    MissingFile = "CFG001", Error, "A required file is missing";
    UnreadableFile = "CFG002", Error, "A file cannot be read";
    TooLarge = "CFG003", Error, "A file or the set is too large";
    UnusedFile = "CFG004", Warning, "A file is not part of the set";
    Syntax = "CFG010", Error, "Not valid YAML";
    EmptyFile = "CFG011", Error, "A file is empty";
    SeveralDocuments = "CFG012", Error, "Several documents in one file";
    DuplicateKey = "CFG013", Error, "A key is given twice";
    Tag = "CFG014", Error, "A tag is used";
    TooDeep = "CFG015", Error, "Nested too deep";
    AliasExpansion = "CFG016", Error, "Aliases unfold to too much";
    KeyNotText = "CFG017", Error, "A key is not a text";
    MergeKey = "CFG018", Error, "A merge key without a mapping";
    Version = "CFG019", Error, "The version is missing or unknown";
    UnknownKey = "CFG020", Error, "Unknown key";
    MissingKey = "CFG021", Error, "A required key is missing";
    WrongType = "CFG022", Error, "A value of another type is expected";
    InvalidValue = "CFG023", Error, "A value is not valid";
    UnknownWord = "CFG024", Error, "Not one of the allowed words";
    InvalidId = "CFG025", Error, "Not a valid id";
    KeyChoice = "CFG026", Error, "Exactly one of several keys is expected";
    DuplicateId = "CFG030", Error, "An id is given twice";
    UnknownName = "CFG031", Error, "An unknown name";
    UnservedLine = "CFG032", Error, "A line that nobody serves";
    EmptyTeam = "CFG033", Error, "A team without operators";
    SharedHash = "CFG034", Error, "Two tokens with the same hash";
    TokenHash = "CFG035", Error, "Not the hash of a token";
    OverflowLoop = "CFG036", Error, "Lines that overflow in a circle";
    UnservedTopic = "CFG037", Warning, "A topic that nobody can serve";
    NeverReached = "CFG038", Warning, "What is never reached";
    UnknownTimezone = "CFG040", Error, "An unknown time zone";
    OverlappingHours = "CFG041", Error, "Overlapping hours";
    NeverOpen = "CFG042", Warning, "A calendar that is never open";
    NeverSent = "CFG043", Warning, "A text that is never sent";
    TemplateSyntax = "CFG050", Error, "A template that does not compile";
    TemplateVariable = "CFG051", Error, "An unknown variable in a template";
    TemplateContext = "CFG052", Warning, "A template uses what is not there where it is used";
    UnknownEvent = "CFG060", Error, "An unknown event";
    UnknownPath = "CFG061", Error, "An unknown path in a condition";
    TestMismatch = "CFG062", Error, "A test that does not fit its path";
    Regex = "CFG063", Error, "A regular expression that does not compile";
    JsonPath = "CFG064", Error, "A JSONPath that cannot be used";
    NeverTrue = "CFG065", Warning, "A condition that is never or always true";
    LiteralSecret = "CFG070", Warning, "A secret in plain text";
    ChannelSecret = "CFG071", Error, "A channel without its secret";
    PrivateAddress = "CFG072", Warning, "A private address that requests may not go to";
    NotActive = "CFG080", Warning, "Accepted, but not active yet";
    TooMany = "CFG090", Error, "Too many diagnostics";
    Internal = "CFG099", Error, "A fault of Switchboard itself";
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
