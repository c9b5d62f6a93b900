// What `wasm-bindgen` writes for crates/client-web; the build puts the real
// files beside the compiled ones.
export class Core {
  constructor(config: string);
  command(command: string): void;
  event(event: string): void;
  token(session: string | null | undefined, template: string | null | undefined, now: number): string | undefined;
  effects(): string | undefined;
  snapshot(): string;
  version(): number;
  free(): void;
}
export default function init(input: { module_or_path: URL | string | BufferSource | Promise<Response> }): Promise<unknown>;
