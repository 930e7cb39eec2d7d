//! The checks themselves. Tolerant where known clients are: `context: null`, a missing `recipient_type`, a missing `type`
//! beside `text`, `language.policy`, unknown fields.

use serde_json::{Map, Value};

use super::{
    BSUID_PREFIX, CLIENT_TOKEN, CLIENT_TOKEN_MAX, Content, Kind, OBJECT_MAX, PhoneError, REFERENCE_MAX, phone,
};

/// Longest text body, characters (Cloud API, "Text messages").
const TEXT_MAX: usize = 4096;
/// Longest template name, characters.
const TEMPLATE_NAME_MAX: usize = 512;

/// Whether a template can be called that.
#[must_use]
pub fn is_template_name(name: &str) -> bool {
    is_word(name, TEMPLATE_NAME_MAX)
}

/// Whether a template can be in this language: Meta's codes are like `en`, `en_US`, `zh_Hant_HK`.
#[must_use]
pub fn is_language(code: &str) -> bool {
    (2..=16).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// One thing that is wrong with a request. Never repeats the value: it may be a person's.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Where: a JSON pointer into the request.
    pub pointer: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

struct Check {
    object: Map<String, Value>,
    problems: Vec<Problem>,
}

pub(super) fn check(value: Value) -> Result<Content, Vec<Problem>> {
    let Value::Object(object) = value else {
        return Err(vec![problem("", "is not a JSON object", "send one message object")]);
    };
    let mut check = Check { object, problems: Vec::new() };
    check.object.retain(|_, value| !value.is_null());
    let to = check.recipient();
    let client_token = check.text_field(CLIENT_TOKEN, CLIENT_TOKEN_MAX, str::len, "bytes");
    let reference = check.text_field("reference", REFERENCE_MAX, |text| text.chars().count(), "characters");
    if reference.as_ref().is_some_and(|text| text.chars().any(super::super::text::disturbs)) {
        check.wrong("/reference", "holds control characters", "write it in visible characters, on one line");
    }
    check.product();
    let kind = check.kind();
    check.size();
    match (to, kind) {
        (Some(to), Some(kind)) if check.problems.is_empty() => {
            Ok(Content { to, kind, object: check.object, reference, client_token })
        }
        _ => Err(check.problems),
    }
}

fn problem(pointer: &str, what: impl Into<String>, remedy: impl Into<String>) -> Problem {
    Problem { pointer: pointer.to_owned(), what: what.into(), remedy: remedy.into() }
}

impl Check {
    fn wrong(&mut self, pointer: &str, what: impl Into<String>, remedy: impl Into<String>) {
        self.problems.push(problem(pointer, what, remedy));
    }

    /// Takes `to` and `recipient` out. If both are given, `to` wins (Meta, "Business-scoped user ids").
    fn recipient(&mut self) -> Option<String> {
        let to = self.object.remove("to");
        let recipient = self.object.remove("recipient");
        match self.object.get("recipient_type").map(|kind| kind.as_str()) {
            None | Some(Some("individual")) => {}
            Some(_) => {
                self.wrong("/recipient_type", "is not `individual`", "send to one person; groups are not supported");
                return None;
            }
        }
        match (to, recipient) {
            (Some(Value::String(to)), _) => match to.strip_prefix(BSUID_PREFIX) {
                Some(id) => self.bsuid("/to", id),
                None => self.phone(&to),
            },
            (None, Some(Value::String(id))) => self.bsuid("/recipient", &id),
            (None, None) => {
                self.wrong("/to", "is missing", "name the recipient's phone number, with `+` and country code");
                None
            }
            (to, _) => {
                let pointer = if to.is_some() { "/to" } else { "/recipient" };
                self.wrong(pointer, "is not a string", "write it in quotes");
                None
            }
        }
    }

    fn phone(&mut self, text: &str) -> Option<String> {
        let error = match phone(text) {
            Ok(phone) => return Some(phone),
            Err(error) => error,
        };
        let remedy = match error {
            PhoneError::Zero => "write the international form: `+`, country code, number without its leading zero",
            _ => "write `+`, country code and number, or name a business-scoped user id in `recipient`",
        };
        self.wrong("/to", error.to_string(), remedy);
        None
    }

    /// `US.` and digits, or `US.ENT.` and digits; the alphabet is kept wide, Meta may extend it.
    fn bsuid(&mut self, pointer: &str, id: &str) -> Option<String> {
        let good = (4..=128).contains(&id.len())
            && id.contains('.')
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if !good {
            self.wrong(
                pointer,
                "is not a business-scoped user id",
                "write it as Meta's callback gave it, like `US.1234`",
            );
            return None;
        }
        Some(format!("{BSUID_PREFIX}{id}"))
    }

    /// Takes an optional string out and bounds it.
    fn text_field(&mut self, name: &str, max: usize, size: fn(&str) -> usize, unit: &str) -> Option<String> {
        let pointer = format!("/{name}");
        match self.object.remove(name)? {
            Value::String(text) if size(&text) <= max => Some(text),
            Value::String(_) => {
                self.wrong(&pointer, format!("is longer than {max} {unit}"), "shorten it");
                None
            }
            _ => {
                self.wrong(&pointer, "is not a string", "write it in quotes");
                None
            }
        }
    }

    fn product(&mut self) {
        match self.object.remove("messaging_product") {
            None => {}
            Some(Value::String(product)) if product == "whatsapp" => {}
            Some(_) => self.wrong("/messaging_product", "is not `whatsapp`", "write `whatsapp` or leave it out"),
        }
        if self.object.get("context").is_some_and(|context| !context.is_object()) {
            self.wrong("/context", "is not an object", "write {\"message_id\": …} or leave it out");
        }
    }

    fn kind(&mut self) -> Option<Kind> {
        if !self.object.contains_key("type") && self.object.contains_key("text") {
            self.object.insert("type".to_owned(), Value::from("text"));
        }
        let name = match self.object.get("type") {
            Some(Value::String(name)) if is_word(name, 64) => name.clone(),
            Some(_) => {
                self.wrong(
                    "/type",
                    "is not a message type",
                    "write a type of the Cloud API, like `text` or `template`",
                );
                return None;
            }
            None => {
                self.wrong("/type", "is missing", "write a type of the Cloud API, like `text` or `template`");
                return None;
            }
        };
        let Some(body) = self.object.get(&name).cloned() else {
            self.wrong(&format!("/{name}"), "is missing", format!("put the content under `{name}`, as `type` says"));
            return None;
        };
        match name.as_str() {
            "text" => self.text(&body),
            "template" => self.template(&body),
            _ => self.opaque(&name, &body),
        }
    }

    fn text(&mut self, text: &Value) -> Option<Kind> {
        match text.get("body") {
            Some(Value::String(body)) if body.is_empty() => {
                self.wrong("/text/body", "is empty", "write a text of 1 to 4096 characters");
            }
            Some(Value::String(body)) if body.chars().count() > TEXT_MAX => {
                self.wrong("/text/body", "is longer than 4096 characters", "shorten it or send several messages");
            }
            Some(Value::String(_)) => return Some(Kind::Text),
            Some(_) => self.wrong("/text/body", "is not a string", "write it in quotes"),
            None => self.wrong("/text/body", "is missing", "write {\"text\": {\"body\": \"…\"}}"),
        }
        None
    }

    fn template(&mut self, template: &Value) -> Option<Kind> {
        let before = self.problems.len();
        let name = template.get("name").and_then(Value::as_str);
        if !name.is_some_and(is_template_name) {
            self.wrong("/template/name", "is not a template's name", "lower-case letters, digits and `_`, at most 512");
        }
        let code = template.get("language").and_then(|language| language.get("code")).and_then(Value::as_str);
        if !code.is_some_and(is_language) {
            self.wrong(
                "/template/language/code",
                "is not a language code",
                "write it as the template has it, like `en_US`",
            );
        }
        match template.get("components") {
            None | Some(Value::Null | Value::Array(_)) => {}
            Some(_) => {
                self.wrong("/template/components", "is not an array", "write a list of components, or leave it out")
            }
        }
        (self.problems.len() == before).then_some(Kind::Template)
    }

    /// Other types are Meta's business. `contacts` is an array, all others are objects.
    fn opaque(&mut self, name: &str, body: &Value) -> Option<Kind> {
        if body.is_object() || body.is_array() {
            return Some(Kind::Opaque);
        }
        self.wrong(&format!("/{name}"), "is not an object", "write the content of this type as the Cloud API has it");
        None
    }

    fn size(&mut self) {
        let size = serde_json::to_vec(&self.object).map_or(usize::MAX, |json| json.len());
        if size > OBJECT_MAX {
            self.wrong("", format!("is {size} bytes long"), format!("send at most {OBJECT_MAX} bytes"));
        }
    }
}

fn is_word(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
