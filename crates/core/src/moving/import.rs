use super::*;
use crate::app::App;
use crate::instance::MASTER_KEY_CHECK;
use doorward_store::db::Value;
use doorward_store::moving::{self as store, MOVED, Table, is_last, moved};
use doorward_store::users::search;
use doorward_store::{StoreError, Tx, instances, schema_version};
use std::collections::HashMap;

/// The most rows that are written at once.
const MAX_ROWS: usize = 100;
/// The most text that is kept in memory before it is written, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// An instance on its way in. Its rows are written in short transactions; those by which it can be reached come last,
/// together, so that half of it is never served. One that was cut off is begun again from the start.
pub struct Import<'a> {
    app: &'a App,
    instance: InstanceId,
    /// Whether it comes from a server with the same master key.
    same_key: bool,
    columns: HashMap<&'static str, Vec<Column>>,
    batch: Batch,
    /// The rows that make it reachable.
    last: Vec<(&'static Table, Vec<Value>)>,
    rows: BTreeMap<String, u64>,
    backup_codes_lost: u64,
    ended: bool,
}

#[derive(Default)]
struct Batch {
    table: Option<&'static Table>,
    rows: Vec<Vec<Value>>,
    bytes: usize,
    /// Users of this batch whose backup codes are of no use under another master key.
    without_codes: Vec<String>,
}

/// What came of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The instance.
    pub instance: InstanceId,
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// Backup codes that are hashed under the other server's master key, and so were left behind.
    pub backup_codes_lost: u64,
}

impl<'a> Import<'a> {
    /// Begins with the first line of a file. What an import before it has left is removed.
    ///
    /// # Errors
    /// A sentence for the operator: no such file, another schema, an instance that is here already.
    pub async fn begin(app: &'a App, line: &str) -> Result<Self, String> {
        let header: Header = serde_json::from_str(line).map_err(|_| "this is no file of `doorward instance export`".to_owned())?;
        if header.format != FORMAT {
            return Err(format!("the file's format is {}, and this build reads {FORMAT}", header.format));
        }
        let schema = schema_version(&app.db).await.map_err(words)?;
        if header.schema != schema {
            let found = header.schema;
            return Err(format!("the file has schema {found} and this database {schema}: run the same version on both sides"));
        }
        if instances::get(&app.db, &header.instance).await.map_err(words)?.is_some() {
            return Err(format!("{} is here already", header.instance));
        }
        let mut columns = HashMap::new();
        for table in MOVED {
            while store::remove_some(&app.db, table, &header.instance).await.map_err(words)? > 0 {}
            columns.insert(table.name, store::columns(&app.db, table.name).await.map_err(words)?);
        }
        search::clear(&app.db, &header.instance).await.map_err(words)?;
        let same_key = app.sealer.open(MASTER_KEY_CHECK, &header.master_key_check).is_ok();
        Ok(Self {
            app,
            instance: header.instance,
            same_key,
            columns,
            batch: Batch::default(),
            last: Vec::new(),
            rows: BTreeMap::new(),
            backup_codes_lost: 0,
            ended: false,
        })
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// A sentence for the operator, without the line's values: what cannot be read, opened or written.
    pub async fn line(&mut self, line: &str) -> Result<(), String> {
        if self.ended {
            return Err("there is more after the end".to_owned());
        }
        // Parser errors quote what they have read.
        let line: Line = serde_json::from_str(line).map_err(|error| format!("not a line of an export (column {})", error.column()))?;
        match line {
            Line::End { rows } => {
                self.write().await?;
                let all = MOVED.iter().all(|table| rows.get(table.name).unwrap_or(&0) == self.rows.get(table.name).unwrap_or(&0));
                if !all || rows.keys().any(|table| moved(table).is_none()) {
                    return Err("the number of rows is not the one that the end names".to_owned());
                }
                self.ended = true;
                Ok(())
            }
            Line::Row { table, values } => {
                let found = moved(&table).ok_or_else(|| format!("{table} is no table that moves"))?;
                self.row(found, values).await.map_err(|error| format!("{table}: {error}"))
            }
        }
    }

    async fn row(&mut self, table: &'static Table, values: Map<String, Json>) -> Result<(), String> {
        if text(&values, table.instance) != self.instance.as_str() {
            return Err("a row of another instance".to_owned());
        }
        if self.batch.table.is_some_and(|it| it.name != table.name) || self.batch.rows.len() >= MAX_ROWS || self.batch.bytes >= MAX_BYTES {
            self.write().await?;
        }
        *self.rows.entry(table.name.to_owned()).or_default() += 1;
        if table.name == "backup_codes" && !self.same_key && !text(&values, "code_hash").starts_with("bcrypt:") {
            self.backup_codes_lost += 1;
            self.batch.table = Some(table);
            self.batch.without_codes.push(text(&values, "user_id").to_owned());
            if self.batch.without_codes.len() >= MAX_ROWS {
                self.write().await?;
            }
            return Ok(());
        }
        let values = self.sealed(table, values)?;
        let bytes = values.values().filter_map(Json::as_str).map(str::len).sum::<usize>();
        let row = self.kept(table, values)?;
        if is_last(table) {
            self.last.push((table, row));
        } else {
            self.batch.table = Some(table);
            self.batch.bytes += bytes;
            self.batch.rows.push(row);
        }
        Ok(())
    }

    /// Seals what is to be sealed in a row.
    fn sealed(&self, table: &Table, values: Map<String, Json>) -> Result<Map<String, Json>, String> {
        let seal = |context: &str, plain: &str| {
            let plain = BASE64.decode(plain).map_err(|_| "a secret that cannot be read".to_owned())?;
            self.app.sealer.seal(&self.app.rng, context, &plain).map_err(|error| error.to_string())
        };
        let mut out = values.clone();
        for (column, value) in &values {
            let context = sealed_for(&self.instance, table.name, column, |name| text(&values, name).to_owned());
            if let (Some(context), Some(plain)) = (context, value.as_str().filter(|plain| !plain.is_empty())) {
                out.insert(column.clone(), seal(&context, plain)?.into());
            }
        }
        if table.name == "instances" {
            let settings = in_settings(&self.instance, text(&values, "settings"), seal)?;
            Settings::parse(&settings)?;
            out.insert("settings".to_owned(), settings.into());
        }
        Ok(out)
    }

    /// A row's values in the order of the columns: all of them, and no others.
    fn kept(&self, table: &Table, mut values: Map<String, Json>) -> Result<Vec<Value>, String> {
        let columns = self.columns.get(table.name).map(Vec::as_slice).unwrap_or_default();
        let mut row = Vec::with_capacity(columns.len());
        for column in columns {
            let value = values.swap_remove(&column.name).ok_or_else(|| format!("{} is missing", column.name))?;
            row.push(from_json(column, value)?);
        }
        match values.keys().next() {
            Some(other) => Err(format!("{other} is no column here")),
            None => Ok(row),
        }
    }

    /// Writes the batch.
    async fn write(&mut self) -> Result<(), String> {
        let batch = std::mem::take(&mut self.batch);
        let Some(table) = batch.table else { return Ok(()) };
        let mut tx = self.app.db.begin().await.map_err(words)?;
        self.insert(&mut tx, table, batch.rows).await?;
        for user in &batch.without_codes {
            store::without_backup_codes(&mut tx, &self.instance, user).await.map_err(words)?;
        }
        tx.commit().await.map_err(words)
    }

    async fn insert(&self, tx: &mut Tx, table: &Table, rows: Vec<Vec<Value>>) -> Result<(), String> {
        let columns = self.columns.get(table.name).map(Vec::as_slice).unwrap_or_default();
        store::insert(tx, table, columns, rows).await.map_err(|error| match error {
            StoreError::Conflict if is_last(table) => "another instance here has its publishable key, a host or a secret key".to_owned(),
            StoreError::Conflict => format!("{}: two rows with the same key", table.name),
            other => format!("{}: {other}", table.name),
        })
    }

    /// Makes the instance reachable.
    ///
    /// # Errors
    /// A sentence for the operator: the file was cut off; another instance has the same host or key.
    pub async fn finish(self) -> Result<Imported, String> {
        if !self.ended {
            return Err("the file has no end: it was cut off. Nothing of it can be reached".to_owned());
        }
        if self.rows.get("instances") != Some(&1) {
            return Err("the file has no instance".to_owned());
        }
        search::fill(&self.app.db, &self.instance).await.map_err(words)?;
        let mut tx = self.app.db.begin().await.map_err(words)?;
        for (table, row) in &self.last {
            self.insert(&mut tx, table, vec![row.clone()]).await?;
        }
        tx.commit().await.map_err(words)?;
        self.app.instances.clear();
        Ok(Imported { instance: self.instance, rows: self.rows, backup_codes_lost: self.backup_codes_lost })
    }
}

fn words(error: StoreError) -> String {
    error.to_string()
}
