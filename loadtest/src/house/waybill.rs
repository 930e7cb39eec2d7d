//! Waybill as a target: its settings. What ties it to its street is ours, everything else is as it is shipped unless a measurement says
//! otherwise: every event sealed, synced and counted. Consent alone is not asked for: streams are plain texts to strangers.

use super::error::HouseError;
use super::place::{APP_SECRET, CALLBACKS};
use super::target::Site;
use std::path::PathBuf;
use toml::{Table, Value};

/// Settings that tie a node to its street; a measurement that changed them would measure something else, or leave loopback.
const OURS: [(&str, &str); 8] = [
    ("data", "dir"),
    ("server", "listen"),
    ("server", "tls_cert"),
    ("meta", "graph_url"),
    ("meta", "callback_path"),
    ("meta", "app_secrets"),
    ("webhooks", "allow_private"),
    ("webhooks", "allowed_ports"),
];

/// A setting among `settings` that is not the measurement's to choose.
pub(crate) fn not_yours(settings: &Table) -> Option<String> {
    let chosen = |section: &str, key: &str| settings.get(section).and_then(|section| section.get(key)).is_some();
    OURS.iter().find(|(section, key)| chosen(section, key)).map(|(section, key)| format!("{section}.{key}"))
}

/// Where a node keeps everything.
pub(super) fn data(site: &Site<'_>) -> PathBuf {
    site.folder.join("data")
}

/// Writes a node's settings, and gives its arguments.
pub(super) fn arguments(site: &Site<'_>) -> Result<Vec<String>, HouseError> {
    let file = site.folder.join("waybill.toml");
    std::fs::write(&file, text(site)?).map_err(HouseError::Folder)?;
    Ok(vec!["serve".to_owned(), format!("--config={}", file.display())])
}

fn text(site: &Site<'_>) -> Result<String, HouseError> {
    let (data, addr, graph) = (data(site), site.addr, &site.graph);
    let wrong = |why: &dyn std::fmt::Display| HouseError::Settings(why.to_string());
    if let Some(key) = not_yours(site.settings) {
        return Err(wrong(&format!("`{key}` is not a measurement's to choose")));
    }
    // The list may not be empty; 443 is its own default, and nobody is there.
    let ports = if site.customers.is_empty() { &[443][..] } else { &site.customers };
    let base = format!(
        "[data]\ndir = {:?}\n\
         [server]\nlisten = \"{addr}\"\n\
         [meta]\ngraph_url = \"{graph}\"\ncallback_path = \"{CALLBACKS}\"\napp_secrets = [\"literal:{APP_SECRET}\"]\n\
         [webhooks]\nallow_private = true\nallowed_ports = {ports:?}\n\
         [consent]\nrequire_opt_in = false\nrequire_window = false\n\
         [telemetry]\nlog = \"warn\"\n",
        data.display().to_string()
    );
    let mut settings: Table = toml::from_str(&base).map_err(|why| wrong(&why))?;
    lay_over(&mut settings, site.settings);
    toml::to_string(&settings).map_err(|why| wrong(&why))
}

/// Puts `over` on top of `below`, section by section.
fn lay_over(below: &mut Table, over: &Table) {
    for (name, value) in over {
        match (below.get_mut(name), value) {
            (Some(Value::Table(below)), Value::Table(over)) => lay_over(below, over),
            _ => drop(below.insert(name.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Site, not_yours, text};
    use std::collections::BTreeMap;
    use std::path::Path;
    use toml::Table;

    fn site(settings: &Table) -> Site<'_> {
        Site {
            addr: ([127, 0, 0, 1], 20_001).into(),
            folder: Path::new("here"),
            graph: "http://127.0.0.1:9".to_owned(),
            settings,
            linger_us: 0,
            senders: BTreeMap::new(),
            customers: vec![20_002],
            webhook: None,
        }
    }

    #[test]
    fn settings_are_laid_over_and_the_street_stays() {
        let over: Table =
            toml::from_str("[telemetry]\nlog_format = \"json\"\n[delivery.expiry]\nutility = \"1h\"").expect("TOML");
        let whole: Table = toml::from_str(&text(&site(&over)).expect("settings")).expect("TOML");
        assert_eq!(whole["telemetry"]["log"].as_str(), Some("warn"), "a section is not replaced as a whole");
        assert_eq!(whole["telemetry"]["log_format"].as_str(), Some("json"));
        assert_eq!(whole["delivery"]["expiry"]["utility"].as_str(), Some("1h"));
        assert_eq!(whole["server"]["listen"].as_str(), Some("127.0.0.1:20001"));
        assert_eq!(whole["webhooks"]["allowed_ports"].as_array().map(Vec::len), Some(1));
        let away: Table = toml::from_str("[meta]\ngraph_url = \"https://graph.facebook.com\"").expect("TOML");
        assert_eq!(not_yours(&away).as_deref(), Some("meta.graph_url"));
        assert!(text(&site(&away)).is_err());
    }
}
