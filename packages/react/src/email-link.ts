import type { VerificationResource } from "./types.js";

/** How long to wait before looking again whether somebody has opened the link (ms). */
const pause = 1000;

export interface EmailLinkFlow<Params, Result> {
  /** Sends the link, and answers when it has been opened, has expired, or nobody waits any more. */
  startEmailLinkFlow(params: Params): Promise<Result>;
  cancelEmailLinkFlow(): void;
}

/** Waits until a link has been opened or can be opened no more; or until `wanted` says that nobody waits. */
export async function linkOpened<Result>(look: () => Promise<Result>, at: () => VerificationResource, wanted: () => boolean): Promise<Result> {
  for (;;) {
    const seen = await look();
    if (!wanted() || at().status !== "unverified") return seen;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

export function emailLinkFlow<Params, Result>(send: (params: Params) => Promise<unknown>, look: () => Promise<Result>, at: () => VerificationResource): EmailLinkFlow<Params, Result> {
  let waits = true;
  return {
    startEmailLinkFlow: async (params) => {
      waits = true;
      await send(params);
      return linkOpened(look, at, () => waits);
    },
    cancelEmailLinkFlow: () => void (waits = false),
  };
}
