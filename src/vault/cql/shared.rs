//! What the handle and its background task share: keys, names and secrets, asked for and unwrapped.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use scylla::deserialize::row::DeserializeRow;
use scylla::serialize::row::SerializeRow;
use scylla::statement::prepared::PreparedStatement;
use tokio::sync::Semaphore;

use super::Options;
use super::keys::Keys;
use super::marks::Marks;
use super::names::{Name, Said};
use super::statements::{ERASED, Statements, WRITTEN};
use super::turns::Turns;
use crate::cql::{Asking, Cluster, NoAnswer, Owner, Until};
use crate::domain::id::{KeyId, Tag, TenantId};
use crate::domain::record::{Micros, Position};
use crate::runtime::{Clock, Entropy};
use crate::vault::cache::Cache;
use crate::vault::cipher::{Key, first};
use crate::vault::error::VaultError;
use crate::vault::files::wrapping;
use crate::vault::secret::SecretBytes;
use crate::vault::{Alias, sealing};

/// The state of an open vault.
pub struct Shared {
    cluster: Cluster,
    statements: Statements,
    /// The instance key and what hangs from it.
    pub keys: Keys,
    /// Whose vault it is.
    pub owner: Owner,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Keys, nonces, salts.
    pub entropy: Arc<dyn Entropy>,
    /// This process: no other one has this name.
    pub process: [u8; 16],
    /// Who makes a name.
    pub turns: Turns,
    /// How far the journal was seen to go.
    pub marks: Mutex<Marks>,
    asking: Asking,
    /// Places of requests that write.
    places: Semaphore,
    pub(super) unwrapped: Mutex<Cache<(TenantId, KeyId), Arc<Key>>>,
    pub(super) named: Mutex<Cache<(TenantId, Tag), KeyId>>,
}

impl Shared {
    /// Of an open keyspace.
    pub fn new(
        (cluster, statements): (Cluster, Statements),
        keys: Keys,
        owner: Owner,
        options: &Options,
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
        marks: &[(u16, Position)],
    ) -> Self {
        let asking = Asking::new(steady(&clock), options.patience, crate::telemetry::cql_again);
        let (unwrapped, named) = (Mutex::new(Cache::new(options.cache)), Mutex::new(Cache::new(options.cache)));
        let (turns, marks) = (Turns::default(), Mutex::new(Marks::of(marks)));
        let places = Semaphore::new(options.writes);
        let process = entropy.id();
        Self {
            cluster,
            statements,
            keys,
            owner,
            process,
            clock,
            entropy,
            turns,
            marks,
            asking,
            places,
            unwrapped,
            named,
        }
    }

    /// Asks the database.
    pub(super) async fn ask<R>(
        &self,
        doing: &'static str,
        of: impl Fn(&Statements) -> &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<Vec<R>, VaultError>
    where
        R: for<'f, 'm> DeserializeRow<'f, 'm>,
    {
        let (session, statement) = (&self.cluster.session, of(&self.statements));
        let asked = || session.execute_unpaged(statement, &values);
        let answer = self.asking.ask(&self.cluster, doing, Until::Patience, asked).await.map_err(none)?;
        self.cluster.rows(doing, answer).map_err(|error| VaultError::Failed(self.asking.latch(error.to_string())))
    }

    /// Writes to the database.
    pub(super) async fn tell(
        &self,
        doing: &'static str,
        of: impl Fn(&Statements) -> &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<(), VaultError> {
        let _place = self.places.acquire().await.map_err(|_| VaultError::Closed)?;
        let (session, statement) = (&self.cluster.session, of(&self.statements));
        let asked = || session.execute_unpaged(statement, &values);
        self.asking.ask(&self.cluster, doing, Until::Patience, asked).await.map(drop).map_err(none)
    }

    /// That something new may be kept.
    pub fn is_whole(&self) -> Result<(), VaultError> {
        if self.asking.is_closed() {
            return Err(VaultError::Closed);
        }
        self.asking.latched().map_or(Ok(()), |why| Err(VaultError::Failed(why)))
    }

    /// What is wrong, or waited for.
    pub fn failed(&self) -> Option<String> {
        self.asking.latched().or_else(|| {
            let (lasts, why) = self.asking.waits()?;
            let (seconds, nodes) = (lasts.as_secs(), self.cluster.options.addresses());
            Some(format!("the CQL nodes {nodes} of the vault have not answered for {seconds} s: {why}"))
        })
    }

    /// Nothing new is kept from now on.
    #[cfg(test)]
    pub fn latch(&self, why: &str) {
        self.asking.latch(why.to_owned());
    }

    /// Nothing is asked any more.
    pub fn close(&self) {
        self.asking.close();
    }

    /// The tag of a name.
    pub fn tag(&self, tenant: TenantId, alias: &Alias) -> Tag {
        Tag(first(&self.keys.tenant(tenant).index.mac(sealing::ALIAS, &[&alias.to_bytes()])))
    }

    /// Whom a name means, as it was found within the last minute or stands there.
    pub async fn named(&self, tenant: TenantId, tag: Tag) -> Result<Option<KeyId>, VaultError> {
        let began = self.clock.steady();
        let known = self.named.lock().get((tenant, tag), began);
        if known.is_some() {
            return Ok(known);
        }
        let values = (tenant.0.to_vec(), tag.0.to_vec());
        let rows: Vec<(Option<Vec<u8>>,)> = self.ask("look a name up", |all| &all.get_decided, values).await?;
        let found = rows.into_iter().next().and_then(|(decided,)| decided).map(key_id).transpose()?;
        if let Some(contact) = found {
            self.named.lock().put((tenant, tag), contact, began);
        }
        Ok(found)
    }

    /// Whom a name means was decided just now.
    pub fn remember(&self, at: (TenantId, Tag), contact: KeyId) {
        self.named.lock().put(at, contact, self.clock.steady());
    }

    /// All that stands under a name.
    pub async fn name(&self, (tenant, tag): (TenantId, Tag)) -> Result<Name, VaultError> {
        type Row = (Option<Vec<u8>>, Option<Vec<u8>>, Option<i64>, Option<i64>, Option<Vec<u8>>, Option<i64>);
        let values = (tenant.0.to_vec(), tag.0.to_vec());
        let rows: Vec<Row> = self.ask("look a name up", |all| &all.get_said, values).await?;
        let mut name = Name::default();
        for (decided, process, begun, proposed, contact, stamp) in rows {
            name.decided = decided.map(key_id).transpose()?;
            let Some(((process, contact), stamp)) = process.zip(contact).zip(stamp) else { continue };
            let process = process.try_into().map_err(|_| damaged_name())?;
            let (begun, proposed) = (begun.unwrap_or(0), proposed.unwrap_or(0));
            name.said.push(Said { process, begun, proposed, contact: key_id(contact)?, stamp });
        }
        Ok(name)
    }

    /// Writes what this process says of a name.
    pub async fn say(&self, (tenant, tag): (TenantId, Tag), said: &Said) -> Result<(), VaultError> {
        let (process, contact) = (said.process.to_vec(), said.contact.0.to_vec());
        let values = (tenant.0.to_vec(), tag.0.to_vec(), process, said.begun, said.proposed, contact, said.stamp);
        self.tell("write a name", |all| &all.put_said, values).await
    }

    /// Writes what was decided; whoever else decided it writes the same.
    pub async fn write_decision(&self, (tenant, tag): (TenantId, Tag), contact: KeyId) -> Result<(), VaultError> {
        let values = (tenant.0.to_vec(), tag.0.to_vec(), contact.0.to_vec(), self.clock.wall());
        self.tell("write a name", |all| &all.put_decided, values).await
    }

    /// Writes a new contact with its first name, which does not mean it yet.
    pub async fn write_contact(&self, at: (TenantId, KeyId), tag: Tag, alias: &Alias) -> Result<(), VaultError> {
        let (entropy, made) = (self.entropy.as_ref(), self.clock.wall());
        let key = Key::draw(entropy);
        let wrapped = self.keys.tenant(at.0).wrap(entropy, at, &key);
        let sealed = wrapping::seal_alias(&key, entropy, at, tag, alias);
        let (tenant, contact, tag) = bytes(at, tag);
        let values = (&tenant, &contact, made, &tag, wrapped, sealed, WRITTEN);
        self.tell("write a contact's key", |all| &all.put_contact, values).await
    }

    /// Writes one more name of a contact, which does not mean it yet. Says when it was made.
    pub async fn write_alias(&self, at: (TenantId, KeyId), tag: Tag, alias: &Alias) -> Result<Micros, VaultError> {
        let made = self.clock.wall();
        let sealed = wrapping::seal_alias(&*self.key(at).await?, self.entropy.as_ref(), at, tag, alias);
        let (tenant, contact, tag) = bytes(at, tag);
        let values = (&tenant, &contact, made, &tag, sealed, WRITTEN);
        self.tell("write a name", |all| &all.put_alias, values).await?;
        Ok(made)
    }

    /// Takes a name away again that means another contact.
    pub async fn take_back(&self, at: (TenantId, KeyId), tag: Tag, made: Micros) -> Result<(), VaultError> {
        let (tenant, contact, tag) = bytes(at, tag);
        self.tell("take a name back", |all| &all.drop_alias, (ERASED, &tenant, &contact, made, &tag)).await
    }

    /// How long calls are tried.
    pub fn patience(&self) -> Duration {
        self.asking.patience()
    }

    /// A contact's key.
    pub async fn key(&self, at: (TenantId, KeyId)) -> Result<Arc<Key>, VaultError> {
        let (now, contact) = (self.clock.steady(), at.1);
        let known = self.unwrapped.lock().get(at, now);
        if let Some(key) = known {
            return Ok(key);
        }
        let wrapped = self.wrapped(at).await.inspect_err(|error| {
            // Another node erased it: whoever asks for the name next is told who bears it now.
            if error.is_erased() {
                self.named.lock().forget_value(&contact);
            }
        })?;
        let opened = self.keys.tenant(at.0).unwrap(at, &wrapped);
        let damaged = |_| VaultError::Damaged { what: format!("the key of contact {contact}") };
        let key = Arc::new(opened.map_err(damaged)?);
        self.unwrapped.lock().put(at, Arc::clone(&key), now);
        Ok(key)
    }

    /// A contact's key as it stands there.
    pub async fn wrapped(&self, at: (TenantId, KeyId)) -> Result<Vec<u8>, VaultError> {
        let contact = at.1;
        let values = (at.0.0.to_vec(), contact.0.to_vec());
        let rows: Vec<(Option<Vec<u8>>, Option<bool>)> =
            self.ask("read a contact's key", |all| &all.get_key, values).await?;
        match rows.into_iter().next() {
            Some((_, Some(true))) => Err(VaultError::Erased { contact }),
            Some((Some(wrapped), _)) => Ok(wrapped),
            _ => Err(VaultError::Unknown { contact }),
        }
    }

    /// Every name of a contact, oldest first. Who took somebody's place has none, only what leads there.
    pub async fn aliases(&self, at: (TenantId, KeyId)) -> Result<Vec<Alias>, VaultError> {
        let key = self.key(at).await?;
        let open = |(tag, sealed): (Tag, Vec<u8>)| wrapping::open_alias(&key, at, tag, &sealed).ok();
        let damaged = || VaultError::Damaged { what: format!("a name of contact {}", at.1) };
        let sealed = self.sealed_aliases(at).await?.into_iter().filter(|(_, sealed)| !sealed.is_empty());
        sealed.map(|row| open(row).ok_or_else(damaged)).collect()
    }

    /// What leads to a contact, with the name it is, still sealed.
    pub async fn sealed_aliases(&self, at: (TenantId, KeyId)) -> Result<Vec<(Tag, Vec<u8>)>, VaultError> {
        let values = (at.0.0.to_vec(), at.1.0.to_vec());
        let rows: Vec<(Option<Vec<u8>>, Option<Vec<u8>>)> =
            self.ask("read names", |all| &all.get_aliases, values).await?;
        let row = |(tag, sealed): (Option<Vec<u8>>, Option<Vec<u8>>)| Some((Tag(tag?.try_into().ok()?), sealed?));
        let damaged = || VaultError::Damaged { what: format!("a name of contact {}", at.1) };
        rows.into_iter().map(|found| row(found).ok_or_else(damaged)).collect()
    }

    /// Writes a secret above the one that stands there, whatever the clock of who wrote that said.
    pub async fn write_secret(&self, at: (Option<TenantId>, &str), value: &SecretBytes) -> Result<(), VaultError> {
        let before = self.secret_row(at).await?.map_or(0, |(_, stamp)| stamp);
        let sealed = self.keys.seal_secret(self.entropy.as_ref(), at, value);
        let values = (scope(at.0), at.1, sealed, self.clock.wall().max(before.saturating_add(1)));
        self.tell("write a secret", |all| &all.put_secret, values).await
    }

    /// A secret, opened.
    pub async fn secret(&self, at: (Option<TenantId>, &str)) -> Result<Option<SecretBytes>, VaultError> {
        let Some((sealed, _)) = self.secret_row(at).await? else { return Ok(None) };
        let damaged = |_| VaultError::Damaged { what: format!("the secret `{}`", at.1) };
        self.keys.open_secret(at, &sealed).map(Some).map_err(damaged)
    }

    async fn secret_row(&self, at: (Option<TenantId>, &str)) -> Result<Option<(Vec<u8>, i64)>, VaultError> {
        Ok(self.ask("read a secret", |all| &all.get_secret, (scope(at.0), at.1)).await?.into_iter().next())
    }

    /// Drops what was held for too long, also when nobody asks for anything.
    pub fn sweep(&self) {
        let now = self.clock.steady();
        self.unwrapped.lock().sweep(now);
        self.named.lock().sweep(now);
    }

    /// Writes the marks that were raised.
    pub async fn write_marks(&self) -> Result<(), VaultError> {
        let raised = self.marks.lock().raised();
        for (number, position) in raised {
            let stamp = i64::try_from(position.0).unwrap_or(i64::MAX);
            let values = (i32::from(number), position.0.to_be_bytes().to_vec(), stamp);
            self.tell("write a mark", |all| &all.put_mark, values).await?;
            self.marks.lock().wrote(number, position);
        }
        Ok(())
    }
}

/// Time, as it is asked for while something is waited for.
fn steady(clock: &Arc<dyn Clock>) -> impl Fn() -> Duration + Send + Sync + 'static {
    let clock = Arc::clone(clock);
    move || clock.steady()
}

pub(super) fn key_id(bytes: Vec<u8>) -> Result<KeyId, VaultError> {
    bytes.try_into().map(KeyId).map_err(|_| damaged_name())
}

fn damaged_name() -> VaultError {
    VaultError::Damaged { what: "a name of a contact".to_owned() }
}

fn none(none: NoAnswer) -> VaultError {
    match none {
        NoAnswer::Closed => VaultError::Closed,
        NoAnswer::Latched(why) => VaultError::Failed(why),
        NoAnswer::Late(error) => error.into(),
    }
}

pub(super) fn bytes((tenant, contact): (TenantId, KeyId), tag: Tag) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    (tenant.0.to_vec(), contact.0.to_vec(), tag.0.to_vec())
}

/// A secret's owner, as it stands in a key.
fn scope(tenant: Option<TenantId>) -> Vec<u8> {
    tenant.map_or_else(|| vec![0], |tenant| [&[1], &tenant.0[..]].concat())
}
