//! Variables, written `$(name)`; `$$(name)` is the text `$(name)`.

/// One piece of a text with variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// As it stands.
    Text(&'a str),
    /// `$(name)`.
    Variable(&'a str),
}

/// Takes a text apart. What only looks like a variable (`$(` without `)`, or an odd name) stays text.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("$(") {
        let escaped = rest[..at].ends_with('$');
        let Some(end) = rest[at..].find(')').map(|e| at + e) else { break };
        let name = &rest[at + 2..end];
        if escaped {
            push_text(&mut pieces, &rest[..at - 1]);
            push_text(&mut pieces, &rest[at..=end]);
        } else if is_name(name) {
            push_text(&mut pieces, &rest[..at]);
            pieces.push(Piece::Variable(name));
        } else {
            push_text(&mut pieces, &rest[..=end]);
        }
        rest = &rest[end + 1..];
    }
    push_text(&mut pieces, rest);
    pieces
}

/// The names of the variables in a text, in order.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Variable(name) => Some(name),
        Piece::Text(_) => None,
    })
}

fn push_text<'a>(pieces: &mut Vec<Piece<'a>>, text: &'a str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_stands_between_its_texts() {
        assert_eq!(pieces("a$(seq)b"), [Piece::Text("a"), Piece::Variable("seq"), Piece::Text("b")]);
        assert_eq!(pieces("$(vars.token)"), [Piece::Variable("vars.token")]);
    }

    #[test]
    fn a_doubled_dollar_is_text() {
        assert_eq!(pieces("x$$(seq)y"), [Piece::Text("x"), Piece::Text("$(seq)"), Piece::Text("y")]);
    }

    #[test]
    fn what_is_no_name_stays_as_it_is() {
        assert_eq!(pieces("$(a b)$(seq"), [Piece::Text("$(a b)"), Piece::Text("$(seq")]);
    }
}
