import pg from "pg";

async function ask(url, sql) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/**
 * A database of this run alone beside the one in `url`: an instance left over
 * from another run would claim the same host name.
 */
export async function temporaryDatabase(url) {
  const name = `doorward_e2e_${process.pid}_${Date.now()}`;
  await ask(url, `CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { url: own.href, drop: () => ask(url, `DROP DATABASE ${name} WITH (FORCE)`) };
}
