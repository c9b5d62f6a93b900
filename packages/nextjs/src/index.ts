export * from "./client.js";
// The older official package has its server's side under the same name.
export { auth, authMiddleware, buildClerkProps, clerkMiddleware, createRouteMatcher, currentUser, doorwardMiddleware, getAuth, redirectToSignIn } from "./server/index.js";
