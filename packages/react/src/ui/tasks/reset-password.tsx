import { PasswordForm } from "../profile/password.js";
import type { Task } from "./index.js";

/** A new password in place of one that others know. */
export const resetPassword: Task = {
  title: "Choose a new password",
  text: "Others may know the one that you have. Choose another one to go on.",
  Body: ({ doing }) => <PasswordForm doing={doing} asked={false} />,
};
