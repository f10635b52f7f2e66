//! PURE: RDS parameter formulas, `LEAST({DBInstanceClassMemory/9531392},5000)`.
//!
//! The grammar is that of the RDS user guide, "Specifying DB parameters": whole numbers, `LEAST`, `GREATEST`, `SUM`, and in
//! braces a variable with `*` and `/`, which truncate. Variables other than the memory are refused.

/// Why a text has no value here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parameter formula is not understood at character {at}")]
pub struct FormulaError {
    /// From 0.
    pub at: usize,
}

/// The value of a formula for a database with so many bytes of memory.
///
/// # Errors
/// Where it stops being a formula, divides by zero, or gets too large.
pub fn evaluate(text: &str, memory_bytes: i64) -> Result<i64, FormulaError> {
    let mut reader = Reader { text: text.as_bytes(), at: 0, memory_bytes, depth: 0 };
    let value = reader.expression()?;
    reader.blanks();
    if reader.at < reader.text.len() { Err(reader.error()) } else { Ok(value) }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    memory_bytes: i64,
    depth: u32,
}

impl Reader<'_> {
    fn error(&self) -> FormulaError {
        FormulaError { at: self.at }
    }

    fn blanks(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.blanks();
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self) -> &str {
        self.blanks();
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_alphanumeric) {
            self.at += 1;
        }
        std::str::from_utf8(&self.text[start..self.at]).unwrap_or_default()
    }

    /// Operands with `*` and `/` between them, from left to right.
    fn expression(&mut self) -> Result<i64, FormulaError> {
        self.depth += 1;
        if self.depth > 20 {
            return Err(self.error());
        }
        let mut value = self.operand()?;
        loop {
            let result = if self.take(b'*') {
                let right = self.operand()?;
                value.checked_mul(right)
            } else if self.take(b'/') {
                let right = self.operand()?;
                value.checked_div(right)
            } else {
                self.depth -= 1;
                return Ok(value);
            };
            value = result.ok_or_else(|| self.error())?;
        }
    }

    fn operand(&mut self) -> Result<i64, FormulaError> {
        if self.take(b'{') {
            let value = self.expression()?;
            return if self.take(b'}') { Ok(value) } else { Err(self.error()) };
        }
        let memory = self.memory_bytes;
        let word = self.word().to_owned();
        match word.as_str() {
            "DBInstanceClassMemory" => Ok(memory),
            "LEAST" | "GREATEST" | "SUM" => {
                let values = self.arguments()?;
                let value = match word.as_str() {
                    "LEAST" => values.into_iter().min(),
                    "GREATEST" => values.into_iter().max(),
                    _ => values.into_iter().try_fold(0i64, i64::checked_add),
                };
                value.ok_or_else(|| self.error())
            }
            number => number.parse().map_err(|_| self.error()),
        }
    }

    fn arguments(&mut self) -> Result<Vec<i64>, FormulaError> {
        if !self.take(b'(') {
            return Err(self.error());
        }
        let mut values = vec![self.expression()?];
        while self.take(b',') {
            values.push(self.expression()?);
        }
        if self.take(b')') { Ok(values) } else { Err(self.error()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_of_postgres_is_understood() {
        let default = "LEAST({DBInstanceClassMemory/9531392},5000)";
        assert_eq!(evaluate(default, 8 << 30), Ok(901));
        assert_eq!(evaluate(default, 1 << 50), Ok(5000));
    }

    #[test]
    fn every_function_and_operator_has_its_value() {
        assert_eq!(evaluate("100", 0), Ok(100));
        assert_eq!(evaluate(" GREATEST( 1 , SUM(2,3,{DBInstanceClassMemory*2/3}) ) ", 10), Ok(11));
        assert_eq!(evaluate("{DBInstanceClassMemory/12582880}", 4 << 30), Ok(341));
    }

    #[test]
    fn what_is_no_formula_is_refused_where_it_stops_being_one() {
        for (text, at) in
            [("", 0), ("LEAST(1", 7), ("LEAST 1", 6), ("{AllocatedStorage}", 17), ("1 2", 2), ("1/0", 3), ("-1", 0)]
        {
            assert_eq!(evaluate(text, 1), Err(FormulaError { at }), "{text}");
        }
        assert!(evaluate(&"{".repeat(1000), 1).is_err());
        assert!(evaluate("{DBInstanceClassMemory*9223372036854775807}", 2).is_err());
    }
}
