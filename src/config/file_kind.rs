//! The kinds of files of a configuration, and the names that they go by.

use super::suggest::nearest;

/// What a file of the set is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// `switchboard.yaml`: the daemon itself.
    Switchboard,
    /// `channels.yaml`: channel bindings.
    Channels,
    /// `lines.yaml`: calendars and open lines.
    Lines,
    /// `operators.yaml`: operators, teams, roles, tokens.
    Operators,
    /// `templates.yaml`: ready texts.
    Templates,
    /// `rules/*.yaml`: rules, scenarios and their tests.
    Rules,
    /// `crm-mappings/*.yaml`: CRM connectors.
    CrmMappings,
}

impl FileKind {
    /// All kinds, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Switchboard,
        Self::Channels,
        Self::Lines,
        Self::Operators,
        Self::Templates,
        Self::Rules,
        Self::CrmMappings,
    ];

    /// The name of the file without `.yaml`, and of the folder.
    pub const fn stem(self) -> &'static str {
        match self {
            Self::Switchboard => "switchboard",
            Self::Channels => "channels",
            Self::Lines => "lines",
            Self::Operators => "operators",
            Self::Templates => "templates",
            Self::Rules => "rules",
            Self::CrmMappings => "crm-mappings",
        }
    }

    /// Where files of this kind are, for a hint.
    pub fn place(self) -> String {
        if self.may_be_file() { format!("{}.yaml", self.stem()) } else { format!("{}/*.yaml", self.stem()) }
    }

    /// Whether it may be a single file beside the folder.
    const fn may_be_file(self) -> bool {
        !matches!(self, Self::Rules | Self::CrmMappings)
    }

    /// Whether it may be a folder of several files.
    const fn may_be_folder(self) -> bool {
        !matches!(self, Self::Switchboard)
    }

    /// The kind that the path of a problem belongs to: a file of the set, or the folder of a kind.
    pub fn of_problem(path: &str) -> Option<Self> {
        Self::of(path).or_else(|| Self::of_folder(path))
    }

    /// The kind of a path of the set.
    pub fn of(path: &str) -> Option<Self> {
        let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
        Self::ALL.into_iter().find(|kind| match rest {
            Some(rest) => {
                kind.may_be_folder() && first == kind.stem() && rest.ends_with(".yaml") && !rest.contains('/')
            }
            None => kind.may_be_file() && first.strip_suffix(".yaml") == Some(kind.stem()),
        })
    }

    /// The kind whose folder has this name.
    pub(super) fn of_folder(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.may_be_folder() && kind.stem() == name)
    }
}

/// The folder of the set that was probably meant by the name of one outside it.
pub(super) fn folder_meant(name: &str) -> Option<String> {
    let stems = || FileKind::ALL.into_iter().filter(|kind| kind.may_be_folder()).map(FileKind::stem);
    nearest(name, stems()).map(|stem| format!("{stem}/"))
}

/// The name of the set that was probably meant by a file name outside it.
pub(super) fn file_meant(name: &str) -> Option<String> {
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"))?;
    let kinds = FileKind::ALL;
    let exact = kinds.iter().map(|kind| kind.stem()).find(|known| *known == stem);
    let found = exact.or_else(|| nearest(stem, kinds.iter().map(|kind| kind.stem())))?;
    let kind = kinds.into_iter().find(|kind| kind.stem() == found)?;
    Some(if kind.may_be_file() { format!("{found}.yaml") } else { format!("{found}/{name}") })
}
