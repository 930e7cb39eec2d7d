//! The kinds of value that come from the standard library: numbers, booleans, text, paths, addresses, URLs, options, lists.

use std::net::SocketAddr;
use std::path::PathBuf;

use toml::Value as Toml;
use url::Url;

use super::mistake::Mistake;
use super::node::{Node, Value};
use super::setting::{Setting, Shape, refuse, text_setting};

/// Whole numbers; a value beyond the type is refused like one beyond the range.
macro_rules! integer_setting {
    ($($ty:ty),*) => {$(
        impl Setting for $ty {
            fn expected() -> String {
                format!("a whole number from {} to {}", <$ty>::MIN, <$ty>::MAX)
            }

            fn remedy() -> String {
                "Write digits without quotes".into()
            }

            fn read(node: &Node) -> Result<Self, Vec<Mistake>> {
                let number = match &node.value {
                    Value::Integer(number) => <$ty>::try_from(*number).ok(),
                    Value::Raw(text) => text.trim().parse().ok(),
                    _ => None,
                };
                number.ok_or_else(|| refuse::<Self>(node))
            }

            fn spell(&self) -> Toml {
                Toml::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
            }
        }
    )*};
}
integer_setting!(u16, u32, u64);

impl Setting for f64 {
    fn expected() -> String {
        "a number such as 0.2".into()
    }

    fn remedy() -> String {
        "Write digits without quotes".into()
    }

    fn read(node: &Node) -> Result<Self, Vec<Mistake>> {
        let number = match &node.value {
            Value::Float(number) => Some(*number),
            Value::Integer(number) => Some(*number as f64),
            Value::Raw(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.filter(|number| number.is_finite()).ok_or_else(|| refuse::<Self>(node))
    }

    fn spell(&self) -> Toml {
        Toml::Float(*self)
    }
}

impl Setting for bool {
    fn expected() -> String {
        "true or false".into()
    }

    fn remedy() -> String {
        "Write true or false without quotes".into()
    }

    fn read(node: &Node) -> Result<Self, Vec<Mistake>> {
        let flag = match &node.value {
            Value::Bool(flag) => Some(*flag),
            Value::Raw(text) => text.trim().parse().ok(),
            _ => None,
        };
        flag.ok_or_else(|| refuse::<Self>(node))
    }

    fn spell(&self) -> Toml {
        Toml::Boolean(*self)
    }
}

text_setting!(
    String,
    expected: "a string",
    remedy: "Put the value in double quotes",
    parse: |text| Some(text.to_owned()),
    spell: String::clone,
);

text_setting!(
    PathBuf,
    expected: "a path such as \"./waybill-data\"",
    remedy: "Write the path in double quotes",
    parse: |text| (!text.is_empty()).then(|| PathBuf::from(text)),
    spell: |path| path.display().to_string(),
);

text_setting!(
    SocketAddr,
    expected: "an address and port such as \"127.0.0.1:8080\"",
    remedy: "Write an IP address and a port, \"0.0.0.0:8080\" for every IPv4 address, \"[::]:8080\" for every address; host names are not looked up",
    parse: |text| text.parse().ok(),
    spell: SocketAddr::to_string,
);

// A URL may carry credentials, so what was found is not repeated.
text_setting!(
    Url,
    expected: "an absolute URL such as \"https://example.com/path\"",
    remedy: "Write the scheme, the host and the path in double quotes",
    parse: |text| Url::parse(text).ok(),
    spell: Url::to_string,
    secret: true,
);

impl<T: Setting> Setting for Option<T> {
    const SECRET: bool = T::SECRET;

    fn expected() -> String {
        T::expected()
    }

    fn remedy() -> String {
        T::remedy()
    }

    fn read(node: &Node) -> Result<Self, Vec<Mistake>> {
        match node.text() {
            Some("") if T::EMPTY_IS_NONE => Ok(None),
            _ => T::read(node).map(Some),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn spell(&self) -> Toml {
        self.as_ref().map_or_else(|| Toml::String(String::new()), T::spell)
    }
}

impl<T: Setting> Setting for Vec<T> {
    const SECRET: bool = T::SECRET;

    fn expected() -> String {
        format!("a list, each element {}", T::expected())
    }

    fn remedy() -> String {
        match T::SHAPE {
            Shape::Table(_) => "Write its header in double brackets, [[like_this]], once for each".into(),
            Shape::Key => "Write the elements in square brackets, separated by commas".into(),
        }
    }

    fn read(node: &Node) -> Result<Self, Vec<Mistake>> {
        let items = elements(node).ok_or_else(|| refuse::<Self>(node))?;
        let (mut list, mut mistakes) = (Vec::with_capacity(items.len()), Vec::new());
        for (index, item) in items.iter().enumerate() {
            match T::read(item) {
                Ok(value) => list.push(value),
                Err(found) => mistakes.extend(found.into_iter().map(|mistake| mistake.under(&format!("[{index}]")))),
            }
        }
        if mistakes.is_empty() { Ok(list) } else { Err(mistakes) }
    }

    fn spell(&self) -> Toml {
        Toml::Array(self.iter().map(T::spell).collect())
    }
}

/// The elements of a list. A variable of the environment may hold a TOML array or plain text separated by commas.
fn elements(node: &Node) -> Option<Vec<Node>> {
    match &node.value {
        Value::Array(items) => Some(items.clone()),
        Value::Raw(text) if text.trim_start().starts_with('[') => {
            match Node::parse_value(text.trim(), &node.place)?.value {
                Value::Array(items) => Some(items),
                _ => None,
            }
        }
        Value::Raw(text) if text.trim().is_empty() => Some(Vec::new()),
        Value::Raw(text) => {
            let part = |part: &str| Node::new(Value::Raw(part.trim().to_owned()), node.place.clone());
            Some(text.split(',').map(part).collect())
        }
        _ => None,
    }
}
