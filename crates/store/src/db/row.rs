use super::StoreError;
use serde::de::DeserializeOwned;
use sqlx::Row as _;

/// One row of an answer. Columns are read by name.
pub enum Row {
    #[doc(hidden)]
    Sqlite(sqlx::sqlite::SqliteRow),
    #[doc(hidden)]
    Pg(sqlx::postgres::PgRow),
}

macro_rules! getter {
    ($(#[$doc:meta])* $name:ident -> $type:ty) => {
        $(#[$doc])*
        pub fn $name(&self, column: &str) -> Result<$type, StoreError> {
            match self {
                Self::Sqlite(row) => row.try_get(column),
                Self::Pg(row) => row.try_get(column),
            }
            .map_err(|e| StoreError::Decode(column.to_owned(), e.to_string()))
        }
    };
}

impl Row {
    getter! {
        /// Text that is there.
        text -> String
    }
    getter! {
        /// Text that may be null.
        opt_text -> Option<String>
    }
    getter! {
        /// A count or time that is there.
        int -> i64
    }
    getter! {
        /// A count or time that may be null.
        opt_int -> Option<i64>
    }
    getter! {
        /// A flag.
        flag -> bool
    }

    getter! {
        /// Bytes that are there.
        bytes -> Vec<u8>
    }

    /// An id, or another type made of text.
    pub fn id<T: From<String>>(&self, column: &str) -> Result<T, StoreError> {
        self.text(column).map(T::from)
    }

    /// An id that may be null.
    pub fn opt_id<T: From<String>>(&self, column: &str) -> Result<Option<T>, StoreError> {
        Ok(self.opt_text(column)?.map(T::from))
    }

    /// JSON text, parsed.
    pub fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|e| StoreError::Decode(column.to_owned(), e.to_string()))
    }
}
