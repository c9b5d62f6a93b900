import { getAuth, reverificationError } from "@clerk/nextjs/server";
import type { NextApiRequest, NextApiResponse } from "next";

/** Only for who proved to be the user within the last ten minutes. */
export default function handler(req: NextApiRequest, res: NextApiResponse) {
  const { userId, has } = getAuth(req);

  res.setHeader("Cache-Control", "no-store");
  if (!userId) {
    res.status(401).json({ userId: null });
    return;
  }
  if (!has({ reverification: "strict" })) {
    res.status(403).json(reverificationError("strict"));
    return;
  }
  res.status(200).json({ userId });
}
