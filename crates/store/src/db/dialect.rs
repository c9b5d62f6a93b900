use std::borrow::Cow;

/// What the two databases say differently. Nothing outside asks which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3, embedded.
    Sqlite,
    /// PostgreSQL 13 or later.
    Postgres,
}

impl Dialect {
    /// The clause that makes a sub-select skip rows which another worker holds. SQLite has one writer and needs none.
    pub fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Begins a transaction that writes.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// Statements that make the migrating connection the only one that migrates, until its transaction ends, however long
    /// an index takes. SQLite's transactions begin with the write lock already.
    pub fn migration_lock(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[],
            Self::Postgres => &["SET LOCAL statement_timeout = 0", "LOCK TABLE schema_migrations IN ACCESS EXCLUSIVE MODE"],
        }
    }

    /// Makes other transactions wait that lock the same text (`$1`), until this one ends. SQLite has one writer and needs none.
    pub(crate) fn lock(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT CAST(pg_advisory_xact_lock(hashtextextended($1, 0)) AS TEXT)"),
        }
    }

    /// A migration as this database takes it. A table that is only ever read by its key has its rows in the key's index on
    /// SQLite; PostgreSQL knows no such tables.
    pub fn migration(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Sqlite => Cow::Borrowed(text),
            Self::Postgres => Cow::Owned(text.replace(" WITHOUT ROWID", "")),
        }
    }

    /// Compares a column with a `%`-pattern, without regard to ASCII case; `\` escapes.
    pub fn like(self, column: &str, param: usize) -> String {
        match self {
            Self::Sqlite => format!("{column} LIKE ${param} ESCAPE '\\'"),
            Self::Postgres => format!("{column} ILIKE ${param} ESCAPE '\\'"),
        }
    }
}
