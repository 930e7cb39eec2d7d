//! What can be wrong with a secret, an id, an address or the making of the client, in words a customer can act on.
//!
//! No text here carries a secret, nor an address that a name resolved to: these texts are shown to tenants, and a
//! tenant must not be able to use us to look into the operator's own DNS.

use super::address::NotGlobal;

/// Why a text is not a Standard Webhooks signing secret. Never shows any part of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// The text does not begin with `whsec_`.
    #[error("the signing secret must begin with `whsec_`, followed by base64 of 24 to 64 random bytes")]
    Prefix,
    /// The text is an Ed25519 key (`whsk_` or `whpk_`), a scheme that is not offered.
    #[error("`{0}` marks an asymmetric key, which is not supported: give a shared secret that begins with `whsec_`")]
    Asymmetric(&'static str),
    /// What follows the prefix is not standard base64.
    #[error("the signing secret is not standard base64 (characters A-Z a-z 0-9 + /) after `whsec_`")]
    Base64,
    /// Fewer than 24 bytes: too little to resist guessing.
    #[error("the signing secret holds {0} bytes; it needs 24 to 64: make a new one from random bytes")]
    Short(usize),
    /// More than 64 bytes, the maximum of the specification (512 bits).
    #[error("the signing secret holds more than 64 bytes; it needs 24 to 64")]
    Long,
    /// An endpoint without any secret: nothing may leave unsigned.
    #[error("an endpoint needs at least one signing secret")]
    None,
    /// More secrets than may be live at once during rotations.
    #[error("{0} signing secrets are live; at most 4 may be: revoke the oldest before rotating again")]
    TooMany(usize),
}

/// Why a text cannot be a `webhook-id`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDeliveryId {
    /// Empty, or more than 128 characters.
    #[error("a webhook id has 1 to 128 characters, this one has {0}")]
    Length(usize),
    /// A character outside `[A-Za-z0-9_-]`. A dot would let two different messages have one signature.
    #[error("a webhook id consists of letters, digits, `_` and `-`; the character at position {0} is none of them")]
    Character(usize),
}

/// Why an endpoint may not be called. Decided before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The scheme is neither `http` nor `https`.
    #[error("the endpoint's scheme is `{0}`; only https and http can be called")]
    Scheme(String),
    /// The address carries `user:password@`.
    #[error("the endpoint's address must not carry a user name or password")]
    UserInfo,
    /// The address has no host.
    #[error("the endpoint's address has no host")]
    NoHost,
    /// The address is longer than [`super::guard::MAX_URL`] bytes.
    #[error("the endpoint's address has {0} bytes; at most 2048 are allowed")]
    TooLong(usize),
    /// The address is a URL, and yet not what may stand in an HTTP request.
    #[error("the endpoint's address has a host with characters that cannot stand in an HTTP request")]
    NotSendable,
    /// The port is not on the instance's list.
    #[error("port {0} is not among the ports this installation may call")]
    Port(u16),
    /// The host is a literal address that is not publicly reachable.
    #[error("the endpoint's address is {}: only public addresses may be called", .0.class)]
    Literal(NotGlobal),
    /// The host's name has at least one address that is not publicly reachable.
    #[error("the endpoint's name `{host}` resolves to an address that is {}: only public addresses may be called", .found.class)]
    Resolved {
        /// The name as written in the address.
        host: String,
        /// The first address that is not allowed. For the operator's eyes: not part of the text.
        found: NotGlobal,
    },
    /// The connection ended at an address that is not publicly reachable: the second lock behind the resolver.
    #[error("the connection to the endpoint ended at an address that is {}", .0.class)]
    Peer(NotGlobal),
}

/// Why the HTTP client could not be made. Each is a matter for the operator, at start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The deadline is zero or longer than a minute.
    #[error("the webhook timeout must be more than 0 and at most 60 seconds, it is {0:?}")]
    Timeout(std::time::Duration),
    /// The additional certificate authorities could not be read.
    #[error("the additional certificate authorities for webhooks are not a readable PEM bundle: {0}")]
    Roots(reqwest::Error),
    /// A bundle was given and holds no certificate.
    #[error(
        "the additional certificate authorities for webhooks hold no certificate: give PEM blocks `BEGIN CERTIFICATE`"
    )]
    NoRoots,
    /// The client refused its settings; the usual cause is a system without certificate authorities.
    #[error(
        "the webhook client could not be made ({0}); if no certificate authorities are installed, install the `ca-certificates` package"
    )]
    Client(reqwest::Error),
}
