//! Reads operators, teams, roles and tokens.

use std::collections::{BTreeMap, BTreeSet};

use super::{boolean, list, maybe, maybe_text, named, own, word};
use crate::config::check::operators::sha256;
use crate::config::scalar;
use crate::config::tree::Node;
use crate::model::id::{CalendarId, OperatorId, RoleId, TeamId};
use crate::model::operator::{Operator, Team, Vacation};
use crate::model::role::{Right, Role, Scope, Token};

/// The role of an operator for whom none is given.
const ROLE: &str = "operator";

pub(super) fn operators(roots: &[&Node]) -> Option<BTreeMap<OperatorId, Operator>> {
    named(roots, "operators")
        .into_iter()
        .map(|entry| {
            let node = &entry.value;
            let operator = Operator {
                name: maybe_text(node, "name")?.unwrap_or_else(|| entry.key.text.clone()),
                email: maybe_text(node, "email")?,
                teams: ids(node, "teams")?,
                capacity_milli: maybe(node, "capacity", super::lines::amount)?,
                role: maybe_text(node, "role")?.unwrap_or_else(|| ROLE.to_owned()).into(),
                skills: super::lines::texts_of(node, "skills")?,
                languages: super::lines::texts_of(node, "languages")?,
                calendar: maybe(node, "calendar", |id| id.text().map(CalendarId::from))?,
                inactive: !maybe(node, "active", boolean)?.unwrap_or(true),
                vacation: node.get("vacation").map_or(Some(Vec::new()), |days| list(days, vacation))?,
            };
            Some((entry.key.text.as_str().into(), operator))
        })
        .collect()
}

fn vacation(node: &Node) -> Option<Vacation> {
    scalar::vacation(node.text()?).ok().map(|(from, to)| Vacation { from, to })
}

pub(super) fn teams(roots: &[&Node]) -> Option<BTreeMap<TeamId, Team>> {
    named(roots, "teams")
        .into_iter()
        .map(|entry| {
            let team =
                Team { lines: ids(&entry.value, "lines")?, supervisors: ids(&entry.value, "supervisors")? };
            Some((entry.key.text.as_str().into(), team))
        })
        .collect()
}

/// A list of ids; empty when the key is absent.
fn ids<T: Ord + for<'a> From<&'a str>>(node: &Node, key: &str) -> Option<BTreeSet<T>> {
    let Some(items) = node.get(key) else { return Some(BTreeSet::new()) };
    list(items, |item| item.text().map(T::from)).map(|ids| ids.into_iter().collect())
}

/// The roles that exist without being declared.
fn builtin() -> BTreeMap<RoleId, Role> {
    let role = |grants: &[(Right, Scope)]| Role { grants: grants.iter().copied().collect() };
    [
        (
            "operator",
            role(&[
                (Right::DialogsSee, Scope::OwnAndQueue),
                (Right::DialogsReply, Scope::Own),
                (Right::DialogsClose, Scope::Own),
                (Right::DialogsTransfer, Scope::Own),
                (Right::ClientsSee, Scope::Own),
            ]),
        ),
        (
            "supervisor",
            role(&[
                (Right::DialogsSee, Scope::Team),
                (Right::DialogsReply, Scope::Team),
                (Right::DialogsClose, Scope::Team),
                (Right::DialogsTakeOver, Scope::Team),
                (Right::Reports, Scope::Team),
                (Right::ClientsSee, Scope::Team),
            ]),
        ),
        ("admin", role(&Right::ALL.map(|right| (right, Scope::Any)))),
        (
            "integration",
            role(&[
                (Right::DialogsSee, Scope::Line),
                (Right::DialogsWrite, Scope::Line),
                (Right::Events, Scope::Line),
            ]),
        ),
    ]
    .into_iter()
    .map(|(id, role)| (id.into(), role))
    .collect()
}

pub(super) fn roles(roots: &[&Node]) -> Option<BTreeMap<RoleId, Role>> {
    let mut roles = builtin();
    for entry in named(roots, "roles") {
        let mut role = Role::default();
        for right in own(&entry.value) {
            if right.key.text == "all" {
                role.grants.extend(Right::ALL.map(|right| (right, Scope::Any)));
            } else if let Some(scope) = right.value.text() {
                role.grants.insert(right_of(&right.key.text)?, scope_of(scope)?);
            } else {
                for part in own(&right.value) {
                    let name = format!("{}.{}", right.key.text, part.key.text);
                    role.grants.insert(right_of(&name)?, word(&part.value)?);
                }
            }
        }
        roles.insert(entry.key.text.as_str().into(), role);
    }
    Some(roles)
}

fn right_of(name: &str) -> Option<Right> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

fn scope_of(name: &str) -> Option<Scope> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

pub(super) fn tokens(roots: &[&Node]) -> Option<Vec<Token>> {
    let operators = operators(roots)?;
    roots
        .iter()
        .filter_map(|root| root.get("tokens"))
        .flat_map(Node::items)
        .map(|node| {
            let operator: Option<OperatorId> = maybe(node, "operator", |id| id.text().map(OperatorId::from))?;
            let role = match &operator {
                Some(id) => operators.get(id)?.role.clone(),
                None => node.get("role")?.text()?.into(),
            };
            Some(Token {
                id: node.get("id")?.text()?.into(),
                sha256: sha256(node.get("hash")?.text()?)?,
                operator,
                role,
                lines: node.get("lines").map_or(Some(None), |_| ids(node, "lines").map(Some))?,
                expires_at_ms: maybe(node, "expires", |at| scalar::moment_ms(at.text()?).ok())?,
            })
        })
        .collect()
}
