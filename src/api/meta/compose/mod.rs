//! What each part of a callback becomes: one event in the mailbox of whoever must act on it, and beside it what that
//! causes in the mailboxes of its people.
//!
//! | part | mailbox | event | beside it |
//! | --- | --- | --- | --- |
//! | status | session | `StatusReported` | opt-out told by code 131050: `ConsentChanged`; enough marketing by 131049: `ContactHeld`; a full portfolio: `PortfolioHeld`; a paused template: `GateAsked` |
//! | inbound | session | `InboundReceived` | `WindowOpened`, `AliasAdded` |
//! | preference | contact | `ConsentChanged` | – |
//! | identity changed | session | `CallbackCarried` | `AliasAdded` |
//! | anything else | session, or a partition for what concerns no session of ours | `CallbackCarried` | – |
//!
//! Every event's id derives, under the tenant's key, from what the part says; what stands beside it from that id.

mod carried;
mod inbound;
mod people;
mod scene;
mod sender;
mod shared;
mod status;

use std::sync::Arc;

use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::state::App;
use super::append::Placed;
use super::body;
use super::callbacks::Callbacks;
use crate::domain::callback::{Part, PartBody};
use crate::domain::failure::CodeTable;
use crate::domain::record::{Micros, RecordError};
use crate::store::StoreError;
use crate::vault::VaultError;

use scene::Scene;
use sender::Sender;

/// Why a part has become no event.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The vault cannot work now: the whole POST comes again.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The store cannot be read now: the whole POST comes again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is the part's own fault: it is carried instead.
    #[error("{0}")]
    Part(String),
}

impl From<RecordError> for Trouble {
    fn from(error: RecordError) -> Self {
        Self::Part(error.to_string())
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Vault(error) => error.into(),
            Trouble::Store(error) => error.into(),
            Trouble::Part(why) => {
                tracing::error!(why, "a part of a callback could not even be carried");
                Self::new(Code::Unavailable, "a part could not be written down").retry_after(60)
            }
        }
    }
}

/// Composes the events of one POST.
pub(super) struct Composer {
    app: Arc<App>,
    codes: Arc<CodeTable>,
    now: Micros,
}

impl Composer {
    pub(super) fn new(callbacks: &Callbacks) -> Self {
        Self { now: callbacks.app.clock.wall(), app: Arc::clone(&callbacks.app), codes: Arc::clone(&callbacks.codes) }
    }

    /// When the POST arrived.
    pub(super) fn now(&self) -> Micros {
        self.now
    }

    /// The events of one part. What cannot be composed as what it says is carried as it came.
    pub(super) async fn part(&self, part: &Part) -> Result<Vec<Placed>, Trouble> {
        match self.as_it_says(part).await {
            Err(Trouble::Part(why)) => {
                tracing::warn!(why, word = part.body.word(), "a part of a callback is carried");
                self.as_it_came(part).await
            }
            composed => composed,
        }
    }

    async fn as_it_says(&self, part: &Part) -> Result<Vec<Placed>, Trouble> {
        if let PartBody::Status { token, .. } = &part.body {
            let of = self.attempt(token.as_deref());
            let (sender, of) = self.sender_of_status(part, of).await?;
            let Some(sender) = sender else {
                return self.carry(part, None).await;
            };
            return status::compose(&self.scene(part, Some(sender)).await?, of).await;
        }
        let Some(sender) = self.sender(part.account.as_deref()).await? else {
            return self.carry(part, None).await;
        };
        match &part.body {
            PartBody::Inbound { .. } => inbound::compose(&self.scene(part, Some(sender)).await?).await,
            PartBody::Preference { .. } => people::preference(&self.scene(part, Some(sender)).await?).await,
            PartBody::IdentityChanged { .. } => people::identity(&self.scene(part, Some(sender)).await?).await,
            _ => {
                let scene = self.scene(part, Some(sender)).await?;
                let contact = scene.known().await?.first().copied();
                carried::compose(&scene, contact, body::of(part)).await
            }
        }
    }

    /// A part as `CallbackCarried`, whatever it says.
    pub(super) async fn as_it_came(&self, part: &Part) -> Result<Vec<Placed>, Trouble> {
        let sender = self.sender(part.account.as_deref()).await?;
        self.carry(part, sender).await
    }

    /// A signed body that is no JSON.
    pub(super) async fn unreadable(&self, bytes: &[u8]) -> Result<Vec<Placed>, Trouble> {
        let part = Part {
            entry: None,
            account: None,
            field: body::UNREADABLE.to_owned(),
            dedup: format!("unreadable|{}", hex::encode(crate::domain::id::derive("body", &[bytes]))),
            person: None,
            body: PartBody::Carried { raw: String::new() },
        };
        let scene = self.scene(&part, None).await?;
        carried::compose(&scene, None, body::unreadable(bytes)).await
    }

    async fn carry(&self, part: &Part, sender: Option<Sender>) -> Result<Vec<Placed>, Trouble> {
        let scene = self.scene(part, sender).await?;
        carried::compose(&scene, None, body::of(part)).await
    }

    async fn scene<'a>(&'a self, part: &'a Part, sender: Option<Sender>) -> Result<Scene<'a>, Trouble> {
        Scene::of(&self.app, &self.codes, self.now, part, sender).await
    }
}
