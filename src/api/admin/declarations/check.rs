//! What is wrong with a document: everything, each with its place.

use std::collections::{HashMap, HashSet};

use url::Url;

use super::super::super::directory::MAX_NAMES;
use super::super::super::problem::{Problem, fault};
use super::super::super::state::App;
use super::super::super::time;
use super::ask::{Ask, EndpointAsk, PortfolioAsk, SessionAsk, TenantAsk};
use crate::config::{EventPattern, Name};
use crate::domain::content::Problem as Fault;
use crate::domain::id::{SessionId, TenantId};
use crate::domain::portfolio::MAX_LIMIT;
use crate::vault::SecretBytes;
use crate::webhook::{Guard, Ports, Secret};

/// Meta's ids are digits; the longest seen have 17.
const ACCOUNT_MAX: usize = 32;

/// Messages of a tenant that may wait, at most.
const QUEUE_MAX: u32 = 100_000_000;

/// Longest display name, characters.
const DISPLAY_MAX: usize = 100;

/// Longest access token, bytes: Meta's are below 512.
const TOKEN_MAX: usize = 4096;

/// Patterns of one endpoint.
const EVENTS_MAX: usize = 64;

/// What the checks found out.
pub struct Checked(HashMap<String, TenantId>);

impl Checked {
    /// The tenant of this name, in the document or before it.
    pub fn tenant(&self, name: &str) -> TenantId {
        self.0.get(name).copied().unwrap_or_default()
    }
}

struct Checks<'a> {
    app: &'a App,
    faults: Vec<Fault>,
    tenants: HashMap<String, TenantId>,
}

/// Checks the whole document.
///
/// # Errors
/// `invalid_request` with everything that is wrong.
pub async fn check(app: &App, ask: &Ask) -> Result<Checked, Problem> {
    let mut checks = Checks { app, faults: Vec::new(), tenants: HashMap::new() };
    for (at, it) in ask.tenants.iter().enumerate() {
        checks.tenant(&format!("/tenants/{at}"), it);
    }
    for (at, it) in ask.portfolios.iter().enumerate() {
        checks.portfolio(&format!("/portfolios/{at}"), it);
    }
    let owners = ask.sessions.iter().enumerate();
    let owners = owners.map(|(at, it)| (format!("/sessions/{at}"), &it.tenant, &it.name));
    let more = ask.endpoints.iter().enumerate();
    let more = more.map(|(at, it)| (format!("/endpoints/{at}"), &it.tenant, &it.name));
    let keys = ask.keys.iter().enumerate();
    let keys = keys.map(|(at, it)| (format!("/keys/{at}"), &it.tenant, &it.name));
    let pools = ask.pools.iter().enumerate().map(|(at, it)| (format!("/pools/{at}"), &it.tenant, &it.name));
    for (pointer, tenant, name) in owners.chain(pools).chain(more).chain(keys) {
        checks.owned(&pointer, tenant, name).await?;
    }
    for (at, it) in ask.sessions.iter().enumerate() {
        checks.session(&format!("/sessions/{at}"), it).await?;
        checks.belongs(&format!("/sessions/{at}"), it, &ask.portfolios).await?;
    }
    for (at, it) in ask.pools.iter().enumerate() {
        if let Some(tenant) = checks.tenants.get(&it.tenant).copied() {
            checks.faults.extend(super::pool::check(app, ask, tenant, &format!("/pools/{at}"), it).await?);
        }
    }
    for (at, it) in ask.endpoints.iter().enumerate() {
        checks.endpoint(&format!("/endpoints/{at}"), it);
    }
    checks.twice(ask);
    checks.room(ask);
    if checks.faults.is_empty() {
        return Ok(Checked(checks.tenants));
    }
    Err(Problem::invalid(checks.faults))
}

impl Checks<'_> {
    fn wrong(&mut self, pointer: String, what: &str, remedy: &str) {
        self.faults.push(fault(&pointer, what, remedy));
    }

    fn name(&mut self, pointer: &str, name: &str) {
        if Name::parse(name).is_none() {
            self.wrong(
                format!("{pointer}/name"),
                "is not a name",
                "write 1 to 63 lower-case letters, digits and hyphens, a letter or digit first",
            );
        }
    }

    fn rate(&mut self, pointer: &str, rates: [Option<u32>; 2], max: u32) {
        for (name, rate) in ["per_second", "burst"].into_iter().zip(rates) {
            if rate.is_some_and(|rate| !(1..=max).contains(&rate)) {
                let remedy = format!("choose from 1 to {max}");
                self.wrong(format!("{pointer}/{name}"), "is out of range", &remedy);
            }
        }
    }

    fn tenant(&mut self, pointer: &str, it: &TenantAsk) {
        self.name(pointer, &it.name);
        self.rate(pointer, [it.per_second, it.burst], 100_000);
        if it.queue_max.is_some_and(|max| !(1..=QUEUE_MAX).contains(&max)) {
            let remedy = format!("choose from 1 to {QUEUE_MAX}");
            self.wrong(format!("{pointer}/queue_max"), "is out of range", &remedy);
        }
        let long = |text: &String| text.chars().count() > DISPLAY_MAX;
        if it.display_name.as_ref().is_some_and(long) {
            self.wrong(format!("{pointer}/display_name"), "is longer than 100 characters", "shorten it");
        }
        let id = TenantId::named(self.app.journal.genesis().installation, &it.name);
        self.tenants.insert(it.name.clone(), id);
    }

    fn portfolio(&mut self, pointer: &str, it: &PortfolioAsk) {
        self.name(pointer, &it.name);
        if it.people_per_day.is_some_and(|limit| !(1..=MAX_LIMIT).contains(&limit)) {
            self.wrong(
                format!("{pointer}/people_per_day"),
                "is out of range",
                "write Meta's limit (250, 2000, 10000 or 100000), or leave it out where Meta sets none",
            );
        }
    }

    /// The portfolio that a session names exists, or is declared here.
    async fn belongs(&mut self, pointer: &str, it: &SessionAsk, declared: &[PortfolioAsk]) -> Result<(), Problem> {
        let Some(name) = it.portfolio.as_deref().filter(|name| declared.iter().all(|it| it.name != **name)) else {
            return Ok(());
        };
        if self.app.directory.portfolio_named(self.app, name).await?.is_none() {
            self.wrong(
                format!("{pointer}/portfolio"),
                "names no portfolio",
                "declare the portfolio first, or in the same document",
            );
        }
        Ok(())
    }

    /// A name, and a tenant that exists or is declared here.
    async fn owned(&mut self, pointer: &str, tenant: &str, name: &str) -> Result<(), Problem> {
        self.name(pointer, name);
        if self.tenants.contains_key(tenant) {
            return Ok(());
        }
        match self.app.directory.tenant_named(self.app, tenant).await? {
            Some(found) => drop(self.tenants.insert(tenant.to_owned(), found.id)),
            None => self.wrong(
                format!("{pointer}/tenant"),
                "names no tenant",
                "declare the tenant first, or in the same document",
            ),
        }
        Ok(())
    }

    async fn session(&mut self, pointer: &str, it: &SessionAsk) -> Result<(), Problem> {
        if it.channel != "whatsapp" {
            self.wrong(format!("{pointer}/channel"), "is not a channel of this version", "write \"whatsapp\"");
        }
        let digits = |text: &str| (1..=ACCOUNT_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let ids = [
            ("phone_number_id", Some(&it.phone_number_id)),
            ("waba_id", it.waba_id.as_ref()),
            ("app_id", it.app_id.as_ref()),
        ];
        for (name, id) in ids {
            if id.is_some_and(|id| !digits(id)) {
                self.wrong(
                    format!("{pointer}/{name}"),
                    "is not an id of Meta",
                    "write its digits, as the app's dashboard shows them",
                );
            }
        }
        self.rate(pointer, [it.per_second, it.burst], 1_000);
        let Some(tenant) = self.tenants.get(&it.tenant).copied() else {
            return Ok(());
        };
        let id = SessionId::named(tenant, &it.name);
        self.token(pointer, tenant, id, it).await?;
        let directory = &self.app.directory;
        if directory.session(self.app, id).await?.is_some_and(|known| known.is_pool) {
            let remedy = "choose another: both are what `from` names";
            self.wrong(format!("{pointer}/name"), "is a pool's name", remedy);
        }
        let holder = directory.session_of_account(self.app, &it.phone_number_id);
        if holder.await?.is_some_and(|holder| holder.id != id) {
            self.wrong(
                format!("{pointer}/phone_number_id"),
                "belongs to another session",
                "one session sends for a number; change that one",
            );
        }
        Ok(())
    }

    async fn token(&mut self, pointer: &str, tenant: TenantId, id: SessionId, it: &SessionAsk) -> Result<(), Problem> {
        let pointer = format!("{pointer}/token");
        match &it.token {
            Some(token) => {
                let plain = token.bytes().all(|b| b.is_ascii_graphic());
                if !(1..=TOKEN_MAX).contains(&token.len()) || !plain {
                    self.wrong(pointer, "is not an access token", "write it without spaces and line breaks");
                }
            }
            None if it.test => {}
            None => {
                let name = super::session::token_name(id);
                if self.app.vault.secret(Some(tenant), &name).await?.is_none() {
                    self.wrong(pointer, "is missing", "give the number's access token; it is kept in the vault");
                }
            }
        }
        Ok(())
    }

    fn endpoint(&mut self, pointer: &str, it: &EndpointAsk) {
        let webhooks = &self.app.settings.webhooks;
        let guard =
            Guard { allow_private: webhooks.allow_private, allowed_ports: Ports::Only(webhooks.allowed_ports.clone()) };
        let refused = match Url::parse(&it.url) {
            Ok(url) => guard.check_url(&url).err().map(|refusal| refusal.to_string()),
            Err(error) => Some(format!("is not a URL: {error}")),
        };
        if let Some(why) = refused {
            let remedy = "write the public https address of the receiver";
            self.wrong(format!("{pointer}/url"), &why, remedy);
        }
        if let Some(error) = it.secret.as_ref().and_then(|s| Secret::parse(s).err()) {
            let remedy = "write `whsec_` and base64 of 24 to 64 bytes, or leave it out";
            self.wrong(format!("{pointer}/secret"), &error.to_string(), remedy);
        }
        let bad = it.events.iter().position(|p| EventPattern::parse(p).is_none());
        if let Some(at) = bad.or((it.events.len() > EVENTS_MAX).then_some(EVENTS_MAX)) {
            self.wrong(
                format!("{pointer}/events/{at}"),
                "is not a pattern of events",
                "write a type (\"message.delivered\") or all below a prefix (\"message.*\"), at most 64",
            );
        }
        for (at, pattern) in it.events.iter().enumerate().take(EVENTS_MAX) {
            let Some(pattern) = EventPattern::parse(pattern).filter(|pattern| !pattern.means_something()) else {
                continue;
            };
            let remedy = match pattern.nearest() {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => "GET /v1/openapi.json lists the notifications".to_owned(),
            };
            self.wrong(format!("{pointer}/events/{at}"), "names no notification", &remedy);
        }
        if let Some(since) = &it.since
            && since.as_str() != Some("beginning")
            && let Err(fault) = time::read(&format!("{pointer}/since"), since)
        {
            self.faults.push(fault);
        }
    }

    /// The same name, or the same number, twice in one document.
    fn twice(&mut self, ask: &Ask) {
        let mut seen = HashSet::new();
        let mut again = Vec::new();
        let mut see = |key: (&'static str, &str, &str), pointer: String| {
            if !seen.insert((key.0, key.1.to_owned(), key.2.to_owned())) {
                again.push(pointer);
            }
        };
        for (at, it) in ask.tenants.iter().enumerate() {
            see(("tenant", "", &it.name), format!("/tenants/{at}/name"));
        }
        for (at, it) in ask.portfolios.iter().enumerate() {
            see(("portfolio", "", &it.name), format!("/portfolios/{at}/name"));
        }
        for (at, it) in ask.sessions.iter().enumerate() {
            see(("session", &it.tenant, &it.name), format!("/sessions/{at}/name"));
            let number = format!("/sessions/{at}/phone_number_id");
            see(("number", "", &it.phone_number_id), number);
        }
        for (at, it) in ask.pools.iter().enumerate() {
            see(("pool", &it.tenant, &it.name), format!("/pools/{at}/name"));
        }
        for (at, it) in ask.endpoints.iter().enumerate() {
            see(("endpoint", &it.tenant, &it.name), format!("/endpoints/{at}/name"));
        }
        for (at, it) in ask.keys.iter().enumerate() {
            see(("key", &it.tenant, &it.name), format!("/keys/{at}/name"));
        }
        for pointer in again {
            self.wrong(pointer, "stands twice in this document", "remove one of them");
        }
    }

    fn room(&mut self, ask: &Ask) {
        let directory = &self.app.directory;
        let is_new = |kind, tenant: &str, name: &str| {
            let tenant = self.tenants.get(tenant).copied().unwrap_or_default();
            usize::from(!directory.knows(kind, tenant, name))
        };
        let asked = ask.tenants.iter().map(|it| is_new("tenant", "", &it.name)).sum::<usize>()
            + ask.portfolios.iter().map(|it| is_new("portfolio", "", &it.name)).sum::<usize>()
            + ask.sessions.iter().map(|it| is_new("session", &it.tenant, &it.name)).sum::<usize>()
            + ask.pools.iter().map(|it| is_new("session", &it.tenant, &it.name)).sum::<usize>()
            + ask.endpoints.iter().map(|it| is_new("endpoint", &it.tenant, &it.name)).sum::<usize>();
        if directory.len() + asked > MAX_NAMES {
            let remedy = "an installation holds at most 200,000 names";
            self.wrong(String::new(), "declares too many things", remedy);
        }
    }
}

/// A text as the vault keeps it.
pub fn secret(text: &str) -> SecretBytes {
    SecretBytes::new(text.as_bytes().to_vec())
}
