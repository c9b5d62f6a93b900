"use client";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { DoorwardContext, type InitialState } from "./context.js";
import { type DoorwardOptions, doorwardFor } from "./doorward.js";

export interface DoorwardProviderProps extends DoorwardOptions {
  children?: ReactNode;
  /** From the server, so that the first rendering is right before anything is loaded. */
  initialState?: InitialState;
}

export function DoorwardProvider({ children, initialState, ...options }: DoorwardProviderProps) {
  const [doorward] = useState(() => doorwardFor(options));
  // Routers give new functions with each rendering, and only the last ones work.
  useEffect(() => {
    doorward.options = { ...doorward.options, ...options };
  });
  const value = useMemo(() => ({ doorward, initialState }), [doorward, initialState]);
  return <DoorwardContext.Provider value={value}>{children}</DoorwardContext.Provider>;
}

export { DoorwardProvider as ClerkProvider };
