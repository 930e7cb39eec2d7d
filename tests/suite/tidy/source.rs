//! Rust text as the rules need it: words with their lines, and the paths written with them. Not a parser of the
//! language: comments and strings go, everything else becomes identifiers, `::` and single characters.

/// An identifier, a number, `::`, or one character of punctuation; lines count from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    out: Vec<Token>,
}

/// The words of a Rust file, without comments and literals.
///
/// A string that begins like a path of this crate (`#[serde(with = "crate::x")]`) is kept: it is code in disguise.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: text, line: 1, out: Vec::new() };
    while let Some(first) = lexer.rest.chars().next() {
        lexer.step(first);
    }
    lexer.out
}

impl Lexer<'_> {
    fn step(&mut self, first: char) {
        let rest = self.rest;
        if rest.starts_with("//") {
            self.skip(rest.find('\n').unwrap_or(rest.len()));
        } else if rest.starts_with("/*") {
            self.skip(block_comment(rest));
        } else if let Some(open) = string_opening(rest) {
            self.string(open);
        } else if first == '\'' || rest.starts_with("b'") {
            self.skip(quote(rest));
        } else if first.is_alphanumeric() || first == '_' {
            let raw = if rest.starts_with("r#") { 2 } else { 0 };
            let end = rest[raw..].find(|c: char| !c.is_alphanumeric() && c != '_');
            self.keep(raw, end.map_or(rest.len(), |end| raw + end));
        } else if rest.starts_with("::") {
            self.keep(0, 2);
        } else if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else {
            self.keep(0, first.len_utf8());
        }
    }

    fn keep(&mut self, from: usize, to: usize) {
        self.out.push(Token { text: self.rest[from..to].to_owned(), line: self.line });
        self.rest = &self.rest[to..];
    }

    fn skip(&mut self, bytes: usize) {
        self.line += self.rest[..bytes].matches('\n').count();
        self.rest = &self.rest[bytes..];
    }

    fn string(&mut self, open: Opening) {
        let body = &self.rest[open.len..];
        let length = if open.raw { body.find(&open.close) } else { escaped_end(body, '"') };
        let length = length.unwrap_or(body.len());
        let content = &body[..length];
        if content.starts_with("crate::") || content.starts_with("super::") {
            let line = self.line;
            self.out.extend(tokens(content).into_iter().map(|t| Token { line, ..t }));
        }
        self.skip((open.len + length + open.close.len()).min(self.rest.len()));
    }
}

struct Opening {
    len: usize,
    close: String,
    raw: bool,
}

/// `"`, `b"`, `c"`, `r"`, `r#"`, `br##"` and the like at the front of the text.
fn string_opening(rest: &str) -> Option<Opening> {
    let after = rest.trim_start_matches(['b', 'c']);
    let prefix = rest.len() - after.len();
    if prefix > 1 {
        return None;
    }
    if after.starts_with('"') {
        return Some(Opening { len: prefix + 1, close: "\"".to_owned(), raw: false });
    }
    let hashes = after.strip_prefix('r')?;
    let count = hashes.len() - hashes.trim_start_matches('#').len();
    hashes[count..].starts_with('"').then(|| Opening {
        len: prefix + 1 + count + 1,
        close: format!("\"{}", "#".repeat(count)),
        raw: true,
    })
}

/// Where the closing quote stands in a text with backslash escapes.
fn escaped_end(body: &str, close: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == close => return Some(at),
            _ => {}
        }
    }
    None
}

/// The length of a character literal, or of a lifetime: `'a'`, `'\n'`, `b'x'`, `'static`.
fn quote(rest: &str) -> usize {
    let open = if rest.starts_with('b') { 2 } else { 1 };
    let body = &rest[open..];
    let mut chars = body.chars();
    let (first, second) = (chars.next(), chars.next());
    if first == Some('\\') || second == Some('\'') {
        return escaped_end(body, '\'').map_or(rest.len(), |end| open + end + 1);
    }
    let end = body.find(|c: char| !c.is_alphanumeric() && c != '_');
    end.map_or(rest.len(), |end| open + end)
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

#[test]
fn comments_and_literals_go_and_lines_stay() {
    let text = "a // crate::x\n/* /* b */ c */ d\n\"e \\\" f\" r#\"g \"h\"# 'i' '\\'' 'j b'k' r#type\nl::m";
    let seen: Vec<(String, usize)> = tokens(text).into_iter().map(|t| (t.text, t.line)).collect();
    let expected = [("a", 1), ("d", 2), ("type", 3), ("l", 4), ("::", 4), ("m", 4)];
    assert_eq!(seen, expected.map(|(text, line)| (text.to_owned(), line)));
}

#[test]
fn a_path_in_a_string_counts() {
    let seen: Vec<String> = tokens("#[serde(with = \"crate::x\")]").into_iter().map(|t| t.text).collect();
    assert!(seen.windows(3).any(|w| w == ["crate", "::", "x"]), "{seen:?}");
}
