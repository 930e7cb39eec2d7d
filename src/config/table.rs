//! One declaration per section: [`keys!`] writes a key once, and the struct, the table of keys, the typed reading and the
//! spelling derive from it.

use std::collections::BTreeMap;

use super::check::Verdict;
use super::mistake::Mistake;
use super::node::Node;
use super::setting::{Setting, Shape, refuse};
use super::unknown;

/// Reads the keys of one table, collecting what is wrong instead of stopping at it.
pub(super) struct Reader<'n> {
    node: &'n Node,
    entries: &'n BTreeMap<String, Node>,
    pub(super) mistakes: Vec<Mistake>,
}

impl<'n> Reader<'n> {
    /// Opens a table and refuses the keys that its type does not have.
    pub(super) fn open<T: Setting>(node: &'n Node) -> Result<Self, Vec<Mistake>> {
        let entries = node.table().ok_or_else(|| refuse::<T>(node))?;
        let Shape::Table(keys) = T::SHAPE else {
            return Err(refuse::<T>(node));
        };
        let mistakes = unknown::keys(entries, keys);
        Ok(Self { node, entries, mistakes })
    }

    /// Reads one key; None once a mistake about it has been noted.
    pub(super) fn take<T: Setting>(
        &mut self,
        key: &str,
        absent: Option<T>,
        check: impl Fn(&T) -> Verdict,
    ) -> Option<T> {
        let Some(node) = self.entries.get(key) else {
            if absent.is_none() {
                self.missing::<T>(key);
            }
            return absent;
        };
        let checked = T::read(node).and_then(|value| match check(&value) {
            Ok(()) => Ok(value),
            Err(found) => Err(vec![Mistake::at(&node.place, found.what, found.remedy)]),
        });
        match checked {
            Ok(value) => Some(value),
            Err(found) => {
                self.mistakes.extend(found.into_iter().map(|mistake| mistake.under(key)));
                None
            }
        }
    }

    fn missing<T: Setting>(&mut self, key: &str) {
        let what = format!("the key is missing: {}", T::expected());
        self.mistakes.push(Mistake::at(&self.node.place, what, format!("Add {key} = … here")).under(key));
    }
}

/// Declares a section: `name: Type = value if absent => check;`, both optional.
macro_rules! keys {
    ($(#[$meta:meta])* pub struct $name:ident { $( $(#[$doc:meta])* $field:ident : $ty:ty $(= $absent:expr)? $(=> $check:expr)? ; )+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name { $( $(#[$doc])* pub $field: $ty, )+ }

        impl $crate::config::setting::Setting for $name {
            const SHAPE: $crate::config::setting::Shape =
                $crate::config::setting::Shape::Table(&[$( (stringify!($field), <$ty as $crate::config::setting::Setting>::SHAPE) ),+]);

            fn expected() -> String {
                "a table".into()
            }

            fn remedy() -> String {
                "Write a header in square brackets and the keys below it".into()
            }

            fn read(node: &$crate::config::node::Node) -> Result<Self, Vec<$crate::config::mistake::Mistake>> {
                let mut reader = $crate::config::table::Reader::open::<Self>(node)?;
                $( let $field = reader.take::<$ty>(stringify!($field), keys!(@absent $ty $(, $absent)?), keys!(@check $($check)?)); )+
                match ($( $field, )+) {
                    ($( Some($field), )+) if reader.mistakes.is_empty() => Ok(Self { $( $field, )+ }),
                    _ => Err(reader.mistakes),
                }
            }

            fn spell(&self) -> toml::Value {
                let mut table = toml::Table::new();
                $( table.insert(stringify!($field).to_owned(), $crate::config::setting::Setting::spell(&self.$field)); )+
                toml::Value::Table(table)
            }
        }

        impl serde::Serialize for $name {
            /// As it would be written in a file; literal secrets without their text.
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(&$crate::config::setting::Setting::spell(self), serializer)
            }
        }
    };
    (@absent $ty:ty) => { <$ty as $crate::config::setting::Setting>::absent() };
    (@absent $ty:ty, $absent:expr) => { Some($absent) };
    (@check) => { |_| Ok(()) };
    (@check $check:expr) => { $check };
}
pub(super) use keys;
