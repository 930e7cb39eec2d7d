//! What a command is given: the printer, the settings, and clients with the right key.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use url::Url;

use super::args::{Color, Global};
use super::client::Client;
use super::failure::Failure;
use super::print::{Printer, Style, terminals};
use crate::config::{Secret, SecretRef, Settings, environment, no_color};

/// Name of the operator's key in the data folder.
pub const OPERATOR_KEY: &str = "operator.key";

/// What the text of an operator's key begins with.
const OPERATOR_PREFIX: &str = "wb_operator_";

/// What a command is given.
#[derive(Debug)]
pub struct Context {
    /// Writes results and remarks.
    pub printer: Printer,
    global: Global,
    env: BTreeMap<String, String>,
}

impl Context {
    /// The context of this process.
    #[must_use]
    pub fn of_process(global: Global) -> Self {
        let (out, err) = terminals();
        let color = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => out && !no_color(),
        };
        let style = Style { json: global.json, quiet: global.quiet, color, live: err };
        Self::new(Printer::terminal(style), global, environment().collect())
    }

    /// A context over other streams and another environment.
    #[must_use]
    pub fn new(printer: Printer, global: Global, env: BTreeMap<String, String>) -> Self {
        Self { printer, global, env }
    }

    /// Whether results are written as JSON.
    #[must_use]
    pub fn json(&self) -> bool {
        self.global.json
    }

    /// Whether the log, which goes to standard error, is coloured.
    #[must_use]
    pub fn log_color(&self) -> bool {
        match self.global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => self.printer.style().live && !no_color(),
        }
    }

    /// The settings file, if one was named.
    #[must_use]
    pub fn config_file(&self) -> Option<&PathBuf> {
        self.global.config.as_ref()
    }

    /// The data folder of the command line, if one was named.
    #[must_use]
    pub fn data(&self) -> Option<&PathBuf> {
        self.global.data.as_ref()
    }

    /// The variables of the environment that may be settings.
    pub fn variables(&self) -> impl Iterator<Item = (String, String)> {
        self.env.iter().map(|(name, value)| (name.clone(), value.clone()))
    }

    /// The settings, with `--data` over them.
    ///
    /// # Errors
    /// Every mistake in the file and the environment.
    pub fn settings(&self) -> Result<Settings, Failure> {
        self.settings_with(&[])
    }

    /// The same, with these variables over those of the environment.
    ///
    /// # Errors
    /// As above.
    pub fn settings_with(&self, over: &[(String, String)]) -> Result<Settings, Failure> {
        let variables = self.variables().filter(|(name, _)| over.iter().all(|(other, _)| other != name));
        let variables = variables.chain(over.iter().cloned());
        let mut settings = Settings::load(self.global.config.as_deref(), variables)?;
        if let Some(dir) = &self.global.data {
            settings.data.dir.clone_from(dir);
        }
        Ok(settings)
    }

    /// A client with the operator's key: the one given, or the one in the data folder.
    ///
    /// # Errors
    /// When there is no key, or no usable address.
    pub fn operator(&self) -> Result<Client, Failure> {
        let settings = self.settings()?;
        let given = match &self.global.key {
            Some(text) => Some(resolve(text)?),
            // A tenant's key in the environment, meant for `waybill send`, opens nothing here.
            None => self.environment_key()?.filter(|key| key.expose().starts_with(OPERATOR_PREFIX)),
        };
        let key = match given {
            Some(key) => key,
            None => operator_key(&settings)?,
        };
        Client::new(self.address(&settings)?, key)
    }

    /// A client with the key of a tenant.
    ///
    /// # Errors
    /// When no key was given, or no usable address.
    pub fn tenant(&self) -> Result<Client, Failure> {
        let missing = || {
            Failure::usage("this command needs an API key of a tenant").remedy(
                "Set WAYBILL_KEY, or give --key env:NAME or --key file:/path. `waybill apply` makes keys and shows them once.",
            )
        };
        let key = self.given_key()?.ok_or_else(missing)?;
        Client::new(self.address(&self.settings()?)?, key)
    }

    fn given_key(&self) -> Result<Option<Secret>, Failure> {
        match &self.global.key {
            Some(text) => resolve(text).map(Some),
            None => self.environment_key(),
        }
    }

    fn environment_key(&self) -> Result<Option<Secret>, Failure> {
        self.env.get("WAYBILL_KEY").map(|text| resolve(text)).transpose()
    }

    fn address(&self, settings: &Settings) -> Result<Url, Failure> {
        match self.global.url.as_ref().or_else(|| self.env.get("WAYBILL_URL")) {
            Some(text) => parse_url(text),
            None => parse_url(&listening_url(settings.server.listen, settings.server.tls_cert.is_some())),
        }
    }
}

/// A key as it was given: the key itself, or where it is.
fn resolve(text: &str) -> Result<Secret, Failure> {
    if text.is_empty() {
        return Err(
            Failure::usage("the key is empty").remedy("Give the whole key, or leave --key and WAYBILL_KEY out.")
        );
    }
    let secret = match SecretRef::parse(text) {
        Some(reference) => reference.resolve()?,
        None => Secret::new(text.to_owned()),
    };
    // `WAYBILL_KEY=$(…)` brings along the line break of a file with CRLF.
    let key = secret.expose().trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::usage("the key holds blanks, line breaks or other characters that no key has").remedy(
            "Give one whole key in --key or WAYBILL_KEY, or a reference to where it is: env:NAME or file:/path.",
        ));
    }
    Ok(Secret::new(key.to_owned()))
}

/// The address at which a server that listens there is reached from this machine.
#[must_use]
pub fn listening_url(listen: SocketAddr, tls: bool) -> String {
    let ip = match listen.ip() {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{}", SocketAddr::new(ip, listen.port()))
}

fn parse_url(text: &str) -> Result<Url, Failure> {
    let wrong = |what: &str| {
        Failure::usage(format!("the address of the server, {text:?}, {what}"))
            .remedy("Write it as http://host:port or https://host.")
    };
    let url = Url::parse(text).map_err(|error| wrong(&format!("is no URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("is neither http:// nor https:// with a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds a user or a password"));
    }
    Ok(url)
}

/// The key of the node on this machine.
fn operator_key(settings: &Settings) -> Result<Secret, Failure> {
    let path = settings.data.dir.join(OPERATOR_KEY);
    let read = std::fs::read_to_string(&path).map_err(|error| {
        Failure::usage(format!("there is no key: {} cannot be read: {error}", path.display())).remedy(
            "On the machine of the server, name its data folder with --data or --config and run as its user. \
             Elsewhere set WAYBILL_KEY, or give --key env:NAME or --key file:/path.",
        )
    })?;
    match read.trim() {
        "" => Err(Failure::usage(format!("{} is empty", path.display()))
            .remedy("Stop the server, remove the file, and start the server again: it then makes a new key.")),
        key => Ok(Secret::new(key.to_owned())),
    }
}
