"use client";
import { createContext, useContext } from "react";
import type { Doorward } from "./doorward.js";

/** What the server already knew when it rendered the page. */
export interface InitialState {
  userId: string | null;
  sessionId: string | null;
  sessionClaims?: unknown;
  actor?: unknown;
  orgId?: string | null;
  orgSlug?: string | null;
  orgRole?: string | null;
  orgPermissions?: string[] | null;
}

export interface DoorwardContextValue {
  doorward: Doorward;
  initialState?: InitialState;
}

export const DoorwardContext = /* @__PURE__ */ createContext<DoorwardContextValue | null>(null);

export function useDoorwardContext(): DoorwardContextValue {
  const value = useContext(DoorwardContext);
  if (!value) throw new Error("Doorward: this hook or component needs a <DoorwardProvider> around it.");
  return value;
}
