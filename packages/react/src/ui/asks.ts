import type { FieldProps } from "./form.js";

/** One thing that a form asks for. */
export type Ask = Omit<FieldProps, "error">;

// The words are the same wherever the same thing is asked for: people and password managers know it again.
export const email: Ask = { name: "identifier", label: "Email", type: "email", autoComplete: "username" };
export const phone: Ask = { name: "identifier", label: "Phone number", type: "tel", autoComplete: "tel" };
export const code: Ask = { name: "code", label: "Code", inputMode: "numeric", autoComplete: "one-time-code" };
export const backupCode: Ask = { ...code, inputMode: "text" };
export const password: Ask = { name: "password", label: "Password", type: "password", autoComplete: "current-password" };
export const newPassword: Ask = { name: "password", label: "New password", type: "password", autoComplete: "new-password" };
