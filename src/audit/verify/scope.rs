//! Whose events the export has to have, and whether it has all of them.
//!
//! What the manifest says of its scope is nobody's word: whoever hands the export over writes it. So the auditor says whose
//! events there must be, and which trees there are is asked of the log, which is signed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::layout::{self, MANIFEST, Manifest, hash_of};
use super::log::Log;
use super::report::Report;
use crate::domain::audit::Hash;
use crate::domain::audit::entry::{Tag, tag};
use crate::domain::id::TenantId;

/// Partitions that a finding names.
const NAMED: usize = 20;

/// Whose events the auditor expects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Expected {
    /// They did not say: what is there is verified, and the report says whose events that are.
    #[default]
    Unsaid,
    /// Everybody's, and the installation's own.
    All,
    /// Those of these tenants.
    Tenants(BTreeSet<TenantId>),
}

/// The trees that the manifest lists, with size and root.
pub type Listed = BTreeMap<(TenantId, u16), (u64, Hash)>;

/// Reads them.
pub fn listed(manifest: &Manifest, report: &mut Report) -> Listed {
    let mut listed = Listed::new();
    for tree in &manifest.trees {
        let (Some(tenant), Some(root)) = (tenant_of(&tree.tenant), hash_of(&tree.root)) else {
            report.find(MANIFEST, "a tree's tenant or root is not one");
            continue;
        };
        if listed.insert((tenant, tree.partition), (tree.size, root)).is_some() {
            report.find(MANIFEST, "a tree is in it twice");
        }
    }
    listed
}

fn tenant_of(text: &str) -> Option<TenantId> {
    layout::bytes_of(text)?.try_into().ok().map(TenantId)
}

/// Nothing is left out: each tree that the log has of those whose events these are is there, in every partition.
pub fn complete(expected: &Expected, manifest: &Manifest, listed: &Listed, log: &Log, report: &mut Report) {
    report.is_scope_asked = *expected != Expected::Unsaid;
    let said = said(manifest, report);
    match (expected, &said) {
        (Expected::Unsaid, _) | (Expected::All, None) => {}
        (Expected::All, Some(_)) => {
            report.find(MANIFEST, "it is an export of some tenants, and one of all is expected")
        }
        (Expected::Tenants(_), None) => {
            report.find(MANIFEST, "it is an export of all, and one of some tenants is expected")
        }
        (Expected::Tenants(wanted), Some(said)) => {
            for tenant in wanted.difference(said) {
                report.find(MANIFEST, format!("it is not an export of {tenant}, which is expected"));
            }
            for tenant in said.difference(wanted) {
                report.find(MANIFEST, format!("it is an export of {tenant}, which is not expected"));
            }
        }
    }
    match (expected, &said) {
        (Expected::Tenants(wanted), _) => of_tenants(wanted, manifest, listed, log, report),
        (Expected::Unsaid, Some(said)) => of_tenants(said, manifest, listed, log, report),
        (Expected::All, _) | (Expected::Unsaid, None) => of_all(listed, log, report),
    }
    report.tenants = said;
}

/// Whose events the manifest says that these are.
fn said(manifest: &Manifest, report: &mut Report) -> Option<BTreeSet<TenantId>> {
    let texts = manifest.tenants.as_ref()?;
    if texts.is_empty() {
        report.find(MANIFEST, "it names no tenant: an export is one of all, or one of those that it names");
    }
    let tenants: BTreeSet<TenantId> = texts.iter().filter_map(|text| tenant_of(text)).collect();
    if tenants.len() != texts.len() {
        report.find(MANIFEST, "a tenant is not one, or is named twice");
    }
    Some(tenants)
}

fn of_all(listed: &Listed, log: &Log, report: &mut Report) {
    let there: HashSet<Tag> = listed.keys().map(|(tenant, partition)| tag(*tenant, *partition)).collect();
    let missing = log.partitions.iter().filter(|(tag, _)| !there.contains(*tag));
    let mut by_partition: BTreeMap<u16, u64> = BTreeMap::new();
    missing.for_each(|(_, partition)| *by_partition.entry(*partition).or_default() += 1);
    let trees: u64 = by_partition.values().sum();
    if trees > 0 {
        let mut named: Vec<String> =
            by_partition.iter().take(NAMED).map(|(at, count)| format!("{count} in {at}")).collect();
        if by_partition.len() > NAMED {
            named.push(format!("and {} partitions more", by_partition.len() - NAMED));
        }
        let named = named.join(", ");
        report.find("trees", format!("{trees} trees that the signed log has are missing, by partition: {named}"));
    }
}

fn of_tenants(wanted: &BTreeSet<TenantId>, manifest: &Manifest, listed: &Listed, log: &Log, report: &mut Report) {
    for tenant in wanted {
        let mut trees = 0;
        for partition in 0..manifest.partitions {
            // No head with its tag: nothing of it ever happened there.
            let is_known = log.heads.contains_key(&tag(*tenant, partition));
            trees += u64::from(is_known);
            if is_known && !listed.contains_key(&(*tenant, partition)) {
                let place = layout::tree(*tenant, partition);
                report.find(&place, "the log has this tree, and the export has not");
            }
        }
        if trees == 0 {
            report.nothing_of.push(*tenant);
        }
    }
    for (tenant, partition) in listed.keys().filter(|(tenant, _)| !wanted.contains(tenant)) {
        report.find(&layout::tree(*tenant, *partition), "it is of a tenant that was not asked for");
    }
}
