import { getAuth } from "@doorward/nextjs/server";
import type { NextApiRequest, NextApiResponse } from "next";

export default function handler(req: NextApiRequest, res: NextApiResponse) {
  const { userId, sessionId } = getAuth(req);

  res.setHeader("Cache-Control", "no-store");
  if (!userId) {
    res.status(401).json({ userId: null });
    return;
  }
  res.status(200).json({ userId, sessionId });
}
