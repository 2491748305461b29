//! From text to a query.

use super::tokens::{Token, tokens};
use super::{Condition, Item, Literal, Operator, Order, Query};

/// Conditions may stand in each other so deep.
const DEPTH: usize = 50;

/// Reads a query. Errors: what is not understood, as `MALFORMED_QUERY` says it.
pub(crate) fn parse(text: &str) -> Result<Query, String> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0, depth: 0 };
    let query = reader.query()?;
    match reader.peek() {
        None => Ok(query),
        Some(token) => Err(format!("unexpected token: {}", shown(token))),
    }
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

fn shown(token: &Token) -> String {
    match token {
        Token::Word(word) => format!("'{word}'"),
        Token::Symbol(symbol) => format!("'{symbol}'"),
        Token::Value(value) => format!("{value:?}"),
    }
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<Token, String> {
        let token = self.peek().cloned().ok_or("unexpected token: '<EOF>'")?;
        self.at += 1;
        Ok(token)
    }

    /// Takes a keyword, if it is next.
    fn takes(&mut self, keyword: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(is_next);
        is_next
    }

    fn takes_symbol(&mut self, symbol: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Symbol(one)) if *one == symbol);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, keyword: &str) -> Result<(), String> {
        if self.takes(keyword) { Ok(()) } else { Err(self.unexpected(keyword)) }
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<(), String> {
        if self.takes_symbol(symbol) { Ok(()) } else { Err(self.unexpected(symbol)) }
    }

    fn unexpected(&self, wanted: &str) -> String {
        let found = self.peek().map_or("'<EOF>'".to_owned(), shown);
        format!("unexpected token: {found} (expecting {wanted})")
    }

    fn word(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            other => Err(format!("unexpected token: {}", shown(&other))),
        }
    }

    fn number(&mut self) -> Result<usize, String> {
        match self.next()? {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a number that does not fit is cut, which bounds it"
            )]
            Token::Value(Literal::Number(number)) if number >= 0.0 => Ok(number as usize),
            other => Err(format!("unexpected token: {}", shown(&other))),
        }
    }

    fn query(&mut self) -> Result<Query, String> {
        self.expect("SELECT")?;
        let mut items = vec![self.item()?];
        while self.takes_symbol(",") {
            items.push(self.item()?);
        }
        self.expect("FROM")?;
        let object = self.word()?;
        let condition = if self.takes("WHERE") { Some(self.any_of()?) } else { None };
        let mut orders = Vec::new();
        if self.takes("ORDER") {
            self.expect("BY")?;
            orders.push(self.order()?);
            while self.takes_symbol(",") {
                orders.push(self.order()?);
            }
        }
        let limit = if self.takes("LIMIT") { Some(self.number()?) } else { None };
        let offset = if self.takes("OFFSET") { self.number()? } else { 0 };
        Ok(Query { items, object, condition, orders, limit, offset })
    }

    fn item(&mut self) -> Result<Item, String> {
        let name = self.word()?;
        if !self.takes_symbol("(") {
            return Ok(Item::Field(name));
        }
        let inner = if self.takes_symbol(")") { None } else { Some(self.word()?) };
        if inner.is_some() {
            self.expect_symbol(")")?;
        }
        let name = name.to_ascii_uppercase();
        match (name.as_str(), inner) {
            ("FIELDS", Some(which)) => Ok(Item::Fields(which.to_ascii_uppercase())),
            ("COUNT" | "MIN" | "MAX", inner) => {
                let is_alias = matches!(self.peek(), Some(Token::Word(word)) if !word.eq_ignore_ascii_case("FROM"));
                let alias = if is_alias { Some(self.word()?) } else { None };
                Ok(Item::Aggregate(name, inner, alias))
            }
            _ => Err(format!("unexpected token: '{name}('")),
        }
    }

    fn order(&mut self) -> Result<Order, String> {
        let field = self.word()?;
        let is_descending = self.takes("DESC");
        if !is_descending {
            self.takes("ASC");
        }
        let mut nulls_last = false;
        if self.takes("NULLS") {
            nulls_last = self.takes("LAST");
            if !nulls_last {
                self.expect("FIRST")?;
            }
        }
        Ok(Order { field, is_descending, nulls_last })
    }

    fn any_of(&mut self) -> Result<Condition, String> {
        let first = self.condition()?;
        let mut all = vec![first];
        let and = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case("AND"));
        let keyword = if and { "AND" } else { "OR" };
        while self.takes(keyword) {
            all.push(self.condition()?);
        }
        // AND and OR side by side are refused without parentheses, as by Salesforce.
        if matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case("AND") || word.eq_ignore_ascii_case("OR")) {
            return Err(self.unexpected("parentheses around AND or OR"));
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ if and => Condition::And(all),
            _ => Condition::Or(all),
        })
    }

    fn condition(&mut self) -> Result<Condition, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("the condition is too deep".to_owned());
        }
        let condition = if self.takes("NOT") {
            Condition::Not(Box::new(self.condition()?))
        } else if self.takes_symbol("(") {
            let inner = self.any_of()?;
            self.expect_symbol(")")?;
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn comparison(&mut self) -> Result<Condition, String> {
        let field = self.word()?;
        let is_negated = self.takes("NOT");
        if is_negated || matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case("IN")) {
            self.expect("IN")?;
            self.expect_symbol("(")?;
            let mut values = vec![self.literal()?];
            while self.takes_symbol(",") {
                values.push(self.literal()?);
            }
            self.expect_symbol(")")?;
            return Ok(Condition::In { field, values, is_negated });
        }
        let operator = match self.next()? {
            Token::Symbol("=") => Operator::Equal,
            Token::Symbol("!=" | "<>") => Operator::NotEqual,
            Token::Symbol("<") => Operator::Less,
            Token::Symbol("<=") => Operator::LessOrEqual,
            Token::Symbol(">") => Operator::Greater,
            Token::Symbol(">=") => Operator::GreaterOrEqual,
            Token::Word(word) if word.eq_ignore_ascii_case("LIKE") => Operator::Like,
            other => return Err(format!("unexpected token: {}", shown(&other))),
        };
        Ok(Condition::Compare(field, operator, self.literal()?))
    }

    fn literal(&mut self) -> Result<Literal, String> {
        match self.next()? {
            Token::Value(value) => Ok(value),
            other => Err(format!("unexpected token: {}", shown(&other))),
        }
    }
}
