//! A parsed Rust file: which of its lines are tests, its functions, its strings.

use std::ops::RangeInclusive;

use anyhow::{Result, anyhow};
use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A Rust file.
pub(crate) struct Source {
    /// From the root, with `/`.
    pub(crate) path: String,
    /// Its lines.
    pub(crate) lines: Vec<String>,
    /// Functions outside tests.
    pub(crate) functions: Vec<Function>,
    /// String literals, macros' arguments included.
    pub(crate) strings: Vec<Literal>,
    /// Names of the modules that it holds inline.
    pub(crate) modules: Vec<(usize, String)>,
    /// It is in a `tests` directory.
    in_tests: bool,
    tests: Vec<RangeInclusive<usize>>,
}

/// A function with a body.
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// Where it begins.
    pub(crate) line: usize,
    /// Lines between its braces.
    pub(crate) lines: usize,
}

/// A string literal.
pub(crate) struct Literal {
    /// Where it begins.
    pub(crate) line: usize,
    /// Its value.
    pub(crate) value: String,
}

impl Source {
    /// Parses `text`.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self> {
        let stream: TokenStream = text.parse().map_err(|error| anyhow!("{path}: {error}"))?;
        let mut strings = Vec::new();
        collect_strings(stream, &mut strings);
        let file = syn::parse_file(text).map_err(|error| anyhow!("{path}:{}: {error}", error.span().start().line))?;
        let in_tests = path.split('/').any(|part| matches!(part, "tests" | "benches" | "fuzz"));
        let mut walk = Walk::default();
        walk.visit_file(&file);
        let (functions, modules, tests) = (walk.functions, walk.modules, walk.tests);
        let functions = if in_tests { Vec::new() } else { functions };
        Ok(Self { path: path.into(), lines: text.lines().map(String::from).collect(), functions, strings, modules, in_tests, tests })
    }

    /// Is this line (from 1) part of a test?
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.in_tests || self.tests.iter().any(|range| range.contains(&line))
    }
}

#[derive(Default)]
struct Walk {
    functions: Vec<Function>,
    modules: Vec<(usize, String)>,
    tests: Vec<RangeInclusive<usize>>,
}

impl Walk {
    /// Notes a test and says so.
    fn note_test(&mut self, attributes: &[syn::Attribute], item: &impl Spanned) -> bool {
        let test = attributes.iter().any(is_test);
        if test {
            self.tests.push(lines_of(item));
        }
        test
    }

    fn note_function(&mut self, name: &syn::Ident, block: &syn::Block) {
        let (open, close) = (block.brace_token.span.open().start().line, block.brace_token.span.close().end().line);
        self.functions.push(Function { name: name.to_string(), line: name.span().start().line, lines: (close - open).saturating_sub(1) });
    }
}

impl<'ast> Visit<'ast> for Walk {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !self.note_test(&item.attrs, item) {
            self.modules.push((item.ident.span().start().line, item.ident.to_string()));
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !self.note_test(&item.attrs, item) {
            self.note_function(&item.sig.ident, &item.block);
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !self.note_test(&item.attrs, item) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !self.note_test(&item.attrs, item) {
            self.note_function(&item.sig.ident, &item.block);
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.note_function(&item.sig.ident, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        // Invocations that only declare tests.
        if item.mac.path.segments.last().is_some_and(|name| name.ident == "engines" || name.ident == "proptest") {
            self.tests.push(lines_of(item));
        }
    }
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`.
fn is_test(attribute: &syn::Attribute) -> bool {
    if attribute.path().segments.last().is_some_and(|name| name.ident == "test") {
        return true;
    }
    let syn::Meta::List(list) = &attribute.meta else { return false };
    attribute.path().is_ident("cfg") && !list.tokens.to_string().contains("not") && mentions(list.tokens.clone(), "test")
}

fn mentions(stream: TokenStream, word: &str) -> bool {
    stream.into_iter().any(|token| match token {
        TokenTree::Ident(name) => name == word,
        TokenTree::Group(group) => mentions(group.stream(), word),
        _ => false,
    })
}

fn lines_of(item: &impl Spanned) -> RangeInclusive<usize> {
    item.span().start().line..=item.span().end().line
}

fn collect_strings(stream: TokenStream, found: &mut Vec<Literal>) {
    for token in stream {
        match token {
            TokenTree::Group(group) => collect_strings(group.stream(), found),
            TokenTree::Literal(literal) => {
                let line = literal.span().start().line;
                if let Ok(syn::Lit::Str(text)) = syn::parse_str::<syn::Lit>(&literal.to_string()) {
                    found.push(Literal { line, value: text.value() });
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r##"
fn one() {
    let a = 1;
    a
}
impl T {
    async fn two(&self) {}
}
#[cfg(test)]
mod tests {
    fn three() {}
}
#[tokio::test]
async fn four() {
    let _ = sql!("a" => [r#"b"#]);
}
"##;

    #[test]
    fn functions_outside_tests_are_measured() {
        let source = Source::parse("crates/x/src/lib.rs", TEXT).unwrap();
        let found: Vec<_> = source.functions.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
        assert_eq!(found, [("one", 2, 2), ("two", 7, 0)]);
        assert!(Source::parse("crates/x/tests/it/main.rs", TEXT).unwrap().functions.is_empty());
    }

    #[test]
    fn test_lines_and_strings_in_macros_are_found() {
        let source = Source::parse("crates/x/src/lib.rs", TEXT).unwrap();
        let tests: Vec<_> = (1..=source.lines.len()).filter(|line| source.is_test(*line)).collect();
        assert_eq!(tests, [9, 10, 11, 12, 13, 14, 15, 16]);
        let strings: Vec<_> = source.strings.iter().map(|s| (s.line, s.value.as_str())).collect();
        assert_eq!(strings, [(15, "a"), (15, "b")]);
    }
}
