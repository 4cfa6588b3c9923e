//! What may stand where: the shape of each kind of file as data, and the walk that compares a tree
//! with it.
//!
//! One table per kind of file lists every key of the contract, whether it is required, and whether
//! it is acted on ([`Field::later`] keys are accepted with a warning, never in silence). The walk
//! finds all faults of form and all unknown names; what needs more than one value at a time is in
//! `check`, reached by [`Shape::Check`](shape::Shape::Check).

pub mod channels;
pub mod crm;
pub mod lines;
pub mod operators;
pub mod rules;
pub mod shape;
pub mod switchboard;
pub mod templates;
pub mod walk;

use self::shape::Field;
use super::file_kind::FileKind;

/// The keys of a kind of file.
pub const fn file(kind: FileKind) -> &'static [Field] {
    match kind {
        FileKind::Switchboard => switchboard::FILE,
        FileKind::Channels => channels::FILE,
        FileKind::Lines => lines::FILE,
        FileKind::Operators => operators::FILE,
        FileKind::Templates => templates::FILE,
        FileKind::Rules => rules::FILE,
        FileKind::CrmMappings => crm::FILE,
    }
}
