//! Spintax: text with alternatives, `{Hello|Hi} {{recipient.first_name}}`.
//!
//! A source is parsed once into a small tree; every render walks that tree and asks a seed (decision 29: the same seed,
//! the same text) which alternative to take. Placeholders are resolved while parsing into the caller's own type `P`, so
//! that an unknown name is an error of the author, found at parse time, and never a hole in a mail.
//!
//! ```text
//! text         any characters but { } |
//! choice       { sequence | sequence | … }      two or more, none empty, nested up to MAX_DEPTH
//! placeholder  {{ name }}
//! ```
//!
//! White space is laid out for people who edit the source: the spaces and line ends around an alternative do not count,
//! any other run of them is one space, and a blank line is a paragraph break. There is no escape for a brace: mail text
//! does not need one, and a brace that survives is always a mistake. For the same reason a choice of one, `{name}`, is
//! refused: it is a placeholder with a brace too few.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::seed::Seed;

/// Deepest nesting of choices. Authors need two or three; the bound keeps the recursive parser's stack small.
pub const MAX_DEPTH: usize = 8;

/// Longest source in bytes, a multiple of what a mail needs; bounds the memory of a parse.
pub const MAX_SOURCE_BYTES: usize = 16 * 1024;

/// Most texts that [`Template::covering`] makes: nested choices multiply, and a linter need not read more than this.
pub const MAX_COVERING: usize = 1_000;

/// Why a source is not spintax. `at` is the byte offset in the source.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpintaxError {
    /// A `{` without its `}`.
    #[error("the brace opened at byte {at} is never closed")]
    UnclosedBrace {
        /// Offset of the `{`.
        at: usize,
    },
    /// A `}` that closes nothing.
    #[error("the closing brace at byte {at} has no opening one")]
    StrayBrace {
        /// Offset of the `}`.
        at: usize,
    },
    /// A `|` outside of braces.
    #[error("the bar at byte {at} stands outside of braces")]
    StrayBar {
        /// Offset of the `|`.
        at: usize,
    },
    /// `{a||b}`, `{|a}` or `{}`.
    #[error("the alternative at byte {at} is empty")]
    EmptyAlternative {
        /// Offset of the alternative's first byte.
        at: usize,
    },
    /// `{a}`: a choice of one.
    #[error("the braces at byte {at} hold one alternative only")]
    SingleAlternative {
        /// Offset of the `{`.
        at: usize,
    },
    /// `{{name}}` with a name that the vocabulary does not have.
    #[error("there is no placeholder {name:?} (byte {at})")]
    UnknownPlaceholder {
        /// Offset of the `{{`.
        at: usize,
        /// The name as written.
        name: String,
    },
    /// Choices nested more than [`MAX_DEPTH`] deep.
    #[error("braces are nested more than {MAX_DEPTH} deep at byte {at}")]
    TooDeep {
        /// Offset of the `{` that went too far.
        at: usize,
    },
    /// A source longer than [`MAX_SOURCE_BYTES`].
    #[error("the text has {bytes} bytes, more than {MAX_SOURCE_BYTES}")]
    TooLong {
        /// Length of the source.
        bytes: usize,
    },
}

impl SpintaxError {
    /// Where in the source, as a byte offset.
    pub fn offset(&self) -> usize {
        match self {
            Self::UnclosedBrace { at }
            | Self::StrayBrace { at }
            | Self::StrayBar { at }
            | Self::EmptyAlternative { at }
            | Self::SingleAlternative { at }
            | Self::UnknownPlaceholder { at, .. }
            | Self::TooDeep { at } => *at,
            Self::TooLong { .. } => MAX_SOURCE_BYTES,
        }
    }
}

/// Parsed spintax whose placeholders are values of `P`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template<P> {
    nodes: Vec<Node<P>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node<P> {
    Text(String),
    Placeholder(P),
    Choice {
        id: u32,
        alternatives: Vec<Vec<Node<P>>>,
    },
}

impl<P> Template<P> {
    /// Parses `source`; `resolve` is the vocabulary: it turns a placeholder's name into its value, or refuses it.
    pub fn parse(source: &str, resolve: &dyn Fn(&str) -> Option<P>) -> Result<Self, SpintaxError> {
        if source.len() > MAX_SOURCE_BYTES {
            return Err(SpintaxError::TooLong {
                bytes: source.len(),
            });
        }
        Parser {
            source,
            rest: source,
            choices: 0,
            resolve,
        }
        .template()
    }

    /// Renders with alternatives chosen by `seed`; `fill` appends the text of a placeholder.
    ///
    /// Each choice draws from its own node of the seed tree, so that inner and outer choices are independent.
    pub fn render(&self, seed: Seed, fill: &dyn Fn(&P, &mut String)) -> String {
        let mut choose = |id: u32, alternatives: usize| {
            let n = u64::try_from(alternatives).unwrap_or(u64::MAX);
            let drawn = seed.child_bytes("choice", &id.to_be_bytes()).below(n);
            usize::try_from(drawn).unwrap_or(0)
        };
        self.render_with(&mut choose, fill)
    }

    /// Renders often enough to show every alternative at least once (but at most [`MAX_COVERING`] times): what a linter
    /// has to read.
    pub fn covering(&self, fill: &dyn Fn(&P, &mut String)) -> Vec<String> {
        let mut visits = BTreeMap::<u32, usize>::new();
        // Each choice takes its alternatives in turn, counting its own visits only, so a nested one is exhausted too.
        let mut in_turn = |id: u32, _: usize| {
            let seen = visits.entry(id).or_default();
            *seen += 1;
            *seen - 1
        };
        let renders = visits_to_cover(&self.nodes).min(MAX_COVERING);
        (0..renders)
            .map(|_| self.render_with(&mut in_turn, fill))
            .collect()
    }

    /// The number of different choices that can be made, saturating. Texts may be fewer where alternatives coincide.
    pub fn variants(&self) -> u64 {
        variants(&self.nodes)
    }

    /// All placeholders, in the order of the source, repeated as they repeat.
    pub fn placeholders(&self) -> Vec<&P> {
        let mut found = Vec::new();
        collect_placeholders(&self.nodes, &mut found);
        found
    }

    /// Shortest and longest text in characters, given the shortest and longest text of a placeholder.
    pub fn length_bounds(&self, placeholder: &dyn Fn(&P) -> (usize, usize)) -> (usize, usize) {
        length_bounds(&self.nodes, placeholder)
    }

    /// `choose` gets the id of a choice and the number of its alternatives; its answer is taken modulo that number.
    fn render_with(
        &self,
        choose: &mut dyn FnMut(u32, usize) -> usize,
        fill: &dyn Fn(&P, &mut String),
    ) -> String {
        let mut out = String::new();
        render_nodes(&self.nodes, choose, fill, &mut out);
        out
    }
}

fn render_nodes<P>(
    nodes: &[Node<P>],
    choose: &mut dyn FnMut(u32, usize) -> usize,
    fill: &dyn Fn(&P, &mut String),
    out: &mut String,
) {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Placeholder(placeholder) => fill(placeholder, out),
            Node::Choice { id, alternatives } => {
                let drawn = choose(*id, alternatives.len()).checked_rem(alternatives.len());
                if let Some(chosen) = drawn.and_then(|index| alternatives.get(index)) {
                    render_nodes(chosen, choose, fill, out);
                }
            }
        }
    }
}

fn visits_to_cover<P>(nodes: &[Node<P>]) -> usize {
    let of_node = |node: &Node<P>| match node {
        Node::Text(_) | Node::Placeholder(_) => 1,
        Node::Choice { alternatives, .. } => {
            let deepest = alternatives
                .iter()
                .map(|nodes| visits_to_cover(nodes))
                .max();
            alternatives.len().saturating_mul(deepest.unwrap_or(1))
        }
    };
    nodes.iter().map(of_node).max().unwrap_or(1)
}

fn variants<P>(nodes: &[Node<P>]) -> u64 {
    let of_node = |node: &Node<P>| match node {
        Node::Text(_) | Node::Placeholder(_) => 1,
        Node::Choice { alternatives, .. } => alternatives
            .iter()
            .map(|nodes| variants(nodes))
            .fold(0, u64::saturating_add),
    };
    nodes.iter().map(of_node).fold(1, u64::saturating_mul)
}

fn collect_placeholders<'t, P>(nodes: &'t [Node<P>], found: &mut Vec<&'t P>) {
    for node in nodes {
        match node {
            Node::Text(_) => {}
            Node::Placeholder(placeholder) => found.push(placeholder),
            Node::Choice { alternatives, .. } => {
                for nodes in alternatives {
                    collect_placeholders(nodes, found);
                }
            }
        }
    }
}

fn length_bounds<P>(
    nodes: &[Node<P>],
    placeholder: &dyn Fn(&P) -> (usize, usize),
) -> (usize, usize) {
    let of_node = |node: &Node<P>| match node {
        Node::Text(text) => {
            let length = text.chars().count();
            (length, length)
        }
        Node::Placeholder(name) => placeholder(name),
        Node::Choice { alternatives, .. } => {
            let bounds = alternatives
                .iter()
                .map(|nodes| length_bounds(nodes, placeholder));
            bounds
                .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
                .unwrap_or_default()
        }
    };
    nodes
        .iter()
        .map(of_node)
        .fold((0, 0), |sum, node| (sum.0 + node.0, sum.1 + node.1))
}

/// Recursive descent over what is left of the source.
struct Parser<'s, P> {
    source: &'s str,
    rest: &'s str,
    choices: u32,
    resolve: &'s dyn Fn(&str) -> Option<P>,
}

impl<P> Parser<'_, P> {
    fn template(mut self) -> Result<Template<P>, SpintaxError> {
        let nodes = self.sequence(0)?;
        let at = self.at();
        match self.rest.chars().next() {
            None => Ok(Template { nodes }),
            Some('|') => Err(SpintaxError::StrayBar { at }),
            Some(_) => Err(SpintaxError::StrayBrace { at }),
        }
    }

    fn at(&self) -> usize {
        self.source.len() - self.rest.len()
    }

    /// Everything up to the `|`, the `}` or the end that belongs to the caller, which stays unread.
    fn sequence(&mut self, depth: usize) -> Result<Vec<Node<P>>, SpintaxError> {
        let mut nodes = Vec::new();
        loop {
            let end = self.rest.find(['{', '}', '|']).unwrap_or(self.rest.len());
            let (text, rest) = self.rest.split_at(end);
            self.rest = rest;
            if !text.is_empty() {
                nodes.push(Node::Text(collapse_white_space(text)));
            }
            if !self.rest.starts_with('{') {
                trim(&mut nodes);
                return Ok(nodes);
            }
            let node = match self.placeholder()? {
                Some(node) => node,
                None => self.choice(depth)?,
            };
            nodes.push(node);
        }
    }

    /// `{{name}}`, or nothing if these are two opening braces of choices, as in `{{a|b} c|d}`.
    fn placeholder(&mut self) -> Result<Option<Node<P>>, SpintaxError> {
        let Some(inner) = self.rest.strip_prefix("{{") else {
            return Ok(None);
        };
        let Some(end) = inner.find(['{', '}', '|']) else {
            return Ok(None);
        };
        let (name, rest) = inner.split_at(end);
        let Some(rest) = rest.strip_prefix("}}") else {
            return Ok(None);
        };
        let name = name.trim();
        let Some(placeholder) = (self.resolve)(name) else {
            return Err(SpintaxError::UnknownPlaceholder {
                at: self.at(),
                name: name.to_owned(),
            });
        };
        self.rest = rest;
        Ok(Some(Node::Placeholder(placeholder)))
    }

    fn choice(&mut self, depth: usize) -> Result<Node<P>, SpintaxError> {
        let opened = self.at();
        if depth >= MAX_DEPTH {
            return Err(SpintaxError::TooDeep { at: opened });
        }
        let id = self.choices;
        self.choices += 1;
        self.rest = self.rest.strip_prefix('{').unwrap_or(self.rest);
        let mut alternatives = Vec::new();
        loop {
            let at = self.at();
            let nodes = self.sequence(depth + 1)?;
            let mut rest = self.rest.chars();
            let Some(end) = rest.next() else {
                return Err(SpintaxError::UnclosedBrace { at: opened });
            };
            if nodes.is_empty() {
                return Err(SpintaxError::EmptyAlternative { at });
            }
            alternatives.push(nodes);
            self.rest = rest.as_str();
            if end == '}' {
                break;
            }
        }
        if alternatives.len() == 1 {
            return Err(SpintaxError::SingleAlternative { at: opened });
        }
        Ok(Node::Choice { id, alternatives })
    }
}

/// Each run of white space becomes one space, or a paragraph break where it holds a blank line.
fn collapse_white_space(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut line_ends = None;
    for character in text.chars() {
        if character.is_whitespace() {
            *line_ends.get_or_insert(0) += usize::from(character == '\n');
            continue;
        }
        push_gap(line_ends.take(), &mut out);
        out.push(character);
    }
    push_gap(line_ends, &mut out);
    out
}

fn push_gap(line_ends: Option<usize>, out: &mut String) {
    match line_ends {
        None => {}
        Some(0 | 1) => out.push(' '),
        Some(_) => out.push_str("\n\n"),
    }
}

/// Drops the white space at both ends of a sequence; placeholders and choices are left as they are.
fn trim<P>(nodes: &mut Vec<Node<P>>) {
    if let Some(Node::Text(text)) = nodes.first_mut() {
        *text = text.trim_start().to_owned();
    }
    if let Some(Node::Text(text)) = nodes.last_mut() {
        text.truncate(text.trim_end().len());
    }
    nodes.retain(|node| !matches!(node, Node::Text(text) if text.is_empty()));
}

#[cfg(test)]
mod tests;
