use super::*;
use crate::app::App;
use crate::instance::MASTER_KEY_CHECK;
use doorward_store::moving::{self as store, MOVED, Table};
use doorward_store::schema_version;
use std::io::Write;

/// Writes an instance, a page of rows at a time. Answers how many rows of each table there were.
///
/// It reads page by page while others may write: stop the servers first, or the file may hold an address of a user whom it
/// does not hold.
///
/// # Errors
/// A sentence for the operator.
pub async fn export(app: &App, instance: &InstanceId, out: &mut impl Write) -> Result<BTreeMap<String, u64>, String> {
    let sealed = app.sealer.seal(&app.rng, MASTER_KEY_CHECK, b"doorward").map_err(|error| error.to_string())?;
    let header = Header {
        format: FORMAT.to_owned(),
        schema: schema_version(&app.db).await.map_err(|error| error.to_string())?,
        instance: instance.clone(),
        master_key_check: sealed,
        exported_at: app.clock.now(),
    };
    write(out, &header)?;
    let mut rows = BTreeMap::new();
    for table in MOVED {
        rows.insert(table.name.to_owned(), export_table(app, instance, table, out).await?);
    }
    write(out, &Line::End { rows: rows.clone() })?;
    out.flush().map_err(|error| error.to_string())?;
    Ok(rows)
}

fn write(out: &mut impl Write, line: &impl Serialize) -> Result<(), String> {
    serde_json::to_writer(&mut *out, line).map_err(|error| error.to_string())?;
    out.write_all(b"\n").map_err(|error| error.to_string())
}

async fn export_table(app: &App, instance: &InstanceId, table: &Table, out: &mut impl Write) -> Result<u64, String> {
    let failed = |error: doorward_store::StoreError| format!("{}: {error}", table.name);
    let columns = store::columns(&app.db, table.name).await.map_err(failed)?;
    let (mut after, mut count): (Option<Vec<String>>, u64) = (None, 0);
    loop {
        let page = store::page(&app.db, table, &columns, instance, after.as_deref()).await.map_err(failed)?;
        let last = i64::try_from(page.len()).is_ok_and(|rows| rows < table.page);
        for row in page {
            let values = columns.iter().map(|column| column.name.clone()).zip(row.into_iter().map(to_json)).collect();
            let values = opened(app, instance, table, values)?;
            after = Some(table.key.iter().map(|column| text(&values, column).to_owned()).collect());
            write(out, &Line::Row { table: table.name.to_owned(), values })?;
            count += 1;
        }
        if last {
            return Ok(count);
        }
    }
}

/// Opens what is sealed in a row.
fn opened(app: &App, instance: &InstanceId, table: &Table, values: Map<String, Json>) -> Result<Map<String, Json>, String> {
    let open = |context: &str, sealed: &str| {
        let plain = app.sealer.open(context, sealed).map_err(|error| format!("{}: {error}", table.name))?;
        Ok::<_, String>(BASE64.encode(plain))
    };
    let mut out = values.clone();
    for (column, value) in &values {
        let context = sealed_for(instance, table.name, column, |name| text(&values, name).to_owned());
        // An empty text stands for what is kept as a hash only.
        if let (Some(context), Some(sealed)) = (context, value.as_str().filter(|sealed| !sealed.is_empty())) {
            out.insert(column.clone(), open(&context, sealed)?.into());
        }
    }
    if table.name == "instances" {
        out.insert("settings".to_owned(), in_settings(instance, text(&values, "settings"), open)?.into());
    }
    Ok(out)
}
