//! Consent at acceptance: what could never leave is refused at once, so that the caller hears of it.
//!
//! The contact's row is another partition's and may lag behind its journal, so nobody is refused by a row before that
//! partition has caught up; where it does not soon, the message is taken. It decides nothing else: the gate before the
//! call reads the row again and has the last word.

use std::time::Duration;

use super::super::applied::caught_up;
use super::super::auth::Caller;
use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::state::App;
use super::super::time;
use crate::domain::admission::{self, Admitted, Asked, Defaults, Refused, Standing};
use crate::domain::consent::{Gates, NO_OPT_IN, WINDOW_CLOSED};
use crate::domain::event::Category;
use crate::domain::id::KeyId;
use crate::domain::record::Micros;
use crate::domain::row::{ContactRow, Row, RowId};
use crate::runtime::zone;
use crate::store::rows;

/// How long the contact's partition may take to catch up before the message is taken unjudged.
const PATIENCE: Duration = Duration::from_secs(1);

/// Decides, with the contact's row where a gate asks for it: most messages are templates and no marketing.
pub(super) async fn admit(
    app: &App,
    caller: &Caller,
    asked: Asked,
    (standing, contact): (Standing<'_>, KeyId),
    defaults: &Defaults,
) -> Result<(Result<Admitted, Refused>, Option<ContactRow>), Problem> {
    let gates = gates(app, caller).await?;
    let judge = |row: Option<&ContactRow>, gates| {
        admission::admit(asked, Standing { contact: row, ..standing }, defaults, gates)
    };
    if !gates.ask(admission::category(asked), asked.kind) {
        return Ok((judge(None, Some(gates)), None));
    }
    let row = contact_row(app, contact).await?;
    let decided = judge(row.as_ref(), Some(gates));
    if !matches!(decided, Err(Refused::Consent(_))) {
        return Ok((decided, row));
    }
    let certain = caught_up(app, app.partition_of(contact), PATIENCE).await?;
    let row = contact_row(app, contact).await?;
    Ok((judge(row.as_ref(), certain.then_some(gates)), row))
}

/// When the recipient's quiet hours end, if marketing that may leave then would meet them.
pub(super) async fn quiet_until(
    app: &App,
    caller: &Caller,
    asked: &Asked,
    to: &str,
    now: Micros,
) -> Result<Option<Micros>, Problem> {
    if admission::category(*asked) != Category::Marketing {
        return Ok(None);
    }
    let at = asked.leaves_at(now);
    let tenant = app.directory.tenant(app, caller.scope.tenant()).await?;
    let quiet = tenant.as_ref().and_then(|tenant| tenant.quiet_hours.as_ref());
    Ok(quiet.and_then(|quiet| quiet.until(&zone::offsets(to, &quiet.zone, at), at)))
}

/// What the caller is told who left no time after the recipient's quiet hours.
pub(super) fn quiet(until: Micros) -> Problem {
    let until = time::stamp(until);
    let until = until.as_str().unwrap_or("a time out of range");
    Problem::new(Code::QuietHours, format!("it would expire before the recipient's quiet hours end, at {until}"))
        .remedy("let it expire later; `quiet_hours` of the tenant decides when marketing waits")
}

/// The installation's, with what the tenant has otherwise.
pub(in crate::api) async fn gates(app: &App, caller: &Caller) -> Result<Gates, Problem> {
    let consent = &app.settings.consent;
    let gates = Gates { require_opt_in: consent.require_opt_in, require_window: consent.require_window };
    let tenant = app.directory.tenant(app, caller.scope.tenant()).await?;
    Ok(tenant.map_or(gates, |tenant| gates.with(tenant.gates)))
}

async fn contact_row(app: &App, contact: KeyId) -> Result<Option<ContactRow>, Problem> {
    Ok(match rows::get(&*app.store, &RowId::Contact(contact)).await? {
        Some(Row::Contact(row)) => Some(row),
        _ => None,
    })
}

/// What the caller is told of a gate.
pub(super) fn refused(gate: &'static str) -> Problem {
    match gate {
        NO_OPT_IN => Problem::new(Code::NoOptIn, "nothing is recorded of the recipient having allowed marketing").remedy(
            "record the opt-in that the person gave with PUT /v1/contacts/consent; `require_opt_in` of the tenant or of \
             [consent] decides whether one is needed",
        ),
        WINDOW_CLOSED => Problem::new(
            Code::WindowClosed,
            "the recipient has not written to this sender within 24 hours, as far as Meta's callbacks told",
        )
        .remedy(
            "send a template; `require_window` of the tenant or of [consent] decides whether a known window is needed",
        ),
        _ => Problem::new(Code::ConsentRefused, format!("the recipient may not be written to: {gate}"))
            .remedy("record a new consent with PUT /v1/contacts/consent only if the person gave one"),
    }
}
