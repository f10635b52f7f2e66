//! Numbers that PostgreSQL answers: int, float and numeric, as f64.

use std::error::Error;

use tokio_postgres::types::{FromSql, Type};

/// A number of any of PostgreSQL's numeric types.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(pub f64);

impl<'a> FromSql<'a> for Number {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match *ty {
            Type::INT2 => i16::from_sql(ty, raw)?.into(),
            Type::INT4 => i32::from_sql(ty, raw)?.into(),
            Type::INT8 => i64::from_sql(ty, raw)? as f64,
            Type::FLOAT4 => f32::from_sql(ty, raw)?.into(),
            Type::FLOAT8 => f64::from_sql(ty, raw)?,
            _ => numeric(raw).ok_or("not a finite number")?,
        }))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT2 | Type::INT4 | Type::INT8 | Type::FLOAT4 | Type::FLOAT8 | Type::NUMERIC)
    }
}

/// `numeric` on the wire: count of digits, weight of the first, sign, scale, then digits to the base 10,000, each two
/// bytes (`numeric_send` in PostgreSQL's `src/backend/utils/adt/numeric.c`). None: NaN or infinite, or cut.
fn numeric(raw: &[u8]) -> Option<f64> {
    let words: Vec<u16> = raw.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    let [count, weight, sign, _scale, digits @ ..] = words.as_slice() else {
        return None;
    };
    let sign = match sign {
        0x0000 => "",
        0x4000 => "-",
        _ => return None,
    };
    if digits.len() != usize::from(*count) {
        return None;
    }
    // Through decimal text, so that 0.1 is the f64 nearest to 0.1.
    let mantissa: String = digits.iter().map(|digit| format!("{digit:04}")).collect();
    let exponent = 4 * (i32::from(*weight as i16) + 1) - i32::try_from(mantissa.len()).ok()?;
    format!("{sign}0{mantissa}e{exponent}").parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn numeric_is_read_to_the_last_digit_an_f64_has() {
        assert_eq!(numeric(&raw(&[0, 0, 0, 0])), Some(0.0));
        assert_eq!(numeric(&raw(&[2, 0, 0, 2, 12, 3400])), Some(12.34));
        assert_eq!(numeric(&raw(&[1, 0xffff, 0x4000, 1, 1000])), Some(-0.1));
        assert_eq!(numeric(&raw(&[1, 1, 0, 0, 7])), Some(70_000.0));
    }

    #[test]
    fn what_is_no_finite_number_is_none() {
        assert_eq!(numeric(&raw(&[0, 0, 0xc000, 0])), None, "NaN");
        assert_eq!(numeric(&raw(&[0, 0, 0xd000, 0])), None, "Infinity");
        assert_eq!(numeric(&raw(&[2, 0, 0, 0, 1])), None, "cut");
    }
}
