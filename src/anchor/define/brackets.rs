//! What stands before, inside and behind the brackets of a line, such as [`parameters_at`]. Brackets in strings and
//! comments count too.

/// What follows the bracket that closes the one `text` begins with; nothing when it stays open.
pub(super) fn after_closing(text: &str) -> &str {
    let mut depth = 0_u32;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return &text[at + c.len_utf8()..];
        }
    }
    ""
}

/// `<T: A<B>> Foo` without its leading angle brackets.
pub(super) fn after_generics(text: &str) -> &str {
    if !text.starts_with('<') {
        return text;
    }
    let mut depth = 0_u32;
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return &text[at + 1..];
        }
    }
    text
}

/// `name<T>` without its trailing angle brackets.
pub(super) fn without_generics(head: &str) -> &str {
    if !head.ends_with('>') {
        return head;
    }
    let mut depth = 0_u32;
    for (at, c) in head.char_indices().rev() {
        match c {
            '>' => depth += 1,
            '<' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return head[..at].trim_end();
        }
    }
    head
}

/// Where the parameters begin: the first parenthesis outside angle brackets.
pub(super) fn parameters_at(code: &str) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, c) in code.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            '(' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    code.find('(')
}

/// Whether the line goes on with parameters on the next.
pub(super) fn ends_open(text: &str) -> bool {
    text.ends_with(['(', ',', '{'])
}
