//! Checks of single values beyond their kind: ranges, lengths, forms.

#![allow(clippy::ptr_arg, reason = "a check is a function of a reference to its field's own type, such as String")]

use std::net::IpAddr;
use std::ops::RangeInclusive;

use url::{Host, Url};

use super::setting::{Setting, quote};

/// Why a value of the right kind is still refused.
pub(super) struct Complaint {
    pub(super) what: String,
    pub(super) remedy: String,
}

impl Complaint {
    pub(super) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }
}

/// The outcome of a check.
pub(super) type Verdict = Result<(), Complaint>;

/// Passes where `good`, else refuses with this text.
pub(super) fn require(good: bool, what: impl Into<String>, remedy: impl Into<String>) -> Verdict {
    if good { Ok(()) } else { Err(Complaint::new(what, remedy)) }
}

/// The value lies in the range, both ends included.
pub(super) fn within<T: Setting + PartialOrd>(range: RangeInclusive<T>) -> impl Fn(&T) -> Verdict {
    move |value| {
        let (low, high) = (range.start().spell(), range.end().spell());
        require(
            range.contains(value),
            format!("{} is out of range", value.spell()),
            format!("Choose from {low} to {high}"),
        )
    }
}

/// Applies a check to a value that was written, and passes one that was not.
pub(super) fn if_set<T>(check: impl Fn(&T) -> Verdict) -> impl Fn(&Option<T>) -> Verdict {
    move |value| value.as_ref().map_or(Ok(()), &check)
}

/// The list has that many elements, and each passes; the first that does not is named by its number from 0.
pub(super) fn each<T>(count: RangeInclusive<usize>, check: impl Fn(&T) -> Verdict) -> impl Fn(&Vec<T>) -> Verdict {
    move |list| {
        let (low, high) = (count.start(), count.end());
        require(
            count.contains(&list.len()),
            format!("the list has {} elements", list.len()),
            format!("Give {low} to {high}"),
        )?;
        for (index, value) in list.iter().enumerate() {
            check(value).map_err(|found| Complaint::new(format!("element {index}: {}", found.what), found.remedy))?;
        }
        Ok(())
    }
}

/// The text is not empty and has at most this many characters.
pub(super) fn filled(longest: usize) -> impl Fn(&String) -> Verdict {
    move |text| {
        let length = text.chars().count();
        require(
            (1..=longest).contains(&length),
            format!("the text has {length} characters"),
            format!("Give 1 to {longest} characters"),
        )
    }
}

/// Graph API versions are written `v25.0`.
pub(super) fn graph_version(text: &String) -> Verdict {
    let number = |part: &str| !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    let good = text
        .strip_prefix('v')
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(major, minor)| number(major) && number(minor));
    require(good, format!("{} is not a version of the Graph API", quote(text)), "Write it as \"v25.0\"")
}

/// A broker's address.
pub(super) fn broker(text: &String) -> Verdict {
    let what = format!("{} is not the address of a broker", quote(text));
    require(is_address(text), what, "Write it as \"kafka-1.internal:9092\"")
}

/// The address of a node of a CQL cluster.
pub(super) fn node(text: &String) -> Verdict {
    let what = format!("{} is not the address of a node", quote(text));
    require(is_address(text), what, "Write it as \"scylla-1.internal:9042\"")
}

/// A host, an IPv6 address in square brackets too, and a port.
fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
        !host.is_empty() && host.chars().all(plain) && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

/// The name of a keyspace, in the letters that need no quotes anywhere.
pub(super) fn keyspace(text: &String) -> Verdict {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let good = text.len() <= 48 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(plain);
    require(
        good,
        format!("{} is not the name of a keyspace", quote(text)),
        "Use 1 to 48 lower-case letters, digits and \"_\", a letter first",
    )
}

/// The name of a topic, as Kafka allows it.
pub(super) fn topic(text: &String) -> Verdict {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let good = (1..=249).contains(&text.len()) && text.chars().all(plain) && text != "." && text != "..";
    require(
        good,
        format!("{} is not the name of a topic", quote(text)),
        "Use 1 to 249 letters, digits, \".\", \"_\" and \"-\"",
    )
}

/// Meta's ids are strings of digits, too long for some number types.
pub(super) fn digits(text: &String) -> Verdict {
    let good = (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    require(
        good,
        format!("{} is not an id of Meta", quote(text)),
        "Copy the 1 to 32 digits from the app dashboard, in double quotes",
    )
}

/// The path of a URL on our own listener, outside the paths that are taken.
pub(super) fn callback_path(text: &String) -> Verdict {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    let good = text.len() > 1 && text.len() <= 128 && text.starts_with('/') && text.chars().all(plain);
    require(
        good,
        format!("{} is not a path", quote(text)),
        "Begin with \"/\" and use letters, digits, \"-\", \"_\", \".\" and \"~\"",
    )?;
    let taken = ["v1", "console", "metrics", "health", "healthz", "livez", "readyz"];
    let first = text.trim_start_matches('/').split('/').next().unwrap_or("");
    require(
        !taken.contains(&first),
        format!("paths under \"/{first}\" are taken"),
        "Choose another path, such as \"/callbacks/meta\"",
    )
}

/// http or https, with a host, without credentials and without a fragment.
pub(super) fn web_url(url: &Url) -> Verdict {
    require(
        matches!(url.scheme(), "http" | "https"),
        format!("the scheme is {:?}", url.scheme()),
        "Begin with \"https://\"",
    )?;
    let bare = url.username().is_empty() && url.password().is_none();
    require(bare, "the URL carries a user name or a password", "Leave credentials out of the URL")?;
    require(url.fragment().is_none(), "the URL has a fragment", "Leave out \"#\" and what follows it")
}

/// A base URL that access tokens are sent to: https, or http inside one's own network.
pub(super) fn graph_url(url: &Url) -> Verdict {
    web_url(url)?;
    require(url.query().is_none(), "the URL has a query", "Leave out \"?\" and what follows it")?;
    let private = url.scheme() == "https" || is_private(url);
    require(
        private,
        "access tokens would cross a public network readable by everyone on the way",
        "Begin with \"https://\"",
    )
}

fn is_private(url: &Url) -> bool {
    let address = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    match url.host() {
        Some(Host::Ipv4(v4)) => address(v4.into()),
        Some(Host::Ipv6(v6)) => address(v6.into()),
        // A name without a dot is a neighbour in a container network.
        Some(Host::Domain(name)) => {
            !name.contains('.') || [".localhost", ".internal", ".local"].iter().any(|end| name.ends_with(end))
        }
        None => false,
    }
}

/// A filter of the log, such as `info` or `info,waybill::journal=debug`.
pub(super) fn log_filter(text: &String) -> Verdict {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    // A bare word that is no level would silently mean "only this target": most likely a misspelled level.
    let stray = text.split(',').map(str::trim).find(|part| !part.contains(['=', '[']) && !LEVELS.contains(part));
    let remedy = "Write a level (off, error, warn, info, debug, trace), or levels by target as in \"info,waybill::journal=debug\"";
    require(stray.is_none(), format!("{} is not a level", quote(stray.unwrap_or(""))), remedy)?;
    let parsed = tracing_subscriber::EnvFilter::builder().parse(text);
    parsed.map(drop).map_err(|error| Complaint::new(format!("{} is not a filter: {error}", quote(text)), remedy))
}
