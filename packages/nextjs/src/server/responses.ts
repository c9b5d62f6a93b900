// What Next's own `NextResponse` writes. Its module brings code along that has no
// place in the bundles of pages, and half of our entry points go there too.

/** Goes on to the page that was asked for. */
export const next = () => new Response(null, { headers: { "x-middleware-next": "1" } });

export const redirect = (url: string | URL) => new Response(null, { status: 307, headers: { Location: String(url) } });

/** Shows another page under the address that was asked for. */
export const rewrite = (url: string | URL) => new Response(null, { headers: { "x-middleware-rewrite": String(url) } });
