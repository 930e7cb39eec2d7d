//! Who speaks for a session: its channel and its token, which a declaration may change.

use std::sync::Arc;

use ractor::ActorProcessingErr;

use super::actor::{SessionArgs, State};
use super::attempt::Sender;
use crate::channel::Credential;
use crate::domain::id::BudgetId;

impl State {
    /// Its row was declared anew, and its token may be another one. What cannot be read is read again by the next turn.
    pub(super) async fn renew_sender(&mut self) {
        match sender(&self.args).await {
            Ok(sender) => {
                self.sender = sender;
                self.sender_is_old = false;
            }
            Err(error) => tracing::warn!(session = %self.args.session, %error, "the sender cannot be read"),
        }
    }
}

/// The portfolio it belongs to. A test reaches nobody, and counts nowhere.
pub(super) fn portfolio(args: &SessionArgs) -> Option<BudgetId> {
    let name = args.row.portfolio.as_deref().filter(|_| !args.row.test)?;
    Some(BudgetId::portfolio(args.hands.journal.genesis().installation, name))
}

/// Who speaks for the session: its channel, or the test channel, and its token.
pub(super) async fn sender(args: &SessionArgs) -> Result<Sender, ActorProcessingErr> {
    let hands = &args.hands;
    let channel = if args.row.test {
        Arc::clone(&hands.test_channel)
    } else {
        let known = hands.channels.get(&args.row.channel);
        Arc::clone(known.ok_or_else(|| format!("channel `{}` is not in this build", args.row.channel))?)
    };
    let name = crate::domain::secret_name::session_token(args.session);
    let secret = hands.vault.secret(Some(args.row.tenant), &name).await?;
    let token = secret.map(|secret| secret.to_text()).unwrap_or_default();
    Ok(Sender {
        session: args.session,
        partition: args.partition,
        account: args.row.account.clone(),
        credential: Arc::new(Credential::new(token)),
        channel,
        portfolio: portfolio(args),
    })
}
