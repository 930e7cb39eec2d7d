//! The paths of a Rust file: every `a::b::c` in bodies and types, and every leaf of every `use` tree.

use super::source::Token;

/// One path as written, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// `use a::{b, c::d};` gives `a, b` and `a, c, d`; a glob ends in `*`.
    pub segments: Vec<String>,
    pub line: usize,
    /// The inline modules around it, outermost first.
    pub module: Vec<String>,
    /// Inside an item that only tests compile.
    pub in_test: bool,
}

#[derive(Default)]
struct Walk {
    depth: usize,
    /// Inline modules, with the depth of their opening brace.
    modules: Vec<(String, usize)>,
    /// Depths at which an item for tests opened.
    tests: Vec<usize>,
    /// An attribute such as `#[cfg(test)]` has been read and its item not yet opened.
    test_next: bool,
    found: Vec<Written>,
}

/// All paths of a file, in order. A single name counts only in a `use`.
pub fn paths(tokens: &[Token]) -> Vec<Written> {
    let mut walk = Walk::default();
    let mut at = 0;
    while at < tokens.len() {
        at = walk.step(tokens, at);
    }
    walk.found
}

fn text(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |token| &token.text)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

impl Walk {
    /// Reads what stands at `at` and says where to go on.
    fn step(&mut self, tokens: &[Token], at: usize) -> usize {
        match text(tokens, at) {
            "{" => self.open(),
            "}" => self.close(),
            ";" => self.test_next = false,
            "#" if text(tokens, at + 1) == "[" => self.test_next |= marks_a_test(&tokens[at..]),
            "mod" if text(tokens, at + 2) == "{" => {
                self.modules.push((text(tokens, at + 1).to_owned(), self.depth));
            }
            "use" if text(tokens, at + 1) != "<" => return self.use_tree(tokens, at + 1, &[]),
            name if is_name(name) => return self.plain(tokens, at),
            _ => {}
        }
        at + 1
    }

    fn open(&mut self) {
        if std::mem::take(&mut self.test_next) {
            self.tests.push(self.depth);
        }
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.modules.retain(|(_, depth)| *depth < self.depth);
        self.tests.retain(|depth| *depth < self.depth);
    }

    fn plain(&mut self, tokens: &[Token], at: usize) -> usize {
        let mut segments = vec![text(tokens, at).to_owned()];
        let mut next = at + 1;
        while text(tokens, next) == "::" && is_name(text(tokens, next + 1)) {
            segments.push(text(tokens, next + 1).to_owned());
            next += 2;
        }
        if segments.len() > 1 {
            self.keep(segments, tokens[at].line);
        }
        next
    }

    /// One tree of a `use`; returns the place behind it.
    fn use_tree(&mut self, tokens: &[Token], mut at: usize, prefix: &[String]) -> usize {
        let line = tokens.get(at).map_or(0, |token| token.line);
        let mut segments = prefix.to_vec();
        loop {
            match text(tokens, at) {
                "::" => {}
                "{" => return self.use_group(tokens, at + 1, &segments),
                "as" => {
                    at += 2;
                    break;
                }
                name if is_name(name) || name == "*" => segments.push(name.to_owned()),
                _ => break,
            }
            at += 1;
        }
        if segments.len() > prefix.len() {
            self.keep(segments, line);
        }
        at
    }

    fn use_group(&mut self, tokens: &[Token], mut at: usize, prefix: &[String]) -> usize {
        while at < tokens.len() && text(tokens, at) != "}" {
            at = match text(tokens, at) {
                "," => at + 1,
                // Never stand still on something unexpected (a macro variable, an attribute).
                _ => self.use_tree(tokens, at, prefix).max(at + 1),
            };
        }
        at + 1
    }

    fn keep(&mut self, segments: Vec<String>, line: usize) {
        let module = self.modules.iter().map(|(name, _)| name.clone()).collect();
        let in_test = self.test_next || !self.tests.is_empty();
        self.found.push(Written { segments, line, module, in_test });
    }
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[cfg(all(test, unix))]`; not `#[cfg(not(test))]`.
fn marks_a_test(attribute: &[Token]) -> bool {
    let words: Vec<&str> = attribute.iter().map(|t| t.text.as_str()).take_while(|text| *text != "]").collect();
    words.contains(&"test") && !words.contains(&"not")
}

#[cfg(test)]
fn seen(source: &str) -> Vec<(String, bool)> {
    let found = paths(&super::source::tokens(source));
    found.into_iter().map(|path| (path.segments.join("::"), path.in_test)).collect()
}

#[test]
fn use_trees_are_spread_out() {
    let found = seen("pub use a::{self, b::{C as D, E}, f::*}; use ::g; fn h() -> i::J { k::l(m) }");
    let names: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(names, ["a::self", "a::b::C", "a::b::E", "a::f::*", "g", "i::J", "k::l"]);
}

#[test]
fn what_only_tests_compile_is_marked() {
    let source = "use a::b; #[cfg(test)] use c::d; use e::f; #[cfg(test)] mod tests { use g::h; fn i() {} } \
                  #[tokio::test] async fn j() { k::l(); } #[cfg(not(test))] fn m() { n::o(); }";
    let marked: Vec<String> = seen(source).into_iter().filter(|(_, test)| *test).map(|(path, _)| path).collect();
    assert_eq!(marked, ["c::d", "g::h", "tokio::test", "k::l"]);
}
