// Shared with @doorward/nextjs; no promise to anybody else.
export { camel } from "./camel.js";
export { DoorwardAPIResponseError } from "./errors.js";
