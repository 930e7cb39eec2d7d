//! Which failures are asked for: the same words for looking at them and for doing something about all of them.

use serde::{Deserialize, Serialize};

use super::event::Category;
use super::id::SessionId;
use super::message::State;
use super::record::Micros;
use super::row::FailingRow;

/// States that a failure can stand in.
pub const STATES: [State; 3] = [State::Failed, State::Expired, State::Unknown];

/// What is asked for; what is left open fits everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Of this sender.
    pub session: Option<SessionId>,
    /// Standing so.
    pub state: Option<State>,
    /// For this purpose.
    pub category: Option<Category>,
    /// With this failure class or reason.
    pub class: Option<String>,
    /// With this code of the provider's.
    pub code: Option<i32>,
    /// With this template.
    pub template: Option<String>,
    /// Before this, when it came to stand so.
    pub before: Option<Micros>,
    /// At this time or after it.
    pub after: Option<Micros>,
}

impl Filter {
    /// Whether a row is asked for.
    #[must_use]
    pub fn matches(&self, row: &FailingRow) -> bool {
        self.session.is_none_or(|session| row.session == session)
            && self.state.is_none_or(|state| row.state == state)
            && self.category.is_none_or(|category| row.category == category)
            && self.class.as_ref().is_none_or(|class| row.class == *class)
            && self.code.is_none_or(|code| row.code == code)
            && self.template.as_ref().is_none_or(|template| row.template.as_ref() == Some(template))
            && self.before.is_none_or(|before| row.at < before)
            && self.after.is_none_or(|after| row.at >= after)
    }
}

#[cfg(test)]
mod tests {
    use super::super::id::MessageId;
    use super::super::record::Position;
    use super::*;

    fn row() -> FailingRow {
        FailingRow {
            message: MessageId([1; 16]),
            session: SessionId([2; 16]),
            category: Category::Utility,
            template: Some("order_update".to_owned()),
            state: State::Failed,
            at: 100,
            since: Position(7),
            class: "recipient".to_owned(),
            code: 131_026,
        }
    }

    #[test]
    fn each_word_of_a_filter_can_keep_a_row_out() {
        let open = Filter::default();
        assert!(open.matches(&row()));
        let fits = [
            Filter { session: Some(SessionId([2; 16])), ..open.clone() },
            Filter { state: Some(State::Failed), ..open.clone() },
            Filter { category: Some(Category::Utility), ..open.clone() },
            Filter { class: Some("recipient".to_owned()), ..open.clone() },
            Filter { code: Some(131_026), ..open.clone() },
            Filter { template: Some("order_update".to_owned()), ..open.clone() },
            Filter { before: Some(101), ..open.clone() },
            Filter { after: Some(100), ..open.clone() },
        ];
        let not = [
            Filter { session: Some(SessionId([3; 16])), ..open.clone() },
            Filter { state: Some(State::Unknown), ..open.clone() },
            Filter { category: Some(Category::Marketing), ..open.clone() },
            Filter { class: Some("request".to_owned()), ..open.clone() },
            Filter { code: Some(0), ..open.clone() },
            Filter { template: Some("order".to_owned()), ..open.clone() },
            Filter { before: Some(100), ..open.clone() },
            Filter { after: Some(101), ..open.clone() },
        ];
        assert!(fits.iter().all(|filter| filter.matches(&row())), "{fits:?}");
        assert!(not.iter().all(|filter| !filter.matches(&row())), "{not:?}");
        let bare = FailingRow { template: None, ..row() };
        assert!(!fits[5].matches(&bare), "no template is not any template");
    }
}
