//! Values on their way to the server and back: [`parameters`] and [`row`].
//!
//! The server keeps no U+0000 in a text. One is written as an escape here, which nobody else sees.

use std::borrow::Cow;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::{Problem, Row, Value};

/// Stands before `0` for U+0000 and before `1` for itself. No text has it by itself: it is no character, and never will be.
const ESCAPE: char = '\u{10FFFF}';

/// `?1` as `$1`. Our statements have no question marks elsewhere.
pub(super) fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

/// As the client wants them.
pub(super) fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// What came, as both engines give it.
pub(super) fn row(found: &tokio_postgres::Row) -> Result<Row, Problem> {
    let columns = found.columns().iter().enumerate();
    columns.map(|(index, column)| value(found, index, column.type_())).collect::<Result<_, _>>().map(Row)
}

fn value(found: &tokio_postgres::Row, index: usize, kind: &Type) -> Result<Value, Problem> {
    Ok(match *kind {
        Type::INT8 => found.try_get::<_, Option<i64>>(index)?.into(),
        Type::INT4 => found.try_get::<_, Option<i32>>(index)?.map(i64::from).into(),
        Type::BOOL => found.try_get::<_, Option<bool>>(index)?.map(i64::from).into(),
        Type::FLOAT8 => found.try_get::<_, Option<f64>>(index)?.into(),
        Type::BYTEA => found.try_get::<_, Option<&[u8]>>(index)?.into(),
        Type::TEXT | Type::VARCHAR | Type::NAME => {
            found.try_get::<_, Option<&str>>(index)?.map(unescaped).map(Cow::into_owned).into()
        }
        ref other => return Err(Problem::Other(format!("column {index} is of the type {other}"))),
    })
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Integer(number), &Type::INT8) => number.to_sql(kind, out),
            (Self::Integer(number), &Type::INT4) => i32::try_from(*number)?.to_sql(kind, out),
            (Self::Real(number), &Type::FLOAT8) => number.to_sql(kind, out),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR) => escaped(text).to_sql(kind, out),
            (Self::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(kind, out),
            (_, _) => Err(format!("the statement wants {kind}, and is given {self:?}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 8);
    for one in text.chars() {
        match one {
            '\0' => written.extend([ESCAPE, '0']),
            ESCAPE => written.extend([ESCAPE, '1']),
            other => written.push(other),
        }
    }
    Cow::Owned(written)
}

fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains(ESCAPE) {
        return Cow::Borrowed(text);
    }
    let mut read = String::with_capacity(text.len());
    let mut left = text.chars();
    while let Some(one) = left.next() {
        read.push(match one {
            ESCAPE if left.next() == Some('0') => '\0',
            other => other,
        });
    }
    Cow::Owned(read)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_comes_back(text in "[\\x00\u{10FFFF}01a]{0,12}") {
            let written = escaped(&text);
            prop_assert!(!written.contains('\0'));
            prop_assert_eq!(unescaped(&written), text.as_str());
        }
    }
}
