export { type SignInFuture, type SignInSignalValue, type SignUpFuture, type SignUpSignalValue, useSignIn, useSignUp } from "@doorward/react/signals";
