/** The files of an esbuild build that a browser loads before anybody asks for more: what is imported later stands in others. */
export function firstLoad({ outputs }, isEntry) {
  const wanted = new Set();
  const want = (path) => {
    if (wanted.has(path) || !outputs[path]) return;
    wanted.add(path);
    for (const { kind, path: next } of outputs[path].imports) if (kind === "import-statement") want(next);
  };
  want(Object.keys(outputs).find((path) => isEntry(outputs[path].entryPoint)));
  return wanted;
}
