use doorward_base::*;
use sqlx::{Arguments as _, AssertSqlSafe, Database, Encode, Type};
use std::borrow::Cow;

/// A value that is bound to a statement. The columns of the schema need no other types.
#[derive(Clone, Debug)]
pub enum Value {
    /// Text, ids and JSON.
    Text(Option<String>),
    /// Counts and times.
    Int(Option<i64>),
    /// Flags.
    Flag(bool),
    /// Pictures and keys.
    Bytes(Vec<u8>),
}

/// A statement with its values. `$1` is the first value, on both databases.
#[derive(Clone, Debug)]
pub struct Sql {
    text: Cow<'static, str>,
    values: Vec<Value>,
}

impl Sql {
    /// A statement without values.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// Adds the next value.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds text to the end of the statement.
    pub fn push(&mut self, text: &str) {
        self.text.to_mut().push_str(text);
    }

    /// The statement that asks SQLite how it would go about this one.
    #[cfg(test)]
    pub(crate) fn explained(self) -> Self {
        Self { text: format!("EXPLAIN QUERY PLAN {}", self.text).into(), ..self }
    }

    /// Adds a value and answers its number.
    pub fn value(&mut self, value: impl Into<Value>) -> usize {
        self.values.push(value.into());
        self.values.len()
    }

    pub(super) fn query<DB: Database>(self) -> sqlx::query::Query<'static, DB, DB::Arguments>
    where
        Option<String>: Encode<'static, DB> + Type<DB>,
        Option<i64>: Encode<'static, DB> + Type<DB>,
        bool: Encode<'static, DB> + Type<DB>,
        Vec<u8>: Encode<'static, DB> + Type<DB>,
        DB::Arguments: sqlx::IntoArguments<DB>,
    {
        let mut arguments = DB::Arguments::default();
        arguments.reserve(self.values.len(), self.values.len() * 32);
        for value in self.values {
            // Encoding text, integers, flags and bytes cannot fail on either database.
            let _ = match value {
                Value::Text(v) => arguments.add(v),
                Value::Int(v) => arguments.add(v),
                Value::Flag(v) => arguments.add(v),
                Value::Bytes(v) => arguments.add(v),
            };
        }
        // Every text is written in this crate; what comes from outside is bound.
        match self.text {
            Cow::Borrowed(text) => sqlx::query_with(text, arguments),
            Cow::Owned(text) => sqlx::query_with(AssertSqlSafe(text), arguments),
        }
    }
}

/// `sql!("SELECT .. WHERE instance_id = $1", instance)`: a statement with its values.
#[macro_export]
macro_rules! sql {
    ($text:expr $(, $value:expr)* $(,)?) => { $crate::db::Sql::new($text)$(.bind($value))* };
}

impl From<Vec<u8>> for Value {
    fn from(v: Vec<u8>) -> Self {
        Self::Bytes(v)
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Text(Some(v.to_owned()))
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Text(Some(v))
    }
}
impl From<&String> for Value {
    fn from(v: &String) -> Self {
        Self::Text(Some(v.clone()))
    }
}
impl From<Option<String>> for Value {
    fn from(v: Option<String>) -> Self {
        Self::Text(v)
    }
}
impl From<&Option<String>> for Value {
    fn from(v: &Option<String>) -> Self {
        Self::Text(v.clone())
    }
}
impl From<Option<&str>> for Value {
    fn from(v: Option<&str>) -> Self {
        Self::Text(v.map(str::to_owned))
    }
}
impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::Int(Some(v))
    }
}
impl From<Option<i64>> for Value {
    fn from(v: Option<i64>) -> Self {
        Self::Int(v)
    }
}
impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Flag(v)
    }
}

impl From<&[u8]> for Value {
    fn from(v: &[u8]) -> Self {
        Self::Bytes(v.to_vec())
    }
}

macro_rules! id_values {
    ($($id:ident),*) => {$(
        impl From<&$id> for Value {
            fn from(v: &$id) -> Self {
                Self::Text(Some(v.as_str().to_owned()))
            }
        }
        impl From<&Option<$id>> for Value {
            fn from(v: &Option<$id>) -> Self {
                Self::Text(v.as_ref().map(|v| v.as_str().to_owned()))
            }
        }
    )*};
}
id_values!(
    InstanceId,
    AccessIdentifierId,
    InvitationId,
    RedirectUrlId,
    DomainId,
    WaitlistEntryId,
    UserId,
    ClientId,
    SessionId,
    SignInId,
    SignUpId,
    TotpId,
    SignInTokenId,
    ActorTokenId,
    IdentificationId,
    VerificationId,
    DevBrowserId,
    ExternalAccountId,
    SecretKeyId,
    JobId,
    MessageId,
    BackupCodesId,
    PasskeyId,
    ImageId,
    EventId,
    EndpointId,
    AttemptId,
    TrustedDeviceId
);
