//! Settings with a closed list of words, such as `verify = "all"`.

/// Declares an enumeration and how each of its values is written.
macro_rules! choice {
    ($(#[$meta:meta])* pub enum $name:ident { $( $(#[$doc:meta])* $variant:ident = $word:literal, )+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $( $(#[$doc])* $variant, )+ }

        impl $name {
            /// The word it is written as.
            pub const fn word(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }
        }

        $crate::config::setting::text_setting!(
            $name,
            expected: format!("one of {}", [$( concat!("\"", $word, "\"") ),+].join(", ")),
            remedy: "Write one of these words in double quotes",
            parse: |text| match text { $( $word => Some($name::$variant), )+ _ => None },
            spell: |choice| choice.word().to_owned(),
        );
    };
}
pub(super) use choice;
