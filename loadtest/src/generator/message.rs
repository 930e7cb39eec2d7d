//! One message: its marker, its recipient, its body.

use super::config::RunConfig;
use serde::Serialize;

/// What is the same for every message of a run.
#[derive(Debug)]
pub(super) struct Composer {
    run: String,
    filler: String,
}

/// One message to send.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub marker: String,
    pub from: String,
    pub to: String,
    pub body: Vec<u8>,
}

#[derive(Serialize)]
struct TextMessage<'a> {
    from: &'a str,
    to: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    text: TextBody<'a>,
    reference: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'a str>,
}

#[derive(Serialize)]
struct TextBody<'a> {
    body: &'a str,
}

const SENTENCE: &str = "Your order is on its way to you. ";

impl Composer {
    pub(super) fn new(config: &RunConfig) -> Self {
        let run = config.run.clone().unwrap_or_else(|| format!("{:08x}", rand::random::<u32>()));
        Self { run, filler: SENTENCE.repeat(config.body_bytes / SENTENCE.len() + 1) }
    }

    /// Message `n`. Recipients are taken in turn, and each always has the same sender.
    pub(super) fn compose(&self, config: &RunConfig, n: u64) -> Outgoing {
        let marker = format!("wbm-{}-{n}", self.run);
        let person = n % config.recipients;
        let sender = usize::try_from(person % config.senders.len() as u64).unwrap_or(0);
        let from = config.senders[sender].clone();
        // +49 1555 and seven digits: a range without subscribers.
        let to = format!("+491555{:07}", config.first_recipient + person);
        let fill = config.body_bytes.saturating_sub(marker.len() + 1).min(self.filler.len());
        let text = format!("{} {marker}", &self.filler[..fill]);
        let body = match &config.body {
            Some(body) => fill_in(body, &[("{from}", &from), ("{to}", &to), ("{text}", &text), ("{marker}", &marker)]),
            None => {
                let (priority, category) = (config.priority.as_deref(), config.category.as_deref());
                let text = TextBody { body: &text };
                let reference = &*marker;
                // Strings into memory: neither can fail.
                serde_json::to_vec(&TextMessage {
                    from: &from,
                    to: &to,
                    kind: "text",
                    text,
                    reference,
                    priority,
                    category,
                })
                .expect("a struct of strings serialises into memory")
            }
        };
        Outgoing { marker, from, to, body }
    }
}

fn fill_in(body: &str, values: &[(&str, &str)]) -> Vec<u8> {
    values.iter().fold(body.to_owned(), |body, (name, value)| body.replace(name, value)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::Composer;
    use crate::generator::RunConfig;
    use serde_json::Value;

    #[test]
    fn messages_are_as_long_as_asked_and_carry_their_marker() {
        let senders = vec!["a".into(), "b".into()];
        let config = RunConfig { senders, recipients: 10, run: Some("r1".into()), ..RunConfig::default() };
        let composer = Composer::new(&config);
        let message = composer.compose(&config, 13);
        let body: Value = serde_json::from_slice(&message.body).expect("JSON");
        let text = body["text"]["body"].as_str().expect("text");
        assert_eq!(text.len(), 600);
        assert!(text.ends_with(" wbm-r1-13"));
        assert_eq!((&*message.from, &*message.to), ("b", "+4915550000003"));
        assert_eq!(composer.compose(&config, 3).from, message.from, "a recipient keeps its sender");
        assert!(body.get("priority").is_none(), "what is not asked for is not written");
        let urgent = RunConfig { first_recipient: 500, priority: Some("urgent".into()), ..config.clone() };
        let message: Value = serde_json::from_slice(&composer.compose(&urgent, 13).body).expect("JSON");
        assert_eq!((&message["to"], &message["priority"]), (&"+4915550000503".into(), &"urgent".into()));
        let own = RunConfig { body: Some(r#"{"to":"{to}","m":"{marker}"}"#.into()), ..config };
        let filled = Composer::new(&own).compose(&own, 2).body;
        assert_eq!(filled, br#"{"to":"+4915550000002","m":"wbm-r1-2"}"#);
    }
}
