export { ClerkProvider, DoorwardProvider, type DoorwardProviderProps } from "./provider.js";
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
} from "./hooks.js";
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
} from "./components.js";
export { type ReverificationOptions, type ReverificationRequest, useReverification } from "./use-reverification.js";
export { AuthenticateWithRedirectCallback, type RedirectCallbackProps } from "./redirect-callback.js";
export { GoogleOneTap, type GoogleOneTapProps } from "./google-one-tap.js";
export { SignIn, type SignInProps } from "./ui/sign-in/index.js";
export { SignUp, type SignUpProps } from "./ui/sign-up/index.js";
export { Waitlist, type WaitlistProps } from "./ui/waitlist.js";
export { UserButton, type UserButtonProps } from "./ui/user-button.js";
export { UserProfile, type UserProfileProps } from "./ui/user-profile.js";
export type { Appearance, Variables } from "./ui/styles.js";
export { ClerkAPIResponseError, DoorwardAPIResponseError, type DoorwardAPIError, isClerkAPIResponseError, isDoorwardAPIResponseError } from "./errors.js";
export type { InitialState } from "./context.js";
export type { ClientFields as ClientResource, Doorward, DoorwardOptions, SetActiveParams, SignOutOptions, State } from "./doorward.js";
export type { Session as SessionResource, SignIn as SignInResource, SignUp as SignUpResource } from "./resources.js";
export type {
  EmailAddress as EmailAddressResource,
  ExternalAccount as ExternalAccountResource,
  Passkey as PasskeyResource,
  PhoneNumber as PhoneNumberResource,
  SessionWithActivities as SessionWithActivitiesResource,
  User as UserResource,
  Web3Wallet as Web3WalletResource,
} from "./user.js";
export type * from "./types.js";
