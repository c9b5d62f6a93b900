export { ClerkAPIResponseError, DoorwardAPIResponseError, type DoorwardAPIError, isClerkAPIResponseError, isDoorwardAPIResponseError } from "@doorward/react/errors";
