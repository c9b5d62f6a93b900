import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ports, site } from "./config.mjs";

/** A certificate that nobody but this run trusts. */
function certificate() {
  const directory = mkdtempSync(join(tmpdir(), "doorward-e2e-tls-"));
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const names = `subjectAltName=DNS:*.${site.domain}`;
  try {
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", `/CN=${site.domain}`, "-addext", names, "-keyout", key, "-out", cert], { stdio: "ignore" });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The proxy before app and server that ends TLS, as an operator would put one there. */
export async function proxy() {
  const behind = { [new URL(site.app).host]: ports.app, [new URL(site.frontend).host]: ports.frontend, [new URL(site.accounts).host]: ports.frontend };
  const paths = [];
  const server = createServer(certificate(), (asked, answered) => {
    paths.push(asked.url);
    const port = behind[asked.headers.host];
    if (!port) return answered.writeHead(421).end();
    const headers = { ...asked.headers, "x-forwarded-for": asked.socket.remoteAddress, "x-forwarded-proto": "https", "x-forwarded-host": asked.headers.host };
    const onward = request({ host: "localhost", port, method: asked.method, path: asked.url, headers }, (answer) => {
      answered.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(answered);
    });
    onward.on("error", () => answered.writableEnded || answered.writeHead(502).end());
    asked.pipe(onward);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(site.port, "127.0.0.1", resolve));
  return {
    paths,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
