//! Founding and opening the vault's keyspace; whose it is, and whether this node has the right instance key.

use std::sync::Arc;

use super::Options;
use super::keys::Keys;
use super::shared::Shared;
use super::statements::{Statements, WRITTEN};
use crate::cql::{Cluster, Migration, Owner, Schema};
use crate::domain::record::Position;
use crate::runtime::{Clock, Entropy};
use crate::vault::error::VaultError;
use crate::vault::instance;

/// The schema of the vault's keyspace.
pub const SCHEMA: Schema = Schema {
    migrations: &[Migration { number: 1, name: "0001_vault", text: include_str!("migrations/0001_vault.cql") }],
    format: 1,
    remedy: "run the version of waybill that made it: what stands there cannot be made again",
};

/// What a vault's keyspace says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whose it is.
    pub owner: Owner,
    /// How far each partition of the journal was seen to go.
    pub marks: Vec<(u16, Position)>,
}

/// Whose keyspace it is, and what it has seen; `None` when nobody's.
pub async fn standing(options: &Options) -> Result<Option<Standing>, VaultError> {
    let cluster = Cluster::connect(&options.cluster).await?;
    let Some(owner) = cluster.signed().await? else { return Ok(None) };
    cluster.open(&SCHEMA, owner).await?;
    let statements = Statements::prepare(&cluster).await?;
    let marks = super::marks::read(&cluster, &statements).await?;
    Ok(Some(Standing { owner, marks }))
}

/// Makes the keyspace, its tables and its check value, where they are not there; the instance key too, in a keyspace that was
/// nobody's: another one would open nothing of what stands there.
pub async fn found(options: &Options, owner: Owner, entropy: &dyn Entropy) -> Result<(), VaultError> {
    let cluster = Cluster::connect(&options.cluster).await?;
    let key = match cluster.signed().await? {
        Some(_) => instance::read(&options.key_file)?,
        None => instance::make(&options.key_file, entropy)?,
    };
    let keys = Keys::new(key, owner.installation);
    cluster.found(&SCHEMA, owner).await?;
    let statements = Statements::prepare(&cluster).await?;
    if check(&cluster, &statements).await?.is_none() {
        let values = (keys.check(entropy), WRITTEN);
        let done = cluster.session.execute_unpaged(&statements.put_check, values).await;
        done.map_err(|error| cluster.said("write the check value", &error))?;
    }
    is_ours(&cluster, &statements, &keys, options).await
}

/// Opens the vault.
pub async fn open(
    options: &Options,
    owner: Owner,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<Shared, VaultError> {
    let key = instance::read(&options.key_file)?;
    let cluster = Cluster::connect(&options.cluster).await?;
    cluster.open(&SCHEMA, owner).await?;
    let keys = Keys::new(key, owner.installation);
    let statements = Statements::prepare(&cluster).await?;
    is_ours(&cluster, &statements, &keys, options).await?;
    let marks = super::marks::read(&cluster, &statements).await?;
    Ok(Shared::new((cluster, statements), keys, owner, options, (clock, entropy), &marks))
}

async fn is_ours(cluster: &Cluster, statements: &Statements, keys: &Keys, options: &Options) -> Result<(), VaultError> {
    let keyspace = options.cluster.keyspace.clone();
    match check(cluster, statements).await? {
        Some(check) if keys.opens(&check) => Ok(()),
        Some(_) => Err(VaultError::OtherKey { path: options.key_file.clone(), keyspace }),
        None => Err(crate::cql::CqlError::Unfounded { keyspace }.into()),
    }
}

async fn check(cluster: &Cluster, statements: &Statements) -> Result<Option<Vec<u8>>, VaultError> {
    let doing = "read the check value";
    let answer = cluster.session.execute_unpaged(&statements.get_check, ()).await;
    let rows = cluster.rows::<(Vec<u8>,)>(doing, answer.map_err(|error| cluster.said(doing, &error))?)?;
    Ok(rows.into_iter().next().map(|(check,)| check))
}
