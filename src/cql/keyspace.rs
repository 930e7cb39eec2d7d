//! A keyspace: founding it, and checking that it is the one that is meant, with enough copies and the right schema.
//!
//! | table | what stands in it |
//! | --- | --- |
//! | `installation` | whose keyspace it is, how many partitions the installation has, the format of what stands here |
//! | `schema_versions` | the migrations that were made |
//!
//! Both are written only while founding. Their stamps are the format and the migration's number: written twice is once.

use std::collections::HashMap;
use std::time::Duration;

use scylla::deserialize::row::DeserializeRow;
use scylla::serialize::row::SerializeRow;
use scylla::statement::unprepared::Statement;

use super::connect::Cluster;
use super::error::CqlError;
use crate::domain::id::InstallationId;

/// How long one change of the schema may take: all nodes have to hear of it.
const CHANGE: Duration = Duration::from_secs(60);

const VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS {keyspace}.schema_versions (id int, version int, name text, PRIMARY KEY (id, version))";

const INSTALLATION: &str = "CREATE TABLE IF NOT EXISTS {keyspace}.installation (id int PRIMARY KEY, installation blob, \
                            partitions int, format int)";

/// One step of a schema. Released ones never change.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number: one more than that of the one before.
    pub number: u32,
    /// The name of its file.
    pub name: &'static str,
    /// Statements, each ending in a semicolon at the end of a line; `--` begins a comment, `{keyspace}` stands before the name
    /// of each table. Each may be made twice.
    pub text: &'static str,
}

/// What a keyspace must be like.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// All steps, by number.
    pub migrations: &'static [Migration],
    /// The format of what stands in the tables.
    pub format: u16,
    /// What to do with another format.
    pub remedy: &'static str,
}

impl Schema {
    fn version(&self) -> u32 {
        self.migrations.last().map_or(0, |last| last.number)
    }
}

/// Whose keyspace it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The installation.
    pub installation: InstallationId,
    /// How many partitions it has.
    pub partitions: u16,
}

impl Cluster {
    /// Makes the keyspace if there is none, and brings its schema to this version. May be cut short and run again. A keyspace
    /// that is another installation's, or somebody else's, stays as it is.
    ///
    /// # Errors
    /// [`CqlError`].
    pub async fn found(&self, schema: &Schema, owner: Owner) -> Result<(), CqlError> {
        let copies = self.options.replicas;
        if self.replication().await?.is_none() {
            let datacenter = self.datacenter.replace('\'', "''");
            self.change(&format!(
                "CREATE KEYSPACE IF NOT EXISTS {{keyspace}} WITH replication = {{'class': 'NetworkTopologyStrategy', \
                 '{datacenter}': {copies}}}"
            ))
            .await?;
        }
        self.check_copies().await?;
        if self.has_tables().await?
            && let Some((found, _)) = self.owner().await?
        {
            self.is_owner(found, owner)?;
        }
        for table in [VERSIONS, INSTALLATION] {
            self.change(table).await?;
        }
        let done = self.version().await?;
        self.is_not_newer(schema, done)?;
        for migration in schema.migrations.iter().filter(|migration| migration.number > done) {
            self.migrate(migration).await?;
        }
        if self.owner().await?.is_none() {
            self.sign(schema, owner).await?;
        }
        self.check(schema, owner).await
    }

    /// Checks that the keyspace is there, whole, this installation's and of this version.
    ///
    /// # Errors
    /// [`CqlError`].
    pub async fn open(&self, schema: &Schema, owner: Owner) -> Result<(), CqlError> {
        self.check_copies().await?;
        if !self.has_tables().await? {
            return Err(self.unfounded());
        }
        self.check(schema, owner).await
    }

    /// A statement with the keyspace's name in it. Tables are always named with it: a statement that is prepared for whatever
    /// keyspace the session has entered is prepared anew for each.
    #[must_use]
    pub fn qualified(&self, text: &str) -> String {
        text.replace("{keyspace}", &format!("\"{}\"", self.options.keyspace))
    }

    /// Whose keyspace it is; `None` when there is none, or founding it has not got so far.
    ///
    /// # Errors
    /// [`CqlError`].
    pub async fn signed(&self) -> Result<Option<Owner>, CqlError> {
        if self.replication().await?.is_none() || !self.has_tables().await? {
            return Ok(None);
        }
        Ok(self.owner().await?.map(|(owner, _)| owner))
    }

    async fn check(&self, schema: &Schema, owner: Owner) -> Result<(), CqlError> {
        let (known, found) = (schema.version(), self.version().await?);
        self.is_not_newer(schema, found)?;
        let keyspace = || self.options.keyspace.clone();
        if found < known {
            return Err(CqlError::OlderSchema { keyspace: keyspace(), found, known });
        }
        let (signed, format) = self.owner().await?.ok_or_else(|| self.unfounded())?;
        self.is_owner(signed, owner)?;
        let (known, found) = (schema.format, format);
        match found.cmp(&known) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(CqlError::NewerFormat { keyspace: keyspace(), found, known }),
            std::cmp::Ordering::Less => {
                Err(CqlError::OlderFormat { keyspace: keyspace(), found, known, remedy: schema.remedy })
            }
        }
    }

    fn unfounded(&self) -> CqlError {
        CqlError::Unfounded { keyspace: self.options.keyspace.clone() }
    }

    fn is_not_newer(&self, schema: &Schema, found: u32) -> Result<(), CqlError> {
        let (keyspace, known) = (self.options.keyspace.clone(), schema.version());
        if found > known { Err(CqlError::NewerSchema { keyspace, found, known }) } else { Ok(()) }
    }

    fn is_owner(&self, found: Owner, expected: Owner) -> Result<(), CqlError> {
        if found == expected {
            return Ok(());
        }
        Err(CqlError::Foreign {
            keyspace: self.options.keyspace.clone(),
            found: found.installation,
            partitions: found.partitions,
            expected: expected.installation,
            count: expected.partitions,
        })
    }

    /// How the keyspace is copied, and whether its nodes write down what they acknowledge.
    async fn replication(&self) -> Result<Option<(HashMap<String, String>, bool)>, CqlError> {
        let text = "SELECT replication, durable_writes FROM system_schema.keyspaces WHERE keyspace_name = ?";
        let found = self.ask("look for the keyspace", text, (&self.options.keyspace,)).await?;
        Ok(found.into_iter().next())
    }

    async fn check_copies(&self) -> Result<(), CqlError> {
        let keyspace = self.options.keyspace.clone();
        let Some((replication, durable)) = self.replication().await? else {
            return Err(CqlError::NoKeyspace { nodes: self.options.addresses(), keyspace });
        };
        if !durable {
            return Err(CqlError::NotDurable { keyspace });
        }
        let (found, wanted) = (copies(&replication, &self.datacenter), self.options.replicas);
        if found < wanted {
            let datacenter = self.datacenter.clone();
            return Err(CqlError::TooFewReplicas { keyspace, datacenter, found, wanted });
        }
        Ok(())
    }

    /// Whether the keyspace has our tables; refused when it has others and not ours.
    async fn has_tables(&self) -> Result<bool, CqlError> {
        let text = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?";
        let found: Vec<(String,)> = self.ask("list the tables", text, (&self.options.keyspace,)).await?;
        let ours = ["installation", "schema_versions"];
        let begun = found.iter().filter(|(table,)| ours.contains(&table.as_str())).count();
        match found.into_iter().next() {
            // Founding makes the table of versions first.
            Some((table,)) if begun == 0 => Err(CqlError::Strange { keyspace: self.options.keyspace.clone(), table }),
            _ => Ok(begun == ours.len()),
        }
    }

    async fn version(&self) -> Result<u32, CqlError> {
        let text = "SELECT version FROM {keyspace}.schema_versions WHERE id = 0";
        let found: Vec<(i32,)> = self.ask("read the schema's version", text, ()).await?;
        Ok(found.into_iter().filter_map(|(version,)| u32::try_from(version).ok()).max().unwrap_or(0))
    }

    async fn owner(&self) -> Result<Option<(Owner, u16)>, CqlError> {
        let text = "SELECT installation, partitions, format FROM {keyspace}.installation WHERE id = 0";
        let found: Vec<(Vec<u8>, i32, i32)> = self.ask("read whose keyspace it is", text, ()).await?;
        let Some((installation, partitions, format)) = found.into_iter().next() else { return Ok(None) };
        let number = |number: i32| u16::try_from(number).unwrap_or(u16::MAX);
        let installation = InstallationId(installation.try_into().unwrap_or_default());
        Ok(Some((Owner { installation, partitions: number(partitions) }, number(format))))
    }

    async fn sign(&self, schema: &Schema, owner: Owner) -> Result<(), CqlError> {
        let text = "INSERT INTO {keyspace}.installation (id, installation, partitions, format) VALUES (0, ?, ?, ?) USING TIMESTAMP ?";
        let (id, format) = (owner.installation.0.to_vec(), i32::from(schema.format));
        let values = (id, i32::from(owner.partitions), format, i64::from(schema.format));
        self.tell("write whose keyspace it is", text, values).await
    }

    async fn migrate(&self, migration: &Migration) -> Result<(), CqlError> {
        for statement in statements(migration.text) {
            self.change(&statement).await?;
        }
        let text = "INSERT INTO {keyspace}.schema_versions (id, version, name) VALUES (0, ?, ?) USING TIMESTAMP ?";
        let number = i32::try_from(migration.number).unwrap_or(i32::MAX);
        self.tell("note a migration", text, (number, migration.name, i64::from(migration.number))).await
    }

    /// Changes the schema.
    async fn change(&self, text: &str) -> Result<(), CqlError> {
        let mut statement = Statement::new(self.qualified(text));
        statement.set_request_timeout(Some(CHANGE));
        let done = self.session.query_unpaged(statement, ()).await;
        done.map(drop).map_err(|error| self.said("change the schema", &error))
    }

    async fn tell(&self, doing: &str, text: &str, values: impl SerializeRow) -> Result<(), CqlError> {
        self.session
            .query_unpaged(self.qualified(text), values)
            .await
            .map(drop)
            .map_err(|error| self.said(doing, &error))
    }

    async fn ask<R>(&self, doing: &str, text: &str, values: impl SerializeRow) -> Result<Vec<R>, CqlError>
    where
        R: for<'f, 'm> DeserializeRow<'f, 'm>,
    {
        let result =
            self.session.query_unpaged(self.qualified(text), values).await.map_err(|error| self.said(doing, &error))?;
        self.rows(doing, result)
    }
}

/// Copies in a datacenter, as the keyspace's replication says.
fn copies(replication: &HashMap<String, String>, datacenter: &str) -> u16 {
    let class = replication.get("class").map(String::as_str).unwrap_or_default();
    // With the simple strategy nobody says where the copies are. It is all there is in a cluster of one datacenter.
    let named = if class.ends_with("SimpleStrategy") { "replication_factor" } else { datacenter };
    let Some(said) = replication.get(named) else { return 0 };
    match said.strip_prefix('[') {
        // ScyllaDB may list racks, a copy in each.
        Some(racks) => u16::try_from(racks.split(',').count()).unwrap_or(u16::MAX),
        // Cassandra may write "3/1": one of them transient.
        None => said.split('/').next().and_then(|number| number.trim().parse().ok()).unwrap_or(0),
    }
}

/// The statements of a migration.
fn statements(text: &str) -> Vec<String> {
    let bare: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap_or_default().trim_end()).collect();
    let all = bare.join("\n");
    all.split(";\n").map(|one| one.trim().trim_end_matches(';').to_owned()).filter(|one| !one.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_counted_as_each_strategy_writes_them() {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let network = "org.apache.cassandra.locator.NetworkTopologyStrategy";
        assert_eq!(copies(&map(&[("class", network), ("a", "3"), ("b", "2")]), "b"), 2);
        assert_eq!(copies(&map(&[("class", network), ("a", "3")]), "b"), 0);
        assert_eq!(copies(&map(&[("class", network), ("a", "3/1")]), "a"), 3);
        assert_eq!(copies(&map(&[("class", network), ("a", "['r1', 'r2']")]), "a"), 2);
        let simple = "org.apache.cassandra.locator.SimpleStrategy";
        assert_eq!(copies(&map(&[("class", simple), ("replication_factor", "1")]), "a"), 1);
        assert_eq!(copies(&map(&[]), "a"), 0);
    }

    #[test]
    fn a_migration_is_parted_at_its_semicolons() {
        let text = "-- what it is for; and why\nCREATE TABLE a (\n  k int PRIMARY KEY -- the key\n);\n\nCREATE TABLE b (k int);\n";
        assert_eq!(statements(text), ["CREATE TABLE a (\n  k int PRIMARY KEY\n)", "CREATE TABLE b (k int)"]);
    }
}
