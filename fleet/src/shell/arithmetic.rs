//! `$(( … ))`.

/// What an expression reads and assigns.
pub(super) trait Variables {
    /// Returns the value of a variable.
    fn value(&self, name: &str) -> Result<i64, String>;
    /// Sets a variable.
    fn assign(&mut self, name: &str, value: i64) -> Result<(), String>;
}

/// Returns whether what follows a parenthesis makes it `(( … ))`: a second one whose partner has one
/// more behind it. Else both open a subshell.
pub(super) fn opens(text: &str) -> bool {
    let mut depth = 0;
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '(' => depth += 1,
            ')' if depth == 1 => return text[at + 1..].starts_with(')'),
            ')' => depth -= 1,
            _ if depth == 0 => return false,
            '\\' => drop(letters.next()),
            '\'' | '"' => drop(letters.by_ref().find(|(_, other)| *other == letter)),
            _ => {}
        }
    }
    false
}

/// Works an expression out.
///
/// # Errors
///
/// Fails with what the shell says.
pub(super) fn evaluate(text: &str, variables: &mut dyn Variables) -> Result<i64, String> {
    let mut reader = Reader {
        text,
        at: 0,
        variables,
        idle: 0,
        depth: 0,
    };
    if text.trim().is_empty() {
        return Ok(0);
    }
    let value = reader.assignment()?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.error("expecting EOF"));
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    variables: &'a mut dyn Variables,
    /// How many enclosing parts are read and not worked out.
    idle: usize,
    depth: usize,
}

/// The operators of two sides, by how tight they bind; longer ones first.
const BINARY: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

const ASSIGNMENTS: &[&str] = &[
    "<<=", ">>=", "*=", "/=", "%=", "+=", "-=", "&=", "^=", "|=", "=",
];

impl Reader<'_> {
    fn error(&self, what: &str) -> String {
        format!("arithmetic expression: {what}: \"{}\"", self.text)
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn takes(&mut self, operator: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(operator);
        if found {
            self.at += operator.len();
        }
        found
    }

    fn assignment(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > 100 {
            return Err(self.error("too deep"));
        }
        let result = self.assignment_within();
        self.depth -= 1;
        result
    }

    fn assignment_within(&mut self) -> Result<i64, String> {
        self.blanks();
        let start = self.at;
        if let Some(name) = self.name() {
            self.blanks();
            let rest = self.rest();
            let found = ASSIGNMENTS
                .iter()
                .find(|operator| rest.starts_with(**operator) && !rest.starts_with("=="));
            if let Some(operator) = found {
                self.at += operator.len();
                let right = self.assignment()?;
                if self.idle > 0 {
                    return Ok(0);
                }
                let value = match operator.strip_suffix('=') {
                    Some("") | None => right,
                    Some(operator) => {
                        let left = self.variables.value(&name)?;
                        self.apply(operator, left, right)?
                    }
                };
                self.variables.assign(&name, value)?;
                return Ok(value);
            }
        }
        self.at = start;
        self.conditional()
    }

    fn conditional(&mut self) -> Result<i64, String> {
        let condition = self.binary(0)?;
        if !self.takes("?") {
            return Ok(condition);
        }
        let left = self.idly(condition == 0, Self::assignment)?;
        if !self.takes(":") {
            return Err(self.error("expecting ':'"));
        }
        let right = self.idly(condition != 0, Self::conditional)?;
        Ok(if condition != 0 { left } else { right })
    }

    fn idly(
        &mut self,
        is_idle: bool,
        read: impl FnOnce(&mut Self) -> Result<i64, String>,
    ) -> Result<i64, String> {
        self.idle += usize::from(is_idle);
        let result = read(self);
        self.idle -= usize::from(is_idle);
        result
    }

    fn operator(&mut self, level: usize) -> Option<&'static str> {
        self.blanks();
        let rest = self.rest();
        let found = BINARY[level].iter().find(|one| rest.starts_with(**one))?;
        let behind = &rest[found.len()..];
        let is_longer = match *found {
            "|" => behind.starts_with(['|', '=']),
            "&" => behind.starts_with(['&', '=']),
            "<" | ">" => behind.starts_with(rest.chars().next().unwrap_or(' ')),
            "==" | "!=" | "<=" | ">=" | "||" | "&&" => false,
            _ => behind.starts_with('='),
        };
        (!is_longer).then(|| {
            self.at += found.len();
            *found
        })
    }

    fn binary(&mut self, level: usize) -> Result<i64, String> {
        if level == BINARY.len() {
            return self.unary();
        }
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(level) {
            left = match operator {
                "||" => {
                    let right = self.idly(left != 0, |reader| reader.binary(level + 1))?;
                    i64::from(left != 0 || right != 0)
                }
                "&&" => {
                    let right = self.idly(left == 0, |reader| reader.binary(level + 1))?;
                    i64::from(left != 0 && right != 0)
                }
                operator => {
                    let right = self.binary(level + 1)?;
                    self.apply(operator, left, right)?
                }
            };
        }
        Ok(left)
    }

    fn apply(&self, operator: &str, left: i64, right: i64) -> Result<i64, String> {
        let is_division = matches!(operator, "/" | "%");
        if is_division && right == 0 {
            if self.idle > 0 {
                return Ok(0);
            }
            return Err(self.error("division by zero"));
        }
        let shift = u32::try_from(right & 63).unwrap_or(0);
        Ok(match operator {
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<<" => left.wrapping_shl(shift),
            ">>" => left.wrapping_shr(shift),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" => left.wrapping_div(right),
            _ => left.wrapping_rem(right),
        })
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.blanks();
        let Some(one) = self.rest().chars().next() else {
            return Err(self.error("expecting primary"));
        };
        if matches!(one, '!' | '~' | '+' | '-') {
            self.at += 1;
            self.depth += 1;
            if self.depth > 100 {
                return Err(self.error("too deep"));
            }
            let value = self.unary()?;
            self.depth -= 1;
            return Ok(match one {
                '!' => i64::from(value == 0),
                '~' => !value,
                '-' => value.wrapping_neg(),
                _ => value,
            });
        }
        if one == '(' {
            self.at += 1;
            let value = self.assignment()?;
            if !self.takes(")") {
                return Err(self.error("expecting ')'"));
            }
            return Ok(value);
        }
        if let Some(name) = self.name() {
            return match self.idle {
                0 => self.variables.value(&name),
                _ => Ok(0),
            };
        }
        self.number()
    }

    fn name(&mut self) -> Option<String> {
        let rest = self.rest();
        if rest.starts_with(|one: char| one.is_ascii_digit()) {
            return None;
        }
        let length = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        let name = (length > 0).then(|| rest[..length].to_owned());
        self.at += length;
        name
    }

    fn number(&mut self) -> Result<i64, String> {
        let rest = self.rest();
        let (value, length) = parse_prefix(rest);
        if length == 0 {
            return Err(self.error("expecting primary"));
        }
        self.at += length;
        Ok(value)
    }
}

/// Reads a number as `strtoll` does with base 0; returns it and its length.
pub(crate) fn parse_prefix(text: &str) -> (i64, usize) {
    let digits =
        |text: &str, radix: u32| text.chars().take_while(|one| one.is_digit(radix)).count();
    let read = |text: &str, radix: u32| i64::from_str_radix(text, radix).unwrap_or(i64::MAX);
    if let Some(rest) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let length = digits(rest, 16);
        return match length {
            0 => (0, 1),
            length => (read(&rest[..length], 16), length + 2),
        };
    }
    if text.starts_with('0') {
        let length = digits(text, 8);
        return (read(&text[..length], 8), length);
    }
    let length = digits(text, 10);
    match length {
        0 => (0, 0),
        length => (read(&text[..length], 10), length),
    }
}

/// Reads the value of a variable: a number with an optional sign.
pub(super) fn parse_value(text: &str) -> Option<i64> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Some(0);
    }
    let (is_negative, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let (value, length) = parse_prefix(digits);
    (length > 0 && length == digits.len()).then(|| match is_negative {
        true => value.wrapping_neg(),
        false => value,
    })
}
