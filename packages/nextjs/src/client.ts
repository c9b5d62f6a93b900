export type * from "@doorward/react";
export { ClerkProvider, DoorwardProvider, type NextProviderProps as DoorwardProviderProps } from "./client/provider.js";
export {
  type UseAuthReturn,
  type UseSessionListReturn,
  type UseSessionReturn,
  type UseSignInReturn,
  type UseSignUpReturn,
  type UseUserReturn,
  useAuth,
  useClerk,
  useDoorward,
  useSession,
  useSessionList,
  useSignIn,
  useSignUp,
  useUser,
} from "@doorward/react";
export {
  ClerkLoaded,
  ClerkLoading,
  DoorwardLoaded,
  DoorwardLoading,
  type RedirectButtonProps,
  RedirectToSignIn,
  RedirectToSignUp,
  SignInButton,
  SignOutButton,
  type SignOutButtonProps,
  SignUpButton,
  SignedIn,
  SignedOut,
} from "@doorward/react";
export { AuthenticateWithRedirectCallback, GoogleOneTap, type GoogleOneTapProps, type RedirectCallbackProps } from "@doorward/react";
export { type ReverificationOptions, type ReverificationRequest, useReverification } from "@doorward/react";
export { type Appearance, SignIn, type SignInProps, SignUp, type SignUpProps, UserButton, type UserButtonProps, UserProfile, type UserProfileProps, type Variables, Waitlist, type WaitlistProps } from "@doorward/react";
export { ClerkAPIResponseError, DoorwardAPIResponseError, type DoorwardAPIError, isClerkAPIResponseError, isDoorwardAPIResponseError } from "@doorward/react";
export type { InitialState } from "@doorward/react";
export type { ClientResource, Doorward, DoorwardOptions, SetActiveParams, SignOutOptions, State } from "@doorward/react";
export type { SessionResource, SignInResource, SignUpResource, UserResource } from "@doorward/react";
