//! Decoding and validating the body of a send: what Meta refuses before it accepts.
//!
//! Cheap checks only, in Meta's order of codes: 100 for the shape, 131008 for what is missing, 131009 for what is wrong, 132xxx for
//! templates. Unknown fields are passed over, as Meta adds some several times a year.

use super::error::GraphError;
use super::template::{TemplateCall, check_template};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The body as it came. Text is borrowed from it where it needs no unescaping.
#[derive(Debug, Deserialize)]
pub(super) struct SendRequest<'a> {
    #[serde(borrow)]
    messaging_product: Option<Cow<'a, str>>,
    #[serde(borrow)]
    recipient_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    to: Option<Cow<'a, str>>,
    #[serde(borrow)]
    recipient: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub biz_opaque_callback_data: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    template: Option<&'a RawValue>,
    #[serde(borrow)]
    image: Option<&'a RawValue>,
    #[serde(borrow)]
    video: Option<&'a RawValue>,
    #[serde(borrow)]
    audio: Option<&'a RawValue>,
    #[serde(borrow)]
    document: Option<&'a RawValue>,
    #[serde(borrow)]
    sticker: Option<&'a RawValue>,
    #[serde(borrow)]
    location: Option<&'a RawValue>,
    #[serde(borrow)]
    contacts: Option<&'a RawValue>,
    #[serde(borrow)]
    reaction: Option<&'a RawValue>,
    #[serde(borrow)]
    interactive: Option<&'a RawValue>,
}

/// A request that Meta would look at further.
#[derive(Debug)]
pub(super) enum Decoded<'a> {
    /// A message to send.
    Message(Message<'a>),
    /// Mark an inbound message as read (with or without a typing indicator).
    MarkRead,
}

/// A well-formed message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// The recipient as the caller wrote it.
    pub input: Cow<'a, str>,
    /// What the recipient is.
    pub recipient: Recipient,
    /// `text`, `template`, ...
    pub kind: &'static str,
    /// For templates.
    pub template: Option<TemplateCall<'a>>,
}

/// Who a message goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Recipient {
    /// A phone number, digits only.
    Phone(String),
    /// A business-scoped user id.
    UserId(String),
    /// A group id.
    Group(String),
}

impl Recipient {
    /// The id as a key, for limits and rules.
    pub(super) fn key(&self) -> &str {
        match self {
            Self::Phone(id) | Self::UserId(id) | Self::Group(id) => id,
        }
    }
}

#[derive(Debug, Deserialize)]
struct TextBody<'a> {
    #[serde(borrow)]
    body: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
struct Media<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    link: Option<Cow<'a, str>>,
}

pub(super) fn missing(parameter: &str, kind: &str) -> GraphError {
    GraphError::with(131_008, format!("Parameter \"{parameter}\" is mandatory for type \"{kind}\"."))
}

/// Meta's bound on a text, in characters.
const TEXT_MAX: usize = 4096;
/// The bound on `biz_opaque_callback_data` that two clients document, in bytes.
const TOKEN_MAX: usize = 512;

impl<'a> SendRequest<'a> {
    /// Decodes the JSON.
    pub(super) fn decode(body: &'a [u8]) -> Result<Self, GraphError> {
        serde_json::from_slice(body)
            .map_err(|e| GraphError::with(100, format!("The body is not what this call takes: {e}.")))
    }

    /// The content objects with their names.
    fn contents(&self) -> [(&'static str, Option<&'a RawValue>); 11] {
        [
            ("text", self.text),
            ("template", self.template),
            ("image", self.image),
            ("video", self.video),
            ("audio", self.audio),
            ("document", self.document),
            ("sticker", self.sticker),
            ("location", self.location),
            ("contacts", self.contacts),
            ("reaction", self.reaction),
            ("interactive", self.interactive),
        ]
    }

    /// The recipient as written, for the journal, also of a request that is refused.
    pub(super) fn written_recipient(&self) -> &str {
        self.to.as_deref().or(self.recipient.as_deref()).unwrap_or_default()
    }

    /// The type as written, or `text`.
    pub(super) fn written_kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("text")
    }

    /// The first token matching `wbm-[0-9a-z-]+` in any content: the mark of the load generator. Those characters stand in JSON as they
    /// are, so the raw text is searched.
    pub(super) fn marker(&self) -> Option<&'a str> {
        self.contents().into_iter().find_map(|(_, content)| find_marker(content?.get()))
    }

    /// Checks the shape.
    pub(super) fn check(self) -> Result<Decoded<'a>, GraphError> {
        if self.messaging_product.as_deref() != Some("whatsapp") {
            return Err(GraphError::with(100, "The parameter messaging_product is required and must be \"whatsapp\"."));
        }
        if self.status.as_deref() == Some("read") {
            return match &self.message_id {
                Some(id) if id.starts_with("wamid.") => Ok(Decoded::MarkRead),
                Some(_) => Err(GraphError::with(131_009, "message_id is not the id of a message received.")),
                None => Err(missing("message_id", "read")),
            };
        }
        let (kind, content) = self.content()?;
        let template = check_content(kind, content)?;
        if self.biz_opaque_callback_data.as_ref().is_some_and(|token| token.len() > TOKEN_MAX) {
            return Err(GraphError::with(
                131_009,
                format!("biz_opaque_callback_data must be at most {TOKEN_MAX} characters."),
            ));
        }
        let (input, recipient) = self.recipient(kind)?;
        Ok(Decoded::Message(Message { input, recipient, kind, template }))
    }

    /// The one content object, which must be the one `type` names.
    fn content(&self) -> Result<(&'static str, &'a RawValue), GraphError> {
        let written = self.written_kind();
        let all = self.contents();
        let Some((kind, content)) = all.into_iter().find(|(name, _)| *name == written) else {
            let names = all.map(|(name, _)| name).join(", ");
            return Err(GraphError::with(100, format!("Param type must be one of {{{names}}} - got \"{written}\".")));
        };
        if let Some((other, _)) = all.into_iter().find(|(name, content)| *name != kind && content.is_some()) {
            return Err(GraphError::with(100, format!("Unexpected key \"{other}\" for type \"{kind}\".")));
        }
        content.map(|content| (kind, content)).ok_or_else(|| missing(kind, kind))
    }

    fn recipient(self, kind: &str) -> Result<(Cow<'a, str>, Recipient), GraphError> {
        let group = self.recipient_type.as_deref() == Some("group");
        match (self.to, self.recipient) {
            (Some(to), _) if group => Ok((to.clone(), Recipient::Group(to.into_owned()))),
            (Some(to), _) => {
                let digits =
                    digits(&to).ok_or_else(|| GraphError::with(131_009, "\"to\" is not a valid phone number."))?;
                Ok((to, Recipient::Phone(digits)))
            }
            (None, Some(id)) => Ok((id.clone(), Recipient::UserId(id.into_owned()))),
            (None, None) => Err(missing("to", kind)),
        }
    }
}

/// The digits of a phone number written with `+`, spaces, `-` and `()`; none if anything else is in it.
fn digits(written: &str) -> Option<String> {
    let mut found = String::with_capacity(written.len());
    for (at, c) in written.chars().enumerate() {
        match c {
            '0'..='9' => found.push(c),
            '+' if at == 0 => {}
            ' ' | '-' | '(' | ')' => {}
            _ => return None,
        }
    }
    (5..=20).contains(&found.len()).then_some(found)
}

fn find_marker(text: &str) -> Option<&str> {
    let start = text.find("wbm-")?;
    let rest = &text[start..];
    let end = rest.find(|c: char| !matches!(c, '0'..='9' | 'a'..='z' | '-')).unwrap_or(rest.len());
    if end > 4 { Some(&rest[..end]) } else { find_marker(&rest[4..]) }
}

fn check_content<'a>(kind: &str, content: &'a RawValue) -> Result<Option<TemplateCall<'a>>, GraphError> {
    match kind {
        "text" => check_text(content).map(|()| None),
        "template" => check_template(content).map(Some),
        "image" | "video" | "audio" | "document" | "sticker" => check_media(kind, content).map(|()| None),
        "contacts" if !content.get().starts_with('[') => Err(GraphError::with(100, "Param contacts must be an array.")),
        "contacts" => Ok(None),
        other if !content.get().starts_with('{') => {
            Err(GraphError::with(100, format!("Param {other} must be an object.")))
        }
        _ => Ok(None),
    }
}

pub(super) fn parse<'a, T: Deserialize<'a>>(kind: &str, content: &'a RawValue) -> Result<T, GraphError> {
    serde_json::from_str(content.get()).map_err(|e| GraphError::with(100, format!("Invalid param {kind}: {e}.")))
}

fn check_text(content: &RawValue) -> Result<(), GraphError> {
    let text: TextBody<'_> = parse("text", content)?;
    let body = text.body.filter(|body| !body.is_empty()).ok_or_else(|| missing("text.body", "text"))?;
    // Bytes are never fewer than characters: only a long one is counted.
    if body.len() > TEXT_MAX && body.chars().count() > TEXT_MAX {
        return Err(GraphError::with(100, format!("Param text['body'] must be at most {TEXT_MAX} characters long.")));
    }
    Ok(())
}

fn check_media(kind: &str, content: &RawValue) -> Result<(), GraphError> {
    let media: Media<'_> = parse(kind, content)?;
    if media.id.is_some() == media.link.is_some() {
        return Err(GraphError::with(131_009, format!("Exactly one of id and link is needed for type \"{kind}\".")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
