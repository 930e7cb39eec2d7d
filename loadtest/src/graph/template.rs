//! Template sends: what must be in one, and whether it fits the template it names.

use super::config::Template;
use super::error::GraphError;
use super::request::{missing, parse};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The part of a template send that is checked.
#[derive(Debug, Deserialize)]
pub(super) struct TemplateCall<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    language: Option<Language<'a>>,
    #[serde(default, borrow)]
    components: Vec<Component<'a>>,
}

#[derive(Debug, Deserialize)]
struct Language<'a> {
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
struct Component<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    parameters: Vec<&'a RawValue>,
}

/// Checks the shape of a template send.
pub(super) fn check_template(content: &RawValue) -> Result<TemplateCall<'_>, GraphError> {
    let call: TemplateCall<'_> = parse("template", content)?;
    if call.name.as_deref().unwrap_or_default().is_empty() {
        return Err(missing("template.name", "template"));
    }
    if call.language.as_ref().and_then(|l| l.code.as_deref()).unwrap_or_default().is_empty() {
        return Err(missing("template.language.code", "template"));
    }
    Ok(call)
}

impl TemplateCall<'_> {
    /// Finds the template and checks its parameters.
    pub(super) fn check_against<'t>(&self, templates: &'t [Template]) -> Result<&'t Template, GraphError> {
        let name = self.name.as_deref().unwrap_or_default();
        let language = self.language.as_ref().and_then(|l| l.code.as_deref()).unwrap_or_default();
        let found = templates.iter().find(|t| t.name == name && t.language == language);
        let template = found
            .ok_or_else(|| GraphError::with(132_001, format!("template name ({name}) does not exist in {language}")))?;
        match template.status.as_str() {
            "APPROVED" => {}
            "PAUSED" => return Err(GraphError::new(132_015)),
            "DISABLED" => return Err(GraphError::new(132_016)),
            _ => {
                return Err(GraphError::with(132_001, format!("template name ({name}) is not approved in {language}")));
            }
        }
        let body = self.components.iter().filter(|c| c.kind.eq_ignore_ascii_case("body"));
        let (given, expected) = (body.map(|c| c.parameters.len()).sum::<usize>(), template.body_parameters);
        if given == expected {
            return Ok(template);
        }
        let details = format!(
            "body: number of localizable_params ({given}) does not match the expected number of params ({expected})"
        );
        Err(GraphError::with(132_000, details))
    }
}
