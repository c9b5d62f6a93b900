import type { CSSProperties } from "react";

/** Colours and measures that an app may set, by these names or as CSS variables. */
export interface Variables {
  /** Buttons and links. */
  primary?: string;
  /** Text on a button. */
  onPrimary?: string;
  text?: string;
  muted?: string;
  background?: string;
  border?: string;
  danger?: string;
  radius?: string;
  font?: string;
}

export interface Appearance {
  /** `auto` follows the system. */
  theme?: "light" | "dark" | "auto";
  variables?: Variables;
  /** `linked` where a content security policy forbids `<style>`: the page links `@doorward/react/styles.css` itself. */
  styles?: "inline" | "linked";
}

export function themed({ variables = {} }: Appearance): CSSProperties {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [`--dw-${name}`, value])) as CSSProperties;
}

const light = "--dw-primary:#1d4a8a;--dw-onPrimary:#fff;--dw-text:#1d2430;--dw-muted:#4d5a6c;--dw-background:#fff;--dw-border:#76839a;--dw-danger:#a3151f";
const dark = "--dw-primary:#8fb8f5;--dw-onPrimary:#0d1a2e;--dw-text:#e8ecf3;--dw-muted:#aab5c6;--dw-background:#161b24;--dw-border:#76839a;--dw-danger:#ff9a9f";

// Beside the component, not in a file: nothing to import, and no jump when it arrives.
export const css = `
.dw-card{${light};--dw-radius:.5rem;--dw-font:system-ui,sans-serif;color-scheme:light;box-sizing:border-box;width:100%;max-width:25rem;margin:0 auto;padding:clamp(1rem,5vw,2rem);border:1px solid var(--dw-border);border-radius:calc(var(--dw-radius)*2);color:var(--dw-text);background:var(--dw-background);font:1rem/1.5 var(--dw-font)}
.dw-card *{box-sizing:border-box}
.dw-card[data-theme=dark]{${dark};color-scheme:dark}
@media(prefers-color-scheme:dark){.dw-card[data-theme=auto]{${dark};color-scheme:dark}}
.dw-card h1{margin:0 0 .25rem;font-size:1.5rem;line-height:1.25}
.dw-card p{margin:0;color:var(--dw-muted);overflow-wrap:anywhere}
.dw-card form{display:grid;gap:1rem;max-width:none;margin:1.25rem 0 0}
.dw-card label{display:block;margin-bottom:.25rem;font-weight:600}
.dw-card input{width:100%;min-height:2.75rem;padding:.5rem .75rem;border:1px solid var(--dw-border);border-radius:var(--dw-radius);color:inherit;background:transparent;font:inherit}
.dw-card input[aria-invalid=true]{border-color:var(--dw-danger)}
.dw-card[aria-busy=true] :is(form,.dw-more,.dw-others){visibility:hidden}
.dw-card .dw-error{margin-top:.25rem;color:var(--dw-danger)}
.dw-card button{min-height:2.75rem;padding:.5rem .75rem;border:1px solid transparent;border-radius:var(--dw-radius);font:inherit;font-weight:600;cursor:pointer}
.dw-card .dw-main{color:var(--dw-onPrimary);background:var(--dw-primary)}
.dw-card .dw-main[aria-disabled=true]{opacity:.7;cursor:progress}
.dw-card .dw-link,.dw-card a{min-height:0;padding:0;border:0;color:var(--dw-primary);background:none;font-weight:inherit;text-decoration:underline}
.dw-card :focus-visible{outline:3px solid var(--dw-primary);outline-offset:2px}
.dw-more{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.75rem 1.5rem;margin-top:1.25rem}
.dw-others{display:grid;gap:.75rem;margin-top:1.25rem;padding-top:1.25rem;border-top:1px solid var(--dw-border)}
.dw-choices{display:grid;gap:.75rem;margin-top:1.25rem}
.dw-card .dw-other{border-color:var(--dw-border);color:inherit;background:none}
.dw-card .dw-other[aria-disabled=true]{opacity:.7;cursor:progress}
.dw-card h2{margin:1.5rem 0 .25rem;font-size:1.125rem;line-height:1.25}
.dw-card ul{margin:0;padding:0;list-style:none}
.dw-card li{display:flex;align-items:center;justify-content:space-between;gap:1rem;padding:.625rem 0;border-top:1px solid var(--dw-border);overflow-wrap:anywhere}
.dw-card li>span{min-width:0}
.dw-card li>small,.dw-card li>button{flex:none}
.dw-card li:first-child{border-top:0}
.dw-card :is(h3,.dw-codes h2){margin:0;font-size:1rem}
.dw-section{margin-top:1.5rem;padding-top:.25rem;border-top:1px solid var(--dw-border)}
.dw-section form{margin:.75rem 0 0;padding:1rem;border:1px solid var(--dw-border);border-radius:var(--dw-radius)}
.dw-section h2{margin-top:1rem}
.dw-buttons{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 1.25rem}
.dw-section li{flex-wrap:wrap;gap:.25rem 1rem}
.dw-card .dw-qr{display:block;width:min(14rem,100%);margin:.75rem 0;border-radius:var(--dw-radius)}
.dw-who{display:flex;align-items:center;gap:1rem;margin-bottom:.5rem}
.dw-who img{flex:none;border-radius:50%}
.dw-who span{color:var(--dw-text)}
.dw-card .dw-file,.dw-card .dw-check{margin:0;font-weight:inherit}
.dw-card .dw-file{color:var(--dw-primary);text-decoration:underline;cursor:pointer}
.dw-card .dw-file:focus-within{outline:3px solid var(--dw-primary);outline-offset:2px}
.dw-file input{position:absolute;width:1px;min-height:0;height:1px;padding:0;border:0;opacity:0}
.dw-card .dw-check{display:flex;align-items:center;gap:.75rem}
.dw-card .dw-check input{flex:none;width:1.25rem;min-height:1.25rem}
.dw-card code{color:var(--dw-text);font:1rem/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
.dw-codes{margin:.75rem 0;padding:1rem;border:1px solid var(--dw-border);border-radius:var(--dw-radius)}
.dw-codes ol{display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));margin:.75rem 0;padding:0;list-style:none}
.dw-codes li{padding:.125rem 0;border:0}
.dw-card.dw-user{position:relative;display:inline-block;width:auto;max-width:none;margin:0;padding:0;border:0;background:none}
.dw-card .dw-face{display:block;min-height:0;padding:.375rem;border-radius:50%;background:none}
.dw-face img{display:block;border-radius:50%}
.dw-menu{position:absolute;z-index:1;top:100%;right:0;width:max-content;max-width:min(20rem,100vw - 2rem);padding:.75rem;border:1px solid var(--dw-border);border-radius:var(--dw-radius);background:var(--dw-background)}
.dw-menu[hidden]{display:none}
.dw-card .dw-menu li{padding:0}
.dw-card .dw-menu p{padding:0 .75rem .5rem;color:var(--dw-text)}
.dw-card .dw-item{width:100%;color:inherit;background:none;font-weight:inherit;text-align:left}
.dw-dialog{width:min(25rem,100vw - 2rem);padding:0;border:0;border-radius:1rem;background:none}
.dw-dialog::backdrop{background:rgb(0 0 0/.5)}
.dw-card small{display:block;color:var(--dw-muted);font-size:.875rem}
`;
