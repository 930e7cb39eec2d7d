//! A checkpoint: the text that a log signs about itself (C2SP tlog-checkpoint): origin, size, root.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::id::InstallationId;
use super::hash::Hash;

/// What a log says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: `waybill/` and the installation.
    pub origin: String,
    /// How many leaves it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Text that is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Fewer than three lines, or the last one without its end.
    #[error("a checkpoint has three lines: origin, size and root")]
    Lines,
    /// No origin.
    #[error("the first line of a checkpoint is its origin, and that is empty")]
    Origin,
    /// No decimal number, or one with zeros in front.
    #[error("the second line of a checkpoint is its size, a decimal number")]
    Size,
    /// No 32 bytes in base64.
    #[error("the third line of a checkpoint is its root, 32 bytes in base64")]
    Root,
}

/// The name of an installation's log: 0 for the first, which most installations never leave.
#[must_use]
pub fn origin(installation: InstallationId, era: u32) -> String {
    if era == 0 { format!("waybill/{installation}") } else { format!("waybill/{installation}/{era}") }
}

impl Checkpoint {
    /// Which log of this installation it is of, if it is of one.
    #[must_use]
    pub fn era(&self, installation: InstallationId) -> Option<u32> {
        match self.origin.strip_prefix(&origin(installation, 0))? {
            "" => Some(0),
            rest => rest.strip_prefix('/')?.parse().ok(),
        }
    }

    /// Reads the text of a note. Lines after the third are extensions, which are not looked at.
    ///
    /// # Errors
    /// Says which line is none.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?;
        let mut lines = body.split('\n');
        let mut next = || lines.next().ok_or(CheckpointError::Lines);
        let (origin, size, root) = (next()?, next()?, next()?);
        if origin.is_empty() {
            return Err(CheckpointError::Origin);
        }
        let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || (size.len() > 1 && size.starts_with('0')) {
            return Err(CheckpointError::Size);
        }
        let size = size.parse().map_err(|_| CheckpointError::Size)?;
        let root = STANDARD.decode(root).ok().and_then(|root| root.try_into().ok()).ok_or(CheckpointError::Root)?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_example_of_the_specification_is_read_and_written() {
        let read = Checkpoint::parse(TEXT).expect("a checkpoint");
        assert_eq!((read.size, read.to_string().as_str()), (20_852_163, TEXT));
        let extended = format!("{TEXT}an extension\n");
        assert_eq!(Checkpoint::parse(&extended), Ok(read));
    }

    #[test]
    fn what_is_none_is_refused_with_its_line() {
        let with = |from: &str, to: &str| Checkpoint::parse(&TEXT.replace(from, to));
        assert_eq!(Checkpoint::parse(""), Err(CheckpointError::Lines));
        assert_eq!(Checkpoint::parse("a\n1\n"), Err(CheckpointError::Lines));
        assert_eq!(Checkpoint::parse(TEXT.trim_end()), Err(CheckpointError::Lines));
        assert_eq!(with("example.com/behind-the-sofa", ""), Err(CheckpointError::Origin));
        for size in ["", "020852163", "+1", "-1", "1e3", "18446744073709551616", "1 "] {
            assert_eq!(with("20852163", size), Err(CheckpointError::Size), "{size}");
        }
        for root in ["", "CsUY", "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I", "!"] {
            assert_eq!(
                with("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", root),
                Err(CheckpointError::Root),
                "{root}"
            );
        }
    }

    #[test]
    fn an_origin_says_which_log_of_which_installation() {
        let ours = InstallationId([7; 16]);
        let era = |origin: String| Checkpoint { origin, size: 0, root: [0; 32] }.era(ours);
        assert_eq!([0, 12].map(|number| era(origin(ours, number))), [Some(0), Some(12)]);
        for other in [origin(InstallationId([8; 16]), 12), format!("waybill/{ours}12"), ours.to_string()] {
            assert_eq!(era(other.clone()), None, "{other}");
        }
    }
}
