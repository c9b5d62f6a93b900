// Puts the stand-in in the place of the compiled core.
const core = new URL("./core.mjs", import.meta.url).href;

export function resolve(specifier, context, next) {
  return specifier === "./doorward_client.js" ? { url: core, shortCircuit: true } : next(specifier, context);
}
