//! Which failures are asked for, as callers write it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::super::auth::TenantScope;
use super::super::directory::Session;
use super::super::problem::{Problem, fault};
use super::super::state::App;
use super::super::time;
use crate::domain::content::Problem as Fault;
use crate::domain::event::Category;
use crate::domain::filter::{Filter, STATES};
use crate::domain::record::Micros;

/// The filter's words.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Name of the session.
    pub session: Option<String>,
    /// `failed`, `expired` or `unknown`.
    pub state: Option<String>,
    /// `authentication`, `utility`, `marketing` or `service`.
    pub category: Option<String>,
    /// Failure class or reason.
    pub class: Option<String>,
    /// The provider's code.
    pub code: Option<i32>,
    /// Name of the template.
    pub template: Option<String>,
    /// Before this time.
    pub before: Option<String>,
    /// At this time or after it.
    pub after: Option<String>,
}

/// The filter, and the session it names.
pub struct Asked {
    /// The filter.
    pub filter: Filter,
    /// The session.
    pub session: Option<Arc<Session>>,
}

impl Wanted {
    /// Reads it; `at` is the pointer to it.
    ///
    /// # Errors
    /// `not_found` for an unknown session, `invalid_request` for the other words.
    pub async fn read(&self, app: &App, scope: TenantScope, at: &str) -> Result<Asked, Problem> {
        let session = app.directory.session_asked(app, scope.tenant(), self.session.as_deref()).await?;
        let mut faults = Vec::new();
        let states = STATES.map(|state| (state.word(), state));
        let categories = [
            ("authentication", Category::Authentication),
            ("utility", Category::Utility),
            ("marketing", Category::Marketing),
            ("service", Category::Service),
        ];
        let filter = Filter {
            session: session.as_ref().map(|session| session.id),
            state: one_of(&format!("{at}/state"), self.state.as_deref(), &states, &mut faults),
            category: one_of(&format!("{at}/category"), self.category.as_deref(), &categories, &mut faults),
            class: self.class.clone(),
            code: self.code,
            template: self.template.clone(),
            before: moment(&format!("{at}/before"), self.before.as_deref(), &mut faults),
            after: moment(&format!("{at}/after"), self.after.as_deref(), &mut faults),
        };
        if faults.is_empty() { Ok(Asked { filter, session }) } else { Err(Problem::invalid(faults)) }
    }
}

fn one_of<T: Copy>(pointer: &str, text: Option<&str>, known: &[(&str, T)], faults: &mut Vec<Fault>) -> Option<T> {
    let text = text?;
    let found = known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        faults.push(fault(pointer, "is none of the words it can be", format!("choose from {}", words.join(", "))));
    }
    found
}

fn moment(pointer: &str, text: Option<&str>, faults: &mut Vec<Fault>) -> Option<Micros> {
    let read = time::read(pointer, &Value::from(text?));
    read.map_err(|fault| faults.push(fault)).ok()
}
