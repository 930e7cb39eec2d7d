//! Everything that is ever asked of the database, prepared once. Stamps: a contact is written at [`WRITTEN`], deleted at
//! [`ERASED`] and said to be so at [`MARKED`]; names and secrets at the time of their writing, a mark at its position.

use scylla::statement::prepared::PreparedStatement;

use crate::cql::{Cluster, CqlError, Use};

/// The stamp of what is written once.
pub const WRITTEN: i64 = 1;

/// The stamp of what takes it away for good.
pub const ERASED: i64 = 2;

/// The stamp of the word that it was: above what takes everything away.
pub const MARKED: i64 = 3;

/// All of them.
pub struct Statements {
    /// `check_value, stamp`.
    pub put_check: PreparedStatement,
    /// → `check_value`.
    pub get_check: PreparedStatement,
    /// `tenant, contact, made, tag, wrapped, alias, stamp`.
    pub put_contact: PreparedStatement,
    /// `tenant, contact, made, tag, alias, stamp`.
    pub put_alias: PreparedStatement,
    /// `stamp, tenant, contact, made, tag`.
    pub drop_alias: PreparedStatement,
    /// `stamp, tenant, contact`.
    pub drop_contact: PreparedStatement,
    /// `tenant, contact, stamp`.
    pub put_erased: PreparedStatement,
    /// `stamp, tenant, tag`.
    pub drop_name: PreparedStatement,
    /// `tenant, tag` → `decided, stamp`.
    pub get_stamp: PreparedStatement,
    /// `tenant, contact` → `wrapped, erased`.
    pub get_key: PreparedStatement,
    /// `tenant, contact` → `tag, alias`, oldest first.
    pub get_aliases: PreparedStatement,
    /// `tenant, tag, process, begun, proposed, contact, stamp`.
    pub put_said: PreparedStatement,
    /// `tenant, tag, decided, stamp`.
    pub put_decided: PreparedStatement,
    /// `tenant, tag` → `decided, process, begun, proposed, contact, stamp` of all processes.
    pub get_said: PreparedStatement,
    /// `tenant, tag` → `decided`.
    pub get_decided: PreparedStatement,
    /// `scope, name, sealed, stamp`.
    pub put_secret: PreparedStatement,
    /// `scope, name` → `sealed, stamp`.
    pub get_secret: PreparedStatement,
    /// `number, position, stamp`.
    pub put_mark: PreparedStatement,
    /// → `number, position`.
    pub get_marks: PreparedStatement,
}

impl Statements {
    /// Prepares them all.
    pub async fn prepare(cluster: &Cluster) -> Result<Self, CqlError> {
        let write = async |text: &str| cluster.prepare(text, Use::Write).await;
        let read = async |text: &str| cluster.prepare(text, Use::Read).await;
        let put_contact = "INSERT INTO {keyspace}.contacts (tenant, contact, made, tag, wrapped, alias) \
                           VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?";
        let put_alias = "INSERT INTO {keyspace}.contacts (tenant, contact, made, tag, alias) VALUES (?, ?, ?, ?, ?) \
                         USING TIMESTAMP ?";
        let drop_alias = "DELETE FROM {keyspace}.contacts USING TIMESTAMP ? WHERE tenant = ? AND contact = ? AND made = ? \
                          AND tag = ?";
        let drop_contact = "DELETE FROM {keyspace}.contacts USING TIMESTAMP ? WHERE tenant = ? AND contact = ?";
        let put_erased =
            "INSERT INTO {keyspace}.contacts (tenant, contact, erased) VALUES (?, ?, true) USING TIMESTAMP ?";
        let drop_name = "DELETE FROM {keyspace}.names USING TIMESTAMP ? WHERE tenant = ? AND tag = ?";
        let get_stamp = "SELECT decided, WRITETIME(decided) FROM {keyspace}.names WHERE tenant = ? AND tag = ? LIMIT 1";
        let get_key = "SELECT wrapped, erased FROM {keyspace}.contacts WHERE tenant = ? AND contact = ? LIMIT 1";
        let put_said = "INSERT INTO {keyspace}.names (tenant, tag, process, begun, proposed, contact) \
                        VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?";
        let put_decided = "INSERT INTO {keyspace}.names (tenant, tag, decided) VALUES (?, ?, ?) USING TIMESTAMP ?";
        let get_said = "SELECT decided, process, begun, proposed, contact, WRITETIME(contact) FROM {keyspace}.names \
                        WHERE tenant = ? AND tag = ?";
        let get_decided = "SELECT decided FROM {keyspace}.names WHERE tenant = ? AND tag = ? LIMIT 1";
        let put_secret = "INSERT INTO {keyspace}.secrets (scope, name, sealed) VALUES (?, ?, ?) USING TIMESTAMP ?";
        let get_secret = "SELECT sealed, WRITETIME(sealed) FROM {keyspace}.secrets WHERE scope = ? AND name = ?";
        let put_mark = "INSERT INTO {keyspace}.marks (id, number, position) VALUES (0, ?, ?) USING TIMESTAMP ?";
        Ok(Self {
            put_check: write("INSERT INTO {keyspace}.instance (id, check_value) VALUES (0, ?) USING TIMESTAMP ?")
                .await?,
            get_check: read("SELECT check_value FROM {keyspace}.instance WHERE id = 0").await?,
            put_contact: write(put_contact).await?,
            put_alias: write(put_alias).await?,
            drop_alias: write(drop_alias).await?,
            drop_contact: write(drop_contact).await?,
            put_erased: write(put_erased).await?,
            drop_name: write(drop_name).await?,
            get_stamp: read(get_stamp).await?,
            get_key: read(get_key).await?,
            get_aliases: read("SELECT tag, alias FROM {keyspace}.contacts WHERE tenant = ? AND contact = ?").await?,
            put_said: write(put_said).await?,
            put_decided: write(put_decided).await?,
            get_said: read(get_said).await?,
            get_decided: read(get_decided).await?,
            put_secret: write(put_secret).await?,
            get_secret: read(get_secret).await?,
            put_mark: write(put_mark).await?,
            get_marks: read("SELECT number, position FROM {keyspace}.marks WHERE id = 0").await?,
        })
    }
}
